"""One instrument: status lights, live values, and the settings that a person may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QGroupBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from stmlab.gui.instruments.knob import KnobField
from stmlab.gui.instruments.words import as_text, name_in_words, unit_of

if TYPE_CHECKING:
    from stmlab.gui.themes import Theme

_LIGHTS = ("connected", "overload", "unlocked", "output on")
_OUTPUT = {"sine_voltage": 0.0, "output": False, "running": False}


class InstrumentGroup(QGroupBox):
    """A box with the instrument's name.

    Args:
        name: in the station file.
        driver: dotted path, of which the class is shown.
        knobs: what may be changed.
        theme: colours.

    Signals:
        changed: name of a setting and the value asked for.
    """

    changed = pyqtSignal(str, object)

    def __init__(self, name: str, driver: str, knobs: list[dict[str, Any]], theme: Theme) -> None:
        super().__init__(f"{name}  ({driver.rsplit('.', 1)[-1].rsplit(':', 1)[-1]})" if driver else name)
        self.theme = theme
        self.lights = {light: _Light(light) for light in _LIGHTS}
        self.fields = {knob["name"]: KnobField(knob, theme) for knob in knobs}
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        self._values: dict[str, QLabel] = {}
        lights = QHBoxLayout()
        for light in self.lights.values():
            lights.addWidget(light)
        lights.addStretch(1)
        self._grid = QGridLayout()
        self._grid.setColumnStretch(1, 1)
        self._column = QVBoxLayout(self)
        self._column.addLayout(lights)
        self._column.addWidget(self.problem)
        self._column.addLayout(self._grid)
        for field in self.fields.values():
            row = self._grid.rowCount()
            self._grid.addWidget(field.label, row, 0)
            self._grid.addWidget(field, row, 1)
            field.changed.connect(self.changed)

    def add(self, widget: QWidget) -> None:
        """Something of this instrument alone, below its values."""
        self._column.addWidget(widget)

    def show_seen(self, seen: dict[str, Any]) -> None:
        """What was read last: "connected", "values", "reports", "problem"."""
        values, reports = seen["values"], " ".join(seen["reports"]).lower()
        self._light("connected", seen["connected"], good=True)
        self._light("overload", "overload" in reports or "range" in reports, good=False)
        self._light("unlocked", "unlock" in reports, good=False)
        self._light("output on", _is_on(values), good=None)
        said = "; ".join(filter(None, [seen["problem"], *seen["reports"]]))
        self.problem.setText(said)
        self.problem.setVisible(bool(said))
        self.problem.setStyleSheet(f"color: {self.theme.bad};")
        for name, value in values.items():
            if name in self.fields:
                self.fields[name].show_value(value)
            else:
                self._value(name).setText(as_text(value, unit_of(name)))

    def set_editable(self, editable: bool) -> None:
        """Nothing is editable that a run owns."""
        for field in self.fields.values():
            field.set_editable(editable)

    def paint(self, theme: Theme) -> None:
        """Other colours."""
        self.theme = theme
        for field in self.fields.values():
            field.paint(theme)

    def _light(self, name: str, on: bool, *, good: bool | None) -> None:
        colour = self.theme.idle
        if name == "connected" and not on:
            self.lights[name].show_state("not connected", self.theme.bad, filled=True)
            return
        if on:
            colour = self.theme.good if good else self.theme.warn if good is None else self.theme.bad
        self.lights[name].show_state(name, colour, filled=on)

    def _value(self, name: str) -> QLabel:
        if name not in self._values:
            row = self._grid.rowCount()
            label, value = QLabel(name_in_words(name)), QLabel()
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(value, row, 1)
            self._values[name] = value
        return self._values[name]


class _Light(QWidget):
    """A dot and a word: the colour is never the only sign."""

    def __init__(self, word: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(4)
        self.dot, self.word = QLabel("\N{WHITE CIRCLE}"), QLabel(word)
        row.addWidget(self.dot)
        row.addWidget(self.word)

    def show_state(self, word: str, colour: str, *, filled: bool) -> None:
        self.dot.setText("\N{BLACK CIRCLE}" if filled else "\N{WHITE CIRCLE}")
        self.dot.setStyleSheet(f"color: {colour};")
        self.word.setText(word)
        self.word.setEnabled(filled)


def _is_on(values: dict[str, Any]) -> bool:
    """Whether an output of it is known to be on."""
    return any(values.get(name) not in (None, off) for name, off in _OUTPUT.items())
