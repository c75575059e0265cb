"""A run as the window sees it: filled by the run's thread, looked at by the window's timer, never waited for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.events import Analysed, PointTaken, RunFinished, RunStarted, StateChanged

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.events import Event
    from stmlab.results import FitResult


@dataclass(frozen=True)
class View:
    """What there is to draw at one moment; ``values`` has a row for every point taken, a column for every channel."""

    started: RunStarted | None
    state: str
    message: str
    coordinates: FloatArray
    values: FloatArray
    fits: tuple[FitResult, ...]


class LiveRun:
    """Listener that keeps what the window draws; memory is bounded by the shape of the run.

    Arrays along hardware-swept axes are kept for the last point only.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: RunStarted | None = None
        self._state, self._message = "idle", ""
        self._coordinates, self._values, self._count = np.empty((0, 1)), np.empty((0, 1)), 0
        self._fits: list[FitResult] = []

    def __call__(self, event: Event) -> None:
        """Take in one event; called from the run's thread."""
        with self._lock:
            if isinstance(event, PointTaken):
                self._keep(event)
            elif isinstance(event, RunStarted):
                self._begin(event)
            elif isinstance(event, StateChanged):
                self._state, self._message = str(event.state), event.reason
            elif isinstance(event, Analysed):
                self._fits.append(event.fit)
            elif isinstance(event, RunFinished):
                self._state, self._message = str(event.state), event.message

    def view(self) -> View:
        """Copies of what there is now; called from the window's thread."""
        with self._lock:
            n = self._count
            return View(
                self._started,
                self._state,
                self._message,
                self._coordinates[:n].copy(),
                self._values[:n].copy(),
                tuple(self._fits),
            )

    def _begin(self, event: RunStarted) -> None:
        moved = [axis for axis in event.axes if not axis.hardware]
        points = int(np.prod([len(axis) for axis in moved]))
        self._coordinates = np.full((points, max(len(moved), 1)), np.nan)
        self._values = np.full((points, len(event.channels)), np.nan)
        self._started, self._count, self._fits = event, 0, []

    def _keep(self, event: PointTaken) -> None:
        self._coordinates[event.index, : len(event.coordinates)] = event.coordinates
        self._values[event.index] = [float(np.mean(value)) for value in event.values]
        self._count = event.index + 1
