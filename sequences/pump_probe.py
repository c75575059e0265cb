"""Pump and probe: the lifetime of an excited state from two voltage pulses (Betz et al., supplementary figure S1).

The pump excites, the probe reads how much is still excited; the change of the mean current falls as exp(-delay / T1).
At negative delays the probe comes first. Where the pulses overlap the current shows their cross-correlation, which the
fit leaves out.

    setpoint, feedback off --> for each delay: play both pulses gated, settle, read --> feedback on --> fit

Heights are those at the junction: the generator's amplitude compensates what the line does to such a pulse, as the
station's transfer function says. The mean of the pulses does not pass the bias tee: the bias between them shifts by
minus that mean, which a long period keeps small.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sequences.adaptive import AdaptiveSequence
from sequences.chopped import ChoppedSequence
from stmlab.acquisition.choosing import FINE, AxisChooser
from stmlab.acquisition.parameters import FloatParameter, IntegerParameter, ListParameter
from stmlab.axes import Axis, Channel
from stmlab.errors import FitError, SequenceError
from stmlab.events import ParameterValue
from stmlab.station.instruments import PulsePair

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.adaptive.forecast import ExpectedLine
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.station.instruments import RadioFrequencyPath

_BEYOND = 1.0001  # of the overlap, the first of them
_RANGE = 3.0  # of their range, at the least
_OTHER_SIDE = 6  # one in so many delays lies on the side that is not fitted
_FEWEST = 12  # delays that are divided between the sides
_LONE = 30.0  # widths from pulse to pulse
_EDGE = 2 * math.asin(0.8) / math.pi  # 10-90 % rise over the whole length of a raised-cosine edge


class PumpProbe(AdaptiveSequence, ChoppedSequence):
    """Delay scan of a probe pulse behind (or before) a pump pulse; chopped detection."""

    name = "pump_probe"
    sought = Channel("T1_so_far", "s", "T1, as known when the point was chosen")
    title = "pump-probe: two voltage pulses, swept in delay; fits T1"
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sweep": ("dc_bias", "start_delay", "stop_delay", "points", "delays", "target_error", "time_limit"),
        "pulses": ("pump", "probe", "width", "rise_time", "period"),
        "fit": ("exclusion", "fitted_sides"),
    }
    outputs: ClassVar[Mapping[str, str]] = {"pump": "junction_amplitude", "probe": "junction_amplitude"}
    channels = (
        Channel("current", "A", "change of the mean tunnel current by the pulses"),
        *ChoppedSequence.channels,
        Channel("pump_height", "V", "pump at the junction, as played"),
        Channel("probe_height", "V", "probe at the junction, as played"),
    )

    dc_bias = FloatParameter(
        "DC bias", units="V", default=0.0, minimum=-10, maximum=10, description="between the pulses: T1 is that at it"
    )
    pump = FloatParameter(
        "Pump", units="V", default=-10e-3, minimum=-1, maximum=1, description="height at the junction, signed"
    )
    probe = FloatParameter(
        "Probe", units="V", default=-2e-3, minimum=-1, maximum=1, description="height at the junction, signed"
    )
    width = FloatParameter(
        "Width", units="s", default=429e-12, minimum=1e-11, maximum=1e-3, description="of both, at half maximum"
    )
    rise_time = FloatParameter(
        "Rise time", units="s", default=154e-12, minimum=1e-11, maximum=1e-3, description="of both, 10-90 %"
    )
    start_delay = FloatParameter(
        "First delay", units="s", default=-4e-9, minimum=-1e-3, maximum=1e-3, description="from pump to probe"
    )
    stop_delay = FloatParameter(
        "Last delay", units="s", default=4e-9, minimum=-1e-3, maximum=1e-3, description="from pump to probe"
    )
    points = IntegerParameter("Points", default=41, minimum=1, maximum=100_000, description="delays, evenly spaced")
    delays = ListParameter(
        "Delays",
        choices=("even", "fitted", "adaptive"),
        default="fitted",
        description="even: from first to last; fitted: most of them on the side that is fitted, a sixth on the other; "
        "adaptive: chosen one by one on the fitted side, until target_error is reached",
    )
    period = FloatParameter(
        "Period", units="s", default=20e-9, minimum=1e-10, maximum=1e-3, description="from pump to pump: many T1"
    )
    exclusion = FloatParameter(
        "Exclusion",
        units="s",
        default=0.0,
        minimum=0,
        maximum=1e-3,
        description="|delay| up to which the fit leaves points out (0: width and two rise times)",
    )
    fitted_sides = ListParameter(
        "Fitted sides",
        choices=("positive", "negative", "both"),
        default="positive",
        description="of zero delay; echoes on the line disturb the side where the decay is small",
    )

    # -- what will happen ----------------------------------------------------------------------------------------

    def axes(self) -> tuple[Axis, ...]:
        """Delay; within sweeps, if there are several."""
        return self.repeated(Axis("delay", "s", self._delays(), "delay from pump to probe"))

    def demands(self) -> Mapping[str, float | FloatArray]:
        """Every value of every output; pulses that overlap add."""
        self._check_times()
        heights = np.abs([self.pump, self.probe, self.pump + self.probe])
        return {
            "setpoint_bias": self.setpoint_bias,
            "bias": self.dc_bias,
            "setpoint": self.setpoint_current,
            "junction_amplitude": heights,
            "rf_frequency": 1 / float(self.period),
            "rf_amplitude": heights / self._height_behind_line(),
        }

    def verify(self) -> None:
        """The line was measured of late, the tee stands the pulses, and the generator can play the extreme delays."""
        super().verify()
        if self.is_adaptive:
            self._check_adaptive()
        self.station.path_to_junction.check_age(self.station.clock.date().date())
        largest = (abs(self.pump) + abs(self.probe)) / self._height_behind_line()
        self.station.path_to_junction.check(
            voltage=max(abs(self.setpoint_bias), abs(self.dc_bias)),
            current=self.setpoint_current,
            rf_amplitude=float(largest),
        )
        delay = self._delays()
        for value in {float(delay[0]), float(delay[-1]), float(delay[np.abs(delay).argmin()])}:
            self.station.generator.check_pulses(self._pulses(value))

    def factors(self) -> Mapping[str, ParameterValue]:
        """Those of the detection, and the height of a pulse behind the line."""
        meaning = "height at the junction of a pulse of height 1 at the connector"
        return {**super().factors(), "pulse_transfer": ParameterValue(self._height_behind_line(), "", meaning)}

    def new_chooser(self) -> AxisChooser:
        """Chooses each delay."""
        from stmlab.analysis.adaptive.posterior import decay
        from stmlab.analysis.adaptive.scale_choice import DECAY_CHECKS, ScaleChoice

        delay = self._delays()
        low, high = _logarithm(delay[[0, -1]]).tolist()
        places = ScaleChoice(decay, low, high, float(self.target_error), DECAY_CHECKS, self.most_points())
        return AxisChooser(places, delay, _logarithm, "current")

    def ways(self, value: float) -> Mapping[str, Mapping[str, Any]]:
        """See AdaptiveSequence."""
        return {
            "even delays": {"delays": "even"},
            "on the fitted side": {"delays": "fitted"},
            "adaptive": {"delays": "adaptive"},
        }

    def expected(self, fit: FitResult, noise: float) -> ExpectedLine:
        """See AdaptiveSequence."""
        from stmlab.analysis.adaptive.forecast import ExpectedLine
        from stmlab.analysis.adaptive.posterior import decay
        from stmlab.analysis.adaptive.scale_choice import DECAY_CHECKS

        self._check_side()
        height = fit[f"height_{self.fitted_sides}"].value
        return ExpectedLine(decay, fit["T1"].value, abs(height) / noise, DECAY_CHECKS)

    def fitted_places(self, values: FloatArray) -> FloatArray:
        """See AdaptiveSequence."""
        along = -values if self.fitted_sides == "negative" else values
        return _logarithm(along[along > self._overlap()])

    @property
    def is_adaptive(self) -> bool:
        """See AdaptiveSequence."""
        return bool(self.delays == "adaptive")

    # -- the experiment ------------------------------------------------------------------------------------------

    def move_delay(self, delay: float) -> float:
        """Play both pulses; returns the delay really played."""
        self.next_point()
        transfer = self._height_behind_line()
        played = self.station.generator.play_pulses(self._pulses(delay), gated=True)
        self._heights = {"pump_height": played.pump * transfer, "probe_height": played.probe * transfer}
        return played.delay

    def measure(self) -> dict[str, float | FloatArray]:
        """The current, and the pulses as played; of adaptive delays what was known before."""
        return {**super().measure(), **self._heights, **self.known_before()}

    def analyse(self, run: Any) -> FitResult | None:
        """T1, by an exponential decay on the sides of zero delay that ``fitted_sides`` names."""
        from stmlab.analysis import analyse

        if run.axes[-1].values.size == 1:
            raise FitError("a single delay shows no decay")
        return analyse(run)

    # -- details -------------------------------------------------------------------------------------------------

    def _delays(self) -> FloatArray:
        """Every delay: evenly, mostly on the side that is fitted, or the fine grid from which they are chosen."""
        start, stop, points = float(self.start_delay), float(self.stop_delay), int(self.points)
        side = {"positive": 1.0, "negative": -1.0}.get(self.fitted_sides, 0.0)
        if self.is_adaptive:
            far = stop if side >= 0 else -start
            return (side or 1.0) * np.geomspace(min(_BEYOND * self._overlap(), abs(far)), max(abs(far), 1e-12), FINE)
        both = start < -self._overlap() < self._overlap() < stop
        if self.delays == "even" or side == 0.0 or points < _FEWEST or not both:
            return np.linspace(start, stop, points)
        few = points // _OTHER_SIDE
        before = points - few if side < 0 else few
        negative = np.linspace(start, -self._overlap(), before)
        return np.concatenate([negative, np.linspace(self._overlap(), stop, points - before)])

    def _overlap(self) -> float:
        """Delay up to which the pulses overlap, or the fit leaves points out, s."""
        return float(self.exclusion) or float(self.width) + 2 * float(self.rise_time)

    def _check_adaptive(self) -> None:
        """Refuse adaptive delays on both sides, or without a range."""
        self.check_adaptive()
        self._check_side()
        far = self.stop_delay if self.fitted_sides == "positive" else -self.start_delay
        if far < _RANGE * self._overlap():
            raise SequenceError(
                f"{self.name}: adaptive delays need a range from {self._overlap():.3g} s, where the pulses overlap no "
                f"more, to {_RANGE:g} times that; it ends at {far:.3g} s"
            )
        self.check_time()

    def _check_side(self) -> None:
        if self.fitted_sides == "both":
            raise SequenceError(
                f"{self.name}: adaptive delays lie on one side: set fitted_sides to positive or negative"
            )

    _known_height: tuple[tuple[float, float, float], float] | None = None

    def _pulses(self, delay: float) -> PulsePair:
        """What the generator is asked for."""
        transfer = self._height_behind_line()
        return PulsePair(self.pump / transfer, self.probe / transfer, self.width, self.rise_time, delay, self.period)

    def _check_times(self) -> None:
        """Refuse delays beyond half a period, and pulses that do not fit into it."""
        for name in ("start_delay", "stop_delay"):
            if abs(delay := float(getattr(self, name))) > self.period / 2:
                raise SequenceError(
                    f"{self.name}: {name} = {delay:g} s: up to half of period = {self.period:g} s either way is allowed"
                )
        if (length := self.width + self.rise_time / _EDGE) > self.period / 2:
            raise SequenceError(
                f"{self.name}: width = {self.width:g} s: a pulse of {length:g} s with its edges does not fit into half "
                f"of period = {self.period:g} s"
            )

    def _height_behind_line(self) -> float:
        key = (self.width, self.rise_time, self.period)
        if self._known_height is None or self._known_height[0] != key:
            height = pulse_height(self.station.path_to_junction, *key)
            self._known_height = key, height
        return self._known_height[1]


def _logarithm(delay: FloatArray) -> FloatArray:
    """ln |delay|, the scale of the logarithm of T1."""
    scale: FloatArray = np.log(np.abs(delay))
    return scale


def pulse_height(path: RadioFrequencyPath, width: float, rise_time: float, period: float) -> float:
    """Height at the junction, above the voltage between pulses, of a pulse of height 1 at the connector.

    Args:
        path: from the generator to the junction.
        width: at half maximum, s.
        rise_time: 10-90 % of the raised-cosine edges, s.
        period: of the pulses, s.

    Raises:
        OutOfBounds: ``1 / period`` lies below the band of ``path``, or the band ends below ``1 / rise_time``.
    """
    period = min(period, _LONE * (width + rise_time))  # farther away, other pulses shift the voltage between them only
    highest = min(max(path.band[1], 1 / rise_time), 2 / rise_time)
    count = max(1, math.floor(highest * period * (1 + 1e-9)))
    samples = 1 << (8 * count - 1).bit_length()
    edge = rise_time / _EDGE
    outward = (np.abs((np.arange(samples) / samples - 0.5) * period) - width / 2) / edge
    lines = np.fft.rfft(0.5 * (1 - np.sin(np.pi * np.clip(outward, -0.5, 0.5))))
    lines[0] = lines[count + 1 :] = 0.0
    lines[1 : count + 1] *= path.transfer(np.arange(1, count + 1) / period)
    arriving = np.fft.irfft(lines, samples)
    return float(arriving.max() - np.median(arriving))
