"""The same by lmfit's Model, one spectrum after the other: FILE (npz: frequency in Hz, currents in pA, rates)."""

from __future__ import annotations

import sys

import lmfit
import numpy as np
from told import told

given = np.load(sys.argv[1])
frequency = given["frequency"]


def line(f, rate, step, offset):
    """Rate in 1e9/s, step and offset in pA."""
    return step / (1 + (2 * np.pi * f / (1e9 * rate)) ** 2) + offset


model = lmfit.Model(line)


def fits() -> list[list[float]]:
    """From the rate that is known."""
    found = []
    for y, rate in zip(given["currents"], given["rates"], strict=True):
        fit = model.fit(y, f=frequency, rate=1e-9 * rate, step=5.0, offset=-3.0)
        found.append([fit.params[name].value for name in ("rate", "step", "offset")])
    return found


told("lmfit", fits, 3, len(given["currents"]))
