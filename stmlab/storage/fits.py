"""Fits in the file of a run: written at its end or later, and read back without refitting.

A fit is trusted once ``committed`` counts it. What a killed process left behind that count is written over.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import FileError
from stmlab.results import FitParameter, FitResult
from stmlab.storage.columns import write_line
from stmlab.storage.fit_drawing import draw_fit
from stmlab.storage.fit_tables import check_names, write_tables
from stmlab.storage.hdf5 import from_pieces, to_json
from stmlab.storage.layout import FORMAT_VERSION, Committed
from stmlab.storage.making import open_for_writing
from stmlab.storage.opening import opened
from stmlab.storage.refusals import HDF5_ERRORS, why_not_opened
from stmlab.storage.values import dataset_at

if TYPE_CHECKING:
    import h5py

    from stmlab.arrays import FloatArray


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
        FileError: no such file, not a run, of an older format, still being written, or never closed because its writer
            was killed.
    """
    path = Path(path)
    with opened(path) as (file, live):
        if live:
            raise FileError(f"{path}: {_WRITTEN}")
        if (version := int(file.attrs["format_version"])) < FORMAT_VERSION:
            raise FileError(f"{path}: format {version} of an older stmlab: {_OLDER}")
    with _open_for_appending(path) as file:
        entry = file["entry"]
        committed = entry["visits/committed"]
        count = Committed(*committed[:].tolist())
        write_fit(entry, count.fits, fit, None, count.readings)
        file.flush()
        committed[:] = count._replace(fits=count.fits + 1)
        file.flush()


def write_fit(entry: h5py.Group, number: int, fit: FitResult, place: tuple[int, int] | None, readings: int) -> None:
    """Write ``fit`` as the one with this ``number``; the caller flushes and commits.

    Raises:
        FileError: a name is too long for the file.
    """
    check_names(fit)
    process = entry["fit"]
    curves = write_tables(process, number, fit, readings)
    record = fit.as_dict() | {"labels": dict(fit.labels), "curves": curves, "place": place}
    write_line(dataset_at(process, "json/data"), number, to_json(record))
    draw_fit(entry["data"], fit)


def read_fits(lines: h5py.Dataset, curves: h5py.Dataset, count: int) -> tuple[StoredFit, ...]:
    """The first ``count`` fits of a file: JSON, one a line, and the curves that they point to."""
    if not count:
        return ()
    found = from_pieces(lines[:]).split("\n")[:count]
    return tuple(_read(json.loads(line), curves) for line in found)


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


def _open_for_appending(path: Path) -> h5py.File:
    try:
        return open_for_writing(path)
    except BlockingIOError:
        raise FileError(f"{path}: {_WRITTEN}") from None
    except HDF5_ERRORS as error:
        unclosed = any(words in str(error) for words in ("already open for write", "truncated file"))
        raise FileError(f"{path}: {_UNCLOSED if unclosed else why_not_opened(path, error)}") from None


_WRITTEN = "still being written; the fit can be added when the run is over"
_UNCLOSED = "its writer was killed or its disk was full; make a copy of it with `stmlab recover` first"
_OLDER = "`stmlab recover FILE COPY` makes a copy in today's format, which takes fits"
