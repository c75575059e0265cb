"""What a Nanonis controller reads while it sweeps the bias by itself: seen through a connection of its own.

The connection that has asked for a sweep gets nothing before its end, and the protocol has no command for the points so
far. But the signals can be read through another port meanwhile, some times a second. So what is seen are single
readings, each held until the next: a look at the sweep under way, never its data, which come whole at the end. Where
the sweep is follows from the bias as read, or, where the bias stays, from the time.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from drivers.connection import connect
from drivers.nanonis_protocol import NanonisLine
from drivers.nanonis_signals import Signals
from drivers.nanonis_spectroscopy import BIAS
from stmlab.errors import StmlabError
from stmlab.station.instruments import BiasSweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stmlab.arrays import FloatArray

log = logging.getLogger(__name__)

_EVERY = 0.1  # s between two readings
_TOLD = 0.2  # s between two tellings, at least
_PER_POINT = 2e-6  # s more for each point that is told anew


class Progress:
    """Where a sweep is, and what was read on the way.

    Args:
        start, stop: V.
        points: in one direction.
        backward: whether it comes back.
        seconds: that it takes.
    """

    def __init__(self, start: float, stop: float, points: int, seconds: float, *, backward: bool) -> None:
        self._start, self._stop, self._points, self._backward = start, stop, points, backward
        self._seconds = seconds
        self._total = points * (2 if backward else 1)
        self._reached = 0  # points that are filled
        self._farthest = 0
        self._read = np.empty((3, self._total))  # current, x, y

    @property
    def reached(self) -> int:
        """Points so far."""
        return self._reached

    def take(self, elapsed: float, bias: float, values: FloatArray) -> None:
        """One reading: s since the start, V, and current, x and y."""
        place = min(self._place(elapsed, bias) + 1, self._total)
        if place > self._reached:
            self._read[:, self._reached : place] = values[:, None]
            self._reached = place

    def sweep(self) -> BiasSweep:
        """What was read so far; shapes (reached,)."""
        way = np.linspace(self._start, self._stop, self._points)
        bias = np.concatenate([way, way[::-1]])[: self._reached]
        return BiasSweep(bias, *self._read[:, : self._reached].copy())

    def _place(self, elapsed: float, bias: float) -> int:
        if self._start == self._stop:
            return int(elapsed / self._seconds * self._total) if self._seconds > 0 else 0
        along = (bias - self._start) / (self._stop - self._start)
        place = round(min(max(along, 0.0), 1.0) * (self._points - 1))
        back = self._backward and (place < self._farthest - 1 or self._farthest == self._points - 1)
        self._farthest = max(self._farthest, place)
        return 2 * self._points - 1 - place if back else place


class Preview:
    """Looks on while sweeps are made.

    Args:
        address: another port of the same controller.
        name: in messages.
        timeout: s.
        current: name of the signal of the current.
        lockin_signals: names of the signals of X and Y.
    """

    def __init__(self, address: str, name: str, timeout: float, current: str, lockin_signals: Sequence[str]) -> None:
        self._address, self._name, self._timeout = address, name, timeout
        self._names = (BIAS, current, *lockin_signals)

    @contextmanager
    def during(self, progress: Progress, tell: Callable[[BiasSweep], None]) -> Iterator[None]:
        """While the context lasts, ``tell`` is called from another thread with what was read so far.

        Nothing that fails here touches the sweep: it is logged, and the rest of the sweep is not seen.
        """
        ended = threading.Event()
        thread = threading.Thread(target=self._look_on, args=(progress, tell, ended), name="preview", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()  # nobody waits for it: a port that does not answer would hold up the run

    def _look_on(self, progress: Progress, tell: Callable[[BiasSweep], None], ended: threading.Event) -> None:
        began = told = monotonic()
        try:
            connection = connect(self._address, timeout=self._timeout)
            try:
                signals = Signals(NanonisLine(connection, f"{self._name} (preview)", self._timeout))
                while not ended.wait(_EVERY):
                    bias, *values = signals.values(self._names, newest=False).tolist()
                    progress.take(monotonic() - began, bias, np.array(values))
                    due = told + _TOLD + _PER_POINT * progress.reached
                    if monotonic() >= due and not ended.is_set():
                        told = monotonic()
                        tell(progress.sweep())
            finally:
                connection.close()
        except (StmlabError, OSError) as error:
            log.warning("a sweep is not seen before its end: %s", error)
