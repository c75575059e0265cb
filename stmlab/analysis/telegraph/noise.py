"""Gaussian noise with a spectrum of its own, and no levels: what switching must be told from.

Noise behind a filter strays to one side and back as a telegraph does. A linear prediction from the samples before
(autoregression) describes all of it; of a telegraph it misses that there are two levels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray

_LONGEST = 40  # samples that a prediction looks back
_TAILS = (1.0, 2.0, 3.0, 5.0)  # degrees of freedom of Student's t
_ROUNDS = 30
_LEAST = 1e-9  # of the variance, where most samples are alike
_FARTHEST = 1000  # samples: the largest lag of the autocorrelation
_SOME, _SURE = 0.1, 3.0  # correlation that matters, and standard errors by which it must exceed that


def likelihood_of_noise(y: FloatArray, *, heavy: bool = False) -> float:
    """ln likelihood of samples as Gaussian noise of the best order, less Akaike's penalty for the order.

    Levinson and Durbin's recursion over the autocorrelation: the variance left by each order of prediction.

    Args:
        y: shape (n,) or (traces, n).
        heavy: what drives the noise may have heavy tails as well: bursts behind a filter.
    """
    if y.ndim > 1:
        return sum(likelihood_of_noise(trace, heavy=heavy) for trace in y)
    longest = min(_LONGEST, y.size // 10)
    lags = _autocorrelation(y, longest)
    left, coefficients = lags[0], np.zeros(0)
    best, kept = _likelihood(left, y.size), coefficients
    for order in range(1, longest + 1):
        reflection = (lags[order] - coefficients @ lags[order - 1 : 0 : -1]) / left
        coefficients = np.append(coefficients - reflection * coefficients[::-1], reflection)
        left *= 1 - reflection**2
        if left <= 0:
            break
        if (found := _likelihood(left, y.size) - order) > best:
            best, kept = found, coefficients
    if not heavy:
        return best
    z = y - np.median(y)
    driving = np.convolve(z, [1.0, *-kept])[: z.size]
    return max(best, *(_student(driving, freedom) - kept.size for freedom in _TAILS))


def spread_of_correlation(left: FloatArray, quiet: BoolArray) -> tuple[float, float, float]:
    """Effect of correlated noise on errors: (correlation of neighbours, f, g).

    The variance of a mean is f times, and the variance of a variance g times, that of as many independent samples.

    Args:
        left: what a fit leaves, shape (n,).
        quiet: samples that are noise and nothing else, shape (n,).
    """
    noise = np.where(quiet, left, 0.0)
    power = float(noise @ noise) / max(int(np.count_nonzero(quiet)), 1)
    lags: list[float] = []
    for lag in range(1, min(_FARTHEST, left.size // 10)):
        pairs = int(np.count_nonzero(quiet[lag:] & quiet[:-lag]))
        correlation = float(noise[lag:] @ noise[:-lag]) / (pairs * power) if pairs and power else 0.0
        if correlation < _SOME + _SURE / math.sqrt(max(pairs, 1)):
            break
        lags.append(min(correlation, 1.0))
    found = np.array(lags)
    return (lags[0] if lags else 0.0), float(1 + 2 * found.sum()), float(1 + 2 * (found**2).sum())


def _student(r: FloatArray, freedom: float) -> float:
    """The largest ln likelihood of independent samples of Student's t of any width, about 0."""
    square = max(float(np.median(r * r)), _LEAST * float(np.mean(r * r)))
    for _ in range(_ROUNDS):
        square = float(np.mean((freedom + 1) * r * r / (freedom + r * r / square)))
    norm = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi * square)
    return r.size * norm - (freedom + 1) / 2 * float(np.log1p(r * r / (freedom * square)).sum())


def _autocorrelation(y: FloatArray, longest: int) -> FloatArray:
    z = y - y.mean()
    return np.array([z[: z.size - k] @ z[k:] / z.size for k in range(longest + 1)])


def _likelihood(variance: float, size: int) -> float:
    return -0.5 * size * (math.log(2 * math.pi * variance) + 1)
