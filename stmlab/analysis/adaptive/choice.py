"""Where the next reading is taken: largest mutual information while u is wide, least variance once it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray

_LIKELY = 60  # values of u that stand for the posterior


class Guesses(Protocol):
    """A posterior on a grid: of u, or of several parameters."""

    weights: FloatArray

    def predicted(self, x: FloatArray, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean of a reading at x and variance of that mean at points of the grid, in units of the noise."""


class Narrow(Protocol):
    """A posterior that is the normal one about its mean: of several parameters, one combination of which is sought."""

    @property
    def direction(self) -> FloatArray:
        """Derivative of what is sought by the parameters, shape (k,)."""

    def gradient(self, x: FloatArray) -> FloatArray:
        """Of a reading at x by the parameters, in units of the noise; shape (n, k)."""

    def information(self) -> FloatArray:
        """Fisher information of the readings so far, shape (k, k)."""


def most_informative(posterior: Guesses, x: FloatArray, cost: FloatArray | float = 1.0) -> float:
    """The place of the largest mutual information between a reading there and u, over what the reading costs.

    For normal readings that is half the logarithm of (noise + what a and c leave open + what u leaves open) over
    (noise + what a and c leave open).

    Args:
        posterior: of u; not flat.
        x: places, shape (n,).
        cost: of a reading at each place, in any unit.
    """
    edges = np.cumsum(posterior.weights)
    chosen = np.unique(np.searchsorted(edges, (np.arange(_LIKELY) + 0.5) / _LIKELY).clip(0, len(edges) - 1))
    weights = posterior.weights[chosen] / posterior.weights[chosen].sum()
    mean, variance = posterior.predicted(x, chosen)
    centre = mean @ weights
    spread = (mean - centre[:, None]) ** 2 @ weights
    return float(x[np.argmax(np.log1p(spread / (1.0 + variance @ weights)) / cost)])


def least_variance(posterior: Narrow, x: FloatArray, number: int) -> list[float]:
    """Places of the next readings, each where it lowers the variance of what is sought most after those before it.

    The greedy way to the c-optimal design of the line at the mean.

    Args:
        posterior: not flat.
        x: places, shape (n,).
        number: of readings.
    """
    gradient, direction = posterior.gradient(x), posterior.direction
    information = posterior.information()
    inverse = np.linalg.inv(information + 1e-9 * np.diag(np.diag(information)))
    found: list[float] = []
    for _ in range(number):
        moved = gradient @ inverse
        gain = (moved @ direction) ** 2 / (1.0 + np.einsum("ij,ij->i", moved, gradient))
        best = int(np.argmax(gain))
        found.append(float(x[best]))
        row = moved[best]
        inverse -= np.outer(row, row) / (1.0 + row @ gradient[best])
    return found
