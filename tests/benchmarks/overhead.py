"""Overhead per point with zero-delay instruments: every point in HDF5 and the built-in watch on.

Beside it: pymeasure's Worker with CSV, and the base build (which had no watch). CPU time.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pymeasure.experiment import IntegerParameter, Procedure, Results, Worker

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.acquisition.runner import Runner
from stmlab.clock import RealClock
from stmlab.station.instruments import Look
from stmlab.station.last_set import LastSet
from stmlab.station.watch import Watch
from stmlab.station.watch_tables import WatchConfig
from stmlab.station.watchers import Watchers
from stmlab.storage import open_run
from tests.acquisition.bench_station import BenchStation, Ramp
from tests.benchmarks.base_build import NAME, NoBase, run_job
from tests.benchmarks.side_by_side import Row, compared, cpu_seconds, report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZES = {2_000: 9, 20_000: 5, 200_000: 3}  # points: runs


class ZeroDelay:
    """An instrument that answers at once, always the same."""

    WATCHED: ClassVar = ("voltage", "range")
    BY_TURNS: ClassVar = ("range",)

    def look(self, due: Sequence[str] = ()) -> Look:
        """The voltage, and the range when it is due."""
        return Look(dict.fromkeys(("voltage", *due), 1.0))

    def agrees(self, name: str, wanted: float, read: float) -> bool:
        """To the last digit."""
        return wanted == read


def station() -> BenchStation:
    """Zero-delay instruments, with the watch of a real station."""
    bench = BenchStation(clock=RealClock())
    devices = {name: ZeroDelay() for name in ("lockin", "generator", "controller")}
    bench.watch = Watch(devices, "", frozenset(), LastSet(), bench.clock, WatchConfig(), Watchers((), {}, bench.clock))
    return bench


def ours(points: int, path: Path) -> None:
    """One run through the runner into a file."""
    bench = station()
    Runner(Ramp(points=points, rows=1), bench, path).run()
    assert bench.watch.looks > 0


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


def pymeasure_worker(points: int, path: Path) -> None:
    """The same ramp through pymeasure's Worker into CSV."""
    worker = Worker(Results(PlainRamp(points=points), str(path)))
    worker.start()
    worker.join(timeout=600)


def taken(work: Callable[[int, Path], None], points: int, folder: Path) -> float:
    """CPU microseconds a point; every point must be in the file."""
    path = folder / "run"
    seconds = cpu_seconds(lambda: work(points, path), 1)[0]
    in_file = open_run(path).points if work is ours else len(path.read_text().splitlines()) - 1
    assert in_file >= points
    path.unlink()
    return seconds / points * 1e6


def beside_pymeasure(points: int, runs: int, folder: Path) -> tuple[Row, list[float]]:
    """The row, and our times."""
    pairs = [(taken(ours, points, folder), taken(pymeasure_worker, points, folder)) for _ in range(runs)]
    mine, theirs = zip(*pairs, strict=True)
    a, b, spread = compared(mine, theirs)
    row = Row(f"overhead a point, {points} points", a, b, "pymeasure Worker, CSV", 1.0, "us", spread)
    return row, list(mine)


def beside_base(points: int, mine: list[float]) -> Row:
    """The base build wrote the same points without a watch."""
    work = f"overhead a point, {points} points"
    try:
        seconds = run_job("overhead", points, len(mine))
    except NoBase as why:
        return Row(work, float(np.median(mine)), None, NAME, unit="us", note=str(why))
    a, b, spread = compared(mine, [1e6 * s / points for s in seconds])
    return Row(work, a, b, f"{NAME}, no watch", None, "us", spread)


def main() -> int:
    """Medians of runs taken in turn."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        taken(ours, 1000, folder), taken(pymeasure_worker, 1000, folder)  # warm
        for points, runs in SIZES.items():
            row, mine = beside_pymeasure(points, runs, folder)
            rows += [row, beside_base(points, mine)]
    return report(rows)


if __name__ == "__main__":
    sys.exit(main())
