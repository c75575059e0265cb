"""Two magnetic molecules in a junction: their exchange through its electrons, and its currents (Fransson, Ren, Zhu)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.models.model import Choice, Curve, Curves, Model, Number, Sweep, number
from stmlab.physics.molecular_currents import molecular_currents
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import molecular_exchange

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Values, Where

_OVER = {
    "chemical potential": Sweep("chemical_potential_meV", "chemical potential", "meV", -3.0, 3.0, points=121),
    "bias": Sweep("bias", "bias", "V", -6e-3, 6e-3, points=121),
    "temperature difference": Sweep("temperature_difference_K", "temperature difference", "K", 0.0, 100.0, points=121),
}
_EXCHANGE: Where = ("quantity", ("exchange",))
_DIMER = (
    Number("left_polarisation", "p_L", "", "of the left lead", 0.0, -0.999, 0.999),
    Number("right_polarisation", "p_R", "", "of the right lead", 0.0, -0.999, 0.999),
    Number("level_1_meV", "ε₁", "meV", "level of molecule 1", 0.0, -10.0, 10.0),
    Number("level_2_meV", "ε₂", "meV", "level of molecule 2", 0.0, -10.0, 10.0),
    Number("splitting_1_meV", "Δ₁", "meV", "spin splitting of level 1", 0.0, -5.0, 5.0),
    Number("splitting_2_meV", "Δ₂", "meV", "spin splitting of level 2", 0.0, -5.0, 5.0),
    Number("tunnelling_meV", "T_c", "meV", "between the levels", 1.0, 0.01, 10.0, True),
    Number("spin_coupling_1_meV", "J₁", "meV", "electrons to moment 1", 1.0, -5.0, 5.0, where=_EXCHANGE),
    Number("spin_coupling_2_meV", "J₂", "meV", "electrons to moment 2", 1.0, -5.0, 5.0, where=_EXCHANGE),
    Number("left_coupling_meV", "Γ_L", "meV", "level 1 to the left lead", 1 / 6, 0.01, 5.0, True),
    Number("right_coupling_meV", "Γ_R", "meV", "level 2 to the right lead", 1 / 6, 0.01, 5.0, True),
)


def _unless(drawn_over: str) -> tuple[str, tuple[str, ...]]:
    """What a parameter needs that would itself be the axis."""
    return "over", tuple(word for word in _OVER if word != drawn_over)


def _sweep(values: Values) -> Sweep:
    return _OVER[str(values["over"])]


def dimer(values: Values) -> Dimer:
    """The molecules of these values."""
    return Dimer(**{parameter.name: number(values, parameter.name) for parameter in _DIMER})


def _compute(values: Values, x: FloatArray) -> Curves:
    leads: dict[str, float | FloatArray] = {
        "chemical_potential_meV": number(values, "chemical_potential_meV"),
        "bias_mV": 1e3 * number(values, "bias"),
        "temperature_difference_K": number(values, "temperature_difference_K"),
    }
    scale = {"bias": 1e3}.get(str(values["over"]), 1.0)
    names = dict(zip(_OVER, leads, strict=True))
    leads[names[str(values["over"])]] = scale * x
    quantity = str(values["quantity"])
    label, unit, curves = _QUANTITIES[quantity]
    found = curves(dimer(values), Leads(left_temperature_K=number(values, "left_temperature_K"), **leads))
    spread = {name: Curve(curve.label, np.broadcast_to(curve.values, x.shape)) for name, curve in found.items()}
    return Curves(x, spread, label, unit, _sweep(values))


def _exchange(molecules: Dimer, leads: Leads) -> dict[str, Curve]:
    found = molecular_exchange(molecules, leads)
    return {
        "heisenberg": Curve("J, Heisenberg", found.heisenberg_meV),
        "ising": Curve("I, Ising", found.ising_meV),
        "dzyaloshinskii_moriya": Curve("D, Dzyaloshinskii-Moriya", found.dzyaloshinskii_moriya_meV),
    }


def _current(molecules: Dimer, leads: Leads) -> dict[str, Curve]:
    found = molecular_currents(molecules, leads)
    up, down = found.spin_resolved_A
    return {
        "charge_current": Curve("I", found.charge_A),
        "spin_current": Curve("I↑ - I↓, spin current times 2e/ħ", found.spin_A),
        "current_up": Curve("I↑", up),
        "current_down": Curve("I↓", down),
    }


def _conductance(molecules: Dimer, leads: Leads) -> dict[str, Curve]:
    up, down = molecular_currents(molecules, leads).conductance_S
    return {
        "charge_conductance": Curve("dI/dV", up + down),
        "conductance_up": Curve("dI↑/dV", up),
        "conductance_down": Curve("dI↓/dV", down),
    }


def _seebeck(molecules: Dimer, leads: Leads) -> dict[str, Curve]:
    found = molecular_currents(molecules, leads)
    return {
        "seebeck": Curve("S", found.seebeck_V_per_K),
        "spin_seebeck": Curve("S of the spin current", found.spin_seebeck_V_per_K),
    }


_QUANTITIES = {
    "exchange": ("exchange energy", "meV", _exchange),
    "current": ("current", "A", _current),
    "conductance": ("dI/dV", "S", _conductance),
    "Seebeck coefficient": ("Seebeck coefficient", "V/K", _seebeck),
}


MODEL = Model(
    name="molecules",
    title="two magnetic molecules in a junction: exchange, currents of charge and spin, Seebeck coefficient",
    source="Fransson, Ren and Zhu",
    parameters=(
        Choice("quantity", "", "what is computed", tuple(_QUANTITIES)),
        Choice("over", "", "what the curves are drawn over", tuple(_OVER)),
        Number(
            "chemical_potential_meV",
            "μ",
            "meV",
            "of both leads without bias",
            0.0,
            -20.0,
            20.0,
            where=_unless("chemical potential"),
        ),
        Number("bias", "V", "V", "mu_L - mu_R over e", 0.0, -20e-3, 20e-3, where=_unless("bias")),
        Number("left_temperature_K", "T_L", "K", "of the left lead", 1.0, 0.05, 400.0, True),
        Number(
            "temperature_difference_K",
            "ΔT",
            "K",
            "right lead less left lead",
            0.0,
            0.0,
            400.0,
            where=_unless("temperature difference"),
        ),
        *_DIMER,
    ),
    sweep=_sweep,
    compute=_compute,
)
