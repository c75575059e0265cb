#!/usr/bin/env bash
# HDF5 2.0.0 (h5py 3.16.0): one wrong byte in a file, and reading an attribute never returns.
#
# Texts of variable length lie in a global heap, one behind the other, each with its size. If a wrong size leads the
# library to a place that holds zeros, it takes them for an object of number 0 and size 0, and stays there: the call
# does not return, holds Python's lock, and only a kill ends it. A file that was damaged in a copy stops the whole
# program that lists a folder.
#
# Seen:       the reader is still at work after 10 s, all of it CPU time
# Expected:   OSError: damaged
# Way round:  walk the heaps in the bytes of the file before it is opened (stmlab/storage/importers/heaps.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check h5py==3.16.0
cd "$folder"
venv/bin/python -I -W always - <<'PY'
import subprocess
import sys
from pathlib import Path

import h5py

with h5py.File("texts.h5", "w") as file:
    file.attrs["default"] = "entry"
content = bytearray(Path("texts.h5").read_bytes())
heap = content.index(b"GCOL")
content[heap + 16 + 8] = 0xA5  # the size of the first text: 165 instead of 5, zeros lie behind it
Path("texts.h5").write_bytes(content)

command = [sys.executable, "-I", "-c", "import h5py; print(h5py.File('texts.h5').attrs['default'])"]
print("h5py", h5py.version.version, "HDF5", h5py.version.hdf5_version)
try:
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
except subprocess.TimeoutExpired:
    print("Still reading after 10 s.")
    sys.exit(0)
sys.exit(f"CHANGED: the reader ended: {(done.stdout or done.stderr).strip().splitlines()[-1]}")
PY
