"""What a fit leaves: white noise, or structure that its errors know nothing of.

White noise differs as much between neighbours as between any points. A model that does not hold, a drift and a slow
lock-in leave a residual that differs less between neighbours (von Neumann's ratio).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray

_CERTAIN = 6.0  # standard deviations of the ratio, which are 1 / sqrt(n) for white noise
_SINGULAR = 1e-13  # eigenvalue of a normal matrix with a diagonal of 1 that is rounding
_FREEDOM = 0.05  # least part of its own deviation that a point may show
_LIKELY = 3.5  # of them: enough to say so


def white_variance(left: FloatArray) -> float:
    """Variance of the noise by the differences between neighbours: what varies slowly does not count."""
    return float(np.mean(np.diff(left) ** 2) / 2) if len(left) > 1 else 0.0


def is_structured(left: FloatArray, certain: float = _CERTAIN) -> bool:
    """Whether the residual is more than white noise, by so many standard deviations."""
    return bool(np.mean(left**2) > (1 + certain / math.sqrt(len(left))) * white_variance(left))


def are_structured(left: FloatArray) -> BoolArray:
    """`structure_warning` for many residuals at once: shape (m, n) to (m,)."""
    white = (np.diff(left, axis=1) ** 2).mean(axis=1) / 2
    found: BoolArray = (left**2).mean(axis=1) > (1 + _LIKELY / math.sqrt(left.shape[1])) * white
    return found


def uneven_covariance(slopes: FloatArray, left: FloatArray) -> FloatArray:
    """Covariance of least-squares estimates, from the residuals themselves: it does not suppose even noise.

    Shot noise grows with the current, so that the ends of a spectrum are noisier than its middle by far; errors from
    the mean residual would be too large for what the middle determines and too small for the rest. (MacKinnon and
    White's HC2, J. Econometrics 29, 305 (1985), exact on average where the noise is even after all.)

    Args:
        slopes: derivatives of the model, shape (n, p), in the unit of the residuals.
        left: residuals, shape (n,).

    Returns:
        Shape (p, p); enormous for what the points do not determine.
    """
    sizes = np.linalg.norm(slopes, axis=0)
    sizes = np.where(sizes > 0.0, sizes, 1.0)
    values, vectors = np.linalg.eigh((slopes / sizes).T @ (slopes / sizes))
    known = values > _SINGULAR * len(values)
    along = (slopes / sizes) @ vectors[:, known] / np.sqrt(values[known])  # columns of unit length
    weights = left**2 / np.maximum(1.0 - (along**2).sum(axis=1), _FREEDOM)
    back = vectors[:, known] / np.sqrt(values[known])
    covariance = back @ ((along.T * weights) @ along) @ back.T
    unknown = vectors[:, ~known] / math.sqrt(_SINGULAR)
    found: FloatArray = (covariance + unknown @ unknown.T) / np.outer(sizes, sizes)
    return found


def uneven_covariances(design: FloatArray, inverse: FloatArray, left: FloatArray) -> FloatArray:
    """`uneven_covariance` of many curves, all of whose parameters are determined.

    Args:
        design: derivatives, shape (m, p, n).
        inverse: of the normal matrices, shape (m, p, p).
        left: residuals, shape (m, n).

    Returns:
        Shape (m, p, p).
    """
    response = inverse @ design
    weights = left**2 / np.maximum(1.0 - (response * design).sum(axis=1), _FREEDOM)
    covariances: FloatArray = (response * weights[:, None]) @ response.swapaxes(1, 2)
    return covariances


STRUCTURED_TEXT = (
    "the residual is not white noise: it holds more than this curve (a drift, another process); errors are too small"
)
"""What is said of such a residual where its noise was not known."""


def structure_warning(left: FloatArray, noise_known: bool) -> str:
    """What to say of a residual in units of its noise, in the order of the points; "" if it is white."""
    if not is_structured(left, _LIKELY):
        return ""
    return STRUCTURED_TEXT.replace("are too small", "leave it out") if noise_known else STRUCTURED_TEXT


def scatter_warning(squares: float, degrees: int) -> str:
    """What to say of chi square where the noise is known: "" up to three of its own standard deviations too many."""
    reduced = squares / degrees
    if reduced <= 1 + 3 * math.sqrt(2 / degrees):
        return ""
    return f"the points scatter more than sigma allows (reduced chi square {reduced:.2f}): errors are too small"
