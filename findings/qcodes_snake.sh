#!/usr/bin/env bash
# qcodes 0.58.0: with set_shapes, every second row of a map taken as a snake is exported mirrored.
#
# The map is 2 x 3; the second row is measured from right to left, as a scanner does that saves
# its way back. Each result is added with the position it was taken at. Without set_shapes the
# xarray export puts every value at its position. With set_shapes (2, 3) the rows stand in the
# order in which they were measured beside the positions of the first row, without a warning.
#
# Seen:       second row at x = 0, 1, 2: 10, 11, 12 without shape; 12, 11, 10 with shape
# Expected:   10, 11, 12 both times
# Way round:  no set_shapes for such a map, or read get_parameter_data(), whose positions are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check qcodes==0.58.0 xarray==2026.9.0 numpy==2.4.6
cd "$folder"
HOME="$folder" venv/bin/python -I - <<'PY'
import sys
from importlib.metadata import version

from qcodes.dataset import (
    Measurement,
    initialise_or_create_database_at,
    load_or_create_experiment,
)
from qcodes.parameters import ManualParameter

x, y, z = (ManualParameter(name, unit="m") for name in "xyz")
SNAKE = [(0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0)]  # (row, column) in the order measured


def second_row(experiment, shape):
    """Height at x = 0, 1, 2 in the second row of the xarray export; each height is 10 row + column."""
    measurement = Measurement(exp=experiment)
    measurement.register_parameter(y)
    measurement.register_parameter(x)
    measurement.register_parameter(z, setpoints=(y, x))
    if shape is not None:
        measurement.set_shapes({"z": shape})
    with measurement.run() as run:
        for row, column in SNAKE:
            run.add_result((y, row), (x, column), (z, 10 * row + column))
    exported = run.dataset.to_xarray_dataset()["z"]
    return [float(exported.sel(y=1, x=column)) for column in range(3)]


initialise_or_create_database_at("snake.db")
experiment = load_or_create_experiment("map", "sample")
without = second_row(experiment, None)
with_shape = second_row(experiment, (2, 3))

print(f"qcodes {version('qcodes')}: second row at x = 0, 1, 2")
print(f"without set_shapes: {without}")
print(f"with set_shapes:    {with_shape}")
if not (without == [10, 11, 12] and with_shape == [12, 11, 10]):
    sys.exit("CHANGED: set_shapes no longer mirrors the second row")
PY
