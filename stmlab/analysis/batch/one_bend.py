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
_LARGEST_MOVE = 0.5
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


def minimised(
    normal: Callable[[FloatArray, IntArray], Normal],
    start: FloatArray,
    squares: FloatArray,
    limits: tuple[float, float],
    degrees: int,
    converged: float,
) -> tuple[FloatArray, BoolArray]:
    """Bending parameters at the minima, and which have not converged, each (m,).

    Args:
        normal: at bending parameters of the curves with these numbers.
        start: bending parameters, (m,).
        squares: of the data about their mean, (m,).
        limits: of the bending parameter.
        degrees: of freedom of each curve.
        converged: step in standard errors at which a curve is left alone.
    """
    at, best = np.clip(start, *limits), np.full(start.size, np.inf)
    move, before = np.zeros(start.size), np.full(start.size, np.nan)
    active = np.arange(start.size)
    for _ in range(_ROUNDS):
        trial = np.clip(at[active] + move[active], *limits)
        here = normal(trial, active)
        better = here.squares <= best[active] * (1 + _ROUNDING[0]) + _ROUNDING[1] * squares[active]
        with np.errstate(divide="ignore", invalid="ignore"):
            longer = (trial - at[active]) / (before[active] - here.move)
        usual = np.clip(here.move * np.where(np.isfinite(longer), np.clip(longer, _SHORTEST, _LONGEST), 1.0), *_REACH)
        kept = active[better]
        at[kept], best[kept], before[kept] = trial[better], here.squares[better], here.move[better]
        move[active] = np.where(better, usual, 0.5 * move[active])
        error = np.sqrt(best[active] / degrees / np.maximum(here.information, _LEAST_INFORMATION))
        active = active[np.abs(move[active]) > np.maximum(converged * error, _LEAST_MOVE)]
        if not active.size:
            break
    late = np.zeros(start.size, dtype=bool)
    late[active] = True
    return at, late


_REACH = (-_LARGEST_MOVE, _LARGEST_MOVE)
