"""Where everything stands in a file of a run. One tree, made whole before the first point; nothing is added later.

    /                       format, format_version, run_id, sequence, date, station, sample, git, seed, point_seconds,
                            checksum (of axes, parameters, factors, configuration and snapshot_before)
    /committed              how many points, states and fits may be trusted, and whether the run has finished
    /parameters/<name>      value; units and meaning beside it          /factors/<name>   likewise
    /axes/<name>            values in the order of their visit          /versions         package = version
    /points/index, time     the log of readings, one row each, in their order; rows beyond ``committed`` are fill.
    /points/attempt, session, checksum      A point that was read again has a row more; no row is ever written over
    /coordinates/<axis>     where the point really was: one column for each axis that software moves
    /channels/<name>        one column a channel; with hardware-swept axes one array a row
    /station/configuration, snapshot_before, snapshot_after
    /status/state, reason, message, end, history
    /fits/parameters        one row for each fitted quantity
    /fits/json, curves      every fit whole, one a line; its curves end to end, to redraw it without refitting

SWMR forbids new objects and variable-length data once it is on. So everything that comes later (history, the end, fits)
has its place from the start: tables, and text cut into pieces of fixed length. The low format bound is that of
HDF5 1.10, the first with SWMR, so that older readers open the file too. Nothing in a file depends on when or where
it was written except what the run says of itself: the same events give the same bytes.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from stmlab.errors import FileError
from stmlab.storage.checksum import fixed_checksum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.events import ParameterValue, RunStarted

FORMAT = "stmlab run"
FORMAT_VERSION = 2
LIBVER = ("v110", "latest")

PIECE = 120  # bytes of text in one element
ROWS = 4096  # largest number of rows in one chunk
CHUNK_BYTES = 1 << 20  # a chunk of arrays is no larger than this, or one row

COMMITTED = np.dtype([("points", "<i8"), ("states", "<i8"), ("fits", "<i8"), ("finished", "<i8")])
END = np.dtype([("points", "<i8"), ("time", "<f8")])
TEXT = h5py.string_dtype("utf-8", PIECE)
NAME = h5py.string_dtype("utf-8", 64)
UNIT = h5py.string_dtype("utf-8", 32)
FIT_PARAMETER = np.dtype(
    [("fit", "<i4"), ("model", NAME), ("parameter", NAME), ("value", "<f8"), ("error", "<f8"), ("unit", UNIT)]
)

_NUMBERS = {
    "index": ("", "<i8", -1.0),
    "time": ("s", "<f8", np.nan),
    "attempt": ("", "<i8", 0.0),
    "session": ("", "<i8", 0.0),
    "checksum": ("", "<u8", 0.0),
}
"""Columns of /points: unit, type, fill."""


def create(file: h5py.File, started: RunStarted) -> None:
    """Make the whole tree of a run in an empty file.

    Raises:
        FileError: a name cannot stand in a file.
    """
    _describe(file, started)
    _quantities(file, "parameters", started.parameters)
    _quantities(file, "factors", started.factors)
    axes = file.create_group("axes", track_order=True)
    for axis in started.axes:
        dataset = _dataset(axes, axis.name, axis.unit, data=axis.values)
        dataset.attrs.update(label=axis.label, hardware=axis.hardware, logarithmic=axis.logarithmic)
    _columns(file, started)
    _dataset(file, "committed", "", data=np.zeros(1, COMMITTED))
    station = file.create_group("station")
    _dataset(station, "configuration", "", data=started.configuration)
    _dataset(station, "snapshot_before", "", data=to_json(started.snapshot))
    _table(station, "snapshot_after", TEXT)
    status = file.create_group("status", track_order=True)
    _dataset(status, "state", "", shape=(), dtype=h5py.string_dtype("utf-8", 16))
    for name in ("reason", "message", "history"):
        _table(status, name, TEXT)
    _dataset(status, "end", "points: 1, time: s", shape=(), dtype=END)
    fits = file.create_group("fits", track_order=True)
    _table(fits, "parameters", FIT_PARAMETER)
    _table(fits, "curves", "<f8", unit="as the labels in fits/json say", rows=1024)
    _table(fits, "json", TEXT)
    file.attrs["checksum"] = fixed_checksum(file)


def expected_rows(started: RunStarted) -> int:
    """Number of points of a run that goes through all its axes."""
    return int(np.prod([len(axis) for axis in started.axes if not axis.hardware], dtype=np.int64))


def hardware_shape(started: RunStarted) -> tuple[int, ...]:
    """Shape of one value of a channel: the lengths of the hardware-swept axes."""
    return tuple(len(axis) for axis in started.axes if axis.hardware)


def least_bytes(started: RunStarted) -> int:
    """Bytes of the readings of a run that goes once through all its axes."""
    numbers = len(_NUMBERS) + sum(not axis.hardware for axis in started.axes)
    cells = len(started.channels) * int(np.prod(hardware_shape(started), dtype=np.int64))
    return 8 * expected_rows(started) * (numbers + cells)


def to_json(value: Any) -> str:
    """JSON of a snapshot or a fit: numpy's numbers and arrays as plain ones, what JSON does not know as its text."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def to_pieces(text: str) -> np.ndarray[Any, Any]:
    """Text as elements of fixed length; shape (n,)."""
    data = text.replace("\0", "\\0").encode("utf-8", errors="backslashreplace")
    return np.array([data[k : k + PIECE] for k in range(0, len(data), PIECE)], dtype=TEXT)


