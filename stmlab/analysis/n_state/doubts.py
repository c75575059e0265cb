"""What a result of the n-state fit leaves in doubt."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.n_state.data import setpoints
from stmlab.analysis.residuals import is_structured
from stmlab.analysis.transport.doubts import close_levels, is_rounding, rivals, undetermined
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.analysis.n_state.forward import Forward
    from stmlab.analysis.transport.solution import Solution
    from stmlab.arrays import FloatArray

_FALSE = 0.01  # of maps that the model describes, of which it is said all the same that it does not
_BESIDE = 0.2  # of the setpoint's current


def doubts(forward: Forward, best: Solution, found: list[Solution], errors: FloatArray) -> tuple[str, ...]:
    """Warnings about the best of the solutions, whose free parameters have these errors."""
    warnings = [*rivals(best, found, errors), *undetermined(best, found, errors)]
    if not best.converged and not iterations().ended and not _is_exact(forward, best):
        warnings.append(f"the fit did not settle in {best.steps} steps: the spectra do not determine every parameter")
    close = close_levels(forward.junctions(best.values, best.conductances), _drives(forward, best))
    return (*warnings, *_structured(forward, best, errors.size), *close, *_beside(forward, best))


def _drives(forward: Forward, best: Solution) -> list[FloatArray]:
    """The ends of what each drive passes, V."""
    offset, swing = forward.system.bias_offset(best.values), np.array([-1.0, 1.0])
    return [one.bias - offset + one.amplitude * swing for one in forward.spectra]


def _is_exact(forward: Forward, best: Solution) -> bool:
    return all(is_rounding(one.current, left) for one, left in zip(forward.spectra, best.left, strict=True))


def _structured(forward: Forward, best: Solution, fitted: int) -> list[str]:
    count = len(forward.spectra)
    likely, each = NormalDist().inv_cdf(1 - _FALSE / count), fitted / count + 1.0
    pairs = zip(forward.spectra, best.left, strict=True)
    structured = sum(not is_rounding(one.current, left) and is_structured(left, each, likely) for one, left in pairs)
    if not structured:
        return []
    return [f"the residual of {structured} of {count} spectra has a structure: the model does not hold"]


def _beside(forward: Forward, best: Solution) -> list[str]:
    """Where the model's current is not that of the setpoint, by which the fit does not go."""
    warnings = []
    told = setpoints(forward.spectra)
    currents = forward.setpoint_currents(best.values, best.conductances).tolist()
    for (bias, current), model in zip(told, currents, strict=True):
        if abs(abs(model) - abs(current)) > _BESIDE * abs(current):
            at, model_A, run_A = _short(bias, "V"), _short(model, "A"), _short(current, "A")
            warnings.append(
                f"at the setpoint's {at} the model's current is {model_A}, the run's {run_A}: electrons that pass "
                "beside the spin, or a setpoint that was not reached, are not in the model"
            )
    return warnings


def _short(value: float, unit: str) -> str:
    return format_quantity(float(f"{value:.3g}"), unit)
