"""What all importers of text files share: decoding, tables of numbers, titles with units, names that are repeated."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.recorded import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from stmlab.arrays import FloatArray

_FLAGS = re.compile(r"(?:\s*\[[^\]]*\])*$")
_IN_BRACKETS = re.compile(r"\[([afpnuµμmkMG]?(?:V|A|S|Hz|m|s|K|Pa|W)(?:rms|pk)?|deg|%|a\.?u\.?)\]")
INTERVAL = "Sample interval (s)"
"""Key of the header in files that we export: s between the rows of a trace."""


def read_text(path: Path, *encodings: str) -> str:
    """The file's text, by the first encoding that it has, or FileError in one line."""
    *tried, last = encodings
    for encoding in tried:
        with suppress(UnicodeDecodeError, OSError):
            return path.read_text(encoding=encoding)
    try:
        return path.read_text(encoding=last)
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError:
        raise FileError(f"{path}: not a text file, as {path.suffix} files are") from None


def read_rows(path: Path, rows: Iterable[tuple[int, list[str]]], width: int) -> tuple[FloatArray, bool]:
    """Numbers of a table, shape (rows, ``width``), and whether they are written with decimal commas.

    Args:
        path: for the message.
        rows: number of the line, counted from one, and its cells.
        width: how many each row must have.

    Raises:
        FileError: a row of another length, a cell that is no number, or commas in some numbers and points in others.
    """
    rows = list(rows)
    _check_width(path, rows, width)
    commas = next((number for number, cells in rows if any("," in cell for cell in cells)), None)
    points = next((number for number, cells in rows if any("." in cell for cell in cells)), None)
    if commas is not None and points is not None:
        raise FileError(
            f"{path}: decimal commas (line {commas}) and decimal points (line {points}): which is which cannot be told"
        )
    values = np.array([[_read_number(path, number, cell) for cell in cells] for number, cells in rows])
    return values.reshape(len(rows), width), commas is not None


def read_table(
    path: Path, rows: Iterable[tuple[int, list[str]]], titles: Sequence[tuple[str, str]]
) -> tuple[tuple[Column, ...], list[str]]:
    """Columns of a table with a name and unit each, and notes on what was odd: commas, text, names given twice.

    Raises:
        FileError: as `read_rows`; or no rows, or no column of numbers.
    """
    rows = list(rows)
    if not rows:
        raise FileError(f"{path}: no rows follow the line of names")
    texts = _text_columns(rows, len(titles))
    kept = [k for k in range(len(titles)) if k not in texts]
    if not kept:
        raise FileError(f"{path}: no column holds numbers")
    if texts:
        _check_width(path, rows, len(titles))
        rows = [(number, [cells[k] for k in kept]) for number, cells in rows]
    values, commas = read_rows(path, rows, len(kept))
    given = [titles[k][0] for k in kept]
    names = unique(given)
    columns = tuple(Column(name, titles[k][1], column) for name, k, column in zip(names, kept, values.T, strict=True))
    notes = ["numbers are written with decimal commas"] if commas else []
    notes += [f"{titles[k][0]} holds text ({rows_text(texts[k])}): left out" for k in sorted(texts)]
    notes += [
        f"two columns have one name: the later is called {new}"
        for new, old in zip(names, given, strict=True)
        if new != old
    ]
    return columns, notes


def rows_text(text: str) -> str:
    """A cell for a message."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _check_width(path: Path, rows: Iterable[tuple[int, list[str]]], width: int) -> None:
    for number, cells in rows:
        if len(cells) != width:
            raise FileError(
                f"{path}: line {number} holds {len(cells)} values instead of {width} (is the file cut off?)"
            )


def _text_columns(rows: list[tuple[int, list[str]]], width: int) -> dict[int, str]:
    """Columns in which no row holds a number, dates for instance, with their first cell; of three rows at least."""
    found: dict[int, str] = {}
    for k in range(width):
        cells = [cells[k] for _, cells in rows if len(cells) == width]
        if len(cells) > 2 and any(cell.strip() for cell in cells) and not any(map(_is_number, cells)):
            found[k] = cells[0]
    return found


def _is_number(cell: str) -> bool:
    try:
        read_number(cell)
    except ValueError:
        return False
    return True


def read_number(text: str) -> float:
    """A number as programs write it, with a decimal point or comma; raises ValueError for anything else."""
    if "_" in text or text.count(",") > 1 or ("," in text and "." in text):
        raise ValueError(text)
    return float(text.replace(",", "."))


def unique(names: Iterable[str]) -> list[str]:
    """The names, with "#2" and so on behind those that were there before: nothing is lost where a name is repeated."""
    found: list[str] = []
    times: dict[str, int] = {}
    for name in names:
        times[name] = times.get(name, 0) + 1
        found.append(name if times[name] == 1 else f"{name} #{times[name]}")
    return found


def _read_number(path: Path, number: int, cell: str) -> float:
    try:
        return read_number(cell)
    except ValueError:
        raise FileError(f"{path}: line {number} holds {cell[:40]!r} where a number should be") from None


def name_and_unit(title: str, number: int) -> tuple[str, str]:
    """Split a title: ``Current [AVG] (A) [filt]`` gives ``Current [AVG] [filt]`` and ``A``.

    Args:
        title: as it stands in the file.
        number: of the column, which names it where its title does not.

    The unit stands in the last parentheses, which may hold others: ``Noise (V/sqrt(Hz))``; where there are none, in
    brackets, if they hold a unit and no flag: ``Current [pA]``. Empty parentheses say that there is none.
    """
    title = title.strip()
    flags = _FLAGS.search(title)
    behind = flags.group() if flags else ""
    front = title[: len(title) - len(behind)]
    name, unit = _without_unit(front)
    if unit is None and (bracketed := _IN_BRACKETS.search(behind)):
        unit, behind = bracketed[1], behind.replace(bracketed[0], "")
    name = " ".join([name.strip(), *re.findall(r"\[[^\]]*\]", behind)]).strip()
    return name or f"column {number}", unit or ""


def _without_unit(text: str) -> tuple[str, str | None]:
    if not text.endswith(")"):
        return text, None
    depth = 0
    for k in range(len(text) - 1, -1, -1):
        depth += (text[k] == ")") - (text[k] == "(")
        if depth == 0:
            return text[:k], text[k + 1 : -1].strip()
    return text, None


def interval_of(header: Mapping[str, str]) -> float | None:
    """Of a file that we exported: s between the rows of a trace; None where the header does not say it."""
    try:
        interval = read_number(header[INTERVAL])
    except (KeyError, ValueError):
        return None
    return interval if 0 < interval < float("inf") else None
