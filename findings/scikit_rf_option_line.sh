#!/usr/bin/env bash
# scikit-rf 2.2.0: option lines of Touchstone files that the specification allows are refused.
#
# The line "# GHz S RI R 50" may leave items out (GHz, S, MA and R 50 are the defaults) and have them
# in any order, "R 50" together. scikit-rf goes by position: items may be left out at the end only.
#
# And where a file is read, its reference impedance stays: the S21 of a network is that of the
# file's R. The same 3 dB attenuator written for 100 ohm reads -3.5 dB until it is renormalized.
#
# Seen:       "# GHz S RI R 50", "# GHz S", "#": read; "# R 50", "# RI", "# GHz RI R 50",
#             "# R 50 GHz S RI", "# GHz S R 50 RI": ValueError
# Expected:   all eight read
# Way round:  rewrite the option line in full; network.renormalize(50) after reading.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-rf==2.2.0 numpy==2.4.6
cd "$folder"
venv/bin/python -I - <<'PY'
import io
import math
import sys
from importlib.metadata import version

import skrf

FULL = ["# GHz S RI R 50", "# GHz S", "#"]
OTHER = ["# R 50", "# RI", "# GHz RI R 50", "# R 50 GHz S RI", "# GHz S R 50 RI"]


def read(option_line, s11, s21):
    """A two-port of one frequency with real, reciprocal, symmetric S (0 degrees where MA is meant)."""
    file = io.StringIO(f"{option_line}\n1 {s11} 0 {s21} 0 {s21} 0 {s11} 0\n")
    file.name = "attenuator.s2p"
    return skrf.Network(file)


def decibels(network):
    """S21 in dB at the network's reference impedance."""
    return 20 * math.log10(abs(network.s[0, 1, 0]))


print(f"scikit-rf {version('scikit-rf')}")
outcomes = {}
for line in FULL + OTHER:
    try:
        outcomes[line] = f"S21 {read(line, 0.0, 0.7079).s[0, 1, 0].real:.4f}"
    except ValueError as error:
        outcomes[line] = f"ValueError {str(error).strip()}"
    print(f"{line!r:19} {outcomes[line]}")

matched = read("# GHz S RI R 50", 0.0, 0.70794578)
matched.renormalize(100)  # the same part, as a 100 ohm analyser would write it
same_part = read("# GHz S RI R 100", matched.s[0, 0, 0].real, matched.s[0, 1, 0].real)
as_read = decibels(same_part)
same_part.renormalize(50)
print(f"3 dB part from a 100 ohm file: S21 {as_read:.2f} dB, renormalized {decibels(same_part):.2f} dB")
refused = [line for line, outcome in outcomes.items() if outcome.startswith("ValueError")]
if not (refused == OTHER):
    sys.exit(f"CHANGED: refused are now {refused}")
PY
