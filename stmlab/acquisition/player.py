"""Plays a run again: the events of its file to listeners, in their own time; for a console, a window or a test.

The player has no clock of its own: whoever drives it says how much time has passed (`advance`), from a loop or from a
timer. It moves no instrument.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stmlab.errors import SequenceError
from stmlab.events import PointsDisturbed, PointTaken, RunFinished, StateChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stmlab.events import Event
    from stmlab.storage import Run

_TIMED = (PointTaken, PointsDisturbed, StateChanged, RunFinished)


class Player:
    """The events of a run, one after the other; fits come where they were made.

    Args:
        run: what is played.
        listeners: called with every event, in the order of the file.
        speed: seconds of the run per second; `math.inf`: as fast as possible.

    Attributes:
        paused: whether `advance` does nothing.
        jumping: whether the events that listeners hear are caught up with in a `jump`: there is no need to draw each.

    Raises:
        SequenceError: a speed that is not positive.
    """

    def __init__(self, run: Run, *listeners: Callable[[Event], None], speed: float = 1.0) -> None:
        self._run = run
        self._listeners = listeners
        self.speed = speed
        self.paused = self.jumping = False
        self._rewind()

    @property
    def speed(self) -> float:
        """Seconds of the run per second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if not speed > 0:
            raise SequenceError(f"speed = {speed:g} must be positive")
        self._speed = float(speed)

    @property
    def time(self) -> float:
        """Where it is, in s since the start of the run."""
        return self._time

    @property
    def duration(self) -> float:
        """Time of the last event, s."""
        return max((due for due, _ in _timed(self._run)), default=0.0)

    @property
    def ended(self) -> bool:
        """Whether the last event was played."""
        return self._next is None

    @property
    def wait(self) -> float:
        """Seconds until the next event is due; infinite when it is paused or has ended."""
        if self._next is None or self.paused:
            return math.inf
        return max(self._next[0] - self._time, 0.0) / self._speed

    def listen(self, *listeners: Callable[[Event], None]) -> None:
        """Add listeners to the events to come."""
        self._listeners += listeners

    def advance(self, seconds: float, most: int | None = None) -> int:
        """Let time pass, and play what is due.

        Args:
            seconds: of whoever watches: at ten times the speed, ten times as many pass in the run.
            most: events at once; what is due beyond them comes with the next call.

        Returns:
            The number of events played.
        """
        if self.paused or self._next is None:
            return 0
        until = math.inf if math.isinf(self._speed) else self._time + seconds * self._speed
        return self._play(until, most)

    def step(self) -> None:
        """Play the next event, whenever it is due; also when paused."""
        if self._next is not None:
            self._play(self._next[0], 1)

    def jump(self, time: float) -> None:
        """Go to a time of the run, at once. Backwards, everything up to there is played from the start again."""
        self.jumping = True
        try:
            if time < self._time:
                self._rewind()
            self._play(max(time, 0.0), None)
        finally:
            self.jumping = False

    def _rewind(self) -> None:
        self._events = _timed(self._run)
        self._time = 0.0
        self._next = next(self._events, None)

    def _play(self, until: float, most: int | None) -> int:
        played = 0
        while self._next is not None and self._next[0] <= until:
            if played == most:
                return played
            self._time, event = self._next
            self._next = next(self._events, None)
            played += 1
            for listener in self._listeners:
                listener(event)
        if not math.isinf(until) and self._next is not None:
            self._time = max(self._time, until)
        return played


def _timed(run: Run) -> Iterator[tuple[float, Event]]:
    """Each event with the time at which it is due; a run that was resumed goes on where it was interrupted."""
    due = before = 0.0
    session = 0
    for event in run.replay():
        if isinstance(event, _TIMED):
            if isinstance(event, PointTaken) and event.session != session:
                session, before = event.session, max(due - event.time, 0.0)
            due = max(due, before + event.time)
        yield due, event
