"""Nanonis ``.dat``: ``key<TAB>value[<TAB>]`` lines, ``[DATA]``, a line of column names with units, rows of numbers.

Seen in the wild and read here: a byte-order mark, with and without the trailing tab, flags such as ``[AVG]``,
``[00001]``, ``[bwd]`` and ``[filt]`` before or behind the unit, other first columns (generic sweeper), blank rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.recorded import Column, Recording, read_row, read_text

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.arrays import FloatArray

_UNIT = re.compile(r"\s*\((?P<unit>[^()]*)\)(?P<flags>(?:\s*\[[^\]]*\])*)$")


def read(path: Path) -> Recording:
    """Read a file.

    Raises:
        FileError: no ``[DATA]``, rows of another length than the line of names, or text where a number should be.
    """
    lines = read_text(path, "utf-8-sig", "cp1252").splitlines()
    try:
        start = next(k for k, line in enumerate(lines) if line.strip() == "[DATA]")
    except StopIteration:
        raise FileError(f"{path}: not a Nanonis file: there is no line [DATA]") from None
    if start + 1 >= len(lines):
        raise FileError(f"{path}: nothing follows [DATA]")
    titles = lines[start + 1].rstrip("\t\r").split("\t")
    values = _rows(path, lines, start + 2, len(titles))
    columns = tuple(Column(*_name_and_unit(title), values[:, k]) for k, title in enumerate(titles))
    return Recording(path, "nanonis", _header(lines[:start]), columns)


def _header(lines: list[str]) -> dict[str, str]:
    header = {}
    for line in lines:
        key, tab, value = line.partition("\t")
        if tab:
            header[key] = value.rstrip("\t")
    return header


def _name_and_unit(title: str) -> tuple[str, str]:
    """Split a title: ``Current [AVG] (A) [filt]`` gives ``Current [AVG] [filt]`` and ``A``."""
    match = _UNIT.search(title)
    if match is None:
        return title.strip(), ""
    flags = "".join(f" {flag}" for flag in re.findall(r"\[[^\]]*\]", match["flags"]))
    return title[: match.start()].strip() + flags, match["unit"].strip()


def _rows(path: Path, lines: list[str], first: int, width: int) -> FloatArray:
    rows = [
        read_row(path, number, line.rstrip("\t\r").split("\t"), width)
        for number, line in enumerate(lines[first:], first + 1)
        if line.strip()
    ]
    if not rows:
        raise FileError(f"{path}: no rows follow the line of names")
    return np.array(rows)
