"""The safe state at once: a process stands by for the station of the run, or the one that is chosen, whatever hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from stmlab.gui.actions import Action
from stmlab.gui.instruments.piped import Piped

if TYPE_CHECKING:
    from stmlab.gui.context import Context

NAME = "station.safe"


class SafeState(QObject):
    """Registers the action, and does it.

    A simulated microscope lives in the process that uses it: that one is asked by ``context.safe_asked`` alone.

    Args:
        context: of the window.

    Signals:
        answered: whether the station is safe, and what is said of it.
    """

    answered = pyqtSignal(bool, str)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._context = context
        self._process = Piped("stmlab.station.safe_now", self)
        self._process.said.connect(self._hear)
        self._process.ended.connect(self._end)
        self._station, self._simulated, self._ready, self._wanted = "", False, False, False
        self._chosen = self._running = ""
        action = Action(
            NAME,
            "SAFE STATE",
            "RF and modulation off at once, then bias and tip as after a fault; also beside a run that hangs",
            "F12",
            "&Run",
            section="safe",
        )
        context.actions.add(action, self.press)
        context.station_changed.connect(self._choose)
        context.run_station.connect(self._run)

    @property
    def station(self) -> str:
        """The one that the button is for."""
        return self._station

    def _choose(self, station: str) -> None:
        self._chosen = station
        self._stand_by(self._running or station)

    def _run(self, station: str) -> None:
        """The station of the run comes first, whatever the form says meanwhile."""
        self._running = station
        self._stand_by(station or self._chosen)

    def _stand_by(self, station: str) -> None:
        if station == self._station and self._process.running:
            return
        self._station, self._simulated, self._ready = station, False, False
        if station:
            self._process.start(station)

    def press(self) -> None:
        """Call for the safe state."""
        if self._simulated:
            self._context.safe_asked.emit()
            return
        if not self._station:
            self._context.notices.warning("no station is chosen", "choose one beside the sequence")
            return
        if not self._process.running:
            self._process.start(self._station)
            self._ready = False
        self._wanted = True
        if self._ready:
            self._call()

    def close_down(self) -> None:
        """The window closes."""
        self._process.let_go()

    def _call(self) -> None:
        self._wanted = False
        self._process.write("now")

    def _hear(self, said: dict[str, Any]) -> None:
        if "ready" in said:
            self._ready, self._simulated = bool(said["ready"]), bool(said.get("simulated"))
            if self._wanted and self._ready:
                self._call()
            elif self._wanted and self._simulated:
                self._wanted = False
                self._context.safe_asked.emit()
            elif self._wanted:
                self._answer(False, str(said["said"]))
            return
        self._answer(bool(said["safe"]), str(said["said"]))

    def _answer(self, safe: bool, what: str) -> None:
        self._wanted = False
        if safe:
            self._context.notices.info(what)
        else:
            self._context.notices.error(what, "look at the microscope: an instrument that is named may still be on")
        self.answered.emit(safe, what)

    def _end(self, status: int) -> None:
        self._ready = False
        if self._wanted and not self._simulated:
            self._answer(False, f"no process could ask for the safe state: try `stmlab safe {self._station}`")
