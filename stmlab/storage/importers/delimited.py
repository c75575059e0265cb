"""CSV, TSV and the like: comment lines, a line of titles with units, rows of numbers; any of the usual delimiters.

Comment lines start with ``#``, ``%`` or ``//`` and hold ``key<TAB>value``, ``key: value`` or ``key = value``. The last
of them is the line of titles where none stands above the numbers (as ``numpy.savetxt`` writes it). Units stand in the
titles, ``Current (A)`` or ``Current [A]``, or in a line of their own below them.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.storage.importers.text import interval_of, name_and_unit, read_number, read_table, read_text, unique
from stmlab.storage.recorded import Recording

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS: tuple[str, ...] = (".csv", ".tsv", ".txt", ".asc")
_COMMENT = re.compile(r"^\s*(#|%|//)\s?")
_DELIMITERS = ("\t", ";", ",", None)  # None: white space
_UNIT = re.compile(r"^\s*[\[(]?[^\d\s][^\s]{0,15}[\])]?\s*$|^\s*$")
_MOST_ABOVE = 4  # lines: a name, titles, units, numbers
_LONGEST_TITLES = 1 << 16  # characters


def recognises(head: bytes) -> bool:
    """Whether the file's beginning is one of this format: a row of numbers below a few lines that are no comment.

    Below many of them, it is a damaged file of another format.
    """
    if b"\0" in head:
        return False
    lines = head.decode("latin-1").splitlines()
    rows = [line for line in lines[:200] if line.strip() and not _COMMENT.match(line)]
    return any(_is_row(line, delimiter) or _is_number(line) for line in rows[:_MOST_ABOVE] for delimiter in _DELIMITERS)


def read(path: Path) -> Recording:
    """Read a file.

    Raises:
        FileError: no text, no rows of numbers, rows of another length than the titles, or text among numbers.
    """
    lines = read_text(path, "utf-8-sig", "cp1252", "latin-1").splitlines()
    comments = [_COMMENT.sub("", line) for line in lines if _COMMENT.match(line)]
    rows = [(k, line) for k, line in enumerate(lines, 1) if line.strip() and not _COMMENT.match(line)]
    first = next((k for k, (_, line) in enumerate(rows) if any(_is_row(line, d) for d in _DELIMITERS)), None)
    if first is None:  # a table of one column
        first = next((k for k, (_, line) in enumerate(rows) if _is_number(line.strip('"'))), None)
    if first is None:
        raise FileError(f"{path}: holds no row of numbers")
    delimiter = _delimiter(rows[first][1], rows[first - 1][1] if first else "")
    cells = [(number, _cells(path, line, delimiter)) for number, line in rows[first:]]
    width = len(cells[0][1])
    if all(len(row) == width and not row[-1] for _, row in cells):  # every row ends with a delimiter
        cells, width = [(number, row[:-1]) for number, row in cells], width - 1
    above = [_cells(path, line, delimiter, width) for _, line in rows[:first]]
    titles, used, notes = _titles(path, above, comments, delimiter, width)
    if empty := sum(not cell.strip() for _, row in cells for cell in row):
        notes.append(f"{empty} cells are empty: read as no number (nan)")
    filled = ((number, [cell.strip() or "nan" for cell in row]) for number, row in cells)
    columns, found = read_table(path, filled, titles)
    header = _header([line for k, line in enumerate(comments) if k != used])
    return Recording(path, "csv", header, columns, interval_of(header), (*notes, *found))


def _header(lines: list[str]) -> dict[str, str]:
    pairs = []
    for line in lines:
        for separator in ("\t", ":", "="):
            key, found, value = line.partition(separator)
            if found and key.strip():
                pairs.append((key.strip(), value if separator == "\t" else value.strip()))
                break
        else:
            if line.strip():
                pairs.append(("comment", line.strip()))
    return dict(zip(unique(key for key, _ in pairs), (value for _, value in pairs), strict=True))


def _delimiter(row: str, titles: str) -> str | None:
    """The first that splits a row of numbers; a comma within it is decimal where the titles have none."""
    for delimiter in _DELIMITERS:
        if not _is_row(row, delimiter):
            continue
        if delimiter == "," and titles and "," not in titles and _is_row(row, None):
            continue
        return delimiter
    return ","


def _is_row(line: str, delimiter: str | None) -> bool:
    cells = (
        line.split(delimiter) if delimiter is None or '"' not in line else next(csv.reader([line], delimiter=delimiter))
    )
    known = [_is_number(cell) for cell in cells]
    filled = [cell for cell in cells if cell.strip()]
    return len(cells) > 1 and known.count(True) >= max(1, len(filled) / 2) and bool(known[0] or known[-1])


def _is_number(cell: str) -> bool:
    try:
        read_number(cell.strip())
    except ValueError:
        return False
    return True


def _cells(path: Path, line: str, delimiter: str | None, width: int | None = None) -> list[str]:
    """Cells of a line; ``width``, of a line of titles, tells a space within a title from one between them."""
    if delimiter is None:
        cells = line.split()
        apart = re.split(r"\s{2,}|(?<=[)\]])\s+", line.strip())
        return apart if width is not None and len(cells) != width else cells
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise FileError(f"{path}: {line[:40]!r} is no row of cells ({error})") from None


def _titles(
    path: Path, above: list[list[str]], comments: list[str], delimiter: str | None, width: int
) -> tuple[list[tuple[str, str]], int | None, list[str]]:
    """Names and units; the number of the comment line that they stand in; notes."""
    fitting = [cells for cells in above if len(cells) == width]
    odd = len(above) - len(fitting)
    notes = [f"lines above the numbers were not understood ({odd})"] if odd else []
    if len(fitting) > 1 and all(_UNIT.match(cell) for cell in fitting[-1]):
        below = enumerate(zip(fitting[-2], fitting[-1], strict=True), 1)
        return [(name_and_unit(name, k)[0], unit.strip(" []()")) for k, (name, unit) in below], None, notes
    if fitting:
        return [name_and_unit(title, k) for k, title in enumerate(fitting[-1], 1)], None, notes
    if comments and len(comments[-1]) < _LONGEST_TITLES:
        cells = _cells(path, comments[-1], delimiter, width)
        if len(cells) == width:
            return [name_and_unit(title, k) for k, title in enumerate(cells, 1)], len(comments) - 1, notes
    if above:
        raise FileError(f"{path}: no line above the numbers holds {width} titles (is another delimiter used there?)")
    return [(f"column {k}", "") for k in range(1, width + 1)], None, [*notes, "the columns have no names and no units"]
