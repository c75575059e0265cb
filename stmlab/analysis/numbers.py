"""Arguments of a fit as arrays of numbers, refused in a sentence where they are none."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray


def numbers(name: str, values: ArrayLike) -> FloatArray:
    """``values`` as an array of floats of any shape, some of which may be nan or infinite.

    Raises:
        FitError: they are not numbers.
    """
    try:
        if np.iscomplexobj(values):
            raise FitError(f"{name}: complex numbers; real ones are needed")
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise FitError(f"{name}: {reprlib.repr(values)} are not numbers") from None


def finite(name: str, values: ArrayLike) -> FloatArray:
    """``values`` as an array of finite floats of any shape.

    Raises:
        FitError: they are not numbers, or some are nan or infinite.
    """
    array = numbers(name, values)
    if array.size and not np.all(np.isfinite(array)):
        raise FitError(f"{name}: {np.count_nonzero(~np.isfinite(array))} of {array.size} values are not finite")
    return array
