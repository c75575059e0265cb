"""Detection with the lock-in at fixed height: what a chopped experiment and a dI/dV spectrum share.

The tip is stabilised at the setpoint, the feedback is opened, the bias goes to where the sweep begins; every point
waits for the lock-in's filter, then X and Y are read as often as asked, at times apart enough for independent noise.
"""

from __future__ import annotations

import cmath
import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sequences.tip import FixedHeightSequence
from stmlab.acquisition.ordering import ORDERS, order_of
from stmlab.acquisition.parameters import FloatParameter, IntegerParameter, ListParameter
from stmlab.errors import InstrumentOverload, SequenceError
from stmlab.events import ParameterValue
from stmlab.lowpass import SLOPES, noise_bandwidth, poles, settling_time
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stmlab.arrays import IntArray

_PHASE_READINGS = 10
_PHASE_ERROR = 1.0  # degree; cos differs from 1 by 2e-4
_RIPPLE = 0.01  # of the signal, in the lock-in's output at twice the reference
_LEAST_GAIN = 0.1  # of the preamplifier's: with less, its noise and the error of its roll-off are the signal


@dataclass(frozen=True)
class Reading:
    """Mean of the readings of one point, V rms; ``error`` is the standard error of X, nan for a single reading."""

    x: float
    y: float
    error: float


def residual_parameter(default: float) -> FloatParameter:
    """Part of a step that may be missing when a reading is taken; ``default``: see where it is used.

    A curve that is swept in one direction lags by this part of the distance between its points.
    """
    return FloatParameter(
        "Settling residual",
        default=default,
        minimum=1e-9,
        maximum=0.1,
        description="part of a step that may be missing when a reading is taken: a sweep lags by it, in points",
    )


