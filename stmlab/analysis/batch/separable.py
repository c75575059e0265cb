"""Curves that are linear in all but a few parameters, fitted side by side: variable projection, then Gauss and Newton.

Each round solves the linear parameters exactly and moves the others by a step of Gauss and Newton in all of them, for
all curves that have not converged. A family says how its curves look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray

_ROUNDS = 60
_CONVERGED = 1e-4  # of the standard error
_LEAST_MOVE = 1e-12
_SMALLEST = 1e-60  # squares of a column that is there; of a flat curve none is
_RIDGE = 1e-12
_ROUNDING = 1e-10  # of the squares: a step that adds less makes nothing worse


class Family(Protocol):
    """Curves y = sum of heights times shapes; p parameters bend the k shapes, over n points, all weighted.

    Attributes:
        largest_move: of the bending parameters in one round, shape (p,).
    """

    largest_move: FloatArray

    def design(self, bent: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Shapes (m, k, n), and what `columns` needs of them, for bending parameters (m, p)."""

    def columns(self, slopes: FloatArray, heights: FloatArray) -> FloatArray:
        """Derivatives of the curves by the bending parameters, (m, p, n), from the second result of `design`."""

    def clipped(self, bent: FloatArray) -> FloatArray:
        """Bending parameters within their limits."""


@dataclass(frozen=True, eq=False)
class Solved:
    """Of m curves.

    Attributes:
        bent: parameters that bend the shapes, (m, p).
        heights: linear ones, (m, k).
        inverse: normal matrices' inverses over bent and heights, (m, p + k, p + k).
        squares: sums of squared residuals, (m,).
        late: which have not converged, (m,).
    """

    bent: FloatArray
    heights: FloatArray
    inverse: FloatArray
    squares: FloatArray
    late: BoolArray


def solve(family: Family, weighted: FloatArray, start: FloatArray, converged: float = _CONVERGED) -> Solved:
    """Least squares of weighted curves (m, n) from bending parameters (m, p), to ``converged`` standard errors.

    A step that makes the squares larger is halved until it does not.
    """
    origin = family.clipped(start)
    (count, p), active = origin.shape, np.arange(len(weighted))
    found: Solved | None = None
    move, best = np.zeros_like(origin), np.full(count, np.inf)
    for _ in range(_ROUNDS):
        bent = family.clipped(origin[active] + move[active])
        here = _round(family, weighted[active], bent)
        found = found or _nothing(origin, here)
        better = here.squares <= best[active] * (1 + _ROUNDING)
        kept = active[better]
        origin[kept], best[kept] = bent[better], here.squares[better]
        found.heights[kept], found.inverse[kept] = here.heights[better], here.inverse[better]
        following = np.clip(here.bent, -family.largest_move, family.largest_move)
        move[active] = np.where(better[:, None], following, 0.5 * move[active])
        noise = best[active] / max(weighted.shape[1] - found.inverse.shape[1], 1)
        error = np.sqrt(np.diagonal(found.inverse[active], axis1=1, axis2=2)[:, :p] * noise[:, None])
        still = (np.abs(move[active]) > np.maximum(converged * error, _LEAST_MOVE)).any(axis=1)
        active = active[still]
        if not active.size:
            break
    late = np.zeros(count, dtype=bool)
    late[active] = True
    return Solved(origin, found.heights, found.inverse, best, late) if found else _nothing(origin, None)


def _round(family: Family, y: FloatArray, bent: FloatArray) -> Solved:
    """Heights and squares at bending parameters; as ``bent`` the step of Gauss and Newton from there."""
    shapes, slopes = family.design(bent)
    heights, _ = least_squares(shapes, y)
    design = np.concatenate([family.columns(slopes, heights), shapes], axis=1)
    left = y - (heights[:, None, :] @ shapes)[:, 0]
    move, inverse = least_squares(design, left)
    none = np.zeros(len(y), dtype=bool)
    return Solved(move[:, : bent.shape[1]], heights, inverse, (left**2).sum(axis=1), none)


def _nothing(bent: FloatArray, like: Solved | None) -> Solved:
    """Room for as many curves as there are in ``bent``."""
    count, width = len(bent), like.inverse.shape[1] if like else 0
    heights = np.zeros((count, like.heights.shape[1] if like else 0))
    return Solved(bent, heights, np.zeros((count, width, width)), np.zeros(count), np.zeros(count, dtype=bool))


def least_squares(design: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Parameters (m, k) and inverse normal matrices (m, k, k) of y (m, n) over the rows of design (m, k, n)."""
    normal = design @ design.swapaxes(1, 2)
    size = np.sqrt(np.maximum(np.diagonal(normal, axis1=1, axis2=2), _SMALLEST))
    scaled = normal / size[:, :, None] / size[:, None, :]
    diagonal = np.arange(design.shape[1])
    scaled[:, diagonal, diagonal] += _RIDGE
    inverse = np.linalg.inv(scaled) / size[:, :, None] / size[:, None, :]
    products = design @ y[:, :, None]
    return (inverse @ products)[:, :, 0], inverse
