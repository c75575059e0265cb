"""netCDF 3, as ``stmlab export`` and many others write it: a variable over one dimension is a column, over more a grid.

The longest chain of dimensions that a variable has is that of the data; variables over its last dimension alone are
what was swept, those over the others are known of each place.
"""

from __future__ import annotations

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
    if not any(dims for dims, _ in known.values()):
        raise FileError(f"{path}: holds no variables of numbers along a dimension")
    return _arranged(path, header, known, notes)


def _variable(name: str, found: Any) -> tuple[tuple[str, ...], Column] | None:
    values = np.asarray(found.data)
    if values.dtype.kind not in "fiu" or values.ndim != len(found.dimensions):
        return None
    attributes = found._attributes  # noqa: SLF001 - as above
    title = _text(attributes.get(NAME, name))
    return tuple(found.dimensions), Column(title, _text(attributes.get("units", b"")), values.astype(float))


def _arranged(
    path: Path, header: dict[str, str], known: dict[str, tuple[tuple[str, ...], Column]], notes: list[str]
) -> Recording | Grid:
    dims = max((dims for dims, _ in known.values()), key=len)
    of_dim = {dim: known[dim][1] for dim in dims if dim in known and known[dim][0] == (dim,)}
    fitting = {name: column for name, (own, column) in known.items() if own == dims and name not in of_dim}
    if len(dims) == 1:
        columns = [*of_dim.values(), *fitting.values()]
        notes += [f"{c.name} has other dimensions: left out" for own, c in known.values() if own != dims]
        return Recording(path, "netcdf", header, _renamed(columns), interval_of(header), tuple(notes))
    shape = next(iter(fitting.values())).values.shape
    parameters = []
    for name, (own, column) in known.items():
        if own == dims or own == dims[-1:] or not own:
            continue
        if not set(own) < set(dims[:-1]) | {""} and own != dims[:-1]:
            notes.append(f"{name} has the dimensions {', '.join(own)}: left out")
            continue
        along = [n if dim in own else 1 for dim, n in zip(dims[:-1], shape, strict=False)]
        parameters.append(Column(column.name, column.unit, np.broadcast_to(column.values.reshape(along), shape[:-1])))
    sweep = of_dim.get(dims[-1]) or Column(dims[-1], "", np.arange(shape[-1], dtype=float))
    first, *named = _renamed([sweep, *fitting.values(), *parameters])
    count = len(fitting)
    return Grid(path, "netcdf", header, dims[:-1], first, tuple(named[:count]), tuple(named[count:]), tuple(notes))


def _renamed(columns: list[Column]) -> tuple[Column, ...]:
    names = unique(column.name for column in columns)
    return tuple(Column(name, column.unit, column.values) for name, column in zip(names, columns, strict=True))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value.item() if isinstance(value, np.ndarray) and value.size == 1 else value)
