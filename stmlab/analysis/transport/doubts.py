"""What a result of the transport fit leaves in doubt: rivals, what is hardly determined, structured residuals."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.residuals import is_structured
from stmlab.analysis.transport.problem import BOUNDS, SIZES, SMALLEST_NOISE, SpectrumData
from stmlab.analysis.transport.solution import Solution, as_usual, by_kind
from stmlab.physics.coupled_tip import ExchangeKind

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

DECIDED = 10.0
"""Difference of AIC that leaves no doubt."""
_OPEN = 100.0  # sizes of a parameter
_FALSE = 0.01  # of ramps that the model describes, of which it is said all the same that it does not
_SAME_VALLEY = 5.0  # standard errors; within DECIDED a valley is not wider


def doubts(spectra: list[SpectrumData], best: Solution, found: list[Solution], errors: FloatArray) -> tuple[str, ...]:
    """Warnings about the best of the solutions, whose free parameters have these errors."""
    warnings = [*_rivals(best, found, errors), *_undetermined(best, found, errors)]
    exact = all(_is_rounding(*one) for one in zip(spectra, best.left, strict=True))
    if not best.converged and not iterations().ended and not exact:
        warnings.append(
            f"the fit did not settle in {best.steps} steps: the spectra do not determine every parameter, or ask for "
            "more third order than perturbation theory allows"
        )
    if best.setting.exchange is ExchangeKind.ISING and best.setting.field_T == 0:
        warnings.append("without a field, Ising exchange J with C and -J with -C give the same spectra: J > 0 is shown")
    fitted, likely = errors.size / len(spectra), NormalDist().inv_cdf(1 - _FALSE / len(spectra))
    structured = sum(_structured(one, left, fitted, likely) for one, left in zip(spectra, best.left, strict=True))
    if structured:
        warnings.append(
            f"the residual of {structured} of {len(spectra)} spectra has a structure: the model does not hold"
        )
    return tuple(warnings)


def shown_error(name: str, value: float, error: float) -> float:
    """The error of a parameter; infinite where it is beyond all that the parameter can be: the data leave it open."""
    return (
        math.inf
        if error > _OPEN * max(abs(value), 0.0 if name.startswith("conductance") else SIZES.get(name, 1.0))
        else error
    )


def _rivals(best: Solution, found: list[Solution], errors: FloatArray) -> list[str]:
    """Of each kind of exchange the closest other description, if it is as good."""
    warnings = []
    for group in by_kind(found).values():
        rivals = [solution for solution in group if _elsewhere(solution, best, errors)]
        closest = min(rivals, key=lambda solution: solution.aic, default=None)
        if closest is not None and closest.aic - best.aic < DECIDED:
            warnings.append(
                f"{_exchange(closest)} describes the spectra as well as {_exchange(best)} "
                f"(AIC differs by {closest.aic - best.aic:.1f})"
            )
    return warnings


def _undetermined(best: Solution, found: list[Solution], errors: FloatArray) -> list[str]:
    warnings = []
    for name, error in zip(best.free, errors, strict=False):
        low, high = BOUNDS.get(name, (-math.inf, math.inf))
        value = getattr(best.parameters, name)
        distance = min(value - low, high - value)
        if distance <= 0 or distance < min(1e-3 * (high - low), error):
            warnings.append(f"{name} = {value:.4g} ran to the end of what is allowed")
        elif math.isinf(shown_error(name, value, error)):
            warnings.append(f"{name} is not determined: {_tried(name, best, found)}")
        elif error > 0.5 * max(abs(value), SIZES.get(name, 1.0)):
            warnings.append(f"{name} is hardly determined: {value:.3g} +- {error:.2g}")
    return warnings


def _tried(name: str, best: Solution, found: list[Solution]) -> str:
    values = [getattr(as_usual(one), name) for one in found if one.aic < best.aic + DECIDED and name in one.free]
    if len(values) < 2:
        return f"{best.steps} steps ended at {getattr(best.parameters, name):.3g}, and other values do as well"
    return f"{len(values)} descents ended between {min(values):.3g} and {max(values):.3g}, as good as each other"


def _elsewhere(solution: Solution, best: Solution, errors: FloatArray) -> bool:
    """Whether it is another description, not the best one's valley reached from another start."""
    if solution.setting.exchange is not best.setting.exchange:
        return True
    one, other = as_usual(solution), as_usual(best)
    return any(
        abs(getattr(one, name) - getattr(other, name)) > _SAME_VALLEY * error
        for name, error in zip(best.free, errors, strict=False)
    )


def _exchange(solution: Solution) -> str:
    spins = as_usual(solution)
    anisotropy = f"D = {spins.axial_anisotropy_meV:.3g}, E = {spins.transverse_anisotropy_meV:.2g} meV"
    if solution.setting.exchange is ExchangeKind.NONE:
        return f"no exchange ({anisotropy})"
    return (
        f"{solution.setting.exchange} exchange of {spins.exchange_slope_meV_per_uS:.3g} meV/uS "
        f"with C = {spins.correlation:.2g} ({anisotropy})"
    )


def _structured(one: SpectrumData, left: FloatArray, fitted: float, likely: float) -> bool:
    ordered = left[np.argsort(one.bias, kind="stable")]
    return not _is_rounding(one, left) and is_structured(ordered, fitted, likely)


def _is_rounding(one: SpectrumData, left: FloatArray) -> bool:
    return float(np.abs(left).max()) <= SMALLEST_NOISE * float(np.ptp(one.conductance))
