"""What is exported is read back bit for bit, with its names and units; nothing is overwritten."""

from pathlib import Path

import numpy as np
import pytest
import xarray

from stmlab.errors import FileError
from stmlab.storage import Writer, open_run
from stmlab.storage.exporters import EXPORTERS, export, recording_of
from stmlab.storage.recorded import Column, Grid, Recording, open_recording
from tests.storage.importers.samples import curves, grid_bytes, grid_header

VALUES = np.array([0.1, -1 / 3, 5e-324, 1.7976931348623157e308, np.nan, -0.0, 1e-12, np.inf])
COLUMNS = (
    ("Bias calc", "V"),
    ("Current [AVG] [bwd]", "A"),
    ("LI (first)", ""),
    ("dI/dV, raw", "A/V"),
    ("Noise", "V/sqrt(Hz)"),
    ("Höhe µ", "Å"),
    ("LockIn [V]", ""),
)
HEADER = {"Bias Spectroscopy>Sweep Start (V)": "-15E-3", "Comment": "a: b = c # d", "User": ""}


def recording(**more):
    columns = tuple(Column(name, unit, np.roll(VALUES, k)) for k, (name, unit) in enumerate(COLUMNS))
    return Recording(Path("a.dat"), "nanonis", HEADER, columns, **more)


def bits(values):
    return np.ascontiguousarray(values, dtype=float).tobytes()


def assert_the_same(found, given):
    assert [(c.name, c.unit) for c in found.columns] == [(c.name, c.unit) for c in given.columns]
    for column, other in zip(found.columns, given.columns, strict=True):
        assert bits(column.values) == bits(other.values), column.name


def assert_the_same_grid(found, given):
    assert (found.axes, found.shape, found.sweep.name) == (given.axes, given.shape, given.sweep.name)
    pairs = [(found.sweep, given.sweep)]
    pairs += [(found[column.name], column) for column in (*given.channels, *given.parameters)]
    assert len(found.channels) == len(given.channels)
    for column, other in pairs:
        assert column.unit == other.unit
        assert bits(column.values) == bits(other.values), column.name


@pytest.mark.parametrize("to", EXPORTERS)
def test_a_table_is_read_back_bit_for_bit(tmp_path, to):
    given = recording(sample_interval=1e-3)
    path, notes = export(given, to, tmp_path / f"a{EXPORTERS[to].ENDING}")
    found = open_recording(path)
    assert_the_same(found, given)
    assert found.sample_interval == 1e-3
    assert {key: text for key, text in found.header.items() if key in HEADER} == HEADER
    assert not notes


@pytest.mark.parametrize("to", EXPORTERS)
def test_one_column_is_read_back(tmp_path, to):
    given = Recording(Path("a.npy"), "numpy", {}, (Column("I", "A", np.array([1.5, 2.5])),))
    assert_the_same(open_recording(export(given, to, tmp_path / f"a{EXPORTERS[to].ENDING}")[0]), given)


def grid(tmp_path, columns=3, rows=2):
    path = tmp_path / "grid.3ds"
    path.write_bytes(grid_bytes(curves(rows, columns) / 3, grid_header(columns, rows, 17))[:-400])
    return open_recording(path)


@pytest.mark.parametrize("to", ["csv", "dat", "numpy"])
def test_a_grid_becomes_a_table_with_every_point(tmp_path, to):
    given = grid(tmp_path)
    assert_the_same(open_recording(export(given, to)[0]), given.table())


def test_netcdf_keeps_the_axes_of_a_grid(tmp_path):
    given = grid(tmp_path)
    path, _ = export(given, "netcdf")
    assert_the_same_grid(open_recording(path), given)
    with xarray.open_dataset(path, engine="scipy") as seen:
        assert seen["LI Demod 1 X"].dims == ("y", "x", "Bias")
        assert seen["Bias"].attrs["units"] == "V"


def test_netcdf_keeps_a_sweep_for_each_place(tmp_path):
    given = grid(tmp_path)
    own = np.arange(given.channels[0].values.size, dtype=float).reshape(given.channels[0].values.shape)
    given = Grid(given.path, "x", {}, given.axes, Column("Bias", "V", own), given.channels, given.parameters)
    assert_the_same_grid(open_recording(export(given, "netcdf")[0]), given)


def run_of(tmp_path, whole_run, **shape):
    writer = Writer(tmp_path / "run.h5")
    for event in whole_run(**shape):
        writer(event)
    return open_run(tmp_path / "run.h5")


@pytest.mark.parametrize("shape", [{}, {"sweep": 5}, {"rows": 1, "columns": 6}, {"rows": 1, "columns": 1, "sweep": 4}])
@pytest.mark.parametrize("to", EXPORTERS)
def test_a_run_is_exported_point_by_point(tmp_path, whole_run, to, shape):
    run = run_of(tmp_path, whole_run, **shape)
    path, _ = export(run, to, tmp_path / f"a{EXPORTERS[to].ENDING}")
    given, found = recording_of(run), open_recording(path)
    if isinstance(given, Grid) and to == "netcdf":
        assert_the_same_grid(found, given)
    else:
        assert_the_same(found, given.table() if isinstance(given, Grid) else given)
    assert found.header["run_id"] == run.run_id
    assert found.header["dc_bias"] == "0.004 V"
    table = given.table() if isinstance(given, Grid) else given
    assert bits(table["current"].values) == bits(run.grid("current").ravel())


def test_nothing_is_overwritten_and_no_name_is_bent(tmp_path):
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        export(recording(), "csv", tmp_path / "a.csv")
    with pytest.raises(FileError, match="--to xlsx: csv, dat, netcdf, numpy are known"):
        export(recording(), "xlsx", tmp_path / "a.xlsx")
    odd = Recording(Path("a"), "x", {}, (Column("two\nlines", "V", VALUES), Column("b", "V", VALUES)))
    with pytest.raises(FileError, match=r"'two\\nlines' in 'V' cannot be a title"):
        export(odd, "csv", tmp_path / "b.csv")
    assert not (tmp_path / "b.csv").exists()


def test_line_breaks_of_the_header_are_named(tmp_path):
    given = Recording(Path("a"), "x", {"Comment": "two\nlines"}, recording().columns)
    path, notes = export(given, "dat", tmp_path / "a.dat")
    assert notes == ["Comment: line breaks are written as blanks"]
    assert open_recording(path).header["Comment"] == "two lines"
