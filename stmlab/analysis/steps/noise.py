"""What a fit of steps leaves: white noise, or structure that the errors must allow for.

Third-order peaks, pumping, drift and a slow lock-in leave a residual with structure. Its covariance is then taken from
its own autocovariance up to the width of a step (Newey and West's estimate, which is positive whatever the residual).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.residuals import noise_variance

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray


def local(left: FloatArray, width: float) -> FloatArray:
    """The residual less its running mean over three steps' widths: what a fit of differences sees of it.

    Along the first axis: a residual of shape (n,), or the columns of what acts on one, (n, k).
    """
    first, last = _windows(len(left), width)
    sums = np.concatenate([np.zeros((1, *left.shape[1:])), np.cumsum(left, axis=0)])
    lengths = (last - first).reshape(-1, *[1] * (left.ndim - 1))
    return np.asarray(left - (sums[last] - sums[first]) / lengths)


def _windows(count: int, width: float) -> tuple[IntArray, IntArray]:
    """First point, and the one after the last, of which the running mean at each point is taken."""
    reach = max(1, round(1.5 * width))
    return np.maximum(np.arange(count) - reach, 0), np.minimum(np.arange(count) + reach + 1, count)


def of_uneven_noise(response: FloatArray, slopes: FloatArray, left: FloatArray, width: float) -> FloatArray:
    """Covariance of estimates with d(estimate) = response @ d(data), from what is left `local` to each point.

    It does not suppose even noise, and is exact on average where the noise is even (as
    `stmlab.analysis.residuals.uneven_covariance`, whose estimates are least squares of the points themselves).

    Args:
        response: shape (k, n).
        slopes: of the model by the estimates, shape (n, k).
        left: data less fit, shape (n,).
        width: of a step, in points.
    """
    first, last = _windows(len(left), width)
    turned, answer = local(slopes, width), local(response.T, width)
    # the squared rows of L (1 - slopes @ response), where L takes the running mean away
    kept = 1 - 1 / (last - first) - 2 * (turned * answer).sum(axis=1)
    kept += ((turned @ (response @ response.T)) * turned).sum(axis=1)
    variance = noise_variance(local(left, width), kept)
    return np.asarray((response * variance) @ response.T)


def widened(covariance: FloatArray, response: FloatArray, left: FloatArray, width: float) -> FloatArray:
    """Covariance of estimates with d(estimate) = response @ d(left), if the residual's own covariance is its noise.

    Args:
        covariance: as it is for white noise, shape (k, k); no error becomes smaller than it has here.
        response: shape (k, n).
        left: residual, shape (n,).
        width: of a step, in points.
    """
    reach = min(max(2, round(width)), len(left) - 1)
    found = np.mean(left**2) * response @ response.T
    for lag in range(1, reach + 1):
        falling = left[lag:] @ left[:-lag] / len(left) * (1 - lag / (reach + 1))
        shifted = falling * response[:, lag:] @ response[:, :-lag].T
        found += shifted + shifted.T
    short = np.sqrt(np.maximum(np.diag(covariance) / np.maximum(np.diag(found), 1e-300), 1.0))
    return np.asarray(found * np.outer(short, short))
