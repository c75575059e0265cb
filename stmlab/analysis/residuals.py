"""What a fit leaves: white noise, or structure that its errors know nothing of.

White noise is as likely to keep its sign from one point to the next as to change it. A model that does not hold, a
drift and a slow lock-in leave a residual that keeps it. The products of neighbours tell one from the other however
uneven the noise is: with independent signs, sum(p) / sqrt(sum(p^2)) has mean 0 and variance 1 whatever the sizes, and
exceeds t less often than exp(-t^2 / 2) (Hoeffding, J. Am. Stat. Assoc. 58, 13 (1963)).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray

LIKELY = 3.1
"""Standard deviations of `structure` that are enough to say so: white noise comes to it once in a thousand."""
_NEAR = 5  # points at either side, whose noise is taken for that of one
_SINGULAR = 1e-13  # eigenvalue of a normal matrix with a diagonal of 1 that is rounding
_NOTHING = 1e-300  # a square that stands for 0, where rounding may have left less
_FREEDOM = 0.05  # least part of its own deviation that a point may show


def white_variance(left: FloatArray) -> float:
    """Variance of the noise by the differences between neighbours: what varies slowly does not count."""
    return float(np.mean(np.diff(left) ** 2) / 2) if len(left) > 1 else 0.0


def _mean_around(values: FloatArray) -> FloatArray:
    """Mean over the points near each along the last axis; over fewer at the ends."""
    count, width = values.shape[-1], 2 * _NEAR + 1
    sums = np.zeros((*values.shape[:-1], count + width))  # of all before; at both ends it does not change
    np.cumsum(values, axis=-1, out=sums[..., _NEAR + 1 : _NEAR + 1 + count])
    sums[..., _NEAR + 1 + count :] = sums[..., _NEAR + count : _NEAR + 1 + count]
    places = np.arange(count)
    near = np.minimum(places + _NEAR + 1, count) - np.maximum(places - _NEAR, 0)
    mean: FloatArray = sums[..., width:] - sums[..., :-width]
    mean /= near
    return mean


def structure(left: FloatArray, fitted: float) -> FloatArray:
    """How much neighbours are alike, in standard deviations of white noise, even or uneven.

    Each point counts in units of the residual around it, so that loud parts do not hide quiet ones.

    Args:
        left: residuals in the order of the points, shape (..., n).
        fitted: number of parameters; each turns neighbours against each other by 1 / n.

    Returns:
        Shape (...): up to sqrt(n) for what never changes its sign.
    """
    count = left.shape[-1]
    if count < 2:
        return np.zeros(left.shape[:-1])
    around = np.sqrt(np.maximum(_mean_around(left**2), _NOTHING))
    alone = left / around
    products = alone[..., 1:] * alone[..., :-1]
    size = np.sqrt(np.einsum("...i,...i->...", products, products))
    found: FloatArray = np.where(size > 0.0, (products.sum(axis=-1) + fitted) / np.where(size > 0.0, size, 1.0), 0.0)
    return found


def is_structured(left: FloatArray, fitted: float, likely: float = LIKELY) -> bool:
    """Whether a residual is more than white noise, by so many standard deviations of `structure`."""
    return bool(structure(left, fitted) > likely)


def are_structured(left: FloatArray, fitted: float) -> BoolArray:
    """`is_structured` for many residuals at once: shape (m, n) to (m,)."""
    found: BoolArray = structure(left, fitted) > LIKELY
    return found


def noise_variance(left: FloatArray, freedom: FloatArray) -> FloatArray:
    """Variance of the noise at each point, from the residual at and around it.

    Args:
        left: residuals in an order in which the noise changes slowly, shape (..., n).
        freedom: part of its own variance that the residual of each point shows, shape (..., n).
    """
    return _mean_around(left**2 / np.maximum(freedom, _FREEDOM))


def uneven_covariance(slopes: FloatArray, left: FloatArray) -> FloatArray:
    """Covariance of least-squares estimates, from the residuals themselves: it does not suppose even noise.

    Shot noise grows with the current, so that the ends of a spectrum are noisier than its middle by far; errors from
    the mean residual would be too large for what the middle determines and too small for the rest. (MacKinnon and
    White's HC2, J. Econometrics 29, 305 (1985), exact on average where the noise is even after all.) The noise of a
    point is that of the few around it: a parameter that hangs on few points has a less uncertain error.

    Args:
        slopes: derivatives of the model, shape (n, p), in the unit of the residuals.
        left: residuals, shape (n,), in an order in which the noise changes slowly.

    Returns:
        Shape (p, p); enormous for what the points do not determine.
    """
    sizes = np.linalg.norm(slopes, axis=0)
    sizes = np.where(sizes > 0.0, sizes, 1.0)
    values, vectors = np.linalg.eigh((slopes / sizes).T @ (slopes / sizes))
    known = values > _SINGULAR * len(values)
    along = (slopes / sizes) @ vectors[:, known] / np.sqrt(values[known])  # columns of unit length
    weights = noise_variance(left, 1.0 - (along**2).sum(axis=1))
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
        left: residuals, shape (m, n), in an order in which the noise changes slowly.

    Returns:
        Shape (m, p, p).
    """
    response = inverse @ design
    weights = noise_variance(left, 1.0 - (response * design).sum(axis=1))
    covariances: FloatArray = (response * weights[:, None]) @ response.swapaxes(1, 2)
    return covariances


STRUCTURED_TEXT = (
    "the residual is not white noise: it holds more than this curve (a drift, another process); errors are too small"
)
"""What is said of such a residual where its noise was not known."""


def structure_warning(left: FloatArray, fitted: float, noise_known: bool) -> str:
    """What to say of a residual in units of its noise, in the order of the points; "" if it is white."""
    if not is_structured(left, fitted):
        return ""
    return STRUCTURED_TEXT.replace("are too small", "leave it out") if noise_known else STRUCTURED_TEXT


def scatter_warning(squares: float, degrees: int) -> str:
    """What to say of chi square where the noise is known: "" up to three of its own standard deviations too many."""
    reduced = squares / degrees
    if reduced <= 1 + 3 * math.sqrt(2 / degrees):
        return ""
    return f"the points scatter more than sigma allows (reduced chi square {reduced:.2f}): errors are too small"
