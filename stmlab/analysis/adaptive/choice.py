"""Where the next reading tells most of u: largest mutual information while u is wide, least variance once it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.analysis.adaptive.posterior import Posterior
    from stmlab.arrays import FloatArray

_LIKELY = 60  # values of u that stand for the posterior


def most_informative(posterior: Posterior, x: FloatArray) -> float:
    """The place of the largest mutual information between a reading there and u.

    For normal readings that is half the logarithm of (noise + what a and c leave open + what u leaves open) over
    (noise + what a and c leave open).

    Args:
        posterior: of u; not flat.
        x: places, shape (n,).
    """
    edges = np.cumsum(posterior.weights)
    chosen = np.unique(np.searchsorted(edges, (np.arange(_LIKELY) + 0.5) / _LIKELY).clip(0, len(edges) - 1))
    weights = posterior.weights[chosen] / posterior.weights[chosen].sum()
    mean, variance = posterior.predicted(x, chosen)
    centre = mean @ weights
    spread = (mean - centre[:, None]) ** 2 @ weights
    return float(x[np.argmax(spread / (1.0 + variance @ weights))])


def least_variance(posterior: Posterior, x: FloatArray, number: int) -> list[float]:
    """Places of the next readings, each where it lowers the variance of u most after those before it.

    The greedy way to the c-optimal design of the line at the mean.

    Args:
        posterior: of u; not flat.
        x: places, shape (n,).
        number: of readings.
    """
    gradient = posterior.gradient(x)
    information = posterior.information()
    inverse = np.linalg.inv(information + 1e-9 * np.diag(np.diag(information)))
    found: list[float] = []
    for _ in range(number):
        moved = gradient @ inverse
        gain = moved[:, 2] ** 2 / (1.0 + np.einsum("ij,ij->i", moved, gradient))
        best = int(np.argmax(gain))
        found.append(float(x[best]))
        row = moved[best]
        inverse -= np.outer(row, row) / (1.0 + row @ gradient[best])
    return found
