"""Reads runs: finished ones, killed ones, and those that are still being written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmlab.axes import Axis, Channel
from stmlab.errors import FileError
from stmlab.events import ParameterValue, RunFinished, RunStarted, RunState
from stmlab.storage.fits import read_fits
from stmlab.storage.fixed import read_fixed
from stmlab.storage.format_2 import read_format_2
from stmlab.storage.hdf5 import read_text, to_text
from stmlab.storage.history import read_history
from stmlab.storage.layout import FORMAT_VERSION, NOT_GIVEN
from stmlab.storage.opening import opened
from stmlab.storage.read_visits import read_committed, read_visits
from stmlab.storage.run import Run
from stmlab.storage.values import attribute, dataset_at, holds, members, value_at, value_of

if TYPE_CHECKING:
    import h5py
    from h5py import h5d

    from stmlab.storage.fixed import Said


def open_run(path: str | Path) -> Run:
    """Read a run into memory; the file is closed again on return.

    Reads a killed run, and one that is being written (in this process or another), up to the last acknowledged point.

    Raises:
        FileError: no such file, not HDF5, not a run of stmlab, written by a newer stmlab, or damaged.
    """
    path = Path(path)
    with opened(path) as (file, live):
        current = int(file.attrs["format_version"]) == FORMAT_VERSION
        run = _read(path, file["entry"]) if current else read_format_2(path, file)
    return run if run.complete else replace(run, live=live)


def _read(path: Path, entry: h5py.Group) -> Run:
    started = read_plan(path, entry)
    committed = read_committed(entry)  # before the columns are opened: they are never shorter than this says
    finished = read_end(entry) if committed.finished else None
    return Run(
        path=path,
        started=started,
        history=read_history(entry["events/log/data"], committed.events),
        finished=finished,
        live=False if finished is not None else None,
        visits=read_visits(path, entry, started, committed.readings),
        stored_fits=read_fits(entry["fit/json/data"], entry["fit/curves/values"], committed.fits),
    )


def read_plan(path: Path, entry: h5py.Group) -> RunStarted:
    """What was known of the run before the first output moved.

    Raises:
        FileError: it is not what was written.
    """
    fixed = read_fixed(entry)
    if int(value_at(entry, "plan/checksum")) != fixed.checksum():
        raise FileError(f"{path}: damaged: its axes, parameters or configuration are not what was written")
    instrument, provenance = entry["instrument"], entry["provenance"]
    return RunStarted(
        run_id=read_text(entry, "entry_identifier"),
        sequence=read_text(entry, "experiment_description"),
        date=read_text(entry, "start_time"),
        parameters=_quantities(fixed.parameters),
        axes=_read_axes(entry["plan"], fixed.axes),
        channels=_read_channels(entry["plan"], entry["data"]),
        point_seconds=float(value_at(entry, "plan/point_seconds")),
        station=read_text(instrument, "name"),
        configuration=to_text(fixed.notes["configuration"].value),
        factors=_quantities(fixed.factors),
        sample=_read_name(entry, "sample/name"),
        snapshot=json.loads(to_text(fixed.notes["snapshot_before"].value)),
        versions={name: to_text(value_of(version)) for name, version in members(provenance["versions"])},
        git=read_text(provenance, "git"),
        seed=int(value_at(provenance, "seed")) if holds(provenance, "seed") else None,
        user=_read_name(entry, "user/name"),
    )


def _read_name(entry: h5py.Group, path: str) -> str:
    name = read_text(entry, path)
    return "" if name == NOT_GIVEN else name


def _quantities(said: dict[str, Said]) -> dict[str, ParameterValue]:
    return {name: _quantity(*one) for name, one in said.items()}


def _quantity(dataset: h5d.DatasetID, value: Any) -> ParameterValue:
    """A parameter with its value in its own type: float, int, bool or str."""
    plain = value.decode() if isinstance(value, bytes) else value.item()
    return ParameterValue(plain, attribute(dataset, "units", ""), attribute(dataset, "description"))


def _read_axes(plan: h5py.Group, said: dict[str, Said]) -> tuple[Axis, ...]:
    if not said:
        return ()
    columns = zip(
        said.items(),
        _read_texts(plan, "axis_label"),
        value_at(plan, "axis_hardware").tolist(),
        value_at(plan, "axis_logarithmic").tolist(),
        strict=True,
    )
    return tuple(
        Axis(name, attribute(dataset, "units"), values, label, hardware=bool(hardware), logarithmic=bool(log))
        for (name, (dataset, values)), label, hardware, log in columns
    )


def _read_channels(plan: h5py.Group, data: h5py.Group) -> tuple[Channel, ...]:
    if not holds(plan, "channel_name"):
        return ()
    columns = (_read_texts(plan, f"channel_{what}") for what in ("name", "field", "meaning"))
    return tuple(
        Channel(name, attribute(dataset_at(data, field), "units"), meaning)
        for name, field, meaning in zip(*columns, strict=True)
    )


def _read_texts(group: h5py.Group, path: str) -> list[str]:
    return [text.decode() for text in value_at(group, path).tolist()]


def read_end(entry: h5py.Group) -> RunFinished:
    """How the run ended; to be asked once that is acknowledged."""
    status = entry["status"]
    return RunFinished(
        state=RunState(read_text(status, "state")),
        reason=read_text(status, "reason"),
        message=read_text(status, "message"),
        points=int(value_at(status, "points")),
        time=float(value_at(status, "time")),
        snapshot=json.loads(read_text(entry, "instrument/snapshot_after/data")),
    )
