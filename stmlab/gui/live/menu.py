"""The plot's own context menu: it exports what stmlab's exporters write, with units and all digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QApplication, QMenu

from stmlab.gui.actions import Action
from stmlab.gui.data.exporting import Exporting

if TYPE_CHECKING:
    from pathlib import Path

    from PyQt6.QtCore import QPoint

    from stmlab.gui.context import Context
    from stmlab.gui.live.panel import LivePanel

_NO_FILE = "what is shown is of no file: there is nothing to export"


class PlotMenu(QObject):
    """Registers what can be done with a plot, and opens as its context menu.

    Args:
        context: what panels share.
        panel: whose plots they are.
    """

    def __init__(self, context: Context, panel: LivePanel) -> None:
        super().__init__(panel)
        self._context, self._panel = context, panel
        self.exporting = Exporting(context, panel)
        self.menu = QMenu(panel)
        self.menu.setToolTipsVisible(True)
        rows = (
            ("copy", "Co&py picture", "The plot as it is, for another program", "Ctrl+Shift+C", self.copy),
            ("export_figure", "Export fi&gure...", "The run with its fit: PNG, SVG, PDF", "", self.export_figure),
            ("export_data", "Export &data...", "All readings with their units, all digits", "", self.export_data),
        )
        made = [
            context.actions.add(Action(f"live.{name}", text, tip, keys, "&View", section="plot export"), do)
            for name, text, tip, keys, do in rows
        ]
        self.menu.addAction(context.actions["live.show_all"])
        self.menu.addSeparator()
        self.menu.addActions(made)

    def open_at(self, place: QPoint) -> None:
        """Open the menu at a place on the screen."""
        self.menu.popup(place)

    def copy(self) -> None:
        """The plot into the clipboard."""
        clipboard = QApplication.clipboard()
        assert clipboard is not None
        clipboard.setPixmap(self._panel.plot.grab())
        self._context.notices.info("the plot is in the clipboard")

    def export_figure(self) -> None:
        """Ask for a name, and draw the run's file."""
        self.exporting.figure(self._paths())

    def export_data(self) -> None:
        """Ask for a name, and write the run's data."""
        self.exporting.data(self._paths())

    def _paths(self) -> list[Path]:
        path = self._panel.source.path
        if path is None:
            self._context.notices.warning(_NO_FILE)
            return []
        return [path]
