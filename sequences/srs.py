"""Stochastic resonance spectroscopy (Betz et al.): a switching rate from the current's step in frequency.

A microwave of fixed amplitude at the junction is chopped by the lock-in's reference; the lock-in reads the change of
the tunnel current. Swept in frequency, that change steps by I_SR at f = Gamma / 2 pi (eq. 1). The tip stays at fixed
height.

    setpoint, feedback off --> for each frequency: flatten, play gated, settle, read --> feedback on --> fit

Flattening. The generator's amplitude compensates the line between it and the junction, as the station's measured
transfer function says. Without a transfer function that covers the band and is recent enough the spectrum cannot be
called flattened, and is refused. Unflattened (``flatten = false``), the amplitude at the connector is the same at every
frequency, and the ripple of the line is in the spectrum.

Adaptive (``grid = adaptive``). The run chooses each frequency from what it has read so far, until the rate is known to
``target_error``; half of the readings check the line. See `stmlab.analysis.adaptive.scale_choice`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sequences.adaptive import AdaptiveSequence
from sequences.chopped import CHOP_FACTOR, ChoppedSequence, whole_periods
from stmlab.acquisition.choosing import FINE, AxisChooser
from stmlab.acquisition.parameters import BooleanParameter, FloatParameter, IntegerParameter, ListParameter
from stmlab.axes import Axis, Channel
from stmlab.errors import FitError, OutOfBounds, SequenceError
from stmlab.events import ParameterValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.adaptive.forecast import ExpectedLine
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

__all__ = ["CHOP_FACTOR", "StochasticResonance"]

_CLOSE = 1.3  # of an optimal grid: the factor that points of one place are spread over, so that each is another tone
_FAR = 5.0  # and that its ends lie away from the expected characteristic frequency


class StochasticResonance(AdaptiveSequence, ChoppedSequence):
    """Microwave frequency sweep at fixed amplitude at the junction; chopped detection."""

    name = "srs"
    sought = Channel("rate_so_far", "1/s", "Gamma, as known when the point was chosen")
    title = "stochastic resonance spectrum: chopped microwave, swept in frequency; fits the switching rate"
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sweep": (
            *("dc_bias", "start_frequency", "stop_frequency", "points", "grid", "expected_rate"),
            *("target_error", "time_limit"),
        ),
        "microwave": ("amplitude", "flatten"),
    }
    outputs: ClassVar[Mapping[str, str]] = {
        "amplitude": "junction_amplitude",
        "start_frequency": "rf_frequency",
        "stop_frequency": "rf_frequency",
    }
    channels = (
        Channel("current", "A", "change of the mean tunnel current by the microwave (SRS signal)"),
        *ChoppedSequence.channels,
        Channel(
            "amplitude", "V", "microwave amplitude at the junction, peak, as played; nan where the line is unknown"
        ),
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
        "First frequency", units="Hz", default=3e6, minimum=1e3, maximum=25e9, description="of the grid"
    )
    stop_frequency = FloatParameter(
        "Last frequency", units="Hz", default=20e9, minimum=1e3, maximum=25e9, description="of the grid"
    )
    points = IntegerParameter(
        "Points",
        default=60,
        minimum=1,
        maximum=100_000,
        description="frequencies; those within the same multiple of twice the chop are one",
    )
    grid = ListParameter(
        "Grid",
        choices=("logarithmic", "linear", "optimal", "adaptive"),
        default="logarithmic",
        description="logarithmic while the rate is not known; optimal: the points that determine best the expected "
        "rate; adaptive: chosen one by one, until target_error is reached",
    )
    expected_rate = FloatParameter(
        "Expected rate", units="1/s", default=1e9, minimum=1, maximum=1e12, description="Gamma, for the optimal grid"
    )
    flatten = BooleanParameter(
        "Flatten",
        default=True,
        description="compensate the line; if not, the generator's amplitude is the one right at the first frequency",
    )

    # -- what will happen ----------------------------------------------------------------------------------------

    def axes(self) -> tuple[Axis, ...]:
        """Frequency, each value a whole number of periods per open gate; within sweeps, if there are several."""
        return self.repeated(self._frequency_axis())

    def offsets(self) -> FloatArray:
        """Every DC bias of the run, V."""
        return np.array([float(self.dc_bias)])

    def amplitudes(self) -> FloatArray:
        """Every microwave amplitude of the run, V peak at the junction."""
        return np.array([float(self.amplitude)])

    def demands(self) -> Mapping[str, float | FloatArray]:
        """Every value of every output, the generator's amplitude behind the line included."""
        frequency = self._frequency_axis().values
        return {
            "setpoint_bias": self.setpoint_bias,
            "bias": self.offsets(),
            "setpoint": self.setpoint_current,
            "junction_amplitude": self.amplitudes(),
            "rf_frequency": frequency,
            "rf_amplitude": self.amplitudes()[:, None] / self._transfer(frequency),
        }

    def verify(self) -> None:
        """The line is known well enough, the generator can play every tone, and the bias tee is within its rating."""
        super().verify()
        self._check_grid()
        station, frequency = self.station, self._frequency_axis().values
        if self.flatten:
            station.path_to_junction.check_age(station.clock.date().date())
        amplitude = self.amplitudes().max() / self._transfer(frequency)
        station.path_to_junction.check(
            voltage=float(np.abs([self.setpoint_bias, *self.offsets()]).max()),
            current=self.setpoint_current,
            rf_amplitude=float(amplitude.max()),
        )
        every = station.generator.common_amplitude(float(frequency.max()))
        doubtful = amplitude > every
        doubtful[[frequency.argmin(), frequency.argmax()]] = True  # the others lie within the generator's band
        for f, needed in zip(frequency[doubtful].tolist(), amplitude[doubtful].tolist(), strict=True):
            if needed > (largest := station.generator.largest_amplitude(f)):
                raise OutOfBounds(f"rf_amplitude at {f:.4g} Hz", needed, 0.0, largest, "V", "the generator's range")

    def factors(self) -> Mapping[str, ParameterValue]:
        """Those of the detection, and whether the amplitude at the junction is the same at every frequency."""
        meaning = "the line's transfer function, known over the band and recent, is compensated"
        return {**super().factors(), "flattened": ParameterValue(bool(self.flatten), "", meaning)}

    def new_chooser(self) -> AxisChooser:
        """Chooses each frequency."""
        from stmlab.analysis.adaptive.posterior import resonance
        from stmlab.analysis.adaptive.scale_choice import RESONANCE_CHECKS, ScaleChoice

        frequency = self._frequency_axis().values
        low, high = _angular(frequency[[0, -1]]).tolist()
        target, most = float(self.target_error), self.most_points()
        places = ScaleChoice(resonance, low, high, target, RESONANCE_CHECKS, most)
        return AxisChooser(places, frequency, _angular, "current")

    def ways(self, value: float) -> Mapping[str, Mapping[str, Any]]:
        """See AdaptiveSequence."""
        return {
            "logarithmic grid": {"grid": "logarithmic"},
            "optimal grid": {"grid": "optimal", "expected_rate": value},
            "adaptive": {"grid": "adaptive"},
        }

    def expected(self, fit: FitResult, noise: float) -> ExpectedLine:
        """See AdaptiveSequence."""
        from stmlab.analysis.adaptive.forecast import ExpectedLine
        from stmlab.analysis.adaptive.posterior import resonance
        from stmlab.analysis.adaptive.scale_choice import RESONANCE_CHECKS

        return ExpectedLine(resonance, fit["rate"].value, abs(fit["step"].value) / noise, RESONANCE_CHECKS)

    def fitted_places(self, values: FloatArray) -> FloatArray:
        """See AdaptiveSequence."""
        return _angular(values)

    @property
    def is_adaptive(self) -> bool:
        """See AdaptiveSequence."""
        return bool(self.grid == "adaptive")

    # -- the experiment ------------------------------------------------------------------------------------------

    def move_frequency(self, frequency: float) -> float:
        """Play the tone, flattened to the same amplitude at the junction; returns the frequency really played."""
        self.next_point()
        transfer = float(self._transfer(np.array([frequency]))[0])
        tone = self.station.generator.play_tone(frequency, self.amplitude_now() / transfer, gated=True)
        self._played = tone.amplitude * (transfer if self.flatten else self._known_transfer(frequency))
        return tone.frequency

    def amplitude_now(self) -> float:
        """Microwave amplitude of this point, V peak at the junction."""
        return float(self.amplitude)

    def measure(self) -> dict[str, float | FloatArray]:
        """The SRS current, and the amplitude as played; of an adaptive grid what was known before."""
        return {**super().measure(), "amplitude": self._played, **self.known_before()}

    def analyse(self, run: Any) -> FitResult | None:
        """The switching rate, by eq. 1."""
        from stmlab.analysis import analyse

        if run.axes[-1].values.size == 1:
            raise FitError("a single frequency is no spectrum")
        return analyse(run, self.name)

    # -- details -------------------------------------------------------------------------------------------------

    def _frequency_axis(self) -> Axis:
        whole = whole_periods(self._grid_frequencies(), self.chop_frequency)
        return Axis("frequency", "Hz", whole, "microwave frequency", logarithmic=self.grid != "linear")

    def _grid_frequencies(self) -> FloatArray:
        """Optimal: half the points about the expected characteristic frequency, a quarter each at both ends."""
        ends = float(self.start_frequency), float(self.stop_frequency)
        if self.is_adaptive:
            return np.geomspace(*ends, FINE)
        if self.grid != "optimal":
            return (np.linspace if self.grid == "linear" else np.geomspace)(*ends, int(self.points))
        expected, quarter = float(self.expected_rate) / (2 * math.pi), max(int(self.points) // 4, 1)
        low = ends[0] * np.geomspace(1.0, _CLOSE, quarter)
        middle = expected * np.geomspace(1 / _CLOSE, _CLOSE, max(int(self.points) - 2 * quarter, 1))
        return np.concatenate([low, middle, ends[1] / np.geomspace(_CLOSE, 1.0, quarter)])

    def _check_grid(self) -> None:
        """Refuse an optimal grid whose ends are not far from the expected rate: it would not know the step's height."""
        expected = float(self.expected_rate) / (2 * math.pi)
        if self.is_adaptive:
            self.check_adaptive()
            if self.start_frequency >= self.stop_frequency:
                raise SequenceError(f"{self.name}: an adaptive grid needs start_frequency below stop_frequency")
            self.check_time()
        if self.grid == "optimal" and not _FAR * self.start_frequency <= expected <= self.stop_frequency / _FAR:
            raise SequenceError(
                f"{self.name}: expected_rate = {self.expected_rate:g} /s means {expected:.4g} Hz: the optimal grid "
                f"needs start_frequency {_FAR:g} times below and stop_frequency {_FAR:g} times above"
            )

    def _transfer(self, frequency: FloatArray) -> FloatArray:
        """Amplitude at the junction over that at the connector; unflattened: as if it were that of the first one."""
        path = self.station.path_to_junction
        if self.flatten:
            return np.abs(path.transfer(frequency))
        return np.full(frequency.shape, abs(path.transfer(self._frequency_axis().values[:1])[0]))

    def _known_transfer(self, frequency: float) -> float:
        """What the station's transfer function says of the line, nan beyond it."""
        low, high = self.station.path_to_junction.band
        if not low <= frequency <= high:
            return float("nan")
        return float(abs(self.station.path_to_junction.transfer(np.array([frequency]))[0]))


def _angular(frequency: FloatArray) -> FloatArray:
    """ln 2 pi f, the scale of the logarithm of Gamma."""
    scale: FloatArray = np.log(2 * np.pi * frequency)
    return scale
