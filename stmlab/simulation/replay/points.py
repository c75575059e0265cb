"""Recorded points: in order, each place once, and what lies between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray


def averaged(place: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Places in increasing order, each once, and the mean of ``values`` (K, n) at each; without what is no number."""
    known = np.isfinite(place) & np.isfinite(values).all(axis=0)
    places, which = np.unique(place[known], return_inverse=True)
    counts = np.bincount(which.ravel(), minlength=places.size)
    means = [np.bincount(which.ravel(), row[known], minlength=places.size) / counts for row in values]
    return places, np.array(means)


def interpolated(places: FloatArray, values: FloatArray) -> Callable[[float], FloatArray]:
    """Through ``values`` along the first axis, never beyond its neighbours; a single one is a constant."""
    if places.size == 1:
        return lambda _: values[0]
    from scipy.interpolate import PchipInterpolator

    curve = PchipInterpolator(places, values)
    return lambda place: curve(min(max(place, places[0]), places[-1]))


def snapped(value: float, recorded: FloatArray, resolution: float) -> float:
    """The nearest of ``recorded`` if it is within ``resolution``: a drive that nobody can tell from it; else itself."""
    nearest = float(recorded[abs(recorded - value).argmin()])
    return nearest if abs(nearest - value) <= resolution else value
