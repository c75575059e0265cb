"""Least squares by Levenberg and Marquardt within bounds, made for a model whose Jacobian costs as much as ten values.

A parameter that runs against its bound is held there while the others go on (an active set): a transformed parameter
would lose its slope and hold up all the others instead. The end is where a full step promises next to nothing, or where
several steps have gained next to nothing: parameters that the data do not determine, or a minimum that lies beyond what
the model is defined for, are not followed for ever. So is a fit that is to end early (`stmlab.analysis.iterations`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import BoolArray, FloatArray

_DAMPING, _RELAXED, _TIGHTENED, _LARGEST_DAMPING = 1e-3, 0.1, 8.0, 1e4
_FOLLOWED = 0.25  # of the promised gain: below, the damping stays
_LATELY, _SLOW = 5, 1e-5  # steps whose mean gain is looked at, and what is too little, over the squares
_UNKEPT = 0.1  # of what was promised
_SETTLED = 1e-2  # promised gain, over the squares a point, that is a tenth of a standard error
_NO_SQUARES = 1e-200  # a sum that stands for 0
_SINGULAR = 1e-13  # eigenvalue of the scaled normal matrix that is rounding


@dataclass(frozen=True, eq=False)
class Descent:
    """Where it ended.

    Attributes:
        parameters: shape (p,).
        residuals: there, shape (n,).
        slopes: the Jacobian where the last step began, shape (n, p).
        converged: whether a full step promises less than was asked for, or less than a tenth of a standard error.
        steps: that were made.
    """

    parameters: FloatArray
    residuals: FloatArray
    slopes: FloatArray
    converged: bool
    steps: int


def descend(
    place: Callable[[FloatArray], tuple[FloatArray, FloatArray] | None],
    jacobian: Callable[[FloatArray], FloatArray | None],
    start: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    reach: FloatArray,
    *,
    tolerance: float,
    most: int,
) -> Descent | None:
    """Go down from ``start``.

    Args:
        place: parameters close to those asked for, shape (p,), at which the model is defined, and the residuals there,
            shape (n,); None if there are none.
        jacobian: shape (n, p); None where the model ends beside the parameters.
        start: shape (p,).
        bounds: lowest and highest values, shape (p,) each.
        reach: largest change of each parameter in one step, shape (p,).
        tolerance: promised gain over the sum of squares at which it ends.
        most: steps.

    Returns:
        None if the model is not defined at the start.
    """
    if (begun := place(start)) is None:
        return None
    (at, here), slopes = begun, None
    damping, gains, promised, steps = _DAMPING, list[float](), np.inf, iterations()
    while len(gains) < most and promised > tolerance and not _stuck(gains, promised) and not steps.over:
        if (beside := jacobian(at)) is None:
            break
        slopes = beside
        free, squares = _free(at, slopes.T @ here, bounds), max(float(here @ here), _NO_SQUARES)
        promised = _step(slopes, here, free, 0.0)[1] / squares
        found = _improved(place, at, here, slopes, free, reach, damping if promised > tolerance else 0.0)
        if found is None:
            break
        at, here, damping, followed = found
        gains.append(1.0 - float(here @ here) / squares)
        steps.done(float(here @ here))
        damping *= _RELAXED if followed > _FOLLOWED else 1.0
    if slopes is None:
        return None
    return Descent(at, here, slopes, promised <= max(tolerance, _SETTLED / here.size), len(gains))


def _stuck(gains: list[float], promised: float) -> bool:
    """Whether the last steps gained next to nothing, far less than a full step promises."""
    return len(gains) >= _LATELY and sum(gains[-_LATELY:]) / _LATELY < min(_SLOW, _UNKEPT * promised)


def _improved(
    place: Callable[[FloatArray], tuple[FloatArray, FloatArray] | None],
    at: FloatArray,
    here: FloatArray,
    slopes: FloatArray,
    free: BoolArray,
    reach: FloatArray,
    damping: float,
) -> tuple[FloatArray, FloatArray, float, float] | None:
    """The next parameters, their residuals, the damping that led there, and the gain over the promised one."""
    while damping <= _LARGEST_DAMPING:
        step, promised = _step(slopes, here, free, damping)
        step /= max(1.0, float((np.abs(step) / reach).max()))
        if (placed := place(at + step)) is not None:
            there, left = placed
            gain = float(here @ here) - float(left @ left)
            if gain > 0:
                return there, left, damping, gain / promised if promised > 0 else 1.0
        if damping == 0.0:
            return None
        damping *= _TIGHTENED
    return None


def _free(at: FloatArray, gradient: FloatArray, bounds: tuple[FloatArray, FloatArray]) -> BoolArray:
    """Parameters that are not held at a bound: those that stand there and are drawn beyond it."""
    low, high = bounds
    return ~((at <= low) & (gradient > 0) | (at >= high) & (gradient < 0))


def _step(slopes: FloatArray, here: FloatArray, free: BoolArray, damping: float) -> tuple[FloatArray, float]:
    """A damped step and the gain in the sum of squares that the linear model promises for it."""
    normal, sizes = _scaled(slopes[:, free])
    gradient = slopes[:, free].T @ here / sizes
    values, vectors = np.linalg.eigh(normal)
    along = vectors.T @ gradient
    weights = np.where(values > _SINGULAR * len(values), 1.0 / (np.maximum(values, 0.0) + damping + _SINGULAR), 0.0)
    step = np.zeros(free.size)
    step[free] = -(vectors @ (weights * along)) / sizes
    return step, float(along**2 @ (weights * (2.0 - weights * values)))


def _scaled(slopes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The normal matrix with a diagonal of 1, and the size of each column."""
    sizes = np.linalg.norm(slopes, axis=0)
    sizes = np.where(sizes > 0.0, sizes, 1.0)
    unit = slopes / sizes
    return unit.T @ unit, sizes
