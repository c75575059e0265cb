"""Differential conductance by the lock-in at fixed height: what a spectrum and a ramp of spectra share.

The lock-in's sine output modulates the bias; the current's first harmonic over the modulation is dI/dV. The feedback is
open during the sweep and closed after it, whatever happens.

    setpoint, feedback off, modulation on --> for each bias: settle, read --> modulation off, feedback on

The bias is set point by point, or swept by the controller itself (``hardware``): faster, and evenly in time, but stop
then waits for the end of a sweep.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sequences.detection import residual_parameter
from sequences.repeated import RepeatedSweeps
from stmlab.acquisition.parameters import BooleanParameter, FloatParameter, IntegerParameter
from stmlab.axes import Axis, Channel
from stmlab.errors import SequenceError
from stmlab.events import ParameterValue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import FloatArray
    from stmlab.station import Station
    from stmlab.station.instruments import BiasSweep


class ConductanceSequence(RepeatedSweeps):
    """Bias sweeps at fixed height with a small modulation of the bias, forward and, if wanted, back again."""

    reference_parameter = "modulation_frequency"
    range_parameter = "conductance_range"
    stabilised_at: ClassVar[tuple[str, ...]] = ("sweep",)
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sweep": ("start_bias", "stop_bias", "points", "backward", "sweeps", "hardware"),
        "lock-in": (
            *("modulation", "modulation_frequency", "conductance_range"),
            *("time_constant", "filter_slope", "averages", "auto_phase"),
        ),
        "fit": ("temperature", "field"),
    }
    outputs: ClassVar[Mapping[str, str]] = {"start_bias": "bias", "stop_bias": "bias", "modulation": "modulation"}
    channels: tuple[Channel, ...] = (
        Channel("conductance", "S", "dI/dV: first harmonic of the current over the modulation of the bias"),
        Channel("conductance_error", "S", "standard error of the mean over the readings; nan for a single one"),
        Channel("current", "A", "tunnel current, as the controller reads it"),
        Channel("x", "V", "lock-in X, rms"),
        Channel("y", "V", "lock-in Y, rms"),
        Channel("modulation", "V", "peak modulation of the bias at the junction, as the lock-in's output really is"),
        Channel("phase", "deg", "of the lock-in's reference"),
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
    hardware = BooleanParameter("Hardware sweep", default=False, description="let the controller sweep the bias")
    modulation = FloatParameter(
        "Modulation",
        units="V",
        default=0.2e-3,
        minimum=1e-7,
        maximum=1,
        description="peak amplitude of the bias modulation at the junction",
    )
    settling_residual = residual_parameter(1e-4)  # no shuffled order averages the lag out, and it shifts step energies
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

    auto_phase = BooleanParameter(
        "Auto-phase",
        default=False,
        description="turn the lock-in's phase until Y is zero at the first bias; else it is the preamplifier's",
    )
    temperature = FloatParameter(
        "Temperature",
        units="K",
        default=0.0,
        minimum=0,
        maximum=1000,
        description="of the sample, for the fit (0: fit it)",
    )
    field = FloatParameter(
        "Field", units="T", default=0.0, minimum=-100, maximum=100, description="along the surface normal, for the fit"
    )

    _modulation = 0.0  # as played, V peak at the junction; 0 before it is
    _phase = math.nan  # of the lock-in, degrees

    # -- what will happen ----------------------------------------------------------------------------------------

    def axes(self) -> tuple[Axis, ...]:
        """Sweeps, and the bias in the order in which it is visited: forward, then backward if wanted."""
        forward = np.linspace(self.start_bias, self.stop_bias, self.points)
        path = np.concatenate([forward, forward[::-1]]) if self.backward else forward
        return self.repeated(Axis("bias", "V", path, "bias", hardware=bool(self.hardware)))

    @property
    def shuffles_by_itself(self) -> bool:
        """See LockInSequence; never: the bias travels."""
        return False

    def demands(self) -> Mapping[str, float | FloatArray]:
        """Every bias, the setpoint and the lock-in's sine output."""
        return {
            "setpoint_bias": self.setpoint_bias,
            "bias": np.array([self.start_bias, self.stop_bias]),
            "setpoint": self.setpoint_current,
            "modulation": self._sine_voltage(),
        }

    def verify(self) -> None:
        """There is a sweep, and the preamplifier holds the current expected at the ends of the sweep."""
        super().verify()
        if self.start_bias == self.stop_bias:
            raise SequenceError(f"{self.name}: start_bias = stop_bias = {self.start_bias:g} V: there is no sweep")
        if self.backward and self.order not in ("automatic", "sweep"):
            raise SequenceError(
                f"{self.name}: order = {self.order}: with backward = true the points are visited there and back"
            )
        if self.hardware:
            self.station.limit("bias").check_sweep(float(self.start_bias), float(self.stop_bias), int(self.points))
        preamplifier = self.station.current_preamplifier
        current = self.expected_current()
        if current * preamplifier.gain > preamplifier.saturation:
            raise SequenceError(
                f"{self.name}: about {current:.3g} A at the end of the sweep saturate the preamplifier at "
                f"{preamplifier.saturation / preamplifier.gain:.3g} A: lower the setpoint or the range"
            )

    def factors(self) -> Mapping[str, ParameterValue]:
        """From the lock-in's volts to dI/dV: conductance = X / (modulation / sqrt(2) * gain), modulation as played."""
        divider = ParameterValue(self.station.modulation_divider, "", "sine output per modulation at the junction")
        return {"modulation_divider": divider, **self.detection_factors()}

    def connect(self, station: Station, checkpoint: Callable[[], None] | None = None) -> None:
        """See Sequence; a hardware sweep needs a controller that can."""
        super().connect(station, checkpoint)
        if self.hardware:
            _ = station.spectroscopy

    def point_seconds(self) -> float:
        """Of one bias, or of a whole hardware sweep."""
        seconds = super().settling_time() + self._integration()
        return seconds * len(self.axes()[-1]) if self.hardware else super().point_seconds()

    def settling_time(self) -> float:
        """Of the lock-in's filter; in a hardware sweep the controller waits at every point."""
        return 0.0 if self.hardware else super().settling_time()

    # -- the experiment ------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """As every lock-in experiment; then the phase, if wanted."""
        super().prepare()
        if self.auto_phase:
            self.find_phase()
        self._phase = float(self.station.lockin.phase)

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
        """Readings of X and Y, dI/dV, and the current: of one bias, or of a whole hardware sweep."""
        if self.hardware:
            return {**self._sweep()}
        reading, volts_per_siemens = self.read(), self._volts_per_siemens()
        return {
            "conductance": reading.x / volts_per_siemens,
            "conductance_error": reading.error / volts_per_siemens,
            "current": self.station.tip.current,
            "x": reading.x,
            "y": reading.y,
            "modulation": self._modulation,
            "phase": self._phase,
        }

    # -- details -------------------------------------------------------------------------------------------------

    def _sweep(self) -> dict[str, FloatArray]:
        """Let the controller sweep; what overloads the lock-in anywhere in it makes it wrong."""
        lockin = self.station.lockin
        self.wait(super().settling_time())  # at the first point the whole signal is new
        lockin.clear()
        sweep = self.station.spectroscopy.sweep_bias(
            self.start_bias,
            self.stop_bias,
            self.points,
            settling=super().settling_time(),
            integration=self._integration(),
            slew=math.inf,
            backward=self.backward,
            tell=lambda seen: self.tell_partial(self._values_of(seen)),
        )
        with self.overload_explained():
            lockin.check_status()
        return self._values_of(sweep)

    def _values_of(self, sweep: BiasSweep) -> dict[str, FloatArray]:
        """Channel -> along a sweep, as far as it goes."""
        everywhere = np.ones(sweep.x.shape)
        return {
            "conductance": sweep.x / self._volts_per_siemens(),
            "conductance_error": math.nan * everywhere,
            "current": sweep.current,
            "x": sweep.x,
            "y": sweep.y,
            "modulation": self._modulation * everywhere,
            "phase": self._phase * everywhere,
        }

    def _integration(self) -> float:
        """Of each point of a hardware sweep, s."""
        return int(self.averages) * self.reading_interval()

    def full_scale(self) -> float:
        """Of the largest dI/dV that is expected, V rms."""
        return float(self.conductance_range) * self._setpoint_conductance() * self._volts_per_siemens()

    def bias_during_sweep(self) -> float:
        """Where the sweep begins, V."""
        return float(self.start_bias)

    def quiet(self) -> None:
        """Modulation off."""
        self.station.lockin.outputs_off()

    def stabilise(self) -> None:
        """At the setpoint without modulation; then with it, as large as the lock-in's output can come to it."""
        super().stabilise()
        lockin = self.station.lockin
        lockin.sine_voltage = self._sine_voltage()
        self._modulation = lockin.sine_voltage * math.sqrt(2) / self.station.modulation_divider

    def expected_current(self) -> float:
        """At the end of the sweep, by the setpoint's conductance, A."""
        return self._setpoint_conductance() * max(abs(float(self.start_bias)), abs(float(self.stop_bias)))

    def _sine_voltage(self) -> float:
        return float(self.modulation) / math.sqrt(2) * self.station.modulation_divider

    def _setpoint_conductance(self) -> float:
        return abs(float(self.setpoint_current) / float(self.setpoint_bias))

    def _volts_per_siemens(self) -> float:
        return (self._modulation or float(self.modulation)) / math.sqrt(2) * abs(self.response())
