"""A resonance line in each of some spectra by scipy's curve_fit: FILE (npz: frequency in Hz, currents in pA, rates)."""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import curve_fit
from told import told

given = np.load(sys.argv[1])
frequency = given["frequency"]


def line(f, rate, step, offset):
    """Rate in 1e9/s, step and offset in pA: least squares without scaling does not like 1e-12."""
    return step / (1 + (2 * np.pi * f / (1e9 * rate)) ** 2) + offset


def fits() -> list[list[float]]:
    """From the rate that is known, as a user would begin who knows his sample."""
    begun = zip(given["currents"], given["rates"], strict=True)
    return [curve_fit(line, frequency, y, p0=(1e-9 * rate, 5.0, -3.0))[0].tolist() for y, rate in begun]


told("scipy", fits, 3, len(given["currents"]))
