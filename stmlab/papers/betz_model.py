"""The models of Betz et al.: one Fe atom on Cu2N (supplement, table 1) and the two-state examples of its section S1."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from stmlab.models import known, spin_states
from stmlab.models.files import case as case_of
from stmlab.physics.driven import FewerStates, occupation_harmonics
from stmlab.physics.line_fit import line_rate
from stmlab.physics.occupation import generator
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.physics.two_level import (
    EffectiveTwoLevel,
    occupation_to_first_order,
    occupation_to_second_order,
    two_level_generators,
)

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.physics.driven import DrivenStates
    from stmlab.physics.transport import TunnelJunction

PAPER = "betz"
PRINTED_CONDUCTANCE_S = 0.500e-6
CONDUCTANCE_S = 0.050e-6
"""C_ST with which the printed slopes come out; the printed value is ten times that."""
AMPLITUDE_V = 1.3e-3
"""V_ac of Figs. 3 and 4."""
FREQUENCIES_HZ: FloatArray = np.geomspace(1e6, 2e10, 61)
STATES = 5
_STRAIGHT, _CLOSEST_V = 0.003, 15e-6
"""A curve is refined where it is off a straight line by more than this part, down to this distance of points."""
SIMULATED_K, MEASURED_K = 0.5, 2.4
"""Temperature of the simulations and of Figs. 3f and 4; that of Figs. 1d, S1 and S2."""


def fe_atom(conductance_S: float = CONDUCTANCE_S, temperature_K: float = SIMULATED_K) -> TunnelJunction:
    """The five states of one Fe atom under a spin-polarised tip at 2 T: the case ``fe_atom`` of `stmlab model`."""
    name, case = case_of("fe_atom")
    told = {"tunnel_conductance_S": conductance_S, "temperature_K": temperature_K}
    return spin_states.junction(known(name).values(case | told))


def lowest_states(count: int) -> DrivenStates:
    """The atom with only its ``count`` lowest states."""
    atom = fe_atom()
    return atom if count == STATES else FewerStates(atom, count)


@cache
def step_scan(count: int, reduced: bool = False) -> tuple[FloatArray, FloatArray]:
    """Offsets in V and I_SR in A of the ``count`` lowest states, all of them or ``reduced`` to two."""
    states = _states(count, reduced)
    offsets = 1e-3 * np.linspace(-10.0, 10.0, 161)
    return offsets, np.array([step(states, float(offset)) for offset in offsets])


@cache
def rate_scan(count: int, reduced: bool = False) -> tuple[FloatArray, FloatArray]:
    """Offsets in V, closer where the curve bends, and Gamma in 1/s, NaN where eq. 1 misses a tenth of the line."""
    states = _states(count, reduced)
    offsets = 1e-3 * np.linspace(-10.0, 10.0, 82)  # not V = 0, where there is no signal
    rates = {float(offset): srs(states, float(offset))[1] for offset in offsets}
    while True:
        at = np.array(sorted(rates))
        curve = np.array([rates[offset] for offset in at])
        between = _bends(at, curve)
        if not len(between):
            return at, curve
        rates |= {float(offset): srs(states, float(offset))[1] for offset in between}


def _bends(at: FloatArray, curve: FloatArray) -> FloatArray:
    """Middles of the intervals beside a point that lies off the line through its neighbours, or where one is NaN."""
    span = np.diff(at)
    line = curve[:-2] + (curve[2:] - curve[:-2]) * span[:-1] / (at[2:] - at[:-2])
    bent = ~(np.abs(curve[1:-1] - line) <= _STRAIGHT * curve[1:-1])
    wanted = np.zeros(len(span), dtype=bool)
    wanted[:-1] |= bent
    wanted[1:] |= bent
    middles: FloatArray = at[:-1][wanted & (span > _CLOSEST_V)] + span[wanted & (span > _CLOSEST_V)] / 2
    return middles


def _states(count: int, reduced: bool) -> DrivenStates:
    states = lowest_states(count)
    return EffectiveTwoLevel(states) if reduced else states


def step(states: DrivenStates, offset_V: float, amplitude_V: float = AMPLITUDE_V) -> float:
    """I_SR in A."""
    spectrum = stochastic_resonance(
        states, FREQUENCIES_HZ[:1], offset_V=offset_V, amplitude_V=amplitude_V, tolerance=1e-6
    )
    return spectrum.step_A


def srs(states: DrivenStates, offset_V: float, amplitude_V: float = AMPLITUDE_V) -> tuple[float, float]:
    """I_SR in A and the rate in 1/s that eq. 1 fits."""
    spectrum = stochastic_resonance(states, FREQUENCIES_HZ, offset_V=offset_V, amplitude_V=amplitude_V, tolerance=1e-6)
    return spectrum.step_A, line_rate(spectrum, FREQUENCIES_HZ)


def effective_rates(offsets_V: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Excitation and relaxation between the two lowest states, through all others; 1/s (Fig. 3a)."""
    rates = EffectiveTwoLevel(fe_atom()).rates(offsets_V)
    return rates[:, 1, 0], rates[:, 0, 1]


