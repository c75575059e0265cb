"""How long the window's event loop is held up by a run of 20,000 points, and by a trace of a million samples.

Another process writes the run as fast as it can; the panel reads its file and draws. A timer asks for a turn of the
event loop every millisecond; what is told is the longest time between two turns, in CPU time of the window's thread, so
that other processes of the machine do not count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
import numpy as np
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.axes import Axis, Channel
from stmlab.events import PointTaken, RunFinished, RunStarted, RunState
from stmlab.gui.context import Context
from stmlab.gui.live.panel import LivePanel
from stmlab.gui.settings import Settings
from stmlab.storage import Writer
from tests.benchmarks.side_by_side import Row, report

POINTS, SAMPLES, PART = 20_000, 1_000_000, 20_000
LONGEST = 50e-3  # s
PATIENCE = 100.0  # s


def write(kind: str, path: Path) -> None:
    """Write a run; told by the command line, in a process of its own."""
    trace = kind == "trace"
    axis = Axis("time", "s", np.arange(SAMPLES) * 1e-5, "time", hardware=trace)
    if not trace:
        axis = Axis("bias", "V", np.linspace(-1e-2, 1e-2, POINTS), "bias")
    noise = 1e-12 * np.random.default_rng(1).normal(size=max(POINTS, SAMPLES))
    channels = (Channel("current", "A", "noise"),) if trace else tuple(Channel(n, "A", "") for n in ("a", "b", "c"))
    writer = Writer(path)
    writer(RunStarted("1", kind, "2026-01-01T00:00:00", {}, (axis,), channels, 0.0, "bench", ""))
    if trace:
        writer(PointTaken(0, 0.0, (), (noise,)))
    else:
        for k, x in enumerate(axis.values.tolist()):
            writer(PointTaken(k, 1e-3 * k, (x,), (float(noise[k]), float(noise[-k]), 1e-12), visit=k))
    writer(RunFinished(RunState.FINISHED, "completed", "", 1 if trace else POINTS, 1.0))


class Probe:
    """A timer that measures the time between its turns.

    Attributes:
        cpu, wall: the longest, s.
    """

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0
        self._timer = QTimer()
        self._timer.timeout.connect(self._turn)
        self.reset()
        self._timer.start(1)

    def reset(self) -> None:
        """Begin anew."""
        self._cpu, self._wall = time.thread_time(), time.perf_counter()

    def _turn(self) -> None:
        cpu, wall = time.thread_time(), time.perf_counter()
        self.cpu, self.wall = max(self.cpu, cpu - self._cpu), max(self.wall, wall - self._wall)
        self._cpu, self._wall = cpu, wall


def watched(kind: str, folder: Path, application: QApplication, panel: LivePanel) -> Probe:
    """Watch a run from its start to its end."""
    path = folder / f"{kind}.h5"
    with subprocess.Popen([sys.executable, __file__, kind, str(path)]) as writer:
        end = time.monotonic() + PATIENCE
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.01)
        probe = Probe()
        panel.show_run(path)
        while panel.source.data.state != "finished" and time.monotonic() < end:
            application.processEvents()
        panel.plot.show_all()
        for _ in range(20):
            application.processEvents()
        writer.wait(PATIENCE)
    return probe


def under_way(application: QApplication, panel: LivePanel) -> Probe:
    """A trace that comes in parts, as the process that takes it tells of it."""
    axis, channel = Axis("time", "s", np.arange(SAMPLES) * 1e-5, "time", hardware=True), Channel("current", "A", "")
    noise = 1e-12 * np.random.default_rng(1).normal(size=SAMPLES)
    panel.take_events([RunStarted("2", "trace", "", {}, (axis,), (channel,), 0.0, "bench", "")])
    probe = Probe()
    for stop in range(PART, SAMPLES + 1, PART):
        panel.source.data.partial(0, {"current": noise[:stop]})
        panel.refresh()
        application.processEvents()
    return probe


def told(work: str, probe: Probe, panel: LivePanel, points: int) -> Row:
    """A row; wrong if the loop was held up for too long, or not all was seen."""
    data = panel.source.data
    seen = int(np.count_nonzero(np.isfinite(data.cells(data.channels[0]))))
    wrong = "" if seen == points else f"{seen} of {points} points were seen"
    if not wrong and probe.cpu > LONGEST:
        wrong = f"held up for {1e3 * probe.cpu:.0f} ms, at most {1e3 * LONGEST:.0f} ms are wanted"
    note = f"longest time between two turns of the event loop; by the clock {1e3 * probe.wall:.0f} ms"
    return Row(work, 1e3 * probe.cpu, None, "", unit="ms", wrong=wrong, note=note)


def main() -> int:
    """Watch, and print the longest time between two turns."""
    if len(sys.argv) == 3:
        write(sys.argv[1], Path(sys.argv[2]))
        return 0
    application = QApplication.instance() or QApplication(sys.argv)
    assert isinstance(application, QApplication)
    with tempfile.TemporaryDirectory() as name:
        context = Context(Settings(Path(name) / "window.json"))
        panel = LivePanel(context)
        panel.resize(900, 700)
        panel.show()
        rows = []
        for kind, work, count in (
            ("points", f"window: a run of {POINTS} points", POINTS),
            ("trace", f"window: the file of a trace of {SAMPLES} samples", SAMPLES),
        ):
            rows.append(told(work, watched(kind, Path(name), application, panel), panel, count))
        rows.append(told("window: such a trace under way", under_way(application, panel), panel, SAMPLES))
        context.close()
    return report(rows)


if __name__ == "__main__":
    sys.exit(main())
