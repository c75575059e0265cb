"""Arguments of a fit as arrays of numbers, refused in a sentence where they are none."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

_LARGEST = 1e100
_LEAST = 1e-12  # of the data: less than their rounding


def number(name: str, value: object) -> float:
    """``value`` as a float, finite or not.

    Raises:
        FitError: it is not a single real number.
    """
    if isinstance(value, bool | str) or not np.isscalar(value) or not np.isreal(value):
        raise FitError(f"{name} = {value!r}: a number is needed")
    return float(value)  # type: ignore[arg-type]


def numbers(name: str, values: ArrayLike) -> FloatArray:
    """``values`` as an array of floats of any shape, some of which may be nan (as masked ones become) or infinite.

    Raises:
        FitError: they are not numbers.
    """
    try:
        if np.iscomplexobj(values):
            raise FitError(f"{name}: complex numbers; real ones are needed")
        if isinstance(values, np.ma.MaskedArray):
            return np.asarray(np.ma.filled(values.astype(float), np.nan))
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise FitError(f"{name}: {reprlib.repr(values)} are not numbers") from None


def finite(name: str, values: ArrayLike) -> FloatArray:
    """``values`` as an array of finite floats of any shape.

    Raises:
        FitError: they are not numbers, or some are nan, infinite, or too large or small to be squared.
    """
    array = numbers(name, values)
    if array.size and not np.all(np.isfinite(array)):
        raise FitError(f"{name}: {np.count_nonzero(~np.isfinite(array))} of {array.size} values are not finite")
    size = float(np.abs(array).max(initial=0.0))
    if size and not 1 / _LARGEST < size < _LARGEST:
        raise FitError(f"{name}: values up to {size:.3g}: their squares are no numbers")
    return array


def deviations(sigma: ArrayLike, data: FloatArray) -> FloatArray:
    """The noise of ``data``, shape (n,), as one standard deviation a point; ``sigma`` is one number or shape (n,).

    Raises:
        FitError: of another shape, not above 0, or farther from the size of the data than rounding allows.
    """
    noise = finite("sigma", sigma)
    if noise.shape not in ((), data.shape) or not noise.size or noise.min() <= 0:
        raise FitError(f"sigma: shape {noise.shape}: positive numbers, one or one a point, are needed")
    size = float(np.abs(data).max())
    if size and not (_LEAST * size < noise.min() and noise.max() < size / _LEAST):
        raise FitError(f"sigma = {noise.min():.3g} to {noise.max():.3g} is no noise of data as large as {size:.3g}")
    return np.broadcast_to(noise, data.shape)
