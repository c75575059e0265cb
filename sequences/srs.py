"""Stochastic resonance spectroscopy (Betz et al.): a switching rate from the current's step in frequency.

A microwave of fixed amplitude at the junction is chopped by the lock-in's reference; the lock-in reads the change of
the tunnel current. Swept in frequency, that change steps by I_SR at f = Gamma / 2 pi (eq. 1). The tip stays at fixed
height.

    setpoint, feedback off --> for each frequency: flatten, play gated, settle, read --> feedback on --> fit
"""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sequences.tip import hold, release, stabilise
from stmlab.axes import Axis, Channel
from stmlab.errors import OutOfBounds
from stmlab.events import ParameterValue
from stmlab.lowpass import SLOPES, noise_bandwidth, settling_time
from stmlab.parameters import FloatParameter, IntegerParameter, ListParameter
from stmlab.sequence import Sequence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

CHOP_FACTOR = math.sqrt(2) / math.pi
"""rms first harmonic of a 50 % square chop of height 1."""


class StochasticResonance(Sequence):
    """Microwave frequency sweep at fixed amplitude at the junction; chopped detection."""

    name = "srs"
    title = "stochastic resonance spectrum: chopped microwave, swept in frequency; fits the switching rate"
    roles = ("lockin", "generator", "bias", "tip", "path_to_junction", "current_preamplifier")
    channels = (
        Channel("current", "A", "change of the mean tunnel current by the microwave (SRS signal)"),
        Channel("current_error", "A", "standard error of the mean over the readings; nan for a single one"),
        Channel("x", "V", "lock-in X, rms"),
        Channel("y", "V", "lock-in Y, rms"),
        Channel("amplitude", "V", "microwave amplitude at the junction, peak, as played"),
    )

    dc_bias = FloatParameter(
        "DC bias", units="V", default=4e-3, minimum=-10, maximum=10, description="bias during the sweep"
    )
    amplitude = FloatParameter(
        "Microwave amplitude",
        units="V",
        default=2.8e-3,
        minimum=1e-6,
        maximum=1,
        description="peak amplitude at the junction, the same at every frequency",
    )
    start_frequency = FloatParameter(
        "First frequency", units="Hz", default=3e6, minimum=1e3, maximum=25e9, description="of the logarithmic grid"
    )
    stop_frequency = FloatParameter(
        "Last frequency", units="Hz", default=20e9, minimum=1e3, maximum=25e9, description="of the logarithmic grid"
    )
    points = IntegerParameter(
        "Points",
        default=60,
        minimum=1,
        maximum=100_000,
        description="frequencies, spaced logarithmically; those within the same multiple of twice the chop are one",
    )
    averages = IntegerParameter(
        "Averages", default=1, minimum=1, maximum=10_000, description="independent readings per frequency"
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
        description="largest SRS current expected: sets the lock-in's input range and sensitivity",
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

    # -- what will happen ----------------------------------------------------------------------------------------

    def axes(self) -> tuple[Axis, ...]:
        """One axis: frequency, logarithmic, each value a whole number of periods per open gate."""
        grid = np.geomspace(self.start_frequency, self.stop_frequency, self.points)
        return (Axis("frequency", "Hz", self._whole_periods(grid), "microwave frequency", logarithmic=True),)

    def demands(self) -> Mapping[str, float | FloatArray]:
        """Every value of every output, the generator's amplitude behind the line included."""
        frequency = self.axes()[0].values
        return {
            "bias": np.array([self.setpoint_bias, self.dc_bias]),
            "setpoint": self.setpoint_current,
            "junction_amplitude": self.amplitude,
            "rf_frequency": frequency,
            "rf_amplitude": self._connector_amplitude(frequency),
        }

    def verify(self) -> None:
        """The generator can play every tone at the amplitude that the line asks for, and the bias tee stands it."""
        frequency = self.axes()[0].values
        amplitude = self._connector_amplitude(frequency)
        self.station.path_to_junction.check(
            voltage=max(abs(self.setpoint_bias), abs(self.dc_bias)),
            current=self.setpoint_current,
            rf_amplitude=float(amplitude.max()),
        )
        for f, needed in zip(frequency.tolist(), amplitude.tolist(), strict=True):
            if needed > (largest := self.station.generator.largest_amplitude(f)):
                raise OutOfBounds(f"rf_amplitude at {f:.4g} Hz", needed, 0.0, largest, "V", "the generator's range")

    def point_seconds(self) -> float:
        """Settling, then the readings."""
        return self.settling_time() + (int(self.averages) - 1) * self._reading_interval()

    def factors(self) -> Mapping[str, ParameterValue]:
        """From the lock-in's volts to the SRS current: current = X / (chop factor * gain)."""
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

    def move_frequency(self, frequency: float) -> float:
        """Play the tone, flattened to the same amplitude at the junction; returns the frequency really played."""
        if self.stabilise_every and self._taken == self.stabilise_every:
            self.station.generator.off()
            self._stabilise()
        self._taken += 1
        transfer = abs(self.station.path_to_junction.transfer(np.array([frequency]))[0])
        tone = self.station.generator.play_tone(frequency, self.amplitude / transfer, gated=True)
        self._played = tone.amplitude * transfer
        return tone.frequency

    def settling_time(self) -> float:
        """Of the lock-in's filter, for the residual that is asked for."""
        return settling_time(self.time_constant, self.filter_slope, self.settling_residual)

    def measure(self) -> dict[str, float | FloatArray]:
        """Independent readings of X and Y, their mean, and the current it means."""
        lockin = self.station.lockin
        lockin.clear()  # what overloaded while the tone changed and settled does not count
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
            "amplitude": self._played,
        }

    def finish(self) -> None:
        """Microwave off, feedback on at the setpoint."""
        self.station.generator.off()
        release(self, self.setpoint_bias)

    def analyse(self, run: Any) -> FitResult | None:
        """The switching rate, by eq. 1."""
        from stmlab.analysis import analyse

        return analyse(run, self.name)

    # -- details -------------------------------------------------------------------------------------------------

    def _stabilise(self) -> None:
        stabilise(self, self.setpoint_bias, self.setpoint_current, self.stabilise_time)
        hold(self, self.dc_bias)
        self._taken = 0

    def _whole_periods(self, frequency: FloatArray) -> FloatArray:
        """The nearest frequencies with a whole number of periods in the half period that the gate is open, each once.

        With a fraction of a period left over, the microwave's mean over the open gate is not zero and a change of the
        DC bias is read as signal: up to 2 f_chop / (2 pi f) of the amplitude, times the conductance.
        """
        gate = 2 * self.chop_frequency
        once: FloatArray = np.unique(np.maximum(np.round(frequency / gate), 1.0)) * gate
        return once if frequency[0] <= frequency[-1] else once[::-1]

    def _connector_amplitude(self, frequency: FloatArray) -> FloatArray:
        transfer: FloatArray = np.abs(self.station.path_to_junction.transfer(frequency))
        return float(self.amplitude) / transfer

    def _reading_interval(self) -> float:
        """Time between readings whose noise is independent: the Nyquist interval of the noise bandwidth."""
        return 1 / (2 * noise_bandwidth(self.time_constant, self.filter_slope))


def _degrees(response: complex) -> float:
    return math.degrees(cmath.phase(response))
