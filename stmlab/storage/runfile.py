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
from stmlab.storage.columns import write_line, write_rows, write_text, write_value
from stmlab.storage.fits import write_fit
from stmlab.storage.hdf5 import read_text, to_json
from stmlab.storage.layout import Committed
from stmlab.storage.liveness import WriterLock
from stmlab.storage.making import make
from stmlab.storage.opening import opened
from stmlab.storage.place import Place
from stmlab.storage.readings import Table
from stmlab.storage.records import Records
from stmlab.storage.refusals import HDF5_ERRORS, reason
from stmlab.storage.values import dataset_at, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stmlab.events import Analysed, PointsDisturbed, PointTaken, RunFinished, RunStarted, StateChanged
    from stmlab.storage.place import Trouble
    from stmlab.storage.readings import Readings

BATCH_SECONDS = 1e-3
"""Points that come faster than this are flushed together, once the first of them is this old."""
_PLACE = {name: k for k, name in enumerate(Committed._fields)}


class RunFile:
    """The file of one run while it is being written.

    Raises:
        FileError: the file is there already, or cannot be made; and from every method, when the disk refuses.
    """

    def __init__(self, path: Path, started: RunStarted, *, overwrite: bool, batch: bool) -> None:
        self._path = path.absolute()  # the process may change its folder
        self._run_id = started.run_id
        self._fast = started.point_seconds < BATCH_SECONDS and not any(axis.hardware for axis in started.axes)
        self._batched = self._fast or batch
        self._file = make(path, started, overwrite=overwrite)
        self._entry = self._file["entry"]
        self._state = dataset_at(self._entry, "status/state")
        self._events = {name: dataset_at(self._entry, f"events/{name}") for name in ("time", "readings", "event")}
        self._log = dataset_at(self._entry, "events/log/data")
        self._lock = WriterLock(path)
        self._place = Place(path)
        self._table = Table(started)
        self._records = Records(self._entry, started)
        self._count = np.zeros(len(Committed._fields), dtype=np.int64)
        self._count_id = dataset_at(self._entry, "visits/committed")
        self._waiting: list[PointTaken] = []
        self._came, self._due = perf_counter(), 0.0
        self.committed = 0

    def go_on_as(self, path: Path) -> None:
        """The file has been renamed, and is no copy any more."""
        self._path, self._batched = path.absolute(), self._fast
        self._place.close()
        self._place = Place(path)

    def append(self, point: PointTaken) -> bool:
        """Take a point; write and acknowledge it (True), or let it wait for the others of its batch (False)."""
        waiting = self._waiting
        waiting.append(point)
        if self._batched:
            before, now = self._came, perf_counter()
            self._came = now
            if len(waiting) == 1:
                self._due = now + BATCH_SECONDS
            if now < self._due and now - before < BATCH_SECONDS:
                return False
        self.flush()
        return True

    def flush(self) -> None:
        """Write the waiting points and acknowledge them.

        Raises:
            SequenceError: a point does not fit the axes and channels; those before it are acknowledged.
            FileError: the disk refuses, or the path does not lead to the file any more.
        """
        if not self._waiting:
            return
        self._check()
        self._write_waiting()

    def change_state(self, event: StateChanged) -> None:
        """Note a state."""
        with self._writing():
            write_value(self._state, event.state.value)
            self._note(event.state.value, {"time": event.time, "state": event.state, "reason": event.reason})

    def mark_disturbed(self, event: PointsDisturbed) -> None:
        """Note which points were disturbed, and by what."""
        with self._writing():
            self._note("disturbed", {"time": event.time, "disturbed": event.indices, "reason": event.reason})

    def add_fit(self, event: Analysed) -> None:
        """Keep a fit."""
        with self._writing():
            count = Committed(*self._count.tolist())
            write_fit(self._entry, count.fits, event.fit, (count.readings, count.events), count.readings)
            self._commit(fits=count.fits + 1)

    def finish(self, event: RunFinished) -> None:
        """Write how the run ended, close, and look at the closed file once more.

        Raises:
            FileError: as `flush`; or it is not the file that was written.
        """
        with self._writing():
            status = self._entry["status"]
            write_text(dataset_at(status, "reason"), event.reason)
            write_text(dataset_at(status, "message"), event.message)
            write_text(dataset_at(self._entry, "instrument/snapshot_after/data"), to_json(event.snapshot))
            write_value(self._state, event.state.value)
            write_value(dataset_at(status, "points"), event.points)
            write_value(dataset_at(status, "time"), event.time)
            self._commit(finished=1)
        self._check()
        self.close()
        with opened(self._path) as (file, _):
            entry = file["entry"]
            same = np.array_equal(value_at(entry, "visits/committed"), self._count)
            if read_text(entry, "entry_identifier") != self._run_id or not same:
                raise FileError(f"{self._path}: is not the file that was written")

    def close(self) -> None:
        """Close the file; may be called again."""
        if not self._file:
            return
        try:
            self.flush()
        finally:
            self._let_go()

    # -- points ------------------------------------------------------------------------------------------------------

    def _write_waiting(self) -> None:
        points = self._waiting
        try:
            self._write(points)
        except SequenceError:
            self._waiting = []
            for point in points if len(points) > 1 else ():
                self._write([point])
            raise
        self._waiting = []

    def _write(self, points: list[PointTaken]) -> None:
        readings = self._table.readings(self.committed, points)
        with self._refusing():
            self._put(readings)

    def _put(self, readings: Readings) -> None:
        records, stop = self._records, self.committed + readings.place.shape[1]
        records.write(self.committed, readings)
        self._commit(readings=stop, repeats=records.repeats)
        self.committed = stop
        if records.update_cells():  # after the commit: until then a cell holds what was acknowledged last
            h5py.h5f.flush(self._file.id)

    # -- the order of writes -----------------------------------------------------------------------------------------

    def _note(self, kind: str, line: dict[str, Any]) -> None:
        """One more event."""
        number, events = Committed(*self._count.tolist()).events, self._events
        columns = {"time": line["time"], "readings": self.committed, "event": kind.encode()}
        for name, value in columns.items():
            write_rows(events[name], number, np.array([value], dtype=events[name].dtype))
        write_line(self._log, number, to_json({"points": self.committed, **line}))
        self._commit(events=number + 1)

    def _commit(self, **counts: int) -> None:
        """Everything down first, then the counts that say so."""
        h5py.h5f.flush(self._file.id)
        for name, count in counts.items():
            self._count[_PLACE[name]] = count
        self._count_id.write(h5py.h5s.ALL, h5py.h5s.ALL, self._count, h5py.h5t.NATIVE_INT64)
        h5py.h5f.flush(self._file.id)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Points first, so that the order of events is kept."""
        self._check()
        if self._waiting:
            self._write_waiting()
        with self._refusing():
            yield

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Give up the file when the disk refuses: what is acknowledged is in it."""
        try:
            yield
        except HDF5_ERRORS as error:
            self._waiting = []
            self._give_up()
            kept = f"the {self.committed} points acknowledged before are in it"
            raise FileError(f"{self._path}: cannot be written any more ({reason(error)}); {kept}") from error

    def _check(self) -> None:
        """The file is open, and its path leads to it."""
        if not self._file:
            raise FileError(f"{self._path}: is closed; nothing can be added to the run")
        if trouble := self._place.trouble():
            raise FileError(f"{self._path}: {trouble.what} while the run was written; {self._kept(trouble)}")

    def _kept(self, trouble: Trouble) -> str:
        """Give up the file, and say where what was acknowledged is."""
        if trouble.intact and self._waiting:
            with suppress(SequenceError, *HDF5_ERRORS):
                self._put(self._table.readings(self.committed, self._waiting))
        self._waiting = []
        points = f"the {self.committed} points acknowledged before"
        if not trouble.intact:
            self._give_up()
            return f"what is left of {points} is in it"
        try:
            return f"{points} are in {self._place.keep()}"
        except OSError as error:
            return f"{points} are lost ({reason(error)})"
        finally:
            self._give_up()

    def _give_up(self) -> None:
        with suppress(*HDF5_ERRORS):
            self._let_go()

    def _let_go(self) -> None:
        try:
            self._file.close()
        finally:
            self._place.close()
            self._lock.release()
