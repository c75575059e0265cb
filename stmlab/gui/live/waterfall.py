"""Sweeps one above the other, each with its fit; the axis on the right says which is which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg

from stmlab.gui.live.area import PlotArea, axis_of
from stmlab.gui.live.drawn import Drawn, Extent, drawn_line, drawn_mean, logarithm
from stmlab.gui.live.fitted import fitted_channel
from stmlab.gui.live.items import Curve
from stmlab.gui.live.selection import averaged, belongs, lines_with_values
from stmlab.gui.live.shown import Shown, Ways
from stmlab.gui.live.words import legend, place_of, spelled
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.gui.live.lines import Line
    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.themes import Theme

_MOST = 64  # sweeps that are drawn: the last ones
_NAMED = 16  # of them with a label
_ROOM = 1500  # pixels: a line is drawn as if the plot were so wide, whatever part of it is in view


class WaterfallPlot(PlotArea):
    """One channel; only sweeps that have changed are drawn anew."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.main = self.plot("left", "bottom", "right")
        self.addItem(self.main)
        self._lines: dict[int, tuple[Curve, Curve]] = {}
        self._drawn: dict[int, Drawn] = {}
        self._known: dict[int, tuple[object, ...]] = {}
        self._arranged: tuple[object, ...] = ()
        self._key: tuple[object, ...] = ()
        self._offsets: list[tuple[Line, float]] = []

    def forget(self) -> None:
        """New curves at the next drawing."""
        self._arranged = ()

    def renew(self, data: RunData, shown: Shown) -> None:
        """Draw what has changed."""
        assert data.started is not None
        arranged = (id(data), data.started.run_id, shown, self.theme.name)
        if arranged != self._arranged:
            self._arrange(data, shown)
            self._arranged, self._key = arranged, ()
        key = (data.version, len(data.fits))
        if key == self._key:
            return
        self._key = key
        lines = self._chosen(data, shown)
        for number in set(self._lines) - {line.number for line in lines}:
            for curve in self._lines.pop(number):
                self.main.removeItem(curve)
        for line in lines:
            self._read(data, shown, line)
        step = shown.spacing * _height([self._drawn[line.number].y for line in lines])
        self._place(data, shown, lines, step)
        self._say(data, shown, lines, step)

    def point_at(self, x: float, y: float) -> None:
        """The sweep whose line is nearest to the mouse, and its value there."""
        nearest: tuple[float, Line, float, float] | None = None
        for line, offset in self._offsets:
            drawn = self._drawn[line.number]
            known = np.flatnonzero(np.isfinite(drawn.y))
            if known.size and self.data is not None:
                k = known[np.argmin(np.abs(self._x(drawn.x[known]) - x))]
                found = abs(float(drawn.y[k]) + offset - y), line, float(drawn.x[k]), float(drawn.y[k])
                nearest = found if nearest is None or found[0] < nearest[0] else nearest
        if nearest is not None and self.data is not None:
            _, line, at, value = nearest
            unit = self.data.unit(self.shown.left[0])
            across = axis_of(self.main, "bottom").told(float(self._x(np.array([at]))[0]))
            told = format_quantity(float(f"{value:.4g}"), unit)
            self.pointed.emit(f"{place_of(self.data.layout, line)}, {across}: {spelled(self.shown.left[0])} {told}")

    def _chosen(self, data: RunData, shown: Shown) -> list[Line]:
        """The sweeps, the last of them; of repetitions one, when it is their mean that is drawn."""
        lines = lines_with_values(data, shown.ways)
        if averaged(data, shown):
            kept = [k for k in range(len(data.layout.outer)) if k not in data.layout.repeated]
            pieces = len(data.layout.pieces)
            by_place = {(*(line.outer[k] for k in kept), line.number % pieces): line for line in lines}
            lines = list(by_place.values())
        self._left_out = max(len(lines) - _MOST, 0)
        return lines[-_MOST:]

    def _read(self, data: RunData, shown: Shown, line: Line) -> None:
        width = data.layout.width
        count = int(np.count_nonzero(data.known[line.start // width : -(-line.stop // width)]))
        under_way = data.version if line.start // width <= data.under_way < -(-line.stop // width) else 0
        mean = averaged(data, shown)
        key = (count, data.rewritten, under_way, data.points if mean else 0)
        if self._known.get(line.number) != key:
            extent = Extent(-np.inf, np.inf, _ROOM, shown.log_x)
            self._known[line.number] = key
            self._drawn[line.number] = (drawn_mean if mean else drawn_line)(data, shown.left[0], line, extent)
        if line.number not in self._lines:
            self._lines[line.number] = Curve(self.theme.curves[0]), Curve(self.theme.fit, 2.0)
            for depth, curve in enumerate(reversed(self._lines[line.number])):
                curve.setZValue(depth)  # the data over their fit: where they agree both are seen
                self.main.addItem(curve)

    def _place(self, data: RunData, shown: Shown, lines: list[Line], step: float) -> None:
        """Draw each above the one before it, in colours that run with them."""
        fit = data.fits[-1] if data.fits and shown.fit else None
        curves = data.fitted() if fit and fitted_channel(data, fit) == shown.left[0] else ()
        colours = pg.colormap.get(self.theme.colour_map).getLookupTable(*self._tones(), nPts=max(len(lines), 2))
        ends: list[float] = []
        self._offsets = [(line, k * step) for k, line in enumerate(lines)]
        for k, line in enumerate(lines):
            curve, fitted = self._lines[line.number]
            drawn = self._drawn[line.number]
            curve.colour(colours[k])
            curve.show_line(self._x(drawn.x), drawn.y + k * step, smooth=not drawn.dense)
            found = next((one for one in curves if belongs(one, line)), None)
            if found is None:
                fitted.hide_line()
            else:
                fitted.show_line(self._x(found.x_smooth), found.fit_smooth + k * step, smooth=True)
            known = drawn.y[np.isfinite(drawn.y)]
            ends.append(float(known[np.argmax(drawn.x[np.isfinite(drawn.y)])] if len(known) else 0.0) + k * step)
        every = max(-(-len(lines) // _NAMED), 1)
        names = [(end, _name(data, line)) for end, line in list(zip(ends, lines, strict=True))[::every]]
        axis_of(self.main, "right").setTicks([names])

    def _tones(self) -> tuple[float, float]:
        """The part of the colour map that can be told from the background."""
        return (0.25, 1.0) if self.theme.is_dark else (0.0, 0.8)

    def _x(self, x: FloatArray) -> FloatArray:
        return logarithm(x) if self.shown.log_x else x

    def _say(self, data: RunData, shown: Shown, lines: list[Line], step: float) -> None:
        unit = data.unit(shown.left[0])
        what = spelled(shown.left[0])
        if step:
            what += f", each {format_quantity(float(f'{step:.2g}'), unit)} above the one before"
        axis_of(self.main, "left").describe(what, unit)
        signs = [("━", self.theme.fit, "fit")] if data.fits and shown.fit else []
        left_out = f"the last {len(lines)} of {len(lines) + self._left_out} sweeps" if self._left_out else ""
        mean = "means of the repetitions" if averaged(data, shown) else ""
        count = f"{len(lines)} sweep{'s' * (len(lines) != 1)}" if not left_out else ""
        self.words = " &nbsp; ".join(filter(None, (left_out, count, mean, legend(signs)))) if lines else "no points yet"

    _left_out = 0

    def _arrange(self, data: RunData, shown: Shown) -> None:
        for curves in self._lines.values():
            for curve in curves:
                self.main.removeItem(curve)
        self._lines, self._drawn, self._known, self._offsets = {}, {}, {}, []
        sweep = data.layout.sweep
        name, unit = ((sweep.label or sweep.name), sweep.unit) if sweep is not None else ("point", "")
        axis_of(self.main, "bottom").describe(name, unit, logarithmic=shown.log_x)
        outer = [data.layout.axes[k] for k in (*data.layout.varied, *data.layout.repeated)]
        title = ", ".join(axis.label or axis.name for axis in outer[:2])
        if shown.ways is Ways.BOTH and len(data.layout.pieces) > 1:
            title += ", direction"
        axis_of(self.main, "right").describe(title, "", named=True)
        axis_of(self.main, "right").setGrid(False)
        self.show_all()


def _height(lines: list[FloatArray]) -> float:
    """Median of the heights of lines, nan aside."""
    heights = [float(np.nanmax(y) - np.nanmin(y)) for y in lines if np.isfinite(y).any()]
    return float(np.median(heights)) if heights else 0.0


def _name(data: RunData, line: Line) -> str:
    """Where a sweep lies: the values of the first two outer axes, and the direction."""
    layout = data.layout
    words = [
        format_quantity(float(f"{layout.axes[k].values[line.outer[k]]:.3g}"), layout.axes[k].unit)
        for k in layout.varied[:2]
    ]
    words += [f"{line.outer[k] + 1}" for k in layout.repeated[: 2 - len(words)]]
    return ", ".join(filter(None, (*words, line.way)))
