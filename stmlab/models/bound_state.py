"""The current through a Yu-Shiba-Rusinov state under a superconducting tip, over bias (Betz et al., section V)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.models.model import Curve, Curves, Derived, Measurement, Model, Number, Sweep, number
from stmlab.simulation.junctions.bound_state import BoundStateJunction

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Values

_SWEEP = Sweep("bias", "bias", "V", -2e-3, 2e-3, points=401)
_SETPOINT_BIAS = 10e-3  # V
_PARAMETERS = (
    Number("energy_meV", "ε", "meV", "of the bound state", 0.15, 1e-3, 5.0),
    Number("tip_gap_meV", "Δ_tip", "meV", "half width of the tip's gap", 0.55, 0.0, 5.0),
    Number("tip_broadening_meV", "γ", "meV", "Dynes parameter of the tip", 0.04, 1e-4, 1.0, True),
    Number("electron_rate_per_s", "γ_e", "1/s", "tunnelling into its electron part", 4e8, 1e3, 1e12, True),
    Number("hole_rate_per_s", "γ_h", "1/s", "tunnelling into its hole part", 2e8, 1e3, 1e12, True),
    Number("relaxation_rate_per_s", "Γ₁", "1/s", "relaxation into the bath", 4.2e9, 1e3, 1e12, True),
    Number("temperature_K", "T", "K", "of tip and bath", 0.05, 0.01, 10.0, True),
    Number("continuum_conductance_S", "G", "S", "far beyond the gaps", 0.0947e-6, 1e-10, 1e-5, True),
    Number("continuum_gap_meV", "Δ_t + Δ_s", "meV", "sum of both gaps", 1.3, 0.0, 10.0),
)


def _junction(values: Values) -> BoundStateJunction:
    return BoundStateJunction(**{parameter.name: number(values, parameter.name) for parameter in _PARAMETERS})


def _compute(values: Values, x: FloatArray) -> Curves:
    junction = _junction(values)
    derived = {
        "threshold": Derived("threshold", junction.threshold_V, "V", "bias where the bound state meets the tip's gap")
    }
    current = Curve("current", junction.static_current(x, 1.0))
    return Curves(x, {"current": current}, "current", "A", _SWEEP, derived)


def _measurement(values: Values) -> Measurement:
    junction = _junction(values)
    settings = {
        "setpoint_bias": _SETPOINT_BIAS,
        "setpoint_current": float(junction.static_current(np.array([_SETPOINT_BIAS]), 1.0)[0]),
        "temperature": number(values, "temperature_K"),
    }
    table = {parameter.name: number(values, parameter.name) for parameter in _PARAMETERS}
    return Measurement("didv", settings, "bound_state", table)


MODEL = Model(
    name="bound-state",
    title="current through a bound state under a superconducting tip",
    source="Betz et al., section V; Ruby et al., Phys. Rev. Lett. 115, 087001",
    parameters=_PARAMETERS,
    sweep=lambda _: _SWEEP,
    compute=_compute,
    measurement=_measurement,
)
