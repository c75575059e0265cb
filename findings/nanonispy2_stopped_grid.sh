#!/usr/bin/env bash
# nanonispy2 1.2.0: spectra that a stopped grid never took read as 0.0.
#
# A grid of spectra (.3ds) that is stopped half-way is shorter than its header announces.
# Grid() says in its documentation that it does not accept such a file, but reads it without
# an error or a warning, and gives 0.0 for each value that is not in the file: a current and a
# height that look measured, and enter every mean and every map.
#
# Seen:       2 x 2 grid of 5 nA spectra stopped after three: fourth spectrum 0.0 A, mean 3.75 nA
# Expected:   an error, or NaN where nothing was measured
# Way round:  compare the file's size with the header before reading.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nanonispy2==1.2.0 numpy==2.4.6
cd "$folder"
venv/bin/python -I -W always - <<'PY'
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
from nanonispy2.read import Grid

HEADER = """Grid dim="2 x 2"
Grid settings=0.0E+0;0.0E+0;1.0E-9;1.0E-9;0.0E+0
Filetype=Linear
Sweep Signal="Bias (V)"
Fixed parameters="Sweep Start;Sweep End"
Experiment parameters="X (m);Y (m);Z (m)"
# Parameters (4 byte)=5
Experiment size (bytes)=12
Points=3
Channels="Current (A)"
Delay before measuring (s)=0.0E+0
Experiment="Grid Spectroscopy"
Start time="01.01.2026 00:00:00"
End time="01.01.2026 00:01:00"
User=
Comment=
:HEADER_END:
"""
TAKEN = 3  # of 4 points
point = [-0.1, 0.1, 0.0, 0.0, 2e-9] + [5e-9] * 3  # sweep limits, x, y, z; then the current
stopped = np.tile(np.array(point, dtype=">f4"), TAKEN)
Path("stopped.3ds").write_bytes(HEADER.replace("\n", "\r\n").encode() + stopped.tobytes())

with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    grid = Grid("stopped.3ds")
current = np.asarray(grid.signals["Current (A)"], dtype=float)
height = float(grid.signals["topo"][1, 1])

print(f"nanonispy2 {version('nanonispy2')}: {TAKEN} of 4 spectra in the file, {len(warned)} warnings")
print(f"spectrum taken: {current[0, 0]} A; spectrum never taken: {current[1, 1]} A, height {height} m")
print(f"mean current: {current.mean():.3g} A (5e-09 A was measured wherever anything was)")
if not (not warned and np.all(current[1, 1] == 0.0) and height == 0.0):
    sys.exit("CHANGED: missing spectra are no longer silently 0.0")
PY
