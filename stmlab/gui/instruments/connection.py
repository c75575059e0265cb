"""The window's own connection to a station, while no run owns it: values a few times a second, changes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from stmlab.gui.instruments.piped import Piped, as_line

if TYPE_CHECKING:
    from collections.abc import Callable

    Answered = Callable[[str], None]
    """Called with why it was refused, "" if it was done."""


class Connection(QObject):
    """One station; connecting and talking to it happens in a process of its own.

    Signals:
        ready: what the station is: "knobs", "roles", "drivers", ...; see `stmlab.station.desk_process`.
        values: instrument -> what was seen of it, and why the tip is marked ("" if it is free).
        closed: why, one line, and whether that is a problem.
    """

    ready = pyqtSignal(dict)
    values = pyqtSignal(dict, str)
    closed = pyqtSignal(str, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = Piped("stmlab.station.desk_process", self)
        self._process.said.connect(self._hear)
        self._process.ended.connect(self._end)
        self._waiting: dict[int, Answered] = {}
        self._asked = 0
        self._last_word = ("", False)

    @property
    def is_open(self) -> bool:
        """Whether the process lives, which may still be connecting."""
        return self._process.running

    def open(self, station: str) -> None:
        """Connect to the station called so; `ready` or `closed` follows."""
        self._last_word = ("", False)
        self._process.start(station)

    def ask(self, ask: str, answered: Answered, **how: Any) -> None:
        """Ask for a change; ``answered`` hears how it came out."""
        self._asked += 1
        self._waiting[self._asked] = answered
        self._process.write(as_line(id=self._asked, ask=ask, **how))

    def leave(self) -> None:
        """Give the station back; `closed` follows."""
        self.ask("leave", lambda refused: None)

    def close_down(self) -> None:
        """The window closes: the process makes everything quiet and ends by itself."""
        self._process.let_go()

    def _hear(self, said: dict[str, Any]) -> None:
        event = said.get("event")
        if event == "ready":
            self.ready.emit(said)
        elif event == "values":
            self.values.emit(said["instruments"], said["mark"])
        elif event == "left":
            self._last_word = (str(said["said"]), not said["safe"])
        elif event == "refused":
            self._last_word = (str(said["said"]), True)
        elif (answered := self._waiting.pop(said.get("id", 0), None)) is not None:
            answered(str(said.get("refused", "")))

    def _end(self, status: int) -> None:
        waiting, self._waiting = self._waiting, {}
        for answered in waiting.values():
            answered("the connection has ended before it was answered")
        why, problem = self._last_word
        if not why:
            why, problem = "the process that held the instruments has died; its guardian makes the station safe", True
        self.closed.emit(why, problem)
