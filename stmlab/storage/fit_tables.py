"""The fits of a run as an NXprocess: plain columns that other programs read, one row each, told apart by ``fit``.

    results      one row for each fitted quantity: model, parameter, at, value, error, unit
    inputs       one row for each fit: what it was made of (readings of this run, points used) and how good it is
    covariance   one row for each pair of free parameters: in the product of their units
    curves       one row for each curve, and the curves themselves end to end: to draw a fit without fitting again
    json         every fit whole, one a line: what stmlab itself reads

SWMR allows no new group once a run is being written: so the fits of a run share these columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.columns import write_rows
from stmlab.storage.hdf5 import NAME, TEXT, UNIT, add_dataset, add_group, add_note, add_table
from stmlab.storage.objects import describe
from stmlab.storage.values import dataset_at, value_of

if TYPE_CHECKING:
    import h5py
    from h5py import h5g

    from stmlab.events import RunStarted
    from stmlab.results import FitResult

    Rows = dict[str, np.ndarray[Any, Any]]

_NOT_A_FIT = -1  # rows of a fit that was never finished

_TABLES: dict[str, dict[str, Any]] = {
    "results": {"model": NAME, "parameter": NAME, "at": TEXT, "value": "<f8", "error": "<f8", "unit": UNIT},
    "inputs": {
        "model": NAME,
        "data": NAME,
        "readings": "<i8",
        "points": "<i8",
        "residual": "<f8",
        "reduced_chi_square": "<f8",
    },
    "covariance": {"row": NAME, "column": NAME, "value": "<f8"},
    "curves": {"name": NAME, "start": "<i8", "length": "<i8"},
}


def add_fits(entry: h5g.GroupID, started: RunStarted) -> None:
    """Make the group ``fit`` with no fit in it."""
    process = add_group(entry, "fit", "NXprocess")
    program = add_dataset(process, "program", data="stmlab")
    describe(program, version=started.versions.get("stmlab", "not given"), program_url="not given")
    tables = {}
    for name, columns in _TABLES.items():
        table = tables[name] = add_group(process, name, "NXcollection")
        add_table(table, "fit", "<i8", "", fill=_NOT_A_FIT)
        for column, dtype in columns.items():
            add_table(table, column, dtype, "" if isinstance(dtype, str) else None)
    values = add_table(tables["curves"], "values", "<f8", "", rows=1024)
    describe(values, description="all curves end to end; start and length say where each one lies")
    add_note(process, "json", "application/jsonl")


def check_names(fit: FitResult) -> None:
    """Refuse a fit whose names are too long.

    Raises:
        FileError: which one.
    """
    names = [("model", fit.model, NAME), *(("curve", name, NAME) for name in fit.curves)]
    for p in fit.parameters:
        names += [("parameter", p.name, NAME), ("unit", p.unit, UNIT), ("place", p.at, TEXT)]
    for what, name, kind in names:
        if len(name.encode()) > (allowed := kind.itemsize):
            raise FileError(f"fit {fit.model}: {what} {name!r} is too long for the file: {allowed} bytes are allowed")


def write_tables(process: h5py.Group, number: int, fit: FitResult, readings: int) -> dict[str, dict[str, Any]]:
    """Write the rows of fit ``number``.

    Args:
        process: the group ``fit``.
        number: of the fit.
        fit: the result.
        readings: number of readings in the file when it was made.

    Returns:
        where each curve lies: start and shape.
    """
    values, where = dataset_at(process, "curves/values"), {}
    for name, curve in fit.curves.items():
        numbers = np.asarray(curve, dtype=float)
        where[name] = {"start": values.shape[0], "shape": numbers.shape}
        write_rows(values, values.shape[0], numbers.ravel())
    for name, rows in _rows(fit, readings, where).items():
        _replace(process[name], number, rows)
    return where


def _rows(fit: FitResult, readings: int, where: dict[str, dict[str, Any]]) -> dict[str, Rows]:
    parameters = fit.parameters
    chi = np.nan if fit.reduced_chi_square is None else fit.reduced_chi_square
    pairs = [(row, column) for row in fit.free for column in fit.free]
    return {
        "results": {
            "model": _texts([fit.model] * len(parameters), NAME),
            "parameter": _texts([p.name for p in parameters], NAME),
            "at": _texts([p.at for p in parameters], TEXT),
            "value": np.array([p.value for p in parameters], dtype=float),
            "error": np.array([p.error for p in parameters], dtype=float),
            "unit": _texts([p.unit for p in parameters], UNIT),
        },
        "inputs": {
            "model": _texts([fit.model], NAME),
            "data": _texts(["/entry/data"], NAME),
            "readings": np.array([readings]),
            "points": np.array([fit.points]),
            "residual": np.array([fit.residual], dtype=float),
            "reduced_chi_square": np.array([chi], dtype=float),
        },
        "covariance": {
            "row": _texts([row for row, _ in pairs], NAME),
            "column": _texts([column for _, column in pairs], NAME),
            "value": np.asarray(fit.covariance, dtype=float).ravel(),
        },
        "curves": {
            "name": _texts(list(where), NAME),
            "start": np.array([place["start"] for place in where.values()], dtype=int),
            "length": np.array([int(np.prod(place["shape"])) for place in where.values()], dtype=int),
        },
    }


def _texts(texts: list[str], kind: Any) -> np.ndarray[Any, Any]:
    return np.array([text.encode() for text in texts], dtype=kind)


def _replace(table: h5py.Group, number: int, rows: Rows) -> None:
    """Write ``rows`` behind those of earlier fits, and disown what an unfinished attempt left behind them."""
    owner = dataset_at(table, "fit")
    fits = value_of(owner)
    start = int(np.count_nonzero((fits >= 0) & (fits < number)))
    length = len(next(iter(rows.values())))
    for name, column in rows.items():
        write_rows(dataset_at(table, name), start, column)
    left = max(0, len(fits) - start - length)
    write_rows(owner, start, np.array([number] * length + [_NOT_A_FIT] * left, dtype=int))
