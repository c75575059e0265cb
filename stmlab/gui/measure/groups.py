"""A group of parameters under a heading that opens and closes it."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QGridLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget


class Group(QWidget):
    """A heading, and rows below it."""

    def __init__(self, title: str, *, is_open: bool = True) -> None:
        super().__init__()
        self.heading = QToolButton()
        self.heading.setText(title)
        self.heading.setToolTip(f"Show or hide the group {title}")
        self.heading.setCheckable(True)
        self.heading.setAutoRaise(True)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        font = self.heading.font()
        font.setBold(True)
        self.heading.setFont(font)
        self.content = QWidget()
        self.rows = QGridLayout(self.content)
        self.rows.setContentsMargins(12, 0, 0, 4)
        self.rows.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(self.content)
        self.heading.setChecked(is_open)
        self._show(is_open)
        self.heading.toggled.connect(self._show)

    @property
    def is_open(self) -> bool:
        """Whether its rows are shown."""
        return self.heading.isChecked()

    def open(self) -> None:
        """Show its rows."""
        self.heading.setChecked(True)

    def _show(self, shown: bool) -> None:
        self.heading.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        self.content.setVisible(shown)
