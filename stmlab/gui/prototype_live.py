"""A run as the window sees it: filled by the run's thread, looked at by the window's timer, never waited for."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.events import Analysed, PointTaken, RunFinished, RunStarted, StateChanged

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.axes import Axis
    from stmlab.events import Event
    from stmlab.results import FitResult


_KEPT = 16  # lines along a hardware-swept axis


@dataclass(frozen=True)
class View:
    """What there is to draw at one moment.

    Attributes:
        coordinates: shape (points taken, software axes).
        values: shape (points taken, channels); the mean of what was read along hardware-swept axes.
        swept: the last few points' values along the innermost hardware-swept axis, oldest first: one array a channel.
    """

    started: RunStarted | None
    state: str
    message: str
    coordinates: FloatArray
    values: FloatArray
    swept: tuple[tuple[FloatArray, ...], ...]
    fits: tuple[FitResult, ...]

    @property
    def innermost(self) -> Axis | None:
        """The axis of a line: that of the hardware, if it sweeps one, else the last that software moves."""
        return self.started.axes[-1] if self.started is not None and self.started.axes else None

    def lines(self, channel: int, most: int) -> list[tuple[FloatArray, FloatArray]]:
        """The last lines of a channel along the innermost axis, (x, y) each; the one being taken is the last."""
        axis = self.innermost
        if axis is None or not len(self.values):
            return []
        if axis.hardware:
            return [(axis.values, point[channel]) for point in self.swept[-most:]]
        ends = range(0, len(self.values), len(axis))
        return [
            (self.coordinates[k : k + len(axis), -1], self.values[k : k + len(axis), channel]) for k in ends[-most:]
        ]


class LiveRun:
    """Listener that keeps what the window draws; memory is bounded by the shape of the run.

    Arrays along hardware-swept axes are kept for the last few points only.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: RunStarted | None = None
        self._state, self._message = "idle", ""
        self._coordinates, self._values, self._count = np.empty((0, 1)), np.empty((0, 1)), 0
        self._swept: deque[tuple[FloatArray, ...]] = deque(maxlen=_KEPT)
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
                tuple(self._swept),
                tuple(self._fits),
            )

    def _begin(self, event: RunStarted) -> None:
        moved = [axis for axis in event.axes if not axis.hardware]
        points = int(np.prod([len(axis) for axis in moved]))
        self._coordinates = np.full((points, max(len(moved), 1)), np.nan)
        self._values = np.full((points, len(event.channels)), np.nan)
        self._started, self._count, self._fits = event, 0, []
        self._swept.clear()

    def _keep(self, event: PointTaken) -> None:
        self._coordinates[event.index, : len(event.coordinates)] = event.coordinates
        self._values[event.index] = [_mean(value) for value in event.values]
        self._count = max(self._count, event.index + 1)  # a point that is read again lies further back
        if self._started is not None and self._started.axes and self._started.axes[-1].hardware:
            along = len(self._started.axes[-1])
            self._swept.append(tuple(_line(value, along) for value in event.values))


def _mean(value: float | FloatArray) -> float:
    known = np.asarray(value)[np.isfinite(value)]
    return float(known.mean()) if known.size else np.nan


def _line(value: float | FloatArray, length: int) -> FloatArray:
    """What was read along the innermost axis, last if there are more; a single number all along it."""
    values = np.asarray(value, dtype=float)
    return values.reshape(-1, length)[-1] if values.size > 1 else np.full(length, float(values))
