"""What a run's file holds of its readings: a log of all of them, and the data by point.

The numbers of a reading stand in the cell of its point. A point that is read again has one cell for more readings than
one: then all its readings are kept beside the log, in their order, and the cell shows the last of them. Readings
outside the plan, which have no cell, are kept there too. So nothing is ever lost, and a run without repetitions (nearly
every run) writes every number once.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stmlab.storage.cells import Cells
from stmlab.storage.columns import Columns
from stmlab.storage.layout import LOG
from stmlab.storage.plot import ELAPSED, channel_fields
from stmlab.storage.shape import Shape
from stmlab.storage.values import dataset_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    import h5py
    from h5py import h5d

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.events import RunStarted
    from stmlab.storage.readings import Readings

_NOT_REPEATED = (None, None)  # attempt and session are 0, as the file's fill
_REPEATED = -1  # all readings of the point are in the table of repeats


class _Kept(NamedTuple):
    """One reading for the table of repeats: visit, numbers, arrays (each with one point)."""

    visit: int
    numbers: FloatArray
    arrays: FloatArray | None


class Records:
    """Writes readings; the caller flushes and commits, then has the cells of repeated points brought up to date.

    Args:
        entry: of the file.
        started: the run.

    Attributes:
        repeats: number of rows in the table of repeats.
    """

    def __init__(self, entry: h5py.Group, started: RunStarted) -> None:
        data, visits = entry["data"], entry["visits"]
        shape = Shape.of(started)
        moved = [f"{axis.name}_measured" for axis in started.axes if not axis.hardware]
        fields = channel_fields(started.channels)
        channels = [fields[channel.name] for channel in started.channels]
        numbers = [ELAPSED, *moved, *(() if shape.hardware else channels)]
        arrays = channels if shape.hardware else []
        self._cells = Cells(_datasets(data, numbers), _datasets(data, arrays), shape)
        self._log = Columns(_datasets(visits, LOG), shape.places)
        self._repeats = visits["repeats"]
        self._names = (["visit"], numbers, arrays)
        self._inner = shape.inner
        self._first = np.zeros(shape.places, dtype=np.int64)  # 1 + visit of the only reading so far; 0: none yet
        self._stale: dict[int, _Kept] = {}
        self.repeats = 0

    def write(self, start: int, readings: Readings) -> None:
        """Write ``readings``, the first of which is number ``start`` of the file.

        Not from one chunk of the log into the next: where the chunks lie must not depend on how many come at once.
        """
        first = 0
        for stop in self._log.chunk_ends(start, count := readings.place.shape[1]):
            self._write(start + first, readings if stop == count and not first else readings.part(first, stop))
            first = stop

    def _write(self, start: int, readings: Readings) -> None:
        place, arrays = readings.place, self._shaped(readings.arrays)
        index = place[1]
        repeated = place[2:] if place[2:].any() else _NOT_REPEATED
        self._log.write(start, [readings.checksums(), index, *repeated])
        if self._are_next(index):
            first, rows = int(index[0]), len(index)
            self._cells.write(first, readings.numbers, arrays)
            self._first[first : first + rows] = start + 1 if rows == 1 else np.arange(start + 1, start + 1 + rows)
        else:
            self._scatter(start, index, readings.numbers, arrays)

    def _are_next(self, index: IntArray) -> bool:
        """Whether the points follow each other and none has been read before."""
        first, rows = int(index[0]), len(index)
        if first < 0 or first + rows > len(self._first):
            return False
        if rows == 1:
            return not self._first[first]
        return not self._first[first : first + rows].any() and bool((index[1:] - index[:-1] == 1).all())

    def update_cells(self) -> bool:
        """Show the last reading of each point that was read again; whether there was one."""
        stale, self._stale = self._stale, {}
        for place, kept in stale.items():
            self._cells.write(place, kept.numbers, kept.arrays)
        return bool(stale)

    def _scatter(self, start: int, index: IntArray, numbers: FloatArray, arrays: FloatArray | None) -> None:
        """Readings in any order, of points that may have been read before."""
        planned = (index >= 0) & (index < len(self._first))
        known = self._first[np.where(planned, index, 0)] if len(self._first) else np.zeros(len(index), dtype=int)
        once = np.zeros(len(index), dtype=bool)
        once[np.unique(index, return_index=True)[1]] = True
        fresh = planned & (known == 0) & once
        rows = np.flatnonzero(fresh)
        rows = rows[np.argsort(index[rows])]
        for run in np.split(rows, np.flatnonzero(np.diff(index[rows]) != 1) + 1) if rows.size else ():
            self._cells.write(int(index[run[0]]), *_rows(run, numbers, arrays))
            self._first[index[run]] = start + 1 + run
        kept: list[_Kept] = []
        for row in np.flatnonzero(~fresh).tolist():
            reading = _Kept(start + row, *_rows([row], numbers, arrays))
            if planned[row]:
                kept += self._first_reading(place := int(index[row]))
                self._stale[place] = reading
            kept.append(reading)
        if kept:
            self._keep(kept)

    def _first_reading(self, place: int) -> list[_Kept]:
        """The reading that the cell of a point holds, if the table of repeats does not have it yet."""
        first = int(self._first[place])
        if first == _REPEATED:
            return []
        self._first[place] = _REPEATED
        return [_Kept(first - 1, *self._cells.read(place))]

    @cached_property
    def _more(self) -> tuple[Columns, Columns, Columns]:
        """Visits, numbers and arrays of the table of repeats, which most runs never need."""
        visits, numbers, arrays = (_datasets(self._repeats, names) for names in self._names)
        return Columns(visits), Columns(numbers), Columns(arrays)

    def _keep(self, kept: list[_Kept]) -> None:
        first, (visits, _, _) = 0, self._more
        for stop in visits.chunk_ends(self.repeats, len(kept)):
            self._keep_some(kept[first:stop])
            first = stop

    def _keep_some(self, kept: list[_Kept]) -> None:
        visits, numbers, arrays = self._more
        visits.write(self.repeats, [np.array([reading.visit for reading in kept])])
        numbers.write(self.repeats, list(np.concatenate([reading.numbers for reading in kept], axis=1)))
        if some := [reading.arrays for reading in kept if reading.arrays is not None]:
            arrays.write(self.repeats, list(np.concatenate(some, axis=1)))
        self.repeats += len(kept)

    def _shaped(self, arrays: FloatArray | None) -> FloatArray | None:
        """Without the axes of length 1."""
        return None if arrays is None else arrays.reshape(*arrays.shape[:2], *self._inner)


def _datasets(group: h5py.Group, names: Iterable[str]) -> list[h5d.DatasetID]:
    return [dataset_at(group, name) for name in names]


def _rows(
    rows: IntArray | list[int], numbers: FloatArray, arrays: FloatArray | None
) -> tuple[FloatArray, FloatArray | None]:
    """Some of the readings, with contiguous columns."""
    some = np.ascontiguousarray(numbers[:, rows])
    return some, None if arrays is None else np.ascontiguousarray(arrays[:, rows])
