"""The simulated current preamplifier: gain, one pole, saturation and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stmlab.physics.arguments import not_negative, positive
from stmlab.physics.constants import ELEMENTARY_CHARGE_C

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

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

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    gain: float = 1.0e9
    bandwidth: float = 1.1e3
    saturation: float = 10.0
    input_noise: float = 4.3e-15
    feedback_resistance: float = 1.0e9
    temperature: float = 300.0

    def __post_init__(self) -> None:
        positive("gain", self.gain, "V/A")
        positive("bandwidth", self.bandwidth, "Hz")
        positive("saturation", self.saturation, "V")
        not_negative("input_noise", self.input_noise, "A/sqrt(Hz)")
        positive("feedback_resistance", self.feedback_resistance, "ohm")
        not_negative("temperature", self.temperature, "K")

    def output(self, current: FloatArray) -> FloatArray:
        """Output voltage for a current that changes slower than the pole; same shape, V."""
        return np.clip(self.gain * current, -self.saturation, self.saturation)

    def passed(self, current: float) -> float:
        """What the output says of a ``current``, A: itself, or the largest that it can show."""
        largest = self.saturation / self.gain
        return min(max(current, -largest), largest)

    def saturates(self, current: FloatArray) -> bool:
        """Whether any of the currents (A) drives the output to its end."""
        return bool(np.any(np.abs(self.gain * current) > self.saturation))

    def roll_off(self, frequency: FloatArray) -> ComplexArray:
        """The pole's response at ``frequency`` (Hz, negative too), 1 at zero; same shape."""
        response: ComplexArray = np.reciprocal(1 + 1j * frequency / self.bandwidth)
        return response

    def attenuation(self, frequency: float) -> float:
        """Magnitude of the pole's response at ``frequency`` (Hz)."""
        return 1.0 / math.hypot(1.0, frequency / self.bandwidth)

    def current_noise(self, current: float) -> float:
        """One-sided density at the input, A/sqrt(Hz): shot noise of ``current`` (A), Johnson and amplifier noise."""
        shot = 2 * ELEMENTARY_CHARGE_C * abs(current)
        johnson = 4 * BOLTZMANN * self.temperature / self.feedback_resistance
        return math.sqrt(shot + johnson + self.input_noise**2)
