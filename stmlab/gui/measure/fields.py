"""Fields of the form: each holds text as people write it; the wheel scrolls the form and never changes a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QWidget

from stmlab.acquisition.parameters import BooleanParameter
from stmlab.gui.still import StillComboBox

if TYPE_CHECKING:
    from stmlab.acquisition.parameters import Parameter

_DIGITS = 12  # a field is at least so many letters wide


class Field(QWidget):
    """What all have in common.

    Signals:
        changed: what it holds now.
    """

    changed = pyqtSignal(str)

    def __init__(self, inner: QWidget) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(inner)
        self.inner = inner
        self.setFocusProxy(inner)

    def text(self) -> str:
        """What it holds, as ``--set`` takes it."""
        raise NotImplementedError

    def set_text(self, text: str) -> None:
        """Put in what somebody wrote; a field of choices takes only those there are."""
        raise NotImplementedError


class WrittenField(Field):
    """A number with its unit, or any other text."""

    def __init__(self) -> None:
        self.line = QLineEdit()
        super().__init__(self.line)
        self.line.setMinimumWidth(self.line.fontMetrics().horizontalAdvance("0" * _DIGITS))
        self.line.textChanged.connect(self.changed)

    def text(self) -> str:
        """See Field."""
        return self.line.text().strip()

    def set_text(self, text: str) -> None:
        """See Field."""
        if text != self.line.text():
            self.line.setText(text)
            self.line.setCursorPosition(0)


class ChoiceField(Field):
    """One of a few."""

    def __init__(self, choices: tuple[str, ...]) -> None:
        self.box = StillComboBox()
        super().__init__(self.box)
        self.box.addItems(choices)
        self.box.currentTextChanged.connect(self.changed)

    def text(self) -> str:
        """See Field."""
        return self.box.currentText()

    def set_text(self, text: str) -> None:
        """See Field."""
        self.box.setCurrentText(text)


class TruthField(Field):
    """True or false."""

    def __init__(self) -> None:
        self.box = QCheckBox()
        super().__init__(self.box)
        self.box.toggled.connect(lambda _checked: self.changed.emit(self.text()))

    def text(self) -> str:
        """See Field."""
        return str(self.box.isChecked()).lower()

    def set_text(self, text: str) -> None:
        """See Field."""
        self.box.setChecked(text.strip().lower() in ("true", "1", "yes", "on"))


def field_for(parameter: Parameter) -> Field:
    """The field that suits a parameter."""
    if isinstance(parameter, BooleanParameter):
        return TruthField()
    if (choices := getattr(parameter, "choices", None)) is not None:
        return ChoiceField(tuple(str(choice) for choice in choices))
    return WrittenField()
