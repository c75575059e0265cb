"""The run states for each step until when it is done; a step that misses that by two seconds is frozen.

A ten-minute sweep that was announced is not frozen; a settling time of 10 ms that has lasted ten seconds is. Whatever
waits on the station's clock or for an answer of an instrument announces itself, so that a sequence need not.
"""

from __future__ import annotations

import math
from time import monotonic
from typing import TYPE_CHECKING

from stmlab.clock import RealClock
from stmlab.station.shared import Slot

if TYPE_CHECKING:
    from stmlab.station.shared import SharedState

ALLOWANCE = 5.0
"""Seconds that every step may take beyond what was stated: a slow disk, an instrument that is asked again."""

AFTERWARDS = 1.0
"""Seconds until a wait that was longer than ALLOWANCE is followed by the next sign of life."""

GRACE = 2.0
"""Seconds by which a deadline may be missed."""


class Heartbeat:
    """Deadlines of a run's steps, seen by its guardian.

    Args:
        shared: what run and guardian both see.
    """

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self.rest()

    def expect(self, seconds: float) -> None:
        """The step that begins now takes ``seconds`` (s) at most, beyond ALLOWANCE."""
        self._shared[Slot.DEADLINE] = monotonic() + seconds + ALLOWANCE

    def extend(self, seconds: float) -> None:
        """Something begins now that may take ``seconds`` (s): the deadline comes no earlier, and later if need be."""
        longest = seconds + AFTERWARDS
        deadline = monotonic() + (longest if longest > ALLOWANCE else ALLOWANCE)
        if deadline > self._shared[Slot.DEADLINE]:
            self._shared[Slot.DEADLINE] = deadline

    def rest(self) -> None:
        """Nothing is under way that could freeze: no deadline until the next ``expect``."""
        self._shared[Slot.DEADLINE] = math.inf


def overdue(shared: SharedState) -> float:
    """Seconds by which the present step has missed its deadline; negative while it has not."""
    return monotonic() - shared[Slot.DEADLINE]


class AnnouncedClock(RealClock):
    """Wall time, whose every sleep is announced: a slow ramp or a long settling time is not taken for a freeze.

    Args:
        heartbeat: of the run that sleeps.
    """

    def __init__(self, heartbeat: Heartbeat) -> None:
        super().__init__()
        self._extend = heartbeat.extend

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        self._extend(seconds)
        super().sleep(seconds)
