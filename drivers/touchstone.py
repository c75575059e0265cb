"""Reads Touchstone files of two ports: S21 in a 50 ohm line, whatever the file's units, parameters and reference.

The option line says unit, parameter, format and reference, in any order, and each may be left out (Touchstone file
format specification 1.1 and 2.0: GHz, S, MA and 50 ohm then). scikit-rf, which reads the rest, wants it complete, and
keeps the file's reference impedance, at which the same part has another S21.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache
from pathlib import Path

import numpy as np

from drivers.transfer_table import TransferTable
from stmlab.errors import StationError

LINE_IMPEDANCE = 50.0
"""Ohm."""

_UNITS, _PARAMETERS, _FORMATS = ("HZ", "KHZ", "MHZ", "GHZ"), ("S", "Y", "Z", "H", "G"), ("MA", "DB", "RI")


def read_touchstone(path: Path) -> TransferTable:
    """Read S21 of a two-port Touchstone file; ``! date: 2024-05-01`` among its comments gives the date.

    Raises:
        StationError: the option line is wrong, scikit-rf cannot read the file, or its contents make no table.
    """
    try:
        return _table(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StationError(f"{path}: {error}") from error


@lru_cache(16)
def _table(path: str, content: str) -> TransferTable:
    """What a file of that name says; the last ones are remembered, as those of transfer_table."""
    lines = content.splitlines()
    text = _with_whole_option_line(lines, path)
    import skrf  # 0.1 s: only where such a file is used

    stream = io.StringIO(text)
    stream.name = Path(path).name  # its ending says how many ports there are
    try:
        network = skrf.Network(stream)
        if (network.z0 != LINE_IMPEDANCE).any():
            network.renormalize(LINE_IMPEDANCE)
        frequency, s21 = np.array(network.f, dtype=float), np.array(network.s[:, 1, 0])
    except Exception as error:  # scikit-rf raises whatever its parser meets; all of it means that the file is wrong
        raise StationError(f"{path}: not a two-port Touchstone file ({error})") from error
    usable = np.isfinite(frequency) & np.isfinite(s21) & (s21 != 0) & (frequency > 0)
    if frequency.size < 2 or not usable.all() or not (np.diff(frequency) > 0).all():
        raise StationError(f"{path}: frequencies must be above 0 and strictly increasing, and S21 finite and not 0")
    comments = (line.partition("!")[2] for line in lines)
    date = next((comment.partition("date:")[2].strip() for comment in comments if "date:" in comment), "")
    table = TransferTable(path, date, frequency, 20 * np.log10(np.abs(s21)), np.unwrap(np.angle(s21)))
    for shared in (table.frequency, table.magnitude_dB, table.phase):
        shared.flags.writeable = False
    return table


def _with_whole_option_line(lines: list[str], path: str) -> str:
    """The text with the first option line complete and in order, and without any other, which do not count."""
    whole, found = [], False
    for number, line in enumerate(lines, start=1):
        if not line.lstrip().startswith("#"):
            whole.append(line)
        elif not found:
            found = True
            whole.append(_option_line(line, f"{path}, line {number}"))
    if not found:
        raise StationError(f"{path}: not a two-port Touchstone file (it has no option line, such as # GHz S MA R 50)")
    return "\n".join(whole) + "\n"


def _option_line(line: str, where: str) -> str:
    said = {"unit": "GHZ", "parameter": "S", "format": "MA", "reference": f"{LINE_IMPEDANCE:g}"}
    taken = set[str]()
    words = iter(line.partition("!")[0].replace("#", " ", 1).upper().split())
    for word in words:
        kind = _kind(word)
        if not kind or kind in taken:
            raise StationError(
                f"{where}: {word!r} in the option line: a unit, S, Y, Z, H or G, a format, R and its ohms"
            )
        taken.add(kind)
        said[kind] = _ohms(next(words, ""), where) if kind == "reference" else word
    return f"# {said['unit']} {said['parameter']} {said['format']} R {said['reference']}"


def _kind(word: str) -> str:
    kinds = {"unit": _UNITS, "parameter": _PARAMETERS, "format": _FORMATS, "reference": ("R",)}
    return next((kind for kind, words in kinds.items() if word in words), "")


def _ohms(word: str, where: str) -> str:
    try:
        ohms = float(word)
    except ValueError:
        ohms = math.nan
    if not 0.0 < ohms < math.inf:
        raise StationError(f"{where}: R {word}: a reference impedance above 0 ohm is needed")
    return word
