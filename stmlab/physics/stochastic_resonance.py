"""The signal of stochastic resonance spectroscopy: the mean current under a drive, minus that at the offset alone.

With V(t) = V_dc + V_ac cos(2 pi f t), occupations p_k and state currents I_k as Fourier series, the mean current is
sum_k I_k^* . p_k. Only part of it depends on f, and that part has a name for each k:

    average      I_0 . (p_0(f) - p_0(infinity))      the mean occupation shifts with the frequency
    homodyne     2 Re I_1^* . p_1(f)                 the occupation in phase with the drive, mixed down by the drive
    higher       2 Re sum_{k>1} I_k^* . p_k(f)       zero for currents linear in the voltage

The rest, `offset_A`, is I_rec of Betz et al., eq. 1: what is left at infinite frequency. The height of the step,
I_SR of eq. 1, is the difference between the two limits. All of it is exact, for any number of states and any amplitude.

Harmonic balance solves it where its rounding is no matter; where rates differ by many decades, or change too sharply,
panels of time do (`stiff_drive`). Either answer is held against both limits, which are known by elimination. Where
levels are close, the same is done with the density matrix (`coherent_resonance`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import finite, not_negative, positive
from stmlab.physics.coherent_drive import coherent_drive
from stmlab.physics.coherent_resonance import coherent_parts
from stmlab.physics.driven import adiabatic_occupation, balanced_harmonics, checked_frequencies, fast_occupation
from stmlab.physics.occupation import generator
from stmlab.physics.rate_equations import checked_generators, slowest_times
from stmlab.physics.resonance_parts import AGREES, FINEST, Parts, mixed_currents, of_states
from stmlab.physics.stiff_drive import equal_panels, periodic_states

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.physics.driven import DrivenStates

_FEWEST_SAMPLES = 128
_MOST_SAMPLES = 2048
_RESOLVED = 1e-12
"""Share of the highest harmonic in the rates below which a period counts as resolved."""
_KEPT = 16
"""Harmonics that are handed out where the occupations are calculated on panels of time, 16 or more a period."""
_BEYOND = 1e-8
"""Frequencies as much below the slowest and above the fastest rate stand for zero and infinity."""
_ROUNDING = 1e-13
"""Of the currents: what remains of a limit when the step is next to nothing, as under a very weak drive."""


@dataclass(frozen=True, eq=False)
class StochasticResonance:
    """A calculated SRS spectrum; every current in A, arrays of shape (F,).

    Attributes:
        frequencies_Hz: frequencies of the drive.
        homodyne_A, average_A, higher_A: the parts that depend on frequency.
        offset_A: I_rec, the signal at infinite frequency.
        step_A: I_SR, the signal at zero frequency minus that at infinite frequency.
        direct_current_A: current at the offset voltage alone.
        occupations: shape (F, 2K+1, n), Fourier coefficients -K ... K of the occupations.
    """

    frequencies_Hz: FloatArray
    homodyne_A: FloatArray
    average_A: FloatArray
    higher_A: FloatArray
    offset_A: float
    step_A: float
    direct_current_A: float
    occupations: ComplexArray

    @property
    def signal_A(self) -> FloatArray:
        """The SRS signal <I>_drive - I(V_dc)."""
        signal: FloatArray = self.offset_A + self.homodyne_A + self.average_A + self.higher_A
        return signal


def stochastic_resonance(
    states: DrivenStates, frequencies_Hz: FloatArray, *, offset_V: float, amplitude_V: float, tolerance: float = 1e-9
) -> StochasticResonance:
    """The SRS spectrum of ``states`` under V(t) = offset + amplitude cos(2 pi f t).

    Args:
        states: rates and currents as functions of the voltage.
        frequencies_Hz: shape (F,), 0 or more.
        offset_V: V_dc.
        amplitude_V: V_ac, peak, at the junction.
        tolerance: accuracy of the occupations, see `occupation_harmonics`.

    Raises:
        PhysicsError: an argument is out of its range, the rates are none, or the drive is too sharp to converge.
    """
    offset, amplitude = finite("offset_V", offset_V, "V"), not_negative("amplitude_V", amplitude_V, "V")
    frequencies, tolerance = checked_frequencies(frequencies_Hz), positive("tolerance", tolerance)
    coherent = coherent_drive(states, np.array([offset - amplitude, offset + amplitude]))
    if coherent is not None:
        found = coherent_parts(coherent, frequencies, offset, amplitude, tolerance)
        return _spectrum(frequencies, found, float(coherent.static_current(np.array([offset]))[0]))
    period = _resolved_period(states, offset, amplitude)
    balanced = None if period is None else _balanced(*period, frequencies, tolerance)
    if balanced is None:
        balanced = _on_panels(states, frequencies, offset, amplitude, tolerance)
    return _spectrum(frequencies, balanced, float(static_current(states, np.array([offset]))[0]))


def _spectrum(frequencies: FloatArray, found: Parts, direct: float) -> StochasticResonance:
    return StochasticResonance(
        frequencies_Hz=frequencies,
        homodyne_A=found.homodyne,
        average_A=found.average,
        higher_A=found.higher,
        offset_A=found.fast - direct,
        step_A=found.step,
        direct_current_A=direct,
        occupations=np.concatenate([found.harmonics[:, :0:-1].conj(), found.harmonics], axis=1),
    )


def static_current(states: DrivenStates, bias_V: FloatArray) -> FloatArray:
    """I(V) in the steady state at constant bias, shape (V,) in and out, in A."""
    if (coherent := coherent_drive(states, bias_V)) is not None:
        return coherent.static_current(bias_V)
    occupations = adiabatic_occupation(generator(states.rates(bias_V)))
    current: FloatArray = (states.state_currents(bias_V) * occupations).sum(axis=1)
    return current


def line_shape(frequencies_Hz: FloatArray, rate_per_s: float, step_A: float, offset_A: float) -> FloatArray:
    """I_SR Gamma^2 / (Gamma^2 + (2 pi f)^2) + I_rec (Betz et al., eq. 1); shape (F,) in A."""
    angular = 2.0 * np.pi * np.asarray(frequencies_Hz, dtype=float) / rate_per_s
    curve: FloatArray = step_A / (1.0 + angular**2) + offset_A
    return curve


def two_width_line_shape(
    frequencies_Hz: FloatArray, rate_per_s: float, step_A: float, half_width_step_A: float, offset_A: float
) -> FloatArray:
    """Eq. 1 of Betz et al. with a Lorentzian of width Gamma/2, which strong modulation adds; shape (F,) in A."""
    wide = line_shape(frequencies_Hz, rate_per_s, step_A, offset_A)
    return wide + line_shape(frequencies_Hz, rate_per_s / 2, half_width_step_A, 0.0)


def _balanced(currents: FloatArray, generators: FloatArray, frequencies: FloatArray, tolerance: float) -> Parts | None:
    """By harmonic balance; None where that is not accurate, or does not reach the limit of zero frequency."""
    slow, limit = adiabatic_occupation(generators), fast_occupation(generators)
    differing, common = _differing(currents, limit)
    fast = float(differing.mean(axis=0) @ limit)
    step = float((differing * (slow - limit)).mean(axis=0).sum())
    largest = float(np.abs(differing).max())
    of_occupations = of_states(tolerance, step, largest)
    if of_occupations < FINEST:
        return None
    harmonics = balanced_harmonics(generators, np.append(frequencies, 0.0), of_occupations)
    if harmonics is None:
        return None
    average, mixed = mixed_currents(differing, harmonics, limit)
    if abs(average[-1] + mixed[-1].sum() - step) > AGREES * of_occupations * largest:
        return None
    return Parts(mixed[:-1, 0], average[:-1], mixed[:-1, 1:].sum(axis=1), fast + common.mean(), step, harmonics[:-1])


def _differing(currents: FloatArray, occupation: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Currents beyond those of the fullest state, and those; only what differs follows the occupations."""
    common: FloatArray = currents[:, [int(occupation.argmax())]]
    return currents - common, common


