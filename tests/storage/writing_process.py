"""A process that takes points until it is killed, and says aloud what has been acknowledged."""

import os

import numpy as np

from stmlab.axes import Axis, Channel
from stmlab.events import PointTaken, RunStarted, RunState, StateChanged
from stmlab.storage import Writer

SWEEP = 500
POINTS = {"each": 100_000, "arrays": 100_000, "batch": 3_000_000, "again": 500_000}
"""So that some files take their whole space at once, and others chunk by chunk."""


def write(path, mode):
    """``mode``: each (every point flushed), arrays, batch; again (batch, each point twice)."""
    axes = (Axis("bias", "V", np.arange(float(points := POINTS[mode]))),)
    if mode == "arrays":
        axes += (Axis("height", "m", np.arange(float(SWEEP)), hardware=True),)
    channels = (Channel("current", "A", ""), Channel("x", "V", ""))
    seconds = 1e-5 if mode in ("batch", "again") else 1.0
    writer = Writer(path)
    writer(RunStarted("id", "imaginary", "2024", {}, axes, channels, seconds, "station", "text Γ"))
    writer(StateChanged(RunState.RUNNING, 0.0))
    said = 0
    ramp = np.arange(SWEEP)
    for k in range(2 * points if mode == "again" else points):
        values = (k + ramp, -k - ramp) if mode == "arrays" else (float(k), -float(k))
        index, attempt = divmod(k, 2) if mode == "again" else (k, 0)
        writer(PointTaken(index, 0.5 * k, (2.0 * k,), values, k, attempt))
        if k % 100 == 99:
            writer(StateChanged(RunState.PAUSED, float(k), f"after point {k}"))
        if writer.committed > said:
            said = writer.committed
            os.write(1, f"{said}\n".encode())
