"""Always in view: bias, current, setpoint, feedback, Z, what the run does, and the safe-state button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from stmlab.gui.instruments.safe_button import NAME, SafeState
from stmlab.gui.instruments.words import loop_in_words, rounded
from stmlab.gui.panel import Area, Panel

if TYPE_CHECKING:
    from stmlab.gui.context import Context
    from stmlab.gui.themes import Theme

_SHOWN = (("bias", "Bias", "V"), ("current", "Current", "A"), ("setpoint", "Setpoint", "A"), ("height", "Z", "m"))
_WIDEST = "-888.8 nA"
_NOTHING = "\N{EN DASH}"
_BAD_STATES = ("failed", "not safe")
_BUSY_STATES = ("preparing", "running", "paused", "mending", "analysing", "stopping")


class StateBar(Panel):
    """The strip above everything."""

    name, title, area = "state", "State", Area.TOP

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.safe_state = SafeState(context)
        self.values = {name: _Value(label) for name, label, _ in _SHOWN}
        self.loop = _Value("Feedback")
        self.run = QLabel("no run")
        self.run.setTextFormat(Qt.TextFormat.PlainText)
        self.run.setWordWrap(True)
        self.run.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = self._safe_button()
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(18)
        for value in (self.values["bias"], self.values["current"], self.values["setpoint"], self.loop):
            row.addWidget(value)
        row.addWidget(self.values["height"])
        row.addWidget(self.run, stretch=1)
        row.addWidget(self.button)
        self._state, self._unsafe = "", ""
        context.values_seen.connect(self.show_values)
        context.run_changed.connect(self.show_run)
        context.theme_changed.connect(self._paint)
        self.safe_state.answered.connect(self._show_answer)
        self._paint(context.theme)

    def show_values(self, seen: dict[str, dict[str, Any]]) -> None:
        """What was read last: instrument -> property -> value."""
        self._grow_old(False)
        merged = {name: value for values in seen.values() for name, value in values.items()}
        tip = next((values for values in seen.values() if "height" in values), merged)
        for name, _, unit in _SHOWN:
            if (value := tip.get(name, merged.get(name))) is not None:
                self.values[name].show_text(rounded(value, unit))
        if "status" in tip:
            text, good = loop_in_words(str(tip["status"]))
            self.loop.show_text(text, self.context.theme.good if good else self.context.theme.warn)

    def show_run(self, state: str, message: str) -> None:
        """State of the run in words; a failure stays until another run begins."""
        self._state = state
        if "NOT SAFE" in message:
            self._unsafe = message
        elif state in _BUSY_STATES:
            self._unsafe = ""
        if state not in _BUSY_STATES:
            self._grow_old(True)  # the end of a run moves what was read during it
        said = self._unsafe or message
        self.run.setText(": ".join(filter(None, (state or "no run", said))))
        self.run.setToolTip(said)
        self._paint(self.context.theme)

    def _grow_old(self, old: bool) -> None:
        for value in (*self.values.values(), self.loop):
            value.grow_old(old)

    def close_down(self) -> None:
        """The window closes."""
        self.safe_state.close_down()

    def _show_answer(self, safe: bool, said: str) -> None:
        self._unsafe = "" if safe else said
        self.run.setText(said)
        self.run.setToolTip(said)
        self._paint(self.context.theme)

    def _safe_button(self) -> QPushButton:
        action = self.context.actions[NAME]
        button = QPushButton(action.text())
        button.setToolTip(action.toolTip())
        button.setAccessibleName("Safe state")
        button.clicked.connect(action.trigger)
        font = button.font()
        font.setBold(True)
        font.setPointSizeF(1.25 * font.pointSizeF())
        button.setFont(font)
        button.setMinimumHeight(round(2.2 * button.fontMetrics().height()))
        return button

    def _paint(self, theme: Theme) -> None:
        self.button.setStyleSheet(
            "QPushButton { color: #ffffff; background: #b3261e; border: 2px solid #7d150f; border-radius: 6px; "
            "padding: 2px 14px; } QPushButton:hover { background: #d0342b; } QPushButton:focus { border-color: "
            f"{theme.text}; }}"
        )
        bad = bool(self._unsafe) or self._state in _BAD_STATES
        colour = theme.bad if bad else theme.good if self._state in _BUSY_STATES else theme.text
        self.run.setStyleSheet(f"color: {colour}; font-weight: {'bold' if bad else 'normal'};")
        for value in (*self.values.values(), self.loop):
            value.paint(theme)


class _Value(QWidget):
    """A number with its name above it, as wide as the widest."""

    def __init__(self, label: str) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.label, self.value = QLabel(label), QLabel(_NOTHING)
        font = self.value.font()
        font.setPointSizeF(1.15 * font.pointSizeF())
        font.setBold(True)
        self.value.setFont(font)
        self.value.setMinimumWidth(self.value.fontMetrics().horizontalAdvance(_WIDEST))
        self.value.setAccessibleName(label)
        column.addWidget(self.label)
        column.addWidget(self.value)
        self._name, self._colour, self._faint, self._old = label, "", "", False

    def grow_old(self, old: bool) -> None:
        """Whether nobody reads it any more: it may have changed since."""
        old = old and self.value.text() != _NOTHING
        if old == self._old:
            return
        self._old = old
        self.label.setText(f"{self._name}, then" if self._old else self._name)
        self.value.setToolTip("As last read; nobody has looked since" if self._old else "")
        self._colour_value()

    def show_text(self, text: str, colour: str = "") -> None:
        self.value.setText(text)
        if colour != self._colour:
            self._colour = colour
            self._colour_value()

    def paint(self, theme: Theme) -> None:
        self.label.setStyleSheet(f"color: {theme.faint};")
        self._faint = theme.faint
        self._colour_value()

    def _colour_value(self) -> None:
        colour = self._faint if self._old else self._colour
        self.value.setStyleSheet(f"color: {colour};" if colour else "")
