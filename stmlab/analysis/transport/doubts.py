"""What a result of the transport fit leaves in doubt: rivals, what is hardly determined, structured residuals."""

from __future__ import annotations

import math
from contextlib import suppress
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.residuals import is_structured
from stmlab.analysis.transport.data import SMALLEST_NOISE
from stmlab.analysis.transport.solution import by_system
from stmlab.errors import PhysicsError
from stmlab.physics.coherent import are_too_close

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.analysis.transport.data import SpectrumData
    from stmlab.analysis.transport.solution import Solution
    from stmlab.arrays import FloatArray
    from stmlab.physics.transport import TunnelJunction

DECIDED = 10.0
"""Difference of AIC that leaves no doubt."""
_OPEN = 100.0  # sizes of a parameter
_FALSE = 0.01  # of ramps that the model describes, of which it is said all the same that it does not
_SAME_MINIMUM = 5.0  # standard errors; within DECIDED a minimum is not wider


def doubts(spectra: list[SpectrumData], best: Solution, found: list[Solution], errors: FloatArray) -> tuple[str, ...]:
    """Warnings about the best of the solutions, whose free parameters have these errors."""
    warnings = [*rivals(best, found, errors), *undetermined(best, found, errors)]
    exact = all(is_rounding(one.conductance, left) for one, left in zip(spectra, best.left, strict=True))
    if not best.converged and not iterations().ended and not exact:
        warnings.append(
            f"the fit did not settle in {best.steps} steps: the spectra do not determine every parameter, or ask for "
            "more third order than perturbation theory allows"
        )
    for one, other in ((_symbol(best, a), _symbol(best, b)) for a, b in best.signs.pairs if {a, b} <= {*best.free}):
        warnings.append(f"{one} with {other} and -{one} with -{other} give the same spectra: {one} > 0 is shown")
    fitted, likely = errors.size / len(spectra), NormalDist().inv_cdf(1 - _FALSE / len(spectra))
    structured = sum(_structured(one, left, fitted, likely) for one, left in zip(spectra, best.left, strict=True))
    if structured:
        warnings.append(
            f"the residual of {structured} of {len(spectra)} spectra has a structure: the model does not hold"
        )
    return (*warnings, *_close_levels(spectra, best))


def shown_error(size: float, value: float, error: float) -> float:
    """The error of a parameter; infinite where it is beyond all that the parameter can be: the data leave it open."""
    return math.inf if error > _OPEN * max(abs(value), size) else error


def is_rounding(data: FloatArray, left: FloatArray) -> bool:
    """Whether what a fit leaves of a spectrum is nothing but that."""
    return float(np.abs(left).max()) <= SMALLEST_NOISE * float(np.ptp(data))


def rivals(best: Solution, found: list[Solution], errors: FloatArray) -> list[str]:
    """Of each system the closest other description, if it is as good."""
    warnings = []
    for group in by_system(found).values():
        others = [solution for solution in group if _elsewhere(solution, best, errors)]
        closest = min(others, key=lambda solution: solution.aic, default=None)
        if closest is not None and closest.aic - best.aic < DECIDED:
            warnings.append(
                f"{_described(closest)} describes the spectra as well as {_described(best)} "
                f"(AIC differs by {closest.aic - best.aic:.1f})"
            )
    return warnings


def undetermined(best: Solution, found: list[Solution], errors: FloatArray) -> list[str]:
    """Of each parameter that the data do not say, or that stands at the end of what is allowed."""
    warnings = []
    for name, error in zip(best.free, errors.tolist(), strict=False):
        parameter, value = best.system.parameters[name], best.values[name]
        distance = min(value - parameter.low, parameter.high - value)
        if distance < min(1e-3 * (parameter.high - parameter.low), error):
            warnings.append(f"{name} = {value:.4g} ran to the end of what is allowed")
        elif math.isinf(shown_error(parameter.size, value, error)):
            warnings.append(f"{name} is not determined: {_tried(name, best, found)}")
        elif error > 0.5 * max(abs(value), parameter.size):
            warnings.append(f"{name} is hardly determined: {value:.3g} +- {error:.2g}")
    return warnings


def _tried(name: str, best: Solution, found: list[Solution]) -> str:
    values = [one.usual[name] for one in found if one.aic < best.aic + DECIDED and name in one.free]
    if len(values) < 2:
        return f"{best.steps} steps ended at {best.values[name]:.3g}, and other values do as well"
    return f"{len(values)} descents ended between {min(values):.3g} and {max(values):.3g}, as good as each other"


def _elsewhere(solution: Solution, best: Solution, errors: FloatArray) -> bool:
    """Whether it is another description, not the best one's minimum reached from another start."""
    if solution.system is not best.system:
        return True
    one, other = solution.usual, best.usual
    pairs = zip(best.free, errors.tolist(), strict=False)
    return any(abs(one[name] - other[name]) > _SAME_MINIMUM * error for name, error in pairs)


def _described(solution: Solution) -> str:
    """Its system, with the values of what the spins are: "ising (D = -3.2 meV, J = 5.9 meV/uS, C = 0.35)"."""
    parameters, usual = solution.system.parameters, solution.usual
    said = [name for name in solution.free if not _is_of_the_junction(solution, name)]
    values = ", ".join(
        f"{parameters[name].symbol} = {usual[name]:.3g} {parameters[name].unit}".strip() for name in said
    )
    return f"{solution.system.label} ({values})"


def _is_of_the_junction(solution: Solution, name: str) -> bool:
    """Temperature, offset and the like tell descriptions apart for nobody."""
    of_the_spins = ("spins.", "exchanges.", "tip.", "field_T")
    return not any(
        name in names and key.startswith(of_the_spins) for key, names in solution.system.names_by_key.items()
    )


def _symbol(solution: Solution, name: str) -> str:
    return solution.system.parameters[name].symbol


def _close_levels(spectra: list[SpectrumData], best: Solution) -> list[str]:
    """Levels that are closer than the width that the rates give them, where coherences are left out."""
    junctions = [
        best.system.junction(best.values, one.at(conductance))
        for one, conductance in zip(spectra, best.conductances.tolist(), strict=True)
    ]
    return close_levels(junctions, [one.bias for one in spectra])


def close_levels(junctions: Sequence[TunnelJunction], biases: Sequence[FloatArray]) -> list[str]:
    """The doubt about spectra, each of a junction between these biases in V, that coherences would change."""
    close = 0
    for junction, bias in zip(junctions, biases, strict=True):
        with suppress(PhysicsError):
            close += are_too_close(junction, bias)
    if not close:
        return []
    return [
        f"in {close} of {len(junctions)} spectra two levels lie closer than the width that the rates give them: the "
        'model has no coherence between them (it has with equation = "automatic" in the system\'s file, in second '
        "order)"
    ]


def _structured(one: SpectrumData, left: FloatArray, fitted: float, likely: float) -> bool:
    ordered = left[np.argsort(one.bias, kind="stable")]
    return not is_rounding(one.conductance, left) and is_structured(ordered, fitted, likely)
