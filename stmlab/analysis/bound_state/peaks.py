"""The largest current through a bound state, where the tip's coherence peak meets it, of every spectrum of a ramp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray

_FLAT = 0.85  # of the peak: what is taken for its top, a parabola
_PROMINENT = 0.1  # of the main peak: what the current must fall by beyond it
_CHANCE = 8.0  # times the noise: less is no fall
_FEWEST = 4  # points of a top
_BEND_OF_NOISE = 0.3186 * 6.0**0.5  # lower quartile of the size of second differences of noise of 1
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
    sizes, rows = _rising(bias, currents, side)
    mean = (rows / conductances[:, None]).mean(axis=0)
    found = _falls_beyond(mean)
    sign = "positive" if side > 0 else "negative"
    reach = format_quantity(float(f"{sizes.max(initial=0.0):.3g}"), "V")
    if not found.size:
        raise FitError(
            f"the current has no peak at {sign} bias up to {reach}: a bound state under a superconducting tip has one"
        )
    top = _top(mean, int(found[0]))
    if top.size < _FEWEST:
        at = format_quantity(float(f"{side * sizes[found[0]]:.2g}"), "V")
        raise FitError(
            f"the peak of the current at {at} has {top.size} of at least {_FEWEST} points that are needed at its top: "
            "take a smaller range of the bias, or more points"
        )
    heights = np.array([_height(sizes[top], row[top]) for row in rows])
    good = heights[:, 0] > 0.0
    return Peaks(conductances[good], heights[good, 0], heights[good, 1], float(side * sizes[found[0]]))


def have_peaks(bias: FloatArray, conductances: FloatArray, currents: FloatArray) -> bool:
    """Whether the current falls beyond a peak at either polarity, on average over the spectra; arguments of `peaks`."""
    means = [(_rising(bias, currents, side)[1] / conductances[:, None]).mean(axis=0) for side in (1, -1)]
    return all(_falls_beyond(mean).size > 0 for mean in means)


def _rising(bias: FloatArray, currents: FloatArray, side: int) -> tuple[FloatArray, FloatArray]:
    """The sizes of the biases of one polarity in rising order, and the currents there, in that polarity's direction."""
    own = np.flatnonzero(side * bias > 0)
    own = own[np.argsort(np.abs(bias[own]))]
    return np.abs(bias[own]), side * currents[:, own]


def _falls_beyond(mean: FloatArray) -> IntArray:
    """Numbers of the peaks beyond which a mean current falls by a good part of the main one, not by its noise."""
    from scipy.signal import find_peaks

    if mean.size < 3:
        return np.empty(0, dtype=int)
    bends = np.abs(np.diff(mean, 2))
    noise = float(np.quantile(bends, 0.25)) / _BEND_OF_NOISE  # coarse spectra bend most at their peaks
    enough = min(_CHANCE * noise, _PROMINENT * max(float(mean.max()), 0.0))
    places, told = find_peaks(mean, prominence=enough)
    falls = told["prominences"]
    highest = float(mean[places[falls.argmax()]]) if places.size else 0.0
    found: IntArray = places[falls > _PROMINENT * max(highest, 0.0)]
    return found


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
