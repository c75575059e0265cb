#!/usr/bin/env bash
# pymeasure 0.16.0, SR860 lock-in: settings that send another value, another command or nothing.
#
# A name stands for its place in a list, and two lists hold every name twice (short, then long),
# one holds names the instrument does not have; a command is misspelt; a format is misspelt; a
# range ends one early. The manual: IVMD 0|1, REFM 0|1, RTRG 0|1|2, ADVFILT, REFZ 0|1, HARM 1 to 99.
#
# Seen:       input_signal 'current' -> IVMD 3; dcmode 'common' -> REFM 2;
#             reference_triggermode 'NEGTTL' -> RTRG 4; filter_advanced 'On' -> ADVFIL 1;
#             reference_externalinput: TypeError; harmonic 99: ValueError
# Expected:   IVMD 1; REFM 0; RTRG 2; ADVFILT 1; REFZ 0; HARM 99
# Way round:  the short names ('CURR', 'COM', 'NEG'); the others by a subclass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymeasure==0.16.0 numpy==2.4.6
cd "$folder"
venv/bin/python -I - <<'PY'
import sys
from importlib.metadata import version

from pymeasure.adapters import FakeAdapter
from pymeasure.instruments.srs import SR860

SETTINGS = {  # property: (value from its own list, what the manual asks to be sent)
    "input_signal": ("current", "IVMD 1"),
    "dcmode": ("common", "REFM 0"),
    "reference_triggermode": ("NEGTTL", "RTRG 2"),
    "filter_advanced": ("On", "ADVFILT 1"),
    "reference_externalinput": ("50OHMS", "REFZ 0"),
    "harmonic": (99, "HARM 99"),
}
SEEN = ["IVMD 3", "REFM 2", "RTRG 4", "ADVFIL 1", "TypeError", "ValueError"]


def sent_by(name, value):
    """The command that setting this property sends, or the name of the error it raises."""
    adapter = FakeAdapter()
    lock_in = SR860(adapter)
    try:
        setattr(lock_in, name, value)
    except Exception as error:
        return type(error).__name__
    return adapter.read()  # this adapter gives back what was written


print(f"pymeasure {version('pymeasure')}, SR860")
sent = []
for name, (value, manual) in SETTINGS.items():
    sent.append(sent_by(name, value))
    print(f"{name} = {value!r}: {sent[-1]} (manual: {manual})")
if not (sent == SEEN):
    sys.exit("CHANGED: not all six are wrong any more")
PY
