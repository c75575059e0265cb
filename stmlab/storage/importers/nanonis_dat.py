"""Nanonis ``.dat``: ``key<TAB>value[<TAB>]`` lines, ``[DATA]``, a line of column names with units, rows of numbers.

Seen in the wild and read here: a byte-order mark, with and without the trailing tab, flags such as ``[AVG]``,
``[00001]``, ``[bwd]`` and ``[filt]`` before or behind the unit, other first columns (generic sweeper), blank rows,
decimal commas, keys and names that are repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.storage.importers.text import interval_of, name_and_unit, read_table, read_text, unique
from stmlab.storage.recorded import Recording

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS: tuple[str, ...] = (".dat",)


def recognises(head: bytes) -> bool:
    """Whether the file's beginning is one of this format."""
    return b"[DATA]" in head and b"\n[DATA]" in b"\n" + head.removeprefix(b"\xef\xbb\xbf")


def read(path: Path) -> Recording:
    """Read a file.

    Raises:
        FileError: no ``[DATA]``, rows of another length than the line of names, or text where a number should be.
    """
    lines = read_text(path, "utf-8-sig", "cp1252").split("\n")
    try:
        start = next(k for k, line in enumerate(lines) if line.strip() == "[DATA]")
    except StopIteration:
        raise FileError(f"{path}: not a Nanonis file: there is no line [DATA]") from None
    if start + 1 >= len(lines):
        raise FileError(f"{path}: nothing follows [DATA]")
    titles = [name_and_unit(title, k) for k, title in enumerate(lines[start + 1].rstrip("\t\r").split("\t"), 1)]
    rows = (
        (number, line.rstrip("\t\r").split("\t"))
        for number, line in enumerate(lines[start + 2 :], start + 3)
        if line.strip()
    )
    columns, notes = read_table(path, rows, titles)
    header = _header(lines[:start])
    return Recording(path, "nanonis", header, columns, interval_of(header), notes=tuple(notes))


def _header(lines: list[str]) -> dict[str, str]:
    pairs = [(key, value.rstrip("\t")) for key, tab, value in (line.partition("\t") for line in lines) if tab]
    return dict(zip(unique(key for key, _ in pairs), (value for _, value in pairs), strict=True))
