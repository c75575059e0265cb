"""Guided fits of the SRS line over frequency and of the decay over delay (Betz et al., eq. 1 and Fig. S1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.decay import fit_decay
from stmlab.analysis.guided.guide import QUANTITIES, Guide, Quantity
from stmlab.analysis.guided.result import derived, result
from stmlab.analysis.guided.solve import Solved, solve
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.numbers import finite
from stmlab.errors import FitError
from stmlab.physics.stochastic_resonance import two_width_line_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray
    from stmlab.results import FitParameter, FitResult

_SMOOTH = 400  # points of the drawn curve
_MODELS = {1: "srs", 2: "srs_two_widths"}
_SIDES = {"both": (1, -1), "positive": (1,), "negative": (-1,)}


def guided_srs(frequency: ArrayLike, current: ArrayLike, guide: Guide, *, harmonics: int = 1) -> FitResult:
    """As `fit_srs`, guided; same parameters and curves."""
    x, y = _ordered("frequency", frequency, "current", current)
    model = _MODELS[harmonics]
    quantities = QUANTITIES[model]
    begun = guide.begun(quantities, lambda: _values(fit_srs(x, y, harmonics=harmonics)))

    def curve(values: Mapping[str, float], at: FloatArray = x) -> FloatArray:
        return two_width_line_shape(
            at, values["rate"], values["step"], values.get("half_width_step", 0.0), values["offset"]
        )

    solved = solve(quantities, curve, y, begun, guide.fixed, sizes=_sizes(quantities, y))
    rate = solved.values["rate"]
    more = [
        derived(solved, "frequency", rate / (2 * np.pi), {"rate": 1 / (2 * np.pi)}, "Hz"),
        derived(solved, "lifetime", 1 / rate, {"rate": -1 / rate**2}, "s"),
    ]
    labels = {"x": "microwave frequency", "x_unit": "Hz", "x_scale": "log", "y": "SRS current", "y_unit": "A"}
    smooth = np.geomspace(x[0], x[-1], _SMOOTH)
    curves = {"x": x, "x_smooth": smooth, "fit_smooth": curve(solved.values, smooth)}
    return result(model, quantities, solved, guide, begun, y, curves, labels, _if_free(solved, "rate", more))


def guided_decay(
    delay: ArrayLike, current: ArrayLike, guide: Guide, *, exclusion: float = 0.0, sides: str = "both"
) -> FitResult:
    """As `fit_decay`, guided; same parameters and curves."""
    t, y = _ordered("delay", delay, "current", current)
    if sides not in _SIDES:
        raise FitError(f"sides = {sides!r}: one of {', '.join(_SIDES)} is allowed")
    kept = (np.abs(t) > exclusion) & np.isin(np.sign(t), _SIDES[sides])
    left_out, (t, y) = (t[~kept], y[~kept]), (t[kept], y[kept])
    there = {"height_positive": bool((t > 0).any()), "height_negative": bool((t < 0).any())}
    quantities = tuple(quantity for quantity in QUANTITIES["decay"] if there.get(quantity.name, True))
    begun = guide.begun(quantities, lambda: _values(fit_decay(t, y, exclusion=exclusion, sides=sides)))

    def curve(values: Mapping[str, float], at: FloatArray = t) -> FloatArray:
        height = np.where(at > 0, values.get("height_positive", 0.0), values.get("height_negative", 0.0))
        decayed: FloatArray = values["offset"] + height * np.exp(-np.abs(at) / values["T1"])
        return decayed

    solved = solve(quantities, curve, y, begun, guide.fixed, sizes=_sizes(quantities, y))
    time = solved.values["T1"]
    more = [derived(solved, "rate", 1 / time, {"T1": -1 / time**2}, "1/s")]
    labels = {"x": "delay from pump to probe", "x_unit": "s", "y": "pump-probe current", "y_unit": "A"}
    smooth = np.linspace(t[0], t[-1], _SMOOTH)
    smooth = smooth[np.abs(smooth) >= np.abs(t).min()]
    curves = {"x": t, "x_smooth": smooth, "fit_smooth": curve(solved.values, smooth)}
    curves |= {"x_excluded": left_out[0], "data_excluded": left_out[1]}
    return result("decay", quantities, solved, guide, begun, y, curves, labels, _if_free(solved, "T1", more))


def _ordered(x_name: str, x: ArrayLike, y_name: str, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Both as arrays, in rising x."""
    at, values = finite(x_name, x), finite(y_name, y)
    if at.ndim != 1 or at.shape != values.shape or not at.size:
        raise FitError(f"{x_name} has shape {at.shape}, {y_name} {values.shape}: one value for each is needed")
    order = np.argsort(at, kind="stable")
    return at[order], values[order]


def _values(fit: FitResult) -> dict[str, float]:
    return {parameter.name: parameter.value for parameter in fit.parameters}


def _sizes(quantities: tuple[Quantity, ...], y: FloatArray) -> dict[str, float]:
    """A current that begins at 0 is measured by the span of the data."""
    return {quantity.name: float(np.ptp(y)) for quantity in quantities if quantity.unit == "A"}


def _if_free(solved: Solved, name: str, more: list[FitParameter]) -> list[FitParameter]:
    return more if name in solved.free else []
