#!/usr/bin/env bash
# xarray 2026.9.0 with h5netcdf 1.8.2 and netCDF4 1.7.5: a boolean attribute is read, never written back.
#
# h5py writes True as an attribute (feedback on, lock-in on) and xarray opens the file with the
# boolean. Writing the same dataset with to_netcdf is refused by xarray itself. A Python True passes
# xarray's check and is refused by both libraries below it, in different words, and by then the
# target file has been emptied: what stood there is gone.
#
# Seen:       written back as read (numpy's True): TypeError, older target file unharmed;
#             a Python True: CompatibilityError (h5netcdf) or TypeError (netCDF4), older file emptied
# Expected:   a round trip, or a refusal before the older file is touched
# Way round:  write booleans as integers 0 and 1; write to a new name, then rename.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xarray==2026.9.0 h5netcdf==1.8.2 netCDF4==1.7.5.1.post1 h5py==3.16.0 numpy==2.4.6
cd "$folder"
venv/bin/python -I - <<'PY'
import sys
from importlib.metadata import version

import h5py
import numpy as np
import xarray

ENGINES = ("h5netcdf", "netcdf4")


def refusal(dataset, engine):
    """The error of writing over an older file, and how many variables that file has afterwards."""
    xarray.Dataset({"older": ("x", [1.0, 2.0])}).to_netcdf("target.nc", engine=engine)
    try:
        dataset.to_netcdf("target.nc", engine=engine)
        error = "written"
    except Exception as refused:
        error = type(refused).__name__
    with xarray.open_dataset("target.nc", engine=engine) as left:
        return error, len(left.variables)


with h5py.File("run.h5", "w") as file:
    file.attrs["feedback"] = True
    file["current"] = np.arange(3.0)
with xarray.open_dataset("run.h5", engine="h5netcdf", phony_dims="sort") as opened:
    opened.load()
python_true = xarray.Dataset({"current": ("x", np.arange(3.0))}, attrs={"feedback": True})
back = {engine: refusal(opened, engine) for engine in ENGINES}
new = {engine: refusal(python_true, engine) for engine in ENGINES}

for package in ("xarray", "h5netcdf", "netCDF4", "h5py"):
    print(package, version(package))
print(f"h5py wrote True, xarray read {opened.attrs['feedback']!r}")
print(f"written back (error, variables left in the older file): {back}")
print(f"Python True  (error, variables left in the older file): {new}")
seen_back = dict.fromkeys(ENGINES, ("TypeError", 1))
seen_new = {"h5netcdf": ("CompatibilityError", 0), "netcdf4": ("TypeError", 0)}
if not (back == seen_back and new == seen_new):
    sys.exit("CHANGED: booleans are treated otherwise")
PY
