"""Channels over the innermost axis: the sweep that is taken, earlier ones, means, the fit and what it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt

from stmlab.gui.live.area import PlotArea, axis_of, follow
from stmlab.gui.live.channel_curves import ChannelCurves
from stmlab.gui.live.crosshair import Crosshair, nearest_cell, stepped_cell, value_at, values_in_words
from stmlab.gui.live.drawn import Extent, mapped
from stmlab.gui.live.fitted import FittedLines
from stmlab.gui.live.next_point import NextPoint
from stmlab.gui.live.selection import averaged, focus_line, stepped_line
from stmlab.gui.live.shown import Shown, Ways
from stmlab.gui.live.words import legend, place_of, spelled

if TYPE_CHECKING:
    from PyQt6.QtGui import QKeyEvent

    from stmlab.gui.live.lines import Line
    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.themes import Theme

_LINES_FOR_TWO = 18  # of text, that a plot is high at least if its residual stands below


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
        self._channels: dict[str, ChannelCurves] = {}
        self._fitted = FittedLines(self.main, self.residual)
        self._arranged: tuple[object, ...] = ()
        self._key: tuple[object, ...] = ()
        self._line: Line | None = None  # the sweep in front
        self._chosen: int | None = None  # its number, if the user has chosen it
        self.crosshair = Crosshair(self.main)
        self.next = NextPoint(self.main)

    @property
    def fitted(self) -> bool:
        """Whether a fit is drawn."""
        return self._fitted.curve is not None

    # -- the crosshair -----------------------------------------------------------------------------------------------

    def point_at(self, x: float, y: float) -> None:
        """The crosshair at the point of the sweep in front that is nearest in x; its values in words."""
        if self.data is not None and self._line is not None:
            at = 10.0**x if self.shown.log_x else x
            self.crosshair.cell = nearest_cell(self.data, self._line, at)
            self._show_crosshair()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """The arrow keys take the crosshair from point to point; Escape takes it away."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key())) if event is not None else None
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.crosshair.hide()
            self.pointed.emit("")
        elif step is None or self.data is None or self._line is None:
            super().keyPressEvent(event)
        else:
            self.crosshair.cell = stepped_cell(self.data, self._line, self.crosshair.cell, step)
            self._show_crosshair()

    def _show_crosshair(self) -> None:
        data, cell = self.data, self.crosshair.cell
        assert data is not None
        mean = averaged(data, self.shown)
        values = [value_at(data, channel, cell, mean=mean) for channel in self.shown.channels]
        x, y = mapped(self.shown, data.x(slice(cell, cell + 1)), np.array(values[:1]))
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
        self.next.draw(data, shown)
        key = (data.version, data.next_place, len(data.fits), shown, extent, self.height())
        if key == self._key:
            return
        self._key = key
        line = self._line = self._in_front(data, shown)
        for channel, curves in self._channels.items():
            curves.draw(data, channel, shown, line, extent)
        self._draw_fit(data, shown, line)
        self.words = self._words(data, shown)

    def _words(self, data: RunData, shown: Shown) -> str:
        """Where the sweep in front lies, and what is drawn how."""
        if self._line is None:
            return "no points yet"
        mean = averaged(data, shown)
        place = place_of(data.layout, self._line, way=False, besides=data.layout.repeated if mean else ())
        if self._chosen is not None:
            place += " (chosen; the run goes on)" if data.state == "running" else ""
        colours = {channel: curves.colour for channel, curves in self._channels.items()}
        signs = [("●", colour, spelled(channel)) for channel, colour in colours.items()] if shown.right else []
        if len(data.layout.pieces) > 1 and shown.ways is Ways.BOTH:
            colour = next(iter(colours.values()))
            signs += [("●", colour, "forward"), ("○", colour, "backward")]
        if self.fitted:
            signs.append(("━", self.theme.fit, "fit"))
        signs += [("", self.theme.text, "mean of the repetitions")] if mean else []
        signs += [("┆", self.theme.cursor, f"next: {self.next.place}")] if self.next.place else []
        return " &nbsp; ".join(filter(None, (place, legend([*signs, *self._other_signs()]))))

    def _other_signs(self) -> list[tuple[str, str, str]]:
        """Of the other sweeps, and of what cannot be seen."""
        curves = list(self._channels.values())
        others, left_out = curves[0].others, curves[0].left_out
        signs = []
        if others:
            rest = f" (the last of {others + left_out})" if left_out else ""
            signs.append(("━", self.theme.earlier, f"{others} other sweep{'s' * (others > 1)}{rest}"))
        if unseen := sum(one.unseen for one in curves):
            signs.append(("", self.theme.warn, f"{unseen} points have no place on a logarithmic axis"))
        return signs

    def _in_front(self, data: RunData, shown: Shown) -> Line | None:
        """The sweep that was chosen, else the one that is taken, or fitted."""
        if self._chosen is not None and self._chosen < data.layout.count:
            return data.layout.line(self._chosen)
        return focus_line(data, shown)

    def step_sweep(self, step: int) -> None:
        """The sweep before (-1) or after (1) comes to the front; 0: the one that is taken, from now on."""
        if self.data is None or self._line is None:
            return
        self._chosen = stepped_line(self.data, self._line, self.shown.ways, step) if step else None
        self.crosshair.hide()
        self._key = ()
        self.later()

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

    def _draw_fit(self, data: RunData, shown: Shown, line: Line | None) -> None:
        channel = self._fitted.draw(data, shown, line)
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

    # -- arranging ---------------------------------------------------------------------------------------------------

    def _arrange(self, data: RunData, shown: Shown) -> None:
        """Items and axes for these channels; colours in the order of the channels."""
        for curves in self._channels.values():
            curves.remove()
        self._channels = {}
        for k, channel in enumerate(shown.channels):
            colour = self.theme.curves[k % len(self.theme.curves)]
            view = self.main if channel in shown.left else self.right
            self._channels[channel] = ChannelCurves(view, colour, self.theme)
        self._chosen = None
        self._describe(data, shown)
        self.crosshair.arrange(self.theme)
        self.next.arrange(self.theme)
        self._fitted.arrange(self.theme, shown)
        self.show_all()

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
