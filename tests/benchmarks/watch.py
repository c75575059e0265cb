"""What the look at every point costs over loopback TCP, and how much of it hides in a settling time of 10 ms."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.acquisition.runner import Runner
from stmlab.acquisition.sequence import Sequence
from stmlab.axes import Axis, Channel
from stmlab.config_files import find
from stmlab.station import Station
from tests.benchmarks.side_by_side import Row, report

POINTS, SETTLING = 300, 10e-3
RUNS = 3
PLUGS = {"sr860": "sr860", "m8195a": "m8195a", "nanonis": "nanonis"}


class Idle(Sequence):
    """Points that move nothing, read nothing and settle for 10 ms."""

    name = "idle"
    channels = (Channel("nothing", "", "zero"),)

    def axes(self) -> tuple[Axis, ...]:
        """One axis of numbers."""
        return (Axis("number", "", np.arange(POINTS, dtype=float)),)

    def move_number(self, value: float) -> None:
        """Nothing moves."""

    def settling_time(self) -> float:
        """As long as a fast lock-in filter."""
        return SETTLING

    def measure(self) -> dict[str, float]:
        """Nothing is read."""
        return {"nothing": 0.0}


def station_file(folder: Path, addresses: dict[str, str]) -> Path:
    """The simulated station at the addresses where its instruments are served."""
    shipped = find("simulated")
    text = shipped.read_text(encoding="utf-8")
    for plug in PLUGS:
        text = text.replace(f'"simulation:{plug}"', f'"{addresses[plug]}"')
    path = folder / "served.toml"
    path.write_text(text[: text.index("[simulation]")], encoding="utf-8")
    (folder / "transfer").symlink_to(shipped.parent / "transfer")
    return path


def run(station: Station, folder: Path, *, watched: bool) -> float:
    """Wall seconds of the points of one run."""
    path = folder / "run.h5"
    look = station.watch.look
    if not watched:
        station.watch.look = lambda: None  # type: ignore[method-assign]
    start = time.perf_counter()
    Runner(Idle(), station, path).run()
    seconds = time.perf_counter() - start
    station.watch.look = look  # type: ignore[method-assign]
    path.unlink()
    return seconds


def main() -> int:
    """Print the cost of a look, and the share of it that a settling time of 10 ms hides."""
    command = [sys.executable, "-m", "stmlab", "simulate", "--free-ports", "--json"]
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        folder = Path(name)
        path = station_file(folder, json.loads(server.stdout.readline()))
        with Station.load(str(path)) as station:
            run(station, folder, watched=True)  # warm
            before = station.watch.looks
            start = time.perf_counter()
            for _ in range(100):
                station.clock.sleep(2e-3)
                station.watch.look()
            look = (time.perf_counter() - start - 100 * 2e-3) / (station.watch.looks - before)
            pairs = [(run(station, folder, watched=w) for w in (True, False)) for _ in range(RUNS)]
            watched, alone = np.median(np.array([tuple(pair) for pair in pairs]), axis=0)
        server.terminate()
    extra = max(0.0, watched - alone) / POINTS
    hidden = 100 * (1 - extra / look)
    wrong = "" if hidden >= 95 else f"{hidden:.1f} % hidden, at least 95 % is wanted"
    print(
        f"one look at three instruments over loopback TCP: {1e6 * look:.0f} us; at points of {1e3 * SETTLING:g} ms "
        f"{1e6 * extra:.0f} us a point are not hidden: {hidden:.1f} % hidden (at least 95 % wanted); wall/ideal "
        f"{watched / (POINTS * SETTLING):.3f} with, {alone / (POINTS * SETTLING):.3f} without the watch"
    )
    work, note = f"look at every point of {1e3 * SETTLING:g} ms", f"{hidden:.1f} % hidden in the settling time"
    row = Row(work, watched / (POINTS * SETTLING), alone / (POINTS * SETTLING), "no watch", unit="of the ideal")
    return report([replace(row, wrong=wrong, note=note)])


if __name__ == "__main__":
    sys.exit(main())
