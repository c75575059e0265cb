"""CPU seconds of runs over points with zero-delay instruments, in the base build: POINTS RUNS."""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, ".")
from stmlab.runner import Runner
from tests.bench_station import BenchStation, Ramp


def run(points, folder):
    """CPU seconds."""
    path = folder / "run.h5"
    start = time.process_time()
    Runner(Ramp(points=points, rows=1), BenchStation(), path).run()
    seconds = time.process_time() - start
    path.unlink()
    return seconds


points, runs = map(int, sys.argv[1:])
with tempfile.TemporaryDirectory() as name:
    run(1000, Path(name))
    print(json.dumps([run(points, Path(name)) for _ in range(runs)]))
