"""A map in colours with a bar; a click chooses a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt, pyqtSignal

from stmlab.gui.live.axes import QuantityAxis
from stmlab.gui.themes import paint_plot
from stmlab.units import written_unit

if TYPE_CHECKING:
    from PyQt6.QtGui import QKeyEvent
    from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent

    from stmlab.gui.data.mapping import Layer, Side
    from stmlab.gui.themes import Theme

_BULK = (0.01, 0.99)  # of the values, smallest first, between which the colours run
_STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Down: (-1, 0),
    Qt.Key.Key_Up: (1, 0),
}


class MapImage(pg.GraphicsLayoutWidget):  # type: ignore[misc, unused-ignore]
    """Draws a `Layer`.

    Attributes:
        cell: row and column that are chosen.

    Signals:
        chosen: row and column, by a click or the arrow keys.
    """

    chosen = pyqtSignal(int, int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.cell = (0, 0)
        self._sides: tuple[Side, Side] | None = None
        self._shape = (0, 0)
        self.axes = {side: QuantityAxis(side) for side in ("left", "bottom")}
        self.main = self.addPlot(row=0, col=0, axisItems=self.axes, enableMenu=False)
        self.main.hideButtons()
        self.image = pg.ImageItem(axisOrder="row-major")
        self.main.addItem(self.image)
        self.bar = pg.ColorBarItem(values=(0.0, 1.0), colorMap=theme.colour_map, interactive=True, width=14)
        self.bar.setImageItem(self.image)
        self.addItem(self.bar, row=0, col=1)
        self.frame = pg.PlotCurveItem()
        self.main.addItem(self.frame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.scene().sigMouseClicked.connect(self._clicked)
        self.use_theme(theme)

    def use_theme(self, theme: Theme) -> None:
        """New colours."""
        self.setBackground(theme.base)
        paint_plot(self.main, theme, ("left", "bottom"))
        self.bar.setColorMap(pg.colormap.get(theme.colour_map))
        self.bar.axis.setPen(theme.faint)
        self.bar.axis.setTextPen(theme.text)
        self.frame.setPen(pg.mkPen(theme.fit, width=3.0))

    def draw(self, layer: Layer, sides: tuple[Side, Side]) -> None:
        """Show a map; its colours run over the bulk of its values."""
        self._sides, self._shape = sides, layer.values.shape
        across, down = sides
        self.axes["bottom"].describe(across.label, across.unit)
        self.axes["left"].describe(down.label if len(down.centres) > 1 else "", down.unit)
        self.axes["left"].setStyle(showValues=len(down.centres) > 1)
        known = layer.values[np.isfinite(layer.values)]
        if not known.size:
            self.image.clear()
            self.bar.getAxis("right").setLabel("")
            return
        ends = np.sort(known)[[round(share * (known.size - 1)) for share in _BULK]].tolist()
        power, unit = written_unit(max(map(abs, ends)), layer.unit)
        scale = 10.0**-power
        low, high = (end * scale for end in ends)
        if not high > low:
            low, high = low - 0.5 * abs(low) - 1e-9, high + 0.5 * abs(high) + 1e-9
        self.image.setImage(layer.values * scale, autoLevels=False)
        (left, right), (bottom, top) = across.ends, down.ends
        self.image.setRect(QRectF(left, bottom, right - left, top - bottom))
        self.bar.setLevels((low, high))
        self.bar.getAxis("right").setLabel(f"{layer.name} ({unit})" if unit else layer.name)
        self.main.getViewBox().setAspectLocked(across.unit == down.unit == "m")
        self.mark(*self.cell)

    def mark(self, row: int, column: int) -> None:
        """Put the frame round a cell; beyond the map, round the nearest."""
        if self._sides is None:
            return
        rows, columns = self._shape
        self.cell = row, column = min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
        corners = []
        for side, k, count in ((self._sides[0], column, columns), (self._sides[1], row, rows)):
            low, high = side.ends
            size = (high - low) / count
            corners.append((low + k * size, low + (k + 1) * size))
        (left, right), (bottom, top) = corners
        self.frame.setData([left, right, right, left, left], [bottom, bottom, top, top, bottom])

    def choose(self, row: int, column: int) -> None:
        """As by a click."""
        self.mark(row, column)
        self.chosen.emit(*self.cell)

    def _clicked(self, event: MouseClickEvent) -> None:
        view = self.main.getViewBox()
        if self._sides is None or not view.sceneBoundingRect().contains(event.scenePos()):
            return
        at = view.mapSceneToView(event.scenePos())
        cell = []
        for place, side, count in ((at.y(), self._sides[1], self._shape[0]), (at.x(), self._sides[0], self._shape[1])):
            low, high = side.ends
            cell.append(int(np.floor((place - low) / (high - low) * count)))
        if 0 <= cell[0] < self._shape[0] and 0 <= cell[1] < self._shape[1]:
            self.choose(*cell)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """The arrow keys go from cell to cell."""
        step = _STEPS.get(Qt.Key(event.key())) if event is not None else None
        if step is None:
            super().keyPressEvent(event)
            return
        self.choose(self.cell[0] + step[0], self.cell[1] + step[1])
