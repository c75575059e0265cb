"""The form of a fit: model, stretch, settings, and for each parameter where it begins and whether it stays there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from stmlab.analysis.guided import QUANTITIES
from stmlab.display.symbols import symbol
from stmlab.gui.data.fit_task import FitAsked
from stmlab.gui.still import StillComboBox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EXCHANGE = ("heisenberg", "ising", "none")
_LETTERS = 11  # that a field is wide, at least


class FitForm(QWidget):
    """What a fit is asked for; every field may be left empty.

    Signals:
        changed: by a person.
        model_chosen: the name of the model.
    """

    changed = pyqtSignal()
    model_chosen = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.model, self.channel, self.exchange = StillComboBox(), StillComboBox(), StillComboBox()
        self.low, self.high = QLineEdit(), QLineEdit()
        self.settings: dict[str, QLineEdit] = {}
        self.start: dict[str, QLineEdit] = {}
        self.fixed: dict[str, QCheckBox] = {}
        self._unit = ""
        self._build()

    def _build(self) -> None:
        self.model.setToolTip("What is fitted; by default the model for what was done")
        self.model.currentTextChanged.connect(self._choose)
        self.channel.setToolTip("Column of a recorded file")
        self.exchange.addItems(list(_EXCHANGE))
        self.exchange.setToolTip("Coupling to the tip's spin, of a ramp that is fitted from start values")
        for box in (self.channel, self.exchange):
            box.currentTextChanged.connect(lambda _text: self.changed.emit())
        for field, word in ((self.low, "from"), (self.high, "to")):
            field.setPlaceholderText(word)
            field.setToolTip("Only this range is fitted: as 10 MHz, or drawn in the plot")
            self._sized(field)
        self._head = QFormLayout()
        self._head.addRow("&Model", self.model)
        self._head.addRow("&Channel", self.channel)
        ends = QHBoxLayout()
        ends.addWidget(self.low)
        ends.addWidget(self.high)
        label = QLabel("&Range")
        label.setBuddy(self.low)
        self._head.addRow(label, ends)
        self._head.addRow("E&xchange", self.exchange)
        self._settings, self._start = QGroupBox("What the file does not say"), QGroupBox("Start values")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._head)
        column.addWidget(self._settings)
        column.addWidget(self._start)
        column.addStretch(1)

    def _sized(self, field: QLineEdit) -> None:
        field.setMinimumWidth(field.fontMetrics().horizontalAdvance("0" * _LETTERS))
        field.textChanged.connect(lambda _text: self.changed.emit())

    # -- what is offered ---------------------------------------------------------------------------------------------

    def offer(self, models: Sequence[str], chosen: str, channels: Sequence[str], unit: str) -> None:
        """For another file.

        Args:
            models: names.
            chosen: one of them.
            channels: of a recorded file; none of a run.
            unit: of what was swept.
        """
        self._unit = unit
        for box, names, now in ((self.model, models, chosen), (self.channel, channels, "")):
            box.blockSignals(True)
            box.clear()
            box.addItems(list(names))
            box.setCurrentText(now or (names[0] if names else ""))
            box.blockSignals(False)
        self._head.setRowVisible(self.channel, bool(channels))
        for field, word in ((self.low, "from"), (self.high, "to")):
            field.setPlaceholderText(f"{word} ({unit})" if unit else word)
        self._arrange(self.model.currentText())

    def _choose(self, model: str) -> None:
        self._arrange(model)
        self.model_chosen.emit(model)
        self.changed.emit()

    def _arrange(self, model: str) -> None:
        from stmlab.analysis.models import TAKES
        from stmlab.analysis.settings import OF_EVERY_MODEL, UNITS

        names = (*TAKES.get(model, ()), *OF_EVERY_MODEL)
        self._settings = self._replaced(self._settings)
        form = QFormLayout(self._settings)
        self.settings = {}
        for name in names:
            field = self.settings[name] = QLineEdit()
            field.setPlaceholderText(UNITS[name] or "as in the file")
            self._sized(field)
            form.addRow(name.replace("_", " "), field)
        self._arrange_start(model)

    def _arrange_start(self, model: str) -> None:
        self._start = self._replaced(self._start)
        self.start, self.fixed = {}, {}
        grid = QGridLayout(self._start)
        quantities = QUANTITIES.get(model, ())
        if not quantities:
            grid.addWidget(QLabel("this model takes no start values"), 0, 0)
        for row, quantity in enumerate(quantities):
            name = quantity.name
            field, box = QLineEdit(), QCheckBox("fixed")
            field.setPlaceholderText(quantity.unit or "number")
            field.setToolTip("Start value; empty: the fit finds one")
            field.setAccessibleName(name)
            box.setToolTip("Held at its start value")
            box.toggled.connect(lambda _on: self.changed.emit())
            self._sized(field)
            label = QLabel(symbol(name, model) or name.replace("_", " "))
            label.setToolTip(name.replace("_", " "))
            label.setBuddy(field)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
            grid.addWidget(box, row, 2)
            self.start[name], self.fixed[name] = field, box
        self._head.setRowVisible(self.exchange, model == "transport")

    def _replaced(self, group: QGroupBox) -> QGroupBox:
        """An empty group in the place of one."""
        fresh = QGroupBox(group.title())
        layout = self.layout()
        assert layout is not None
        layout.replaceWidget(group, fresh)
        group.deleteLater()
        return fresh

    # -- what is in it -----------------------------------------------------------------------------------------------

    def asked(self) -> FitAsked:
        """What the fields say."""
        return FitAsked(
            self.model.currentText(),
            self.channel.currentText(),
            {name: text for name, field in self.settings.items() if (text := field.text().strip())},
            (self.low.text().strip(), self.high.text().strip()),
            {name: text for name, field in self.start.items() if (text := field.text().strip())},
            tuple(name for name, box in self.fixed.items() if box.isChecked()),
            self.exchange.currentText() if self.model.currentText() == "transport" else "",
        )

    def fill(self, kept: Mapping[str, Any]) -> None:
        """Put in what was kept, as `kept` gave it; whatever the model does not know is left."""
        for fields, name in ((self.settings, "settings"), (self.start, "start")):
            told = kept.get(name)
            for key, field in fields.items():
                field.setText(str(told[key]) if isinstance(told, dict) and key in told else "")
        for key, box in self.fixed.items():
            box.setChecked(key in kept.get("fixed", ()))
        within = kept.get("within", ("", ""))
        self.set_range(*map(str, within) if len(within) == 2 else ("", ""))
        self.exchange.setCurrentText(str(kept.get("exchange", _EXCHANGE[0])))

    def kept(self) -> dict[str, Any]:
        """What is in the fields of this model, as JSON has it."""
        asked = self.asked()
        return {
            "settings": asked.settings,
            "start": asked.start,
            "fixed": list(asked.fixed),
            "within": list(asked.within),
            "exchange": asked.exchange,
        }

    def set_range(self, low: str, high: str) -> None:
        """Both ends of the stretch, as people write them."""
        self.low.setText(low)
        self.high.setText(high)

    def set_start(self, start: Mapping[str, str]) -> None:
        """Start values, of those parameters that the model has; the others are emptied."""
        for name, field in self.start.items():
            field.setText(start.get(name, ""))
