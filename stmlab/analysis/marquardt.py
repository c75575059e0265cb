"""Least squares of a few parameters of one curve: the nearest minimum, and the covariance there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.descent import descend
from stmlab.analysis.descent_step import SINGULAR, Place, Slopes, scaled
from stmlab.analysis.iterations import iterations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import FloatArray

TO_ROUNDING = 1e-12
"""Promised gain over the squares."""
_STEPS = 200


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Where it ended.

    Attributes:
        values: shape (p,).
        covariance: shape (p, p), or None where the data do not determine every parameter.
        chi_square: sum of squared residuals.
        converged: whether it came to a minimum; a fit that was ended early has as good as come to it.
    """

    values: FloatArray
    covariance: FloatArray | None
    chi_square: float
    converged: bool

    @property
    def determined(self) -> bool:
        """Whether it came to a minimum at which every parameter has an error."""
        return self.converged and self.covariance is not None


def least_squares(
    residual: Callable[[FloatArray], FloatArray],
    jacobian: Callable[[FloatArray], FloatArray],
    start: FloatArray,
    *,
    limits: Mapping[int, tuple[float, float]] | None = None,
    noise_known: bool = False,
    most: int = _STEPS,
    tolerance: float = TO_ROUNDING,
) -> LeastSquares:
    """From ``start`` to the nearest minimum.

    Args:
        residual: of parameters (p,), each point over its noise, shape (n,).
        jacobian: of the residual, shape (n, p).
        start: shape (p,).
        limits: lowest and highest values by the number of the parameter.
        noise_known: whether residuals are in units of the noise; else the covariance is scaled by what is left.
        most: steps.
        tolerance: promised gain over the sum of squares at which it ends.
    """
    low, high = np.full(start.shape, -np.inf), np.full(start.shape, np.inf)
    for k, (least, largest) in (limits or {}).items():
        low[k], high[k] = least, largest

    def place(at: FloatArray) -> Place | None:
        at = np.clip(at, low, high)
        left = residual(at)
        return Place(at, left) if np.isfinite(left).all() else None

    reach = np.full(start.shape, np.inf)
    found = descend(place, lambda at: Slopes(jacobian(at)), start, (low, high), reach, tolerance=tolerance, most=most)
    values = start if found is None else found.parameters
    left, slopes = (residual(values), jacobian(values)) if found is None else (found.residuals, found.slopes)
    squares, covariance = float(left @ left), inverse_normal(slopes)
    if covariance is not None and not noise_known:
        covariance *= squares / max(left.size - start.size, 1)
    return LeastSquares(values, covariance, squares, iterations().over or (found is not None and found.converged))


def inverse_normal(slopes: FloatArray) -> FloatArray | None:
    """Covariance of the parameters for unit noise, from the Jacobian (n, p); None where one is not determined."""
    normal, sizes = scaled(slopes)
    if not np.isfinite(normal).all():
        return None
    values, vectors = np.linalg.eigh(normal)
    if not values[0] > SINGULAR * len(values):
        return None
    covariance: FloatArray = (vectors / values) @ vectors.T / np.outer(sizes, sizes)
    return covariance
