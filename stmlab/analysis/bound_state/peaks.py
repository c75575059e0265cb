"""The largest current through a bound state, where the tip's coherence peak meets it, of every spectrum of a ramp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_FLAT = 0.85  # of the peak: what is taken for its top, a parabola
_PROMINENT = 0.1  # of the current: what it must fall by beyond a peak
_FEWEST = 4  # points of a top
_LEAST = 1e-4  # relative error of a current


@dataclass(frozen=True, eq=False)
class Peaks:
    """Of one polarity: conductances in S, sizes of the peak current and their errors in A; where it lies, V."""

    conductance: FloatArray
    current: FloatArray
    error: FloatArray
    bias: float


def peaks(bias: FloatArray, conductances: FloatArray, currents: FloatArray, side: int) -> Peaks:
    """Of the spectra on one side of zero bias.

    Args:
        bias: V, shape (V,), of all spectra.
        conductances: S, shape (K,).
        currents: A, shape (K, V).
        side: 1 or -1.

    Raises:
        FitError: there is no peak on this side.
    """
    from scipy.signal import find_peaks

    own = np.flatnonzero(side * bias > 0)
    own = own[np.argsort(np.abs(bias[own]))]
    sizes, rows = np.abs(bias[own]), side * currents[:, own]
    mean = (rows / conductances[:, None]).mean(axis=0)
    found, _ = find_peaks(mean, prominence=_PROMINENT * max(float(mean.max(initial=0.0)), 0.0))
    sign = "positive" if side > 0 else "negative"
    reach = format_quantity(float(f"{sizes.max(initial=0.0):.3g}"), "V")
    if not found.size:
        raise FitError(
            f"the current has no peak at {sign} bias up to {reach}: a bound state under a superconducting tip has one"
        )
    top = _top(mean, int(found[0]))
    if top.size < _FEWEST:
        raise FitError(f"the peak of the current at {sign} bias has {top.size} points: at least {_FEWEST} are needed")
    heights = np.array([_height(sizes[top], row[top]) for row in rows])
    good = heights[:, 0] > 0.0
    return Peaks(conductances[good], heights[good, 0], heights[good, 1], float(side * sizes[found[0]]))


def _top(mean: FloatArray, place: int) -> FloatArray:
    """Numbers of the points around a peak that are nearly as high."""
    high = mean >= _FLAT * mean[place]
    first = place - int(np.argmin(high[place::-1])) + 1 if not high[: place + 1].all() else 0
    last = place + int(np.argmin(high[place:])) if not high[place:].all() else high.size
    return np.arange(first, last)


def _height(bias: FloatArray, current: FloatArray) -> tuple[float, float]:
    """Of the parabola through the top, with its error by what it leaves."""
    centre, width = bias.mean(), max(float(np.ptp(bias)), 1e-300)
    at = (bias - centre) / width
    design = np.column_stack([np.ones(at.size), at, at**2])
    found = np.linalg.lstsq(design, current, rcond=None)[0]
    left = current - design @ found
    vertex = -found[1] / (2.0 * found[2]) if found[2] < 0.0 else at[current.argmax()]
    row = np.array([1.0, vertex, vertex**2]) if abs(vertex) <= 0.5 else design[int(current.argmax())]
    noise = float(left @ left) / max(at.size - 3, 1)
    height = float(row @ found)
    error = float(np.sqrt(noise * row @ np.linalg.pinv(design.T @ design) @ row))
    return height, max(error, _LEAST * abs(height))
