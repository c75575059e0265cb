"""The only source of time: real at the microscope, simulated otherwise."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_SPIN = 0.2e-3  # s; the operating system oversleeps by up to about half as much, so the rest is spun
_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)  # a simulated run starts here, so that the same seed gives the same file


class Clock(Protocol):
    """What everything that waits or notes a time asks for it."""

    speed: float | None
    """Seconds of this clock per real second; None: its time moves only by ``sleep``."""

    def now(self) -> float:
        """Seconds since the clock was made; never steps back."""

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of this clock's time."""

    def date(self) -> datetime:
        """The date and time to be written beside data (UTC)."""


class RealClock:
    """Wall time; ``sleep`` is exact to some microseconds (sleeps, then spins the last fifth of a millisecond)."""

    speed: float | None = 1.0

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def now(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._start

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        end = time.perf_counter() + seconds
        if seconds > _SPIN:
            time.sleep(seconds - _SPIN)
        while time.perf_counter() < end:
            pass

    def date(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)


class SimulatedClock:
    """Time of the simulated microscope: as fast as the computer allows, or bound to wall time by ``speed``.

    Args:
        speed: None: time moves only by ``sleep``, at once. A number: time runs by itself, ``speed`` simulated seconds
            per real second (1 for a server that other programs talk to).
    """

    def __init__(self, speed: float | None = None) -> None:
        if speed is not None and not speed > 0:
            raise ValueError(f"speed = {speed} must be positive, or None for as fast as possible")
        self.speed = speed
        self._real = RealClock()
        self._now = 0.0
        self._moving = threading.Lock()

    def now(self) -> float:
        """Simulated seconds since the clock was made."""
        return self._now if self.speed is None else self._real.now() * self.speed

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` of simulated time pass."""
        if self.speed is None:
            with self._moving:  # two instruments that wait at once
                self._now += max(seconds, 0.0)
        else:
            self._real.sleep(seconds / self.speed)

    def date(self) -> datetime:
        """A fixed epoch plus the simulated time."""
        return _EPOCH + timedelta(seconds=self.now())