def _on_panels(
    states: DrivenStates, frequencies: FloatArray, offset: float, amplitude: float, tolerance: float
) -> Parts:
    """On panels of time, at the frequencies and at both limits, which must agree with those known exactly."""

    def voltages(phases: FloatArray) -> FloatArray:
        return offset + amplitude * np.cos(2.0 * np.pi * phases)

    def rates(phases: FloatArray) -> FloatArray:
        return states.rates(voltages(phases))

    still = periodic_states(rates, np.zeros(1), equal_panels(_KEPT))
    slowest, fastest = float(slowest_times(generator(still.rates)).max()), float(still.rates.max())
    limits = np.array([_BEYOND / slowest, 0.0, fastest / _BEYOND])
    found = periodic_states(rates, np.append(frequencies, limits), still.edges)
    harmonics = found.harmonics(_KEPT)
    currents = states.state_currents(voltages(found.phases))
    limit = fast_occupation(generator(np.tensordot(found.weights, found.rates, axes=1))[None])
    differing, common = _differing(currents, limit)
    differing *= found.weights[:, None]
    total = np.einsum("pi,fpi->f", differing, found.occupations - limit)
    mixing = np.exp(-2j * np.pi * found.phases) @ differing
    homodyne = 2.0 * np.einsum("i,fi->f", mixing.conj(), harmonics[:, 1]).real
    average = np.einsum("i,fi->f", differing.sum(axis=0), harmonics[:, 0].real - limit)
    slow, step, beyond = total[-3:]
    wrong, scale = max(abs(slow - step), abs(beyond)), float(np.abs(differing).sum(axis=0).max())
    if wrong > tolerance * abs(step) + _ROUNDING * scale:
        raise PhysicsError(
            f"amplitude_V = {amplitude:g}: the signal misses its limits at zero and infinite frequency by {wrong:.1e} "
            f"A, for a step of {step:.1e} A; a smaller spread of the rates is needed"
        )
    own = slice(0, len(frequencies))
    higher = (total - average - homodyne)[own]
    fast = float(differing.sum(axis=0) @ limit + found.weights @ common[:, 0])
    return Parts(homodyne[own], average[own], higher, fast, float(step), harmonics[own])


def _resolved_period(states: DrivenStates, offset: float, amplitude: float) -> tuple[FloatArray, FloatArray] | None:
    """Currents and rate matrices at enough samples of one period that their highest harmonic vanishes, or None."""
    samples = _FEWEST_SAMPLES
    while samples <= _MOST_SAMPLES:
        voltages = offset + amplitude * np.cos(2.0 * np.pi * np.arange(samples) / samples)
        generators = checked_generators("states.rates", generator(states.rates(voltages)))
        spectrum = np.abs(np.fft.rfft(generators, axis=0))[-samples // 8 :].max()
        if spectrum <= _RESOLVED * samples * np.abs(generators).max():
            return states.state_currents(voltages), generators
        samples *= 2
    return None
