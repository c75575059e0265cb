"""netCDF 3, which every netCDF library reads: axes as dimensions, a variable for each quantity with its unit.

Names that netCDF does not allow stand as the variable's attribute ``column_name``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from stmlab.storage.exporters.tables import header_of
from stmlab.storage.importers.netcdf import NAME, SWEPT
from stmlab.storage.importers.text import unique
from stmlab.storage.recorded import Column, Grid, Recording

if TYPE_CHECKING:
    from pathlib import Path

ENDING = ".nc"
_ROW, _POINT = "row", "point"
_Placed = tuple[str, tuple[str, ...], Column]
"""Name of a variable, its dimensions, and the column."""


def write(source: Recording | Grid, path: Path) -> list[str]:
    """Write a new file; returns what could not be kept as it was."""
    from scipy.io import netcdf_file

    notes: list[str] = []
    flat = source if isinstance(source, Recording) else Recording(source.path, source.format, source.header, ())
    header = header_of(flat, notes)
    dims, placed = _of_grid(source) if isinstance(source, Grid) else _of_table(source)
    names = unique(_allowed(name) for name, _, _ in placed)
    with path.open("xb") as stream, netcdf_file(stream, "w", version=2) as file:
        for key, text in header.items():
            setattr(file, f"{key}_" if hasattr(file, key) else key, text.encode())
        for dim, size in dims.items():
            file.createDimension(dim, size)
        for name, (_, own, column) in zip(names, placed, strict=True):
            variable = file.createVariable(name, "d", own)
            variable[:] = column.values
            variable.units = column.unit.encode()
            if name != column.name:
                setattr(variable, NAME, column.name.encode())
            if isinstance(source, Grid) and column is source.sweep:
                setattr(variable, SWEPT, np.int32(1))
    return notes


def _of_table(table: Recording) -> tuple[dict[str, int], list[_Placed]]:
    return {_ROW: len(table.columns[0].values)}, [(column.name, (_ROW,), column) for column in table.columns]


def _of_grid(grid: Grid) -> tuple[dict[str, int], list[_Placed]]:
    shape = (*grid.shape, grid.sweep.values.shape[-1])
    common = grid.sweep.values.ndim == 1
    inner = _allowed(grid.sweep.name) if common else _POINT
    dims = tuple(unique([*map(_allowed, grid.axes), inner]))
    outer = dims[:-1]
    placed: list[_Placed] = [(dims[-1] if common else grid.sweep.name, dims[-1:] if common else dims, grid.sweep)]
    for parameter in grid.parameters:
        own, values = outer, parameter.values
        if parameter.name in grid.axes:
            k = grid.axes.index(parameter.name)
            along = np.moveaxis(values, k, 0).reshape(values.shape[k], -1)
            if np.array_equal(along, np.broadcast_to(along[:, :1], along.shape)):
                own, values = (outer[k],), along[:, 0]
        placed.append((parameter.name, own, Column(parameter.name, parameter.unit, values)))
    placed += [(channel.name, dims, channel) for channel in grid.channels]
    return dict(zip(dims, shape, strict=True)), placed


def _allowed(name: str) -> str:
    """A name as every netCDF library takes it."""
    return re.sub(r"[^A-Za-z0-9_+.@ -]", "_", name).strip() or "_"
