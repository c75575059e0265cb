"""Guided fits of the transport model to one spectrum or to all spectra of a ramp."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.guided.guide import QUANTITIES, Guide, Quantity
from stmlab.analysis.guided.result import result
from stmlab.analysis.guided.solve import solve
from stmlab.analysis.transport import fit_transport
from stmlab.analysis.transport.model import SpinParameters, SpinSetting, spectra
from stmlab.errors import FitError
from stmlab.physics.baths import DEFAULT_SCATTERING_S
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_OF_THE_TIP = ("exchange_slope_meV_per_uS", "correlation")
_SIZES = {
    "axial_anisotropy_meV": 1.0,
    "transverse_anisotropy_meV": 0.1,
    "exchange_slope_meV_per_uS": 0.1,
    "correlation": 0.1,
    "kondo_coupling": 0.01,
    "potential_scattering": 0.1,
    "bias_offset": 1e-5,
}


def guided_transport(
    bias: FloatArray,
    conductance: FloatArray,
    setpoint: FloatArray,
    guide: Guide,
    *,
    modulation_V: float = 0.0,
    temperature_K: float | None = None,
    field_T: float = 0.0,
    order: int = 3,
    scattering_S: float = DEFAULT_SCATTERING_S,
) -> FitResult:
    """As `fit_transport`, guided: one kind of exchange, all spectra with the same relative weight.

    Begins at `Guide.start`; what is not given there comes from `fit_transport`, which takes its time. Conductances
    begin where the spectra's means agree. A temperature that is given is fixed there.
    """
    parts = [np.flatnonzero(setpoint == value) for value in np.unique(setpoint)]
    if temperature_K is not None:
        guide = replace(
            guide, start={"temperature_K": temperature_K, **guide.start}, fixed=tuple({*guide.fixed, "temperature_K"})
        )
    kind = _kind(guide, len(parts))
    quantities = _quantities(kind, order, len(parts))
    setting = SpinSetting(kind, modulation_V=modulation_V, field_T=field_T, scattering_S=scattering_S, order=order)
    spins = tuple(quantity for quantity in quantities if not quantity.name.startswith("conductance"))

    def search() -> Mapping[str, float]:
        fit = fit_transport(
            bias,
            conductance,
            setpoint,
            modulation_V=modulation_V,
            temperature_K=temperature_K,
            field_T=field_T,
            order=order,
            scattering_S=scattering_S,
            exchange=(str(kind),),
        )
        return {"potential_scattering": 0.0, **{p.name: p.value for p in fit.parameters}}

    begun = guide.begun(spins, search)
    for k, part in enumerate(parts):
        begun[f"conductance_{k + 1}"] = _scale(setting, begun, bias[part], conductance[part], float(setpoint[part][0]))

    def curve(values: Mapping[str, float]) -> FloatArray:
        found = np.empty_like(conductance)
        parameters = _parameters(values)
        for k, part in enumerate(parts):
            found[part] = spectra(setting, parameters, np.array([values[f"conductance_{k + 1}"]]), bias[part])[0]
        return found

    weight = np.empty_like(conductance)
    for part in parts:
        weight[part] = 1.0 / np.sqrt(conductance[part].max())
    solved = solve(quantities, curve, conductance, begun, guide.fixed, sizes=_SIZES, weight=weight)
    labels = {"x": "bias", "x_unit": "V", "y": "dI/dV", "y_unit": "S"}
    fit = result("transport", quantities, solved, guide, begun, conductance, {"x": bias, "setpoint": setpoint}, labels)
    places = {f"conductance_{k + 1}": f"setpoint {_written(setpoint[part])}" for k, part in enumerate(parts)}
    parameters = tuple(replace(parameter, at=places.get(parameter.name, "")) for parameter in fit.parameters)
    return replace(fit, parameters=parameters, choices={"exchange": str(kind), **fit.choices})


def _kind(guide: Guide, count: int) -> ExchangeKind:
    if count == 1:
        return ExchangeKind.NONE
    try:
        return ExchangeKind(guide.exchange)
    except ValueError:
        raise FitError(
            f"exchange = {guide.exchange!r}: a guided fit of a ramp needs {', '.join(ExchangeKind)}"
        ) from None


def _quantities(kind: ExchangeKind, order: int, count: int) -> tuple[Quantity, ...]:
    left_out = {"kondo_coupling"} if order == 2 else set()
    left_out |= set(_OF_THE_TIP) if kind is ExchangeKind.NONE else set()
    spins = (quantity for quantity in QUANTITIES["transport"] if quantity.name not in left_out)
    return (*spins, *(Quantity(f"conductance_{k + 1}", "S", positive=True) for k in range(count)))


def _parameters(values: Mapping[str, float]) -> SpinParameters:
    return SpinParameters(**{name: value for name, value in values.items() if not name.startswith("conductance")})


def _scale(
    setting: SpinSetting, begun: Mapping[str, float], bias: FloatArray, conductance: FloatArray, setpoint: float
) -> float:
    """The conductance at which the model's mean is that of the data."""
    parameters = _parameters(begun)
    found = spectra(setting, parameters, np.array([setpoint]), bias)[0]
    return setpoint * float(conductance.mean() / found.mean())


def _written(setpoint: FloatArray) -> str:
    return format_quantity(float(setpoint[0]), "S")
