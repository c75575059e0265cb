"""Channels over the innermost axis: the sweep that is taken, earlier ones, means, the fit and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QTimer, pyqtSignal

from stmlab.gui.live.axes import QuantityAxis
from stmlab.gui.live.drawn import Drawn, Extent, drawn_line, drawn_mean
from stmlab.gui.live.fitted import FittedLines
from stmlab.gui.live.items import Bars, Curve, Marks
from stmlab.gui.live.selection import focus_line, lines_of_sweep, lines_with_values
from stmlab.gui.live.shown import Shown, Sweeps
from stmlab.gui.themes import Theme, paint_plot

if TYPE_CHECKING:
    from PyQt6.QtGui import QResizeEvent

    from stmlab.arrays import FloatArray
    from stmlab.gui.live.lines import Line
    from stmlab.gui.live.run_data import RunData

_MARKED = 400  # points of a line up to which each has a mark
_EARLIER = 64  # earlier sweeps that are drawn
_EMPTY: FloatArray = np.empty(0)


@dataclass
class _ChannelItems:
    """What is drawn of one channel; ways: forward, backward."""

    lines: tuple[Curve, Curve]
    marks: tuple[Marks, Marks]
    bars: Bars
    earlier: Curve
    disturbed: Marks
    earlier_key: tuple[object, ...] = ()

    def all(self) -> tuple[Curve | Marks | Bars, ...]:
        return (self.earlier, self.bars, *self.lines, *self.marks, self.disturbed)


@dataclass
class Told:
    """What the drawing shows, for the line of words above it.

    Attributes:
        line: the sweep in front, None before the first point.
        earlier: number of earlier sweeps drawn behind it; ``left_out``: how many are not.
        unseen: points that a logarithmic axis cannot show.
    """

    line: Line | None = None
    earlier: int = 0
    left_out: int = 0
    unseen: int = 0
    fitted: bool = False
    colours: dict[str, str] = field(default_factory=dict)


class SweepPlot(pg.GraphicsLayoutWidget):  # type: ignore[misc, unused-ignore]
    """Draws a `RunData`; a redraw costs what the screen can show, not what was read.

    Signals:
        drawn: after every redraw.
    """

    drawn = pyqtSignal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.axes = {side: QuantityAxis(side) for side in ("left", "bottom", "right")}
        self.main = self.addPlot(row=0, col=0, axisItems=self.axes)
        self.residual = pg.PlotItem(axisItems={side: QuantityAxis(side) for side in ("left", "bottom")})
        self.residual.setXLink(self.main)
        self.right = pg.ViewBox(enableMenu=False)
        self.main.scene().addItem(self.right)
        self.axes["right"].linkToView(self.right)
        self.right.setXLink(self.main)
        self.main.getViewBox().sigResized.connect(self._follow)
        self.main.getViewBox().sigXRangeChanged.connect(lambda *_: self._later())
        for plot in (self.main, self.residual):
            plot.hideButtons()
            plot.setMenuEnabled(False)
            plot.showGrid(x=True, y=True, alpha=0.15)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._renew)
        self._channels: dict[str, _ChannelItems] = {}
        self._fitted = FittedLines(self.main, self.residual)
        self._data: RunData | None = None
        self._shown = Shown()
        self._arranged: tuple[object, ...] = ()
        self._key: tuple[object, ...] = ()
        self.told = Told()
        self.use_theme(theme)

    # -- from outside ------------------------------------------------------------------------------------------------

    def use_theme(self, theme: Theme) -> None:
        """New colours."""
        self.theme = theme
        self.setBackground(theme.base)
        for plot, sides in ((self.main, ("left", "bottom", "right")), (self.residual, ("left", "bottom"))):
            paint_plot(plot, theme, sides)
        self._arranged = ()
        self._later()

    def draw(self, data: RunData, shown: Shown) -> None:
        """Show a run as it stands; nothing is done if nothing has changed."""
        self._data, self._shown = data, shown
        self._renew()

    def show_all(self) -> None:
        """All of the data in view, and follow them."""
        for view in (self.main.getViewBox(), self.right, self.residual.getViewBox()):
            view.enableAutoRange()
        self._later()

    # -- drawing -----------------------------------------------------------------------------------------------------

    def _later(self) -> None:
        if not self._soon.isActive():
            self._soon.start(0)

    def _renew(self) -> None:
        data, shown = self._data, self._shown
        if data is None or data.started is None:
            return
        arranged = (id(data), data.started.run_id, shown.left, shown.right, shown.log_x, shown.log_y, self.theme.name)
        if arranged != self._arranged:
            self._arrange(data, shown)
            self._arranged, self._key = arranged, ()
        extent = self.extent()
        key = (data.version, len(data.fits), shown, extent)
        if key == self._key:
            return
        self._key = key
        line = focus_line(data, shown)
        self.told = Told(line, colours=self.told.colours)
        for channel, items in self._channels.items():
            self._draw_channel(data, channel, items, line, extent)
        self._draw_fit(data, shown, line)
        self.drawn.emit()

    def extent(self) -> Extent:
        """What is in view along the innermost axis, in its own unit."""
        view = self.main.getViewBox()
        pixels = max(int(view.width()), 1)
        if view.autoRangeEnabled()[0]:
            return Extent(-np.inf, np.inf, pixels, self._shown.log_x)
        low, high = view.viewRange()[0]
        if self._shown.log_x:
            low, high = 10.0**low, 10.0**high
        return Extent(low, high, pixels, self._shown.log_x)

    def _draw_channel(
        self, data: RunData, channel: str, items: _ChannelItems, line: Line | None, extent: Extent
    ) -> None:
        shown = self._shown
        sweep = lines_of_sweep(data, line, shown.ways) if line is not None else []
        drawn: list[Drawn | None] = [None, None]
        for one in sweep:
            mean = shown.sweeps is Sweeps.AVERAGE and data.layout.repeated
            drawn[one.way == "backward"] = (drawn_mean if mean else drawn_line)(data, channel, one, extent)
        for part, curve, marks in zip(drawn, items.lines, items.marks, strict=True):
            self._draw_line(part, curve, marks)
        self._draw_bars(data, channel, items, sweep, drawn)
        self._draw_disturbed(data, channel, items, sweep)
        self._draw_earlier(data, channel, items, sweep, extent)

    def _draw_line(self, part: Drawn | None, curve: Curve, marks: Marks) -> None:
        if part is None:
            curve.hide_line()
            marks.hide_line()
            return
        x, y = self.mapped(part.x, part.y)
        few = len(x) <= _MARKED and not part.dense
        curve.show_line(x, y, smooth=few)
        if few:
            marks.show_marks(x, y)
        else:
            marks.hide_line()
        self.told.unseen += int(np.count_nonzero(np.isfinite(part.y) & ~(np.isfinite(x) & np.isfinite(y))))

    def _draw_bars(
        self, data: RunData, channel: str, items: _ChannelItems, sweep: list[Line], drawn: list[Drawn | None]
    ) -> None:
        """Standard errors of the readings, where there is a channel for them and a mark to carry them."""
        errors = f"{channel}_error"
        parts = [part for part in drawn if part is not None]
        few = all(not part.dense and len(part.x) <= _MARKED for part in parts)
        if not self._shown.errors or errors not in data.channels or self._shown.sweeps is Sweeps.AVERAGE or not few:
            items.bars.hide_line()
            return
        extent = self.extent()
        spread = [drawn_line(data, errors, one, extent).y for one in sweep]
        x, y, error = (np.concatenate([*part, _EMPTY]) for part in ([p.x for p in parts], [p.y for p in parts], spread))
        at, low = self.mapped(x, y - error)
        items.bars.show_bars(at, low, self.mapped(x, y + error)[1])

    def _draw_disturbed(self, data: RunData, channel: str, items: _ChannelItems, sweep: list[Line]) -> None:
        cells = [data.disturbed(slice(one.start, one.stop)) for one in sweep]
        found = np.concatenate([*cells, np.empty(0, dtype=np.int64)]).astype(np.int64)
        if found.size:
            items.disturbed.show_marks(*self.mapped(data.x(found), data.cells(channel)[found]))
        else:
            items.disturbed.hide_line()

    def _draw_earlier(
        self, data: RunData, channel: str, items: _ChannelItems, sweep: list[Line], extent: Extent
    ) -> None:
        """The other sweeps, in one line with gaps; made anew only when one of them has changed."""
        if self._shown.sweeps is not Sweeps.ALL or data.layout.count == len(sweep) or not sweep:
            items.earlier.hide_line()
            items.earlier_key = ()
            return
        width = data.layout.width
        inside = sum(np.count_nonzero(data.known[one.start // width : -(-one.stop // width)]) for one in sweep)
        key = (sweep, data.points - inside, data.rewritten, extent, self._shown.ways)
        if key != items.earlier_key:
            items.earlier_key = key
            others = lines_with_values(data, self._shown.ways, besides=sweep)
            items.earlier.show_line(
                *self._joined([drawn_line(data, channel, one, extent) for one in others[-_EARLIER:]])
            )
            self._counted = min(len(others), _EARLIER), max(len(others) - _EARLIER, 0)
        self.told.earlier, self.told.left_out = self._counted

    _counted = (0, 0)

    def _draw_fit(self, data: RunData, shown: Shown, line: Line | None) -> None:
        channel = self._fitted.draw(data, shown, line, self.mapped)
        self.told.fitted = bool(channel)
        wanted = bool(channel) and shown.residual
        if wanted != (self.residual.scene() is not None):
            if wanted:
                self.addItem(self.residual, row=1, col=0)
                self.ci.layout.setRowStretchFactor(0, 4)
                self.ci.layout.setRowStretchFactor(1, 1)
            else:
                self.removeItem(self.residual)
                self.axes["left"].setWidth(None)
            self.axes["bottom"].setStyle(showValues=not wanted)
            self.axes["bottom"].showLabel(not wanted)
        if wanted:
            self._align()

    def _align(self) -> None:
        """The residual stands exactly below its points."""
        below = {side: self.residual.getAxis(side) for side in ("left", "right")}
        for axis in (self.axes["left"], below["left"]):
            axis.setWidth(None)
        width = max(self.axes["left"].width(), below["left"].width())
        for axis in (self.axes["left"], below["left"]):
            axis.setWidth(width)
        self.residual.showAxis("right", bool(self._shown.right))
        below["right"].setStyle(showValues=False)
        below["right"].setPen(None)
        below["right"].setWidth(self.axes["right"].width())

    def _joined(self, parts: list[Drawn]) -> tuple[FloatArray, FloatArray]:
        gap = np.array([np.nan])
        x = [piece for part in parts for piece in (part.x, part.x[-1:] if len(part.x) else gap)]
        y = [piece for part in parts for piece in (part.y, gap)]
        return self.mapped(np.concatenate([*x, _EMPTY]), np.concatenate([*y, _EMPTY]))

    def mapped(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values as coordinates of the view; nan where a logarithmic axis has no place for them."""
        return _logarithm(x) if self._shown.log_x else x, _logarithm(y) if self._shown.log_y else y

    # -- arranging ---------------------------------------------------------------------------------------------------

    def _arrange(self, data: RunData, shown: Shown) -> None:
        """Items and axes for these channels; colours in the order of the channels."""
        for items in self._channels.values():
            for item in items.all():
                item.getViewBox().removeItem(item)
        self._channels = {}
        self.told.colours = {}
        for k, channel in enumerate(shown.channels):
            colour = self.theme.curves[k % len(self.theme.curves)]
            view = self.main if channel in shown.left else self.right
            self._channels[channel] = self._items(colour, view)
            self.told.colours[channel] = colour
        self._describe(data, shown)
        self._fitted.arrange(self.theme, shown)
        self.show_all()

    def _items(self, colour: str, view: pg.PlotItem | pg.ViewBox) -> _ChannelItems:
        items = _ChannelItems(
            (Curve(colour), Curve(colour, dashed=True)),
            (Marks(colour), Marks(colour, hollow=self.theme.base)),
            Bars(colour),
            Curve(self.theme.earlier),
            Marks(self.theme.bad, 9.0, hollow=self.theme.base),
        )
        for depth, item in enumerate(items.all()):
            item.setZValue(depth)
            view.addItem(item)
        return items

    def _describe(self, data: RunData, shown: Shown) -> None:
        sweep = data.layout.sweep
        name = (sweep.label or sweep.name) if sweep is not None else "point"
        unit = sweep.unit if sweep is not None else ""
        self.axes["bottom"].describe(name, unit, logarithmic=shown.log_x)
        self.residual.getAxis("bottom").describe(name, unit, logarithmic=shown.log_x)
        for side, channels in (("left", shown.left), ("right", shown.right)):
            self.main.showAxis(side, bool(channels))
            if channels:
                title = ", ".join(channel.replace("_", " ") for channel in channels)
                self.axes[side].describe(title, data.unit(channels[0]), logarithmic=shown.log_y)
        self._follow()

    def _follow(self) -> None:
        """The view of the right axis lies where that of the left does."""
        self.right.setGeometry(self.main.getViewBox().sceneBoundingRect())
        self.right.linkedViewChanged(self.main.getViewBox(), self.right.XAxis)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Qt's hook: another number of pixels."""
        super().resizeEvent(event)
        if hasattr(self, "_soon"):
            self._later()


def _logarithm(values: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.log10(values)
    return np.where(np.isfinite(found), found, np.nan)
