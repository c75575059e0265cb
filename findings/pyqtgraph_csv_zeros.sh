#!/usr/bin/env bash
# pyqtgraph 0.14.0: a curve in amperes is exported to CSV as zeros.
#
# "Export..." in a plot's context menu writes y with ten digits after the decimal point. Tunnelling
# currents in A, heights in m and times in s of fast pulses lose all their digits. The columns are
# named x0000, y0000: neither the axes' names nor their units are in the file.
#
# Seen:       2.8 pA (2.8e-12 A) and 3.1 pA: 0.0000000000
# Expected:   2.8e-12 and 3.1e-12
# Way round:  numpy.savetxt on curve.getData(), or plot in pA.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyqtgraph==0.14.0 PyQt6==6.11.0 numpy==2.4.6
cd "$folder"
QT_QPA_PLATFORM=offscreen venv/bin/python -I - <<'PY'
import sys
from importlib.metadata import version
from pathlib import Path

import pyqtgraph
from pyqtgraph.exporters import CSVExporter

CURRENT_A = [2.8e-12, 3.1e-12]

application = pyqtgraph.mkQApp()
plot = pyqtgraph.PlotWidget()
plot.setLabel("bottom", "bias", units="V")
plot.setLabel("left", "current", units="A")
plot.plot([0.1, 0.2], CURRENT_A)
CSVExporter(plot.plotItem).export("curve.csv")
text = Path("curve.csv").read_text()
exported = [float(row.split(",")[1]) for row in text.splitlines()[1:]]

print(f"pyqtgraph {version('pyqtgraph')}: drawn {CURRENT_A} A, exported:")
print(text)
if not (exported == [0.0, 0.0]):
    sys.exit("CHANGED: the exported currents are no longer zero")
PY
