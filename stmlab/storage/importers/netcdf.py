"""netCDF 3, as ``stmlab export`` and many others write it: a variable over one dimension is a column, over more a grid.

The longest chain of dimensions that a variable has is that of the data; variables over its last dimension alone are
what was swept, those over the others are known of each place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.importers.text import interval_of, unique
from stmlab.storage.recorded import Column, Grid, Recording

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS: tuple[str, ...] = (".nc", ".cdf")
NAME = "column_name"
"""Attribute of a variable that we export: the column's name, where netCDF does not allow it."""
SWEPT = "swept"
"""Attribute of a variable that we export: what was swept, where the places differ in it."""
_ERRORS = (OSError, ValueError, KeyError, IndexError, TypeError, OverflowError, AssertionError, MemoryError)


def recognises(head: bytes) -> bool:
    """Whether the file's beginning is one of this format."""
    return head[:4] in (b"CDF\x01", b"CDF\x02")


def read(path: Path) -> Recording | Grid:
    """Read a file.

    Raises:
        FileError: no such file, damaged, of netCDF 4 without a default plot, or without variables of numbers.
    """
    from scipy.io import netcdf_file

    try:
        with netcdf_file(path, "r", mmap=False) as file:
            header = {key: _text(value) for key, value in file._attributes.items()}  # noqa: SLF001 - it has no other door
            variables = {name: _variable(name, found) for name, found in file.variables.items()}
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except _ERRORS as error:
        raise FileError(f"{path}: not a netCDF 3 file that can be read, or damaged ({error})") from error
    notes = [f"{name} holds no numbers: left out" for name, found in variables.items() if found is None]
    known = {name: found for name, found in variables.items() if found is not None}
    if not any(variable.dims for variable in known.values()):
        raise FileError(f"{path}: holds no variables of numbers along a dimension")
    return _arranged(path, header, known, notes)


@dataclass(frozen=True, eq=False)
class _Variable:
    dims: tuple[str, ...]
    column: Column
    swept: bool


def _variable(name: str, found: Any) -> _Variable | None:
    values = np.asarray(found.data)
    if values.dtype.kind not in "fiu" or values.ndim != len(found.dimensions):
        return None
    attributes = found._attributes  # noqa: SLF001 - as above
    title = _text(attributes.get(NAME, name))
    lengths = {dim: n for dim, n in zip(found.dimensions, values.shape, strict=True) if n > 1}
    dims = tuple(lengths) or tuple(found.dimensions[-1:])  # an axis of one value is none
    values = values.reshape([lengths.get(dim, 1) for dim in dims]).astype(float)
    return _Variable(dims, Column(title, _text(attributes.get("units", b"")), values), SWEPT in attributes)


def _arranged(path: Path, header: dict[str, str], known: dict[str, _Variable], notes: list[str]) -> Recording | Grid:
    dims = max((variable.dims for variable in known.values()), key=len)
    inner = known.get(dims[-1])
    fitting = {name: v for name, v in known.items() if v.dims == dims}
    if len(dims) == 1:
        notes += [f"{v.column.name} has other dimensions: left out" for v in known.values() if v.dims != dims]
        first = sorted(fitting.values(), key=lambda variable: variable is not inner)
        columns = [variable.column for variable in first]
        return Recording(path, "netcdf", header, _renamed(columns), interval_of(header), tuple(notes))
    sweep = next((v for v in fitting.values() if v.swept), inner if inner and inner.dims == dims[-1:] else None)
    channels = [variable.column for variable in fitting.values() if variable is not sweep]
    shape = (channels or [fitting[next(iter(fitting))].column])[0].values.shape
    parameters = []
    for variable in known.values():
        if variable.dims == dims or variable is sweep:
            continue
        if not _runs_along(variable.dims, dims[:-1]):
            notes.append(f"{variable.column.name} has the dimensions {', '.join(variable.dims)}: left out")
            continue
        along = [n if dim in variable.dims else 1 for dim, n in zip(dims[:-1], shape, strict=False)]
        column = variable.column
        parameters.append(Column(column.name, column.unit, np.broadcast_to(column.values.reshape(along), shape[:-1])))
    swept = sweep.column if sweep else Column(dims[-1], "", np.arange(shape[-1], dtype=float))
    first_named, *named = _renamed([swept, *channels, *parameters])
    count = len(channels)
    return Grid(
        path, "netcdf", header, dims[:-1], first_named, tuple(named[:count]), tuple(named[count:]), tuple(notes)
    )


def _runs_along(dims: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    """Whether ``dims`` are some of the outer ones, in their order."""
    return bool(dims) and dims == tuple(dim for dim in outer if dim in dims)


def _renamed(columns: list[Column]) -> tuple[Column, ...]:
    names = unique(column.name for column in columns)
    return tuple(Column(name, column.unit, column.values) for name, column in zip(names, columns, strict=True))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value.item() if isinstance(value, np.ndarray) and value.size == 1 else value)
