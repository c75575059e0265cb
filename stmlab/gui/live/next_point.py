"""The place that a run which chooses its points is measuring now: an upright line in the plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyqtgraph as pg
from PyQt6.QtCore import Qt

from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.live.shown import Shown
    from stmlab.gui.themes import Theme


class NextPoint:
    """A line in a plot over the innermost axis.

    Attributes:
        place: where it is, in words; "" while it is nowhere.
    """

    def __init__(self, plot: pg.PlotItem) -> None:
        self.place = ""
        self.line = pg.InfiniteLine(angle=90)
        self.line.setZValue(-1)
        self.line.setVisible(False)
        plot.addItem(self.line, ignoreBounds=True)

    def arrange(self, theme: Theme) -> None:
        """Colours."""
        self.line.setPen(pg.mkPen(theme.cursor, width=1, style=Qt.PenStyle.DashLine))

    def draw(self, data: RunData, shown: Shown) -> None:
        """Move the line to where the run says it is measuring."""
        sweep = data.layout.sweep
        known = data.next_place >= 0 and sweep is not None and not sweep.hardware
        self.line.setVisible(known)
        self.place = ""
        if not known or sweep is None:
            return
        x = float(sweep.values[data.next_place % len(sweep)])
        self.line.setPos(math.log10(x) if shown.log_x else x)
        self.place = format_quantity(float(f"{x:.3g}"), sweep.unit)
