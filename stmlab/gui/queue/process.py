"""Starts the process that performs a queue, in a session of its own: closing or killing the window leaves it going."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from stmlab.acquisition.queue.places import log_of

if TYPE_CHECKING:
    from pathlib import Path

_LAST = 4000  # characters of what it said at last


class QueueProcess(QObject):
    """Starts ``stmlab queue FILE``.

    Attributes:
        is_starting: one was started and has not told anybody yet.

    Signals:
        failed: it has ended before it could tell anybody: what it said.
    """

    failed = pyqtSignal(str)
    _exited = pyqtSignal(int)

    def __init__(self, file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = file
        self.is_starting = False
        self._exited.connect(self._look)

    def start(self, *, only: str | None = None, force: bool = False) -> None:
        """Start it; returns at once.

        Raises:
            OSError: it cannot be started.
        """
        command = [sys.executable, "-P", "-m", "stmlab", "queue", str(self._file)]
        command += [] if only is None else ["--only", only]
        command += ["--force"] if force else []
        # The same modules as here, whatever lies in the folder of the window.
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        with log_of(self._file).open("wb") as said:
            started = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, start_new_session=True
            )
        self.is_starting = True
        threading.Thread(target=self._wait, args=(started,), name="queue process", daemon=True).start()

    def heard(self) -> None:
        """It has told how it stands."""
        self.is_starting = False

    def _wait(self, started: subprocess.Popen[bytes]) -> None:
        status = started.wait()
        with suppress(RuntimeError):  # the window is gone
            self._exited.emit(status)

    def _look(self, status: int) -> None:
        if not self.is_starting:
            return
        self.is_starting = False
        said = log_of(self._file).read_text(encoding="utf-8", errors="replace")[-_LAST:].strip()
        self.failed.emit(said.splitlines()[-1].removeprefix("stmlab: ") if said else f"it ended with status {status}")
