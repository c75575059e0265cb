"""A sequence's parameters as a form: each field takes a number or a quantity ("4 mV") and shows a refusal at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QWidget

from stmlab.acquisition.parameters import BooleanParameter
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from stmlab.acquisition.sequence import Sequence

_REFUSED = "border: 1px solid #c62828; background: #fdecea; color: black;"


class ParameterForm(QWidget):
    """One row for each parameter of a sequence.

    Signals:
        refused: the reason, or "" when every field is right.
    """

    refused = pyqtSignal(str)

    def __init__(self, sequence: Sequence) -> None:
        super().__init__()
        self.sequence = sequence
        self.fields: dict[str, QLineEdit | QComboBox] = {}
        self._reasons: dict[str, str] = {}
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 6, 0)
        for name, parameter in sequence.parameter_objects().items():
            field = self._field(name, parameter)
            field.setToolTip(parameter.description or parameter.name)
            self.fields[name] = field
            unit = getattr(parameter, "units", None)
            layout.addRow(parameter.name + (f" ({unit})" if unit else ""), field)

    @property
    def reason(self) -> str:
        """Why the first wrong field is refused; "" when every field holds what its parameter allows."""
        return next(iter(self._reasons.values()), "")

    def _field(self, name: str, parameter: Any) -> QLineEdit | QComboBox:
        choices = (True, False) if isinstance(parameter, BooleanParameter) else getattr(parameter, "choices", None)
        if choices is not None:
            box = QComboBox()
            box.addItems([str(choice) for choice in choices])
            box.setCurrentText(str(parameter.value))
            box.currentTextChanged.connect(lambda text: self._take(name, text))
            return box
        line = QLineEdit(f"{parameter.value:.9g}" if isinstance(parameter.value, float) else str(parameter.value))
        line.textChanged.connect(lambda text: self._take(name, text))
        return line

    def _take(self, name: str, text: str) -> None:
        try:
            self.sequence.set(name, text)
        except SequenceError as error:
            self._reasons[name] = str(error)
        else:
            self._reasons.pop(name, None)
        self.fields[name].setStyleSheet(_REFUSED if name in self._reasons else "")
        self.refused.emit(self.reason)
