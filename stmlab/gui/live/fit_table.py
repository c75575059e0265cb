"""A fit in a table: symbol, quantity, value with its error, and where it holds; doubts in words below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHeaderView,
    QLabel,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from stmlab.display.symbols import symbol
from stmlab.gui.live.words import quantity_of
from stmlab.units import format_quantity, format_value

if TYPE_CHECKING:
    from PyQt6.QtGui import QKeyEvent

    from stmlab.gui.themes import Theme
    from stmlab.results import FitResult

_HEADINGS = ("", "quantity", "value", "at")
_DOUBT_LINES = 4.5  # lines of doubts in view; the others are reached by scrolling


class FitTable(QWidget):
    """Shows a `FitResult`; its rows can be copied."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._fit: FitResult | None = None
        self.heading, self.doubts = QLabel("no fit yet"), QLabel()
        self.table = _Table(0, len(_HEADINGS))
        self.table.setHorizontalHeaderLabels(_HEADINGS)
        for label in (self.heading, self.doubts):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.doubts.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self.doubts)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        line = self.fontMetrics().lineSpacing()
        self._scroll.setMaximumHeight(int(_DOUBT_LINES * line))
        self.table.setMinimumHeight(4 * line)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(self.table, stretch=2)
        layout.addWidget(self._scroll, stretch=1)
        self.show_fit(None)

    def use_theme(self, theme: Theme) -> None:
        """New colours."""
        self._theme = theme
        self.doubts.setStyleSheet(f"color: {theme.warn};")

    def show_fit(self, fit: FitResult | None) -> None:
        """Fill the table anew, if it is another fit."""
        if fit is self._fit and fit is not None:
            return
        self._fit = fit
        self.table.setVisible(fit is not None)
        self.heading.setText(_heading(fit))
        rows = _rows(fit) if fit is not None else []
        self.table.setRowCount(len(rows))
        for k, row in enumerate(rows):
            for column, text in enumerate(row):
                self.table.setItem(k, column, QTableWidgetItem(text))
        self.table.setColumnHidden(3, not any(row[3] for row in rows))
        self.doubts.setText("\n".join(f"⚠ {warning}" for warning in (fit.warnings if fit is not None else ())))
        self._scroll.setVisible(bool(self.doubts.text()))
        self.use_theme(self._theme)


class _Table(QTableWidget):
    """Read only; Ctrl+C copies the selected rows as text."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__(rows, columns)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAlternatingRowColors(True)
        self.setToolTip("Fitted quantities, one standard error each; Ctrl+C copies the selected rows")
        header, side = self.horizontalHeader(), self.verticalHeader()
        assert header is not None
        assert side is not None
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        side.hide()
        side.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Copy, or what a table does with keys."""
        clipboard = QApplication.clipboard()
        if event is None or clipboard is None or not event.matches(QKeySequence.StandardKey.Copy):
            super().keyPressEvent(event)
            return
        rows = sorted({index.row() for index in self.selectedIndexes()})
        cells = [[item.text() for k in range(self.columnCount()) if (item := self.item(row, k))] for row in rows]
        clipboard.setText("\n".join("\t".join(row) for row in cells))


def _heading(fit: FitResult | None) -> str:
    if fit is None:
        return "no fit yet"
    unit = fit.labels.get("y_unit", "")
    words = [f"fit {fit.model}", f"{fit.points} points"]
    if fit.residual:
        words.append(f"rms residual {format_quantity(float(f'{fit.residual:.3g}'), unit)}")
    if fit.reduced_chi_square is not None:
        words.append(f"reduced chi square {fit.reduced_chi_square:.3g}")
    words += [f"{what}: {chosen}" for what, chosen in fit.choices.items()]
    return ", ".join(words)


def _rows(fit: FitResult) -> list[tuple[str, str, str, str]]:
    return [
        (
            symbol(parameter.name, fit.model),
            quantity_of(parameter),
            format_value(parameter.value, parameter.error, parameter.unit),
            parameter.at,
        )
        for parameter in fit.parameters
    ]
