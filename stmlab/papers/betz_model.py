"""The models of Betz et al.: one Fe atom on Cu2N (supplement, table 1) and the two-state examples of its section S1."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.driven import FewerStates, occupation_harmonics
from stmlab.physics.occupation import generator
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import line_shape, stochastic_resonance
from stmlab.physics.transport import TunnelJunction
from stmlab.physics.two_level import (
    EffectiveTwoLevel,
    occupation_to_first_order,
    occupation_to_second_order,
    two_level_generators,
)

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.physics.driven import DrivenStates

PRINTED_CONDUCTANCE_S = 0.500e-6
CONDUCTANCE_S = 0.050e-6
"""C_ST with which the printed slopes come out; the printed value is ten times that."""
AMPLITUDE_V = 1.3e-3
"""V_ac of Figs. 3 and 4."""
FREQUENCIES_HZ: FloatArray = np.geomspace(1e6, 2e10, 61)
STATES = 5


def fe_atom(conductance_S: float = CONDUCTANCE_S, temperature_K: float = 0.5) -> TunnelJunction:
    """The five states of one Fe atom under a spin-polarised tip at 2 T."""
    system = SpinSystem((Spin(2, -1.557, 0.248, 2.15),), field_T=(0.0, 0.0, -2.0))
    return TunnelJunction(
        system,
        temperature_K,
        conductance_S,
        tip=Electrode((0.0, 0.0, 0.86)),
        baths=(Bath(0, 7.2e-6),),
        potential_scattering=0.76,
    )


def lowest_states(count: int) -> DrivenStates:
    """The atom with only its ``count`` lowest states."""
    atom = fe_atom()
    return atom if count == STATES else FewerStates(atom, count)


@dataclass(frozen=True, eq=False)
class OffsetScan:
    """What SRS measures as a function of the offset voltage.

    Attributes:
        offsets_V: shape (V,).
        steps_A: I_SR.
        rates_per_s: Gamma from a fit of eq. 1; NaN where the line is so distorted that eq. 1 misses a tenth of it.
    """

    offsets_V: FloatArray
    steps_A: FloatArray
    rates_per_s: FloatArray


@cache
def offset_scan(count: int, reduced: bool, spacing_mV: float, largest_mV: float = 10.0) -> OffsetScan:
    """Scan of the ``count`` lowest states, all of them or ``reduced`` to two."""
    states = lowest_states(count)
    if reduced:
        states = EffectiveTwoLevel(states)
    offsets = 1e-3 * np.arange(-largest_mV, largest_mV + spacing_mV / 2, spacing_mV)
    measured = [srs(states, float(offset)) for offset in offsets]
    return OffsetScan(offsets, *(np.array(values) for values in zip(*measured, strict=True)))


def srs(states: DrivenStates, offset_V: float, amplitude_V: float = AMPLITUDE_V) -> tuple[float, float]:
    """I_SR in A and the rate in 1/s that eq. 1 fits."""
    spectrum = stochastic_resonance(states, FREQUENCIES_HZ, offset_V=offset_V, amplitude_V=amplitude_V, tolerance=1e-6)
    if abs(spectrum.step_A) < 1e-18:  # no signal: at V = 0 the two directions cancel
        return spectrum.step_A, float("nan")
    rate, misfit = fitted_rate(FREQUENCIES_HZ, spectrum.signal_A)
    return spectrum.step_A, rate if misfit < 0.1 else float("nan")


def fitted_rate(frequencies_Hz: FloatArray, signal: FloatArray) -> tuple[float, float]:
    """Gamma of eq. 1 by least squares without noise, and the largest misfit over the span of the signal."""
    from scipy.optimize import minimize_scalar

    scaled = signal / np.ptp(signal)

    def residual(logarithm: float) -> FloatArray:
        line = line_shape(frequencies_Hz, np.exp(logarithm), 1.0, 0.0)
        columns = np.column_stack([line, np.ones_like(line)])
        left: FloatArray = columns @ np.linalg.lstsq(columns, scaled, rcond=None)[0] - scaled
        return left

    trials = np.log(2 * np.pi * frequencies_Hz)
    start = trials[np.argmin([float(residual(trial) @ residual(trial)) for trial in trials])]
    span = float(np.diff(trials).max())
    best = minimize_scalar(
        lambda trial: float(residual(trial) @ residual(trial)),
        bounds=(start - span, start + span),
        method="bounded",
        options={"xatol": 1e-10},
    ).x
    return float(np.exp(best)), float(np.abs(residual(best)).max())


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


def low_voltage_lifetime() -> float:
    """1/(slowest rate) at V = 0, in s."""
    rates = np.linalg.eigvals(generator(fe_atom().rates(np.zeros(1)))[0]).real
    return float(1 / np.sort(-rates)[1])
