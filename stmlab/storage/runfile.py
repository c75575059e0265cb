"""The open file of one run, and the order of its writes.

Columns are written and flushed, then the committed count is written and flushed; readers trust the count alone. So
the process may be killed between any two writes. Points slower than 1 ms, and points that carry arrays, are flushed
one by one (about 0.1 ms); faster ones in batches: a point waits for the others until 1 ms has passed.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from stmlab.errors import FileError, SequenceError
from stmlab.storage.columns import Columns, write_line, write_text
from stmlab.storage.fits import write_fit
from stmlab.storage.layout import COMMITTED, LIBVER, create, expected_rows, hardware_shape, to_json
from stmlab.storage.liveness import WriterLock, has_writer
from stmlab.storage.readings import Table
from stmlab.storage.refusals import reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stmlab.events import Analysed, PointsDisturbed, PointTaken, RunFinished, RunStarted, StateChanged

BATCH_SECONDS = 1e-3
"""Points that come faster than this are flushed together, once the first of them is this old."""

_HDF5_ERRORS = (OSError, RuntimeError, ValueError)  # h5py takes its class from where in HDF5 the disk was felt


class RunFile:
    """The file of one run while it is being written.

    Raises:
        FileError: the file is there already, or cannot be made; and from every method, when the disk refuses.
    """

    def __init__(self, path: Path, started: RunStarted, *, overwrite: bool) -> None:
        self._path = path
        self._batched = started.point_seconds < BATCH_SECONDS and not hardware_shape(started)
        self._file = _make(path, started, overwrite=overwrite)
        self._lock = WriterLock(path)
        self._table = Table(started)
        self._columns, self._arrays = self._find_columns(started)
        self._count = np.zeros(1, COMMITTED)
        self._count_id = self._file["committed"].id
        self._count_type = h5py.h5t.py_create(COMMITTED)
        self._waiting: list[PointTaken] = []
        self._due = 0.0
        self.committed = 0

    def append(self, point: PointTaken) -> None:
        """Take a point; write and acknowledge it, or let it wait for the others of its batch."""
        waiting = self._waiting
        waiting.append(point)
        if self._batched:
            now = perf_counter()
            if len(waiting) == 1:
                self._due = now + BATCH_SECONDS
                return
            if now < self._due:
                return
        self.flush()

    def flush(self) -> None:
        """Write the waiting points and acknowledge them.

        Raises:
            SequenceError: a point does not fit the axes and channels; those before it are acknowledged.
        """
        points = self._waiting
        if not points:
            return
        self._still_open()
        try:
            self._write(points)
        except SequenceError:
            self._waiting = []
            for point in points if len(points) > 1 else ():
                self._write([point])
            raise
        self._waiting = []

    def change_state(self, event: StateChanged) -> None:
        """Note a state."""
        with self._writing():
            self._file["status/state"][()] = event.state.value
            self._note({"time": event.time, "state": event.state, "reason": event.reason})

    def mark_disturbed(self, event: PointsDisturbed) -> None:
        """Note which points were disturbed, and by what."""
        with self._writing():
            self._note({"time": event.time, "disturbed": event.indices, "reason": event.reason})

    def add_fit(self, event: Analysed) -> None:
        """Keep a fit."""
        with self._writing():
            number = int(self._count["fits"][0])
            write_fit(self._file, number, event.fit, (self.committed, int(self._count["states"][0])))
            self._commit("fits", number + 1)

    def finish(self, event: RunFinished) -> None:
        """Write how the run ended, and close."""
        with self._writing():
            status = self._file["status"]
            write_text(status["reason"], event.reason)
            write_text(status["message"], event.message)
            write_text(self._file["station/snapshot_after"], to_json(event.snapshot))
            status["state"][()] = event.state.value
            status["end"][()] = np.array((event.points, event.time), dtype=status["end"].dtype)
            self._commit("finished", 1)
        self.close()

    def close(self) -> None:
        """Close the file; may be called again."""
        if not self._file:
            return
        try:
            self.flush()
        finally:
            self._file.close()
            self._lock.release()

    # -- points ------------------------------------------------------------------------------------------------------

    def _find_columns(self, started: RunStarted) -> tuple[Columns, Columns]:
        """Columns of numbers, in the order of `Readings`, and those of arrays."""
        file, rows = self._file, expected_rows(started)
        numbers = [file["points"][name] for name in ("checksum", "index", "attempt", "session", "time")]
        numbers += [file["coordinates"][axis.name] for axis in started.axes if not axis.hardware]
        channels = [file["channels"][channel.name] for channel in started.channels]
        return (
            (Columns(numbers, rows), Columns(channels, rows))
            if hardware_shape(started)
            else (Columns([*numbers, *channels], rows), Columns([], rows))
        )

    def _write(self, points: list[PointTaken]) -> None:
        start = self.committed
        readings = self._table.readings(start, points)
        _, index, attempt, session = readings.place
        with self._refusing():
            repeated = [column if column.any() else None for column in (attempt, session)]
            self._columns.write(start, [readings.checksums(), index, *repeated, *readings.numbers])
            if readings.arrays is not None:
                self._arrays.write(start, list(readings.arrays))
            self._commit("points", start + len(points))
        self.committed = start + len(points)

    # -- the order of writes -----------------------------------------------------------------------------------------

    def _note(self, line: dict[str, Any]) -> None:
        """One more line of the history."""
        number = int(self._count["states"][0])
        write_line(self._file["status/history"], number, to_json({"points": self.committed, **line}))
        self._commit("states", number + 1)

    def _commit(self, what: str, count: int) -> None:
        """Everything down first, then the count that says so."""
        h5py.h5f.flush(self._file.id)
        self._count[what] = count
        self._count_id.write(h5py.h5s.ALL, h5py.h5s.ALL, self._count, self._count_type)
        h5py.h5f.flush(self._file.id)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Points first, so that the order of events is kept."""
        self._still_open()
        self.flush()
        with self._refusing():
            yield

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Give up the file when the disk refuses: what is acknowledged is in it."""
        try:
            yield
        except _HDF5_ERRORS as error:
            self._waiting = []
            with suppress(*_HDF5_ERRORS):
                self.close()
            kept = f"the {self.committed} points acknowledged before are in it"
            raise FileError(f"{self._path}: cannot be written any more ({reason(error)}); {kept}") from error

    def _still_open(self) -> None:
        if not self._file:
            raise FileError(f"{self._path}: is closed; nothing can be added to the run")


def _make(path: Path, started: RunStarted, *, overwrite: bool) -> h5py.File:
    """The file with its whole tree, SWMR switched on; nothing is left behind if that fails."""
    try:
        if overwrite and path.exists():
            if has_writer(path):  # HDF5 empties a file before it asks for its lock
                raise FileError(f"{path}: still being written by another run; give another file")
            path.unlink()
        file = h5py.File(path, "x", libver=LIBVER, rdcc_nbytes=0)
    except FileExistsError:
        raise FileError(f"{path} exists already: raw data are never overwritten; give another file") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be made ({reason(error)})") from error
    try:
        create(file, started)
        file.flush()
        file.swmr_mode = True
    except BaseException as error:
        with suppress(*_HDF5_ERRORS):
            file.close()
        path.unlink()
        if isinstance(error, (*_HDF5_ERRORS, TypeError)):
            raise FileError(f"{path}: cannot be made ({reason(error)})") from error
        raise
    return file
