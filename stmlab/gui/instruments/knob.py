"""A setting of an instrument: what it is now, and a field for what it shall be, sent by Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from stmlab.errors import SequenceError
from stmlab.gui.instruments.words import as_text
from stmlab.gui.measure.written import written_range
from stmlab.gui.still import StillComboBox
from stmlab.units import format_quantity, in_unit

if TYPE_CHECKING:
    from stmlab.gui.themes import Theme

_WHOLE = ("harmonic",)  # knobs that count


class KnobField(QWidget):
    """One knob of `stmlab.station.desk`.

    Args:
        knob: its fields, and "bounds" in its unit or None.
        theme: colours.

    Signals:
        changed: name, and the value asked for (SI); not before it lies within the bounds.
    """

    changed = pyqtSignal(str, object)

    def __init__(self, knob: dict[str, Any], theme: Theme) -> None:
        super().__init__()
        self.knob, self.theme = knob, theme
        self.label = QLabel(knob["label"])
        self.now, self.refusal = QLabel("\N{EN DASH}"), QLabel()
        self.now.setMinimumWidth(self.now.fontMetrics().horizontalAdvance("-888.888 mV"))
        self.refusal.setWordWrap(True)
        self.refusal.hide()
        self.edit = self._choices() if knob["choices"] else self._line()
        self.edit.setToolTip(self._bounds_in_words())
        self.edit.setAccessibleName(knob["label"])
        self.label.setBuddy(self.edit)
        row = QHBoxLayout()
        row.addWidget(self.now)
        row.addWidget(self.edit, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.refusal)
        self.paint(theme)

    def show_value(self, value: Any) -> None:
        """What was read last; what is being typed stays."""
        self.now.setText(as_text(float(value) if self.knob["unit"] else value, self.knob["unit"]))
        if isinstance(self.edit, QComboBox):
            self.edit.setCurrentIndex(max(self.edit.findData(value), 0))

    def refuse(self, why: str) -> None:
        """Say why a value was not taken; "" when it was."""
        self.refusal.setText(why)
        self.refusal.setVisible(bool(why))
        self.edit.setStyleSheet(f"background: {self.theme.bad_base};" if why else "")
        if not why and isinstance(self.edit, QLineEdit):
            self.edit.clear()

    def set_editable(self, editable: bool) -> None:
        """Whether it takes a value."""
        self.edit.setEnabled(editable)

    def paint(self, theme: Theme) -> None:
        """Other colours."""
        self.theme = theme
        self.refusal.setStyleSheet(f"color: {theme.bad};")

    def _line(self) -> QLineEdit:
        line = QLineEdit()
        line.setPlaceholderText(self._bounds_in_words(short=True))
        line.textEdited.connect(lambda text: self._judge(text))
        line.returnPressed.connect(lambda: self._send(line.text()))
        return line

    def _choices(self) -> QComboBox:
        box = StillComboBox()
        for choice in self.knob["choices"]:
            box.addItem(as_text(float(choice), self.knob["unit"]) if self.knob["unit"] else as_text(choice), choice)
        box.activated.connect(lambda index: self.changed.emit(self.knob["name"], box.itemData(index)))
        return box

    def _judge(self, text: str) -> float | None:
        """The value of what is typed; None, and why beside it, where it cannot be taken."""
        try:
            value = in_unit(text, self.knob["unit"]) if text.strip() else None
        except SequenceError as error:
            self._wrong(str(error))
            return None
        bounds = self.knob["bounds"]
        if value is not None and bounds is not None and not bounds[0] <= self._bounded(value) <= bounds[1]:
            self._wrong(f"{format_quantity(value, self.knob['unit'])} is outside {self._bounds_in_words()}")
            return None
        if value is not None and self.knob["name"] in _WHOLE and not value.is_integer():
            self._wrong(f"{value:g} is no whole number")
            return None
        self._wrong("")
        return value

    def _wrong(self, why: str) -> None:
        self.refusal.setText(why)
        self.refusal.setVisible(bool(why))
        self.edit.setStyleSheet(f"background: {self.theme.bad_base};" if why else "")

    def _bounded(self, value: float) -> float:
        return abs(value) if self.knob["name"] == "setpoint" else value

    def _send(self, text: str) -> None:
        if (value := self._judge(text)) is not None:
            self.changed.emit(self.knob["name"], int(value) if self.knob["name"] in _WHOLE else value)

    def _bounds_in_words(self, *, short: bool = False) -> str:
        if self.knob["bounds"] is None:
            return "new value" if short else "a new value, sent by Enter; the instrument says what it can"
        if short:
            low, high = self.knob["bounds"]
            return written_range(low, high, self.knob["unit"])
        low, high = (format_quantity(bound, self.knob["unit"]) for bound in self.knob["bounds"])
        return f"the station's limits, {low} to {high}"
