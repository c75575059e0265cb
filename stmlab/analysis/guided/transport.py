"""Guided fits of the transport model to one spectrum or to all spectra of a ramp."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
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

    from stmlab.arrays import FloatArray, IntArray
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
    guide = guide.holding("temperature_K", temperature_K)
    ramp = _Ramp(bias, conductance, setpoint)
    kind = _kind(guide, len(ramp.parts))
    quantities = _quantities(kind, order, len(ramp.parts))
    setting = SpinSetting(kind, modulation_V=modulation_V, field_T=field_T, scattering_S=scattering_S, order=order)

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

    spins = tuple(quantity for quantity in quantities if not quantity.name.startswith("conductance"))
    begun = guide.begun(spins, search)
    begun |= ramp.conductances(setting, begun)
    solved = solve(
        quantities,
        lambda values: ramp.curve(setting, values),
        conductance,
        begun,
        guide.fixed,
        sizes=_SIZES,
        weight=ramp.weight(),
    )
    labels = {"x": "bias", "x_unit": "V", "y": "dI/dV", "y_unit": "S"}
    fit = result("transport", quantities, solved, guide, begun, conductance, {"x": bias, "setpoint": setpoint}, labels)
    places = ramp.places()
    parameters = tuple(replace(parameter, at=places.get(parameter.name, "")) for parameter in fit.parameters)
    return replace(fit, parameters=parameters, choices={"exchange": str(kind), **fit.choices})


@dataclass(frozen=True, eq=False)
class _Ramp:
    """Spectra at one setpoint conductance or several; each array of shape (n,)."""

    bias: FloatArray
    conductance: FloatArray
    setpoint: FloatArray

    @cached_property
    def parts(self) -> dict[str, IntArray]:
        """Conductance that is fitted to a spectrum -> its points."""
        values = np.unique(self.setpoint)
        return {f"conductance_{k}": np.flatnonzero(self.setpoint == value) for k, value in enumerate(values, 1)}

    def curve(self, setting: SpinSetting, values: Mapping[str, float]) -> FloatArray:
        found = np.empty_like(self.conductance)
        parameters = _parameters(values)
        for name, part in self.parts.items():
            found[part] = spectra(setting, parameters, np.array([values[name]]), self.bias[part])[0]
        return found

    def conductances(self, setting: SpinSetting, begun: Mapping[str, float]) -> dict[str, float]:
        """At which the model's mean is that of each spectrum."""
        found = {}
        for name, part in self.parts.items():
            setpoint = self.setpoint[part][:1]
            model = spectra(setting, _parameters(begun), setpoint, self.bias[part])[0]
            found[name] = float(setpoint[0]) * float(self.conductance[part].mean() / model.mean())
        return found

    def weight(self) -> FloatArray:
        found = np.empty_like(self.conductance)
        for part in self.parts.values():
            found[part] = 1.0 / np.sqrt(self.conductance[part].max())
        return found

    def places(self) -> dict[str, str]:
        """Where each conductance was measured."""
        return {
            name: f"setpoint {format_quantity(float(self.setpoint[part][0]), 'S')}" for name, part in self.parts.items()
        }


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
