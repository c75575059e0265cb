"""Files of models: the parameters of a case, read; what was computed, written as CSV, JSON or netCDF.

A case has the form of a sample's file:

    kind = "srs"                  # a model, see stmlab.models.MODELS
    title = "Fe atom on Cu2N"
    source = "Betz et al., table S1"

    [srs]
    states = "spin"
    axial_anisotropy_meV = -1.557
    dc_bias = "4 mV"              # a number in the parameter's unit, or text with a unit
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stmlab import config_files
from stmlab.errors import FileError, PhysicsError, StationError
from stmlab.models import MODELS, known
from stmlab.models.computed import parts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import xarray

    from stmlab.models.model import Model, Value, Values
    from stmlab.storage.recorded import Column

_ABOUT = ("name", "title", "source", "kind")
FORMATS = {".csv": "csv", ".json": "json", ".nc": "netcdf"}
"""Ending -> name of a format."""


def case(name: str, model: str = "") -> tuple[str, dict[str, Value]]:
    """The model and the parameters of a case, by its name in ``config/models`` or by its file.

    Raises:
        PhysicsError: the file is not of that form, is of another model than ``model``, or a value is not allowed.
        StationError: there is no such file, or it cannot be read.
    """
    path = config_files.find(name, "models")
    told = config_files.tables(path)
    kind = told.get("kind")
    if kind not in MODELS:
        raise PhysicsError(f"{path}: kind = {kind}: one of {', '.join(MODELS)} is needed")
    if model and kind != model:
        raise PhysicsError(f"{path}: kind = {kind}: parameters of {model} are needed")
    if unknown := sorted(told.keys() - {*_ABOUT, kind}):
        raise PhysicsError(f"{path}: {unknown[0]}: this key is not known; parameters stand in the table [{kind}]")
    table = told.get(kind, {})
    if not isinstance(table, dict) or any(isinstance(value, bool | dict | list) for value in table.values()):
        raise PhysicsError(f"{path}: [{kind}]: a number or a text is needed for each parameter")
    try:
        table = known(kind).named(table)
        known(kind).values(table)
    except PhysicsError as error:
        raise PhysicsError(f"{path}: {error}") from error
    return kind, table


def changed(model: Model, case: Values, settings: Values, swept: Iterable[str] = ()) -> dict[str, Value]:
    """Parameters of a case with some set anew; without those that are swept, or have no effect any more.

    Raises:
        PhysicsError: one is unknown, given twice, out of bounds or no such value.
    """
    told, along = model.named(settings), set(swept)
    values = model.values({**case, **told})
    kept = {
        name: value
        for name, value in case.items()
        if not along & {name, model[name].symbol} and model.applies(model[name], values)
    }
    return kept | told


def cases() -> dict[str, tuple[str, str]]:
    """Model and title of each case in ``config/models``, by name."""
    found = {}
    for name, path in config_files.known("models").items():
        try:
            told = config_files.tables(path)
            found[name] = str(told.get("kind", "")), str(told.get("title", ""))
        except StationError as error:
            found[name] = "", f"cannot be read: {error}"
    return found


def check_output(path: Path, wanted: str | None = None) -> None:
    """Refuse the name of a file that `write` would refuse, before anything is computed.

    Raises:
        FileError: as `write`.
    """
    from stmlab.storage.refusals import check_new

    format_of(path, wanted)
    check_new(path)


def format_of(path: Path, wanted: str | None = None) -> str:
    """The format that a file is written in: the one wanted, else by its ending.

    Raises:
        FileError: neither says one.
    """
    found = FORMATS.get(path.suffix.lower(), "") if wanted is None else wanted
    if found not in FORMATS.values():
        names = ", ".join(f"{name} ({ending})" for ending, name in FORMATS.items())
        raise FileError(f"{path}: written is {names}: give another name, or --format")
    return found


def write(dataset: xarray.Dataset, path: Path, wanted: str | None = None) -> None:
    """Write what `stmlab.model` computed into a new file, with units and all parameters.

    CSV: a row for each point, titles with units, parameters as comment lines; `stmlab fit` reads it. JSON:
    ``xarray.Dataset.from_dict`` reads it. netCDF (version 3): ``xarray.open_dataset`` reads it.

    Raises:
        FileError: the format is not known, the file exists already, or cannot hold what was computed.
    """
    check_output(path, wanted)
    to = format_of(path, wanted)
    try:
        if to == "csv":
            _write_csv(dataset, path)
        elif to == "json":
            path.write_text(json.dumps(dataset.to_dict(), allow_nan=True, indent=1) + "\n", encoding="utf-8")
        else:
            dataset.to_netcdf(path, engine="scipy")
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from error


def _write_csv(dataset: xarray.Dataset, path: Path) -> None:
    from stmlab.storage.exporters import EXPORTERS
    from stmlab.storage.recorded import Recording
    from stmlab.units import exact_quantity

    found = parts(dataset)
    axes = [*found.swept, *([dataset.attrs["axis"]] if found.curves else [])]
    words = [name for name in axes if dataset[name].dtype.kind not in "fiu"]
    if words:
        raise FileError(
            f"{path}: {words[0]} is no number: a CSV file holds numbers only, JSON and netCDF words as well"
        )
    header = {str(key): str(text) for key, text in dataset.attrs.items()}
    for name, coordinate in dataset.coords.items():
        if not coordinate.dims:
            value = coordinate.item()
            unit = coordinate.attrs["units"]
            header[str(name)] = value if isinstance(value, str) else exact_quantity(value, unit)
    columns = tuple(_column(dataset, name, axes) for name in (*axes, *found.curves, *found.derived))
    EXPORTERS["csv"].write(Recording(path, "csv", header, columns), path)


def _column(dataset: xarray.Dataset, name: str, axes: list[str]) -> Column:
    """Values of every point, the last axis fastest."""
    from stmlab.storage.recorded import Column

    sizes = {axis: dataset.sizes[axis] for axis in axes}
    everywhere = dataset[name].expand_dims({axis: n for axis, n in sizes.items() if axis not in dataset[name].dims})
    return Column(name, dataset[name].attrs["units"], everywhere.transpose(*axes).to_numpy().astype(float).ravel())
