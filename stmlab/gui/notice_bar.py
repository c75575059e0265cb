"""The bar that shows the last notice above the panels, until it is dismissed or, if it only informs, has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy

from stmlab.gui.actions import Action
from stmlab.gui.notices import Level

if TYPE_CHECKING:
    from stmlab.gui.context import Context
    from stmlab.gui.notices import Notice

_READ = 8000  # ms that information stays
_WORDS = {Level.INFO: "Note", Level.WARNING: "Warning", Level.ERROR: "Error"}


class NoticeBar(QFrame):
    """One line or more, as wide as the window; hidden when there is nothing to say."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.shown: Notice | None = None
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        context.actions.add(
            Action("view.dismiss", "&Dismiss notice", "Hide the notice; the log keeps it", "Ctrl+D", menu="&View"),
            self.dismiss,
        )
        row = QHBoxLayout(self)
        row.addWidget(self.label, stretch=1)
        row.addWidget(context.actions.button("view.dismiss"))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        context.notices.said.connect(self.show_notice)
        context.theme_changed.connect(lambda _theme: self._paint())
        self.dismiss()

    def show_notice(self, notice: Notice) -> None:
        """Show it in place of the one before; information never takes the place of an error."""
        if self.shown is not None and notice.level is Level.INFO and self.shown.level is not Level.INFO:
            return
        self.shown = notice
        self.label.setText(f"{_WORDS[notice.level]}: {notice}")
        self._paint()
        self.show()
        self.context.actions["view.dismiss"].setEnabled(True)
        if notice.level is Level.INFO:
            self._timer.start(_READ)
        else:
            self._timer.stop()

    def dismiss(self) -> None:
        """Hide it."""
        self.shown = None
        self.hide()
        self.context.actions["view.dismiss"].setEnabled(False)

    def _paint(self) -> None:
        if self.shown is None:
            return
        theme = self.context.theme
        colour = {Level.INFO: theme.accent, Level.WARNING: theme.warn, Level.ERROR: theme.bad}[self.shown.level]
        self.setStyleSheet(
            f"NoticeBar {{ border-left: 6px solid {colour}; background: {theme.base}; }}"
            f" NoticeBar QLabel {{ color: {colour}; font-weight: bold; }}"
        )
