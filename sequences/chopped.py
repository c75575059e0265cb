"""Chopped detection: what the experiments with a gated generator share.

The lock-in's reference gates the generator, so that the lock-in reads how much the mean tunnel current changes when the
generator plays. The tip stays at fixed height meanwhile, stabilised at the start and as often as wanted.

An experiment of this kind gives its axes and what is played; the rest is here.
"""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sequences.tip import hold, release, stabilise
from stmlab.axes import Channel
from stmlab.events import ParameterValue
from stmlab.lowpass import SLOPES, noise_bandwidth, settling_time
from stmlab.parameters import FloatParameter, IntegerParameter, ListParameter
from stmlab.sequence import Sequence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray

CHOP_FACTOR = math.sqrt(2) / math.pi
"""rms first harmonic of a 50 % square chop of height 1."""


class ChoppedSequence(Sequence):
    """An experiment whose microwave or pulses are chopped by the lock-in's reference."""

    roles = ("lockin", "generator", "bias", "tip", "path_to_junction", "current_preamplifier")
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("current", "A", "change of the mean tunnel current by what the generator plays"),
        Channel("current_error", "A", "standard error of the mean over the readings; nan for a single one"),
        Channel("x", "V", "lock-in X, rms"),
        Channel("y", "V", "lock-in Y, rms"),
    )

    dc_bias = FloatParameter(
        "DC bias", units="V", default=4e-3, minimum=-10, maximum=10, description="bias during the sweep"
    )
    averages = IntegerParameter(
        "Averages", default=1, minimum=1, maximum=10_000, description="independent readings per point"
    )
    chop_frequency = FloatParameter(
        "Chop frequency",
        units="Hz",
        default=691.0,
        minimum=1,
        maximum=1e5,
        description="of the lock-in's internal reference, which gates the generator",
    )
    time_constant = FloatParameter(
        "Time constant", units="s", default=0.03, minimum=1e-6, maximum=3e4, description="of the lock-in"
    )
    filter_slope = ListParameter(
        "Filter slope", choices=SLOPES, units="dB/octave", default=24, description="of the lock-in's output filter"
    )
    settling_residual = FloatParameter(
        "Settling residual",
        default=1e-3,
        minimum=1e-9,
        maximum=0.1,
        description="part of a step that may be missing when a reading is taken",
    )
    current_range = FloatParameter(
        "Current range",
        units="A",
        default=200e-12,
        minimum=1e-15,
        maximum=1e-6,
        description="largest change of the current expected: sets the lock-in's input range and sensitivity",
    )
    setpoint_bias = FloatParameter(
        "Setpoint bias", units="V", default=10e-3, minimum=-10, maximum=10, description="bias while feedback is on"
    )
    setpoint_current = FloatParameter(
        "Setpoint current", units="A", default=4e-9, minimum=1e-15, maximum=1e-6, description="while feedback is on"
    )
    stabilise_time = FloatParameter(
        "Stabilising time", units="s", default=1.0, minimum=0, maximum=3600, description="feedback on before the sweep"
    )
    stabilise_every = IntegerParameter(
        "Stabilise every",
        default=0,
        minimum=0,
        maximum=100_000,
        description="points after which the tip is stabilised again (0: only at the start); long sweeps drift",
    )

    _taken = 0  # points since the tip was last stabilised

    # -- what will happen ----------------------------------------------------------------------------------------

    def bias_during_sweep(self) -> float:
        """Bias to which the junction goes when the tip has been stabilised, V."""
        return float(self.dc_bias)

    def point_seconds(self) -> float:
        """Settling, then the readings."""
        return self.settling_time() + (int(self.averages) - 1) * self._reading_interval()

    def factors(self) -> Mapping[str, ParameterValue]:
        """From the lock-in's volts to the change of the current: current = X / (chop factor * gain)."""
        response = self.station.current_preamplifier.response(self.chop_frequency)
        return {
            "chop_factor": ParameterValue(CHOP_FACTOR, "", "rms first harmonic of a 50 % square chop of height 1"),
            "gain": ParameterValue(abs(response), "V/A", "preamplifier at the chop frequency, with its roll-off"),
            "phase": ParameterValue(
                _degrees(response), "deg", "preamplifier at the chop frequency; the lock-in's phase"
            ),
        }

    # -- the experiment ------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Set the lock-in, stabilise the tip, open the feedback, go to the bias of the sweep."""
        station = self.station
        station.generator.off()
        lockin = station.lockin
        response = station.current_preamplifier.response(self.chop_frequency)
        lockin.use_internal_reference()
        lockin.frequency = self.chop_frequency
        lockin.harmonic = 1
        lockin.phase = _degrees(response)
        lockin.time_constant = self.time_constant
        lockin.filter_slope = self.filter_slope
        lockin.prepare_input(self.current_range * CHOP_FACTOR * abs(response))
        self._volts_per_ampere = CHOP_FACTOR * abs(response)
        self._stabilise()
        station.check_status()

    def next_point(self) -> None:
        """To be called at every move of the innermost axis: stabilises the tip when it is due."""
        if self.stabilise_every and self._taken == self.stabilise_every:
            self.station.generator.off()
            self._stabilise()
        self._taken += 1

    def settling_time(self) -> float:
        """Of the lock-in's filter, for the residual that is asked for."""
        return settling_time(self.time_constant, self.filter_slope, self.settling_residual)

    def measure(self) -> dict[str, float | FloatArray]:
        """Independent readings of X and Y, their mean, and the current it means."""
        lockin = self.station.lockin
        lockin.clear()  # what overloaded while the waveform changed and settled does not count
        readings = np.empty((self.averages, 2))
        for k in range(self.averages):
            if k:
                self.wait(self._reading_interval())
            readings[k] = lockin.xy
        lockin.check_status()  # an overload now makes the readings wrong
        x, y = readings.mean(axis=0).tolist()
        spread = float(readings[:, 0].std(ddof=1)) / math.sqrt(self.averages) if self.averages > 1 else math.nan
        return {
            "current": x / self._volts_per_ampere,
            "current_error": spread / self._volts_per_ampere,
            "x": x,
            "y": y,
        }

    def finish(self) -> None:
        """Generator off, feedback on at the setpoint."""
        self.station.generator.off()
        release(self, self.setpoint_bias)

    # -- details -------------------------------------------------------------------------------------------------

    def _stabilise(self) -> None:
        stabilise(self, self.setpoint_bias, self.setpoint_current, self.stabilise_time)
        hold(self, self.bias_during_sweep())
        self._taken = 0

    def _reading_interval(self) -> float:
        """Time between readings whose noise is independent: the Nyquist interval of the noise bandwidth."""
        return 1 / (2 * noise_bandwidth(self.time_constant, self.filter_slope))


def whole_periods(frequency: FloatArray, chop_frequency: float) -> FloatArray:
    """The nearest frequencies with a whole number of periods in the half period that the gate is open, each once.

    With a fraction of a period left over, the microwave's mean over the open gate is not zero and a change of the
    DC bias is read as signal: up to 2 f_chop / (2 pi f) of the amplitude, times the conductance.
    """
    gate = 2 * chop_frequency
    once: FloatArray = np.unique(np.maximum(np.round(frequency / gate), 1.0)) * gate
    return once if frequency[0] <= frequency[-1] else once[::-1]


def _degrees(response: complex) -> float:
    return math.degrees(cmath.phase(response))
