"""Two spins under a tunnel current: their noise spectra, their entanglement in time (Horovitz and Henkel)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.models.model import Choice, Curve, Curves, Derived, Model, Number, Sweep, number
from stmlab.physics.constants import HBAR_MEV_S, K_B_MEV_PER_K
from stmlab.physics.dark_state import dark_state, transient
from stmlab.physics.entanglement import (
    concurrence,
    entanglement_of_formation,
    logarithmic_negativity,
    mutual_information,
)
from stmlab.physics.two_spins import MasterEquation, TwoSpins, correlation_spectra, induced_interactions

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Values, Where

_ENERGIES = ("larmor", "larmor_difference", "dipolar")
_GIVEN, _INDUCED = "given", "induced"
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
    exchange, moriya = _interactions(values)
    return TwoSpins(
        **{name: number(values, f"{name}_meV") for name in _ENERGIES},
        exchange=exchange,
        dzyaloshinskii_moriya=moriya,
        **{name: number(values, name) for name in _PLAIN},
        bias=1e3 * number(values, "bias"),
        thermal_energy=K_B_MEV_PER_K * number(values, "temperature_K"),
        master_equation=MasterEquation(str(values["master_equation"])),
    )


_NOISE, _ENTANGLED, _POPULATED = "noise spectrum", "entanglement", "populations"
_AS_GIVEN: Where = ("interactions", (_GIVEN,))
_IN_TIME: Where = ("quantity", (_ENTANGLED, _POPULATED))
_PRODUCTS = ("ud", "uu", "du", "dd")
_BASIS = ("uu", "ud", "du", "dd")
_MOST_MEASUREMENTS = 1000
_TURNS = 100.0  # of the Larmor precession, over two pi


def _interactions(values: Values) -> tuple[float, float]:
    """J_ex and J_DM in meV: as given, or as the electrons of both electrodes induce them (eq. 7)."""
    if values["interactions"] == _GIVEN:
        return number(values, "exchange_meV"), number(values, "dzyaloshinskii_moriya_meV")
    plain = {name: number(values, name) for name in ("coupling_1", "coupling_2", "theta", "phi")}
    return induced_interactions(**plain, bandwidth=number(values, "bandwidth_meV"), bias=1e3 * number(values, "bias"))


def _sweep(values: Values) -> Sweep:
    if values["quantity"] != _NOISE:
        larmor = max(abs(number(values, "larmor_meV")), 1e-3)
        return Sweep("time", "time", "s", 0.0, _TURNS * HBAR_MEV_S / larmor, points=401)
    interactions = map(abs, (*_interactions(values), number(values, "dipolar_meV")))
    spins_alone = abs(number(values, "larmor_meV")) + 0.5 * abs(number(values, "larmor_difference_meV"))
    reach = spins_alone + 4.0 * sum(interactions)
    return Sweep("energy", "ħω", "meV", -0.05 * max(reach, 0.1), 1.25 * max(reach, 0.1), points=801)


def _levels(pair: TwoSpins) -> dict[str, Derived]:
    found = {
        f"energy_{state}": Derived(f"E({state})", energy, "meV", f"level of the state {state}")
        for state, energy in pair.levels.items()
    }
    found["exchange"] = Derived("J_ex", pair.exchange, "meV", "exchange of the spins")
    found["moriya"] = Derived("J_DM", pair.dzyaloshinskii_moriya, "meV", "their Dzyaloshinskii-Moriya interaction")
    return {**found, "linewidth": Derived("linewidth", pair.linewidth, "meV", "largest rate out of a state")}


def _measurements(values: Values, last_s: float) -> tuple[float, ...]:
    """Times at which the spins are measured, s."""
    first, interval = number(values, "first_measurement"), number(values, "measurement_interval")
    if not 0.0 < first <= last_s:
        return ()
    count = 1 + int((last_s - first) / interval) if interval else 1
    if count > _MOST_MEASUREMENTS:
        raise PhysicsError(
            f"measurement_interval = {interval:g} s: {count} measurements until {last_s:g} s, at most "
            f"{_MOST_MEASUREMENTS} are computed"
        )
    return tuple(first + k * interval for k in range(count))


def _in_time(values: Values, x: FloatArray) -> Curves:
    """From a product state on, through measurements that find the spins antiparallel (Fig. 3 right)."""
    pair = spins(values)
    start = np.zeros((4, 4), dtype=complex)
    start[(place := _BASIS.index(str(values["initial"]))), place] = 1.0
    measured = _measurements(values, float(x.max(initial=0.0)))
    found = transient(pair.generator, start, x / HBAR_MEV_S, measurements=tuple(time / HBAR_MEV_S for time in measured))
    chance = Derived("P", float(found.probabilities.prod()), "", "that every measurement found them antiparallel")
    derived = {**_levels(pair), "probability": chance}
    if values["quantity"] == _ENTANGLED:
        y = {name: Curve(symbol, measure(found.states)) for name, (symbol, _, measure) in _ENTANGLEMENT.items()}
        return Curves(x, y, "entanglement", "", _sweep(values), derived)
    own = np.einsum("tii->ti", found.states).real
    y = {f"population_{state}": Curve(f"|{state}>", own[:, k]) for k, state in enumerate(_BASIS)}
    singlet = np.einsum("ij,tji->t", dark_state(), found.states).real
    y["singlet"] = Curve("singlet", singlet)
    return Curves(x, y, "population", "", _sweep(values), derived)


def _compute(values: Values, x: FloatArray) -> Curves:
    if values["quantity"] != _NOISE:
        return _in_time(values, x)
    pair, weight = spins(values), number(values, "singlet_weight")
    start = weight * dark_state() + (1.0 - weight) * _BOTH_UP
    found = correlation_spectra(pair, x, initial=start)
    y = {
        "both_spins": Curve("C₁, both spins", found.both_spins),
        "one_spin": Curve("C₂, one spin", found.one_spin),
        "double_flip": Curve("C₃, flip against each other", found.double_flip),
    }
    derived = _levels(pair)
    state = pair.generator.steady_state(start)
    derived |= {
        name: Derived(symbol, float(measure(state)), unit, f"{name.replace('_', ' ')} of the steady state")
        for name, (symbol, unit, measure) in _ENTANGLEMENT.items()
    }
    return Curves(x, y, "noise spectrum", "1/meV", _sweep(values), derived)


MODEL = Model(
    name="two-spins",
    title="two spins 1/2 under a tunnel current: noise spectra, entanglement and populations in time",
    source="Horovitz and Henkel, Phys. Rev. B 104, L081405",
    parameters=(
        Choice("quantity", "", "over energy, or over time from a product state on", (_NOISE, _ENTANGLED, _POPULATED)),
        Choice("initial", "", "state at time 0: up or down, of spin 1 and 2", _PRODUCTS, where=_IN_TIME),
        Number(
            "first_measurement",
            "t_m",
            "s",
            "that finds the spins antiparallel; 0: none",
            0.0,
            0.0,
            1.0,
            where=_IN_TIME,
        ),
        Number("measurement_interval", "Δt_m", "s", "to the next ones; 0: only one", 0.0, 0.0, 1.0, where=_IN_TIME),
        Number("larmor_meV", "ν", "meV", "Larmor energy, mean of both", 0.1, -2.0, 2.0),
        Number("larmor_difference_meV", "δν", "meV", "Larmor energy of spin 1 less that of spin 2", 0.0, -2.0, 2.0),
        Choice("interactions", "", "of the spins: given, or induced by the electrons (eq. 7)", (_GIVEN, _INDUCED)),
        Number("exchange_meV", "J_ex", "meV", "exchange, above 0 for parallel spins", 0.2, -2.0, 2.0, where=_AS_GIVEN),
        Number(
            "dzyaloshinskii_moriya_meV",
            "J_DM",
            "meV",
            "Dzyaloshinskii-Moriya interaction",
            0.0,
            -2.0,
            2.0,
            where=_AS_GIVEN,
        ),
        Number(
            "bandwidth_meV",
            "Λ",
            "meV",
            "half the width of the electrodes' flat bands",
            50.0,
            1.0,
            1e4,
            True,
            ("interactions", (_INDUCED,)),
        ),
        Number("dipolar_meV", "b", "meV", "dipolar coupling, 0.215 µeV nm³/r³ for g = 2", 0.0, -1.0, 1.0),
        Number("dipolar_angle", "β", "rad", "of the line between the spins from the field", 0.0, -6.2832, 6.2832),
        Number("bias", "V", "V", "bias; its size matters", 1e-3, 0.0, 20e-3),
        Number("coupling_1", "λ₁", "", "coupling of spin 1 to the current", 0.01, 1e-5, 1.0, True),
        Number("coupling_2", "λ₂", "", "coupling of spin 2 to the current", 0.009, 1e-5, 1.0, True),
        Number("theta", "θ", "rad", "spin-orbit angle of spin 2's tunnelling", 0.0, -6.2832, 6.2832),
        Number("phi", "φ", "rad", "spin-orbit phase", 0.0, -6.2832, 6.2832),
        Number("temperature_K", "T", "K", "temperature of the electrons", 0.5, 0.01, 30.0, True),
        Number(
            "singlet_weight",
            "p",
            "",
            "of the singlet in its beginning, if that matters",
            0.0,
            0.0,
            1.0,
            where=("quantity", (_NOISE,)),
        ),
        Choice("master_equation", "equation", "energies that the dissipator knows", tuple(map(str, MasterEquation))),
    ),
    sweep=_sweep,
    compute=_compute,
)
