"""Fits in the file of a run: a table for people, and all that is needed to show a fit again without refitting.

A fit is trusted once ``committed`` counts it. What a killed process left behind that count is written over.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from stmlab.errors import FileError
from stmlab.results import FitParameter, FitResult
from stmlab.storage.columns import write_line, write_rows
from stmlab.storage.layout import FIT_PARAMETER, LIBVER, NAME, UNIT, from_pieces, to_json
from stmlab.storage.opening import opened
from stmlab.storage.refusals import HDF5_ERRORS, why_not_opened

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_NOT_A_FIT = -1  # rows of a fit that was never finished


@dataclass(frozen=True, eq=False)
class StoredFit:
    """A fit as the file holds it.

    Attributes:
        place: (points, states) that had been written before it; None for a fit added after the run.
    """

    fit: FitResult
    place: tuple[int, int] | None


def append_fit(path: str | Path, fit: FitResult) -> None:
    """Add a fit to the file of a run that is over; its data are never touched.

    Raises:
        FileError: no such file, not a run, still being written, or never closed because its writer was killed.
    """
    path = Path(path)
    with opened(path) as (_, live):
        if live:
            raise FileError(f"{path}: {_WRITTEN}")
    with _open_for_appending(path) as file:
        committed = file["committed"][:]
        _check_names(fit)
        write_fit(file, int(committed["fits"][0]), fit, None)
        file.flush()
        committed["fits"] += 1
        file["committed"][:] = committed
        file.flush()


def write_fit(file: h5py.File, number: int, fit: FitResult, place: tuple[int, int] | None) -> None:
    """Write ``fit`` as the one with this ``number``; the caller flushes and commits.

    Raises:
        FileError: a name is too long for the file.
    """
    _check_names(fit)
    _replace(file["fits/parameters"], number, _parameter_rows(number, fit))
    curves: dict[str, dict[str, Any]] = {}
    for name, curve in fit.curves.items():
        values = np.asarray(curve, dtype=float)
        curves[name] = {"start": len(file["fits/curves"]), "shape": values.shape}
        write_rows(file["fits/curves"], len(file["fits/curves"]), values.ravel())
    record = fit.as_dict() | {"labels": dict(fit.labels), "curves": curves, "place": place}
    write_line(file["fits/json"], number, to_json(record))


def read_fits(file: h5py.File, count: int) -> tuple[StoredFit, ...]:
    """The first ``count`` fits of a file."""
    if not count:
        return ()
    lines = from_pieces(file["fits/json"][:]).split("\n")[:count]
    return tuple(_read(json.loads(line), file["fits/curves"]) for line in lines)


def _read(record: dict[str, Any], curves: h5py.Dataset) -> StoredFit:
    fit = FitResult(
        model=record["model"],
        parameters=tuple(FitParameter(**parameter) for parameter in record["parameters"]),
        free=tuple(record["free"]),
        covariance=np.array(record["covariance"], dtype=float),
        points=record["points"],
        residual=record["residual"],
        reduced_chi_square=record["reduced_chi_square"],
        warnings=tuple(record["warnings"]),
        curves={name: _read_curve(curves, **where) for name, where in record["curves"].items()},
        labels=record["labels"],
        choices=record.get("choices", {}),
    )
    place = record["place"]
    return StoredFit(fit, None if place is None else (place[0], place[1]))


def _read_curve(curves: h5py.Dataset, start: int, shape: list[int]) -> FloatArray:
    values: FloatArray = curves[start : start + math.prod(shape)].reshape(shape)
    return values


def _replace(table: h5py.Dataset, number: int, rows: np.ndarray[Any, Any]) -> None:
    """Write ``rows`` behind those of earlier fits, and blank what an unfinished attempt left behind them."""
    fits = table["fit"]
    start = int(np.count_nonzero((fits >= 0) & (fits < number)))
    write_rows(table, start, rows)
    left = np.zeros(max(0, len(fits) - start - len(rows)), table.dtype)
    left["fit"] = _NOT_A_FIT
    write_rows(table, start + len(rows), left)


def _parameter_rows(number: int, fit: FitResult) -> np.ndarray[Any, Any]:
    return np.array(
        [(number, fit.model.encode(), p.name.encode(), p.value, p.error, p.unit.encode()) for p in fit.parameters],
        dtype=FIT_PARAMETER,
    )


def _check_names(fit: FitResult) -> None:
    longest = {"model": NAME, "parameter": NAME, "unit": UNIT}
    names = [("model", fit.model)]
    names += [pair for p in fit.parameters for pair in (("parameter", p.name), ("unit", p.unit))]
    for what, name in names:
        if len(name.encode()) > (allowed := longest[what].itemsize):
            raise FileError(f"fit {fit.model}: {what} {name!r} is too long for the file: {allowed} bytes are allowed")


def _open_for_appending(path: Path) -> h5py.File:
    """Open in SWMR mode from the first moment: a process killed while it adds a fit leaves a file that opens."""
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(*(_BOUNDS[name] for name in LIBVER))
    try:
        identifier = h5py.h5f.open(str(path).encode(), h5py.h5f.ACC_RDWR | h5py.h5f.ACC_SWMR_WRITE, access)
    except BlockingIOError:
        raise FileError(f"{path}: {_WRITTEN}") from None
    except HDF5_ERRORS as error:
        unclosed = any(words in str(error) for words in ("already open for write", "truncated file"))
        raise FileError(f"{path}: {_UNCLOSED if unclosed else why_not_opened(path, error)}") from None
    return h5py.File(identifier)


_BOUNDS = {"v110": h5py.h5f.LIBVER_V110, "latest": h5py.h5f.LIBVER_LATEST}
_WRITTEN = "still being written; the fit can be added when the run is over"
_UNCLOSED = "its writer was killed or its disk was full; make a copy of it with `stmlab recover` first"
