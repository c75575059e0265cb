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


def solve(family: Family, weighted: FloatArray, start: FloatArray) -> Solved:
    """Least squares of weighted curves (m, n) from bending parameters (m, p)."""
    bent, active = family.clipped(start), np.arange(len(weighted))
    count, p = bent.shape
    heights, inverse, squares = np.zeros((count, 0)), np.zeros((count, 0, 0)), np.zeros(count)
    for number in range(_ROUNDS):
        y = weighted[active]
        shapes, slopes = family.design(bent[active])
        here, _ = least_squares(shapes, y)
        design = np.concatenate([family.columns(slopes, here), shapes], axis=1)
        left = y - (here[:, None, :] @ shapes)[:, 0]
        move, covariance = least_squares(design, left)
        if not number:
            heights, inverse = np.zeros((count, shapes.shape[1])), np.zeros((count, *covariance.shape[1:]))
        heights[active], inverse[active], squares[active] = here, covariance, (left**2).sum(axis=1)
        move = np.clip(move[:, :p], -family.largest_move, family.largest_move)
        noise = squares[active] / max(weighted.shape[1] - design.shape[1], 1)
        error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)[:, :p] * noise[:, None])
        still = (np.abs(move) > np.maximum(_CONVERGED * error, _LEAST_MOVE)).any(axis=1)
        bent[active[still]] = family.clipped(bent[active[still]] + move[still])
        active = active[still]
        if not active.size:
            break
    late = np.zeros(count, dtype=bool)
    late[active] = True
    return Solved(bent, heights, inverse, squares, late)


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
