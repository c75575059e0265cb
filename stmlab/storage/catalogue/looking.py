"""A quick look at one file: what a catalogue says of it, without loading its data."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.catalogue.summary import RECORDED, UNREADABLE, FittedValue, Summary
from stmlab.storage.hdf5 import from_pieces, read_text
from stmlab.storage.layout import FORMAT_VERSION, NOT_GIVEN
from stmlab.storage.opening import opened
from stmlab.storage.read_visits import read_committed
from stmlab.storage.recorded import Grid, open_recording

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

    from stmlab.storage.recorded import Recording

_DAMAGED = (FileError, OSError, AttributeError, LookupError, MemoryError)
"""What comes of a file in which a group stands for a dataset, or a size is nonsense."""
_DATES = ("date", "saved date", "start time", "start_time", "datetime")  # keys of headers, in lower case
_WRITTEN = ("%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%y %H:%M:%S", "%d.%m.%Y")


def look_at_run(path: Path) -> Summary:
    """What a run's file says of itself; why, where it does not. Neither readings nor axes are loaded or checked."""
    try:
        with opened(path) as (file, _):
            if int(file.attrs["format_version"]) == FORMAT_VERSION:
                return _run(file["entry"])
            return _older_run(file)
    except _DAMAGED as error:
        return unreadable(path, error)


def look_at_recording(path: Path) -> Summary:
    """What a file of another program says of itself; it has to be read for that."""
    try:
        recording = open_recording(path)
    except (FileError, OSError) as error:
        return unreadable(path, error)
    points = recording.measured.sum() if isinstance(recording, Grid) else len(recording.columns[0].values)
    planned = int(np.prod(recording.shape)) if isinstance(recording, Grid) else 0
    return Summary(RECORDED, date=_date(recording), sequence=recording.format, points=int(points), planned=planned)


def unreadable(path: Path, error: Exception) -> Summary:
    """A file that cannot be read, with the reason; without its path, for it may move."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Summary(UNREADABLE, message=words.removeprefix(f"{path}: "))


def _run(entry: h5py.Group) -> Summary:
    committed, status, sample = read_committed(entry), entry["status"], read_text(entry, "sample/name")
    return Summary(
        state=read_text(status, "state") or "preparing",
        ended=bool(committed.finished),
        date=read_text(entry, "start_time"),
        sequence=read_text(entry, "experiment_description"),
        sample="" if sample == NOT_GIVEN else sample,
        station=read_text(entry, "instrument/name"),
        run_id=read_text(entry, "entry_identifier"),
        points=_points(entry["visits/index"], committed.readings) if committed.repeats else committed.readings,
        planned=_planned(entry),
        message=read_text(status, "message") if committed.finished else "",
        fitted=_fitted(entry["fit/json/data"], committed.fits),
    )


def _points(index: h5py.Dataset, readings: int) -> int:
    """Points that have a reading: one that was read again is one point."""
    return len(np.unique(index[:readings]))


def _planned(entry: h5py.Group) -> int:
    """Points of the whole plan."""
    plan, data = entry["plan"], entry["data"]
    if "axis_name" not in plan:
        return 1
    axes = zip(plan["axis_name"].asstr()[:], plan["axis_hardware"][:].tolist(), strict=True)
    return int(np.prod([data[name].size for name, hardware in axes if not hardware], dtype=np.int64))


def _older_run(file: h5py.File) -> Summary:
    """A file of format 1 or 2."""
    said, committed = file.attrs, file["committed"][0]
    ended, axes = bool(committed["finished"]), [file["axes"][name] for name in file["axes"]]
    return Summary(
        state=file["status/state"].asstr()[()] or "preparing",
        ended=ended,
        date=said["date"],
        sequence=said["sequence"],
        sample=said["sample"],
        station=said["station"],
        run_id=said["run_id"],
        points=_points(file["points/index"], int(committed["points"])),
        planned=int(np.prod([axis.size for axis in axes if not axis.attrs["hardware"]], dtype=np.int64)),
        message=from_pieces(file["status/message"][:]) if ended else "",
        fitted=_fitted(file["fits/json"], int(committed["fits"])),
    )


def _fitted(lines: h5py.Dataset, count: int) -> tuple[FittedValue, ...]:
    """Of the first ``count`` fits, one a line; the last one first."""
    found = map(json.loads, from_pieces(lines[:]).split("\n")[:count] if count else [])
    fits = [[FittedValue(model=fit["model"], **parameter) for parameter in fit["parameters"]] for fit in found]
    return tuple(value for values in reversed(fits) for value in values)


def _date(recording: Recording | Grid) -> str:
    """When it was recorded, if its header says so in a way that is read in one way only."""
    header = {key.rpartition(">")[2].strip().lower(): text.strip().strip('"') for key, text in recording.header.items()}
    for key in _DATES:
        for form in _WRITTEN if key in header else ():
            try:
                return datetime.strptime(header[key], form).isoformat()
            except ValueError:
                continue
        if key in header:
            try:
                return datetime.fromisoformat(header[key]).isoformat()
            except ValueError:
                continue
    return ""
