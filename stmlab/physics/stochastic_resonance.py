"""The signal of stochastic resonance spectroscopy: the mean current under a drive, minus that at the offset alone.

With V(t) = V_dc + V_ac cos(2 pi f t), occupations p_k and state currents I_k as Fourier series, the mean current is
sum_k I_k^* . p_k. Only part of it depends on f, and that part has a name for each k:

    average      I_0 . (p_0(f) - p_0(infinity))      the mean occupation shifts with the frequency
    homodyne     2 Re I_1^* . p_1(f)                 the occupation in phase with the drive, mixed down by the drive
    higher       2 Re sum_{k>1} I_k^* . p_k(f)       zero for currents linear in the voltage

The rest, `offset_A`, is I_rec of Betz et al., eq. 1: what is left at infinite frequency. The height of the step,
I_SR of eq. 1, is the difference between the two limits. All of it is exact, for any number of states and any amplitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import finite, not_negative, refuse
from stmlab.physics.driven import adiabatic_occupation, fast_occupation, occupation_harmonics
from stmlab.physics.occupation import generator

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.physics.driven import DrivenStates

_FEWEST_SAMPLES = 128
_MOST_SAMPLES = 8192
_RESOLVED = 1e-12
"""Share of the highest harmonic in the rates below which a period counts as resolved."""


@dataclass(frozen=True, eq=False)
class StochasticResonance:
    """A calculated SRS spectrum; every current in A, arrays of shape (F,).

    Attributes:
        frequencies_Hz: frequencies of the drive.
        homodyne_A, average_A, higher_A: the parts that depend on frequency.
        offset_A: I_rec, the signal at infinite frequency.
        step_A: I_SR, the signal at zero frequency minus that at infinite frequency.
        direct_current_A: current at the offset voltage alone.
        occupations: shape (F, 2K+1, n), Fourier coefficients of the occupations.
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
    voltages, generators = _resolved_period(states, offset, amplitude)
    currents = states.state_currents(voltages)
    mixing = np.fft.rfft(currents, axis=0) / len(voltages)
    occupations = occupation_harmonics(generators, frequencies_Hz, tolerance=tolerance)
    positive = occupations[:, occupations.shape[1] // 2 :]
    highest = min(positive.shape[1], (len(voltages) + 1) // 2)
    mixed = np.einsum("ki,fki->fk", mixing[:highest].conj(), positive[:, :highest]).real
    fast = float(mixing[0].real @ fast_occupation(generators))
    slow = float((currents * adiabatic_occupation(generators)).mean(axis=0).sum())
    direct = static_current(states, np.array([offset]))[0]
    return StochasticResonance(
        frequencies_Hz=np.atleast_1d(np.asarray(frequencies_Hz, dtype=float)),
        homodyne_A=2.0 * mixed[:, 1],
        average_A=mixed[:, 0] - fast,
        higher_A=2.0 * mixed[:, 2:].sum(axis=1),
        offset_A=fast - direct,
        step_A=slow - fast,
        direct_current_A=direct,
        occupations=occupations,
    )


def static_current(states: DrivenStates, bias_V: FloatArray) -> FloatArray:
    """I(V) in the steady state at constant bias, shape (V,) in and out, in A."""
    occupations = adiabatic_occupation(generator(states.rates(bias_V)))
    current: FloatArray = (states.state_currents(bias_V) * occupations).sum(axis=1)
    return current


def line_shape(frequencies_Hz: FloatArray, rate_per_s: float, step_A: float, offset_A: float) -> FloatArray:
    """I_SR Gamma^2 / (Gamma^2 + (2 pi f)^2) + I_rec (Betz et al., eq. 1); shape (F,) in A."""
    return two_width_line_shape(frequencies_Hz, rate_per_s, step_A, 0.0, offset_A)


def two_width_line_shape(
    frequencies_Hz: FloatArray, rate_per_s: float, step_A: float, half_width_step_A: float, offset_A: float
) -> FloatArray:
    """Eq. 1 of Betz et al. with a Lorentzian of width Gamma/2, which strong modulation adds; shape (F,) in A."""
    angular = 2.0 * np.pi * np.asarray(frequencies_Hz, dtype=float) / rate_per_s
    curve: FloatArray = step_A / (1.0 + angular**2) + half_width_step_A / (1.0 + 4.0 * angular**2) + offset_A
    return curve


def _resolved_period(states: DrivenStates, offset: float, amplitude: float) -> tuple[FloatArray, FloatArray]:
    """Voltages and rate matrices at enough samples of one period that their highest harmonic vanishes."""
    samples = _FEWEST_SAMPLES
    while True:
        voltages = offset + amplitude * np.cos(2.0 * np.pi * np.arange(samples) / samples)
        generators = generator(states.rates(voltages))
        spectrum = np.abs(np.fft.rfft(generators, axis=0))[-samples // 8 :].max()
        if spectrum <= _RESOLVED * samples * np.abs(generators).max():
            return voltages, generators
        if samples >= _MOST_SAMPLES:
            raise refuse(
                "amplitude_V", amplitude, f"a drive whose rates {_MOST_SAMPLES} samples a period resolve is needed"
            )
        samples *= 2
