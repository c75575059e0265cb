#!/usr/bin/env bash
# pymeasure 0.16.0: Results writes numpy's float32 and integers as nan in a column with a unit.
#
# A column named "Current (A)" has a unit. CSVFormatter writes Python numbers and float64 there;
# a numpy float32 or integer, as binary blocks of digitizers and lock-in captures give, becomes nan.
# Only a warning in the log says so; the measured value is nowhere in the file. The same value in
# a column without a unit is written.
#
# Seen:       "Current (A)" <- float32(2.5e-10), int32(7), int64(7): nan; float64 and int: the value
# Expected:   the value
# Way round:  float(...) or .item() before emitting results.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymeasure==0.16.0 numpy==2.4.6
cd "$folder"
venv/bin/python -I - <<'PY'
import math
import sys
from importlib.metadata import version

import numpy as np
from pymeasure.experiment import Procedure, Results


class Spectrum(Procedure):
    DATA_COLUMNS = ["Current (A)", "Plain"]


formatter = Results(Spectrum(), "spectrum.csv").formatter
written = {}
for value in (2.5e-10, np.float64(2.5e-10), np.float32(2.5e-10), 7, np.int32(7), np.int64(7)):
    with_unit, without_unit = formatter.format({"Current (A)": value, "Plain": value}).split(",")
    written[type(value).__name__] = float(with_unit)
    print(f"{type(value).__name__:8} with unit: {with_unit:8} without: {without_unit}")

print(f"pymeasure {version('pymeasure')}, numpy {version('numpy')}")
lost = {name for name, value in written.items() if math.isnan(value)}
if not (lost == {"float32", "int32", "int64"}):
    sys.exit(f"CHANGED: written as nan are now {sorted(lost)}")
PY
