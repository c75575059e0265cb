"""A run as an xarray Dataset and as a pandas DataFrame, under the names that its file uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.storage.plot import ELAPSED, channel_fields

if TYPE_CHECKING:
    import pandas as pd
    import xarray

    from stmlab.arrays import IntArray
    from stmlab.axes import Axis
    from stmlab.storage.run import Run
    from stmlab.storage.visits import Visits

_SAID = ("run_id", "sequence", "date", "station", "sample", "user", "git", "reason", "message", "seed")


def dataset_of(run: Run) -> xarray.Dataset:
    """What ``Run.to_xarray`` returns."""
    import xarray

    outer = [axis.name for axis in run.axes if not axis.hardware]
    dims = [axis.name for axis in run.axes]
    coords: dict[str, Any] = {a.name: (a.name, a.values, _attributes(a.unit, a.label or a.name)) for a in run.axes}
    for axis in run.axes:
        if not axis.hardware:
            said = _attributes(axis.unit, f"{axis.label or axis.name}, as it really was")
            coords[f"{axis.name}_measured"] = (outer, run.grid(axis.name), said)
    coords[ELAPSED] = (outer, run.grid("time"), _attributes("s", "time since the start of the run"))
    fields = channel_fields(run.channels)
    data = {fields[c.name]: (dims, run.grid(c.name), _attributes(c.unit, c.meaning or c.name)) for c in run.channels}
    for name in data:
        if (error := f"{name}_errors") in data:
            data[name][2]["ancillary_variables"] = error  # the word of the CF conventions
    return xarray.Dataset(data, coords, _said(run))


def frame_of(run: Run, *, visits: bool = False) -> pd.DataFrame:
    """What ``Run.to_dataframe`` returns."""
    import pandas as pd

    readings = run.visits if visits else run.visits.last()
    hardware = [axis for axis in run.axes if axis.hardware]
    inner = int(np.prod([len(axis) for axis in hardware], dtype=np.int64))
    columns: dict[str, Any] = {}
    units: dict[str, str] = {}
    for axis, values in zip(run.axes, _planned(run.axes, readings.index, inner), strict=True):
        columns[axis.name], units[axis.name] = values, axis.unit
    for axis in run.axes:
        if not axis.hardware:
            columns[f"{axis.name}_measured"] = np.repeat(readings.coordinates[axis.name], inner)
            units[f"{axis.name}_measured"] = axis.unit
    columns[ELAPSED], units[ELAPSED] = np.repeat(readings.time, inner), "s"
    fields = channel_fields(run.channels)
    for channel in run.channels:
        columns[fields[channel.name]] = readings.data[channel.name].ravel()
        units[fields[channel.name]] = channel.unit
    if visits:
        columns |= _log(readings, inner)
    frame = pd.DataFrame(columns)
    frame.attrs["units"] = units
    return frame


def _planned(axes: tuple[Axis, ...], index: IntArray, inner: int) -> list[Any]:
    """Value of each axis, row by row; nan where a point lies outside the plan."""
    outer = [len(axis) for axis in axes if not axis.hardware]
    swept = [len(axis) for axis in axes if axis.hardware]
    places = int(np.prod(outer, dtype=np.int64))
    planned = (index >= 0) & (index < places)
    where = np.unravel_index(np.where(planned, index, 0), outer) if outer else ()
    along = np.unravel_index(np.arange(inner), swept) if swept else ()
    found: list[Any] = []
    moved, driven = iter(where), iter(along)
    for axis in axes:
        if axis.hardware:
            found.append(np.tile(axis.values[next(driven)], len(index)))
        else:
            found.append(np.repeat(np.where(planned, axis.values[next(moved)], np.nan), inner))
    return found


def _log(readings: Visits, inner: int) -> dict[str, Any]:
    columns = {"visit": np.arange(len(readings)), "attempt": readings.attempt, "session": readings.session}
    return {name: np.repeat(column, inner) for name, column in columns.items()}


def _attributes(unit: str, name: str) -> dict[str, str]:
    return {"units": unit, "long_name": name}


def _said(run: Run) -> dict[str, Any]:
    """Parameters and factors by name, and what was said of the run as ``run_<name>``, as netCDF can hold it."""
    attributes: dict[str, Any] = {}
    for name, quantity in (*run.parameters.items(), *run.factors.items()):
        attributes[name] = quantity.value
        if quantity.unit:
            attributes[f"{name}_units"] = quantity.unit
    for name in _SAID:
        attributes[f"run_{name.removeprefix('run_')}"] = getattr(run, name)
    attributes["run_state"] = str(run.state)
    return {name: _for_netcdf(value) for name, value in attributes.items() if value is not None}


def _for_netcdf(value: Any) -> Any:
    if isinstance(value, int):
        return int(value) if -(1 << 31) <= value < 1 << 31 else str(value)
    return value
