#!/usr/bin/env bash
# nexusformat 2.1.0: transpose(), smooth() and the sum over all axes lose the errors of a NeXus data group.
#
# An NXdata carries its errors with it: slices, arithmetic and sums over some axes propagate them.
# transpose() and smooth() return an NXdata without errors, sum() and average() over all axes a
# plain field without one, and nothing is said. A fit that weights by nxerrors then finds None.
#
# Seen:       sum(0): errors 2.83 (right); transpose(): None; smooth(): None; sum(): a field, no error
# Expected:   transposed errors; an error of the sum; a word where there is none
# Way round:  treat signal and nxerrors by hand: data.nxsignal.T, data.nxerrors.T
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nexusformat==2.1.0 h5py==3.16.0 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python -I - <<'PY'
import sys
from importlib.metadata import version

import numpy as np
from nexusformat.nexus import NXdata, NXfield

current = NXfield(np.full((2, 4), 4.0), name="current", units="nA")
line = NXfield(np.arange(2.0), name="line")
bias = NXfield(np.linspace(-0.1, 0.1, 4), name="bias", units="V")
data = NXdata(current, (line, bias), errors=np.full((2, 4), 2.0))


def errors(result):
    """The errors that a result carries, or None."""
    kept = getattr(result, "nxerrors", None)
    return None if kept is None else np.asarray(kept)


kept = {"sum(0)": errors(data.sum(0)), "2 * data": errors(2 * data), "data[0]": errors(data[0])}
lost = {
    "transpose()": errors(data.transpose()),
    "data[0].smooth()": errors(data[0].smooth(n=7)),
    "sum()": errors(data.sum()),
    "average()": errors(data.average()),
}

print(f"nexusformat {version('nexusformat')}: each value 4 +- 2 nA")
for name, value in (kept | lost).items():
    print(f"{name:17} errors: {value if value is None else np.round(value, 3).tolist()}")
right = np.allclose(kept["sum(0)"], np.sqrt(8)) and np.allclose(kept["2 * data"], 4)
if not (right and all(value is None for value in lost.values())):
    sys.exit("CHANGED: errors are propagated otherwise")
PY
