"""A run on a terminal: progress bar with the time left; Ctrl-C stops, a second one aborts; the fit in the same way."""

from __future__ import annotations

import math
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stmlab.acquisition.choosing import readings_needed, sought
from stmlab.display.events import progress_as_text
from stmlab.events import FitProgress, PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.station.guardian import guarded
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from rich.console import Console

    from stmlab.acquisition.choosing import Sought
    from stmlab.acquisition.runner import Estimate, Outcome, Runner
    from stmlab.axes import Axis
    from stmlab.events import Event

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_STOPPING = "stopping after this point, to fit what was taken; Ctrl-C again aborts at once, or ends the fit"
_FITTING = (
    "all points are taken and the station is safe; the fit ends with the best so far, Ctrl-C again does not wait for it"
)


def run_on_terminal(runner: Runner, estimate: Estimate) -> Outcome:
    """Run with a progress bar on standard error; Ctrl-C stops, a second one aborts; a killed run is made safe.

    Raises:
        StmlabError: whatever ended the run (the station is safe).
    """
    from rich.console import Console

    console = Console(stderr=True)
    with (
        guarded(runner.station),
        progress_bar(console, estimate.points, runner) as bar,
        interruptible(runner, console),
    ):
        runner.listen(bar)
        return runner.run()


class UnderWay(Protocol):
    """Says which point is being taken."""

    @property
    def under_way(self) -> int | None:
        """Its index; None before the first."""


@contextmanager
def progress_bar(console: Console, points: int, runner: UnderWay | None = None) -> Iterator[ProgressBar]:
    """A bar for a run of ``points`` points, drawn on ``console`` while the context lasts."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=console) as progress:
        yield ProgressBar(progress, points, runner)


class ProgressBar:
    """Listener that moves the bar; of an adaptive run it tells the error, its target and the next point."""

    def __init__(self, progress: object, points: int, runner: UnderWay | None = None) -> None:
        from rich.progress import Progress

        assert isinstance(progress, Progress)
        self._progress = progress
        self._task = progress.add_task("preparing", total=points)
        self._name, self._points = "", 0
        self._runner = runner
        self._sought: Sought | None = None
        self._axis: Axis | None = None  # of the points that are chosen

    def __call__(self, event: Event) -> None:
        """Move the bar to what ``event`` says."""
        if isinstance(event, PointTaken) and self._sought is not None:
            self._narrow(event, self._sought)
        elif isinstance(event, PointTaken):
            self._points = max(self._points, event.index + 1)  # a point that is read again lies further back
            self._progress.update(self._task, completed=self._points)
        elif isinstance(event, RunStarted):
            self._name = event.sequence + (f" {event.sample}" if event.sample else "")
            self._sought, self._axis = sought(event), event.axes[-1] if event.axes else None
            total = math.prod(len(axis) for axis in event.axes if not axis.hardware)  # of a resumed run: all of it
            self._progress.update(self._task, total=total)
        elif isinstance(event, FitProgress):
            self._progress.update(self._task, description=progress_as_text(event))
        elif isinstance(event, StateChanged | RunFinished):
            self._progress.update(self._task, description=f"{self._name} {event.state}")

    def _narrow(self, event: PointTaken, found: Sought) -> None:
        """Of an adaptive run: the error now, and about how many readings bring it to the target."""
        self._points = event.visit + 1  # with those before the run was resumed, which the error comes from too
        error = float(np.asarray(event.values[found.error]))
        needed = readings_needed(self._points, error, found.target)
        total = None if math.isnan(needed) else math.ceil(needed)
        said = f"{self._name} running, error {100 * error:.2g} % of {100 * found.target:.2g} %{self._next_point()}"
        self._progress.update(self._task, completed=self._points, total=total, description=said)

    def _next_point(self) -> str:
        """Where the reading is that is being taken now."""
        index = None if self._runner is None else self._runner.under_way
        if index is None or self._axis is None:
            return ""
        return f", next {format_quantity(float(f'{self._axis.values[index]:.3g}'), self._axis.unit)}"


class Endable(Protocol):
    """What a person at the terminal can end: a run, or a queue with its run."""

    @property
    def state(self) -> RunState | None:
        """Of the run, None before it."""

    def stop(self) -> None:
        """After the point that is being taken."""

    def abort(self, why: str = ..., *, attended: bool = ...) -> None:
        """At once; ``attended``: by a person who is there."""


@contextmanager
def interruptible(runner: Endable, console: Console) -> Iterator[None]:
    """While the context lasts, Ctrl-C stops after the point, a second one aborts; SIGTERM and SIGHUP abort.

    A person presses Ctrl-C; behind the other two there need be nobody, so the station ends as after a fault.

    When the points are taken and the fit is under way, Ctrl-C ends the fit with the best so far, and an abort gives it
    up: the run stays what it was.
    """
    stopped: set[bool] = set()

    def interrupt(number: int, frame: FrameType | None) -> None:
        fitting = runner.state is RunState.ANALYSING
        if number == signal.SIGINT and fitting not in stopped:
            stopped.add(fitting)
            console.print(_FITTING if fitting else _STOPPING)
            runner.stop()
        elif number == signal.SIGINT:
            runner.abort()
        else:
            why = f"aborted: the system asked the process to end ({signal.Signals(number).name})"
            runner.abort(why, attended=False)

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
