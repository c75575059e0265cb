"""A curve of a million points while it grows: what a redraw costs here, in tuned pyqtgraph and in pymeasure's curve.

Each of them gets the same noise in the same steps on a plot of the same size, and paints after each step. pyqtgraph is
tuned as its documentation says: downsampling to peaks, clipped to the view, no search for nan, one array that grows in
place. Memory: all points are read once more, and the process must not grow.
"""

from __future__ import annotations

import itertools
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
import numpy as np
import pandas as pd
import pyqtgraph as pg
from pymeasure.display.curves import ResultsCurve
from PyQt6.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.axes import Axis, Channel
from stmlab.events import RunStarted
from stmlab.gui.live.run_data import RunData
from stmlab.gui.live.shown import Shown
from stmlab.gui.live.sweep_plot import SweepPlot
from stmlab.gui.themes import LIGHT
from tests.benchmarks.side_by_side import Row, cpu_now, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray

POINTS, STEPS, SIZE = 1_000_000, 40, (900, 600)
REPEATS = 3
LEAST_TUNED, LEAST_PYMEASURE = 1.5, 10.0
LARGEST_GROWTH = 8e6  # bytes, while a million points are read again


class Ours:
    """The live plot, fed with readings as the follower of a file gives them."""

    def __init__(self, x: FloatArray, y: FloatArray) -> None:
        self.x, self.y = x, y
        self.plot = SweepPlot(LIGHT)
        self.plot.resize(*SIZE)
        self.plot.show()
        self.begin()

    def begin(self) -> None:
        """A new run."""
        axis, channel = Axis("bias", "V", self.x, "bias"), Channel("current", "A", "")
        self.data = RunData()
        self.data(RunStarted("1", "sweep", "", {}, (axis,), (channel,), 0.0, "bench", ""))
        self.shown = Shown(left=("current",))

    def grow(self, first: int, stop: int) -> None:
        """Points from first to before stop come."""
        rows = slice(first, stop)
        self.data.take(np.arange(first, stop), self.x[rows, None], [self.y[rows]])
        self.plot.draw(self.data, self.shown)


class Tuned:
    """pyqtgraph with all that its documentation knows."""

    def __init__(self, x: FloatArray, y: FloatArray) -> None:
        self.x, self.y = np.empty_like(x), np.empty_like(y)
        self.source = x, y
        self.plot = pg.PlotWidget(background="w")
        self.plot.resize(*SIZE)
        item = self.plot.getPlotItem()
        item.setDownsampling(auto=True, mode="peak")
        item.setClipToView(True)
        item.showGrid(x=True, y=True, alpha=0.15)
        item.setLabel("bottom", "bias", units="V")
        item.setLabel("left", "current", units="A")
        self.curve = item.plot(pen=pg.mkPen("#0a5a9c", width=1), skipFiniteCheck=True)
        self.plot.show()

    def grow(self, first: int, stop: int) -> None:
        """Points from first to before stop come."""
        for target, source in zip((self.x, self.y), self.source, strict=True):
            target[first:stop] = source[first:stop]
        self.curve.setData(self.x[:stop], self.y[:stop], skipFiniteCheck=True)


class Pymeasure:
    """pymeasure's curve of its results, whose data are there already."""

    def __init__(self, x: FloatArray, y: FloatArray) -> None:
        self.table = pd.DataFrame({"x": x, "y": y})
        self.plot = pg.PlotWidget(background="w")
        self.plot.resize(*SIZE)
        self.curve = ResultsCurve(self, "x", "y", pen=pg.mkPen("#0a5a9c", width=1))
        self.plot.addItem(self.curve)
        self.plot.show()

    def grow(self, first: int, stop: int) -> None:
        """Points from first to before stop come."""
        self.data = self.table.iloc[:stop]
        self.curve.update_data()


def seconds(shown: Ours | Tuned | Pymeasure, steps: int, application: QApplication) -> float:
    """CPU seconds of a redraw, mean over the last steps of a curve that grows to its end."""
    bounds = np.linspace(0, POINTS, STEPS + 1).astype(int).tolist()
    pieces = list(itertools.pairwise(bounds))[-steps:]
    return sum(one_step(shown.grow, first, stop, shown.plot, application) for first, stop in pieces) / steps


def one_step(grow: Callable[[int, int], None], first: int, stop: int, plot: pg.PlotWidget, app: QApplication) -> float:
    """CPU seconds from the arrival of points until they are painted."""
    start = cpu_now()
    grow(first, stop)
    app.processEvents()
    plot.viewport().repaint()
    return cpu_now() - start


def growth(ours: Ours, application: QApplication) -> int:
    """Bytes by which the process grows while all points are read again."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds(ours, STEPS, application)
    return 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


def main() -> int:
    """Print redraws side by side, and how memory grows."""
    application = QApplication.instance() or QApplication(sys.argv)
    assert isinstance(application, QApplication)
    x = np.linspace(-1e-2, 1e-2, POINTS)
    y = 1e-12 * np.random.default_rng(1).normal(size=POINTS)
    ours, tuned, pymeasure = Ours(x, y), Tuned(x, y), Pymeasure(x, y)
    pairs = []
    for _ in range(REPEATS):
        ours.begin()
        pairs.append((seconds(ours, STEPS, application), seconds(tuned, STEPS, application)))
    mine, others = np.array(pairs).T
    table = seconds(pymeasure, 2, application)
    grown = growth(ours, application)
    wrong = "" if grown <= LARGEST_GROWTH else f"grows by {grown / 1e6:.0f} MB while points are read again"
    spread = float(np.std(others / mine) / np.mean(others / mine))
    work, best = "redraw of a curve that grows to 1e6 points", float(mine.min())
    return report(
        [
            Row(work, best, float(others.min()), "tuned pyqtgraph", LEAST_TUNED, spread=spread, wrong=wrong),
            Row(work, best, table, "pymeasure's curve", LEAST_PYMEASURE, note="its last redraws"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
