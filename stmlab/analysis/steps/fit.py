"""Inelastic steps in dI/dV: energies, heights and asymmetry of each pair (Muenks et al., Nat. Commun. 8, 14119).

A spin excitation of energy E opens a channel at e|V| = E: dI/dV rises by h_n at negative and by h_p at positive bias.
The steps of a correlated tip differ, and eta = (h_n - h_p) / (h_n + h_p) says by how much.

Two methods. "steps" fits dI/dV itself with steps as temperature and the lock-in's modulation broaden them: the energies
are the levels, and every point of a plateau counts. "gaussians" fits a Gaussian to each step in d2I/dV2, as in the
paper: it looks only near the steps, so that bent plateaus matter less, at larger errors.

Errors hold where the spectrum is steps and noise, even or uneven. Third order and pumping move what is read by 0.02 to
0.2 meV: in a residual that stands out of the noise this is seen, said and part of the errors, but within the noise it
cannot be (`stmlab.analysis.step_pull` has its size for a ramp).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.numbers import number
from stmlab.analysis.steps.curves import step_curves
from stmlab.analysis.steps.doubts import FittedSteps, step_warnings
from stmlab.analysis.steps.gaussians import fit_gaussians
from stmlab.analysis.steps.model import StepModel
from stmlab.analysis.steps.parameters import Estimates
from stmlab.analysis.steps.solution import StepSolution, one_pair_suffices, solve_steps, tilts
from stmlab.analysis.steps.spectrum import StepSpectrum
from stmlab.errors import FitError, PhysicsError
from stmlab.physics.constants import MEV_PER_V
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

METHODS = ("steps", "gaussians")
STEP_MODELS: Mapping[str, tuple[str, int]] = {
    "steps": ("steps", 2),
    "steps_one_pair": ("steps", 1),
    "gaussians": ("gaussians", 2),
    "gaussians_one_pair": ("gaussians", 1),
}
"""Name of the model -> method and number of pairs."""

_NAMES = {what: name for name, what in STEP_MODELS.items()}
_SMOOTH = 600  # points of the drawn curve
_LABELS = {"x": "bias", "x_unit": "V", "y": "dI/dV"}


def fit_steps(
    bias: ArrayLike,
    conductance: ArrayLike,
    *,
    temperature_K: float | None = None,
    modulation_V: float = 0.0,
    pairs: int = 2,
    method: str = "steps",
    window_V: float | None = 10e-3,
    sigma: ArrayLike | None = None,
    bias_offset: bool = True,
    background_slope: bool = True,
    plateau_slopes: bool | None = None,
    unit: str = "",
) -> FitResult:
    """Fit one or two pairs of steps.

    Args:
        bias: V, shape (n,), in any order, of both polarities.
        conductance: dI/dV, shape (n,), in any unit: S, or V of a lock-in's output.
        temperature_K: fixes the steps' width; None fits an effective temperature, common to all. "gaussians" has a
            width for each step instead.
        modulation_V: peak amplitude of the lock-in's sine at the junction, V.
        pairs: 2 (inner and outer) or 1 (then "inner").
        method: "steps" or "gaussians".
        window_V: fits within +- this bias; None takes the whole spectrum.
        sigma: standard deviation of the noise of each point, in the unit of the data, one number or shape (n,). Without
            it the errors are scaled by the residual.
        bias_offset: whether the steps' common zero is fitted ("steps"; the Gaussians' centres are free anyway).
        background_slope: whether the background has a slope ("steps"; it is the Gaussians' constant anyway). Fixed at
            0, heights and eta have smaller errors, which hold only if there is none.
        plateau_slopes: whether each plateau beyond the outermost step has a slope of its own ("steps"); None gives it
            one where the data ask for it, and says so in a warning.
        unit: of the conductance, written beside the heights.

    Returns:
        Parameters "inner_energy", "outer_energy" (meV), "inner_height_negative", "inner_height_positive" and so on
        (unit of the data), "background", with the options "background_slope", "plateau_slope_negative",
        "plateau_slope_positive" (unit of the data/V, by the bias's size), "bias_offset" (V), "temperature" (K), and
        derived "eta_inner", "eta_outer". The Gaussians have "inner_position_negative" (V), "inner_width_negative" (V,
        standard deviation) and so on instead of offset and temperature, and derived energies. Curves "x", "data",
        "fit", "residual", "x_smooth", "fit_smooth" of dI/dV, and "x_derivative", "derivative", "derivative_fit",
        "derivative_smooth" (at "x_smooth") of d2I/dV2.

    Raises:
        FitError: an argument out of its range, or data that do not suffice for the fit: too few points, one polarity,
            not finite, without steps.
    """
    model = _model(temperature_K, modulation_V, pairs, method, bias_offset, background_slope)
    free = len(model.names) if method == "steps" else 6 * pairs + 2
    data = StepSpectrum.checked(bias, conductance, sigma, window_V, free)
    try:
        found = solve_steps(data, model, plateau_slopes)
    except PhysicsError as error:
        raise FitError(str(error)) from error
    fit = fit_gaussians(data, found) if method == "gaussians" else _result(data, found)
    fit = replace(fit, model=_NAMES[method, pairs], choices={"fitted": data.cut} if data.cut else {})
    return _in_unit(fit, unit) if unit else fit


def _model(
    temperature_K: float | None, modulation_V: float, pairs: int, method: str, offset: bool, slope: bool
) -> StepModel:
    if method not in METHODS:
        raise FitError(f"method = {method!r}: {' or '.join(METHODS)} is allowed")
    if isinstance(pairs, bool) or pairs not in (1, 2):
        raise FitError(f"pairs = {pairs!r}: 1 or 2 is allowed")
    if temperature_K is not None and not 0 < number("temperature_K", temperature_K) < math.inf:
        raise FitError(f"temperature_K = {temperature_K!r} K: above 0, or None for one that is fitted, is allowed")
    if not 0 <= number("modulation_V", modulation_V) < math.inf:
        raise FitError(f"modulation_V = {modulation_V!r} V: 0 or more is allowed")
    fixed = None if method == "gaussians" else temperature_K
    return StepModel(pairs, fixed, modulation_V, offset or method == "gaussians", slope, False)


def _result(data: StepSpectrum, found: StepSolution) -> FitResult:
    estimates = _estimates(data, found)
    pairs = ("inner", "outer")[: found.model.pairs]
    parameters = [*estimates.settled(data.reach, data.unit), *(estimates.asymmetry(pair) for pair in pairs)]
    fit = found.model.value(found.vector, data.x)
    dof = len(data.x) - len(found.vector)
    chi_square = found.squares / dof if data.noise_known else None
    steps = FittedSteps(
        data,
        {parameter.name: parameter for parameter in parameters},
        pairs,
        len(found.vector),
        found.model.shape(found.vector).width_meV,
        found.places(),
        (data.y - fit) / data.noise,
        chi_square,
    )
    return FitResult(
        model="steps",
        parameters=tuple(parameters),
        free=estimates.names,
        covariance=estimates.covariance,
        points=len(data.x),
        residual=float(np.sqrt(np.mean((data.y - fit) ** 2))) * data.unit,
        reduced_chi_square=chi_square,
        warnings=_warnings(data, found) + step_warnings(steps),
        curves=_curves(data, found),
        labels=_LABELS,
    )


def _in_unit(fit: FitResult, unit: str) -> FitResult:
    """The result with the unit of the conductance, which a fit itself need not know."""

    def of(parameter: FitParameter) -> str:
        if "_height_" in parameter.name or parameter.name == "background":
            return unit
        return f"{unit}/V" if "slope" in parameter.name else parameter.unit

    parameters = tuple(replace(parameter, unit=of(parameter)) for parameter in fit.parameters)
    return replace(fit, parameters=parameters, labels={**fit.labels, "y_unit": unit})


def _estimates(data: StepSpectrum, found: StepSolution) -> Estimates:
    """The solver's vector in the names and units of the user: linear in it, but for the temperature."""
    model = found.model
    rows: list[tuple[str, str, dict[str, float]]] = [("inner_energy", "meV", {"energy": 1.0})]
    if model.pairs == 2:
        rows.append(("outer_energy", "meV", {"energy": 1.0, "gap": 1.0}))
    for name in model.linear[: 2 * model.pairs]:
        rows.append((name.replace("_", "_height_"), "", {name: data.unit}))
    rows.append(("background", "", {"background": data.unit}))
    slope = data.unit * MEV_PER_V
    if model.slope:
        rows.append(("background_slope", "1/V", {"slope": slope}))
    if model.plateaus:
        rows += [(f"plateau_slope_{side}", "1/V", {f"plateau_{side}": slope}) for side in ("negative", "positive")]
    if model.offset:
        rows.append(("bias_offset", "V", {"offset": 1 / MEV_PER_V}))
    factors = np.array([[weights.get(name, 0.0) for name in model.names] for _, _, weights in rows])
    names, units = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
    values = factors @ found.vector
    if model.temperature_K is None:
        warm = model.shape(found.vector).temperature_K
        factors = np.vstack([factors, warm * (np.array(model.names) == "log_temperature")])
        names, units, values = (*names, "temperature"), (*units, "K"), np.append(values, warm)
    return Estimates(names, values, factors @ found.covariance @ factors.T, units)


def _warnings(data: StepSpectrum, found: StepSolution) -> tuple[str, ...]:
    warnings = []
    if found.is_bent:
        warnings.append(
            "the plateaus beyond the outermost steps are not flat, as third-order scattering or pumping leave them: "
            "each is fitted with a slope of its own, and heights are those at the steps"
        )
    if tilts(data, found):
        warnings.append(
            "the background has a slope, which shifts heights and eta by more than their errors: "
            "background_slope=True fits it"
        )
    if found.model.pairs == 2 and one_pair_suffices(data, found):
        warnings.append(
            "one pair of steps describes the spectrum as well: the second is not significant (take steps_one_pair)"
        )
    return tuple(warnings)


def _curves(data: StepSpectrum, found: StepSolution) -> dict[str, FloatArray]:
    smooth = np.linspace(data.x[0], data.x[-1], _SMOOTH)
    fit = found.model.value(found.vector, data.x)
    return step_curves(data, fit, smooth, found.model.value(found.vector, smooth))
