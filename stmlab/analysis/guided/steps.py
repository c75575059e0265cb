"""Guided fits of inelastic steps in dI/dV."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.guided.guide import QUANTITIES, Guide, Quantity
from stmlab.analysis.guided.result import result
from stmlab.analysis.guided.solve import Solved, solve
from stmlab.analysis.residuals import is_structured, uneven_covariance
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.steps.curves import step_curves
from stmlab.analysis.steps.model import StepModel
from stmlab.analysis.steps.noise import widened
from stmlab.analysis.steps.parameters import Estimates
from stmlab.analysis.steps.spectrum import StepSpectrum
from stmlab.physics.constants import MEV_PER_V

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray
    from stmlab.results import FitParameter, FitResult

_SMOOTH = 400  # points of the drawn curve
_NAMES = {1: "steps_one_pair", 2: "steps"}


def guided_steps(
    bias: ArrayLike,
    conductance: ArrayLike,
    guide: Guide,
    *,
    temperature_K: float | None = None,
    modulation_V: float = 0.0,
    window_V: float | None = 10e-3,
    pairs: int = 2,
    unit: str = "",
) -> FitResult:
    """As `fit_steps` with the method "steps", guided; same parameters and curves, plateaus without slopes.

    A temperature that is given is fixed there.
    """
    name = _NAMES[pairs]
    quantities = _in_unit(QUANTITIES[name], unit)
    data = StepSpectrum.checked(bias, conductance, None, window_V, len(quantities))
    guide = guide.holding("temperature", temperature_K)

    def search() -> dict[str, float]:
        told = {"temperature_K": temperature_K, "modulation_V": modulation_V, "window_V": window_V, "pairs": pairs}
        fit = fit_steps(bias, conductance, plateau_slopes=False, **told)  # type: ignore[arg-type]
        return {parameter.name: parameter.value for parameter in fit.parameters}

    begun = guide.begun(quantities, search)
    model = StepModel(pairs, None, modulation_V, offset=True, slope=True, plateaus=False)

    def curve(values: Mapping[str, float], at: FloatArray = data.x) -> FloatArray:
        return model.value(_vector(model, values), at)

    measured = data.y * data.unit
    sizes = {q.name: data.unit for q in quantities if "height" in q.name or q.name == "background"}
    sizes |= {"background_slope": data.unit * MEV_PER_V / data.reach, "bias_offset": data.spacing / MEV_PER_V}
    solved = solve(quantities, curve, measured, begun, guide.fixed, sizes=sizes)
    width = model.shape(_vector(model, solved.values)).width_meV / data.spacing
    solved = replace(solved, covariance=_covariance(solved, measured - solved.curve, width))
    smooth = np.linspace(data.x[0], data.x[-1], _SMOOTH)
    curves = step_curves(data, solved.curve / data.unit, smooth, curve(solved.values, smooth) / data.unit)
    labels = {"x": "bias", "x_unit": "V", "y": "dI/dV", **({"y_unit": unit} if unit else {})}
    values = np.array([solved.values[free] for free in solved.free])
    estimates = Estimates(solved.free, values, solved.covariance, tuple("" for _ in solved.free))
    more = _asymmetries(estimates, ("inner", "outer")[:pairs])
    return result(name, quantities, solved, guide, begun, measured, curves, labels, more)


def _covariance(solved: Solved, left: FloatArray, width: float) -> FloatArray:
    """As the fit without a guide has it: for noise that is uneven, or not white."""
    covariance = uneven_covariance(solved.slopes, left)
    if not is_structured(left, len(solved.free)):
        return covariance
    return widened(covariance, np.asarray(np.linalg.pinv(solved.slopes), dtype=float), left, width)


def _vector(model: StepModel, values: Mapping[str, float]) -> FloatArray:
    """The values as the model's vector, whose energies count from each other and are meV."""
    inner = values["inner_energy"]
    known = {
        "energy": inner,
        "gap": values.get("outer_energy", inner) - inner,
        "offset": values["bias_offset"] * MEV_PER_V,
        "log_temperature": math.log(values["temperature"]),
        "background": values["background"],
        "slope": values["background_slope"] / MEV_PER_V,
    }
    return np.array([known[n] if n in known else values[n.replace("_", "_height_")] for n in model.names])


def _in_unit(quantities: tuple[Quantity, ...], unit: str) -> tuple[Quantity, ...]:
    """Heights in the unit of the data."""

    def of(quantity: Quantity) -> str:
        if "height" in quantity.name or quantity.name == "background":
            return unit
        return f"{unit}/V" if quantity.name == "background_slope" else quantity.unit

    return tuple(replace(quantity, unit=of(quantity)) for quantity in quantities)


def _asymmetries(estimates: Estimates, pairs: tuple[str, ...]) -> list[FitParameter]:
    """eta of the pairs whose heights were both fitted."""
    free = set(estimates.names)
    return [
        estimates.asymmetry(pair) for pair in pairs if {f"{pair}_height_negative", f"{pair}_height_positive"} <= free
    ]
