"""From the panels to the currents: what bias, microwave and modulation make of the junction at one conductance.

Nothing here lives through time: every answer is for the panels as they are at this moment.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from stmlab.simulation.currents import JunctionCurrents, Levels
from stmlab.simulation.junctions import Switches
from stmlab.simulation.line import RadioFrequencyWiring
from stmlab.simulation.lockin_input import InputSignal, Modulation, demodulated, input_signal
from stmlab.simulation.replay.recorded import RecordedJunction

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.simulation.bench import GeneratorPanel, LockInPanel, TipPanel
    from stmlab.simulation.config import SimulationConfig
    from stmlab.simulation.junctions import Junction, Telegraph
    from stmlab.simulation.lockin_filter import Tones

_LEAST_BIAS = 1e-4  # V, for the ratio of current and bias
_SMALLEST_SETPOINT = 1e-18  # A; a setpoint of zero would have no logarithm


class Panels(Protocol):
    """The front panels; a lock-in's changes when another lock-in is connected."""

    lockin: LockInPanel
    generator: GeneratorPanel
    tip: TipPanel


class SignalPath:
    """Junction, wiring and preamplifier between the panels.

    Args:
        panels: of the instruments.
        junction: under the tip.
        config: everything between the instruments and the sample.
    """

    def __init__(self, panels: Panels, junction: Junction, config: SimulationConfig) -> None:
        self._panels, self._junction, self._config = panels, junction, config
        self._wiring = RadioFrequencyWiring(config.line, config.bias_tee)
        self._currents = JunctionCurrents(junction, self._wiring)
        self._switches = junction if isinstance(junction, Switches) else None
        # Last answers, with what was asked: between two readings hardly anything changes.
        self._telegraph: tuple[tuple[float, float], Telegraph] | None = None
        self._input: tuple[tuple[Any, ...], InputSignal] | None = None
        self._tones: tuple[InputSignal, object, Tones] | None = None

    def transfer(self, frequency: FloatArray) -> ComplexArray:
        """Amplitude at the junction over amplitude at the generator's connector; Hz."""
        return self._wiring.transfer(frequency)

    # -- voltages --------------------------------------------------------------------------------------------------

    @property
    def bias(self) -> float:
        """DC at the junction, V."""
        divider = self._config.modulation_divider
        return self._panels.tip.bias + (self._panels.lockin.sine_offset / divider if divider else 0.0)

    def modulations(self) -> list[tuple[float, float]]:
        """Frequency (Hz) and amplitude (V) of every sine on the bias."""
        lockin, tip, modulations = self._panels.lockin, self._panels.tip, []
        if self._config.modulation_divider and lockin.sine_voltage:
            amplitude = math.sqrt(2) * lockin.sine_voltage / self._config.modulation_divider
            modulations.append((lockin.reference_frequency, amplitude))
        if tip.modulation_on and tip.modulation_amplitude and tip.modulation_frequency:
            modulations.append((tip.modulation_frequency, tip.modulation_amplitude))
        return modulations

    @property
    def modulation(self) -> float:
        """Sum of the amplitudes of all sines on the bias, V."""
        return math.fsum(amplitude for _, amplitude in self.modulations())

    @property
    def generator_amplitude(self) -> float:
        """Peak of the microwave at the generator's connector, V; 0 while nothing is played."""
        generator = self._panels.generator
        if not self._driven or not generator.samples.size:
            return 0.0
        return float(np.abs(generator.samples.astype(float)).max()) / 127 * generator.full_scale

    @property
    def largest_voltage(self) -> float:
        """DC bias, modulation and microwave at the junction added up, V, as of the last ``levels``."""
        return abs(self.bias) + self.modulation + (self._currents.amplitude if self._driven else 0.0)

    @property
    def reference(self) -> float:
        """The lock-in's reference, Hz; an external one is the controller's modulation, if that is on."""
        lockin, tip = self._panels.lockin, self._panels.tip
        if not lockin.internal_reference and tip.modulation_on and tip.modulation_frequency:
            return tip.modulation_frequency
        return lockin.reference_frequency

    @property
    def _driven(self) -> bool:
        return self._panels.generator.on and self._panels.generator.running

    # -- currents --------------------------------------------------------------------------------------------------

    def levels(self, scale: float) -> Levels:
        """Currents with the microwave on and off."""
        return self._currents.levels(self._panels.generator, self.bias, scale)

    def conductance(self, levels: Levels, scale: float) -> float:
        """Magnitude of the current without microwave over the bias, S; below 0.1 mV, where both vanish, at 0.1 mV."""
        bias = self.bias
        if abs(bias) >= _LEAST_BIAS:
            return abs(levels.off / bias)
        return abs(self._currents.static(_LEAST_BIAS, scale)) / _LEAST_BIAS

    def telegraph(self, scale: float) -> Telegraph | None:
        """What switches by itself under the tip, without a microwave."""
        if self._driven or scale == 0.0 or self._switches is None:
            return None
        asked = self.bias, scale
        if self._telegraph is None or self._telegraph[0] != asked:
            self._telegraph = asked, self._switches.telegraph(*asked)
        return self._telegraph[1]

    def input(self, levels: Levels, scale: float) -> InputSignal:
        """What arrives at the lock-in."""
        lockin, sines = self._panels.lockin, self.modulations()
        asked = levels, sines, (self.bias, scale) if sines else None, lockin.ac_coupled, self.reference
        if self._input is None or self._input[0] != asked:
            modulations = tuple(
                Modulation(frequency, self._currents.modulated(self.bias, amplitude, scale))
                for frequency, amplitude in sines
            )
            signal = input_signal(levels, modulations, self._config.preamplifier, lockin, self.reference)
            self._input = asked, signal
        return self._input[1]

    def tones(self, signal: InputSignal) -> Tones:
        """What the lock-in's filter gets of ``signal``."""
        lockin = self._panels.lockin
        asked = lockin.phase, lockin.harmonic, lockin.synchronous, self.reference
        if self._tones is None or self._tones[0] is not signal or self._tones[1] != asked:
            self._tones = signal, asked, demodulated(signal, lockin, self.reference)
        return self._tones[2]

    def input_noise(self, levels: Levels, frequency: float) -> float:
        """One-sided density of the noise at the lock-in's input around ``frequency`` (Hz), V/sqrt(Hz)."""
        if not self._config.noise:
            return 0.0
        preamplifier = self._config.preamplifier
        density = preamplifier.gain * self.current_noise(levels.mean)
        return math.hypot(density * preamplifier.attenuation(frequency), self._config.lockin_input_noise)

    def current_noise(self, mean: float) -> float:
        """One-sided density at the preamplifier's input, with a current of ``mean`` (A), A/sqrt(Hz)."""
        return self._config.preamplifier.current_noise(mean) if self._config.noise else 0.0

    def setpoint_log_scale(self) -> float:
        """ln of the conductance at which the mean current is the setpoint; without current the loop goes to contact."""
        tip = self._panels.tip
        if tip.controller == "none" or (tip.controller == "signed" and self.levels(1.0).mean * tip.setpoint < 0.0):
            return math.inf  # what it regulates cannot become the setpoint
        wanted = max(abs(tip.setpoint), _SMALLEST_SETPOINT)
        if isinstance(self._junction, RecordedJunction) and not self._driven:
            recorded = self._junction.scale_at(self.bias, wanted)
            if recorded is not None:
                return math.log(recorded)
        levels, generator, bias, scale = self._currents.levels, self._panels.generator, self.bias, 1.0
        for _ in range(50):
            current = abs(levels(generator, bias, scale).mean)
            if current == 0.0:
                return math.inf
            scale *= wanted / current
            if abs(current / wanted - 1) < 1e-9:
                break
        return math.log(scale)
