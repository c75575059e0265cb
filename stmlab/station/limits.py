"""Bounds, largest step and slew of every output: the one way to an output.

A sequence never holds a bare driver of something that can move the tip or the junction. It holds one of the guards
below, which satisfy the same Protocols, check every value against the station's limits and ramp the bias within its
step and slew. Nothing is ever truncated into range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import OutOfBounds, SequenceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stmlab.clock import Clock
    from stmlab.station.instruments import (
        BiasSource,
        BiasSpectroscope,
        BiasSweep,
        Generator,
        LockIn,
        PulsePair,
        TipController,
        Tone,
    )


@dataclass(frozen=True)
class Limit:
    """The bounds of one output.

    Attributes:
        name: of the output, as the user knows it.
        low, high: bounds in ``unit``, both allowed.
        source: file and key in which they are set.
        largest_step: of the output between two moments, or None.
        slew: in ``unit`` per second, or None.
    """

    name: str
    unit: str
    low: float
    high: float
    source: str
    largest_step: float | None = None
    slew: float | None = None

    def check(self, values: float | Iterable[float]) -> None:
        """Raise OutOfBounds for the first of ``values`` that is not within the bounds (nan never is)."""
        if isinstance(values, float | int):
            if not self.low <= values <= self.high:
                raise OutOfBounds(self.name, values, self.low, self.high, self.unit, self.source)
            return
        array = np.asarray(values, dtype=float).ravel()
        inside = (array >= self.low) & (array <= self.high)
        if not inside.all():
            self.check(float(array[~inside][0]))

    def check_sweep(self, start: float, stop: float, points: int) -> None:
        """Raise for an end outside the bounds (OutOfBounds) or steps beyond the largest (SequenceError)."""
        self.check([start, stop])
        step = abs(stop - start) / max(points - 1, 1)
        if self.largest_step is not None and step > self.largest_step * (1 + 1e-9):
            raise SequenceError(
                f"{self.name}: a sweep in steps of {step:.4g} {self.unit}: at most {self.largest_step:g} {self.unit} "
                f"is allowed ({self.source}.largest_step): more points are needed"
            )

    def ramp(self, start: float, end: float) -> tuple[list[float], float]:
        """Values from ``start`` (not included) to ``end``, none farther apart than the largest step; seconds each."""
        distance = abs(end - start)
        steps = max(1, math.ceil(distance / self.largest_step * (1 - 1e-12))) if self.largest_step else 1
        seconds = distance / steps / self.slew if self.slew else 0.0
        return [start + (end - start) * k / steps for k in range(1, steps)] + [end], seconds


class GuardedBias:
    """A BiasSource that ramps: no step larger and no faster than the station allows.

    Args:
        source: the driver.
        limit: bounds, step and slew, V and V/s.
        clock: what the ramp waits on.
        tip: asked for the feedback's state, because a bias that passes zero with feedback on drives the tip in.
        smallest_with_feedback: least magnitude of the bias with feedback on, V.
    """

    def __init__(
        self, source: BiasSource, limit: Limit, clock: Clock, tip: TipController | None, smallest_with_feedback: float
    ) -> None:
        self._source, self.limit, self._clock, self._tip = source, limit, clock, tip
        self._smallest = smallest_with_feedback

    @property
    def bias(self) -> float:
        """V."""
        return self._source.bias

    @bias.setter
    def bias(self, value: float) -> None:
        value = float(value)
        self.limit.check(value)
        start = self._source.bias
        if value == start:
            return
        self._keep_the_tip_off(start, value)
        steps, seconds = self.limit.ramp(start, value)
        for step in steps:
            self._source.bias = step
            if seconds:
                self._clock.sleep(seconds)

    def _keep_the_tip_off(self, start: float, value: float) -> None:
        too_small = abs(value) < self._smallest or start * value < 0
        if too_small and self._tip is not None and self._tip.feedback:
            raise SequenceError(
                f"bias from {start:g} V to {value:g} V with feedback on comes below {self._smallest:g} V and would "
                "drive the tip into the sample: switch feedback off first"
            )

    def snapshot(self) -> Mapping[str, Any]:
        """See Device."""
        return self._source.snapshot()

    def check_status(self) -> None:
        """See Device."""
        self._source.check_status()

    def close(self) -> None:
        """See Device."""
        self._source.close()


class GuardedGenerator:
    """A Generator whose every tone and pulse is checked: frequency, and amplitude at the connector."""

    def __init__(self, generator: Generator, frequency: Limit, amplitude: Limit) -> None:
        self._generator, self.frequency, self.amplitude = generator, frequency, amplitude

    @property
    def frequency_range(self) -> tuple[float, float]:
        """Hz: the tighter of the instrument's range and the station's limit."""
        low, high = self._generator.frequency_range
        return max(low, self.frequency.low), min(high, self.frequency.high)

    def largest_amplitude(self, frequency: float) -> float:
        """V peak: the tighter of what the instrument can and what the station allows."""
        return min(self._generator.largest_amplitude(frequency), self.amplitude.high)

    def plan_tone(self, frequency: float) -> Tone:
        """See Generator."""
        self.frequency.check(frequency)
        return self._generator.plan_tone(frequency)

    def play_tone(self, frequency: float, amplitude: float, *, gated: bool) -> Tone:
        """See Generator."""
        self.frequency.check(frequency)
        self.amplitude.check(amplitude)
        return self._generator.play_tone(frequency, amplitude, gated=gated)

    def check_pulses(self, pulses: PulsePair) -> None:
        """See Generator."""
        self.amplitude.check([abs(pulses.pump), abs(pulses.probe), abs(pulses.pump + pulses.probe)])
        self._generator.check_pulses(pulses)

    def play_pulses(self, pulses: PulsePair, *, gated: bool) -> PulsePair:
        """See Generator; overlapping pulses add, so their sum is what is checked."""
        self.amplitude.check([abs(pulses.pump), abs(pulses.probe), abs(pulses.pump + pulses.probe)])
        return self._generator.play_pulses(pulses, gated=gated)

    def off(self) -> None:
        """See Generator."""
        self._generator.off()

    def snapshot(self) -> Mapping[str, Any]:
        """See Device."""
        return self._generator.snapshot()

    def check_status(self) -> None:
        """See Device."""
        self._generator.check_status()

    def close(self) -> None:
        """See Device."""
        self._generator.close()


class GuardedTip:
    """A TipController whose setpoint is checked, and whose feedback cannot be closed at too small a bias."""

    def __init__(
        self, tip: TipController, setpoint: Limit, source: BiasSource | None, smallest_with_feedback: float
    ) -> None:
        self._tip, self.limit, self._source, self._smallest = tip, setpoint, source, smallest_with_feedback

    @property
    def setpoint(self) -> float:
        """A."""
        return self._tip.setpoint

    @setpoint.setter
    def setpoint(self, value: float) -> None:
        self.limit.check(abs(float(value)))
        self._tip.setpoint = float(value)

    @property
    def feedback(self) -> bool:
        """Whether the loop holds the current."""
        return self._tip.feedback

    @feedback.setter
    def feedback(self, on: bool) -> None:
        if on and self._source is not None and abs(bias := self._source.bias) < self._smallest:
            raise SequenceError(
                f"feedback on at a bias of {bias:g} V, below {self._smallest:g} V, would drive the tip into the sample"
            )
        self._tip.feedback = on

    @property
    def current(self) -> float:
        """A."""
        return self._tip.current

    @property
    def height(self) -> float:
        """Z position, m."""
        return self._tip.height

    def withdraw(self) -> None:
        """See TipController."""
        self._tip.withdraw()

    def is_safe(self) -> bool:
        """See TipController."""
        return self._tip.is_safe()

    def snapshot(self) -> Mapping[str, Any]:
        """See Device."""
        return self._tip.snapshot()

    def check_status(self) -> None:
        """See Device."""
        self._tip.check_status()

    def close(self) -> None:
        """See Device."""
        self._tip.close()


class GuardedSpectroscope:
    """A BiasSpectroscope with checked ends, whose steps are no larger and no faster than the station allows."""

    def __init__(self, spectroscope: BiasSpectroscope, bias: Limit) -> None:
        self._spectroscope, self._bias = spectroscope, bias

    def sweep_bias(
        self,
        start: float,
        stop: float,
        points: int,
        *,
        settling: float,
        integration: float,
        slew: float = math.inf,
        backward: bool = False,
    ) -> BiasSweep:
        """See BiasSpectroscope; ``slew`` is at most the station's.

        Raises:
            OutOfBounds: an end lies outside limits.bias.
            SequenceError: the points lie farther apart than limits.bias.largest_step.
        """
        self._bias.check_sweep(start, stop, points)
        slew = min(slew, self._bias.slew or math.inf)
        timing = {"settling": settling, "integration": integration}
        return self._spectroscope.sweep_bias(start, stop, points, **timing, slew=slew, backward=backward)

    def snapshot(self) -> Mapping[str, Any]:
        """See Device."""
        return self._spectroscope.snapshot()

    def check_status(self) -> None:
        """See Device."""
        self._spectroscope.check_status()

    def close(self) -> None:
        """See Device."""
        self._spectroscope.close()


class GuardedLockIn:
    """A LockIn whose sine output is checked; everything else goes straight through."""

    def __init__(self, lockin: LockIn, modulation: Limit | None) -> None:
        object.__setattr__(self, "_lockin", lockin)
        object.__setattr__(self, "modulation", modulation)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lockin, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "sine_voltage":
            if self.modulation is None:
                raise SequenceError("the station sets no limits.modulation: the lock-in's sine output cannot be used")
            self.modulation.check(float(value))
        setattr(self._lockin, name, value)