class LockInSequence(FixedHeightSequence):
    """An experiment that reads the lock-in at fixed height.

    Attributes:
        reference_parameter: the parameter that is the frequency of the lock-in's internal reference.
        range_parameter: the parameter that sets the lock-in's input range and sensitivity.
        stabilised_at: axes at each value of which the tip is stabilised.
    """

    reference_parameter: ClassVar[str]
    range_parameter: ClassVar[str]
    stabilised_at: ClassVar[tuple[str, ...]] = ()
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "lock-in": ("time_constant", "filter_slope", "averages"),
        "advanced": ("settling_residual", "stabilise_every", "order"),
    }
    roles: ClassVar[tuple[str, ...]] = ("lockin", "bias", "tip", "current_preamplifier")

    averages = IntegerParameter(
        "Averages", default=1, minimum=1, maximum=10_000, description="independent readings per point"
    )
    time_constant = FloatParameter(
        "Time constant", units="s", default=0.03, minimum=1e-6, maximum=3e4, description="of the lock-in"
    )
    filter_slope = ListParameter(
        "Filter slope", choices=SLOPES, units="dB/octave", default=24, description="of the lock-in's output filter"
    )
    settling_residual = residual_parameter(1e-3)
    stabilise_every = IntegerParameter(
        "Stabilise every",
        default=0,
        minimum=0,
        maximum=100_000,
        description="points after which the tip is stabilised again (0: only at the start); long sweeps drift",
    )

    order = ListParameter(
        "Order",
        choices=ORDERS,
        default="automatic",
        description="of the points of a sweep: shuffled or interleaved, drift does not bend the curve; automatic: "
        "shuffled where repeated sweeps over frequency or delay are taken",
    )

    _taken = 0  # points since the tip was last stabilised

    # -- what an experiment of this kind says ---------------------------------------------------------------------

    def full_scale(self) -> float:
        """Largest signal expected at the lock-in's input, V rms."""
        raise NotImplementedError

    # -- what is done for it --------------------------------------------------------------------------------------

    def visit_order(self, sweep: int) -> IntArray:
        """See Sequence; as ``order`` says."""
        axis, _ = self.movers()[-1]
        name = str(self.order)
        if name == "automatic":
            name = "shuffled" if self.shuffles_by_itself else "sweep"
        return order_of(name, axis.name, len(axis), sweep)

    @property
    def shuffles_by_itself(self) -> bool:
        """Whether the sweep is a repeated one, along an axis on which jumping costs nothing."""
        return False

    def verify(self) -> None:
        """See Sequence; the lock-in's output is steady, and the preamplifier passes the reference."""
        super().verify()
        if not self.movers() and self.order not in ("automatic", "sweep"):
            raise SequenceError(f"{self.name}: order = {self.order}: the controller sweeps the points in their order")
        self._check_filter()
        self._check_preamplifier()

    def _check_filter(self) -> None:
        least = _least_time_constant(self.reference_frequency(), self.filter_slope)
        if self.time_constant < least:
            enough = format_quantity(float(f"{1.005 * least:.3g}"), "s")  # rounded upwards
            raise SequenceError(
                f"{self.name}: {self._told('time_constant')}: {enough} or more is "
                f"needed at {self._told(self.reference_parameter)} and {self.filter_slope} dB/octave: the lock-in's "
                f"output ripples by more than {100 * _RIPPLE:g} % of the signal otherwise"
            )

    def _check_preamplifier(self) -> None:
        part = abs(self.response() / self.station.current_preamplifier.gain)
        if part < _LEAST_GAIN:
            raise SequenceError(
                f"{self.name}: {self._told(self.reference_parameter)}: the preamplifier passes {100 * part:.2g} % of "
                f"its gain there, {100 * _LEAST_GAIN:g} % or more is needed: choose a lower frequency"
            )

    def reference_frequency(self) -> float:
        """Of the lock-in's internal reference, Hz."""
        return float(getattr(self, self.reference_parameter))

    @contextmanager
    def overload_explained(self) -> Iterator[None]:
        """While the context lasts, an overload of the lock-in names the sequence's parameter that mends it.

        Raises:
            InstrumentOverload: the lock-in's, with that parameter.
        """
        try:
            yield
        except InstrumentOverload as fault:
            said = str(fault).removeprefix(f"{fault.instrument}: ")
            told = self._told(self.range_parameter)
            raise InstrumentOverload(fault.instrument, f"{said} ({told} sets its range)", fault.code) from fault

    def point_seconds(self) -> float:
        """Settling, then the readings."""
        return self.settling_time() + (int(self.averages) - 1) * self.reading_interval()

    def stabilising_seconds(self, points: int) -> float:
        """At the start, at each value of some axes, and after every so many points; see `stabilise`."""
        return self.stabilising()(points)

    def stabilising(self) -> Callable[[int], float]:
        """The same as a function of the number of points, for who asks of many numbers."""
        lengths = {axis.name: len(axis) for axis, _ in self.movers()}
        stretches = math.prod(length for name, length in lengths.items() if name in self.stabilised_at)
        longest = math.prod(lengths.values()) // stretches
        every, once = int(self.stabilise_every), self.once_stabilised()

        def seconds(points: int) -> float:
            stretch = min(longest, points)
            return math.ceil(points / stretch) * math.ceil(stretch / (every or stretch)) * once if points else 0.0

        return seconds

    def once_stabilised(self) -> float:
        """Feedback on, then the longer settling of the first point, s."""
        return float(self.stabilise_time) + self.settling_time()

    def settling_time(self) -> float:
        """Of the lock-in's filter, for the residual that is asked for.

        Twice that at the first point after the tip was stabilised: there the whole signal is new, not the difference
        to its neighbour.
        """
        once = settling_time(self.time_constant, self.filter_slope, self.settling_residual)
        return 2 * once if self._taken == 1 else once

    def response(self) -> complex:
        """Of the preamplifier at the reference frequency, V/A, with its roll-off and phase."""
        return self.station.current_preamplifier.response(self.reference_frequency())

    def detection_factors(self) -> Mapping[str, ParameterValue]:
        """Gain and phase of the preamplifier at the reference frequency."""
        response = self.response()
        return {
            "gain": ParameterValue(abs(response), "V/A", "preamplifier at the reference frequency, with its roll-off"),
            "phase": ParameterValue(degrees(response), "deg", "preamplifier there, and so the lock-in's"),
        }

    def prepare(self) -> None:
        """Set the lock-in, stabilise the tip, open the feedback, go to the bias of the sweep."""
        self.quiet()
        lockin = self.station.lockin
        lockin.use_internal_reference()
        lockin.frequency = self.reference_frequency()
        lockin.harmonic = 1
        lockin.phase = degrees(self.response())
        lockin.time_constant = self.time_constant
        lockin.filter_slope = self.filter_slope
        lockin.prepare_input(self.full_scale())
        self.stabilise()
        with self.overload_explained():
            self.station.check_status()

    def next_point(self) -> None:
        """To be called at every move of the innermost axis: stabilises the tip when it is due."""
        if self.stabilise_every and self._taken == self.stabilise_every:
            self.quiet()
            self.stabilise()
        self._taken += 1

    def stabilise(self) -> None:
        """See FixedHeightSequence; the count of points begins anew."""
        super().stabilise()
        self._taken = 0

    def read(self) -> Reading:
        """Independent readings of X and Y.

        Raises:
            InstrumentFault: the lock-in is overloaded or unlocked now, which makes a reading wrong.
        """
        lockin = self.station.lockin
        lockin.clear()  # what overloaded while something changed and settled does not count
        readings = np.empty((self.averages, 2))
        for k in range(self.averages):
            if k:
                self.wait(self.reading_interval())
            readings[k] = lockin.xy
        with self.overload_explained():
            lockin.check_status()
        x, y = readings.mean(axis=0).tolist()
        spread = float(readings[:, 0].std(ddof=1)) / math.sqrt(self.averages) if self.averages > 1 else math.nan
        return Reading(x, y, spread)

    def find_phase(self) -> None:
        """Turn the lock-in's phase so that Y is zero, by less than 90 degrees: the sign of the signal stays.

        Raises:
            SequenceError: the noise leaves the phase uncertain by more than a degree.
        """
        lockin = self.station.lockin
        self.wait(self.settling_time())
        readings = np.empty((_PHASE_READINGS, 2))
        for k in range(_PHASE_READINGS):
            self.wait(self.reading_interval())
            readings[k] = lockin.xy
        x, y = readings.mean(axis=0).tolist()
        noise = float(readings.std(axis=0, ddof=1).max()) / math.sqrt(_PHASE_READINGS)
        if not math.degrees(noise) <= _PHASE_ERROR * math.hypot(x, y):
            raise SequenceError(
                f"{self.name}: auto_phase: a signal of {math.hypot(x, y):.3g} V with noise of {noise:.2g} V leaves the "
                f"phase uncertain by more than {_PHASE_ERROR:g} degree: more modulation or a longer time constant is "
                "needed, or auto_phase = false"
            )
        lockin.phase = lockin.phase + math.degrees(math.atan(y / x) if x else math.copysign(math.pi / 2, y))

    def reading_interval(self) -> float:
        """Time between readings whose noise is independent: the Nyquist interval of the noise bandwidth."""
        return 1 / (2 * noise_bandwidth(self.time_constant, self.filter_slope))

    def _told(self, name: str) -> str:
        """A parameter as it stands: "chop_frequency = 691 Hz"."""
        known = self.parameter_record()[name]
        return f"{name} = {format_quantity(float(known.value), known.unit)}"


def _least_time_constant(frequency: float, slope: int) -> float:
    """With which the filter's poles (one for 6 dB/octave) leave ``_RIPPLE`` at twice the reference, s."""
    return math.sqrt(_RIPPLE ** (-2 / poles(slope)) - 1) / (4 * math.pi * frequency)


def degrees(response: complex) -> float:
    """Phase of a response, degrees."""
    return math.degrees(cmath.phase(response))
