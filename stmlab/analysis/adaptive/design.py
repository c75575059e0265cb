"""Designs: how well places of readings can tell what is sought, and the best that any places can do (Cramer-Rao)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_ROUNDS = 300  # of the weights of a design
_CLOSE = 1e-3  # relative distance of a design from its bound that is close enough
_SINGULAR = 1e-13  # of the largest eigenvalue


def variances(rows: FloatArray, sought: FloatArray) -> FloatArray:
    """Smallest variance of each sought value that any unbiased estimate from these readings can have.

    Args:
        rows: derivatives of each reading by the parameters, in standard deviations of a reading, shape (n, k).
        sought: derivatives of each sought value by the parameters, shape (m, k).

    Returns:
        Shape (m,); inf where the readings cannot tell the parameters apart.
    """
    size = np.linalg.norm(rows, axis=0)
    if not size.all():
        return np.full(len(sought), np.inf)
    scaled, directions = rows / size, sought / size
    value, vector = np.linalg.eigh(scaled.T @ scaled)
    if value[0] <= _SINGULAR * value[-1]:
        return np.full(len(sought), np.inf)
    found: FloatArray = np.sum((directions @ vector) ** 2 / value, axis=1)
    return found


def least_variance_of_all(rows: FloatArray, sought: FloatArray) -> float:
    """The largest of the variances of the sought values, in the best design of one reading in all; never above it.

    The best design for the worst of several values is that for a weighted sum of their variances, with the weights for
    which that sum is largest (the sum is convex in the design: minimum and maximum change places).

    Args:
        rows: of every place that may be read, as for `variances`.
        sought: shape (1, k) or (2, k).
    """
    if len(sought) == 1:
        return _least_sum(rows, sought)
    from scipy.optimize import minimize_scalar

    def best(weight: float) -> float:
        return _least_sum(rows, sought * np.sqrt([[weight], [1.0 - weight]]))

    found = minimize_scalar(lambda weight: -best(weight), bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-3})
    return max(best(0.0), best(1.0), -float(found.fun))


def _least_sum(rows: FloatArray, sought: FloatArray) -> float:
    """Sum of the variances of the sought values in the best design, by multiplying weights; a bound from below.

    A design of variance v in which no reading more would lower it faster than by d is at most v / d above the best.
    """
    size = np.linalg.norm(rows, axis=0) / math.sqrt(len(rows))
    scaled, directions = rows / size, sought / size
    weights = np.full(len(rows), 1.0 / len(rows))
    least = 0.0
    for _ in range(_ROUNDS):
        inverse = np.linalg.inv(scaled.T @ (weights[:, None] * scaled))
        gain = np.sum((scaled @ (inverse @ directions.T)) ** 2, axis=1)
        total = float(weights @ gain)
        least = max(least, total**2 / float(gain.max()))
        if total <= least * (1 + _CLOSE):
            break
        weights *= np.sqrt(gain / total)
        weights /= weights.sum()
    return least
