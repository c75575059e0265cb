"""A run as a netCDF file: written by whatever engine xarray takes, and back as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray

from stmlab.storage import Writer, open_run
from tests.clients.environment import client_environment

ROOT = Path(__file__).resolve().parents[2]

_ROUND_TRIP = """
import json, sys, warnings
sys.path.insert(0, sys.argv[1])
import xarray
from stmlab.storage import open_run
warnings.simplefilter("error")
dataset = open_run(sys.argv[2]).to_xarray()
found = []
for engine in ("netcdf4", "h5netcdf", "scipy", None):
    dataset.to_netcdf(sys.argv[3], engine=engine)
    with xarray.open_dataset(sys.argv[3], engine=engine) as back:
        found.append(bool(dataset.identical(back)))
print(json.dumps(found))
"""


@pytest.fixture(params=[None, 5, 1 << 40], ids=["microscope", "seed", "long seed"])
def file(request, tmp_path, whole_run):
    writer = Writer(tmp_path / "run.h5")
    for event in whole_run(sweep=7, seed=request.param):
        writer(event)
    return tmp_path / "run.h5"


def test_attributes_are_what_netcdf_knows(file):
    run = open_run(file)
    attributes = run.to_xarray().attrs
    assert {type(value) for value in attributes.values()} <= {int, float, str}
    booleans = {name: p.value for name, p in run.parameters.items() if isinstance(p.value, bool)}
    assert booleans  # there is one to be tried
    assert {name: attributes[name] for name in booleans} == {name: int(value) for name, value in booleans.items()}
    assert ("run_seed" in attributes) == (run.seed is not None)


def test_a_run_is_written_by_scipy_and_comes_back_as_it_was(file, tmp_path):
    dataset = open_run(file).to_xarray()
    dataset.to_netcdf(tmp_path / "run.nc", engine="scipy")
    with xarray.open_dataset(tmp_path / "run.nc", engine="scipy") as back:
        assert dataset.identical(back)
        np.testing.assert_array_equal(back.x.values, dataset.x.values)


@pytest.mark.slow
def test_a_run_is_written_by_every_engine_and_comes_back_as_it_was(file, tmp_path):
    environment = client_environment("netcdf", ["netCDF4", "h5py", "h5netcdf", "xarray", "scipy"])
    assert environment.run(_ROUND_TRIP, ROOT, file, tmp_path / "run.nc") == [True] * 4
