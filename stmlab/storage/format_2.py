"""Files of formats 1 and 2, as earlier versions wrote them: flat columns, one row a reading."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.axes import Axis, Channel
from stmlab.errors import FileError
from stmlab.events import ParameterValue, RunFinished, RunStarted, RunState
from stmlab.storage.checksum import checksum_of
from stmlab.storage.fits import read_fits
from stmlab.storage.hdf5 import from_pieces
from stmlab.storage.history import read_history
from stmlab.storage.run import Run
from stmlab.storage.visits import Visits, attempts

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

    from stmlab.arrays import FloatArray


def read_format_2(path: Path, file: h5py.File) -> Run:
    """The run in a file of format 1 or 2.

    Raises:
        FileError: damaged.
    """
    if "checksum" in file.attrs and file.attrs["checksum"] != _fixed_checksum(file):  # not in format 1
        raise FileError(f"{path}: damaged: its axes, parameters or configuration are not what was written")
    committed = file["committed"][0]  # before the columns are opened: they are never shorter than this says
    rows = int(committed["points"])
    finished = _read_end(file) if committed["finished"] else None
    return Run(
        path=path,
        started=_read_start(file),
        history=read_history(file["status/history"], int(committed["states"])),
        finished=finished,
        live=False if finished is not None else None,
        visits=_read_visits(path, file, rows),
        stored_fits=read_fits(file["fits/json"], file["fits/curves"], int(committed["fits"])),
    )


def _fixed_checksum(file: h5py.File) -> int:
    datasets = [file[group][name] for group in ("axes", "parameters", "factors") for name in file[group]]
    notes = [file["station/configuration"], file["station/snapshot_before"]]
    return checksum_of(dataset[()] for dataset in (*datasets, *notes))


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
