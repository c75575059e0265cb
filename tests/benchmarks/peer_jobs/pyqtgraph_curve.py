"""Redraws of a curve that grows, in pyqtgraph tuned as its documentation says: POINTS STEPS WIDTH HEIGHT."""

from __future__ import annotations

import itertools
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"
import numpy as np
import pyqtgraph as pg
from PyQt6.QtWidgets import QApplication
from told import told

POINTS, STEPS, *SIZE = (int(argument) for argument in sys.argv[1:])
application = QApplication(sys.argv)
source = np.linspace(-1e-2, 1e-2, POINTS), 1e-12 * np.random.default_rng(1).normal(size=POINTS)
x, y = np.empty(POINTS), np.empty(POINTS)
plot = pg.PlotWidget(background="w")
plot.resize(*SIZE)
item = plot.getPlotItem()
item.setDownsampling(auto=True, mode="peak")
item.setClipToView(True)
item.showGrid(x=True, y=True, alpha=0.15)
item.setLabel("bottom", "bias", units="V")
item.setLabel("left", "current", units="A")
curve = item.plot(pen=pg.mkPen("#0a5a9c", width=1), skipFiniteCheck=True)
plot.show()
bounds = np.linspace(0, POINTS, STEPS + 1).astype(int).tolist()


def grow() -> int:
    """One array that grows in place, painted after each step."""
    for first, stop in itertools.pairwise(bounds):
        x[first:stop], y[first:stop] = source[0][first:stop], source[1][first:stop]
        curve.setData(x[:stop], y[:stop], skipFiniteCheck=True)
        application.processEvents()
        plot.viewport().repaint()
    return len(curve.getOriginalDataset()[0])


told("pyqtgraph", grow, 3, STEPS)
