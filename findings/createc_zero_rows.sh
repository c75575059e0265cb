#!/usr/bin/env bash
# createc 0.0.3: rows that are zero in one channel are taken out of that channel alone.
#
# DAT_IMG drops the rows of an image that a stopped scan never reached: all rows that hold only
# zeros, in each channel by itself and wherever they stand. A row in which a second channel really
# is zero (a lock-in input below its resolution, an ADC with nothing on it) goes too: that channel
# becomes shorter than the topography, and its rows no longer belong to the rows beside them.
# (The package names no dependencies: numpy, pandas and PyYAML are installed beside it.)
#
# Seen:       4 x 3 image, channel 2 zero in its second row: shapes (4, 3) and (3, 3);
#             row 2 (from 0) of channel 2 holds what was measured in row 3
# Expected:   (4, 3) both, or the same rows taken out of all channels
# Way round:  img_array_list holds the images as they are in the file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check createc==0.0.3 numpy==2.4.6 pandas==3.1.1 PyYAML==6.0.4
cd "$folder"
venv/bin/python -I - <<'PY'
import sys
import zlib
from importlib.metadata import version

import numpy as np
from createc.Createc_pyFile import DAT_IMG

ROWS, COLUMNS, HEADER_BYTES = 4, 3, 16384
header = "[Paramco32]\r\n" + "".join(
    f"{key}={value}\r\n"
    for key, value in {
        "Num.X / Num.X": COLUMNS, "Num.Y / Num.Y": ROWS, "Channels / Channels": 2,
        "CHModeZOff / CHModeZOff": 0, "CHModeBias[mV] / CHModeBias[mV]": 100, "CHMode / CHMode": 0,
        "Rotation / Rotation": 0, "DX_DIV_DDelta-X / DX_DIV_DDelta-X": 1, "Delta X / Delta X [Dac]": 64,
        "Channelselectval / Channelselectval": 3, "ScanYMode / ScanYMode": 2,
        "Xpiezoconst": 1, "YPiezoconst": 1, "ZPiezoconst": 1,
        "Biasvoltage": 100, "FBLogIset": 10,
    }.items()
)  # fmt: skip
topography = np.repeat(np.arange(1, ROWS + 1), COLUMNS).astype("<f4")
lock_in = np.repeat([10, 0, 30, 40], COLUMNS).astype("<f4")  # exactly zero in its second row
images = np.concatenate([np.zeros(1, "<f4"), topography, lock_in])  # one number stands before the images
file = header.encode("cp1252").ljust(HEADER_BYTES, b"\0") + zlib.compress(images.tobytes())

scan = DAT_IMG(file_binary=file, file_name="A260101.000000.dat")
heights, signals = scan.imgs

print(f"createc {version('createc')}: topography {heights.shape}, lock-in {signals.shape}")
print(f"row 2: height {heights[2, 0]} belongs to lock-in 30.0, read {signals[2, 0]}")
if not (heights.shape == (4, 3) and signals.shape == (3, 3) and signals[2, 0] == 40):
    sys.exit("CHANGED: the channels keep their rows together")
PY
