"""A process that adds fits to a run until it is killed, and says aloud how many it has added."""

import os

import numpy as np

from stmlab.results import FitParameter, FitResult
from stmlab.storage import append_fit


def add_fits(path):
    for k in range(1000):
        curve = np.full(300, float(k))
        fit = FitResult("m", (FitParameter("a", k, 1.0),), ("a",), np.eye(1), k, 0.0, curves={"x": curve})
        append_fit(path, fit)
        os.write(1, f"{k + 1}\n".encode())
