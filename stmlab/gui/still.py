"""Widgets that the mouse wheel does not change: it scrolls what they stand in, and a setting stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QSlider

if TYPE_CHECKING:
    from PyQt6.QtGui import QWheelEvent


class StillComboBox(QComboBox):
    """Its list opens at a click or a key."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Pass it on."""
        if event is not None:
            event.ignore()


class StillSlider(QSlider):
    """Horizontal; moved by the mouse or the arrow keys."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Pass it on."""
        if event is not None:
            event.ignore()
