"""The fit of the sweep in front over its points, and what it leaves below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.gui.live.drawn import mapped
from stmlab.gui.live.items import Curve, Marks
from stmlab.gui.live.selection import averaged, belongs

if TYPE_CHECKING:
    import pyqtgraph as pg

    from stmlab.arrays import FloatArray
    from stmlab.display.fit_curves import FitCurve
    from stmlab.gui.live.lines import Line
    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.live.shown import Shown
    from stmlab.gui.themes import Theme
    from stmlab.results import FitResult

_DENSE = 2000  # points from which data are a band
_MOST = 4000  # points of a curve that a screen can tell apart; of more every so many are drawn


class FittedLines:
    """Items in a plot and in the one below it.

    Args:
        above: of the data.
        below: of the residual.

    Attributes:
        curve: that is drawn, or None.
    """

    def __init__(self, above: pg.PlotItem, below: pg.PlotItem) -> None:
        self._above, self._below = above, below
        self._items: tuple[Curve, Curve, Marks] | None = None
        self._key: tuple[object, ...] = ()
        self.curve: FitCurve | None = None

    def arrange(self, theme: Theme, shown: Shown) -> None:
        """New items in these colours."""
        if self._items is not None:
            for item in self._items:
                item.getViewBox().removeItem(item)
        self._items = Curve(theme.fit, 2.0), Curve(theme.fit, 1.0), Marks(theme.curves[0], 4.0)
        self._above.addItem(self._items[0])
        for item in self._items[1:]:
            self._below.addItem(item)
        self._key = ()

    def draw(self, data: RunData, shown: Shown, line: Line | None) -> str:
        """Draw the last fit; returns the channel that it is of, "" if none is drawn."""
        assert self._items is not None
        fit = data.fits[-1] if data.fits and shown.fit else None
        channel = fitted_channel(data, fit) if fit is not None else ""
        curve = _of_line(data, line) if fit is not None and channel in shown.left else None
        if curve is not None and averaged(data, shown) and set(curve.outer) & set(data.layout.repeated):
            curve = None  # of one of the repetitions, not of their mean
        self.curve = curve
        key = (id(fit), curve is None, line, shown)
        if key != self._key:
            self._key = key
            self._show(curve, data.unit(channel) if channel else "", shown)
        return channel if curve is not None else ""

    def _show(self, curve: FitCurve | None, unit: str, shown: Shown) -> None:
        assert self._items is not None
        fit, zero, left = self._items
        if curve is None:
            for item in self._items:
                item.hide_line()
            return
        dense = len(curve.x) > _DENSE
        fit.show_line(*mapped(shown, *_thinned(curve.x_smooth, curve.fit_smooth)), smooth=not dense)
        fit.setZValue(20 if dense else 0.5)  # over the envelope of a trace, under points
        x, rest = _thinned(curve.x, curve.data - curve.fit)
        x = mapped(shown, x, rest)[0]
        zero.show_line(np.array([x.min(), x.max()]), np.zeros(2))
        left.show_marks(x, rest)
        self._below.getAxis("left").describe("residual", unit)


def fitted_channel(data: RunData, fit: FitResult) -> str:
    """The channel whose values a fit is of: the first one in the unit of its curve."""
    assert data.started is not None
    unit = fit.labels.get("y_unit", "")
    return next((channel.name for channel in data.started.channels if channel.unit == unit), "")


def _of_line(data: RunData, line: Line | None) -> FitCurve | None:
    """The curve of the sweep in front, or the one of all sweeps together."""
    if line is None:
        return None
    return next((curve for curve in data.fitted() if belongs(curve, line)), None)


def _thinned(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest value of each stretch, where there are more points than can be told apart."""
    if len(x) <= _MOST:
        return x, y
    edges = np.linspace(0, len(x), _MOST // 2 + 1).astype(np.int64)[:-1]
    low, high = np.fmin.reduceat(y, edges), np.fmax.reduceat(y, edges)
    return np.repeat(x[edges], 2), np.column_stack([low, high]).ravel()
