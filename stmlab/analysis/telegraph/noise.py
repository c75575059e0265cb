"""Gaussian noise with a spectrum of its own, and no levels: what switching must be told from.

Noise behind a filter strays to one side and back as a telegraph does. A linear prediction from the samples before
(autoregression) describes all of it; of a telegraph it misses that there are two levels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_LONGEST = 40  # samples that a prediction looks back


def likelihood_of_noise(y: FloatArray) -> float:
    """ln likelihood of samples, shape (n,), as Gaussian noise of the best order, less Akaike's price of the order.

    Levinson and Durbin's recursion over the autocorrelation: the variance left by each order of prediction.
    """
    longest = min(_LONGEST, y.size // 10)
    lags = _autocorrelation(y, longest)
    left, coefficients = lags[0], np.zeros(0)
    best = _likelihood(left, y.size)
    for order in range(1, longest + 1):
        reflection = (lags[order] - coefficients @ lags[order - 1 : 0 : -1]) / left
        coefficients = np.append(coefficients - reflection * coefficients[::-1], reflection)
        left *= 1 - reflection**2
        if left <= 0:
            break
        best = max(best, _likelihood(left, y.size) - order)
    return best


def _autocorrelation(y: FloatArray, longest: int) -> FloatArray:
    z = y - y.mean()
    return np.array([z[: z.size - k] @ z[k:] / z.size for k in range(longest + 1)])


def _likelihood(variance: float, size: int) -> float:
    return -0.5 * size * (math.log(2 * math.pi * variance) + 1)
