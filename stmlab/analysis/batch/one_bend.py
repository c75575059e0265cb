"""Curves that a single parameter bends, and that are linear in all others, fitted side by side.

The steps are those of Gauss and Newton with the linear parameters eliminated. Such a step is too short or too long by
about the same factor each time, where residuals are large or heights can hardly be told apart; the change from one to
the next says by which (the secant rule), so that a few rounds do for all. A step that makes the squares larger is
halved until it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import BoolArray, FloatArray, IntArray

_ROUNDS = 60
_LEAST_MOVE = 1e-13
_REACH = (-0.5, 0.5)  # of one move
_SHORTEST, _LONGEST = 0.2, 20.0  # of a step of Gauss and Newton, by the secant rule
_ROUNDING = 1e-10, 1e-15  # of the squares, and of those of the data: a step that adds less makes nothing worse
_LEAST_INFORMATION = 1e-200  # where the curve does not depend on the parameter; what is divided by it must not overflow


@dataclass(frozen=True, eq=False)
class Normal:
    """Of m curves, with their linear parameters at their best.

    Attributes:
        gradient: minus half the slope of the squares by the bending parameter, (m,).
        information: of that parameter for unit noise, (m,).
        squares: that are left, (m,).
        linear: heights, (m, k).
    """

    gradient: FloatArray
    information: FloatArray
    squares: FloatArray
    linear: FloatArray

    @property
    def move(self) -> FloatArray:
        """The step of Gauss and Newton."""
        moved: FloatArray = self.gradient / np.maximum(self.information, _LEAST_INFORMATION)
        return moved

    def replace(self, rows: IntArray, others: Normal, chosen: BoolArray) -> None:
        """Put the ``chosen`` of others in the place of those ``rows``."""
        self.gradient[rows], self.information[rows] = others.gradient[chosen], others.information[chosen]
        self.squares[rows], self.linear[rows] = others.squares[chosen], others.linear[chosen]


@dataclass(frozen=True, eq=False)
class Minima:
    """Of m curves.

    Attributes:
        at: bending parameters, (m,).
        there: what `Normal` is at them.
        late: which have not converged, (m,).
    """

    at: FloatArray
    there: Normal
    late: BoolArray


def minimised(
    normal: Callable[[FloatArray, IntArray | slice], Normal],
    start: FloatArray,
    squares: FloatArray,
    limits: tuple[float, float],
    degrees: int,
    converged: float,
) -> Minima:
    """The minima next to ``start``.

    Args:
        normal: at bending parameters of the curves with these numbers, or of all.
        start: bending parameters, (m,).
        squares: of the data about their mean, (m,).
        limits: of the bending parameter.
        degrees: of freedom of each curve.
        converged: step in standard errors at which a curve is left alone.
    """
    at = np.clip(start, *limits)
    there = normal(at, slice(None))
    active = np.arange(start.size)
    move = np.clip(there.move, *_REACH)
    for _ in range(_ROUNDS):
        error = np.sqrt(there.squares[active] / degrees / np.maximum(there.information[active], _LEAST_INFORMATION))
        active = active[np.abs(move[active]) > np.maximum(converged * error, _LEAST_MOVE)]
        if not active.size:
            break
        trial = np.clip(at[active] + move[active], *limits)
        here = normal(trial, active)
        allowed = there.squares[active] * (1 + _ROUNDING[0]) + _ROUNDING[1] * squares[active]
        better = here.squares <= allowed
        with np.errstate(divide="ignore", invalid="ignore"):
            longer = (trial - at[active]) / (there.move[active] - here.move)
        usual = np.clip(here.move * np.where(np.isfinite(longer), np.clip(longer, _SHORTEST, _LONGEST), 1.0), *_REACH)
        move[active] = np.where(better, usual, 0.5 * move[active])
        kept = active[better]
        at[kept] = trial[better]
        there.replace(kept, here, better)
    late = np.zeros(start.size, dtype=bool)
    late[active] = True
    return Minima(at, there, late)
