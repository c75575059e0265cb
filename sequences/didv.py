"""dI/dV: the differential conductance against bias, by the lock-in, at fixed height.

The lock-in's sine output modulates the bias; the current's first harmonic over the modulation is dI/dV. The feedback is
open during the sweep and closed after it, whatever happens.

    setpoint, feedback off, modulation on --> for each bias: settle, read --> modulation off, feedback on
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sequences.detection import LockInSequence
from stmlab.axes import Axis, Channel
from stmlab.errors import SequenceError
from stmlab.events import ParameterValue
from stmlab.parameters import BooleanParameter, FloatParameter, IntegerParameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray


class ConductanceSpectrum(LockInSequence):
    """Bias sweep at fixed height with a small modulation of the bias, forward and, if wanted, back again."""

    name = "didv"
    title = "dI/dV spectrum: bias sweep at fixed height, modulated, read by the lock-in"
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("conductance", "S", "dI/dV: first harmonic of the current over the modulation of the bias"),
        Channel("conductance_error", "S", "standard error of the mean over the readings; nan for a single one"),
        Channel("current", "A", "tunnel current, as the controller reads it"),
        Channel("x", "V", "lock-in X, rms"),
        Channel("y", "V", "lock-in Y, rms"),
    )

    start_bias = FloatParameter(
        "First bias", units="V", default=-10e-3, minimum=-10, maximum=10, description="of the sweep"
    )
    stop_bias = FloatParameter(
        "Last bias", units="V", default=10e-3, minimum=-10, maximum=10, description="of the sweep"
    )
    points = IntegerParameter(
        "Points", default=201, minimum=2, maximum=100_000, description="bias values in one direction, evenly spaced"
    )
    backward = BooleanParameter("Backward", default=False, description="sweep back again after each forward sweep")
    sweeps = IntegerParameter("Sweeps", default=1, minimum=1, maximum=10_000, description="repetitions of the whole")
    modulation = FloatParameter(
        "Modulation",
        units="V",
        default=0.2e-3,
        minimum=1e-7,
        maximum=1,
        description="peak amplitude of the bias modulation at the junction",
    )
    modulation_frequency = FloatParameter(
        "Modulation frequency", units="Hz", default=689.0, minimum=1, maximum=1e5, description="of the lock-in"
    )
    conductance_range = FloatParameter(
        "Conductance range",
        default=4.0,
        minimum=1,
        maximum=1000,
        description="largest dI/dV expected, in setpoint conductances: sets the lock-in's input range",
    )

    # -- what will happen ----------------------------------------------------------------------------------------

    def axes(self) -> tuple[Axis, ...]:
        """Sweeps, and the bias in the order in which it is visited: forward, then backward if wanted."""
        forward = np.linspace(self.start_bias, self.stop_bias, self.points)
        path = np.concatenate([forward, forward[::-1]]) if self.backward else forward
        bias = Axis("bias", "V", path, "bias")
        return (bias,) if self.sweeps == 1 else (Axis("sweep", "", np.arange(self.sweeps, dtype=float)), bias)

    def demands(self) -> Mapping[str, float | FloatArray]:
        """Every bias, the setpoint and the lock-in's sine output."""
        return {
            "bias": np.array([self.setpoint_bias, self.start_bias, self.stop_bias]),
            "setpoint": self.setpoint_current,
            "modulation": self._sine_voltage(),
        }

    def verify(self) -> None:
        """The setpoint has a conductance, and the preamplifier holds the current expected at the ends of the sweep."""
        if self.setpoint_bias == 0:
            raise SequenceError("didv: setpoint_bias = 0 V has no conductance: another value is allowed")
        preamplifier = self.station.current_preamplifier
        current = self._setpoint_conductance() * max(abs(self.start_bias), abs(self.stop_bias))
        if current * preamplifier.gain > preamplifier.saturation:
            raise SequenceError(
                f"didv: about {current:.3g} A at the end of the sweep saturate the preamplifier at "
                f"{preamplifier.saturation / preamplifier.gain:.3g} A: lower the setpoint or the range"
            )

    def factors(self) -> Mapping[str, ParameterValue]:
        """From the lock-in's volts to dI/dV: conductance = X / (modulation rms * gain)."""
        rms = ParameterValue(self.modulation / math.sqrt(2), "V", "rms modulation of the bias at the junction")
        divider = ParameterValue(self.station.modulation_divider, "", "sine output per modulation at the junction")
        return {"modulation_rms": rms, "modulation_divider": divider, **self.detection_factors()}

    # -- the experiment ------------------------------------------------------------------------------------------

    def move_sweep(self, number: float) -> None:
        """A new sweep begins with the tip stabilised again."""
        if number:
            self.quiet()
            self.stabilise()

    def move_bias(self, bias: float) -> None:
        """Step the bias within its slew."""
        self.next_point()
        self.station.bias.bias = bias

    def measure(self) -> dict[str, float | FloatArray]:
        """Readings of X and Y, dI/dV, and the current."""
        reading, volts_per_siemens = self.read(), self._volts_per_siemens()
        return {
            "conductance": reading.x / volts_per_siemens,
            "conductance_error": reading.error / volts_per_siemens,
            "current": self.station.tip.current,
            "x": reading.x,
            "y": reading.y,
        }

    # -- details -------------------------------------------------------------------------------------------------

    def reference_frequency(self) -> float:
        """The modulation frequency, Hz."""
        return float(self.modulation_frequency)

    def full_scale(self) -> float:
        """Of the largest dI/dV that is expected, V rms."""
        return float(self.conductance_range) * self._setpoint_conductance() * self._volts_per_siemens()

    def bias_during_sweep(self) -> float:
        """Where the sweep begins, V."""
        return float(self.start_bias)

    def quiet(self) -> None:
        """Modulation off."""
        self.station.lockin.sine_voltage = self.station.limit("modulation").low

    def stabilise(self) -> None:
        """At the setpoint without modulation; then with it."""
        super().stabilise()
        self.station.lockin.sine_voltage = self._sine_voltage()

    def _sine_voltage(self) -> float:
        return float(self.modulation) / math.sqrt(2) * self.station.modulation_divider

    def _setpoint_conductance(self) -> float:
        return abs(float(self.setpoint_current) / float(self.setpoint_bias))

    def _volts_per_siemens(self) -> float:
        return float(self.modulation) / math.sqrt(2) * abs(self.response())
