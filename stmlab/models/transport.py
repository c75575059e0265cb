"""dI/dV of a spin under the tip, coupled to a spin on the tip or not (Muenks et al.), as a lock-in reads it.

Its slope comes with the asymmetries of the steps as the paper finds them, by four Gaussians within +-10 mV.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.step_asymmetry import fitted_steps, level_steps
from stmlab.analysis.transport import model as lock_in
from stmlab.analysis.transport.model import Grid, SpinParameters, SpinSetting
from stmlab.errors import FitError, PhysicsError
from stmlab.models.model import Choice, Curve, Curves, Derived, Measurement, Model, Number, Sweep, number
from stmlab.models.spin_states import close_levels
from stmlab.physics.coherent import spin_state, takes_coherences
from stmlab.physics.constants import MEV_PER_V
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.physics.junction import Equation, Occupation, PolarisingState
from stmlab.physics.transport import conductances
from stmlab.simulation.junctions.coupled_spins import CoupledSpins

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Values, Where
    from stmlab.physics.transport import TunnelJunction

_SWEEP = Sweep("bias", "bias", "V", -10e-3, 10e-3, points=401)
_FITTED = ("axial_anisotropy_meV", "transverse_anisotropy_meV", "temperature_K")
_OF_THE_TIP = ("exchange_slope_meV_per_uS", "correlation")
_SETPOINT_BIAS = 10e-3  # V
_QUANTITIES = {"dI/dV": ("didv", "S"), "d2I/dV2": ("d2idv2", "S/V"), "I": ("current", "A")}
_MOMENT = "moment"
_LOCK_IN: Where = "quantity", ("dI/dV", "d2I/dV2")
_PUMPED: Where = "occupation", (str(Occupation.STEADY),)
_WITH_TIP_SPIN: Where = ("exchange", ("heisenberg", "ising"))


def _setting(values: Values) -> SpinSetting:
    return SpinSetting(
        exchange=ExchangeKind(str(values["exchange"])),
        spin=float(values["spin"]),
        tip_spin=float(values["tip_spin"]),
        g_factor=number(values, "g_factor"),
        field_T=number(values, "field"),
        modulation_V=number(values, "modulation"),
        scattering_S=number(values, "scattering"),
        order=int(values["order"]),
    )


def _parameters(values: Values) -> SpinParameters:
    tip = {} if values["exchange"] == "none" else {name: number(values, name) for name in _OF_THE_TIP}
    own = {name: number(values, name) for name in (*_FITTED, "potential_scattering", "kondo_coupling")}
    return SpinParameters(**own, **tip)


def junction(values: Values) -> TunnelJunction:
    """The junction of these values.

    Raises:
        PhysicsError: a value outside what the model is defined for.
    """
    found = lock_in.junction(_setting(values), _parameters(values), number(values, "conductance"))
    occupation, polarising = Occupation(str(values["occupation"])), PolarisingState(str(values["polarising_state"]))
    tip = replace(found.tip, polarisation=(0.0, 0.0, number(values, "tip_polarisation")))
    equation = Equation(str(values["equation"]))
    return replace(found, occupation=occupation, polarising_state=polarising, tip=tip, equation=equation)


def _compute(values: Values, x: FloatArray) -> Curves:
    found = junction(values)
    if (quantity := str(values["quantity"])) == _MOMENT:
        return Curves(x, _moments(found, x), "<S> along z", "", _SWEEP, _steps(values, found), close_levels(found, x))
    name, unit = _QUANTITIES[quantity]
    curve = Curve(quantity, found.current(x) if quantity == "I" else _read(values, found, x))
    return Curves(x, {name: curve}, quantity, unit, _SWEEP, _steps(values, found), close_levels(found, x))


def _moments(found: TunnelJunction, x: FloatArray) -> dict[str, Curve]:
    """<Sz> of each spin, by the density matrix where the current has one."""
    spins = range(len(found.system.spins))
    if takes_coherences((found,), MEV_PER_V * x)[0]:
        moments = spin_state(found, x, Equation.COHERENT).spins[:, :, 2].T
    else:
        expected = np.array([found.system.eigensystem.spin_expectations(spin)[:, 2] for spin in spins])
        moments = expected @ found.occupations(x).T
    names = ("sample", "tip")
    return {f"{names[spin]}_moment": Curve(f"spin of the {names[spin]}", moments[spin]) for spin in spins}


def _read(values: Values, found: TunnelJunction, x: FloatArray) -> FloatArray:
    """dI/dV, or its slope, with temperature and modulation."""
    grid = Grid.over(float(x.min()), float(x.max()), number(values, "modulation"), number(values, "temperature_K"))
    read = grid.read(conductances([found], grid.bias_V), x, slope=values["quantity"] == "d2I/dV2")
    return np.asarray(read[0])


def _steps(values: Values, found: TunnelJunction) -> dict[str, Derived]:
    """Energies of the two strongest steps; of the slope also the asymmetries of their heights."""
    inner, outer = [*level_steps(found.system), np.nan, np.nan][:2]
    derived = {
        "inner_step": Derived("inner step", float(inner), "meV", "lower one of the two strongest excitations"),
        "outer_step": Derived("outer step", float(outer), "meV", "upper one of them"),
    }
    if values["quantity"] != "d2I/dV2":
        return derived
    try:
        steps = fitted_steps(found, number(values, "modulation"))
    except FitError:  # no four Gaussians: the asymmetries are not defined
        pair = np.nan, np.nan
    else:
        pair = steps.inner, steps.outer
    about = "asymmetry (h_n - h_p)/(h_n + h_p) of the {} steps' heights, by four Gaussians"
    return derived | {
        f"{which}_asymmetry": Derived(symbol, float(eta), "", about.format(which))
        for which, symbol, eta in zip(("inner", "outer"), ("η_i", "η_o"), pair, strict=True)
    }


def _starts(values: Values) -> dict[str, float]:
    kondo = {"kondo_coupling": number(values, "kondo_coupling")} if values["order"] == "3" else {}
    tip = () if values["exchange"] == "none" else _OF_THE_TIP
    names = (*_FITTED, *tip, "potential_scattering")
    return {**{name: number(values, name) for name in names}, **kondo}


def _measurement(values: Values) -> Measurement:
    if (values["occupation"], values["polarising_state"]) != (Occupation.STEADY, PolarisingState.DETAILED):
        raise PhysicsError("the simulated microscope has occupation = steady and polarising_state = detailed")
    table = _table(values)
    field = 0.0, 0.0, number(values, "field")
    sample = CoupledSpins(**{**table, "field_T": field})  # type: ignore[arg-type]
    current = sample.static_current(np.array([_SETPOINT_BIAS]), 1.0)
    settings = {
        "setpoint_bias": _SETPOINT_BIAS,
        "setpoint_current": float(current[0]),
        "modulation": number(values, "modulation"),
        "temperature": number(values, "temperature_K"),
        "field": number(values, "field"),
    }
    return Measurement("didv", settings, "coupled_spins", table)


def _table(values: Values) -> dict[str, float | str | list[float]]:
    """Of the sample."""
    table: dict[str, float | str | list[float]] = {
        "spin": float(values["spin"]),
        **{name: number(values, name) for name in _FITTED},
        "conductance_S": number(values, "conductance"),
        "g_factor": number(values, "g_factor"),
        "field_T": [0.0, 0.0, number(values, "field")],
        "sample_scattering_S": number(values, "scattering"),
        "potential_scattering": number(values, "potential_scattering"),
        "order": int(values["order"]),
        "coupling": number(values, "kondo_coupling") if values["order"] == "3" else 0.0,
        "tip_polarisation": [0.0, 0.0, number(values, "tip_polarisation")],
        "equation": str(values["equation"]),
    }
    if values["exchange"] != "none":
        table |= {"tip_spin": float(values["tip_spin"]), "exchange": str(values["exchange"])}
        table |= {name: number(values, name) for name in _OF_THE_TIP}
    return table


MODEL = Model(
    name="transport",
    title="dI/dV of a spin under a tip with or without a spin: steps, asymmetry, exchange",
    source="Muenks et al.; Ternes, New J. Phys. 17, 063016",
    parameters=(
        Choice("quantity", "", "what is drawn", (*_QUANTITIES, _MOMENT)),
        Choice("spin", "S", "spin of the sample", ("1", "0.5", "1.5", "2", "2.5")),
        Number("axial_anisotropy_meV", "D", "meV", "axial anisotropy", -4.2, -20.0, 20.0),
        Number("transverse_anisotropy_meV", "E", "meV", "transverse anisotropy", 0.87, 0.0, 5.0),
        Number("g_factor", "g", "", "g factor", 2.0, 0.5, 4.0),
        Number("field", "B", "T", "magnetic field along z", 0.0, -15.0, 15.0),
        Number("temperature_K", "T", "K", "temperature of electrons and spins", 2.0, 0.05, 30.0, logarithmic=True),
        Number("conductance", "G", "S", "conductance of the junction", 0.1e-6, 1e-9, 20e-6, logarithmic=True),
        Number("modulation", "V_mod", "V", "peak modulation at the junction", 0.1e-3, 0.0, 5e-3, where=_LOCK_IN),
        Choice("exchange", "", "coupling to the spin of the tip", ("none", "heisenberg", "ising")),
        Choice("tip_spin", "S_tip", "spin of the tip", ("0.5", "1", "1.5"), where=_WITH_TIP_SPIN),
        Number(
            "exchange_slope_meV_per_uS",
            "J/G",
            "meV/uS",
            "exchange over the conductance",
            3.6,
            -20.0,
            20.0,
            where=_WITH_TIP_SPIN,
        ),
        Number(
            "correlation",
            "C",
            "",
            "correlation of the tip's spin with its electrons",
            -0.5,
            -1.0,
            1.0,
            where=_WITH_TIP_SPIN,
        ),
        Number("tip_polarisation", "P", "", "of the tip's electrons, along z", 0.0, -1.0, 1.0),
        Choice("order", "", "of the scattering from the spin", ("3", "2")),
        Number(
            "kondo_coupling",
            "Jρ",
            "",
            "coupling to the sample's electrons, in third order",
            -0.05,
            -0.3,
            0.3,
            where=("order", ("3",)),
        ),
        Number("potential_scattering", "U", "", "electrons that pass without flipping a spin", 0.0, -3.0, 3.0),
        Choice("equation", "", "coherence of close levels: where it matters, never, always", tuple(map(str, Equation))),
        Choice("occupation", "", "of the states: pumped by the current, or thermal", tuple(map(str, Occupation))),
        Number("scattering", "G₁₁", "S", "sample's electrons from the spin", 2e-6, 1e-8, 1e-4, True, _PUMPED),
        Choice(
            "polarising_state",
            "",
            "state that polarises the tip's electrons",
            tuple(map(str, (PolarisingState.DETAILED, PolarisingState.INITIAL, PolarisingState.AVERAGE))),
            where=_WITH_TIP_SPIN,
        ),
    ),
    sweep=lambda _: _SWEEP,
    compute=_compute,
    channel="conductance",
    fit="transport",
    starts=_starts,
    measurement=_measurement,
)
