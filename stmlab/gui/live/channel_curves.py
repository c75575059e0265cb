"""What is drawn of one channel: the sweep in front with its marks and error bars, the other sweeps behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.gui.live.drawn import Drawn, Extent, drawn_line, drawn_mean, mapped
from stmlab.gui.live.items import Bars, Curve, Marks, PlotItem
from stmlab.gui.live.selection import averaged, lines_of_sweep, lines_with_values
from stmlab.gui.live.shown import Shown, Sweeps

if TYPE_CHECKING:
    import pyqtgraph as pg

    from stmlab.arrays import FloatArray
    from stmlab.gui.live.lines import Line
    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.themes import Theme

_MARKED = 400  # points of a line up to which each has a mark
_EARLIER = 64  # other sweeps that are drawn
_EMPTY: FloatArray = np.empty(0)


class ChannelCurves:
    """Items of one channel in one view.

    Args:
        view: where they are drawn.
        colour: of the channel.
        theme: the other colours.

    Attributes:
        lines, marks: forward and backward.
        bars: errors of the readings.
        earlier: the other sweeps, in one line with gaps.
        disturbed: marks on readings that are not to be trusted.
        others: number of other sweeps that are drawn; ``left_out``: of those that are not.
        unseen: points that have no place on a logarithmic axis.
    """

    def __init__(self, view: pg.PlotItem | pg.ViewBox, colour: str, theme: Theme) -> None:
        self.colour = colour
        self.lines = Curve(colour), Curve(colour, dashed=True)
        self.marks = Marks(colour), Marks(colour, hollow=theme.base)
        self.bars = Bars(colour)
        self.earlier = Curve(theme.earlier)
        self.disturbed = Marks(theme.bad, 9.0, hollow=theme.base)
        self.others = self.left_out = self.unseen = 0
        self._earlier_key: tuple[object, ...] = ()
        for depth, item in enumerate(self._items()):
            item.setZValue(depth)
            view.addItem(item)

    def remove(self) -> None:
        """Take everything out of the view."""
        for item in self._items():
            item.getViewBox().removeItem(item)

    def draw(self, data: RunData, channel: str, shown: Shown, line: Line | None, extent: Extent) -> None:
        """Draw the channel, with the sweep of this line in front."""
        sweep = lines_of_sweep(data, line, shown.ways) if line is not None else []
        drawn: list[Drawn | None] = [None, None]
        for one in sweep:
            draw = drawn_mean if averaged(data, shown) else drawn_line
            drawn[one.way == "backward"] = draw(data, channel, one, extent)
        self.unseen = sum(
            self._draw_line(part, shown, curve, marks)
            for part, curve, marks in zip(drawn, self.lines, self.marks, strict=True)
        )
        self._draw_bars(data, channel, shown, sweep, [part for part in drawn if part is not None], extent)
        self._draw_disturbed(data, channel, shown, sweep)
        self._draw_earlier(data, channel, shown, sweep, extent)

    # -- details -----------------------------------------------------------------------------------------------------

    def _items(self) -> tuple[PlotItem, ...]:
        return (self.earlier, self.bars, *self.lines, *self.marks, self.disturbed)

    def _draw_line(self, part: Drawn | None, shown: Shown, curve: Curve, marks: Marks) -> int:
        """One direction; returns the number of points without a place."""
        if part is None:
            curve.hide_line()
            marks.hide_line()
            return 0
        x, y = mapped(shown, part.x, part.y)
        few = len(x) <= _MARKED and not part.dense
        curve.show_line(x, y, smooth=few)
        if few:
            marks.show_marks(x, y)
        else:
            marks.hide_line()
        return int(np.count_nonzero(np.isfinite(part.y) & ~np.isfinite(x + y)))

    def _draw_bars(
        self, data: RunData, channel: str, shown: Shown, sweep: list[Line], parts: list[Drawn], extent: Extent
    ) -> None:
        """Standard errors of the readings, where there is a channel for them and a mark to carry them."""
        errors = f"{channel}_error"
        few = all(not part.dense and len(part.x) <= _MARKED for part in parts)
        if not shown.errors or errors not in data.channels or averaged(data, shown) or not few:
            self.bars.hide_line()
            return
        spread = [drawn_line(data, errors, one, extent).y for one in sweep]
        x, y, error = (np.concatenate([*part, _EMPTY]) for part in ([p.x for p in parts], [p.y for p in parts], spread))
        at, low = mapped(shown, x, y - error)
        self.bars.show_bars(at, low, mapped(shown, x, y + error)[1])

    def _draw_disturbed(self, data: RunData, channel: str, shown: Shown, sweep: list[Line]) -> None:
        cells = [data.disturbed(slice(one.start, one.stop)) for one in sweep]
        found = np.concatenate([*cells, np.empty(0, dtype=np.int64)]).astype(np.int64)
        if found.size:
            self.disturbed.show_marks(*mapped(shown, data.x(found), data.cells(channel)[found]))
        else:
            self.disturbed.hide_line()

    def _draw_earlier(self, data: RunData, channel: str, shown: Shown, sweep: list[Line], extent: Extent) -> None:
        """The other sweeps; made anew only when one of them has changed."""
        if shown.sweeps is not Sweeps.ALL or data.layout.count == len(sweep) or not sweep:
            self.earlier.hide_line()
            self._earlier_key = ()
            self.others = self.left_out = 0
            return
        width = data.layout.width
        inside = sum(np.count_nonzero(data.known[one.start // width : -(-one.stop // width)]) for one in sweep)
        key = (sweep, data.points - inside, data.rewritten, extent, shown.ways)
        if key == self._earlier_key:
            return
        self._earlier_key = key
        lines = lines_with_values(data, shown.ways, besides=sweep)
        self.others, self.left_out = min(len(lines), _EARLIER), max(len(lines) - _EARLIER, 0)
        drawn = [drawn_line(data, channel, one, extent) for one in lines[-_EARLIER:]]
        self.earlier.show_line(*mapped(shown, *_joined(drawn)))


def _joined(parts: list[Drawn]) -> tuple[FloatArray, FloatArray]:
    """Lines one behind the other, with a gap between them."""
    gap = np.array([np.nan])
    x = [piece for part in parts for piece in (part.x, part.x[-1:] if len(part.x) else gap)]
    y = [piece for part in parts for piece in (part.y, gap)]
    return np.concatenate([*x, _EMPTY]), np.concatenate([*y, _EMPTY])
