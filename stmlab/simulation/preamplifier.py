"""The simulated current preamplifier: gain, one pole, saturation and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

ELEMENTARY_CHARGE = 1.602176634e-19  # C
BOLTZMANN = 1.380649e-23  # J/K


@dataclass(frozen=True)
class SimulatedPreamplifier:
    """A transimpedance amplifier.

    Attributes:
        gain: V/A.
        bandwidth: -3 dB of its single pole, Hz.
        saturation: largest output of either sign, V; what exceeds it is clipped, as by the real one.
        input_noise: of the amplifier itself, A/sqrt(Hz).
        feedback_resistance: ohm.
        temperature: of that resistance, K.
    """

    gain: float = 1.0e9
    bandwidth: float = 1.1e3
    saturation: float = 10.0
    input_noise: float = 4.3e-15
    feedback_resistance: float = 1.0e9
    temperature: float = 300.0

    def output(self, current: FloatArray) -> FloatArray:
        """Output voltage for a current that changes slower than the pole; same shape, V."""
        return np.clip(self.gain * current, -self.saturation, self.saturation)

    def saturates(self, current: FloatArray) -> bool:
        """Whether any of the currents (A) drives the output to its end."""
        return bool(np.any(np.abs(self.gain * current) > self.saturation))

    def roll_off(self, frequency: FloatArray) -> ComplexArray:
        """The pole's response at ``frequency`` (Hz, negative too), 1 at zero; same shape."""
        response: ComplexArray = 1 / (1 + 1j * frequency / self.bandwidth)
        return response

    def current_noise(self, current: float) -> float:
        """One-sided density at the input, A/sqrt(Hz): shot noise of ``current`` (A), Johnson and amplifier noise."""
        shot = 2 * ELEMENTARY_CHARGE * abs(current)
        johnson = 4 * BOLTZMANN * self.temperature / self.feedback_resistance
        return math.sqrt(shot + johnson + self.input_noise**2)
