"""What a careful reader sees in a recorded spectrum before any fit: phase, overload, height, sense of the numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.recorded.names import base_name
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray, IntArray
    from stmlab.storage.recorded import Recording

_APART = 0.15  # of what follows the current
_TURNED = math.radians(20.0)
_CERTAIN = 6.0  # standard deviations
_FEWEST = 12  # rows
_OVERLOADED = 6  # rows of one value that follow each other: noise leaves none
_SPIKE = 12.0  # times the noise
_OFTEN = 0.05  # of the rows: more are no spikes
_HEIGHT = 1e-12  # m; a current changes by two percent
_STEPS = 2.0  # of a converter
_HOLD = ("Z-Ctrl hold", "Bias Spectroscopy>Z-controller hold")


def phase_warnings(
    bias: FloatArray, reading: FloatArray, quadrature: FloatArray | None, current: FloatArray
) -> list[str]:
    """Whether the reading in phase is the derivative of the current, in its sign and size; all of shape (n,), SI."""
    known = np.isfinite(bias) & np.isfinite(reading) & np.isfinite(current)
    if quadrature is not None:
        known &= np.isfinite(quadrature)
    if np.count_nonzero(known) < _FEWEST or np.ptp(current[known]) == 0:
        return []
    order = np.flatnonzero(known)[np.argsort(bias[known], kind="stable")]
    x, flowing = bias[order], current[order]
    in_phase = _share(x, reading[order], flowing)
    out = None if quadrature is None else _share(x, quadrature[order], flowing)
    if in_phase is None and not out:
        return [
            "the lock-in's reading is not the derivative of the recorded current: another column, a higher harmonic, "
            "an overload or a wrong name may be behind it"
        ]
    angle = math.atan2(out or 0.0, in_phase or 0.0)
    if abs(angle) < _TURNED:
        return []
    if abs(abs(angle) - math.pi) < _TURNED:
        return [
            "the reading falls where the current rises: the sign of the reading, or the lock-in's phase, is turned by "
            "180 degrees; energies do not change, heights have the opposite sign"
        ]
    return [
        f"the lock-in's phase is turned by about {math.degrees(angle):.0f} degrees: X holds {abs(math.cos(angle)):.0%} "
        "of the signal, Y the rest"
    ]


def _share(x: FloatArray, reading: FloatArray, current: FloatArray) -> float | None:
    """Reading over dI/dV, by the integral of the reading; None where it is not proportional to it.

    A constant offset of the reading is allowed for where it has to be.
    """
    integral = np.concatenate([[0.0], np.cumsum(0.5 * (reading[1:] + reading[:-1]) * np.diff(x))])
    span, size = float(np.ptp(current)), float(np.abs(integral).max())
    if size == 0:
        return 0.0
    for others in (np.ones((x.size, 1)), np.column_stack([np.ones_like(x), x / np.abs(x).max()])):
        shape = current / span - others @ np.linalg.lstsq(others, current / span, rcond=None)[0]
        whole = integral / size - others @ np.linalg.lstsq(others, integral / size, rcond=None)[0]
        if not shape @ shape > 0:
            return None
        share = float(whole @ shape / (shape @ shape))
        left = whole - share * shape
        if np.sqrt(np.mean(left**2)) < _APART * abs(share) * np.sqrt(np.mean(shape**2)):
            return share * size / span
    return None


def overload_warnings(name: str, values: FloatArray) -> list[str]:
    """Whether one value stands in many rows that follow each other, where the others differ from row to row."""
    known = values[np.isfinite(values)]
    alike = np.diff(known) == 0
    longest = 1 + _longest_run(alike)
    if longest < _OVERLOADED or np.count_nonzero(alike) > 2 * longest:  # a coarse digitiser repeats values everywhere
        return []
    value = known[_end_of_run(alike, longest - 1)]
    return [
        f"{name} stands at {value:.4g} for {longest} rows: overloaded, or filled up after the end of the measurement"
    ]


def spike_warnings(name: str, values: FloatArray) -> list[str]:
    """Whether single rows stand far from both their neighbours, where the others are near to theirs."""
    known = values[np.isfinite(values)]
    if known.size < _FEWEST:
        return []
    middle = np.median([known[:-2], known[1:-1], known[2:]], axis=0)
    away = np.abs(known[1:-1] - middle)
    noise = 1.4826 * float(np.median(np.abs(np.diff(known) - np.median(np.diff(known))))) / math.sqrt(2)
    if not (spikes := int(np.count_nonzero(away > _SPIKE * noise))) or spikes > _OFTEN * known.size or not noise:
        return []
    rows = "1 row stands" if spikes == 1 else f"{spikes} rows stand"
    return [f"{name}: {rows} more than {_SPIKE:g} times the noise from both neighbours: spikes pull the fit"]


def height_warnings(recording: Recording, rows: BoolArray) -> list[str]:
    """Whether the tip's height moved while the bias was swept, or the feedback was left on."""
    held = [recording.header[key].strip().lower() for key in _HOLD if key in recording.header]
    found = [
        "the header says that the feedback was not held during the sweep: the spectrum is not at fixed height"
    ] * any(word in ("false", "off", "0", "no") for word in held)
    for column in recording.columns:
        if base_name(column.name).lower() not in ("z", "z rel", "topo", "topography", "height"):
            continue
        metres = column.unit == "m"
        values = column.values[rows]
        moved = _systematic(values[np.isfinite(values)])
        if "[" not in column.name and moved > (_HEIGHT if metres else _STEPS):
            by = format_quantity(float(f"{moved:.2g}"), "m") if metres else f"{moved:.3g} {column.unit}"
            found.append(f"the tip's height changed by {by} during the sweep: the spectrum is not at fixed height")
    return found


def _systematic(values: FloatArray) -> float:
    """How far values move beyond their noise: their span, if means over a tenth of the rows differ."""
    if values.size < 20:
        return 0.0
    means = np.array([part.mean() for part in np.array_split(values, 10)])
    noise = float(np.sqrt(np.mean(np.diff(values) ** 2) / 2)) / math.sqrt(values.size / 10)
    return float(np.ptp(values)) if np.ptp(means) > _CERTAIN * noise else 0.0


def _longest_run(flags: BoolArray) -> int:
    starts, ends = _runs(flags)
    return int((ends - starts).max(initial=0))


def _end_of_run(flags: BoolArray, length: int) -> int:
    starts, ends = _runs(flags)
    return int(ends[ends - starts == length][0])


def _runs(flags: BoolArray) -> tuple[IntArray, IntArray]:
    """Where runs of true flags begin, and one past where they end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return edges[::2], edges[1::2]
