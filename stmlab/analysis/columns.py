"""What a fit needs of a run, as plain arrays: columns point by point, averaged spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray, IntArray
    from stmlab.storage import Run


def column(run: Run, name: str) -> FloatArray:
    """A coordinate or channel, point by point; along hardware-swept axes too, innermost fastest.

    Raises:
        FitError: the run has neither.
    """
    swept = [axis for axis in run.axes if axis.hardware]
    lengths = tuple(len(axis) for axis in swept)
    everywhere = (run.points, *lengths)
    if name in run.data:
        return np.broadcast_to(run.data[name], everywhere).ravel()
    if name in run.coordinates:
        values = run.coordinates[name].reshape(run.points, *[1] * len(swept))
        return np.broadcast_to(values, everywhere).ravel()
    for place, axis in enumerate(swept):
        if axis.name == name:
            shape = [1] * (1 + len(swept))
            shape[1 + place] = len(axis)
            return np.broadcast_to(axis.values.reshape(shape), everywhere).ravel()
    known = [*run.coordinates, *(axis.name for axis in swept), *run.data]
    raise FitError(f"{run.path}: the model needs {name}, the run has {', '.join(known)}")


def averaged(*columns: FloatArray) -> tuple[FloatArray, ...]:
    """The mean of the last column at each combination of the others, in rising order; nan is left out.

    Sweeps there and back, and repeated ones, meet the same biases; a fit wants each once.
    """
    *keys, values = columns
    known = np.isfinite(values)
    table = np.column_stack([key[known] for key in keys])
    places, number = np.unique(table, axis=0, return_inverse=True)
    number = number.ravel()
    sums = np.bincount(number, values[known], len(places))
    counts = np.bincount(number, minlength=len(places))
    return *places.T, sums / counts


def whole_spectra(
    setpoint: FloatArray, bias: FloatArray, conductance: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, tuple[str, ...]]:
    """Of averaged spectra those that are whole, and which were left out."""
    values, which, counts = np.unique(setpoint, return_inverse=True, return_counts=True)
    whole = are_whole(counts, bias)
    if whole.all():
        return setpoint, bias, conductance, ()
    lacking = ", ".join(f"{value:.3g} S ({n} biases)" for value, n in zip(values[~whole], counts[~whole], strict=True))
    kept = whole[which.ravel()]
    return setpoint[kept], bias[kept], conductance[kept], (f"left out, because they are not whole: {lacking}",)


def are_whole(counts: IntArray, bias: FloatArray) -> BoolArray:
    """Of averaged spectra with so many points, which have every bias: a run may end within one.

    If none has every bias, all count: a fit says what they lack.
    """
    whole: BoolArray = counts == len(np.unique(bias))
    return whole if whole.any() else np.ones_like(whole)
