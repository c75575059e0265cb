"""Instruments: a group each with live values and lights; changes by hand within limits, while no run owns them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMessageBox, QPushButton, QScrollArea, QVBoxLayout, QWidget

from stmlab.gui.actions import Action
from stmlab.gui.instruments.connection import Connection
from stmlab.gui.instruments.group import InstrumentGroup
from stmlab.gui.instruments.microwave import Microwave
from stmlab.gui.panel import Area, Panel

if TYPE_CHECKING:
    from stmlab.gui.context import Context
    from stmlab.gui.themes import Theme

_IDLE = ("", "no run", "finished", "stopped", "aborted", "failed", "ended", "idle")


class InstrumentsPanel(Panel):
    """The instruments of the station that is chosen; nothing is connected before a person asks for it."""

    name, title, area = "instruments", "Instruments", Area.RIGHT

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.connection = Connection(self)
        self.connection.ready.connect(self._build)
        self.connection.values.connect(self._show_values)
        self.connection.closed.connect(self._close)
        self.groups: dict[str, InstrumentGroup] = {}
        self.microwave: Microwave | None = None
        self._owners: dict[str, str] = {}  # knob -> instrument
        self._station, self._running, self._connected, self._simulated = "", False, False, False
        self._register()
        self.state = QLabel()
        self.state.setWordWrap(True)
        self._groups = QVBoxLayout()
        self._arrange()
        context.station_changed.connect(self._choose)
        context.run_changed.connect(self._hear_of_run)
        context.values_seen.connect(self._show_values_of_run)
        context.theme_changed.connect(self._paint)
        context.safe_asked.connect(self._make_safe)
        self._say()

    # -- building ----------------------------------------------------------------------------------------------------

    def _register(self) -> None:
        add, menu = self.context.actions.add, "&Instruments"
        add(
            Action(
                "instruments.connect",
                "&Connect",
                "Connect to the station that is chosen, and show its values",
                "Ctrl+K",
                menu,
            ),
            self.connect_to_station,
        )
        add(
            Action("instruments.leave", "&Disconnect", "RF and modulation off, and give the station back", "", menu),
            self.connection.leave,
        )
        add(
            Action("instruments.rf_off", "&RF off", "Switch the generator off", "Ctrl+Shift+R", menu),
            partial(self._ask, "rf_off"),
        )
        add(
            Action(
                "instruments.approach",
                "&Free the tip\N{HORIZONTAL ELLIPSIS}",
                "Close the loop of a tip that tripped or was withdrawn, after a look at it",
                "",
                menu,
            ),
            self.approach,
        )

    def _arrange(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.addLayout(self._groups)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)
        self.buttons = {name: self._button(f"instruments.{name}") for name in ("connect", "leave", "approach")}
        outer = QVBoxLayout(self)
        outer.addWidget(self.state)
        row = QHBoxLayout()
        for button in self.buttons.values():
            row.addWidget(button)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addWidget(area, stretch=1)

    def _button(self, name: str) -> QPushButton:
        action = self.context.actions[name]
        button = QPushButton(action.text())
        button.setToolTip(action.toolTip())
        button.clicked.connect(action.trigger)
        return button

    # -- what a person does ------------------------------------------------------------------------------------------

    def connect_to_station(self) -> None:
        """Connect in a process of its own."""
        if not self._station:
            self.context.notices.warning("no station is chosen", "choose one beside the sequence")
            return
        self._simulated = False
        self.connection.open(self._station)
        self._say(f"connecting to {self._station}")

    def approach(self) -> None:
        """Close the loop of a marked tip, if the person says so."""
        question = QMessageBox.question(self, "Free the tip", "Close the loop? Nobody else has looked at the tip.")
        if question == QMessageBox.StandardButton.Yes:
            self._ask("approach")

    def _set(self, name: str, value: object) -> None:
        field = self.groups[self._owners[name]].fields[name]
        self.connection.ask("set", field.refuse, name=name, value=value)

    def _play(self, frequency: float, amplitude: float) -> None:
        assert self.microwave is not None
        self.connection.ask("play", self.microwave.refuse, frequency=frequency, amplitude=amplitude)

    def _ask(self, ask: str) -> None:
        self.connection.ask(ask, self._notice)

    def _notice(self, refused: str) -> None:
        if refused:
            self.context.notices.error(refused)

    def _make_safe(self) -> None:
        """A simulated microscope that this connection holds has no guardian to be called."""
        if self._connected and self._simulated:
            self.connection.leave()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def _choose(self, station: str) -> None:
        if station != self._station and self._connected:
            self.connection.leave()
        self._station = station
        self._say()

    def _hear_of_run(self, state: str, message: str) -> None:
        self._running = state not in _IDLE
        if self._running and self._connected:
            self.connection.leave()
        self._say()

    def _build(self, ready: dict[str, Any]) -> None:
        self._connected, self._simulated = True, bool(ready["simulated"])
        self._clear()
        roles, knobs = ready["roles"], ready["knobs"]
        self._owners = {knob["name"]: roles[knob["role"]] for knob in knobs}
        first = roles.get("tip")
        for name, driver in sorted(ready["drivers"].items(), key=lambda found: found[0] != first):
            own = [knob for knob in knobs if self._owners[knob["name"]] == name]
            group = self._group(name, driver, own)
            if ready["rf"] and roles.get("generator") == name:
                self.microwave = Microwave(self.context.theme)
                self.microwave.play.connect(self._play)
                self.microwave.off.connect(self.context.actions["instruments.rf_off"].trigger)
                group.add(self.microwave)
        self._say()

    def _group(self, name: str, driver: str, knobs: list[dict[str, Any]]) -> InstrumentGroup:
        group = InstrumentGroup(name, driver, knobs, self.context.theme)
        group.changed.connect(self._set)
        self.groups[name] = group
        self._groups.addWidget(group)
        return group

    def _clear(self) -> None:
        for group in self.groups.values():
            self._groups.removeWidget(group)
            group.deleteLater()
        self.groups, self.microwave = {}, None

    def _show_values(self, instruments: dict[str, Any], mark: str) -> None:
        for name, seen in instruments.items():
            if name in self.groups:
                self.groups[name].show_seen(seen)
        self.context.values_seen.emit({name: seen["values"] for name, seen in instruments.items()})
        self.context.actions["instruments.approach"].setEnabled(bool(mark))
        self._say(mark)

    def _show_values_of_run(self, seen: dict[str, dict[str, Any]]) -> None:
        """A run owns the station: the same groups, and nothing in them can be changed."""
        if self._connected:
            return
        for name, values in seen.items():
            group = self.groups.get(name) or self._group(name, "", [])
            group.show_seen({"connected": True, "values": values, "reports": (), "problem": ""})

    def _close(self, why: str, problem: bool) -> None:
        self._connected = False
        if problem:
            self.context.notices.error(why, "look at the microscope" if "NOT SAFE" in why else "")
        self._say(why)

    def _say(self, more: str = "") -> None:
        """State in words, and what can be done in it."""
        if self._running:
            said = "a run owns the station: its values are shown, nothing can be changed"
        elif self._connected:
            said = f"connected to {self._station}: changes keep its limits and stand in its audit log"
        else:
            said = "not connected"
        self.state.setText(f"{said}; {more}" if more else said)
        actions = self.context.actions
        free = not self._running and not self.connection.is_open
        actions["instruments.connect"].setEnabled(free and bool(self._station))
        for name in ("leave", "rf_off"):
            actions[f"instruments.{name}"].setEnabled(self._connected)
        if not self._connected:
            actions["instruments.approach"].setEnabled(False)
        for name, button in self.buttons.items():
            enabled = actions[f"instruments.{name}"].isEnabled()
            button.setEnabled(enabled)
            button.setVisible(enabled)
        for group in self.groups.values():
            group.set_editable(self._connected)
        if self.microwave is not None:
            self.microwave.setEnabled(self._connected)

    def _paint(self, theme: Theme) -> None:
        for group in self.groups.values():
            group.paint(theme)
        if self.microwave is not None:
            self.microwave.paint(theme)

    def close_down(self) -> None:
        """The window closes: the process gives the station back by itself."""
        self.connection.close_down()
