"""A process of ours at the other end of two pipes, one JSON object a line; the event loop waits for nothing.

It is in a session of its own and nobody's child in Qt's sense: neither Ctrl-C in the window's terminal nor the end of
the window kills it. Where its standard input ends, it tidies up (an instrument that it holds, a safe state under way).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from PyQt6.QtCore import QObject, QSocketNotifier, QTimer, pyqtSignal
from PyQt6.sip import voidptr

_PIECE = 1 << 16  # bytes
_GONE = 20  # ms between looks whether a process that has closed its output has ended


class Piped(QObject):
    """A Python module that runs as a process.

    Args:
        module: is started as ``python -m module ARGUMENTS``.

    Signals:
        said: each object that it prints.
        ended: its exit status; negative if it was killed, 127 if it could not be started.
    """

    said = pyqtSignal(dict)
    ended = pyqtSignal(int)

    def __init__(self, module: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._notifier: QSocketNotifier | None = None
        self._rest = b""
        self._gone = QTimer(self)
        self._gone.setInterval(_GONE)
        self._gone.timeout.connect(self._look)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None

    def start(self, *arguments: str) -> None:
        """Start it; a process that runs already is left to its end first, unheard."""
        self.let_go()
        # The same modules as here, whatever lies in the folder of the window.
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        except OSError:
            self.ended.emit(127)
            return
        assert process.stdout is not None
        self._process, self._rest = process, b""
        self._notifier = QSocketNotifier(voidptr(process.stdout.fileno()), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)

    def write(self, line: str) -> None:
        """A line to its standard input; nothing if it does not run."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(line.encode() + b"\n")
                self._process.stdin.flush()

    def let_go(self) -> None:
        """End of its standard input: it tidies up and ends, and is not heard any more."""
        if (process := self._process) is None:
            return
        self._process = None
        self._stop_reading()
        threading.Thread(target=process.communicate, name=f"end of {self._module}", daemon=True).start()

    def _read(self) -> None:
        """Everything that it has said; with the end of its output it is about to end."""
        process = self._process
        if process is None or process.stdout is None:
            return
        piece = os.read(process.stdout.fileno(), _PIECE)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            with suppress(ValueError):  # what a library prints there is not for us
                if isinstance(said := json.loads(line), dict):
                    self.said.emit(said)
        if not piece and process is self._process:
            self._stop_reading()
            self._gone.start()

    def _look(self) -> None:
        process = self._process
        status = None if process is None else process.poll()
        if process is not None and status is None:
            return
        self._gone.stop()
        if process is not None and status is not None:
            self._process = None
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            self.ended.emit(status)

    def _stop_reading(self) -> None:
        self._gone.stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None


def as_line(**what: Any) -> str:
    """One JSON object in a line."""
    return json.dumps(what)
