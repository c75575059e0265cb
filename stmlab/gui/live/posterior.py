"""What a run that chooses its points knows of what it seeks: a density that narrows until it has the target's width."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from stmlab.acquisition.choosing import sought
from stmlab.gui.live.area import PlotArea, axis_of
from stmlab.gui.live.items import Curve
from stmlab.gui.live.words import legend, spelled
from stmlab.units import format_value

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.gui.live.narrowing import Density, Narrowing
    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.live.shown import Shown
    from stmlab.gui.themes import Theme
    from stmlab.results import FitParameter

_VIEW = 6.0  # errors in view to either side, at the least
_TARGETS = 3.0  # targets in view to either side, at the least
_MOST = 8.0  # decades in view to either side
_POINTS = 201  # of a curve
_ONE_SIGMA = math.exp(-0.5)  # height of a normal density at one standard deviation
_WITHOUT_VALUE = ("finished", "stopped")  # states of a run that is over, if no fit is there
_SO_FAR = "_so_far"  # at the end of the channels' names


class PosteriorPlot(PlotArea):
    """Densities of what is sought: as last known, earlier ones behind it, the target's width, the fit at the end."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.main = self.plot("left", "bottom")
        self.main.setMouseEnabled(x=False, y=False)
        self.main.getViewBox().disableAutoRange()
        self.main.setYRange(0.0, 1.1, padding=0.0)
        self.addItem(self.main, row=0, col=0)
        self.density, self.target, self.fit, self.earlier = (Curve(theme.text) for _ in range(4))
        self._arranged: tuple[object, ...] = ()
        self._key: tuple[object, ...] = ()
        self._reach = self._centre = math.nan  # of the view, in decades

    def forget(self) -> None:
        """New items at the next drawing."""
        self._arranged = ()

    def renew(self, data: RunData, shown: Shown) -> None:
        """Draw what has changed."""
        assert data.started is not None
        found = sought(data.started)
        if found is None:
            return
        arranged = (id(data), data.started.run_id, self.theme.name)
        if arranged != self._arranged:
            self._arranged, self._key = arranged, ()
            channel = data.started.channels[found.value]
            name = spelled(channel.name.removesuffix(_SO_FAR))
            self._arrange(name, channel.unit)
        fitted = fitted_value(data)
        over = fitted is None and data.state in _WITHOUT_VALUE
        key = (data.narrowing.version, len(data.fits), over)
        if key == self._key:
            return
        self._key = key
        self._draw(data.narrowing, found.target, fitted)
        self.words = self._words(data.narrowing, found.target, fitted, over=over)

    # -- details -----------------------------------------------------------------------------------------------------

    def _arrange(self, name: str, unit: str) -> None:
        self.main.clear()
        self._name, self._unit = name, unit
        self.earlier = Curve(self.theme.earlier)
        self.target = Curve(self.theme.good, 1.5, dashed=True)
        self.fit = Curve(self.theme.fit, 2.0)
        self.density = Curve(self.theme.curves[0], 2.0)
        for item in (self.earlier, self.target, self.fit, self.density):
            self.main.addItem(item)
        axis_of(self.main, "bottom").describe(name, unit, logarithmic=True)
        axis_of(self.main, "left").describe("relative density", "")
        self._reach = self._centre = math.nan

    def _draw(self, narrowing: Narrowing, target: float, fitted: FitParameter | None) -> None:
        now = narrowing.now
        if now is None:
            for item in (self.earlier, self.target, self.fit, self.density):
                item.hide_line()
            return
        self._show(now, target, fitted)
        x = np.linspace(self._centre - self._reach, self._centre + self._reach, _POINTS)
        self.density.show_line(*_fine(now), smooth=True)
        behind = [(x, now.error / one.error * one.at(10.0**x)) for one in narrowing.earlier]
        self.earlier.show_line(*_with_gaps(behind), smooth=True)
        ends = [math.log10(now.value) + side * target / math.log(10) for side in (-1, 1)]
        self.target.show_line(*_with_gaps([_upright(end, 1.0) for end in ends]))
        if fitted is None:
            self.fit.hide_line()
            return
        at, wide = math.log10(fitted.value), fitted.error / fitted.value / math.log(10)
        bar = np.array([at - wide, at + wide]), np.full(2, _ONE_SIGMA)
        self.fit.show_line(*_with_gaps([_upright(at, 1.0), bar]))

    def _show(self, now: Density, target: float, fitted: FitParameter | None) -> None:
        """The view in steps of two, so that it stands still while the density narrows."""
        centre = math.log10(now.value)
        away = 0.0 if fitted is None else 1.3 * abs(math.log10(fitted.value) - centre)
        wanted = max(_VIEW * now.error / math.log(10), _TARGETS * target / math.log(10), away)
        reach = min(2.0 ** math.ceil(math.log2(wanted)), _MOST)
        if reach != self._reach or abs(centre - self._centre) > reach / 4:
            self._reach, self._centre = reach, centre
            self.main.setXRange(centre - reach, centre + reach, padding=0.0)

    def _words(self, narrowing: Narrowing, target: float, fitted: FitParameter | None, *, over: bool) -> str:
        theme, now = self.theme, narrowing.now
        if now is None:
            return f"{self._name}: nothing is known yet"
        if over:
            told = f"{self._name}: no value"
        elif now.error < 1:
            told = f"{self._name} {format_value(now.value, now.error * now.value, self._unit)}"
        else:
            told = f"{self._name} not known yet"
        signs = [("━", theme.curves[0], told)]
        if narrowing.earlier:
            signs.append(("━", theme.earlier, "earlier"))
        signs.append(("┅", theme.good, f"target ± {100 * target:.2g} %"))
        if fitted is not None:
            signs.append(("━", theme.fit, f"fit {format_value(fitted.value, fitted.error, fitted.unit)}"))
        return "<br>".join(legend([sign]) for sign in signs)


