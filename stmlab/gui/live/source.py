"""Where the readings of a run come from: its file as it grows, a run in memory, or whoever sends events."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from stmlab.errors import FileError, StmlabError
from stmlab.gui.live.run_data import RunData, news_of
from stmlab.storage.following import AnotherRun, Follower, News

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.gui.work import Task, Workers
    from stmlab.storage import Run

_TRIES, _BETWEEN = 10, 0.1  # s: looks at a file that cannot be read yet
_LONG = 100_000  # numbers that take a good part of the time between two turns
_CELLS_AT_ONCE = 400_000  # numbers that are taken in between two turns of the event loop


class Source(QObject):
    """Fills a `RunData`, a piece at every `tick`, so that the event loop is never held up.

    The first look at a file, which may be a large one, is done by a work process.

    Attributes:
        data: what is filled; another object with every run that is shown.
        path: of the file, None if the data are of no file.

    Signals:
        began: another run; its `RunData`.
        failed: the file cannot be read any more: why.
    """

    began = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, workers: Workers) -> None:
        super().__init__()
        self._workers = workers
        self.data = RunData()
        self.path: Path | None = None
        self._follower: Follower | None = None
        self._pending: News | None = None
        self._taken = 0  # readings of the pending news that are in the data
        self._wide = False  # whether a reading has so many numbers that a work process reads them
        self._abandoned = False  # a run in memory whose writer is gone
        self._task: Task | None = None

    def watch(self, path: Path) -> None:
        """Show the run in a file, and whatever is added to it."""
        self._begin(RunData(), path)
        task = self._task = self._workers.submit(first_look, path, _BETWEEN)
        task.done.connect(lambda found: self._caught_up(task, found))
        task.failed.connect(lambda why: self._gave_up(task, why))

    def show_run(self, run: Run) -> None:
        """Show a run as it is in memory."""
        self._begin(RunData(), run.path)
        self._pending = news_of(run)
        self._abandoned = run.finished is None and run.live is False

    def follow(self, data: RunData) -> None:
        """Show what somebody else fills: a player, a test."""
        self._begin(data, None)

    @property
    def growing(self) -> bool:
        """Whether the run is being written now, as far as is known."""
        return self._follower is not None and self._follower.finished is None

    def tick(self) -> bool:
        """Take in a piece of what is new; returns whether that was a long one, which is better drawn a turn later."""
        if self._pending is not None:
            return self._take_piece()
        if self._follower is None:
            return False
        try:
            if self._wide:
                return self._look_elsewhere(self._follower)
            self._pending = self._follower.news()
        except AnotherRun:
            assert self.path is not None
            self.watch(self.path)
            return False
        except StmlabError as error:
            self._follower = None
            self.failed.emit(str(error))
            return False
        if self._pending is not None:
            self._taken = 0
            return self._take_piece()
        if self._follower.over:
            self._come_to_an_end(self._follower)
        return False

    def _look_elsewhere(self, follower: Follower) -> bool:
        """Readings of many numbers take long to read and check: a work process does."""
        if self._task is not None:
            return False
        if follower.stirs():
            task = self._task = self._workers.submit(next_look, self.path, follower)
            task.done.connect(lambda found: self._caught_up(task, found))
            task.failed.connect(lambda why: self._gave_up(task, why))
        elif follower.over:
            self._come_to_an_end(follower)
        return False

    def _come_to_an_end(self, follower: Follower) -> None:
        if follower.finished is None:
            self.data.abandon()
        self._follower = None

    # -- details -----------------------------------------------------------------------------------------------------

    def _begin(self, data: RunData, path: Path | None) -> None:
        if self._task is not None:
            self._task.stop()
        self.data, self.path = data, path
        self._follower = self._pending = self._task = None
        self._taken, self._abandoned, self._wide = 0, False, False
        self.began.emit(data)

    def _caught_up(self, task: Task, found: tuple[Follower, News | None]) -> None:
        if task is self._task:
            self._task, self._taken = None, 0
            self._follower, self._pending = found
            started = self._follower.started
            cells = math.prod(len(axis) for axis in started.axes if axis.hardware) * len(started.channels)
            self._wide = cells > _LONG

    def _gave_up(self, task: Task, why: str) -> None:
        if task is self._task:
            self._task = self._follower = None
            self.failed.emit(why)

    def _take_piece(self) -> bool:
        """So many readings, and what was said among them; returns whether they are many."""
        news = self._pending
        assert news is not None
        cells = sum(math.prod(column.shape[1:]) for column in news.readings.data.values())
        most = max(_CELLS_AT_ONCE // max(cells, 1), 1)
        first, stop = self._taken, min(self._taken + most, len(news.readings))
        last = stop == len(news.readings)
        said = tuple(
            (before, event)
            for before, event in news.said
            if (first < before - news.first or first == 0) and (last or before - news.first <= stop)
        )
        self.data.news(News(news.first + first, news.readings.part(first, stop), said))
        self._taken = stop
        if last:
            self._pending = None
            if self._abandoned:
                self.data.abandon()
        return (stop - first) * cells > _LONG


def first_look(path: Path, between: float = _BETWEEN) -> tuple[Follower, News | None]:
    """Open a run and read what there is; for a work process. A file that is just being made is waited for.

    Args:
        path: of the file.
        between: s between two looks at a file that cannot be read yet.
    """
    for _ in range(_TRIES):
        try:
            follower = Follower(path)
        except FileError:
            time.sleep(between)
        else:
            return follower, follower.news()
    follower = Follower(path)
    return follower, follower.news()


def next_look(path: Path, follower: Follower) -> tuple[Follower, News | None]:
    """Read on, from the start if another run stands in the file now; for a work process."""
    try:
        return follower, follower.news()
    except AnotherRun:
        return first_look(path)
