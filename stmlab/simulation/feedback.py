"""The tip's height: exponential current, a feedback loop of finite speed, drift.

The loop is a proportional-integral controller on the logarithm of the current, dz/dt = P (de/dt + e/T) with
e = ln(I/setpoint), P the proportional gain (m) and T its time constant. Since ln I falls by 2 kappa z, e decays
exponentially at the rate r = 2 kappa P / (T (1 + 2 kappa P)), towards d T/P where the surface drifts by d (m/s).
So the logarithm of the conductance has a closed form, and the time between two readings may be of any length.

A loop that is switched off averages the tip's height over the switch-off delay and then parks the tip there::

    closed ----------- averaging ---------- parked at the mean height plus the tip lift, open
                 |<-- switch-off delay -->|
              since                       at
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST_CHANGE = 0.02  # of the larger conductance, within one piece of constant conductance
_AT_REST = 1e-12  # distance in ln(conductance) that counts as arrived


class Loop(NamedTuple):
    """The feedback loop as it is set.

    Attributes:
        log_scale: ln of the conductance, over the sample's reference, at which the current is the setpoint.
        proportional_gain: P, m.
        time_constant: T, s.
    """

    log_scale: float
    proportional_gain: float
    time_constant: float


class Release(NamedTuple):
    """A loop that is being switched off.

    Attributes:
        since: from when on the height is averaged, s.
        at: when the loop opens, s.
        lift: added to the mean height, m.
    """

    since: float
    at: float
    lift: float


class Piece(NamedTuple):
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
        self._surface, self._surveyed, self._drift = 0.0, 0.0, drift  # m towards the tip at a time, m/s since then
        self._contact = contact
        self._time = time
        self._log_scale = log_scale
        self._averaging: tuple[float, float] | None = None  # ln(scale) at its beginning, integral of the change since

    @property
    def scale(self) -> float:
        """Conductance over the sample's reference conductance."""
        return self._conductance(self._log_scale)

    @property
    def height(self) -> float:
        """z, m; grows away from the surface."""
        return self._surface_at(self._time) - self._log_scale / self._steepness

    def move(self, height: float) -> None:
        """Put the tip at ``height`` (m) at once."""
        self._log_scale = self._steepness * (self._surface_at(self._time) - height)

    def jump(self, distance: float) -> None:
        """Let the tip's end or the surface come closer by ``distance`` (m) at once; the height stays as it is."""
        self._surface += distance
        self._log_scale += self._steepness * distance

    def set_drift(self, drift: float) -> None:
        """Let the surface drift at ``drift`` (m/s) from now on."""
        self._surface, self._surveyed, self._drift = self._surface_at(self._time), self._time, drift

    def _surface_at(self, time: float) -> float:
        return self._surface + self._drift * (time - self._surveyed)

    def pieces(self, end: float, loop: Loop | None, release: Release | None = None) -> Iterator[Piece]:
        """Live until ``end`` (s), under feedback or (None) without, in pieces of nearly constant conductance.

        The pieces change the conductance by equal steps, small against the largest; each carries its step's middle.
        A loop with a ``release`` that is due by ``end`` is open from then on.
        """
        begin, first = self._time, self.scale
        if loop is not None and release is not None:
            stretches = list(self._released(end, loop, release))
        else:
            stretches = [(begin, self._log_scale, self._course(loop), end)]
            self._averaging = None
        last = stretches[-1][2].at(end)
        levels = [first, *[self._conductance(value) for _, value, _, _ in stretches[1:]], self._conductance(last)]
        if max(levels) - min(levels) <= _LARGEST_CHANGE * max(levels):
            yield Piece(begin, end, first + 0.5 * (levels[-1] - first))
        else:
            for start, log_scale, course, stop in stretches:
                yield from self._steps(start, log_scale, course, stop)
        self._time, self._log_scale = end, last

    def _steps(self, start: float, log_scale: float, course: _Course, end: float) -> Iterator[Piece]:
        """One course in equal steps of the conductance."""
        first, final = self._conductance(log_scale), self._conductance(course.at(end))
        larger = max(first, final)
        count = max(1, math.ceil(abs(final - first) / (_LARGEST_CHANGE * larger))) if larger > 0 else 1
        step = (final - first) / count
        for index in range(1, count + 1):
            stop = end if index == count else min(max(course.when(math.log(first + index * step)), start), end)
            yield Piece(start, stop, first + (index - 0.5) * step)
            start = stop

    def _released(self, end: float, loop: Loop, release: Release) -> Iterator[tuple[float, float, _Course, float]]:
        """Start, ln(scale), course and end of each stretch of a loop that is being switched off."""
        course = self._course(loop)
        closed = min(end, release.at)
        since = min(max(release.since, self._time), closed)
        if self._averaging is None or self._time <= release.since:
            self._averaging = (course.at(since), 0.0)
        reference, area = self._averaging
        self._averaging = (reference, area + course.area(since, closed, reference))
        yield self._time, self._log_scale, course, closed
        if closed == release.at:
            parked = self._parked(release, course.at(closed))
            slope = self._steepness * self._drift
            yield closed, parked, _Course(closed, parked, slope=slope), end

    def _parked(self, release: Release, now: float) -> float:
        """ln(scale) at the mean height plus the lift; ``now`` without an average."""
        mean, seconds = now, release.at - release.since
        if self._averaging is not None and seconds > 0.0:
            mean = self._averaging[0] + self._averaging[1] / seconds
        self._averaging = None
        # The surface has drifted since the middle of the average, which the height does not know.
        return mean + self._steepness * (0.5 * self._drift * max(seconds, 0.0) - release.lift)

    def _conductance(self, log_scale: float) -> float:
        return math.exp(min(log_scale, self._contact))

    def _course(self, loop: Loop | None) -> _Course:
        if loop is None:
            return _Course(self._time, self._log_scale, slope=self._steepness * self._drift)
        gain = self._steepness * loop.proportional_gain
        rate = gain / (loop.time_constant * (1 + gain))
        lag = self._drift * loop.time_constant / loop.proportional_gain
        return _Course(self._time, self._log_scale, rate=rate, goal=min(loop.log_scale, self._contact) + lag)


class _Course(NamedTuple):
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

    def area(self, start: float, end: float, reference: float) -> float:
        """Integral of ln(scale) - ``reference`` over the time from ``start`` to ``end``."""
        begin, seconds = self.at(start), end - start
        if self.rate == 0.0:
            return (begin - reference + 0.5 * self.slope * seconds) * seconds
        away = begin - self.goal
        area = -away * math.expm1(-self.rate * seconds) / self.rate if abs(away) >= _AT_REST else away * seconds
        return (self.goal - reference) * seconds + area

    def when(self, log_scale: float) -> float:
        """The time at which ln(scale) passes ``log_scale``, which must lie on the way."""
        if self.rate == 0.0:
            return self.start + (log_scale - self.begin) / self.slope
        return self.start + math.log((self.begin - self.goal) / (log_scale - self.goal)) / self.rate