def series_step(offset_V: float, amplitude_V: float, orders: int) -> float:
    """I_SR of the effective two-state system up to order j = 1 or 2 of eq. S19, in A."""
    states = EffectiveTwoLevel(fe_atom())
    drive = offset_V + amplitude_V * np.cos(2 * np.pi * np.arange(513) / 513)
    up, down = states.rates(drive)[:, 1, 0], states.rates(drive)[:, 0, 1]
    currents = states.state_currents(drive)
    mixing = np.fft.rfft(currents[:, 1] - currents[:, 0]) / len(drive)
    series = occupation_to_first_order if orders == 1 else occupation_to_second_order
    slow, fast = series(up, down, np.array([0.0, 1e18]))
    change = (mixing.conj() * (slow - fast)).real
    return float(change[0] + 2 * change[1:].sum())


def modulated_pair(strength: float) -> tuple[FloatArray, FloatArray]:
    """Gamma_+ = (A/2)(1 + cos wt) and a constant Gamma_-, in units of Gamma (supplement, Fig. S5a)."""
    excitation = strength / 2 * (1 + np.cos(2 * np.pi * np.arange(128) / 128))
    return excitation, np.full(128, 1 - strength / 2)


def pair_response(strength: float, omega: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Average and in-phase amplitude of the occupation, exactly, at Omega = omega (Gamma = 1)."""
    harmonics = occupation_harmonics(two_level_generators(*modulated_pair(strength)), omega / (2 * np.pi))
    middle = harmonics.shape[1] // 2
    return harmonics[:, middle, 1].real, 2 * harmonics[:, middle + 1, 1].real


def pair_orders(strength: float, omega: FloatArray, highest: int) -> tuple[FloatArray, FloatArray]:
    """The same, term by term in the order j = 1 ... highest of eq. S18; shapes (highest, W).

    Each order follows from the one before: (1 + i q Omega) n_q = -sum_m B_m n_(q-m), begun with A_q.
    """
    up, down = modulated_pair(strength)
    reach = highest + 1
    number = np.arange(-reach, reach + 1)
    feeding, total = (np.fft.fft(rate) / len(rate) for rate in (up, up + down))
    term: ComplexArray = feeding[number] / (1 + 1j * omega[:, None] * number)
    averages, in_phase = [], []
    for _ in range(highest):
        averages.append(term[:, reach].real)
        in_phase.append(2 * term[:, reach + 1].real)
        mixed = np.zeros_like(term)
        mixed[:, 1:] += total[1] * term[:, :-1]
        mixed[:, :-1] += total[-1] * term[:, 1:]
        term = -mixed / (1 + 1j * omega[:, None] * number)
    return np.array(averages), np.array(in_phase)


def low_voltage_lifetime(atom: TunnelJunction) -> float:
    """1/(slowest rate at V = 0), in s."""
    rates = np.linalg.eigvals(generator(atom.rates(np.zeros(1)))[0]).real
    return float(1 / np.sort(-rates)[1])
