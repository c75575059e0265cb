"""The lock-in's capture buffer: readings at a fixed rate, kept until they are fetched."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.arrays import ComplexArray

_AT_ONCE = 4096  # readings computed in one go, which bounds the memory they take


class Capture:
    """Which moments are to be kept, and what was kept at them."""

    def __init__(self) -> None:
        self._rate = 0.0
        self._start = 0.0
        self._taken = 0
        self._kept: list[ComplexArray] = []

    def follow(self, rate: float, time: float) -> None:
        """Start (``rate`` > 0, Sa/s) or stop (0) at ``time`` (s) if the rate has changed; a start forgets the old."""
        if rate == self._rate:
            return
        self._rate = rate
        if rate > 0:
            self._start, self._taken = time, 0
            self._kept.clear()

    def intervals(self, now: float, end: float) -> Iterator[tuple[float, int]]:
        """The way from ``now`` to the last moment to be kept up to ``end`` (s): intervals (s) and how many of each."""
        if self._rate <= 0:
            return
        count = math.floor((end - self._start) * self._rate * (1 + 1e-12)) - self._taken
        if count > 0:
            yield max(self._start + (self._taken + 1) / self._rate - now, 0.0), 1
        for done in range(1, count, _AT_ONCE):
            yield 1 / self._rate, min(_AT_ONCE, count - done)

    def keep(self, readings: ComplexArray) -> None:
        """Keep the readings at the ends of intervals."""
        self._taken += readings.size
        self._kept.append(readings)

    def fetch(self) -> ComplexArray:
        """All that was kept since the last fetch."""
        fetched = np.concatenate(self._kept) if self._kept else np.zeros(0, dtype=complex)
        self._kept.clear()
        return fetched