class PosteriorView(QWidget):
    """The plot below its legend."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.plot, self.words = PosteriorPlot(theme), QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.RichText)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(32 * self.fontMetrics().averageCharWidth())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.words)
        column.addWidget(self.plot, stretch=1)

    def draw(self, data: RunData, shown: Shown) -> None:
        """Show what is known; of a run that does not choose its points there is nothing to be shown."""
        adaptive = data.started is not None and sought(data.started) is not None
        if adaptive == self.isHidden():
            self.setVisible(adaptive)
        if adaptive:
            self.plot.draw(data, shown)
            if self.plot.words != self.words.text():
                self.words.setText(self.plot.words)

    def use_theme(self, theme: Theme) -> None:
        """New colours."""
        self.plot.use_theme(theme)


def fitted_value(data: RunData) -> FitParameter | None:
    """What the last fit says of what is sought: its first parameter in that unit."""
    assert data.started is not None
    found = sought(data.started)
    if found is None or not data.fits:
        return None
    unit = data.started.channels[found.value].unit
    alike = (one for one in data.fits[-1].parameters if one.unit == unit and one.value > 0 and one.error > 0)
    return next(alike, None)


def _fine(density: Density) -> tuple[FloatArray, FloatArray]:
    """The curve, dense where it is high, in the coordinates of the view."""
    x = math.log10(density.value) + np.linspace(-5, 5, _POINTS) * density.error / math.log(10)
    return x, density.at(10.0**x)


def _upright(x: float, height: float) -> tuple[FloatArray, FloatArray]:
    return np.array([x, x]), np.array([0.0, height])


def _with_gaps(parts: list[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    """Lines one behind the other."""
    gap = np.array([np.nan])
    if not parts:
        return np.empty(0), np.empty(0)
    return tuple(np.concatenate([piece for part in parts for piece in (part[k], gap)]) for k in (0, 1))  # type: ignore[return-value]
