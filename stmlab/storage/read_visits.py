"""The readings of a run, put together again from their log, their cells and the table of repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.layout import Committed
from stmlab.storage.plot import ELAPSED, channel_fields
from stmlab.storage.shape import Shape
from stmlab.storage.values import block_of, dataset_at, rows_of, value_of
from stmlab.storage.visits import Visits

if TYPE_CHECKING:
    from pathlib import Path

    import h5py
    from h5py import h5d

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.events import RunStarted

_WORTH_A_READ = 4096  # cells that are read in the time of one more call


def read_committed(entry: h5py.Group) -> Committed:
    """What may be trusted now, also in a file that is being written."""
    dataset = dataset_at(entry, "visits/committed")
    dataset.refresh()
    return Committed(*value_of(dataset).tolist())


def read_visits(
    path: Path, entry: h5py.Group, started: RunStarted, rows: int, first: int = 0, repeats: int = 0
) -> Visits:
    """The readings from number ``first`` to before ``rows``, at a cost that follows from their number.

    A cell may be written over while it is read; its earlier readings stand in the table of repeats before that
    happens. So the table is read last, as far as it goes by then.

    Args:
        path: of the file, for messages.
        entry: of the file.
        started: the run.
        rows: how many readings are acknowledged, or fewer.
        first: number of the first one that is wanted.
        repeats: rows of the table of repeats that are known to tell only of readings before ``first``.

    Raises:
        FileError: a reading is not what its checksum was made of.
    """
    log, data, shape = entry["visits"], entry["data"], Shape.of(started)
    index, attempt, session, checksum = (
        rows_of(dataset_at(log, name), first, rows) for name in ("index", "attempt", "session", "checksum")
    )
    cell = np.where((index >= 0) & (index < shape.places), index, 0)
    moved = {axis.name: f"{axis.name}_measured" for axis in started.axes if not axis.hardware}
    fields = channel_fields(started.channels)
    columns = {name: _read_cells(dataset_at(data, name), cell, shape, ()) for name in (ELAPSED, *moved.values())}
    columns |= {name: _read_cells(dataset_at(data, name), cell, shape, shape.hardware) for name in fields.values()}
    _replace_repeated(log["repeats"], slice(repeats, read_committed(entry).repeats), first, columns)
    visits = Visits(
        index,
        columns[ELAPSED],
        attempt,
        session,
        {name: columns[field] for name, field in moved.items()},
        {channel.name: columns[fields[channel.name]] for channel in started.channels},
    )
    if (changed := visits.first_changed(checksum, first)) is not None:
        raise FileError(f"{path}: damaged: reading number {changed} is not what was written; there may be more")
    return visits


def repeats_of_earlier(entry: h5py.Group, rows: int, known: int) -> int:
    """Rows at the start of the table of repeats that tell only of readings before number ``rows``.

    Args:
        entry: of the file.
        rows: readings that have been read.
        known: such rows that are known already.
    """
    count = read_committed(entry).repeats
    later = np.flatnonzero(entry["visits/repeats/visit"][known:count] >= rows)
    return known + int(later[0]) if later.size else count


def _read_cells(dataset: h5d.DatasetID, cell: IntArray, shape: Shape, value: tuple[int, ...]) -> FloatArray:
    """What stands in some cells; shape (cells, value)."""
    if not shape.outer:
        one: FloatArray = np.asarray(value_of(dataset)).reshape(1, *value)
        return one.repeat(len(cell), axis=0)
    if not len(cell):
        return np.empty((0, *value))
    starts = [0, *(np.flatnonzero(np.diff(cell) != 1) + 1).tolist()]  # of cells that follow each other
    low, high = int(cell.min()), int(cell.max()) + 1
    if len(starts) * _WORTH_A_READ > high - low:
        return _read_block(dataset, low, high, shape, value)[cell - low]
    blocks = [
        _read_block(dataset, int(cell[start]), int(cell[stop - 1]) + 1, shape, value)
        for start, stop in zip(starts, [*starts[1:], len(cell)], strict=True)
    ]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _read_block(dataset: h5d.DatasetID, start: int, stop: int, shape: Shape, value: tuple[int, ...]) -> FloatArray:
    """The cells from ``start`` to before ``stop`` in C order."""
    inner = dataset.shape[len(shape.outer) :]
    zero = (0,) * len(inner)
    pieces = [
        block_of(dataset, corner + zero, count + inner).reshape(-1, *value)
        for corner, count in shape.pieces(start, stop)
    ]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _replace_repeated(repeats: h5py.Group, known: slice, first: int, columns: dict[str, FloatArray]) -> None:
    """What the table says of readings from number ``first`` on, in place of what stands in their cells."""
    if known.stop <= known.start:
        return
    visit = repeats["visit"][known] - first
    read = (visit >= 0) & (visit < len(columns[ELAPSED]))
    if not read.any():
        return
    for name, column in columns.items():
        column[visit[read]] = repeats[name][known][read].reshape(-1, *column.shape[1:])
