"""Reads runs: finished ones, killed ones, and those that are still being written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from stmlab.axes import Axis, Channel
from stmlab.errors import FileError
from stmlab.events import ParameterValue, RunFinished, RunStarted, RunState, StateChanged
from stmlab.storage.fits import read_fits
from stmlab.storage.layout import FORMAT, FORMAT_VERSION, from_pieces
from stmlab.storage.liveness import has_writer
from stmlab.storage.refusals import reason
from stmlab.storage.run import Run

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray


def open_run(path: str | Path) -> Run:
    """Read a run into memory; the file is closed again on return.

    Reads a killed run, and one that is being written (in this process or another), up to the last acknowledged point.

    Raises:
        FileError: no such file, not HDF5, not a run of stmlab, or written by a newer stmlab.
    """
    path = Path(path)
    run = _read_file(path)
    if run.complete:
        return run
    live = has_writer(path)
    if live is False:
        run = _read_file(path)  # the run may have ended between the reading and the asking
    return run if run.complete else replace(run, live=live)


def _read_file(path: Path) -> Run:
    try:
        file = h5py.File(path, "r", swmr=True)
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except OSError as error:
        raise FileError(f"{path}: {_why_unreadable(path, error)}") from None
    with file:
        _check_format(path, file)
        try:
            return _read(path, file)
        except (KeyError, ValueError, TypeError, OSError, RuntimeError) as error:
            raise FileError(f"{path}: damaged, or not written by stmlab ({reason(error)})") from error


def _check_format(path: Path, file: h5py.File) -> None:
    if file.attrs.get("format") != FORMAT:
        raise FileError(f"{path}: an HDF5 file, but not a run of stmlab")
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise FileError(f"{path}: format {version} of a newer stmlab; this one reads up to {FORMAT_VERSION}: update it")


def _read(path: Path, file: h5py.File) -> Run:
    committed = file["committed"][0]  # before the columns are opened: they are never shorter than this says
    rows = int(committed["points"])
    finished = _read_end(file) if committed["finished"] else None
    return Run(
        path=path,
        started=_read_start(file),
        history=_read_history(file, int(committed["states"])),
        finished=finished,
        live=False if finished is not None else None,
        index=file["points/index"][:rows],
        time=file["points/time"][:rows],
        coordinates=_read_columns(file["coordinates"], rows),
        data=_read_columns(file["channels"], rows),
        stored_fits=read_fits(file, int(committed["fits"])),
    )


def _read_start(file: h5py.File) -> RunStarted:
    said = file.attrs
    return RunStarted(
        run_id=said["run_id"],
        sequence=said["sequence"],
        date=said["date"],
        parameters=_read_quantities(file["parameters"]),
        axes=tuple(_read_axis(dataset) for dataset in file["axes"].values()),
        channels=tuple(_read_channel(dataset) for dataset in file["channels"].values()),
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
    return {name: ParameterValue(_scalar(d), d.attrs["units"], d.attrs["meaning"]) for name, d in group.items()}


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


def _read_columns(group: h5py.Group, rows: int) -> dict[str, FloatArray]:
    return {name: dataset[:rows] for name, dataset in group.items()}


def _read_history(file: h5py.File, count: int) -> tuple[tuple[int, StateChanged], ...]:
    lines = from_pieces(file["status/history"][:]).split("\n")[:count]
    records = (json.loads(line) for line in lines)
    return tuple((r["points"], StateChanged(RunState(r["state"]), r["time"], r["reason"])) for r in records)


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


def _name(dataset: h5py.Dataset) -> str:
    return str(dataset.name).rpartition("/")[2]


def _why_unreadable(path: Path, error: OSError) -> str:
    if path.is_dir():
        return "a folder, not a run"
    if path.is_file() and path.stat().st_size and not h5py.is_hdf5(path):
        return "not an HDF5 file"
    return f"cannot be read ({reason(error)})"
