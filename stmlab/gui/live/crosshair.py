"""The crosshair of a plot of sweeps: it goes from point to point and tells what was read there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt

from stmlab.gui.live.words import spelled
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.display.fit_curves import FitCurve
    from stmlab.gui.live.lines import Line
    from stmlab.gui.live.run_data import RunData
    from stmlab.gui.themes import Theme


class Crosshair:
    """Two lines in a plot; ``cell`` is the point that they cross at."""

    def __init__(self, plot: pg.PlotItem) -> None:
        self.cell = -1
        self._lines = tuple(pg.InfiniteLine(angle=angle) for angle in (90, 0))
        for line in self._lines:
            line.setZValue(30)
            plot.addItem(line, ignoreBounds=True)
        self.hide()

    @property
    def shown(self) -> bool:
        """Whether it is in the picture."""
        return bool(self._lines[0].isVisible())

    def arrange(self, theme: Theme) -> None:
        """Colours."""
        for line in self._lines:
            line.setPen(pg.mkPen(theme.cursor, width=1, style=Qt.PenStyle.DotLine))
        self.hide()

    def show(self, x: float, y: float) -> None:
        """Cross here, in coordinates of the view; where y is not known there is only the upright line."""
        for line, place in zip(self._lines, (x, y), strict=True):
            line.setVisible(math.isfinite(place))
            if math.isfinite(place):
                line.setPos(place)

    def hide(self) -> None:
        """Take it away."""
        for line in self._lines:
            line.setVisible(False)


def nearest_cell(data: RunData, line: Line, x: float) -> int:
    """The cell of a sweep whose planned place is nearest."""
    planned = data.layout.values[data.layout.pieces[line.number % len(data.layout.pieces)]]
    rising = planned if planned[0] <= planned[-1] else planned[::-1]
    place = int(np.clip(np.searchsorted(rising, x), 1, max(len(rising) - 1, 1)))
    if len(rising) > 1 and abs(rising[place - 1] - x) <= abs(rising[place] - x):
        place -= 1
    place = min(place, len(rising) - 1)
    return line.start + (place if rising is planned else len(rising) - 1 - place)


def stepped_cell(data: RunData, line: Line, cell: int, step: int) -> int:
    """The next point to the right (1) or to the left (-1) on the screen; from the middle if there is none yet."""
    if not line.start <= cell < line.stop:
        return (line.start + line.stop) // 2
    planned = data.layout.values[data.layout.pieces[line.number % len(data.layout.pieces)]]
    way = 1 if planned[0] <= planned[-1] else -1
    return int(np.clip(cell + way * step, line.start, line.stop - 1))


def value_at(data: RunData, channel: str, cell: int, *, mean: bool = False) -> float:
    """What was read at a point, or the mean over its repetitions."""
    if not mean:
        return float(data.cells(channel)[cell])
    layout = data.layout
    where = np.unravel_index(cell, (*layout.outer, len(layout.values)))
    kept = [k for k in range(len(where)) if k not in layout.repeated]
    lengths = (*layout.outer, len(layout.values))
    place = np.ravel_multi_index([int(where[k]) for k in kept], [lengths[k] for k in kept])
    return float(data.mean(channel)[place])


def values_in_words(
    data: RunData, channels: tuple[str, ...], values: list[float], cell: int, fit: FitCurve | None, *, mean: bool
) -> str:
    """The values at a point with the errors of their readings, and what the fit says there."""
    sweep = data.layout.sweep
    x = float(data.x(slice(cell, cell + 1))[0])
    words = []
    for channel, value in zip(channels, values, strict=True):
        text = f"{spelled(channel)} {_written(value, data.unit(channel))}"
        error = f"{channel}_error"
        if not mean and error in data.channels and math.isfinite(spread := float(data.cells(error)[cell])):
            text += f" ± {_written(spread, data.unit(channel))}"
        words.append(text)
    if fit is not None and fit.x_smooth.min() <= x <= fit.x_smooth.max():
        order = np.argsort(fit.x_smooth, kind="stable")
        value = float(np.interp(x, fit.x_smooth[order], fit.fit_smooth[order]))
        words.append(f"fit {_written(value, data.unit(channels[0]))}")
    name, unit = (sweep.label or sweep.name, sweep.unit) if sweep is not None else ("point", "")
    return f"{name} {format_quantity(float(f'{x:.6g}'), unit)}: {', '.join(words)}"


def _written(value: float, unit: str) -> str:
    return format_quantity(float(f"{value:.4g}"), unit) if math.isfinite(value) else "not read"
