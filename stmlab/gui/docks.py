"""The panels in docks: the default layout by area, tabs, shares of the window; saved and restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QByteArray, QSize, Qt
from PyQt6.QtWidgets import QDockWidget, QMainWindow, QScrollArea, QTabWidget, QWidget

from stmlab.gui.panel import Area

if TYPE_CHECKING:
    from PyQt6.QtGui import QResizeEvent, QShowEvent

    from stmlab.gui.panel import Panel

_VERSION = 1  # of the docks: a layout saved by another version is not restored
_SIDES = {
    Area.LEFT: Qt.DockWidgetArea.LeftDockWidgetArea,
    Area.MAIN: Qt.DockWidgetArea.RightDockWidgetArea,
    Area.RIGHT: Qt.DockWidgetArea.RightDockWidgetArea,
    Area.BOTTOM: Qt.DockWidgetArea.BottomDockWidgetArea,
}
_WIDTHS = {Area.LEFT: 6, Area.MAIN: 12, Area.RIGHT: 6}  # of 24
_NARROW = 190  # average letters, below which there is no room for three columns
_MOST_LETTERS, _MOST_LINES = 40, 9  # what no panel can be squeezed below
_LOW = 44  # lines, below which there is no room for two rows


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
        self._fresh = True  # nobody has changed the default layout: it is made anew when its size is known

    def add(self, panel: Panel) -> QDockWidget:
        """A dock for a panel; it stands nowhere before `arrange` or `restore`."""
        dock = QDockWidget(panel.title)
        dock.setObjectName(panel.name)
        dock.setWidget(_Scrolled(panel))
        self.docks[panel.name], self._areas[panel.name] = dock, panel.area
        return dock

    def arrange(self) -> None:
        """The default layout; panels of one area are tabs, the first in front.

        Where there is no room for three columns those of the right are tabs on the left, and where there is none for
        two rows those of the bottom are tabs in the middle.
        """
        for dock in self.docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)
        stacks = self._stacks()
        for area, (first, *_) in stacks.items():
            self.addDockWidget(_SIDES[area], first)
            first.show()
        if Area.RIGHT in stacks and Area.MAIN in stacks:  # before there are tabs: Qt splits no tab
            self.splitDockWidget(stacks[Area.MAIN][0], stacks[Area.RIGHT][0], Qt.Orientation.Horizontal)
        for first, *others in stacks.values():
            for dock in others:
                self.tabifyDockWidget(first, dock)
                dock.show()
            first.raise_()
        self._share(stacks)

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
            self._fresh = False

    def showEvent(self, event: QShowEvent | None) -> None:
        """Before it is first shown the window does not know how large it is."""
        super().showEvent(event)
        if self._fresh:
            self.arrange()
            self._fresh = False

    def _of(self, area: Area) -> list[QDockWidget]:
        return [dock for name, dock in self.docks.items() if self._areas[name] is area]

    def _stacks(self) -> dict[Area, list[QDockWidget]]:
        """The docks that are tabs together."""
        stacks = {area: self._of(area) for area in _SIDES}
        letter = self.fontMetrics()
        if self.width() < _NARROW * letter.averageCharWidth():
            stacks[Area.LEFT] += stacks.pop(Area.RIGHT)
        if self.height() < _LOW * letter.lineSpacing():
            stacks[Area.MAIN] += stacks.pop(Area.BOTTOM)
        return {area: docks for area, docks in stacks.items() if docks}

    def _share(self, stacks: dict[Area, list[QDockWidget]]) -> None:
        """Shares of the room; the sides and the bottom have at least what they need."""
        width, height = self.width(), self.height()
        widths = {area: width * share // 24 for area, share in _WIDTHS.items() if area in stacks}
        for side in {Area.LEFT, Area.RIGHT} & set(widths):
            widths[side] = max(widths[side], _needed(stacks[side][0]).width())
        if Area.MAIN in widths:
            widths[Area.MAIN] = width - sum(widths.values()) + widths[Area.MAIN]
        self.resizeDocks([stacks[area][0] for area in widths], list(widths.values()), Qt.Orientation.Horizontal)
        if Area.BOTTOM in stacks and Area.MAIN in stacks:
            low = max(height // 6, _needed(stacks[Area.BOTTOM][0]).height())
            docks = [stacks[Area.MAIN][0], stacks[Area.BOTTOM][0]]
            self.resizeDocks(docks, [height - low, low], Qt.Orientation.Vertical)


class _Scrolled(QScrollArea):
    """A panel that scrolls where there is less room than it needs at least: no screen is too small."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self.panel = panel
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setWidget(_Holder(panel))

    def sizeHint(self) -> QSize:
        """That of the panel."""
        return self.panel.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """What the panel needs, up to a size for which there is room on any screen."""
        letter = self.fontMetrics()
        most = QSize(_MOST_LETTERS * letter.averageCharWidth(), _MOST_LINES * letter.lineSpacing())
        return self.panel.minimumSizeHint().boundedTo(most)


class _Holder(QWidget):
    """Holds a panel without a layout.

    Where text folds, a QScrollArea makes a layout as high as it would like to be, and not as it must be at least.
    """

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self.panel = panel
        panel.setParent(self)

    def minimumSizeHint(self) -> QSize:
        """That of the panel."""
        return self.panel.minimumSizeHint()

    def sizeHint(self) -> QSize:
        """That of the panel."""
        return self.panel.sizeHint()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """The panel has all the room."""
        super().resizeEvent(event)
        self.panel.resize(self.size())


def _needed(dock: QDockWidget) -> QSize:
    """The size at which a panel need not scroll, its title included."""
    inner = dock.widget()
    least = inner.panel.minimumSizeHint() if isinstance(inner, _Scrolled) else QSize()
    return least + QSize(dock.fontMetrics().averageCharWidth() * 2, dock.fontMetrics().lineSpacing() * 2)
