"""What a fit of steps leaves: white noise, or structure that the errors must allow for.

Third-order peaks, pumping, drift and a slow lock-in leave a residual with structure. Its covariance is then taken from
its own autocovariance up to the width of a step (Newey and West's estimate, which is positive whatever the residual).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray


def local(left: FloatArray, width: float) -> FloatArray:
    """The residual less its running mean over three steps' widths: what a fit of differences sees of it."""
    reach = max(1, round(1.5 * width))
    window = np.ones(2 * reach + 1)[: len(left)]
    mean = np.convolve(left, window, "same") / np.convolve(np.ones_like(left), window, "same")
    return np.asarray(left - mean)


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
