"""CPU seconds of a writer alone, on points with 2 axes and 7 channels: POINTS BATCH RUNS. For both builds."""

import inspect
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, ".")
import numpy as np

from stmlab.axes import Axis, Channel
from stmlab.events import PointTaken, RunStarted
from stmlab.storage import Writer

CHANNELS = tuple(Channel(f"channel_{k}", "A", "") for k in range(7))
LOGGED = "visit" in inspect.signature(PointTaken).parameters  # not in the base build


def points_of(count):
    """Points in their order."""
    return [
        PointTaken(k, 0.5 * k, (1.0, 2.0), tuple(float(k + c) for c in range(7)), *([k] if LOGGED else []))
        for k in range(count)
    ]


def run(count, batch, path):
    """CPU seconds for ``count`` points, flushed after every ``batch`` of them."""
    axes = (Axis("a", "", np.arange(100.0)), Axis("b", "V", np.arange(count / 100)))
    writer = Writer(path)
    writer(RunStarted("id", "s", "d", {}, axes, CHANNELS, 1.0 if batch == 1 else 0.0, "st", ""))
    points = points_of(count)
    start = time.process_time()
    for k in range(0, count, batch):
        for point in points[k : k + batch]:
            writer(point)
        writer.flush()
    seconds = time.process_time() - start
    assert writer.committed == count
    writer.close()
    path.unlink()
    return seconds


if __name__ == "__main__":
    import stmlab.storage.runfile as runfile

    count, batch, runs = map(int, sys.argv[1:])
    if batch > 1:
        runfile.perf_counter = lambda: 0.0  # nothing is flushed before its batch is full
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "run.h5"
        run(1000, 1, path)
        print(json.dumps([run(count, batch, path) for _ in range(runs)]))
