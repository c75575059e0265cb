"""What every plot of a run has: axes with units, colours of the theme, a view that can be shown whole again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqtgraph as pg
from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QContextMenuEvent

from stmlab.gui.live.axes import QuantityAxis
from stmlab.gui.live.shown import Shown
from stmlab.gui.themes import Theme, paint_plot

if TYPE_CHECKING:
    from PyQt6.QtCore import QPointF
    from PyQt6.QtGui import QResizeEvent
    from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent

    from stmlab.gui.live.run_data import RunData


class PlotArea(pg.GraphicsLayoutWidget):  # type: ignore[misc, unused-ignore]
    """Base: draws a `RunData` as `Shown` says; `draw` may be called as often as the screen is renewed.

    Attributes:
        theme: the colours.
        words: what is drawn, for the line above the plot: rich text.

    Signals:
        pointed: what lies under the crosshair, in words.
        menu_wanted: a place on the screen for the context menu.
    """

    pointed = pyqtSignal(str)
    menu_wanted = pyqtSignal(object)
    main: pg.PlotItem

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.words = ""
        self.data: RunData | None = None
        self.shown = Shown()
        self._plots: list[pg.PlotItem] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._renew)
        self.setBackground(theme.base)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.scene().sigMouseMoved.connect(self._moved)
        self.scene().sigMouseClicked.connect(self._clicked)

    def plot(self, *sides: str) -> pg.PlotItem:
        """A plot with our axes on these sides, not yet placed; its context menu is ours."""
        made = pg.PlotItem(axisItems={side: QuantityAxis(side) for side in sides}, enableMenu=False)
        made.hideButtons()
        made.showGrid(x=True, y=True, alpha=0.15)
        for side in ("left", "bottom", "right", "top"):
            made.showAxis(side, side in sides)
        made.getViewBox().sigRangeChanged.connect(lambda *_: self.later())
        paint_plot(made, self.theme, sides)
        self._plots.append(made)
        return made

    def draw(self, data: RunData, shown: Shown) -> None:
        """Show a run as it stands; nothing is done if nothing has changed."""
        self.data, self.shown = data, shown
        self._renew()

    def show_all(self) -> None:
        """All of the data in view, and follow them."""
        for made in self._plots:
            follow(made.getViewBox())
        self.later()

    def use_theme(self, theme: Theme) -> None:
        """New colours."""
        self.theme = theme
        self.setBackground(theme.base)
        for made in self._plots:
            paint_plot(made, theme)
        self.forget()
        self.later()

    def later(self) -> None:
        """Draw again when the event loop has nothing more urgent."""
        if not self._soon.isActive():
            self._soon.start(0)

    def forget(self) -> None:
        """What was drawn is to be drawn anew."""

    def renew(self, data: RunData, shown: Shown) -> None:
        """Draw what has changed."""
        raise NotImplementedError

    def point_at(self, x: float, y: float) -> None:
        """The mouse is at this place of the view."""
        if self.data is None or self.data.started is None or not hasattr(self, "main"):
            return
        across, up = axis_of(self.main, "bottom"), axis_of(self.main, "left")
        self.pointed.emit(f"{across.told(x)}, {up.told(y)}")

    def _moved(self, place: QPointF) -> None:
        if hasattr(self, "main") and self.main.getViewBox().sceneBoundingRect().contains(place):
            found = self.main.getViewBox().mapSceneToView(place)
            self.point_at(found.x(), found.y())

    def _clicked(self, event: MouseClickEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            event.accept()
            self.menu_wanted.emit(event.screenPos().toPoint())

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        """Qt's hook: the menu by its key; by the mouse it comes with the click, since a drag zooms."""
        if event is not None and event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_wanted.emit(self.mapToGlobal(self.rect().center()))

    def _renew(self) -> None:
        if self.data is not None and self.data.started is not None and not self.closed:
            self.renew(self.data, self.shown)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Qt's hook: another number of pixels."""
        super().resizeEvent(event)
        if hasattr(self, "_soon"):
            self.later()


def follow(view: pg.ViewBox) -> None:
    """Keep all of the data in view, along the axes for which the view is not linked to another."""
    view.enableAutoRange(x=view.linkedView(0) is None, y=view.linkedView(1) is None)


def axis_of(plot: pg.PlotItem, side: str) -> QuantityAxis:
    """One of our axes of a plot."""
    found: QuantityAxis = plot.getAxis(side)
    return found
