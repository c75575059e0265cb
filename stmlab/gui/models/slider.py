"""One parameter of a model: a slider, and a field that takes what people write."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QLabel, QLineEdit

from stmlab.errors import PhysicsError
from stmlab.gui.measure.written import written, written_range
from stmlab.gui.still import StillComboBox, StillSlider
from stmlab.models.model import Number
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.gui.themes import Theme
    from stmlab.models.model import Parameter, Value

_STEPS = 1000
_LETTERS = 12  # that a field is wide, at least


class Row(QObject):
    """A parameter in a grid of widgets.

    Attributes:
        value: what it is now; the last one that was allowed.
        refusal: why what stands in the field is not; "" if it is.

    Signals:
        changed: by a person.
    """

    changed = pyqtSignal()

    def __init__(self, parameter: Parameter, grid: QGridLayout, theme: Theme) -> None:
        super().__init__(grid)
        self.parameter = parameter
        self.value: Value = parameter.start
        self.refusal = ""
        self._theme = theme
        row = grid.rowCount()
        self.label = QLabel(parameter.symbol or parameter.name.replace("_", " "))
        self.label.setToolTip(f"{parameter.meaning}\n{parameter.name}")
        grid.addWidget(self.label, row, 0)
        if isinstance(parameter, Number):
            self._build_number(parameter, grid, row)
        else:
            self.box = StillComboBox()
            self.box.addItems(list(parameter.words))
            self.box.setToolTip(parameter.meaning)
            self.box.setAccessibleName(parameter.name)
            self.box.currentTextChanged.connect(self._take)
            self.label.setBuddy(self.box)
            grid.addWidget(self.box, row, 1, 1, 2)

    def _build_number(self, number: Number, grid: QGridLayout, row: int) -> None:
        self.slider, self.field = StillSlider(), QLineEdit()
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(_STEPS // 20)
        self.field.setMinimumWidth(self.field.fontMetrics().horizontalAdvance("0" * _LETTERS))
        about = f"{number.meaning}: {written_range(number.low, number.high, number.unit)}"
        for widget in (self.slider, self.field):
            widget.setToolTip(about)
            widget.setAccessibleName(number.name)
        self.label.setBuddy(self.field)
        self.slider.valueChanged.connect(self._slid)
        self.field.textEdited.connect(self._take)
        self.field.editingFinished.connect(self._tidy)
        grid.addWidget(self.slider, row, 1)
        grid.addWidget(self.field, row, 2)
        self.set(number.start)

    def set(self, value: Value) -> None:
        """Another value, by the program; raises PhysicsError if it is not allowed."""
        self.value = self.parameter.checked(value)
        self._refuse("")
        if not isinstance(self.parameter, Number):
            self.box.blockSignals(True)
            self.box.setCurrentText(str(self.value))
            self.box.blockSignals(False)
            return
        self._show_place()
        self._tidy()

    def use(self, applies: bool) -> None:
        """Whether it can be moved: not where it has no effect."""
        widgets = (self.slider, self.field) if isinstance(self.parameter, Number) else (self.box,)
        for widget in (self.label, *widgets):
            widget.setEnabled(applies)

    # -- details -----------------------------------------------------------------------------------------------------

    def _take(self, text: str) -> None:
        """What a person typed or chose."""
        try:
            self.value = self.parameter.checked(text)
        except PhysicsError as error:
            self._refuse(str(error))
            self.changed.emit()
            return
        self._refuse("")
        if isinstance(self.parameter, Number):
            self._show_place()
        self.changed.emit()

    def _slid(self, place: int) -> None:
        """Values of a slider have four digits."""
        assert isinstance(self.parameter, Number)
        low, high = self._ends()
        value = low + (high - low) * place / _STEPS
        if self.parameter.logarithmic:
            value = math.exp(value)
        step = 0.0 if self.parameter.logarithmic else (high - low) / _STEPS / 2
        value = 0.0 if abs(value) < step else float(f"{value:.4g}")
        self.value = min(max(value, self.parameter.low), self.parameter.high)
        self._refuse("")
        self.field.setText(self._text())
        self.changed.emit()

    def _ends(self) -> tuple[float, float]:
        assert isinstance(self.parameter, Number)
        low, high = self.parameter.low, self.parameter.high
        return (math.log(low), math.log(high)) if self.parameter.logarithmic else (low, high)

    def _show_place(self) -> None:
        assert isinstance(self.parameter, Number)
        low, high = self._ends()
        value = float(self.value)
        at = math.log(value) if self.parameter.logarithmic else value
        self.slider.blockSignals(True)
        self.slider.setValue(round(_STEPS * (at - low) / (high - low)))
        self.slider.blockSignals(False)

    def _text(self) -> str:
        """As people write it, if that can be read again."""
        short = format_quantity(float(self.value), self.parameter.unit)
        try:
            return (
                short
                if self.parameter.checked(short) == self.value
                else written(float(self.value), self.parameter.unit)
            )
        except PhysicsError:
            return f"{float(self.value):g}"

    def _tidy(self) -> None:
        if not self.refusal:
            self.field.setText(self._text())
            self.field.setCursorPosition(0)

    def _refuse(self, why: str) -> None:
        self.refusal = why
        if isinstance(self.parameter, Number):
            self.paint(self._theme)

    def paint(self, theme: Theme) -> None:
        """In the colours of the theme."""
        self._theme = theme
        if isinstance(self.parameter, Number):
            wrong = f"border: 1px solid {theme.bad}; background: {theme.bad_base}; color: {theme.text};"
            self.field.setStyleSheet(wrong if self.refusal else "")
