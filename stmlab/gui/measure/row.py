"""One parameter in the form: its name, its field, what is allowed, and the refusal below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, Qt
from PyQt6.QtWidgets import QGridLayout, QLabel

from stmlab.gui.measure.fields import field_for

if TYPE_CHECKING:
    from stmlab.acquisition.parameters import Parameter
    from stmlab.gui.measure.bounds import Bounds
    from stmlab.gui.themes import Theme


class Row(QObject):
    """Its widgets stand in a grid: name, field, allowed; the refusal in the line below, hidden while there is none."""

    def __init__(self, name: str, parameter: Parameter, grid: QGridLayout, theme: Theme) -> None:
        super().__init__(grid)
        self.name, self.parameter = name, parameter
        self.field = field_for(parameter)
        self.allowed, self.refusal = QLabel(), QLabel()
        label = self.label = QLabel(parameter.name)
        label.setBuddy(self.field.inner)
        about = parameter.description or parameter.name
        label.setToolTip(f"{about}\n--set {name}=...")
        self._about = about
        self.field.inner.setMinimumHeight(self.field.inner.sizeHint().height())  # also where it is marked
        self.field.inner.setAccessibleName(parameter.name)
        self.allowed.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.refusal.setWordWrap(True)
        self.refusal.hide()
        line = grid.rowCount()
        grid.addWidget(label, line, 0)
        grid.addWidget(self.field, line, 1)
        grid.addWidget(self.allowed, line, 2)
        grid.addWidget(self.refusal, line + 1, 0, 1, 3)
        self.bounds: Bounds | None = None
        self.reason = self.objection = ""
        self._theme = theme
        self.show_bounds(None)
        self.paint(theme)

    def show_bounds(self, bounds: Bounds | None) -> None:
        """What is allowed, in few letters; where it is set as a tip."""
        self.bounds = bounds
        unit = getattr(self.parameter, "units", None) or ""
        self.allowed.setText(unit if bounds is None else str(bounds))
        self.allowed.setToolTip("" if bounds is None else bounds.explained())
        self._tell()

    def refuse(self, reason: str) -> None:
        """Show why the value is refused, or, with "", that it is not."""
        if reason != self.reason:
            self.reason = reason
            self._show()

    def object_to(self, objection: str) -> None:
        """Show what the check of the whole run says of it, or, with "", that it says nothing."""
        if objection != self.objection:
            self.objection = objection
            self._show()

    def _show(self) -> None:
        said = self.reason or self.objection
        self.refusal.setText(said)
        self.refusal.setVisible(bool(said))
        self.paint(self._theme)
        self._tell()

    def paint(self, theme: Theme) -> None:
        """In the colours of the theme."""
        self._theme = theme
        self.allowed.setStyleSheet(f"color: {theme.faint};")
        self.refusal.setStyleSheet(f"color: {theme.bad};")
        wrong = f"border: 1px solid {theme.bad}; background: {theme.bad_base}; color: {theme.text};"
        self.field.inner.setStyleSheet(wrong if self.reason or self.objection else "")

    def _tell(self) -> None:
        lines = [self._about, self.allowed.toolTip(), self.reason or self.objection]
        self.field.inner.setToolTip("\n".join(line for line in lines if line))
