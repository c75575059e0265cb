"""dI/dV in S from a lock-in's reading in its own unit: the current that was recorded with it says how large it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_APART = 0.05  # of the current's span: more, and the reading is not the derivative of this current


def siemens_per_reading(bias: FloatArray, reading: FloatArray, current: FloatArray) -> float:
    """Factor from a lock-in's reading to dI/dV: the integral of the reading over the bias is the current, up to it.

    Args:
        bias: V, shape (n,), in any order.
        reading: of the lock-in, in whatever unit and sign, shape (n,).
        current: A, shape (n,).

    Raises:
        FitError: the reading is not proportional to the derivative of the current.
    """
    order = np.argsort(bias, kind="stable")
    x, y, current = bias[order], reading[order], current[order]
    integral = np.concatenate([[0.0], np.cumsum(0.5 * (y[1:] + y[:-1]) * np.diff(x))])
    design = np.column_stack([integral / max(float(np.abs(integral).max()), 1e-300), np.ones_like(x)])
    found = np.linalg.lstsq(design, current, rcond=None)[0]
    left = current - design @ found
    if not np.sqrt(np.mean(left**2)) < _APART * float(np.ptp(current)):
        raise FitError("the lock-in's reading is not the derivative of the recorded current: dI/dV in S is not known")
    return float(found[0] / np.abs(integral).max())
