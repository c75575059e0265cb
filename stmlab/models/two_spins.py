"""Noise spectra of two spins under a tunnel current (Horovitz and Henkel)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.models.model import Choice, Curve, Curves, Derived, Model, Number, Sweep, number
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.dark_state import dark_state
from stmlab.physics.entanglement import (
    concurrence,
    entanglement_of_formation,
    logarithmic_negativity,
    mutual_information,
)
from stmlab.physics.two_spins import MasterEquation, TwoSpins, correlation_spectra

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Values

_ENERGIES = ("larmor", "larmor_difference", "exchange", "dzyaloshinskii_moriya", "dipolar")
_PLAIN = ("coupling_1", "coupling_2", "theta", "phi", "dipolar_angle")
_BOTH_UP = np.diag([1.0, 0.0, 0.0, 0.0]).astype(complex)
_ENTANGLEMENT = {
    "negativity": ("E_N", "", logarithmic_negativity),
    "concurrence": ("C", "", concurrence),
    "entanglement_of_formation": ("E_F", "", entanglement_of_formation),
    "mutual_information": ("S₁₂", "", mutual_information),
}


def spins(values: Values) -> TwoSpins:
    """The two spins of these values, in meV.

    Raises:
        PhysicsError: a value outside what the model is defined for.
    """
    return TwoSpins(
        **{name: number(values, f"{name}_meV") for name in _ENERGIES},
        **{name: number(values, name) for name in _PLAIN},
        bias=1e3 * number(values, "bias"),
        thermal_energy=K_B_MEV_PER_K * number(values, "temperature_K"),
        master_equation=MasterEquation(str(values["master_equation"])),
    )


def _sweep(values: Values) -> Sweep:
    interactions = (abs(number(values, f"{name}_meV")) for name in ("exchange", "dzyaloshinskii_moriya", "dipolar"))
    spins_alone = abs(number(values, "larmor_meV")) + 0.5 * abs(number(values, "larmor_difference_meV"))
    reach = spins_alone + 4.0 * sum(interactions)
    return Sweep("energy", "ħω", "meV", -0.05 * max(reach, 0.1), 1.25 * max(reach, 0.1), points=801)


def _compute(values: Values, x: FloatArray) -> Curves:
    pair, weight = spins(values), number(values, "singlet_weight")
    start = weight * dark_state() + (1.0 - weight) * _BOTH_UP
    found = correlation_spectra(pair, x, initial=start)
    y = {
        "both_spins": Curve("C₁, both spins", found.both_spins),
        "one_spin": Curve("C₂, one spin", found.one_spin),
        "double_flip": Curve("C₃, flip against each other", found.double_flip),
    }
    derived = {
        f"energy_{state}": Derived(f"E({state})", energy, "meV", f"level of the state {state}")
        for state, energy in pair.levels.items()
    }
    derived["linewidth"] = Derived("linewidth", pair.linewidth, "meV", "largest rate out of a state")
    state = pair.generator.steady_state(start)
    derived |= {
        name: Derived(symbol, float(measure(state)), unit, f"{name.replace('_', ' ')} of the steady state")
        for name, (symbol, unit, measure) in _ENTANGLEMENT.items()
    }
    return Curves(x, y, "noise spectrum", "1/meV", _sweep(values), derived)


MODEL = Model(
    name="two-spins",
    title="noise spectra of two spins 1/2 under a tunnel current",
    source="Horovitz and Henkel, Phys. Rev. B 104, L081405",
    parameters=(
        Number("larmor_meV", "ν", "meV", "Larmor energy, mean of both", 0.1, -2.0, 2.0),
        Number("larmor_difference_meV", "δν", "meV", "Larmor energy of spin 1 less that of spin 2", 0.0, -2.0, 2.0),
        Number("exchange_meV", "J_ex", "meV", "exchange, above 0 for parallel spins", 0.2, -2.0, 2.0),
        Number("dzyaloshinskii_moriya_meV", "J_DM", "meV", "Dzyaloshinskii-Moriya interaction", 0.0, -2.0, 2.0),
        Number("dipolar_meV", "b", "meV", "dipolar coupling, 0.215 µeV nm³/r³ for g = 2", 0.0, -1.0, 1.0),
        Number("dipolar_angle", "β", "rad", "of the line between the spins from the field", 0.0, -6.2832, 6.2832),
        Number("bias", "V", "V", "bias; its size matters", 1e-3, 0.0, 20e-3),
        Number("coupling_1", "λ₁", "", "coupling of spin 1 to the current", 0.01, 1e-5, 1.0, True),
        Number("coupling_2", "λ₂", "", "coupling of spin 2 to the current", 0.009, 1e-5, 1.0, True),
        Number("theta", "θ", "rad", "spin-orbit angle of spin 2's tunnelling", 0.0, -6.2832, 6.2832),
        Number("phi", "φ", "rad", "spin-orbit phase", 0.0, -6.2832, 6.2832),
        Number("temperature_K", "T", "K", "temperature of the electrons", 0.5, 0.01, 30.0, True),
        Number("singlet_weight", "p", "", "of the singlet in its beginning, if that matters", 0.0, 0.0, 1.0),
        Choice("master_equation", "equation", "energies that the dissipator knows", tuple(map(str, MasterEquation))),
    ),
    sweep=_sweep,
    compute=_compute,
)
