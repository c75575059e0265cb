"""A process of ours at the other end of two pipes, one JSON object a line; the event loop waits for nothing."""

from __future__ import annotations

import json
import sys
from typing import Any

from PyQt6.QtCore import QObject, QProcess, pyqtSignal


class Piped(QObject):
    """A Python module that runs as a process.

    Args:
        module: is started as ``python -m module ARGUMENTS``.

    Signals:
        said: each object that it prints.
        ended: its exit status; -1 if it was killed or could not be started.
    """

    said = pyqtSignal(dict)
    ended = pyqtSignal(int)

    def __init__(self, module: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._module = module
        self._process: QProcess | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None

    def start(self, *arguments: str) -> None:
        """Start it; a process that runs already is left to its end first, unheard."""
        self.let_go()
        process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._end)
        process.errorOccurred.connect(self._fail)
        self._process = process
        process.start(sys.executable, ["-m", self._module, *arguments])

    def write(self, line: str) -> None:
        """A line to its standard input; nothing if it does not run."""
        if self._process is not None:
            self._process.write(line.encode() + b"\n")

    def let_go(self) -> None:
        """End of its standard input: it tidies up and ends, and is not heard any more."""
        if (process := self._process) is None:
            return
        self._process = None
        process.readyReadStandardOutput.disconnect()
        process.finished.disconnect()
        process.errorOccurred.disconnect()
        process.finished.connect(process.deleteLater)
        process.closeWriteChannel()

    def wait(self, milliseconds: int) -> None:
        """Until it has ended; only where the window is gone already."""
        if self._process is not None:
            self._process.closeWriteChannel()
            self._process.waitForFinished(milliseconds)

    def _read(self) -> None:
        process = self._process
        while process is not None and process is self._process and process.canReadLine():
            line = process.readLine().data()
            try:
                said = json.loads(line)
            except ValueError:
                continue  # what a library prints there is not for us
            if isinstance(said, dict):
                self.said.emit(said)

    def _end(self, status: int, how: QProcess.ExitStatus) -> None:
        self._read()
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        self.ended.emit(status if how is QProcess.ExitStatus.NormalExit else -1)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._process = None
            self.ended.emit(-1)


def as_line(**what: Any) -> str:
    """One JSON object in a line."""
    return json.dumps(what)
