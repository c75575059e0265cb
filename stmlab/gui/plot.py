"""The live curve: one channel along the innermost axis, earlier lines in grey, the fit when there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.gui.prototype_live import View

_DATA, _FIT, _EARLIER = "#1f5fa8", "#d9541e", "#9aa7b8"
_LINES = 12  # spectra of a ramp shown together; the earlier ones in grey
_DENSE = 1000  # points beyond which a line is drawn instead of them


class DecadeAxis(pg.AxisItem):  # type: ignore[misc, unused-ignore]
    """A horizontal axis that writes whole decades with their SI prefix ("10 MHz") when it is logarithmic."""

    unit = ""

    def logTickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Labels of the decades; the ticks between them stay without."""
        return [self._decade(round(v)) if abs(v - round(v)) < 1e-9 else "" for v in values]

    def _decade(self, power: int) -> str:
        group = max(min(power // 3, 4), -5)
        return f"{10 ** (power - 3 * group):g} {'fpnμm kMGT'[group + 5].strip()}{self.unit}"


class LivePlot(pg.PlotWidget):  # type: ignore[misc, unused-ignore]
    """Draws a View; items are made once and only given new data."""

    def __init__(self) -> None:
        self._decades = DecadeAxis("bottom")
        super().__init__(background="w", axisItems={"bottom": self._decades})
        item = self.getPlotItem()
        item.setDownsampling(auto=True, mode="peak")
        item.setClipToView(True)
        item.showGrid(x=True, y=True, alpha=0.15)
        for side in ("left", "bottom"):
            item.getAxis(side).setPen("#444444")
            item.getAxis(side).setTextPen("#222222")
        self._earlier = item.plot(pen=pg.mkPen(_EARLIER, width=1), connect="finite")
        self._points = item.plot(pen=None, symbol="o", symbolSize=6, symbolBrush=_DATA, symbolPen=None)
        self._fit = item.plot(pen=pg.mkPen(_FIT, width=1), connect="finite")
        self._drawn: tuple[object, ...] = ()

    def draw(self, view: View, channel: int) -> None:
        """Show ``channel`` of the run; nothing is done when nothing has changed."""
        if view.started is None:
            return
        key = (view.started.run_id, channel, len(view.values), len(view.fits))
        if key == self._drawn:
            return
        if key[:2] != self._drawn[:2]:
            self._label(view, channel)
        self._drawn = key
        *earlier, (x, y) = view.lines(channel, _LINES) or [(np.empty(0), np.empty(0))]
        self._earlier.setData(*_joined(earlier))
        dense = len(x) > _DENSE
        self._points.setData(x, y, pen=pg.mkPen(_DATA, width=1) if dense else None, symbol=None if dense else "o")
        self._fit.setData(*_fitted(view.fits[-1].curves if view.fits and channel == 0 else {}))

    def _label(self, view: View, channel: int) -> None:
        assert view.started is not None
        quantity, item, axis = view.started.channels[channel], self.getPlotItem(), view.innermost
        if axis is not None:
            item.setLogMode(x=axis.logarithmic, y=False)
            self._decades.unit = axis.unit
            self._decades.enableAutoSIPrefix(not axis.logarithmic)
            item.setLabel("bottom", axis.label or axis.name, units=None if axis.logarithmic else axis.unit)
        item.setLabel("left", quantity.name.replace("_", " "), units=quantity.unit)
        item.enableAutoRange()


def _joined(lines: list[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    """Lines one after the other, with a gap between them."""
    gap = np.array([np.nan])
    parts = [[part for line in lines for part in (line[k], gap)] for k in (0, 1)]
    x, y = (np.concatenate(part) if part else np.empty(0) for part in parts)
    return x, y


def _fitted(curves: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """The fit's curve, in as many pieces as there are spectra: between them, the axis starts again."""
    x, y = curves.get("x", np.empty(0)), curves.get("fit", np.empty(0))
    starts = np.flatnonzero(np.diff(x) < 0) + 1
    return _joined(list(zip(np.split(x, starts), np.split(y, starts), strict=True)))
