"""Other people's programs and judges of NeXus, on a run of every sequence: finished, stopped, and killed and recovered.

`pynx validate` and `nxvalidate` end with status 0 for files that are not valid: what they print is what counts.
"""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

from stmlab.storage import open_run
from tests.clients.environment import client_environment
from tests.clients.run_files import of_every_sequence
from tests.clients.test_silx import SHOWN

pytestmark = pytest.mark.slow

REQUIREMENTS = [
    "pynxtools==0.16.0",
    "nexusformat==2.1.0",
    "nxvalidate==0.3.5b3",
    "silx==3.1.3",
    "xarray==2026.9.0",
    "netCDF4==1.7.5",
    "h5netcdf==1.8.2",
]
BIAS_SWEEPS = ("didv", "setpoint_ramp")


@pytest.fixture(scope="module")
def nexus():
    return client_environment("nexus", REQUIREMENTS)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return of_every_sequence(tmp_path_factory.mktemp("runs"), patch)


COMMAND = """
import sys
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name=sys.argv.pop(1))
sys.argv[0] = command.name
sys.exit(command.load()())
"""


def judged(nexus, *command):
    """What a judge prints, on both channels, without the colours."""
    call = [nexus.python, "-I", "-c", COMMAND, *map(str, command)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300, check=False)
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


def test_bias_sweeps_satisfy_nxsts(nexus, files):
    sweeps = [path for name, path in files.items() if name.startswith(BIAS_SWEEPS)]
    assert len(sweeps) == 6
    for path in sweeps:
        said = judged(nexus, "pynx", "validate", path)
        assert "is valid according to the `NXsts` application definition" in said, said
        assert "Total number of errors: 0" in judged(nexus, "nxvalidate", "-e", path)


def test_a_bias_sweep_without_what_nxsts_demands_is_found(nexus, files, tmp_path):
    import h5py

    path = shutil.copy(files["didv"], tmp_path / "worse.h5")
    with h5py.File(path, "r+") as file:
        del file["entry/experiment_technique"]
    said = judged(nexus, "pynx", "validate", path)
    assert "is NOT valid according to" in said


def test_silx_draws_the_first_channel_on_its_axes(nexus, files):
    plots = dict(zip(files, nexus.run(SHOWN, *files.values()), strict=True))
    for name, path in files.items():
        run, plot = open_run(path), plots[name]
        assert plot is not None, name
        assert plot["signal"][0] == run.channels[0].name
        assert plot["axes"] == [axis.name for axis in run.axes if len(axis) > 1]
        assert (plot["errors"] is not None) == (f"{run.channels[0].name}_error" in run.data)
        np.testing.assert_array_equal(plot["values"], run.grid(run.channels[0].name).ravel())
        image = name.startswith(("setpoint_ramp", "srs_map"))
        assert plot["kind"] == ["image" if image else "curve"], name


WHOLE_TREE = """
import json, sys
import numpy as np
import nexusformat.nexus as nx

def read(path):
    root = nx.nxload(path)
    fields = [item for item in root.walk() if isinstance(item, nx.NXfield)]
    for field in fields:
        field.nxvalue
    plot = root.plottable_data
    return [len(fields), plot.nxsignal.nxname, [axis.nxname for axis in plot.nxaxes], plot.nxerrors is not None]

print(json.dumps([read(path) for path in sys.argv[1:]]))
"""


def test_nexusformat_reads_the_whole_tree_and_the_default_plot(nexus, files):
    for path, (fields, signal, axes, errors) in zip(
        files.values(), nexus.run(WHOLE_TREE, *files.values(), timeout=300.0), strict=True
    ):
        run = open_run(path)
        assert fields > 60
        assert signal == run.channels[0].name
        assert axes == [axis.name for axis in run.axes if len(axis) > 1]
        assert errors == (f"{signal}_error" in run.data)


XARRAY = """
import json, sys
import xarray

def read(path, engine):
    more = {"phony_dims": "sort"} if engine == "h5netcdf" else {}
    with xarray.open_dataset(path, group="entry/data", engine=engine, **more) as dataset:
        dataset.load()
        return {
            "sizes": {str(name): int(size) for name, size in dataset.sizes.items()},
            "coords": {str(name): coord.values.ravel().tolist() for name, coord in dataset.coords.items()},
            "data": {str(name): v.values.ravel().tolist() for name, v in dataset.items() if v.dtype.kind == "f"},
            "units": {str(name): v.attrs.get("units") for name, v in dataset.variables.items()},
        }

print(json.dumps([[read(path, engine) for engine in ("netcdf4", "h5netcdf")] for path in sys.argv[1:]]))
"""


def test_xarray_reads_values_coordinates_and_units_with_both_engines(nexus, files):
    for (name, path), engines in zip(files.items(), nexus.run(XARRAY, *files.values(), timeout=300.0), strict=True):
        run = open_run(path)
        for said in engines:
            for channel in run.channels:
                field = next(f for f in (channel.name, f"{channel.name}s") if f in said["data"])
                np.testing.assert_array_equal(said["data"][field], run.grid(channel.name).ravel())
                assert said["units"][field] == channel.unit
            if name.startswith(BIAS_SWEEPS):
                continue  # NXsts knows no dimension scales
            kept = {axis.name: len(axis) for axis in run.axes if len(axis) > 1}
            assert said["sizes"] == kept
            for axis in run.axes:
                if len(axis) > 1:
                    np.testing.assert_array_equal(said["coords"][axis.name], axis.values)
                if not axis.hardware:
                    np.testing.assert_array_equal(said["coords"][f"{axis.name}_measured"], run.grid(axis.name).ravel())
            np.testing.assert_array_equal(said["coords"]["elapsed"], run.grid("time").ravel())


OLD_HDF5 = """
import json, sys
import h5py

def read(path):
    read = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: read.append([dict(item.attrs), item[()] if hasattr(item, "shape") else 0]))
    return len(read)

print(json.dumps([h5py.version.hdf5_version, [read(path) for path in sys.argv[1:]]]))
"""


def test_every_object_is_read_by_hdf5_1_12(files):
    old = client_environment("hdf5_1_12", ["h5py==3.8.0", "numpy<2"])
    version, objects = old.run(OLD_HDF5, *files.values())
    assert version.startswith("1.12")
    assert min(objects) > 100


@pytest.mark.skipif(shutil.which("h5dump") is None, reason="no h5dump on this computer")
def test_h5dump_prints_every_file(files):
    for path in files.values():
        done = subprocess.run(["h5dump", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "error" not in done.stderr.lower()
