"""A plot of curves with units on both axes, the values under the pointer, and room for what a fit leaves beneath."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtGui import QColor

from stmlab.gui.live.axes import QuantityAxis
from stmlab.gui.live.items import Curve as Line
from stmlab.gui.live.items import Marks
from stmlab.gui.themes import paint_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PyQt6.QtCore import QPointF

    from stmlab.arrays import FloatArray
    from stmlab.gui.data.opened import Curve
    from stmlab.gui.themes import Theme

_MARKED = 400  # points up to which each has a mark
_LONG = 20_000  # points of a curve of which only what the screen can show is drawn
_STRETCHES = 2000
_SHARE = 3  # of the height: curves over residual
_SHADE = 30  # of 255: how much a chosen stretch is tinted
_GROUND = 215  # of 255: how much of what lies behind the legend is covered
_TICK_LETTERS = 7  # of the numbers at the axes, where two plots stand below each other


def envelope(x: FloatArray, y: FloatArray, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """A long curve between two ends: the smallest and largest value of each of as many stretches as a screen shows.

    Args:
        x: rising, shape (n,).
        y: shape (n,); nan is left out.
        low: one end.
        high: the other one.
    """
    first, last = (int(np.searchsorted(x, end)) for end in (low, high))
    first, last = max(first - 1, 0), min(last + 1, len(x))
    if last - first <= 2 * _STRETCHES:
        return x[first:last], y[first:last]
    starts = np.linspace(first, last, _STRETCHES, endpoint=False).astype(np.int64)
    part = slice(first, last)
    sides = [side.reduceat(y[part], starts - first) for side in (np.fmin, np.fmax)]
    return np.repeat(x[starts], 2), np.column_stack(sides).ravel()


@dataclass(frozen=True)
class Drawn:
    """One curve, and how it is drawn.

    Attributes:
        curve: its values.
        colour: "#rrggbb".
        marks: whether its points are marked, where they are few.
        width: of the line.
        named: whether the legend has it.
    """

    curve: Curve
    colour: str
    marks: bool = True
    width: float = 1.0
    named: bool = False


class CurvePlot(pg.GraphicsLayoutWidget):  # type: ignore[misc, unused-ignore]
    """Draws curves that share their axes.

    Signals:
        pointed: the place and value under the pointer, in words; "" when it is elsewhere.
        chosen_range: both ends of the stretch that was chosen, if `choose_range` is on.
    """

    pointed = pyqtSignal(str)
    chosen_range = pyqtSignal(float, float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.axes = {side: QuantityAxis(side) for side in ("left", "bottom")}
        self.main = self.addPlot(row=0, col=0, axisItems=self.axes, enableMenu=False)
        self.residual_axes = {side: QuantityAxis(side) for side in ("left", "bottom")}
        self.residual = pg.PlotItem(axisItems=self.residual_axes, enableMenu=False)
        self.residual.setXLink(self.main)
        for plot in (self.main, self.residual):
            plot.hideButtons()
            plot.showGrid(x=True, y=True, alpha=0.15)
        self.legend = self.main.addLegend(offset=(-10, 10))
        self.cross = tuple(pg.InfiniteLine(angle=angle, movable=False) for angle in (90, 0))
        for line in self.cross:
            self.main.addItem(line, ignoreBounds=True)
            line.hide()
        self.span: pg.LinearRegionItem | None = None
        self.drawn: tuple[Drawn, ...] = ()
        self.left: tuple[Drawn, ...] = ()
        self._items: list[tuple[pg.PlotItem, Line | Marks]] = []
        self._long: list[tuple[Line, FloatArray, FloatArray]] = []
        self._logarithmic = False
        self.main.getViewBox().sigXRangeChanged.connect(self._renew_long)
        self.scene().sigMouseMoved.connect(self._moved)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._renew_axes)
        for plot in (self.main, self.residual):
            plot.getViewBox().sigResized.connect(lambda _view: self._soon.start(0))
        self.use_theme(theme)

    def use_theme(self, theme: Theme) -> None:
        """New colours of the ground; whoever draws draws again."""
        self.theme = theme
        self.setBackground(theme.base)
        for plot in (self.main, self.residual):
            paint_plot(plot, theme, ("left", "bottom"))
        self.legend.setLabelTextColor(theme.text)
        ground = QColor(theme.base)
        ground.setAlpha(_GROUND)
        self.legend.setBrush(ground)
        for line in self.cross:
            line.setPen(pg.mkPen(theme.cursor, width=1.0))

    def draw(self, drawn: Sequence[Drawn], residual: Sequence[Drawn] = ()) -> None:
        """Show these curves; the first says what the axes show. ``residual`` stands beneath, over the same x."""
        for plot, item in self._items:
            plot.removeItem(item)
        self._items, self._long = [], []
        self.legend.clear()
        self.drawn, self.left = tuple(drawn), tuple(residual)
        self._logarithmic = bool(drawn) and drawn[0].curve.logarithmic
        first = drawn[0].curve if drawn else None
        self._describe(self.axes, first, bottom=not residual)
        self._show_residual(residual[0].curve if residual else None)
        for plot, ones in ((self.main, drawn), (self.residual, residual)):
            for one in ones:
                self._add(plot, one)

    def show_all(self) -> None:
        """All of the curves in view."""
        for plot in (self.main, self.residual):
            plot.getViewBox().enableAutoRange()

    # -- choosing a stretch ------------------------------------------------------------------------------------------

    def choose_range(self, ends: tuple[float, float] | None) -> None:
        """Show a stretch of x whose ends can be drawn by the mouse; None: none."""
        if self.span is not None:
            self.main.removeItem(self.span)
            self.span = None
        if ends is None:
            return
        shade, edge = QColor(self.theme.accent), pg.mkPen(self.theme.accent, width=1.5)
        shade.setAlpha(_SHADE)
        at = self._mapped(np.array(ends)).tolist()
        self.span = pg.LinearRegionItem(at, swapMode="sort", brush=shade, hoverBrush=shade, pen=edge)
        self.span.setZValue(-10)
        self.main.addItem(self.span, ignoreBounds=True)
        self.span.sigRegionChangeFinished.connect(self._ranged)

    def _ranged(self) -> None:
        if self.span is not None:
            low, high = (10.0**end if self._logarithmic else end for end in self.span.getRegion())
            self.chosen_range.emit(low, high)

    def _renew_long(self, _view: object, ends: tuple[float, float]) -> None:
        """Of long curves what the screen can show of the stretch in view."""
        for line, x, y in self._long:
            line.show_line(*envelope(x, y, *ends))

    def _renew_axes(self) -> None:
        """Draw the axes at their new size: one that grows while it is drawn is kept as it was before."""
        for axis in (*self.axes.values(), *self.residual_axes.values()):
            axis.picture = None
            axis.update()

    # -- details -----------------------------------------------------------------------------------------------------

    def _mapped(self, x: FloatArray) -> FloatArray:
        """Coordinates of the view."""
        if not self._logarithmic:
            return x
        mapped: FloatArray = np.log10(np.where(x > 0, x, np.nan))
        return mapped

    def _describe(self, axes: dict[str, QuantityAxis], first: Curve | None, *, bottom: bool) -> None:
        if first is None:
            for axis in axes.values():
                axis.describe("", "")
            return
        axes["left"].describe(first.y_label, first.y_unit)
        axes["bottom"].describe(first.x_label if bottom else "", first.x_unit, logarithmic=first.logarithmic)
        axes["bottom"].setStyle(showValues=bottom)

    def _show_residual(self, first: Curve | None) -> None:
        there = self.residual in self.ci.items
        if first is not None and not there:
            self.addItem(self.residual, row=1, col=0)
            self.ci.layout.setRowStretchFactor(0, _SHARE)
            self.ci.layout.setRowStretchFactor(1, 1)
        elif first is None and there:
            self.removeItem(self.residual)
        if first is not None:
            self._describe(self.residual_axes, first, bottom=True)
            metrics = self.fontMetrics()
            for axes in (self.axes, self.residual_axes):
                axes["left"].setWidth(_TICK_LETTERS * metrics.averageCharWidth() + metrics.height())
        else:
            self.axes["left"].setWidth(None)

    def _add(self, plot: pg.PlotItem, one: Drawn) -> None:
        x, y = self._mapped(one.curve.x), one.curve.y
        few = one.marks and len(x) <= _MARKED
        line = Line(one.colour, one.width)
        if len(x) > _LONG and bool(np.all(np.diff(x) > 0)):
            self._long.append((line, x, y))
            line.show_line(*envelope(x, y, -math.inf, math.inf))
        elif len(x):
            line.show_line(x, y, smooth=len(x) <= _MARKED)
        self._items.append((plot, line))
        plot.addItem(line)
        if few:
            marks = Marks(one.colour, 5.0)
            marks.show_marks(x, y)
            self._items.append((plot, marks))
            plot.addItem(marks)
        if one.named:
            self.legend.addItem(pg.PlotDataItem(pen=pg.mkPen(one.colour, width=2.0)), one.curve.name)

    def _moved(self, at: QPointF) -> None:
        """The crosshair follows the pointer."""
        view = self.main.getViewBox()
        inside = bool(self.drawn) and view.sceneBoundingRect().contains(at)
        for line in self.cross:
            line.setVisible(inside)
        if not inside:
            self.pointed.emit("")
            return
        place = view.mapSceneToView(at)
        self.cross[0].setPos(place.x())
        self.cross[1].setPos(place.y())
        x, y = self.axes["bottom"].written(place.x()), self.axes["left"].written(place.y())
        first = self.drawn[0].curve
        self.pointed.emit(f"{first.x_label} {x}, {first.y_label} {y}")

    def leaveEvent(self, event: object) -> None:
        """The pointer has gone."""
        super().leaveEvent(event)
        for line in self.cross:
            line.hide()
        self.pointed.emit("")
