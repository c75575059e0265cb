"""Overhead per point with zero-delay instruments: ours with every point in HDF5, beside pymeasure's Worker with CSV."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from pymeasure.experiment import IntegerParameter, Procedure, Results, Worker

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.acquisition.runner import Runner
from stmlab.storage import open_run
from tests.acquisition.bench_station import BenchStation, Ramp

RUNS = 5


def ours(points: int, folder: Path) -> float:
    """Seconds per point through the runner into a file."""
    path = folder / "run.h5"
    runner = Runner(Ramp(points=points, rows=1), BenchStation(), path)
    start = time.perf_counter()
    runner.run()
    seconds = time.perf_counter() - start
    assert open_run(path).points == points
    path.unlink()
    return seconds / points


class PlainRamp(Procedure):
    """The same ramp as a pymeasure user would write it."""

    points = IntegerParameter("Points", default=5, maximum=1_000_000)
    DATA_COLUMNS = ("row", "source (V)", "reading (V)", "square (V^2)")

    def execute(self) -> None:
        """Every point as one record."""
        station = BenchStation()
        for value in np.linspace(0, 1, self.points).tolist():
            station.value = value
            reading = station.value
            record = {"row": 0.0, "source (V)": value, "reading (V)": reading, "square (V^2)": reading**2}
            self.emit("results", record)
            if self.should_stop():
                break


def pymeasure_worker(points: int, folder: Path) -> float:
    """Seconds per point of the same ramp through pymeasure's Worker into CSV."""
    path = folder / "run.csv"
    worker = Worker(Results(PlainRamp(points=points), str(path)))
    start = time.perf_counter()
    worker.start()
    worker.join(timeout=600)
    seconds = time.perf_counter() - start
    assert len(path.read_text().splitlines()) > points
    path.unlink()
    return seconds / points


def main() -> None:
    """Print medians of runs taken in turn, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours(1000, folder), pymeasure_worker(1000, folder)  # warm
        for points in (2_000, 20_000, 200_000):
            pairs = [
                (ours(points, folder), pymeasure_worker(points, folder)) for _ in range(RUNS if points < 1e5 else 2)
            ]
            mine, theirs = np.median(np.array(pairs), axis=0) * 1e6
            print(
                f"{points:7d} points: ours {mine:6.1f} us/point (HDF5, every point), "
                f"pymeasure Worker {theirs:6.1f} us/point (CSV), ratio {mine / theirs:.2f}"
            )


if __name__ == "__main__":
    main()
