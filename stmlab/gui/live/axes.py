"""An axis of a plot that always says what it shows and in which unit, linear or logarithmic, however small its span."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg

from stmlab.units import format_quantity, written_unit

if TYPE_CHECKING:
    from PyQt6.QtGui import QPainter
    from PyQt6.QtWidgets import QStyleOptionGraphicsItem, QWidget

_ALL_LABELLED = 0.7  # decades, below which 1, 2, 5 are too few labels
_SOME_LABELLED = 2.0  # decades, below which 2 and 5 are labelled too
_ROUND = (1, 2, 4, 5, 10)  # steps of labels
_INSIDE = 0.4  # of the span, from its middle: farther out a label may be cut off, and is not drawn
_MOST_DECADES = 8  # that are labelled


class QuantityAxis(pg.AxisItem):  # type: ignore[misc, unused-ignore]
    """Values in SI units shown in a unit with a prefix; the view's coordinate is log10 of the value if logarithmic.

    The label is laid out only when it changes: that takes longer than all ticks.
    """

    def __init__(self, orientation: str) -> None:
        self._quantity, self._unit, self._shown = "", "", ""
        self._named = False
        self.autoSIPrefixScale = 1.0
        super().__init__(orientation)
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)  # texts are laid out when they change, not each time

    def describe(self, quantity: str, unit: str, *, logarithmic: bool = False, named: bool = False) -> None:
        """What the axis shows; ``named``: its ticks are words of their own (`setTicks`)."""
        self._quantity, self._unit, self._named = quantity, unit, named
        self.logMode = logarithmic
        self.showLabel(bool(quantity))
        self.updateAutoSIPrefix()
        self.picture = None
        self.update()

    @property
    def title(self) -> str:
        """The label as it stands: "current (pA)"."""
        return f"{self._quantity} ({self._shown})" if self._shown else self._quantity

    def written(self, coordinate: float) -> str:
        """A coordinate of the view as a quantity: "1.2 GHz"."""
        value = 10.0**coordinate if self.logMode else coordinate
        return format_quantity(float(f"{value:.5g}"), self._unit)

    def told(self, coordinate: float) -> str:
        """A coordinate of the view in words: "bias 1.2 mV"."""
        return f"{self._quantity} {self.written(coordinate)}"

    # -- pyqtgraph's hooks -------------------------------------------------------------------------------------------

    def updateAutoSIPrefix(self) -> None:
        """The prefix that suits the larger end; of a logarithmic axis the ticks carry it."""
        ends = [abs(end) for end in self.range if math.isfinite(end)] or [0.0]
        plain = self.logMode or self._named
        power, shown = (0, self._unit) if plain else written_unit(max(ends), self._unit)
        changed = self.title, self.autoSIPrefixScale
        self.autoSIPrefixScale, self._shown = 10.0**-power, shown
        if (self.title, self.autoSIPrefixScale) != changed or not self.label.toPlainText():
            self._updateLabel()
        self.picture = None  # `setRange` leaves the new ticks to this method
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget) -> None:
        """Ticks and their texts, in a rectangle: in Qt's region each line of the grid takes ten times as long."""
        painter.setClipRect(self.boundingRect().toAlignedRect().adjusted(-1, -1, 1, 1))
        super().paint(painter, option, widget)

    def labelString(self) -> str:
        """The title for pyqtgraph."""
        colour = self.labelStyle.get("color", "")
        style = f' style="color: {colour}"' if colour else ""
        return f"<span{style}>{html.escape(self.title)}</span>"

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """Ticks with labels first, those without after them."""
        low, high = sorted((low, high))
        if not self.logMode or not math.isfinite(low) or not math.isfinite(high):
            found: list[tuple[float, list[float]]] = super().tickValues(low, high, size)
            return found
        span = high - low
        if span < _ALL_LABELLED:
            return _even_ticks(low, high, max(int(size / 90), 3))
        decades = np.arange(math.floor(low), math.ceil(high) + 1)
        every = math.ceil(len(decades) / _MOST_DECADES)
        factors = (1, 2, 5) if span < _SOME_LABELLED else (1,)
        named = [float(d + math.log10(f)) for d in decades[decades % every == 0] for f in factors]
        rest = [float(d + math.log10(f)) for d in decades for f in range(1, 10)] if every == 1 else decades.tolist()
        within = [sorted(t for t in ticks if low <= t <= high) for ticks in (named, set(rest) - set(named))]
        return [(1.0, within[0]), (0.1, within[1])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Numbers in the unit of the label; of a logarithmic axis "10 M" and nothing at the ticks between."""
        if not self.logMode:
            rounded = [0.0 if abs(value) < 1e-6 * spacing else value for value in values]
            strings: list[str] = super().tickStrings(rounded, scale, spacing)
            return strings
        if spacing == 0.1:
            return []
        gap = min(np.diff(values), default=1.0)  # so many digits that neighbours differ
        digits = max(4, 2 + math.ceil(-math.log10(gap))) if gap > 0 else 4
        return [_prefixed(10.0**value, digits) for value in values]


def _even_ticks(low: float, high: float, most: int) -> list[tuple[float, list[float]]]:
    """Round numbers, evenly spaced, where there is less than a decade to place them in; two of them at the least."""
    ends = 10.0**low, 10.0**high
    rough = (ends[1] - ends[0]) / most
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    suits = next(k for k, factor in enumerate(_ROUND) if factor * power >= rough)
    for factor in reversed(_ROUND[: suits + 1]):
        step = factor * power
        values = step * np.arange(math.ceil(ends[0] / step), math.floor(ends[1] / step) + 1)
        places = np.log10(values[values > 0])
        if np.sum(np.abs(places - (low + high) / 2) < _INSIDE * (high - low)) > 1:  # a single number tells no width
            break
    return [(1.0, places.tolist())]


def _prefixed(value: float, digits: int) -> str:
    """A number with its prefix and without a unit: "20 G"."""
    power, prefixed = written_unit(value, "Hz")
    return f"{value * 10.0**-power:.{digits}g} {prefixed.removesuffix('Hz')}".strip()
