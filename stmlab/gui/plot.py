"""The live curve: one channel against the innermost axis, with the fit when there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.gui.live import View

_DATA, _FIT = "#1f5fa8", "#d9541e"


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
        self._points = item.plot(pen=None, symbol="o", symbolSize=6, symbolBrush=_DATA, symbolPen=None)
        self._fit = item.plot(pen=pg.mkPen(_FIT, width=1))
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
        x, y = self._innermost_line(view, channel)
        self._points.setData(x, y)
        curves = view.fits[-1].curves if view.fits and channel == 0 else {}
        self._fit.setData(curves.get("x", np.empty(0)), curves.get("fit", np.empty(0)))

    def _innermost_line(self, view: View, channel: int) -> tuple[FloatArray, FloatArray]:
        """The line of the innermost axis that is being taken."""
        assert view.started is not None
        moved = [axis for axis in view.started.axes if not axis.hardware]
        length = len(moved[-1]) if moved else 1
        start = max(len(view.values) - 1, 0) // length * length
        return view.coordinates[start:, len(moved) - 1 if moved else 0], view.values[start:, channel]

    def _label(self, view: View, channel: int) -> None:
        assert view.started is not None
        moved = [axis for axis in view.started.axes if not axis.hardware]
        quantity, item = view.started.channels[channel], self.getPlotItem()
        if moved:
            item.setLogMode(x=moved[-1].logarithmic, y=False)
            axis = moved[-1]
            self._decades.unit = axis.unit
            self._decades.enableAutoSIPrefix(not axis.logarithmic)
            item.setLabel("bottom", axis.label or axis.name, units=None if axis.logarithmic else axis.unit)
        item.setLabel("left", quantity.name.replace("_", " "), units=quantity.unit)
        item.enableAutoRange()
