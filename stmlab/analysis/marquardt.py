"""Least squares of a few parameters by Levenberg and Marquardt, as lmfit does it, counted and ended early where asked.

lmfit keeps nothing of a fit that is ended, so that the best place is remembered here, and the covariance found there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.iterations import iterations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import FloatArray


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
        if not self.converged or self.covariance is None:
            return False
        return bool(np.all(np.isfinite(self.covariance)) and np.all(np.diag(self.covariance) >= 0))


def least_squares(
    residual: Callable[[FloatArray], FloatArray],
    start: FloatArray,
    *,
    jacobian: Callable[[FloatArray], FloatArray] | None = None,
    limits: Mapping[int, tuple[float, float]] | None = None,
    noise_known: bool = False,
    most: int | None = None,
    ftol: float,
    xtol: float,
) -> LeastSquares:
    """From ``start`` to the nearest minimum.

    Args:
        residual: of parameters (p,), each point over its noise, shape (n,).
        start: shape (p,).
        jacobian: of the residual, shape (n, p); None takes differences.
        limits: lowest and highest values by the number of the parameter.
        noise_known: whether residuals are in units of the noise; else the covariance is scaled by what is left.
        most: evaluations; None leaves it to lmfit.
        ftol: relative change of the sum of squares at which it ends.
        xtol: the same of the parameters.
    """
    import lmfit

    parameters, steps = lmfit.Parameters(), iterations()
    bounds = limits or {}
    for k, value in enumerate(np.asarray(start, dtype=float).tolist()):
        low, high = bounds.get(k, (-math.inf, math.inf))
        parameters.add(f"p{k}", value=value, min=low, max=high)
    best, squares, ended = np.asarray(start, dtype=float), math.inf, False

    def vector(p: Any) -> FloatArray:
        return np.array([p[f"p{k}"].value for k in range(len(best))])

    def heard(p: Any, _: int, left: FloatArray) -> bool:
        nonlocal best, squares, ended
        if (here := float(left @ left)) < squares:
            best, squares = vector(p), here
        steps.done(here)
        ended = steps.over
        return ended

    minimizer = lmfit.Minimizer(
        lambda p: residual(vector(p)), parameters, scale_covar=not noise_known, max_nfev=most, iter_cb=heard
    )
    slopes = None if jacobian is None else lambda p: jacobian(vector(p))
    found = minimizer.leastsq(Dfun=slopes, ftol=ftol, xtol=xtol, gtol=0.0)
    if ended:
        slopes_there = None if jacobian is None else jacobian(best)
        return LeastSquares(best, _covariance(slopes_there, squares, noise_known=noise_known), squares, True)
    covariance = getattr(found, "covar", None)
    known = None if covariance is None else np.asarray(covariance)
    return LeastSquares(vector(found.params), known, float(found.chisqr), bool(found.success))


def _covariance(slopes: FloatArray | None, squares: float, *, noise_known: bool) -> FloatArray | None:
    """Where a fit was ended early; None if a parameter is not determined there, or there are no slopes."""
    if slopes is None:
        return None
    points, free = slopes.shape
    try:
        inverse = np.asarray(np.linalg.inv(slopes.T @ slopes), dtype=float)
    except np.linalg.LinAlgError:
        return None
    return inverse if noise_known else inverse * (squares / max(points - free, 1))
