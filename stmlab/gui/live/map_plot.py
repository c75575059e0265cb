"""A channel in colours over the innermost axis and one outside it, as it grows; with cuts along both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt

from stmlab.gui.live.area import PlotArea, axis_of
from stmlab.gui.live.drawn import logarithm
from stmlab.gui.live.grid import Grid, even_cells, grid_of, is_log, row_axis_of
from stmlab.gui.live.items import Curve, Marks
from stmlab.gui.live.words import position_on, spelled
from stmlab.units import written_unit

if TYPE_CHECKING:
    from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent

    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.live.shown import Shown
    from stmlab.gui.themes import Theme

_PERCENTILES = (1.0, 99.0)
_SAMPLED = 40_000  # values that the levels are taken from


class MapPlot(PlotArea):
    """The image above, with a colour bar; the cut along the innermost axis below, that along the other one beside."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.main = self.plot("left", "bottom")
        self.below = self.plot("left", "bottom")
        self.beside = self.plot("left", "bottom")
        self.image = pg.ImageItem(axisOrder="row-major")
        self.main.addItem(self.image)
        self.main.showGrid(x=False, y=False)
        self.bar = pg.ColorBarItem(values=(0.0, 1.0), colorMap=theme.colour_map, interactive=True, width=14)
        self.bar.setImageItem(self.image)
        self.bar.sigLevelsChangeFinished.connect(self._levels_chosen)
        for plot, row, column in ((self.main, 0, 0), (self.beside, 0, 2), (self.below, 1, 0)):
            self.addItem(plot, row=row, col=column)
        self.addItem(self.bar, row=0, col=1)
        self.ci.layout.setRowStretchFactor(0, 3)
        self.ci.layout.setRowStretchFactor(1, 1)
        self.ci.layout.setColumnStretchFactor(0, 4)
        self.ci.layout.setColumnStretchFactor(2, 1)
        axis_of(self.beside, "bottom").setStyle(maxTextLevel=0)
        self.below.setXLink(self.main)
        self.beside.setYLink(self.main)
        self.cursor = tuple(pg.InfiniteLine(angle=angle, movable=True) for angle in (90, 0))
        for line in self.cursor:
            self.main.addItem(line, ignoreBounds=True)
            line.sigDragged.connect(self._cut)
        self._chosen = False  # whether the user has put the cursor somewhere
        self._levels_are_chosen = False
        self._power, self._unit = 0, ""
        self._grid: Grid | None = None
        self._arranged: tuple[object, ...] = ()
        self._key: tuple[object, ...] = ()
        self._items: tuple[Curve, Marks, Curve, Marks] | None = None

    def forget(self) -> None:
        """New items at the next drawing."""
        self._arranged = ()

    def show_all(self) -> None:
        """All of the map in view, and the levels by themselves again."""
        self._levels_are_chosen = False
        self._key = ()
        super().show_all()

    def renew(self, data: RunData, shown: Shown) -> None:
        """Draw what has changed."""
        assert data.started is not None
        arranged = (id(data), data.started.run_id, shown, self.theme.name)
        if arranged != self._arranged:
            self._arrange(data, shown)
            self._arranged, self._key = arranged, ()
        key = (data.version, self._levels_are_chosen)
        if key == self._key or data.layout.sweep is None or not data.layout.outer:
            return
        self._key = key
        grid = grid_of(data, shown)
        self._show(grid, data.unit(shown.left[0]))
        self._grid = grid
        if not self._chosen and data.last >= 0:
            self._follow_run(data, grid)
        if data.last >= 0:
            self._cut()
        else:
            self.words = "no points yet"

    # -- details -----------------------------------------------------------------------------------------------------

    def _show(self, grid: Grid, unit: str) -> None:
        known = grid.values[np.isfinite(grid.values)]
        if not len(known):
            self.image.clear()
            return
        sample = known[:: max(len(known) // _SAMPLED, 1)]
        low, high = np.percentile(sample, _PERCENTILES)
        power, self._unit = written_unit(float(np.abs(sample).max()), unit)
        if power != self._power:
            self._levels_are_chosen = False
        self._power = power
        scale = 10.0**-power
        x, y, values = even_cells(grid)
        self.image.setImage(values * scale, autoLevels=False)
        self.image.setRect(QRectF(x[0], y[0], x[-1] - x[0], y[-1] - y[0]))
        if not self._levels_are_chosen:
            if high <= low:
                low, high = low - 0.5 * abs(low) - 1e-300, high + 0.5 * abs(high) + 1e-300
            self.bar.rounding = float((high - low) * scale / 1000)
            self.bar.blockSignals(True)
            self.bar.setLevels(values=(low * scale, high * scale))
            self.bar.blockSignals(False)
        self._label_bar()

    def _label_bar(self) -> None:
        title = f"{spelled(self.shown.left[0])} ({self._unit})" if self._unit else spelled(self.shown.left[0])
        axis = self.bar.axis
        if axis.labelText != title:
            axis.setLabel(title, color=self.theme.text)

    def _levels_chosen(self) -> None:
        self._levels_are_chosen = True

    def _follow_run(self, data: RunData, grid: Grid) -> None:
        """The cut lies through the sweep that is being taken."""
        line = data.layout.line_at(data.last * data.layout.width)
        row = line.outer[row_axis_of(data)]
        y = grid.row_axis.values[row]
        self.cursor[1].setPos(logarithm(np.array([y]))[0] if is_log(grid.row_axis) else float(y))
        x = data.x(np.array([data.last * data.layout.width]))
        self.cursor[0].setPos(float((logarithm(x) if self.shown.log_x else x)[0]))

    def _cut(self, *_: object) -> None:
        """Draw what lies under the cursor's two lines."""
        if _ and _[0] in self.cursor:
            self._chosen = True
        if self._grid is None or self._items is None:
            return
        grid = self._grid
        row = int(np.argmin(np.abs(grid.y - self.cursor[1].value())))
        column = int(np.argmin(np.abs(grid.x - self.cursor[0].value())))
        along, marks, across, dots = self._items
        few = len(grid.x) <= 200
        along.show_line(grid.x, grid.values[row], smooth=few)
        if few:
            marks.show_marks(grid.x, grid.values[row])
        else:
            marks.hide_line()
        across.show_line(grid.values[:, column], grid.y, smooth=True)
        dots.show_marks(grid.values[:, column], grid.y)
        place = position_on(grid.row_axis, int(grid.order[row]))
        at = axis_of(self.main, "bottom")
        self.words = ", ".join(filter(None, (grid.held, f"cuts at {place} and at {at.written(float(grid.x[column]))}")))

    def point_at(self, x: float, y: float) -> None:
        """The value of the cell under the mouse."""
        if self._grid is None:
            return
        grid = self._grid
        row, column = int(np.argmin(np.abs(grid.y - y))), int(np.argmin(np.abs(grid.x - x)))
        place = position_on(grid.row_axis, int(grid.order[row]))
        value = axis_of(self.below, "left").told(float(grid.values[row, column]))
        self.pointed.emit(f"{axis_of(self.main, 'bottom').told(float(grid.x[column]))}, {place}: {value}")

    def _clicked(self, event: MouseClickEvent) -> None:
        """A click into the map puts the cursor there; a double click lets it follow the run again."""
        super()._clicked(event)
        view = self.main.getViewBox()
        if event.button() != Qt.MouseButton.LeftButton or not view.sceneBoundingRect().contains(event.scenePos()):
            return
        if event.double():
            self._chosen = False
            self._key = ()
            self.later()
            return
        place = view.mapSceneToView(event.scenePos())
        self.put_cursor(place.x(), place.y())

    def put_cursor(self, x: float, y: float) -> None:
        """Cut here, in coordinates of the view."""
        self._chosen = True
        self.cursor[0].setPos(x)
        self.cursor[1].setPos(y)
        self._cut()

    def _arrange(self, data: RunData, shown: Shown) -> None:
        for item in self._items or ():
            item.getViewBox().removeItem(item)
        colour = self.theme.curves[0]
        self._items = Curve(colour), Marks(colour), Curve(colour), Marks(colour)
        for item, plot in zip(self._items, (self.below, self.below, self.beside, self.beside), strict=True):
            plot.addItem(item)
        for line in self.cursor:
            line.setPen(pg.mkPen(self.theme.cursor, width=1, style=Qt.PenStyle.DashLine))
        self.bar.setColorMap(pg.colormap.get(self.theme.colour_map))
        for side in ("left", "right", "bottom", "top"):
            self.bar.getAxis(side).setTextPen(self.theme.text)
        sweep = data.layout.sweep
        self._chosen = self._levels_are_chosen = False
        if sweep is None or not data.layout.outer:
            return
        rows = data.layout.axes[row_axis_of(data)]
        what, unit = spelled(shown.left[0]), data.unit(shown.left[0])
        for plot in (self.main, self.below):
            axis_of(plot, "bottom").describe(sweep.label or sweep.name, sweep.unit, logarithmic=shown.log_x)
        for plot in (self.main, self.beside):
            axis_of(plot, "left").describe(rows.label or rows.name, rows.unit, logarithmic=is_log(rows))
        axis_of(self.below, "left").describe(what, unit)
        axis_of(self.beside, "bottom").describe(what, unit)
        self.show_all()
