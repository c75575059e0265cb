"""Reads runs: finished ones, killed ones, and those that are still being written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.axes import Axis, Channel
from stmlab.errors import FileError
from stmlab.events import ParameterValue, PointsDisturbed, RunFinished, RunStarted, RunState, StateChanged
from stmlab.storage.checksum import fixed_checksum
from stmlab.storage.fits import read_fits
from stmlab.storage.layout import from_pieces
from stmlab.storage.opening import opened
from stmlab.storage.run import Run
from stmlab.storage.visits import Visits, attempts

if TYPE_CHECKING:
    import h5py

    from stmlab.arrays import FloatArray


def open_run(path: str | Path) -> Run:
    """Read a run into memory; the file is closed again on return.

    Reads a killed run, and one that is being written (in this process or another), up to the last acknowledged point.

    Raises:
        FileError: no such file, not HDF5, not a run of stmlab, written by a newer stmlab, or damaged.
    """
    path = Path(path)
    with opened(path) as (file, live):
        run = _read(path, file)
    return run if run.complete else replace(run, live=live)


def _read(path: Path, file: h5py.File) -> Run:
    if "checksum" in file.attrs and file.attrs["checksum"] != fixed_checksum(file):  # not in format 1
        raise FileError(f"{path}: damaged: its axes, parameters or configuration are not what was written")
    committed = file["committed"][0]  # before the columns are opened: they are never shorter than this says
    rows = int(committed["points"])
    finished = _read_end(file) if committed["finished"] else None
    return Run(
        path=path,
        started=_read_start(file),
        history=_read_history(file, int(committed["states"])),
        finished=finished,
        live=False if finished is not None else None,
        visits=_read_visits(path, file, rows),
        stored_fits=read_fits(file, int(committed["fits"])),
    )


def _read_start(file: h5py.File) -> RunStarted:
    said = file.attrs
    return RunStarted(
        run_id=said["run_id"],
        sequence=said["sequence"],
        date=said["date"],
        parameters=_read_quantities(file["parameters"]),
        axes=tuple(_read_axis(dataset) for _, dataset in _members(file["axes"])),
        channels=tuple(_read_channel(dataset) for _, dataset in _members(file["channels"])),
        point_seconds=float(said["point_seconds"]),
        station=said["station"],
        configuration=file["station/configuration"].asstr()[()],
        factors=_read_quantities(file["factors"]),
        sample=said["sample"],
        snapshot=json.loads(file["station/snapshot_before"].asstr()[()]),
        versions=dict(file["versions"].attrs),
        git=said["git"],
        seed=int(said["seed"]) if "seed" in said else None,
    )


def _read_quantities(group: h5py.Group) -> dict[str, ParameterValue]:
    return {name: ParameterValue(_scalar(d), d.attrs["units"], d.attrs["meaning"]) for name, d in _members(group)}


def _scalar(dataset: h5py.Dataset) -> Any:
    """A parameter's value in its own type: float, int, bool or str."""
    value = dataset[()]
    return value.decode() if isinstance(value, bytes) else value.item()


def _read_axis(dataset: h5py.Dataset) -> Axis:
    said = dataset.attrs
    return Axis(
        name=_name(dataset),
        unit=said["units"],
        values=dataset[:],
        label=said["label"],
        hardware=bool(said["hardware"]),
        logarithmic=bool(said["logarithmic"]),
    )


def _read_channel(dataset: h5py.Dataset) -> Channel:
    return Channel(_name(dataset), dataset.attrs["units"], dataset.attrs["meaning"])


def _read_visits(path: Path, file: h5py.File, rows: int) -> Visits:
    points = file["points"]
    index = points["index"][:rows]
    logged = "attempt" in points  # not in format 1
    visits = Visits(
        index,
        points["time"][:rows],
        points["attempt"][:rows] if logged else attempts(index),
        points["session"][:rows] if logged else np.zeros_like(index),
        _read_columns(file["coordinates"], rows),
        _read_columns(file["channels"], rows),
    )
    if logged:
        changed = visits.first_changed(points["checksum"][:rows])
        if changed is not None:
            raise FileError(f"{path}: damaged: reading number {changed} is not what was written; there may be more")
    return visits


def _read_columns(group: h5py.Group, rows: int) -> dict[str, FloatArray]:
    return {name: dataset[:rows] for name, dataset in _members(group)}


def _read_history(file: h5py.File, count: int) -> tuple[tuple[int, StateChanged | PointsDisturbed], ...]:
    lines = from_pieces(file["status/history"][:]).split("\n")[:count]
    return tuple((said["points"], _read_line(said)) for said in map(json.loads, lines))


def _read_line(said: dict[str, Any]) -> StateChanged | PointsDisturbed:
    if "disturbed" in said:
        return PointsDisturbed(tuple(said["disturbed"]), said["time"], said["reason"])
    return StateChanged(RunState(said["state"]), said["time"], said["reason"])


def _read_end(file: h5py.File) -> RunFinished:
    status, end = file["status"], file["status/end"][()]
    return RunFinished(
        state=RunState(status["state"].asstr()[()]),
        reason=from_pieces(status["reason"][:]),
        message=from_pieces(status["message"][:]),
        points=int(end["points"]),
        time=float(end["time"]),
        snapshot=json.loads(from_pieces(file["station/snapshot_after"][:])),
    )


def _members(group: h5py.Group) -> list[tuple[str, h5py.Dataset]]:
    """Every dataset with its name; h5py's own ``items`` gives None for a damaged one."""
    return [(name, group[name]) for name in group]


def _name(dataset: h5py.Dataset) -> str:
    return str(dataset.name).rpartition("/")[2]