def from_pieces(pieces: np.ndarray[Any, Any]) -> str:
    """The text that ``to_pieces`` cut up."""
    return b"".join(pieces.tolist()).decode("utf-8", errors="replace")


def _describe(file: h5py.File, started: RunStarted) -> None:
    file.attrs.update(format=FORMAT, format_version=FORMAT_VERSION)
    for name in ("run_id", "sequence", "date", "station", "sample", "git", "point_seconds"):
        file.attrs[name] = getattr(started, name)
    if started.seed is not None:
        file.attrs["seed"] = started.seed
    file.create_group("versions", track_order=True).attrs.update(started.versions)


def _quantities(file: h5py.File, group: str, quantities: Mapping[str, ParameterValue]) -> None:
    target = file.create_group(group, track_order=True)
    for name, quantity in quantities.items():
        _dataset(target, name, quantity.unit, data=quantity.value).attrs["meaning"] = quantity.meaning


def _columns(file: h5py.File, started: RunStarted) -> None:
    rows, inner = expected_rows(started), hardware_shape(started)
    points = file.create_group("points", track_order=True)
    for name, (unit, dtype, fill) in _NUMBERS.items():
        _column(points, name, unit, dtype, rows, fill=fill)
    coordinates = file.create_group("coordinates", track_order=True)
    for axis in started.axes:
        if not axis.hardware:
            _column(coordinates, axis.name, axis.unit, "<f8", rows)
    channels = file.create_group("channels", track_order=True)
    for channel in started.channels:
        column = _column(channels, channel.name, channel.unit, "<f8", rows, inner)
        column.attrs["meaning"] = channel.meaning


def _column(
    group: h5py.Group,
    name: str,
    unit: str,
    dtype: str,
    rows: int,
    inner: tuple[int, ...] = (),
    fill: float = np.nan,
) -> h5py.Dataset:
    """A column that grows by whole chunks; their place in the file is taken at once, so that writing only fills it."""
    row_bytes = 8 * int(np.prod(inner, dtype=np.int64))
    chunk = max(1, min(rows, ROWS, CHUNK_BYTES // row_bytes))
    return _dataset(
        group,
        name,
        unit,
        shape=(chunk, *inner),
        maxshape=(None, *inner),
        chunks=(chunk, *inner),
        dtype=dtype,
        fillvalue=fill,
        dcpl=_allocated_early(),
    )


def _table(group: h5py.Group, name: str, dtype: Any, *, unit: str = "", rows: int = 32) -> h5py.Dataset:
    growing = {"shape": (0,), "maxshape": (None,), "chunks": (rows,), "dcpl": _allocated_early()}
    return _dataset(group, name, unit, dtype=dtype, **growing)


def _allocated_early() -> h5py.h5p.PropDCID:
    """Space for a chunk is taken when the dataset grows, not when a flush happens to fall: same events, same bytes."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    return properties


def _dataset(group: h5py.Group, name: str, unit: str, **description: Any) -> h5py.Dataset:
    if not name or "/" in name or name == "." or name in group:
        raise FileError(f"{group.name}: {name!r} cannot name a dataset: it is empty, holds a '/' or is there twice")
    dataset = group.create_dataset(name, **description)
    dataset.attrs["units"] = unit
    return dataset


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
