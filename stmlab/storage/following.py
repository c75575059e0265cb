"""Follows a run while it is being written: what is acknowledged, as it comes, without a lock that its writer feels.

A look costs two small reads of the file: its first bytes and the count of what is acknowledged. Only when that has
changed is the file opened, in HDF5's mode for reading beside a writer (SWMR), and only what is new is read: a look at a
run of a million points costs what its new points cost. The one thing that may touch a writer is to ask whether it
lives: that is done after looks in vain, and not once the run has said that it has finished.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.events import PointTaken
from stmlab.storage import superblock
from stmlab.storage.fits import read_fits
from stmlab.storage.hdf5 import read_text
from stmlab.storage.history import in_order, read_history
from stmlab.storage.layout import FORMAT_VERSION, Committed
from stmlab.storage.liveness import has_writer
from stmlab.storage.opening import opened
from stmlab.storage.read_visits import read_committed, read_visits, repeats_of_earlier
from stmlab.storage.reader import open_run, read_end, read_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    import h5py

    from stmlab.events import Event, PointsDisturbed, RunFinished, RunStarted, StateChanged
    from stmlab.storage.fits import StoredFit
    from stmlab.storage.run import Run
    from stmlab.storage.visits import Visits

_ASKED_AFTER = 10  # looks in vain until the writer is asked for
_PATIENCE = 50  # looks in a row that may fail, or find a finished run not closed yet
_COUNTS = 8 * len(Committed._fields)  # bytes


@dataclass(frozen=True, eq=False)
class News:
    """What was acknowledged between two looks.

    Attributes:
        first: number of the first of these readings in the file (``PointTaken.visit``).
        readings: the new ones, one row each, as arrays.
        said: every other event, each with the number of readings in the file before it.
    """

    first: int
    readings: Visits
    said: tuple[tuple[int, Event], ...]

    def __bool__(self) -> bool:
        return bool(len(self.readings) or self.said)

    def events(self) -> Iterator[Event]:
        """All of it one by one, in the order in which it came."""
        points = self._points()
        taken = self.first
        for before, event in self.said:
            yield from itertools.islice(points, max(before - taken, 0))
            taken = max(before, taken)
            yield event
        yield from points

    def _points(self) -> Iterator[PointTaken]:
        readings = self.readings
        for row in range(len(readings)):
            values = (column[row] for column in readings.data.values())
            yield PointTaken(
                int(readings.index[row]),
                float(readings.time[row]),
                tuple(float(column[row]) for column in readings.coordinates.values()),
                tuple(value if value.ndim else float(value) for value in values),
                visit=self.first + row,
                attempt=int(readings.attempt[row]),
                session=int(readings.session[row]),
            )


class AnotherRun(FileError):
    """Another run stands where the one was that is followed."""


class Follower:
    """Reads on in the file of a run: call `news` (or `look`) over and over, a few times a second.

    Args:
        path: of the run.

    Attributes:
        started: what was known of the run before it began.
        finished: how it ended, None before.

    Raises:
        FileError: as `open_run`.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._place: int | None = None
        self._seen = Committed(0, 0, 0, 0, 0)
        self._told = False  # that it has started
        self._vain = self._failed = 0
        self._glanced = b""
        self._live: bool | None = None
        self.finished: RunFinished | None = None
        with opened(self._path) as (file, _):
            current = int(file.attrs["format_version"]) == FORMAT_VERSION
            self.started: RunStarted = read_plan(self._path, file["entry"]) if current else open_run(self._path).started
        self._next: News | None = self._read()

    @property
    def over(self) -> bool:
        """Whether nothing more will come: the run has ended, or its writer was killed."""
        return self._live is False

    @property
    def run(self) -> Run:
        """All of the run, as far as its file goes now; reads the whole file."""
        return open_run(self._path)

    def look(self) -> list[Event]:
        """The events that have been acknowledged since the last look; the first time all so far; raises as `news`."""
        news = self.news()
        return [] if news is None else list(news.events())

    def news(self) -> News | None:
        """What has been acknowledged since the last look, None if nothing was; the first time all so far.

        Raises:
            FileError: the file is gone, damaged, or holds another run now.
        """
        news, self._next = self._next, None
        if news is not None:
            return news
        return self._read_again() if self.stirs() else None

    def stirs(self) -> bool:
        """Whether the next look has something to read; costs two small reads of the file.

        Raises:
            FileError: the file is gone.
        """
        if self._next is not None:
            return True
        if self.over:
            return False
        if self._changed():
            return True
        self._vain += 1
        if self._vain % _ASKED_AFTER == 0 and self._abandoned():
            self._live = False
        return False

    def _read(self) -> News | None:
        """Read what is new; None: nothing."""
        glanced = self._glance()[1]
        with opened(self._path) as (file, live):
            if int(file.attrs["format_version"]) == FORMAT_VERSION:
                entry = file["entry"]
                if live:
                    self._place = entry["visits/committed"].id.get_offset()
                    glanced = self._glance()[1]
                news = self._read_on(entry)
            else:
                news = self._read_older()
        self._glanced = glanced
        self._live = False if self.finished is not None else live
        return news or None

    def _read_on(self, entry: h5py.Group) -> News:
        seen, now = self._seen, read_committed(entry)
        if read_text(entry, "entry_identifier") != self.started.run_id:
            raise AnotherRun(f"{self._path}: holds another run now")
        readings = read_visits(self._path, entry, self.started, now.readings, seen.readings, seen.repeats)
        said = self._said(entry, seen, now)
        repeats = repeats_of_earlier(entry, now.readings, seen.repeats)
        self._seen, self._told = now._replace(repeats=repeats), True
        return News(seen.readings, readings, said)

    def _said(self, entry: h5py.Group, seen: Committed, now: Committed) -> tuple[tuple[int, Event], ...]:
        """Every event that is no reading, in its order."""
        history: tuple[tuple[int, StateChanged | PointsDisturbed], ...] = ()
        fits: tuple[StoredFit, ...] = ()
        if now.events > seen.events:
            history = read_history(entry["events/log/data"], now.events)[seen.events :]
        if now.fits > seen.fits:
            fits = read_fits(entry["fit/json/data"], entry["fit/curves/values"], now.fits)[seen.fits :]
        said: list[tuple[int, Event]] = [*in_order(history, fits, seen.events)]
        if not self._told:
            said.insert(0, (0, self.started))
        if now.finished and self.finished is None:
            self.finished = read_end(entry)
            said.append((now.readings, self.finished))
        return tuple(said)

    def _read_older(self) -> News:
        """A run of an older format, which nobody writes any more."""
        run = open_run(self._path)
        said: list[tuple[int, Event]] = [(0, run.started), *in_order(run.history, run.stored_fits)]
        if run.finished is not None:
            said.append((len(run.visits), run.finished))
        self.finished = run.finished
        return News(0, run.visits, tuple(said))

    def _read_again(self) -> News | None:
        """Read on, if that goes well: at the very moment when its writer opens or closes the file, it may not."""
        try:
            news = self._read()
        except AnotherRun:
            raise
        except FileError:
            self._failed += 1
            if self._failed > _PATIENCE:
                raise
            self._glanced = b""
            return None
        self._failed = self._vain = 0
        return news

    def _changed(self) -> bool:
        """Whether there is something new, and it can be read."""
        start, counts = self._glance()
        if counts == self._glanced:
            return False
        finished = len(counts) == _COUNTS and counts[8 * Committed._fields.index("finished") :][:1] == b"\1"
        if finished and superblock.is_unclosed(start) and self._failed < _PATIENCE:
            self._failed += 1
            return False
        return True

    def _abandoned(self) -> bool:
        """Whether the writer is gone, and all that it wrote was read."""
        start, counts = self._glance()
        if counts != self._glanced or not superblock.is_unclosed(start):
            self._glanced = b""  # it has closed the file meanwhile: to be read once more
            return False
        return has_writer(self._path) is False and self._glance()[1] == counts

    def _glance(self) -> tuple[bytes, bytes]:
        """The first bytes of the file, and its counts of what is acknowledged."""
        try:
            with self._path.open("rb", buffering=0) as file:
                start = file.read(superblock.SIZE)
                if self._place is None:
                    return start, b""
                file.seek(self._place)
                return start, file.read(_COUNTS)
        except OSError as error:
            raise FileError(f"{self._path}: cannot be read any more ({error.strerror or error})") from error
