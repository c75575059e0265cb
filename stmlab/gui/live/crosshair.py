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
    from stmlab.arrays import IntArray
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
    """The cell of a sweep whose place is nearest; of those that were read, if any were."""
    cells = _offered(data, line)
    return int(cells[np.argmin(np.abs(data.x(cells) - x))])


def stepped_cell(data: RunData, line: Line, cell: int, step: int) -> int:
    """The next point to the right (1) or to the left (-1) on the screen; from the middle if there is none yet."""
    cells = _offered(data, line)
    cells = cells[np.argsort(data.x(cells), kind="stable")]
    found = np.flatnonzero(cells == cell)
    if not len(found):
        return int(cells[len(cells) // 2])
    return int(cells[np.clip(found[0] + step, 0, len(cells) - 1)])


def _offered(data: RunData, line: Line) -> IntArray:
    """The cells of a sweep that were read; all of them before the first."""
    cells = np.arange(line.start, line.stop)
    read = cells[data.known[cells // data.layout.width]]
    return read if len(read) else cells


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
