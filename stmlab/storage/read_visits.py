"""The readings of a run, put together again from their log, their cells and the table of repeats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.layout import Committed
from stmlab.storage.plot import ELAPSED, channel_fields
from stmlab.storage.shape import Shape
from stmlab.storage.visits import Visits

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.events import RunStarted


def read_committed(entry: h5py.Group) -> Committed:
    """What may be trusted now, also in a file that is being written."""
    dataset = entry["visits/committed"]
    dataset.refresh()
    return Committed(*dataset[:].tolist())


def read_visits(path: Path, entry: h5py.Group, started: RunStarted, rows: int) -> Visits:
    """The first ``rows`` readings.

    A cell may be written over while it is read; its earlier readings stand in the table of repeats before that
    happens. So the table is read last, as far as it goes by then.

    Raises:
        FileError: a reading is not what its checksum was made of.
    """
    log, data, shape = entry["visits"], entry["data"], Shape.of(started)
    index, attempt, session, checksum = (log[name][:rows] for name in ("index", "attempt", "session", "checksum"))
    cell = np.where((index >= 0) & (index < shape.places), index, 0)
    moved = {axis.name: f"{axis.name}_measured" for axis in started.axes if not axis.hardware}
    fields = channel_fields(started.channels)
    columns = {name: _read_cells(data[name], cell, shape, ()) for name in (ELAPSED, *moved.values())}
    columns |= {name: _read_cells(data[name], cell, shape, shape.hardware) for name in fields.values()}
    _replace_repeated(log["repeats"], read_committed(entry).repeats, columns)
    visits = Visits(
        index,
        columns[ELAPSED],
        attempt,
        session,
        {name: columns[field] for name, field in moved.items()},
        {channel.name: columns[fields[channel.name]] for channel in started.channels},
    )
    if (changed := visits.first_changed(checksum)) is not None:
        raise FileError(f"{path}: damaged: reading number {changed} is not what was written; there may be more")
    return visits


def _read_cells(dataset: h5py.Dataset, cell: IntArray, shape: Shape, value: tuple[int, ...]) -> FloatArray:
    """What stands in some cells; shape (cells, value)."""
    if not len(cell):
        return np.empty((0, *value))
    if shape.outer:
        whole = dataset[: int(cell.max()) // math.prod(shape.outer[1:]) + 1]
    else:
        whole = dataset[()]
    flat: FloatArray = np.asarray(whole).reshape(-1, *value)
    return flat[: len(cell)] if np.array_equal(cell, np.arange(len(cell))) else flat[cell]


def _replace_repeated(repeats: h5py.Group, count: int, columns: dict[str, FloatArray]) -> None:
    if not count:
        return
    visit = repeats["visit"][:count]
    read = visit < len(columns[ELAPSED])
    for name, column in columns.items():
        column[visit[read]] = repeats[name][:count][read].reshape(-1, *column.shape[1:])
