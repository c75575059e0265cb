"""The plot's own context menu: it exports what stmlab's exporters write, with units and all digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QApplication, QMenu

from stmlab.gui.actions import Action

if TYPE_CHECKING:
    from PyQt6.QtCore import QPoint

    from stmlab.gui.context import Context
    from stmlab.gui.live.panel import LivePanel


class PlotMenu(QObject):
    """Registers what can be done with a plot, and opens as its context menu.

    Args:
        context: what panels share.
        panel: whose plots they are.
    """

    def __init__(self, context: Context, panel: LivePanel) -> None:
        super().__init__(panel)
        self._context, self._panel = context, panel
        actions = context.actions
        section = "plot export"
        actions.add(
            Action("live.copy", "&Copy picture", "The plot as it is, for another program", "Ctrl+Shift+C", "&View", section=section),
            self.copy,
        )

    def open_at(self, place: QPoint) -> None:
        """Open the menu, a place on the screen."""
        menu = QMenu(self._panel)
        menu.setToolTipsVisible(True)
        for name in ("live.show_all", "", "live.copy", "live.export_figure", "live.export_data"):
            if not name:
                menu.addSeparator()
            elif name in self._context.actions:
                menu.addAction(self._context.actions[name])
        menu.popup(place)
        self.menu = menu

    def copy(self) -> None:
        """The plot into the clipboard."""
        clipboard = QApplication.clipboard()
        assert clipboard is not None
        clipboard.setPixmap(self._panel.plot.grab())
        self._context.notices.info("the plot is in the clipboard")
