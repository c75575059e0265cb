"""A measured transfer function: read from a table, interpolated, refused outside its band."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import OutOfBounds, StationError

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.arrays import ComplexArray, FloatArray

HEADER = ("frequency_Hz", "magnitude_dB", "phase_deg")
_EDGE = 1e-9  # relative; a frequency this little outside the band is at its edge


@dataclass(frozen=True)
class TransferTable:
    """Complex amplitude behind a part over amplitude in front of it, at measured frequencies.

    Attributes:
        file: where it was read, for people and error messages.
        date: of the measurement, as the file says ("" if it does not).
        frequency: shape (N,), Hz, strictly increasing.
        magnitude_dB: shape (N,).
        phase: shape (N,), radians, unwrapped; zero if the file has none.
    """

    file: str
    date: str
    frequency: FloatArray
    magnitude_dB: FloatArray
    phase: FloatArray

    @property
    def band(self) -> tuple[float, float]:
        """Lowest and highest measured frequency, Hz."""
        return float(self.frequency[0]), float(self.frequency[-1])

    def transfer(self, frequency: FloatArray) -> ComplexArray:
        """The transfer at ``frequency`` (Hz), same shape; magnitude in dB and phase are linear in log(frequency).

        Raises:
            OutOfBounds: a frequency lies outside the band.
        """
        low, high = self.band
        inside = (frequency >= low * (1 - _EDGE)) & (frequency <= high * (1 + _EDGE))
        if not np.all(inside):
            refused = float(np.asarray(frequency)[~inside].flat[0])
            raise OutOfBounds("frequency", refused, low, high, "Hz", self.file)
        position, known = np.log(frequency), np.log(self.frequency)
        magnitude = np.interp(position, known, self.magnitude_dB)
        phase = np.interp(position, known, self.phase)
        transfer: ComplexArray = 10 ** (magnitude / 20) * np.exp(1j * phase)
        return transfer


def read_table(path: Path) -> TransferTable:
    """Read comma-separated values under the header ``frequency_Hz,magnitude_dB[,phase_deg]``.

    Lines that begin with # are comments; ``# date: 2024-05-01`` gives the date.

    Raises:
        StationError: the file cannot be read; a wrong header, number or order is named with its line.
    """
    try:
        return _table(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StationError(f"{path}: {error}") from error


@lru_cache(16)
def _table(path: str, content: str) -> TransferTable:
    """What a file of that name says; the last ones are remembered, because each run of an evening reads the same."""
    columns, date, rows = 0, "", list[tuple[float, ...]]()
    for number, line in enumerate(content.splitlines(), start=1):
        text = line.strip()
        if text.startswith("#"):
            date = text.removeprefix("#").strip().removeprefix("date:").strip() if "date:" in text else date
        elif text and not columns:
            columns = _columns(text, f"{path}, line {number}")
        elif text:
            rows.append(_row(text, columns, f"{path}, line {number}"))
            _refuse_disorder(rows, f"{path}, line {number}")
    if len(rows) < 2:
        raise StationError(f"{path}: {len(rows)} rows under a header {','.join(HEADER)}: at least 2 are needed")
    table = np.array(rows).T
    phase = np.unwrap(np.radians(table[2])) if columns == len(HEADER) else np.zeros(len(rows))
    table.flags.writeable = phase.flags.writeable = False
    return TransferTable(path, date, table[0], table[1], phase)


def _columns(text: str, where: str) -> int:
    found = tuple(name.strip() for name in text.split(","))
    if found not in (HEADER, HEADER[:2]):
        raise StationError(f"{where}: header {text!r}: {','.join(HEADER)} is needed (phase_deg may be left out)")
    return len(found)


def _row(text: str, columns: int, where: str) -> tuple[float, ...]:
    try:
        values = tuple(float(value) for value in text.split(","))
    except ValueError:
        values = ()
    if len(values) != columns or not all(math.isfinite(value) for value in values):
        raise StationError(f"{where}: {text!r}: {columns} finite numbers, separated by commas, are needed")
    return values


def _refuse_disorder(rows: list[tuple[float, ...]], where: str) -> None:
    frequency, before = rows[-1][0], rows[-2][0] if len(rows) > 1 else 0.0
    if frequency <= before:
        raise StationError(f"{where}: frequency {frequency:g} Hz does not lie above {before:g} Hz of the row before")
