"""What is known so far of the scale of a line: y = c + a L(x, u) + noise, with u the logarithm of the scale.

For a given u the line is linear in a and c, so that both, and the noise level, are integrated exactly (normal prior of
a and c, Jeffreys' of the noise); what is left is a posterior of u on a grid. The grid spans all that is allowed first,
and is built anew around the mean once that is known.

    L = 1 / (1 + exp 2 (x - u)), x = ln 2 pi f, u = ln Gamma     the SRS line (Betz et al., eq. 1)
    L = exp(-exp(x - u)), x = ln delay, u = ln T1                the decay behind a pump pulse
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray, IntArray

    Line = Callable[[FloatArray, FloatArray], FloatArray]
    """From x and u, broadcast against each other, to L."""

_PER_E = 13.0  # points of the first grid per factor e: 30 a decade
_LOCAL = 150  # points of the grid around the mean
_REACH = 8.0  # standard deviations that it spans to either side
_COARSE = 4.0  # steps of a grid that the standard deviation needs to be resolved
_NOTHING = 1e-6  # of the largest weight: what may stand at the ends of a grid
_REFINEMENTS = 8
_LEAST = 5  # readings that tell of three parameters and the noise
_LARGE = 1e6  # standard deviations of a and c a priori, in standard deviations of a reading


def resonance(x: FloatArray, u: FloatArray) -> FloatArray:
    """The SRS line at x = ln 2 pi f for u = ln Gamma; 1 far below, 0 far above."""
    line: FloatArray = 0.5 * (1.0 - np.tanh(x - u))
    return line


def decay(x: FloatArray, u: FloatArray) -> FloatArray:
    """exp(-delay / T1) at x = ln delay for u = ln T1."""
    line: FloatArray = np.exp(-np.exp(np.minimum(x - u, 50.0)))
    return line


class Posterior:
    """Of u, after the readings so far.

    Args:
        line: L(x, u).
        low, high: of u a priori.

    Attributes:
        u, weights: the grid, and its probabilities.
        mean, deviation: of u.
        noise: standard deviation of a reading; nan before it can be told.
        height, height_error: a at the mean, with its standard error.
    """

    def __init__(self, line: Line, low: float, high: float) -> None:
        self._line, self._bounds = line, (low, high)
        self._x: list[float] = []
        self._y: list[float] = []
        self._place: dict[int, int] = {}  # key of a reading -> where it stands
        self._whole = np.linspace(low, high, max(round(_PER_E * (high - low)), _LOCAL))
        self._set_grid(self._whole)
        self._solve()

    def __len__(self) -> int:
        return len(self._x)

    def add(self, key: int, x: float, y: float) -> None:
        """A reading; one of the same key, as of a point that was disturbed, is replaced."""
        if (place := self._place.get(key)) is not None:
            self._x[place], self._y[place] = x, y
            self._set_grid(self.u)
            return
        self._place[key] = len(self._x)
        self._x.append(x)
        self._y.append(y)
        self._sum(np.array([x]), np.array([y]))

    def solve(self) -> None:
        """Take the readings since the last time into account: mean, deviation, noise, height."""
        self._solve()
        for _ in range(_REFINEMENTS):
            if self.flat or not self._refine():
                return

    @property
    def flat(self) -> bool:
        """Whether too few readings have been taken to tell anything."""
        return len(self._x) < _LEAST

    def predicted(self, x: FloatArray, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean of a reading and variance of that mean for given u, in units of the noise; shape (x, chosen).

        Args:
            x: where it would be taken.
            chosen: numbers of points of the grid.
        """
        line = self._line(x[:, None], self.u[chosen][None, :])
        p11, p12, p22 = (part[chosen] for part in self._inverse)
        offset, height = self._offset[chosen], self._height[chosen]
        return (offset + height * line) / self.noise, p11 + 2 * p12 * line + p22 * line**2

    @property
    def direction(self) -> FloatArray:
        """What is sought of (c, a, u): u."""
        return np.array([0.0, 0.0, 1.0])

    def gradient(self, x: FloatArray) -> FloatArray:
        """Of a reading with respect to (c, a, u) at the mean, in units of the noise; shape (x, 3)."""
        step = 1e-4
        line = self._line(x, np.array(self.mean))
        slope = (self._line(x, np.array(self.mean + step)) - self._line(x, np.array(self.mean - step))) / (2 * step)
        return np.stack([np.ones_like(x), line, self.height * slope], axis=-1) / self.noise

    def information(self) -> FloatArray:
        """Fisher information of the readings so far of (c, a, u) at the mean, shape (3, 3)."""
        gradient = self.gradient(np.array(self._x))
        matrix: FloatArray = gradient.T @ gradient
        return matrix

    # -- details -----------------------------------------------------------------------------------------------------

    def _set_grid(self, u: FloatArray) -> None:
        self.u = u
        self._sums = np.zeros((4, len(u)))  # of L, L^2, L y; the last row: of nothing that depends on u
        self._scalars = np.zeros(3)  # number, sum of y, of y^2
        if self._x:
            self._sum(np.array(self._x), np.array(self._y))

    def _sum(self, x: FloatArray, y: FloatArray) -> None:
        line = self._line(x[:, None], self.u[None, :])
        self._sums[0] += line.sum(axis=0)
        self._sums[1] += (line**2).sum(axis=0)
        self._sums[2] += y @ line
        self._scalars += [len(x), y.sum(), y @ y]

    def _solve(self) -> None:
        if self.flat:
            self.weights = np.full(len(self.u), 1.0 / len(self.u))
            self.noise = self.height = self.height_error = math.nan
        else:
            self._weigh()
        self.mean = float(self.weights @ self.u)
        self.deviation = math.sqrt(max(float(self.weights @ (self.u - self.mean) ** 2), 0.0))
        if not self.flat:
            self._see_height()

    def _weigh(self) -> None:
        """Weights of the grid: a, c and the noise level integrated out."""
        (s1, s2, sy1), (n, sy, syy) = self._sums[:3], self._scalars
        span = math.sqrt(max(syy / n - (sy / n) ** 2, 1e-300))
        shift = sy / n  # a prior around the mean reading: it must not matter where zero is
        sy1, syy, sy = sy1 - shift * s1, syy - n * shift**2, np.float64(0.0)
        small = 1.0 / _LARGE**2
        p, q, r = n + small, s1, s2 + small
        determinant = p * r - q**2
        self._inverse = r / determinant, -q / determinant, p / determinant
        offset = (r * sy - q * sy1) / determinant
        self._height = (p * sy1 - q * sy) / determinant
        left = np.maximum(syy - offset * sy - self._height * sy1, 1e-12 * n * span**2)
        logarithm = -0.5 * np.log(determinant) - 0.5 * (n - 2) * np.log(left)
        weights = np.exp(logarithm - logarithm.max())
        self.weights = weights / weights.sum()
        self._offset = offset + shift
        self.noise = float(math.sqrt(self.weights @ left / max(n - 3, 1)))

    def _see_height(self) -> None:
        at = int(np.argmin(np.abs(self.u - self.mean)))
        self.height = float(self._height[at])
        self.height_error = float(self.noise * math.sqrt(self._inverse[2][at]))

    def _refine(self) -> bool:
        """A grid that spans the posterior and resolves it; whether it had to be another one.

        A grid that is too coarse shows a deviation that is too small, so a finer one is never narrower than its steps.
        """
        spacing = self.u[1] - self.u[0]
        around = max(_REACH * self.deviation, 2.0 * spacing)
        if self.u is not self._whole and self.weights[[0, -1]].max() > _NOTHING * self.weights.max():
            around = 3.0 * (self.u[-1] - self.u[0])
        elif self.deviation >= _COARSE * spacing:
            return False
        low, high = max(self._bounds[0], self.mean - around), min(self._bounds[1], self.mean + around)
        fine = np.linspace(low, high, _LOCAL)
        whole = low == self._bounds[0] and high == self._bounds[1]
        if (whole and self.u is self._whole) or (not whole and np.array_equal(fine, self.u)):
            return False
        self._set_grid(self._whole if whole else fine)
        self._solve()
        return True
