"""The tip's height: exponential current, a feedback loop of finite speed, drift.

The loop is a proportional-integral controller on the logarithm of the current, dz/dt = P (de/dt + e/T) with
e = ln(I/setpoint), P the proportional gain (m) and T its time constant. Since ln I falls by 2 kappa z, e decays
exponentially at the rate r = 2 kappa P / (T (1 + 2 kappa P)), towards d T/P where the surface drifts by d (m/s).
So the logarithm of the conductance has a closed form, and the time between two readings may be of any length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST_CHANGE = 0.02  # of the larger conductance, within one piece of constant conductance
_AT_REST = 1e-12  # distance in ln(conductance) that counts as arrived


@dataclass(frozen=True)
class Loop:
    """The feedback loop as it is set.

    Attributes:
        log_scale: ln of the conductance, over the sample's reference, at which the current is the setpoint.
        proportional_gain: P, m.
        time_constant: T, s.
    """

    log_scale: float
    proportional_gain: float
    time_constant: float


@dataclass(frozen=True)
class Piece:
    """A stretch of time in which the conductance may be taken as constant: start and end (s) and scale."""

    start: float
    end: float
    scale: float


class Tip:
    """Where the tip is, as ln of the junction's conductance over the sample's reference conductance.

    Args:
        decay_constant: kappa in I ~ exp(-2 kappa z), 1/m.
        drift: of the surface towards the tip, m/s.
        contact: ln of the conductance at contact, over the reference: closer, it no longer grows.
        time: now, s.
        log_scale: where the tip begins; z = 0 is where the conductance is the reference at time 0.
    """

    def __init__(
        self, decay_constant: float, *, drift: float, contact: float, time: float, log_scale: float = 0.0
    ) -> None:
        self._steepness = 2 * decay_constant
        self._drift = drift
        self._contact = contact
        self._time = time
        self._log_scale = log_scale

    @property
    def scale(self) -> float:
        """Conductance over the sample's reference conductance."""
        return self._conductance(self._log_scale)

    @property
    def height(self) -> float:
        """z, m; grows away from the surface."""
        return self._drift * self._time - self._log_scale / self._steepness

    def move(self, height: float) -> None:
        """Put the tip at ``height`` (m) at once."""
        self._log_scale = self._steepness * (self._drift * self._time - height)

    def pieces(self, end: float, loop: Loop | None) -> Iterator[Piece]:
        """Live until ``end`` (s), under feedback or (None) without, in pieces of nearly constant conductance.

        The pieces change the conductance by equal steps, small against the largest; each carries its step's middle.
        """
        course = self._course(loop)
        last = course.at(end)
        first, final = self.scale, self._conductance(last)
        larger = max(first, final)
        count = max(1, math.ceil(abs(final - first) / (_LARGEST_CHANGE * larger))) if larger > 0 else 1
        step = (final - first) / count
        start = self._time
        for index in range(1, count + 1):
            stop = end if index == count else min(max(course.when(math.log(first + index * step)), start), end)
            yield Piece(start, stop, first + (index - 0.5) * step)
            start = stop
        self._time, self._log_scale = end, last

    def _conductance(self, log_scale: float) -> float:
        return math.exp(min(log_scale, self._contact))

    def _course(self, loop: Loop | None) -> _Course:
        if loop is None:
            return _Course(self._time, self._log_scale, slope=self._steepness * self._drift)
        gain = self._steepness * loop.proportional_gain
        rate = gain / (loop.time_constant * (1 + gain))
        lag = self._drift * loop.time_constant / loop.proportional_gain
        return _Course(self._time, self._log_scale, rate=rate, goal=min(loop.log_scale, self._contact) + lag)


@dataclass(frozen=True)
class _Course:
    """ln(scale) as a function of time: an exponential approach to a goal (rate > 0) or a straight line."""

    start: float
    begin: float
    rate: float = 0.0
    goal: float = 0.0
    slope: float = 0.0

    def at(self, time: float) -> float:
        if self.rate == 0.0:
            return self.begin + self.slope * (time - self.start)
        away = (self.begin - self.goal) * math.exp(-self.rate * (time - self.start))
        return self.goal if abs(away) < _AT_REST else self.goal + away

    def when(self, log_scale: float) -> float:
        """The time at which ln(scale) passes ``log_scale``, which must lie on the way."""
        if self.rate == 0.0:
            return self.start + (log_scale - self.begin) / self.slope
        return self.start + math.log((self.begin - self.goal) / (log_scale - self.goal)) / self.rate
