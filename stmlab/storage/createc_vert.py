"""Createc ``.VERT``: ``key=value`` lines, ``DATA``, a line of counts, rows of numbers.

The fourth number of the line of counts names the channels bit by bit. A row holds a running number, the bias in mV, the
height (and, in newer files, x) in converter steps, and then one number for each of those channels, in converter steps:
10 V are half the converter's range. The current follows through the preamplifier's gain, 10^GainPre V/A.
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

_CHANNELS = (
    "Current",
    "dI/dV",
    "d2I/dV2",
    "ADC0",
    "ADC1",
    "ADC2",
    "ADC3",
    "NA1",
    "NA2",
    "NA3",
    "di_q",
    "di2_q",
    "DAC0",
)
_POSITIONS = ("Bias", "Z", "X")
_HALF_RANGE = 10.0  # V


def read(path: Path) -> Recording:
    """Read a file.

    Raises:
        FileError: no ``[ParVERT`` in the first line, no DATA, rows that are cut short, or a key that is missing.
    """
    lines = read_text(path, "latin-1").splitlines()
    if not lines or not lines[0].startswith("[ParVERT"):
        raise FileError(f"{path}: not a Createc .VERT file: the first line is not [ParVERT...]")
    try:
        start = next(k for k, line in enumerate(lines) if line.strip() == "DATA")
        count, *_, code = (int(number) for number in re.findall(r"-?\d+", lines[start + 1])[:4])
    except (StopIteration, IndexError, ValueError):
        raise FileError(f"{path}: there is no line DATA with a line of counts behind it") from None
    header = _header(lines[:start])
    names = [name for bit, name in enumerate(_CHANNELS) if code >> bit & 1]
    values = _rows(path, lines, start + 2, count, len(names))
    interval = 1 / _number(path, header, "SpecFreq", least=1e-9, most=1e12)
    return Recording(path, "createc", header, _columns(path, header, names, values), interval)


def _header(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines)
    return {key.strip(): value.strip() for key, equals, value in pairs if equals and key.strip(" /")}


def _number(path: Path, header: dict[str, str], key: str, *, least: float, most: float) -> float:
    try:
        value = float(header[key])
    except (KeyError, ValueError) as error:
        raise FileError(f"{path}: the header has no number for {key!r}") from error
    if not least <= value <= most:
        raise FileError(f"{path}: the header's {key} = {header[key]}: {least:g} to {most:g} is believed")
    return value


def _rows(path: Path, lines: list[str], first: int, count: int, channels: int) -> FloatArray:
    cells = [line.split() for line in lines[first : first + count]]
    if len(cells) != count:
        raise FileError(f"{path}: {len(cells)} rows, the line of counts promises {count} (is the file cut off?)")
    width = len(cells[0]) if cells else 0
    if not 2 <= width - 1 - channels <= len(_POSITIONS):
        raise FileError(f"{path}: rows of {width} numbers do not fit {channels} channels")
    return np.array([read_row(path, number, row, width) for number, row in enumerate(cells, first + 1)])


def _columns(path: Path, header: dict[str, str], names: list[str], values: FloatArray) -> tuple[Column, ...]:
    bits = re.match(r"(\d{1,2})\s*bit", header.get("DAC-Type", ""))
    if bits is None or int(bits[1]) < 1:
        raise FileError(f"{path}: the header's DAC-Type is no number of bits")
    volts = _HALF_RANGE / 2 ** (int(bits[1]) - 1)
    amperes = volts / 10 ** _number(path, header, "Gainpreamp / GainPre 10^", least=-20, most=20)
    positions = values.shape[1] - 1 - len(names)
    columns = [Column("Bias", "V", values[:, 1] * 1e-3)]
    columns += [Column(_POSITIONS[k], "steps", values[:, k + 1]) for k in range(1, positions)]
    for k, name in enumerate(names, 1 + positions):
        factor, unit = (amperes, "A") if name == "Current" else (volts, "V")
        columns.append(Column(name, unit, values[:, k] * factor))
    return tuple(columns)
