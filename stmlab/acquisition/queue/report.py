"""What a queue says of the run that is under way: where it stands, how long it still takes, what was last read."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.acquisition.choosing import readings_needed, sought
from stmlab.events import Analysed, PointTaken, RunFinished, RunStarted, RunState, StateChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from stmlab.acquisition.outcome import Estimate
    from stmlab.acquisition.queue.entries import QueueEntry
    from stmlab.acquisition.runner import Runner
    from stmlab.arrays import FloatArray
    from stmlab.events import Event

    Message = dict[str, Any]

_FIRST_PACE = 5  # points after which the time left follows from their own pace


@dataclass
class Report:
    """A listener of one run; the run's thread writes it, the control thread reads it.

    Args:
        entry: whose run it is.
        number: of the run in the entry, from 0.
        runner: past its preflight.
        estimate: of the preflight.
        tell: called with a message for every change of state and every fit.
    """

    entry: QueueEntry
    number: int
    runner: Runner
    estimate: Estimate
    tell: Callable[[Message], None]
    state: str = "checked"
    reason: str = ""
    states: list[Message] = field(default_factory=list)
    points: int = 0
    total: int = 0  # at most, where the run chooses its points: as many as the time limit allows
    left: str = ""  # how the station was left, in words
    error: float = math.nan  # relative, of what a run that chooses its points seeks, as last known
    target: float = math.nan  # of that error; nan: the run visits every point
    _place: int = 0  # of the error among the channels
    _readings: int = 0  # in the file: of a resumed run also those before, which the error comes from
    _running: float = 0.0  # s in the state of that name, before the present stretch
    _since: float = math.nan

    def __post_init__(self) -> None:
        self.total = self.estimate.points

    def __call__(self, event: Event) -> None:
        """Hear an event of the run; nothing here waits."""
        if type(event) is PointTaken:
            self.points += event.attempt == 0
            self._readings = event.visit + 1
            if not math.isnan(self.target):
                self.error = float(np.asarray(event.values[self._place]))
        elif isinstance(event, RunStarted) and (found := sought(event)) is not None:
            self._place, self.target = found.error, found.target
        elif isinstance(event, StateChanged | RunFinished):
            self._enter(event)
        elif isinstance(event, Analysed):
            self.tell(_told_fit(event, self.runner.path))

    def partial(self, index: int, values: Mapping[str, FloatArray]) -> None:
        """Tell the beginning of a reading that an instrument is still taking."""
        self.tell({**self.where(), "event": "partial", "index": index, "values": dict(values)})

    def _enter(self, event: StateChanged | RunFinished) -> None:
        now = time.monotonic()
        if self.state == RunState.RUNNING:
            self._running += now - self._since
        self._since = now
        if isinstance(event, RunFinished):
            self.left = str(event.snapshot.get("station", {}).get("left", ""))
        self.state = event.state
        self.reason = event.reason if isinstance(event, StateChanged) else event.message
        said = {**self.where(), "event": "state", "state": self.state, "reason": self.reason, "time": event.time}
        self.states.append(said)
        self.tell(said)

    def where(self) -> Message:
        """Which run of which entry."""
        return {"entry": self.entry.id, "sequence": self.entry.sequence, "run": self.number, "runs": self.entry.runs}

    def progress(self) -> Message:
        """Where it stands now; of a run that chooses its points also how far that is from what it seeks."""
        path, needed = self.runner.path, self._needed()
        return {
            **self.where(),
            "event": "progress",
            "state": self.state,
            "points": self.points,
            "total": self.total,
            "left": self.seconds_left(),
            "error": None if math.isnan(self.error) else self.error,
            "target": None if math.isnan(self.target) else self.target,
            "readings": self._readings,
            "needed": None if math.isnan(needed) else math.ceil(needed),
            "next": None if math.isnan(self.target) else self.runner.under_way,
            "file": None if path is None else str(path.resolve()),
        }

    def seconds_left(self) -> float | None:
        """About how long the points still take, s; None when they are taken."""
        if self.state not in ("checked", RunState.PREPARING, RunState.RUNNING, RunState.PAUSED, RunState.MENDING):
            return None
        left: float = self.total - self.points
        if not math.isnan(needed := self._needed()):
            left = min(needed - self._readings, left)
        if self.points >= _FIRST_PACE:
            running = self._running + (time.monotonic() - self._since if self.state == RunState.RUNNING else 0.0)
            return left * running / self.points
        return self.estimate.seconds * left / max(self.estimate.points, 1)

    def _needed(self) -> float:
        """About how many readings in all bring the error to the target; nan while nobody can tell."""
        return readings_needed(self._readings, self.error, self.target)

    def values(self) -> Message:
        """What was last read of every instrument by the looks that are made anyway, and what was last set."""
        station = self.runner.station
        return {
            "event": "values",
            "station": station.config.name,
            "roles": {role: name for role, (name, _) in station.roles.items()},
            "read": {name: dict(found) for name, found in list(station.watch.seen.items())},
            "set": station.last_set.now(),
            "age": station.clock.now() - station.watch.looked,
        }


def _told_fit(event: Analysed, path: Path | None) -> Message:
    fit = event.fit
    return {
        "event": "fit",
        "model": fit.model,
        "parameters": [{"name": p.name, "value": p.value, "error": p.error, "unit": p.unit} for p in fit.parameters],
        "warnings": list(fit.warnings),
        "file": None if path is None else str(path.resolve()),
    }
