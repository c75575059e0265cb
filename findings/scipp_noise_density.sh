#!/usr/bin/env bash
# scipp 26.8.0: the unit "V/sqrt(Hz)" of a noise density is read as another unit.
#
# Spectrum analysers, lock-ins and papers write noise as V/sqrt(Hz). scipp takes the text without
# an error, but "sqrt(Hz)" becomes 6.28 rad/s^2, so a density of 5 nV/sqrt(Hz) has another
# dimension and another size. "V/Hz^0.5" is read as meant.
#
# Seen:       V/sqrt(Hz) = 0.159 V*s^2/rad; conversion to V/Hz^0.5: UnitError
# Expected:   equal to V/Hz^0.5, or an error
# Way round:  write V/Hz^0.5, and V^2/Hz for a power density.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipp==26.8.0 numpy==2.4.6
cd "$folder"
venv/bin/python -I - <<'PY'
import sys
from importlib.metadata import version

import scipp

written = scipp.Unit("V/sqrt(Hz)")
meant = scipp.Unit("V/Hz^0.5")
try:
    conversion = str(scipp.scalar(5e-9, unit=written).to(unit=meant))
except scipp.UnitError as error:
    conversion = f"UnitError: {error}"

print(f"scipp {version('scipp')}: 'V/sqrt(Hz)' is read as {written}")
print(f"'V/Hz^0.5' is read as {meant}; the first converted to the second: {conversion}")
in_seconds_squared = scipp.to_unit(scipp.scalar(1.0, unit=written), "V*s^2/rad").value
print(f"1 V/sqrt(Hz) converts to {in_seconds_squared:.6f} V*s^2/rad without an error")
if not (written != meant and abs(in_seconds_squared - 0.159155) < 1e-6):
    sys.exit("CHANGED: V/sqrt(Hz) is no longer read as 0.159 V*s^2/rad")
PY
