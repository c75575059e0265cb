"""The questions of the queue panel: over which values a parameter is looped."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from stmlab.acquisition.experiments import sequence_class
from stmlab.errors import SequenceError, StmlabError
from stmlab.units import format_quantity, in_unit

if TYPE_CHECKING:
    from stmlab.acquisition.queue.entries import QueueEntry

_MOST = 10_000


class LoopDialog(QDialog):
    """Asks for a parameter and its values, as people write them.

    Args:
        entry: whose parameters.
        parent: of the dialog.

    Attributes:
        parameter, values: fields; values are separated by commas.
        refusal: why they cannot be meant, "" if they can.

    Signals:
        looped_as: the entry with its loop, when the dialog was accepted.
    """

    looped_as = pyqtSignal(object)

    def __init__(self, entry: QueueEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Loop over a parameter of {entry.sequence}")
        self._entry, self._sequence = entry, sequence_class(entry.sequence)()
        self.parameter, self.values = QComboBox(), QLineEdit()
        self.first, self.last, self.count = QLineEdit(), QLineEdit(), QSpinBox()
        self.refusal = QLabel()
        self.refusal.setWordWrap(True)
        self.parameter.addItems(list(self._sequence.parameter_record()))
        self.values.setPlaceholderText("4 mV, 5 mV, 6 mV; empty: no loop over it")
        self.count.setRange(2, _MOST)
        self.count.setValue(5)
        spread = QPushButton("&Fill in evenly spaced values")
        spread.clicked.connect(self.spread)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self.accepted.connect(lambda: self.looped_as.emit(self.looped()))
        self._buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.addRow("&Parameter", self.parameter)
        form.addRow("&Values", self.values)
        form.addRow("F&rom", self.first)
        form.addRow("&To", self.last)
        form.addRow("&Number", self.count)
        form.addRow("", spread)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.refusal)
        column.addWidget(self._buttons)
        self.parameter.currentTextChanged.connect(self._show)
        self.values.textChanged.connect(self._check)
        if entry.loop:
            self.parameter.setCurrentText(next(iter(entry.loop)))
        self._show()

    def looped(self) -> QueueEntry:
        """The entry with this loop; without one where no value is given.

        Raises:
            SequenceError: a value that the parameter does not take.
        """
        name, texts = self.parameter.currentText(), self._texts()
        for text in texts:
            self._sequence.set(name, text)
        loop = {other: values for other, values in self._entry.loop.items() if other != name}
        settings = {other: value for other, value in self._entry.settings.items() if other != name or not texts}
        return self._entry.changed(settings=settings, loop={**loop, name: texts} if texts else loop)

    def spread(self) -> None:
        """Values from the first to the last, evenly spaced."""
        name = self.parameter.currentText()
        unit = self._sequence.parameter_record()[name].unit
        try:
            first, last = in_unit(self.first.text(), unit), in_unit(self.last.text(), unit)
        except SequenceError as error:
            self.refusal.setText(str(error))
            return
        values = np.linspace(first, last, self.count.value())
        step = abs(last - first) / (self.count.value() - 1)
        digits = 12 if step == 0 else 3 - math.floor(math.log10(step))
        self.values.setText(", ".join(format_quantity(round(float(v), digits), unit) for v in values))

    def _texts(self) -> list[str]:
        return [text.strip() for text in self.values.text().split(",") if text.strip()]

    def _show(self) -> None:
        known = self._entry.loop.get(self.parameter.currentText(), ())
        self.values.setText(", ".join(known))
        self._check()

    def _check(self) -> None:
        try:
            self.looped()
        except (StmlabError, ValueError) as error:
            self.refusal.setText(str(error))
        else:
            self.refusal.setText("")
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        assert ok is not None
        ok.setEnabled(not self.refusal.text())
