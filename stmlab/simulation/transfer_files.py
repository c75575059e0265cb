"""Writes what a lab would have measured of its radio-frequency path: a table of the line, a Touchstone file of the tee.

``python -m stmlab.simulation.transfer_files config/transfer`` writes the files of the simulated station again after the
defaults of ``line.py`` have changed.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stmlab.simulation.line import CouplingTee, Line

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_LOWEST, _HIGHEST = 1.0e3, 25.0e9  # Hz
_LINEAR_FROM, _LINEAR_STEP = 5.0e8, 1.25e7  # Hz; dense enough that interpolation follows the standing waves
_PER_DECADE = 40
_DATE = date(2024, 1, 1)


def line_table(line: Line, measured: date) -> str:
    """The line's transfer from 1 kHz to 25 GHz as comma-separated values: frequency_Hz, magnitude_dB, phase_deg."""
    frequency = _logarithmic(_LINEAR_FROM)
    frequency = np.append(frequency[:-1], np.arange(_LINEAR_FROM, _HIGHEST + _LINEAR_STEP / 2, _LINEAR_STEP))
    transfer = line.transfer(frequency)
    head = [
        f"# date: {measured.isoformat()}",
        "# source: stmlab.simulation.transfer_files, from the default line of the simulated microscope",
        "# from the generator's connector to the RF port of the bias tee",
        "frequency_Hz,magnitude_dB,phase_deg",
    ]
    rows = zip(frequency, 20 * np.log10(np.abs(transfer)), np.degrees(np.angle(transfer)), strict=True)
    return "\n".join(head + [f"{f:.9g},{magnitude:.4f},{phase:.3f}" for f, magnitude, phase in rows]) + "\n"


def tee_touchstone(tee: CouplingTee, measured: date) -> str:
    """The tee as a Touchstone file of two ports (1: RF, 2: junction); S11 and S22 are those of the capacitor alone."""
    frequency = _logarithmic(_HIGHEST)
    through, reflected = tee.transfer(frequency), 1 - tee.coupling(frequency)
    head = [
        f"! date: {measured.isoformat()}",
        "! source: stmlab.simulation.transfer_files, from the default bias tee of the simulated microscope",
        "# Hz S RI R 50",
    ]
    rows = []
    for f, s21, s11 in zip(frequency, through, reflected, strict=True):
        port, pass_through = f"{s11.real:.6e} {s11.imag:.6e}", f"{s21.real:.8f} {s21.imag:.8f}"
        rows.append(f"{f:.9g} {port} {pass_through} {pass_through} {port}")
    return "\n".join(head + rows) + "\n"


def write(folder: Path) -> None:
    """Write ``line.csv`` and ``bias_tee.s2p`` into ``folder``."""
    (folder / "line.csv").write_text(line_table(Line(), _DATE), encoding="ascii")
    (folder / "bias_tee.s2p").write_text(tee_touchstone(CouplingTee(), _DATE), encoding="ascii")


def _logarithmic(highest: float) -> FloatArray:
    points = int(np.ceil(_PER_DECADE * np.log10(highest / _LOWEST))) + 1
    return np.geomspace(_LOWEST, highest, points)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
