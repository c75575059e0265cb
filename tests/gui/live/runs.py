"""Small runs for the plots: axes, channels, readings, fits, made by hand."""

import numpy as np

from stmlab.axes import Axis, Channel
from stmlab.events import RunStarted
from stmlab.gui.live.run_data import RunData
from stmlab.results import FitParameter, FitResult

CURRENT, ERROR = Channel("current", "A", "tunnel current"), Channel("current_error", "A", "its error")
VOLTS, PHASE = Channel("x", "V", "lock-in X"), Channel("y", "V", "lock-in Y")
CHANNELS = (CURRENT, ERROR, VOLTS, PHASE)


def axis(name, unit, values, **more):
    return Axis(name, unit, np.asarray(values, dtype=float), **more)


def begun(*axes, channels=CHANNELS, sequence="srs"):
    """A run before its first point."""
    data = RunData()
    data(RunStarted("r1", sequence, "2026-01-01", {}, axes, channels, 0.0, "bench", "", sample="adatom"))
    return data


def filled(*axes, values=None, places=None, **more):
    """A run in which the first ``places`` points were read: ``values`` in the first channel, 10 fA of error, ..."""
    data = begun(*axes, **more)
    layout = data.layout
    values = np.arange(layout.cells) * 1e-12 if values is None else np.asarray(values, dtype=float)
    rows = values.reshape(layout.places, -1)[:places]
    index = np.arange(len(rows))
    moved = [one for one in axes if not one.hardware]
    grid = np.meshgrid(*[one.values for one in moved], indexing="ij")
    coordinates = np.stack([one.ravel()[: len(rows)] for one in grid], axis=1) if moved else np.empty((len(rows), 0))
    rows = rows if layout.width > 1 else rows[:, 0]
    others = [np.full(rows.shape, 10e-15), 1e3 * rows, -1e3 * rows]
    data.take(index, coordinates, [rows, *others][: len(data.channels)])
    return data


def fit_of(x, data, fit, *, model="srs", parameters=(), y_unit="A", **curves):
    """A fit with its curves."""
    found = {"x": np.asarray(x, float), "data": np.asarray(data, float), "fit": np.asarray(fit, float), **curves}
    parameters = parameters or (FitParameter("rate", 1.7e9, 4e7, "1/s"),)
    labels = {"x": "x", "x_unit": "", "y": "y", "y_unit": y_unit}
    return FitResult(
        model, tuple(parameters), (), np.empty((0, 0)), len(found["x"]), 1e-13, curves=found, labels=labels
    )
