"""Channels over the innermost axis: the sweep that is taken, earlier ones, means, the fit and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt

from stmlab.gui.live.area import PlotArea, axis_of, follow, logarithm
from stmlab.gui.live.crosshair import Crosshair, nearest_cell, stepped_cell, value_at, values_in_words
from stmlab.gui.live.drawn import Drawn, Extent, drawn_line, drawn_mean
from stmlab.gui.live.fitted import FittedLines
from stmlab.gui.live.items import Bars, Curve, Marks
from stmlab.gui.live.selection import averaged, focus_line, lines_of_sweep, lines_with_values
from stmlab.gui.live.shown import Shown, Sweeps, Ways
from stmlab.gui.live.words import legend, place_of, spelled

if TYPE_CHECKING:
    from PyQt6.QtGui import QKeyEvent

    from stmlab.arrays import FloatArray
    from stmlab.gui.live.lines import Line
    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.themes import Theme

_MARKED = 400  # points of a line up to which each has a mark
_LINES_FOR_TWO = 18  # of text, that a plot is high at least if its residual stands below
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


class SweepPlot(PlotArea):
    """Curves over the innermost axis on two vertical axes; a redraw costs what the screen can show."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.main = self.plot("left", "bottom", "right")
        self.addItem(self.main, row=0, col=0)
        self.residual = self.plot("left", "bottom", "right")
        self.residual.setXLink(self.main)
        self.right = pg.ViewBox(enableMenu=False)
        self.main.scene().addItem(self.right)
        self.main.getAxis("right").linkToView(self.right)
        self.right.setXLink(self.main)
        self.main.getViewBox().sigResized.connect(self._follow)
        self._channels: dict[str, _ChannelItems] = {}
        self._fitted = FittedLines(self.main, self.residual)
        self._arranged: tuple[object, ...] = ()
        self._key: tuple[object, ...] = ()
        self.told = Told()
        self.crosshair = Crosshair(self.main)

    # -- the crosshair -----------------------------------------------------------------------------------------------

    def point_at(self, x: float, y: float) -> None:
        """The crosshair at the point of the sweep in front that is nearest in x; its values in words."""
        if self.data is not None and self.told.line is not None:
            at = 10.0**x if self.shown.log_x else x
            self.crosshair.cell = nearest_cell(self.data, self.told.line, at)
            self._show_crosshair()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """The arrow keys take the crosshair from point to point; Escape takes it away."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key())) if event is not None else None
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.crosshair.hide()
            self.pointed.emit("")
        elif step is None or self.data is None or self.told.line is None:
            super().keyPressEvent(event)
        else:
            self.crosshair.cell = stepped_cell(self.data, self.told.line, self.crosshair.cell, step)
            self._show_crosshair()

    def _show_crosshair(self) -> None:
        data, cell = self.data, self.crosshair.cell
        assert data is not None
        mean = averaged(data, self.shown)
        values = [value_at(data, channel, cell, mean=mean) for channel in self.shown.channels]
        x, y = self.mapped(data.x(slice(cell, cell + 1)), np.array(values[:1]))
        self.crosshair.show(float(x[0]), float(y[0]))
        self.pointed.emit(values_in_words(data, self.shown.channels, values, cell, self._fitted.curve, mean=mean))

    # -- drawing -----------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """New items at the next drawing."""
        self._arranged = ()

    def show_all(self) -> None:
        """All of the data in view, on the right axis too."""
        follow(self.right)
        super().show_all()

    def renew(self, data: RunData, shown: Shown) -> None:
        """Draw what has changed."""
        assert data.started is not None
        arranged = (id(data), data.started.run_id, shown.left, shown.right, shown.log_x, shown.log_y, self.theme.name)
        if arranged != self._arranged:
            self._arrange(data, shown)
            self._arranged, self._key = arranged, ()
        extent = self.extent()
        key = (data.version, len(data.fits), shown, extent, self.height())
        if key == self._key:
            return
        self._key = key
        line = focus_line(data, shown)
        self.told = Told(line, colours=self.told.colours)
        for channel, items in self._channels.items():
            self._draw_channel(data, channel, items, line, extent)
        self._draw_fit(data, shown, line)
        self.words = self._words(data, shown)

    def _words(self, data: RunData, shown: Shown) -> str:
        """Where the sweep in front lies, and what is drawn how."""
        told = self.told
        if told.line is None:
            return "no points yet"
        ways = len(data.layout.pieces) > 1
        mean = averaged(data, shown)
        place = place_of(data.layout, told.line, way=False, besides=data.layout.repeated if mean else ())
        signs = [("●", colour, spelled(channel)) for channel, colour in told.colours.items()] if shown.right else []
        if ways and shown.ways is Ways.BOTH:
            colour = next(iter(told.colours.values()))
            signs += [("●", colour, "forward"), ("○", colour, "backward")]
        if told.fitted:
            signs.append(("━", self.theme.fit, "fit"))
        if told.earlier:
            rest = f" (the last of {told.earlier + told.left_out})" if told.left_out else ""
            signs.append(("━", self.theme.earlier, f"{told.earlier} other sweeps{rest}"))
        if mean:
            signs.append(("", self.theme.text, "mean of the repetitions"))
        if told.unseen:
            signs.append(("", self.theme.warn, f"{told.unseen} points have no place on a logarithmic axis"))
        return " &nbsp; ".join(filter(None, (place, legend(signs))))

    def extent(self) -> Extent:
        """What is in view along the innermost axis, in its own unit."""
        view = self.main.getViewBox()
        pixels = max(int(view.width()), 1)
        if view.autoRangeEnabled()[0]:
            return Extent(-np.inf, np.inf, pixels, self.shown.log_x)
        low, high = view.viewRange()[0]
        if self.shown.log_x:
            low, high = 10.0**low, 10.0**high
        return Extent(low, high, pixels, self.shown.log_x)

    def _draw_channel(
        self, data: RunData, channel: str, items: _ChannelItems, line: Line | None, extent: Extent
    ) -> None:
        shown = self.shown
        sweep = lines_of_sweep(data, line, shown.ways) if line is not None else []
        drawn: list[Drawn | None] = [None, None]
        for one in sweep:
            draw = drawn_mean if averaged(data, shown) else drawn_line
            drawn[one.way == "backward"] = draw(data, channel, one, extent)
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
        if not self.shown.errors or errors not in data.channels or self.shown.sweeps is Sweeps.AVERAGE or not few:
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
        if self.shown.sweeps is not Sweeps.ALL or data.layout.count == len(sweep) or not sweep:
            items.earlier.hide_line()
            items.earlier_key = ()
            return
        width = data.layout.width
        inside = sum(np.count_nonzero(data.known[one.start // width : -(-one.stop // width)]) for one in sweep)
        key = (sweep, data.points - inside, data.rewritten, extent, self.shown.ways)
        if key != items.earlier_key:
            items.earlier_key = key
            others = lines_with_values(data, self.shown.ways, besides=sweep)
            items.earlier.show_line(
                *self._joined([drawn_line(data, channel, one, extent) for one in others[-_EARLIER:]])
            )
            self._counted = min(len(others), _EARLIER), max(len(others) - _EARLIER, 0)
        self.told.earlier, self.told.left_out = self._counted

    _counted = (0, 0)

    def _draw_fit(self, data: RunData, shown: Shown, line: Line | None) -> None:
        channel = self._fitted.draw(data, shown, line, self.mapped)
        self.told.fitted = bool(channel)
        room = self.height() > _LINES_FOR_TWO * self.fontMetrics().lineSpacing()
        wanted = bool(channel) and shown.residual and room
        if wanted != (self.residual.scene() is not None):
            if wanted:
                self.addItem(self.residual, row=1, col=0)
                self.ci.layout.setRowStretchFactor(0, 4)
                self.ci.layout.setRowStretchFactor(1, 1)
            else:
                self.removeItem(self.residual)
                axis_of(self.main, "left").setWidth(None)
        bottom = axis_of(self.main, "bottom")
        if bottom.label.isVisible() == wanted:  # the residual's axis stands for both
            bottom.setStyle(showValues=not wanted)
            bottom.showLabel(not wanted)
        if wanted:
            self._align()

    def _align(self) -> None:
        """The residual stands exactly below its points."""
        sides = axis_of(self.main, "left"), axis_of(self.residual, "left")
        for axis in sides:
            axis.setWidth(None)
        width = max(axis.width() for axis in sides)
        for axis in sides:
            axis.setWidth(width)
        self._follow()

    def _joined(self, parts: list[Drawn]) -> tuple[FloatArray, FloatArray]:
        gap = np.array([np.nan])
        x = [piece for part in parts for piece in (part.x, part.x[-1:] if len(part.x) else gap)]
        y = [piece for part in parts for piece in (part.y, gap)]
        return self.mapped(np.concatenate([*x, _EMPTY]), np.concatenate([*y, _EMPTY]))

    def mapped(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values as coordinates of the view; nan where a logarithmic axis has no place for them."""
        return logarithm(x) if self.shown.log_x else x, logarithm(y) if self.shown.log_y else y

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
        self.crosshair.arrange(self.theme)
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
        axis_of(self.main, "bottom").describe(name, unit, logarithmic=shown.log_x)
        axis_of(self.residual, "bottom").describe(name, unit, logarithmic=shown.log_x)
        for side, channels in (("left", shown.left), ("right", shown.right)):
            self.main.showAxis(side, bool(channels))
            if channels:
                title = ", ".join(map(spelled, channels))
                axis_of(self.main, side).describe(title, data.unit(channels[0]), logarithmic=shown.log_y)
        self._follow()

    def _follow(self) -> None:
        """The view of the right axis lies where that of the left does, and the residual below it."""
        below = axis_of(self.residual, "right")
        below.setStyle(showValues=False)
        below.setPen(None)
        below.setWidth(axis_of(self.main, "right").width() if self.shown.right else 0)
        self.right.setGeometry(self.main.getViewBox().sceneBoundingRect())
        self.right.linkedViewChanged(self.main.getViewBox(), self.right.XAxis)
