"""What was fitted to each sweep, over what the sweeps differ in: rates over the bias, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.fit_curves import FitSeries, series_of
from stmlab.display.symbols import symbol
from stmlab.gui.live.area import PlotArea, axis_of
from stmlab.gui.live.items import Bars, Curve, Marks
from stmlab.gui.live.words import legend, spelled

if TYPE_CHECKING:
    import pyqtgraph as pg

    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.live.shown import Shown
    from stmlab.gui.themes import Theme

_MOST_PANELS = 4  # quantities; of the others the table tells
_WILD = 20.0  # times the median of the errors: such an error is no reason to zoom out


class HistoryPlot(PlotArea):
    """A panel for each quantity, one curve for each value of what is held."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._key: tuple[object, ...] = ()
        self._model = ""

    def forget(self) -> None:
        """Draw anew."""
        self._key = ()

    def renew(self, data: RunData, shown: Shown) -> None:
        """Draw the series of the last fit."""
        fit = data.fits[-1] if data.fits else None
        key = (id(fit), self.theme.name)
        if key == self._key:
            return
        self._key = key
        self._model = fit.model if fit is not None else ""
        self.clear()
        self._plots.clear()
        series = series_of(fit) if fit is not None else ()
        names = list(dict.fromkeys(one.name for one in series))[:_MOST_PANELS]
        held = list(dict.fromkeys(one.held for one in series))
        above: pg.PlotItem | None = None
        for row, name in enumerate(names):
            panel = self.plot("left", "bottom")
            self.addItem(panel, row=row, col=0)
            if above is not None:
                panel.setXLink(above)
            above = above or panel
            self._panel(panel, [one for one in series if one.name == name], held, last=row == len(names) - 1)
        self.words = self._words(data, series, held)

    def _panel(self, panel: pg.PlotItem, series: list[FitSeries], held: list[str], *, last: bool) -> None:
        for one in series:
            colour = self.theme.curves[held.index(one.held) % len(self.theme.curves)]
            curve, bars, marks = Curve(colour), Bars(colour), Marks(colour)
            for item in (curve, bars, marks):
                panel.addItem(item)
            errors = np.where(np.isfinite(one.errors), one.errors, np.nan)
            known = errors[np.isfinite(errors)]
            if len(known):
                errors = np.where(errors < _WILD * np.median(known), errors, np.nan)
            curve.show_line(one.at, one.values, smooth=True)
            bars.show_bars(one.at, one.values - errors, one.values + errors)
            marks.show_marks(one.at, one.values)
        name = series[0].name
        sign = symbol(name, self._model)
        axis_of(panel, "left").describe(f"{spelled(name)} {sign}".strip(), series[0].unit)
        label, unit = series[0].along
        bottom = axis_of(panel, "bottom")
        bottom.describe(label, unit)
        bottom.setStyle(showValues=last)
        bottom.showLabel(last)

    def _words(self, data: RunData, series: tuple[FitSeries, ...], held: list[str]) -> str:
        if not data.fits:
            return "no fit yet"
        if not series:
            return f"the fit {data.fits[-1].model} gives one value of each quantity: see the table"
        colours = self.theme.curves
        return legend([("●", colours[k % len(colours)], text) for k, text in enumerate(held) if text])
