"""The check of a whole run while its parameters are typed: in a work process, the newest text wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from stmlab.acquisition.planning import Plan
from stmlab.gui.measure.in_process import plan
from stmlab.gui.work import Newest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.gui.work import Workers

_PAUSE = 300  # ms without a key before the check begins


class Preflight(QObject):
    """Asks for plans.

    Signals:
        asked: something has changed: what was known is out of date.
        ready: the Plan of what was asked last.
    """

    asked = pyqtSignal()
    ready = pyqtSignal(object)

    def __init__(self, workers: Workers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.plan: Plan | None = None
        self._newest = Newest(workers, plan, self._take, self._fail)
        self._wanted: tuple[str, str, str, dict[str, str]] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._begin)

    @property
    def pending(self) -> bool:
        """Whether an answer is still to come."""
        return self._timer.isActive() or self._newest.busy

    def ask(self, sequence: str, station: str, sample: str, settings: Mapping[str, str]) -> None:
        """Have this run checked, if nothing else is asked within 0.3 s."""
        self.plan = None
        self._wanted = sequence, station, sample, dict(settings)
        self._timer.start()
        self.asked.emit()

    def forget(self) -> None:
        """What was asked is of no interest any more: a field is wrong by itself."""
        self.plan, self._wanted = None, None
        self._timer.stop()
        self.asked.emit()

    def stop(self) -> None:
        """Nothing more is asked."""
        self._timer.stop()

    def _begin(self) -> None:
        if self._wanted is not None:
            self._newest.ask(*self._wanted)

    def _take(self, found: object) -> None:
        assert isinstance(found, Plan)
        if self._wanted is not None and not self.pending:
            self.plan = found
            self.ready.emit(found)

    def _fail(self, reason: str) -> None:
        self._take(Plan(refusal=f"the check itself failed: {reason}"))
