"""Createc ``.VERT``: ``key=value`` lines, ``DATA``, a line of counts, rows of numbers.

The fourth number of the line of counts names the channels bit by bit, known or not. A row holds a running number, the
bias in mV, the height (and, where the seventh number of the counts is 3, x) in converter steps, and then one number for
each of those channels, in converter steps: 10 V are half the converter's range. The current follows through the
preamplifier's gain, 10^GainPre V/A.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.storage.importers.text import read_number, read_rows, read_text, unique
from stmlab.storage.recorded import Column, Recording

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.arrays import FloatArray

ENDINGS: tuple[str, ...] = (".VERT",)
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
_GAIN = "Gainpreamp / GainPre 10^"


def recognises(head: bytes) -> bool:
    """Whether the file's beginning is one of this format."""
    return head.startswith(b"[ParVERT")


def read(path: Path) -> Recording:
    """Read a file.

    Raises:
        FileError: no ``[ParVERT`` in the first line, no DATA, rows that are cut short or do not fit the channels that
            the file names, or a key that is missing.
    """
    lines = read_text(path, "latin-1").split("\n")
    if not lines[0].startswith("[ParVERT"):
        raise FileError(f"{path}: not a Createc .VERT file: the first line is not [ParVERT...]")
    try:
        start = next(k for k, line in enumerate(lines) if line.strip() == "DATA")
        counts = [float(text) for text in re.findall(r"-?\d+(?:\.\d*)?", lines[start + 1])]
        count, code = int(counts[0]), int(counts[3])
    except (StopIteration, IndexError):
        raise FileError(f"{path}: there is no line DATA with a line of counts behind it") from None
    header = _header(lines[:start])
    _check_code(path, header, code)
    names = [_name(bit) for bit in range(code.bit_length()) if code >> bit & 1]
    positions = _positions(lines[0], counts)
    values, commas = _rows(path, lines, start + 2, count, 1 + positions + len(names))
    interval = 1 / _number(path, header, "SpecFreq", least=1e-9, most=1e12)
    notes = ["numbers are written with decimal commas"] if commas else []
    notes += [
        f"{name} is a channel that nobody has described: its values are kept as they stand"
        for name in names
        if name not in _CHANNELS
    ]
    if (gain := header.get("Vertmangain")) and gain != header.get(_GAIN):
        notes.append(
            f"the header names two gains, 10^{header[_GAIN]} and for spectra 10^{gain}: the current follows the first"
        )
    return Recording(path, "createc", header, _columns(path, header, names, values), interval, tuple(notes))


def _header(lines: list[str]) -> dict[str, str]:
    pairs = [(key.strip(), value.strip()) for key, equals, value in (line.partition("=") for line in lines) if equals]
    pairs = [(key, value) for key, value in pairs if key.strip(" /")]
    return dict(zip(unique(key for key, _ in pairs), (value for _, value in pairs), strict=True))


def _number(path: Path, header: dict[str, str], key: str, *, least: float, most: float) -> float:
    repeated = [value for name, value in header.items() if name.split(" #")[0] == key]
    if len(set(repeated)) > 1:
        raise FileError(f"{path}: the header has {key!r} more than once, as {' and '.join(repeated)}")
    try:
        value = read_number(header[key])
    except (KeyError, ValueError) as error:
        raise FileError(f"{path}: the header has no number for {key!r}") from error
    if not least <= value <= most:
        raise FileError(f"{path}: the header's {key} = {header[key]}: {least:g} to {most:g} is accepted")
    return value


def _check_code(path: Path, header: dict[str, str], code: int) -> None:
    """The channels' bits stand in the line of counts, and in newer files in the header as well."""
    if code < 0:
        raise FileError(f"{path}: the line of counts names no channels: {code}")
    told = header.get("Vertchannelselectval", str(code))
    if told != str(code):
        raise FileError(
            f"{path}: the header names the channels {told}, the line of counts {code}: one of them is wrong"
        )


def _name(bit: int) -> str:
    return _CHANNELS[bit] if bit < len(_CHANNELS) else f"channel {bit}"


def _positions(first: str, counts: list[float]) -> int:
    """How many of bias, height and x stand before the channels: from version 32 on the seventh number says so."""
    version = re.search(r"\d+", first)
    told = int(counts[6]) if version and int(version[0]) > 30 and len(counts) > 6 else 2
    return told if 2 <= told <= len(_POSITIONS) else 2


def _rows(path: Path, lines: list[str], first: int, count: int, width: int) -> tuple[FloatArray, bool]:
    cells = [line.split() for line in lines[first:] if line.strip()]
    if len(cells) != count:
        raise FileError(f"{path}: {len(cells)} rows, the line of counts promises {count} (is the file cut off?)")
    if not count:
        raise FileError(f"{path}: no rows follow the line of counts")
    if (found := {len(row) for row in cells}) != {width} and len(found) == 1:
        raise FileError(
            f"{path}: rows of {found.pop()} numbers do not fit the channels that the line of counts names: {width} are "
            "expected"
        )
    return read_rows(path, enumerate(cells, first + 1), width)


def _columns(path: Path, header: dict[str, str], names: list[str], values: FloatArray) -> tuple[Column, ...]:
    bits = re.match(r"(\d{1,2})\s*bit", header.get("DAC-Type", ""))
    if bits is None or int(bits[1]) < 1:
        raise FileError(f"{path}: the header's DAC-Type is no number of bits")
    volts = _HALF_RANGE / 2 ** (int(bits[1]) - 1)
    amperes = volts / 10 ** _number(path, header, _GAIN, least=-20, most=20)
    positions = values.shape[1] - 1 - len(names)
    columns = [Column("Bias", "V", values[:, 1] * 1e-3)]
    columns += [Column(_POSITIONS[k], "steps", values[:, k + 1]) for k in range(1, positions)]
    for k, name in enumerate(names, 1 + positions):
        factor, unit = (amperes, "A") if name == "Current" else (volts, "V") if name in _CHANNELS else (1.0, "")
        columns.append(Column(name, unit, values[:, k] * factor))
    return tuple(columns)
