"""Nanonis ``.dat``: ``key<TAB>value[<TAB>]`` lines, ``[DATA]``, a line of column names with units, rows of numbers.

Seen in the wild and read here: a byte-order mark, with and without the trailing tab, flags such as ``[AVG]``,
``[00001]``, ``[bwd]`` and ``[filt]`` before or behind the unit, other first columns (generic sweeper), blank rows,
decimal commas, keys and names that are repeated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.storage.recorded import Column, Recording, read_rows, read_text, unique

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.arrays import FloatArray

_FLAGS = re.compile(r"(?:\s*\[[^\]]*\])*$")
_IN_BRACKETS = re.compile(r"\[([afpnuµμmkMG]?(?:V|A|S|Hz|m|s|K|Pa|W)(?:rms|pk)?|deg|%|a\.?u\.?)\]")


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
    titles = [_name_and_unit(title, k) for k, title in enumerate(lines[start + 1].rstrip("\t\r").split("\t"), 1)]
    values, commas = _rows(path, lines, start + 2, len(titles))
    names = unique(name for name, _ in titles)
    columns = tuple(
        Column(name, unit, values[:, k]) for k, (name, (_, unit)) in enumerate(zip(names, titles, strict=True))
    )
    notes = ["numbers are written with decimal commas"] if commas else []
    given = [name for name, _ in titles]
    notes += [
        f"two columns have one name: the later is called {new}"
        for new, old in zip(names, given, strict=True)
        if new != old
    ]
    return Recording(path, "nanonis", _header(lines[:start]), columns, notes=tuple(notes))


def _header(lines: list[str]) -> dict[str, str]:
    pairs = [(key, value.rstrip("\t")) for key, tab, value in (line.partition("\t") for line in lines) if tab]
    return dict(zip(unique(key for key, _ in pairs), (value for _, value in pairs), strict=True))


def _name_and_unit(title: str, number: int) -> tuple[str, str]:
    """Split a title: ``Current [AVG] (A) [filt]`` gives ``Current [AVG] [filt]`` and ``A``.

    The unit stands in the last parentheses, which may hold others: ``Noise (V/sqrt(Hz))``; where there are none, in
    brackets, if they hold a unit and no flag: ``Current [pA]``.
    """
    title = title.strip()
    flags = _FLAGS.search(title)
    behind = flags.group() if flags else ""
    front = title[: len(title) - len(behind)]
    name, unit = _without_unit(front)
    if not unit and (bracketed := _IN_BRACKETS.search(behind)):
        unit, behind = bracketed[1], behind.replace(bracketed[0], "")
    name = " ".join([name.strip(), *re.findall(r"\[[^\]]*\]", behind)]).strip()
    return name or f"column {number}", unit


def _without_unit(text: str) -> tuple[str, str]:
    if not text.endswith(")"):
        return text, ""
    depth = 0
    for k in range(len(text) - 1, -1, -1):
        depth += (text[k] == ")") - (text[k] == "(")
        if depth == 0:
            return text[:k], text[k + 1 : -1].strip()
    return text, ""


def _rows(path: Path, lines: list[str], first: int, width: int) -> tuple[FloatArray, bool]:
    """Blank lines are passed over, as programs leave them at the end."""
    cells = (
        (number, line.rstrip("\t\r").split("\t"))
        for number, line in enumerate(lines[first:], first + 1)
        if line.strip()
    )
    values, commas = read_rows(path, cells, width)
    if not len(values):
        raise FileError(f"{path}: no rows follow the line of names")
    return values, commas
