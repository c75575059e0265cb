"""What a plot is made of: lines, marks and error bars that take arrays as often as the screen is renewed.

They are drawn in pixels: Qt strokes badly where a view's unit is a nanoampere by a millivolt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF, QTransform

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

    _Span = tuple[float, float] | tuple[None, None]

_FAR = 1e5  # pixels, where what is outside the view is cut
_EMPTY: FloatArray = np.empty(0)


class PlotItem(pg.GraphicsObject):  # type: ignore[misc, unused-ignore]
    """Base: two arrays in the coordinates of the view, nan where there is nothing.

    Attributes:
        x, y: what is drawn.
    """

    def __init__(self, colour: str, width: float, *, dashed: bool = False) -> None:
        super().__init__()
        self.x = self.y = _EMPTY
        self._bounds: list[_Span] = [(None, None), (None, None)]
        self._pen = QPen(QColor(colour), width)
        self._pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if dashed:
            self._pen.setStyle(Qt.PenStyle.DashLine)

    def take(self, x: FloatArray, y: FloatArray) -> None:
        """Draw these from now on."""
        if not len(x) and not len(self.x):
            return
        self.x, self.y = x, y
        self._bounds = [_span(x), _span(y)]
        self.informViewBoundsChanged()
        self.update()

    def hide_line(self) -> None:
        """Draw nothing."""
        self.take(_EMPTY, _EMPTY)

    def colour(self, colour: Any) -> None:
        """Another colour: a name, or red, green and blue."""
        made = pg.mkColor(colour)
        if made != self._pen.color():
            self._pen.setColor(made)
            self.update()

    # -- hooks of pyqtgraph and Qt -----------------------------------------------------------------------------------

    def dataBounds(
        self, axis: int, frac: float = 1.0, orthoRange: Any = None
    ) -> tuple[float, float] | tuple[None, None]:
        """What the view has to show along an axis."""
        return self._bounds[axis]

    def pixelPadding(self) -> float:
        """Beyond that, for the width of the pen."""
        return self._pen.widthF()

    def boundingRect(self) -> QRectF:
        """The whole view."""
        found: QRectF = self.viewRect()
        return found

    def viewTransformChanged(self) -> None:
        """The view has moved."""
        super().viewTransformChanged()
        self.prepareGeometryChange()

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw in pixels."""
        if not len(self.x):
            return
        device, transform = painter.device(), painter.transform()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        x = (transform.m11() * self.x + transform.dx()) / ratio
        y = (transform.m22() * self.y + transform.dy()) / ratio
        painter.setTransform(QTransform.fromScale(ratio, ratio))
        self.draw(painter, np.clip(x, -_FAR, _FAR), np.clip(y, -_FAR, _FAR))

    def draw(self, painter: QPainter, x: FloatArray, y: FloatArray) -> None:
        """Draw at these pixels."""
        raise NotImplementedError


class Curve(PlotItem):
    """A line with gaps where it is nan."""

    def __init__(self, colour: str, width: float = 1.0, *, dashed: bool = False) -> None:
        super().__init__(colour, width, dashed=dashed)
        self._smooth = False

    def show_line(self, x: FloatArray, y: FloatArray, *, smooth: bool = False) -> None:
        """Draw these values; ``smooth``: with soft edges, which takes time where there are many."""
        self._smooth = smooth
        self.take(x, y)

    def draw(self, painter: QPainter, x: FloatArray, y: FloatArray) -> None:
        """One polygon for each stretch without a gap."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, self._smooth)
        painter.setPen(self._pen)
        gaps = np.flatnonzero(~np.isfinite(x + y))
        start = 0
        for stop in [*gaps.tolist(), len(x)]:
            if stop - start > 1:
                painter.drawPolyline(_polygon(x[start:stop], y[start:stop]))
            start = stop + 1


class Bars(PlotItem):
    """Vertical error bars."""

    def __init__(self, colour: str) -> None:
        super().__init__(colour, 1.0)

    def show_bars(self, x: FloatArray, low: FloatArray, high: FloatArray) -> None:
        """Draw a bar from low to high at each x; none where one of them is not finite."""
        known = np.isfinite(x + low + high)
        self.take(np.repeat(x[known], 2), np.column_stack([low[known], high[known]]).ravel())

    def draw(self, painter: QPainter, x: FloatArray, y: FloatArray) -> None:
        """A line for each pair."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        painter.setPen(self._pen)
        for k in range(0, len(x), 2):
            painter.drawPolyline(_polygon(x[k : k + 2], y[k : k + 2]))


class Marks(PlotItem):
    """Round marks.

    Args:
        colour: of the mark, or of its edge.
        size: diameter in pixels.
        hollow: the colour inside; "": filled.
    """

    def __init__(self, colour: str, size: float = 5.0, *, hollow: str = "") -> None:
        super().__init__(colour, size)
        self._inside = QPen(self._pen) if hollow else None
        if self._inside is not None:
            self._inside.setColor(QColor(hollow))
            self._inside.setWidthF(size - 2.5)

    def show_marks(self, x: FloatArray, y: FloatArray) -> None:
        """Draw a mark at each finite point."""
        known = np.isfinite(x + y)
        self.take(x[known], y[known])

    def draw(self, painter: QPainter, x: FloatArray, y: FloatArray) -> None:
        """Points of a round pen."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        points = _polygon(x, y)
        for pen in (self._pen, self._inside):
            if pen is not None:
                painter.setPen(pen)
                painter.drawPoints(points)


def _polygon(x: FloatArray, y: FloatArray) -> QPolygonF:
    found: QPolygonF = pg.functions.arrayToQPolygonF(x, y)
    return found


def _span(values: FloatArray) -> _Span:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else (None, None)
