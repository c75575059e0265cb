"""Reads runs: finished ones, killed ones, and those that are still being written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.axes import Axis, Channel
from stmlab.errors import FileError
from stmlab.events import ParameterValue, RunFinished, RunStarted, RunState
from stmlab.storage.fits import read_fits
from stmlab.storage.format_2 import read_format_2
from stmlab.storage.hdf5 import read_text
from stmlab.storage.history import read_history
from stmlab.storage.layout import FORMAT_VERSION, NOT_GIVEN, fixed_checksum
from stmlab.storage.objects import members
from stmlab.storage.opening import opened
from stmlab.storage.read_visits import read_committed, read_visits
from stmlab.storage.run import Run

if TYPE_CHECKING:
    import h5py


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
    if int(entry["plan/checksum"][()]) != fixed_checksum(entry):
        raise FileError(f"{path}: damaged: its axes, parameters or configuration are not what was written")
    instrument, provenance, plan = entry["instrument"], entry["provenance"], entry["plan"]
    return RunStarted(
        run_id=read_text(entry["entry_identifier"]),
        sequence=read_text(entry["experiment_description"]),
        date=read_text(entry["start_time"]),
        parameters=_read_quantities(entry["parameters"]),
        axes=_read_axes(plan, entry["data"]),
        channels=_read_channels(plan, entry["data"]),
        point_seconds=float(plan["point_seconds"][()]),
        station=read_text(instrument["name"]),
        configuration=read_text(instrument["configuration/data"]),
        factors=_read_quantities(entry["factors"]),
        sample=_read_name(entry["sample/name"]),
        snapshot=json.loads(read_text(instrument["snapshot_before/data"])),
        versions={name: read_text(version) for name, version in members(provenance["versions"])},
        git=read_text(provenance["git"]),
        seed=int(provenance["seed"][()]) if "seed" in provenance else None,
        user=_read_name(entry["user/name"]),
    )


def _read_name(dataset: h5py.Dataset) -> str:
    name = read_text(dataset)
    return "" if name == NOT_GIVEN else name


def _read_quantities(group: h5py.Group) -> dict[str, ParameterValue]:
    return {name: _read_quantity(dataset) for name, dataset in members(group)}


def _read_quantity(dataset: h5py.Dataset) -> ParameterValue:
    """A parameter with its value in its own type: float, int, bool or str."""
    value, said = dataset[()], dataset.attrs
    plain = value.decode() if isinstance(value, bytes) else value.item()
    return ParameterValue(plain, said.get("units", ""), said["description"])


def _read_axes(plan: h5py.Group, data: h5py.Group) -> tuple[Axis, ...]:
    if "axis_name" not in plan:
        return ()
    columns = zip(
        plan["axis_name"].asstr()[:],
        plan["axis_label"].asstr()[:],
        plan["axis_hardware"][:].tolist(),
        plan["axis_logarithmic"][:].tolist(),
        strict=True,
    )
    return tuple(
        Axis(name, data[name].attrs["units"], data[name][()], label, hardware=bool(hardware), logarithmic=bool(log))
        for name, label, hardware, log in columns
    )


def _read_channels(plan: h5py.Group, data: h5py.Group) -> tuple[Channel, ...]:
    if "channel_name" not in plan:
        return ()
    columns = (plan[f"channel_{what}"].asstr()[:] for what in ("name", "field", "meaning"))
    return tuple(
        Channel(name, data[field].attrs["units"], meaning) for name, field, meaning in zip(*columns, strict=True)
    )


def read_end(entry: h5py.Group) -> RunFinished:
    """How the run ended; to be asked once that is acknowledged."""
    status = entry["status"]
    return RunFinished(
        state=RunState(read_text(status["state"])),
        reason=read_text(status["reason"]),
        message=read_text(status["message"]),
        points=int(status["points"][()]),
        time=float(status["time"][()]),
        snapshot=json.loads(read_text(entry["instrument/snapshot_after/data"])),
    )
