"""One step of a descent: the linear model of the residuals at a place, and what their curvature adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray

SINGULAR = 1e-13  # eigenvalue of the scaled normal matrix that is rounding
_NEGLIGIBLE = 1e-10  # step over the parameters, both in the unit of the residuals
_LEAST_CURVED = 1e-2  # of the least eigenvalue: less is no minimum
_FAR_OFF = 0.5  # of the gain: a linear model that is so far off is no good one
_MARGIN = 5e-4  # of the room at the edge, so that rounding does not leave it


@dataclass(frozen=True, eq=False)
class Place:
    """Parameters, shape (p,); residuals there, shape (n,); room to the edge of the model, below 0 outside."""

    parameters: FloatArray
    residuals: FloatArray
    room: float = np.inf


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of the residuals, shape (n, p), and of the room, shape (p,), where the model has an edge."""

    residuals: FloatArray
    room: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Curvature:
    """What the residuals' own curvature adds to the normal matrix, learned from step to step.

    Where residuals are large, as where the model does not hold, steps without it overshoot by turns (Dennis, Gay and
    Welsch, ACM Trans. Math. Softw. 7, 348 (1981)).

    Attributes:
        matrix: shape (p, p), symmetric.
        place, slopes: the last ones.
        helps: whether the last step's gain would have been foretold better with it.
    """

    matrix: FloatArray
    place: Place | None = None
    slopes: FloatArray | None = None
    helps: bool = False

    @classmethod
    def none(cls, parameters: int) -> Curvature:
        """Before the first step."""
        return cls(np.zeros((parameters, parameters)))

    @property
    def added(self) -> FloatArray | None:
        """The matrix, where it helps."""
        return self.matrix if self.helps else None

    def after(self, here: Place, slopes: FloatArray) -> Curvature:
        """With what the step to ``here``, with these slopes, has shown."""
        if self.place is None or self.slopes is None:
            return Curvature(self.matrix, here, slopes)
        step, gradient = here.parameters - self.place.parameters, self.slopes.T @ self.place.residuals
        bent, change = (slopes - self.slopes).T @ here.residuals, slopes.T @ here.residuals - gradient
        along = float(step @ change)
        if not along > 0.0:
            return Curvature(np.zeros_like(self.matrix), here, slopes)
        own = float(step @ self.matrix @ step)
        sized = self.matrix * (min(1.0, abs(float(step @ bent) / own)) if own else 0.0)
        missing = bent - sized @ step
        outer = np.outer(missing, change) / along
        matrix = sized + outer + outer.T - float(step @ missing) * np.outer(change, change) / along**2
        return Curvature(matrix, here, slopes, self._would_have_helped(here, step, gradient, own))

    def _would_have_helped(self, here: Place, step: FloatArray, gradient: FloatArray, own: float) -> bool:
        assert self.place is not None
        assert self.slopes is not None
        moved = self.slopes @ step
        gain = float(self.place.residuals @ self.place.residuals - here.residuals @ here.residuals)
        off = -float(2.0 * gradient @ step + moved @ moved) - gain
        return abs(off - own) < abs(off) if own else abs(off) > _FAR_OFF * abs(gain)


@dataclass(frozen=True, eq=False)
class Step:
    """The linear model at a place: parameters in units that make the diagonal of the normal matrix 1.

    Attributes:
        at: the free parameters, those not held at a bound.
        free: which they are, shape (p,).
        sizes: of the columns of the Jacobian.
        normal: matrix, with its eigenvalues and vectors.
        gradient: half of the squares' slope.
        room, edge: what is left to the edge, and its slope; None where there is no edge.
    """

    at: FloatArray
    free: BoolArray
    sizes: FloatArray
    normal: FloatArray
    values: FloatArray
    vectors: FloatArray
    gradient: FloatArray
    room: float
    edge: FloatArray | None

    @classmethod
    def of(
        cls, here: Place, beside: Slopes, bounds: tuple[FloatArray, FloatArray], curvature: FloatArray | None
    ) -> Step:
        """At a place with these slopes, within bounds; ``curvature`` is added to the normal matrix if it is given."""
        free = _free(here.parameters, beside.residuals.T @ here.residuals, bounds)
        normal, sizes = scaled(beside.residuals[:, free])
        if curvature is not None:
            bent = normal + curvature[np.ix_(free, free)] / np.outer(sizes, sizes)
            normal = bent if np.linalg.eigvalsh(bent)[0] > _LEAST_CURVED * np.linalg.eigvalsh(normal)[0] else normal
        gradient = beside.residuals[:, free].T @ here.residuals / sizes
        edge = None if beside.room is None else beside.room[free] / sizes
        at = here.parameters[free]
        return cls(at, free, sizes, normal, *np.linalg.eigh(normal), gradient, here.room, edge)

    def damped(self, damping: float) -> tuple[FloatArray, float]:
        """A step that does not leave the edge, and the gain in the sum of squares that the linear model promises."""
        step = -self._solved(self.gradient, damping)
        if self.edge is not None and (left := self.room + float(self.edge @ step) - _MARGIN) < 0.0:
            step += self._inward(damping) * -left
        return self._whole(step), -float(2.0 * self.gradient @ step + step @ self.normal @ step)

    def back(self, damping: float, room: float) -> FloatArray:
        """From a place outside, whose room is below 0, to the edge."""
        return self._whole(self._inward(damping) * (_MARGIN - room))

    def is_visible(self, step: FloatArray) -> bool:
        """Whether the step is more than rounding of the parameters."""
        move, size = step[self.free] * self.sizes, self.at * self.sizes
        return float(move @ move) > _NEGLIGIBLE**2 * float(size @ size)

    def _inward(self, damping: float) -> FloatArray:
        """The cheapest step that adds 1 to the room; none where the room does not change."""
        if self.edge is None:
            return np.zeros(self.sizes.shape)
        towards = self._solved(self.edge, damping)
        slope = float(self.edge @ towards)
        return towards / slope if slope > 0.0 else towards * 0.0

    def _solved(self, right: FloatArray, damping: float) -> FloatArray:
        known = self.values > SINGULAR * len(self.values)
        weights = np.where(known, 1.0 / (np.maximum(self.values, 0.0) + damping + SINGULAR), 0.0)
        solved: FloatArray = self.vectors @ (weights * (self.vectors.T @ right))
        return solved

    def _whole(self, step: FloatArray) -> FloatArray:
        whole = np.zeros(self.free.size)
        whole[self.free] = step / self.sizes
        return whole


def _free(at: FloatArray, gradient: FloatArray, bounds: tuple[FloatArray, FloatArray]) -> BoolArray:
    """Parameters that are not held at a bound: those that stand there and are drawn beyond it."""
    low, high = bounds
    return ~((at <= low) & (gradient > 0) | (at >= high) & (gradient < 0))


def scaled(slopes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The normal matrix with a diagonal of 1, and the size of each column."""
    sizes = np.linalg.norm(slopes, axis=0)
    sizes = np.where(sizes > 0.0, sizes, 1.0)
    unit = slopes / sizes
    return unit.T @ unit, sizes
