"""The panels in docks: the default layout by area, tabs, shares of the window; saved and restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtWidgets import QDockWidget, QMainWindow, QTabWidget

from stmlab.gui.panel import Area

if TYPE_CHECKING:
    from PyQt6.QtGui import QShowEvent

    from stmlab.gui.panel import Panel

_VERSION = 1  # of the docks: a layout saved by another version is not restored
_SIDES = {
    Area.LEFT: Qt.DockWidgetArea.LeftDockWidgetArea,
    Area.MAIN: Qt.DockWidgetArea.RightDockWidgetArea,
    Area.RIGHT: Qt.DockWidgetArea.RightDockWidgetArea,
    Area.BOTTOM: Qt.DockWidgetArea.BottomDockWidgetArea,
}
_WIDTHS = {Area.LEFT: 3, Area.MAIN: 6, Area.RIGHT: 3}
_HEIGHTS = {Area.MAIN: 5, Area.BOTTOM: 1}


class Docks(QMainWindow):
    """A main window inside the main window, which has nothing but docks.

    Attributes:
        docks: name of a panel -> its dock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.docks: dict[str, QDockWidget] = {}
        self._areas: dict[str, Area] = {}
        self._arranged = True  # nobody has changed the default layout: it is shared out anew when first shown

    def add(self, panel: Panel) -> QDockWidget:
        """A dock for a panel; it stands nowhere before `arrange` or `restore`."""
        dock = QDockWidget(panel.title)
        dock.setObjectName(panel.name)
        dock.setWidget(panel)
        self.docks[panel.name], self._areas[panel.name] = dock, panel.area
        return dock

    def arrange(self) -> None:
        """The default layout; panels of one area are tabs, the first in front."""
        for dock in self.docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)
        for area, side in _SIDES.items():
            docks = self._of(area)
            for dock in docks:
                self.addDockWidget(side, dock)
                if dock is not docks[0]:
                    self.tabifyDockWidget(docks[0], dock)
                elif area is Area.RIGHT and (main := self._of(Area.MAIN)):
                    self.splitDockWidget(main[0], dock, Qt.Orientation.Horizontal)
                dock.show()
            if docks:
                docks[0].raise_()
        self._share()

    def bring(self, name: str) -> None:
        """Bring a panel to the front; nothing happens if there is none of that name."""
        if (dock := self.docks.get(name)) is not None:
            dock.show()
            dock.raise_()

    def layout_as_text(self) -> str:
        """For `restore`."""
        return self.saveState(_VERSION).toBase64().data().decode("ascii")

    def restore(self, layout: str) -> None:
        """Put the docks where they were; a layout of another version changes nothing."""
        if self.restoreState(QByteArray.fromBase64(layout.encode("ascii", "replace")), _VERSION):
            self._arranged = False

    def showEvent(self, event: QShowEvent | None) -> None:
        """Before it is first shown the window does not know how large it is."""
        super().showEvent(event)
        if self._arranged:
            self._share()
            self._arranged = False

    def _of(self, area: Area) -> list[QDockWidget]:
        return [dock for name, dock in self.docks.items() if self._areas[name] is area]

    def _share(self) -> None:
        for shares, along, whole in (
            (_WIDTHS, Qt.Orientation.Horizontal, self.width()),
            (_HEIGHTS, Qt.Orientation.Vertical, self.height()),
        ):
            there = [area for area in shares if self._of(area)]
            total = sum(shares[area] for area in there)
            sizes = [whole * shares[area] // total for area in there]
            self.resizeDocks([self._of(area)[0] for area in there], sizes, along)
