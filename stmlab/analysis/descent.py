"""Least squares by Levenberg and Marquardt within bounds, of one curve or of a set of them.

A parameter that runs against its bound is held there while the others go on (an active set): a transformed parameter
would lose its slope and hold up all the others instead. A model may also end at a curved edge (third order outside
perturbation theory): a step that would leave it is turned along it, by the linear model of the room that is left, and
put back onto it where it bends. The end is where a full step promises next to nothing or moves next to nothing, or
where several steps have gained next to nothing: parameters that the data do not determine are not followed for ever.
It may be told to end early, too (`stmlab.analysis.iterations`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.descent_step import Curvature, Place, Slopes, Step
from stmlab.analysis.iterations import iterations

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray

_DAMPING, _RELAXED, _TIGHTENED, _LARGEST_DAMPING = 1e-3, 0.1, 8.0, 1e4
_STEEPNESS = 3
"""Of how the damping follows the gain over the promised one (Nielsen, 1999): it stays where half is gained, so that
steps that overshoot by turns, as curved models with large residuals make them, die out."""
_LATELY, _SLOW = 5, 1e-5  # steps whose mean gain is looked at, and what is too little, over the squares
_UNKEPT = 0.1  # of what was promised
_SETTLED = 1e-2  # promised gain, over the squares a point, that is a tenth of a standard error
_NO_SQUARES = 1e-200  # a sum that stands for 0
_RETURNS = 2  # to the edge, for one step


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

    @property
    def squares(self) -> float:
        """Sum of the squared residuals."""
        return float(self.residuals @ self.residuals)


def descend(
    place: Callable[[FloatArray], Place | None],
    slopes: Callable[[FloatArray], Slopes | None],
    start: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    reach: FloatArray,
    *,
    tolerance: float,
    most: int,
) -> Descent | None:
    """Go down from ``start``.

    Args:
        place: the place at the parameters, within the bounds; None if the model is not defined there.
        slopes: at parameters; None where the model ends beside them.
        start: shape (p,).
        bounds: lowest and highest values, shape (p,) each.
        reach: largest change of each parameter in one step, shape (p,).
        tolerance: promised gain over the sum of squares at which it ends.
        most: steps.

    Returns:
        None if the model is not defined at the start, or is to end before its first step.
    """
    here, beside = place(start), None
    if here is None or here.room < 0.0:
        return None
    steps = iterations()
    damping, gains, promised, moves, bent = _DAMPING, list[float](), np.inf, True, Curvature.none(start.size)
    while len(gains) < most and promised > tolerance and moves and not _stuck(gains, promised):
        if steps.over:
            break
        if (found := slopes(here.parameters)) is None:
            break
        bent = bent.after(here, found.residuals)
        beside, squares = found, max(float(here.residuals @ here.residuals), _NO_SQUARES)
        step = Step.of(here, beside, bounds, bent.added)
        full, gain = step.damped(0.0)
        promised, moves = gain / squares, step.is_visible(full)
        ends = promised <= tolerance or not moves
        improved = _improved(place, here, step, reach, 0.0 if ends else damping)
        if improved is None:
            break
        here, damping, followed = improved
        gains.append(1.0 - float(here.residuals @ here.residuals) / squares)
        steps.done(float(here.residuals @ here.residuals))
        damping *= max(_RELAXED, 1.0 - (2.0 * min(followed, 1.0) - 1.0) ** _STEEPNESS)
    if beside is None:
        return None
    settled = promised <= max(tolerance, _SETTLED / here.residuals.size) or not moves
    return Descent(here.parameters, here.residuals, beside.residuals, settled, len(gains))


def _stuck(gains: list[float], promised: float) -> bool:
    """Whether the last steps gained next to nothing, far less than a full step promises."""
    return len(gains) >= _LATELY and sum(gains[-_LATELY:]) / _LATELY < min(_SLOW, _UNKEPT * promised)


def _improved(
    place: Callable[[FloatArray], Place | None], here: Place, step: Step, reach: FloatArray, damping: float
) -> tuple[Place, float, float] | None:
    """The next place, the damping that led there, and the gain over the promised one."""
    while damping <= _LARGEST_DAMPING:
        move, promised = step.damped(damping)
        move /= max(1.0, float((np.abs(move) / reach).max()))
        there = place(here.parameters + move)
        for _ in range(_RETURNS):
            if there is None or there.room >= 0.0:
                break
            move += step.back(damping, there.room)
            there = place(here.parameters + move)
        if there is not None and there.room >= 0.0:
            gain = float(here.residuals @ here.residuals) - float(there.residuals @ there.residuals)
            if gain > 0:
                return there, damping, gain / promised if promised > 0 else 1.0
        if damping == 0.0:
            return None
        damping *= _TIGHTENED
    return None
