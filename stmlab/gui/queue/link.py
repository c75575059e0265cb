"""The connection to the process that performs a queue: a local socket in the event loop, which never waits.

searching --(somebody listens)--> connecting --> connected --(it said that it has ended)--> searching
^                                               |
'-------- `lost` is emitted: it died -----------'
"""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtNetwork import QLocalSocket

from stmlab.acquisition.queue.places import last_of
from stmlab.acquisition.queue.protocol import Lines, ProtocolError, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Message = dict[str, Any]

log = logging.getLogger(__name__)

_SEARCH = 300  # ms between looks for a process


class QueueLink(QObject):
    """A client of the process that performs one queue.

    Args:
        file: of the queue.

    Attributes:
        pid: of the process, None while there is none.

    Signals:
        told: every message that tells something (``event``), as a dict; a status when the connection is made.
        ended: the process has ended as it should.
        lost: the process is gone without a word: its number.
        connected: to a process; its number.
    """

    told = pyqtSignal(object)
    ended = pyqtSignal()
    lost = pyqtSignal(int)
    connected = pyqtSignal(int)

    def __init__(self, file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.file = file
        self.pid: int | None = None
        self._goodbye = False  # it said that its queue has ended
        self._lines = Lines()
        self._numbers = itertools.count(1)
        self._answers: dict[int, tuple[Callable[[Message], object], Callable[[str], object]]] = {}
        self._socket = QLocalSocket(self)
        self._socket.readyRead.connect(self._read)
        self._socket.disconnected.connect(self._over)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._search)
        self._timer.start(_SEARCH)
        self._search()

    @property
    def is_connected(self) -> bool:
        """Whether somebody performs the queue and has told how it stands."""
        return self.pid is not None

    def ask(
        self,
        what: str,
        done: Callable[[Message], object] = lambda _: None,
        refused: Callable[[str], object] = lambda _: None,
        **how: Any,
    ) -> None:
        """Ask; see `protocol`. Returns at once.

        Args:
            what: is asked.
            done: called with the answer.
            refused: called with the reason, also if the process ends before it has answered.
            how: see `protocol`.
        """
        if not self.is_connected:
            refused("nobody performs this queue")
            return
        number = next(self._numbers)
        self._answers[number] = done, refused
        self._socket.write(encode({"id": number, "ask": what, **how}))

    def search(self) -> None:
        """Look for a process now."""
        self._search()

    def close(self) -> None:
        """Hang up for good; the process goes on."""
        self._timer.stop()
        self._socket.disconnected.disconnect(self._over)
        self._socket.abort()

    def _search(self) -> None:
        if self._socket.state() is not QLocalSocket.LocalSocketState.UnconnectedState:
            return
        found = last_of(self.file)
        if found is not None:
            self._socket.connectToServer(str(found.socket))

    def _read(self) -> None:
        try:
            lines = self._lines.feed(self._socket.readAll().data())
            messages = [decode(line) for line in lines]
        except ProtocolError as error:
            log.error("the process of the queue has sent what is no message: %s", error)
            self._socket.abort()
            return
        for message in messages:
            if "event" in message:
                self._hear(message)
            else:
                self._answered(message)

    def _hear(self, message: Message) -> None:
        if message["event"] == "status":
            self.pid, self._goodbye = int(message["pid"]), False
            self.connected.emit(self.pid)
        elif message["event"] == "state" and message.get("queue") == "ended":
            self._goodbye = True
        self.told.emit(message)

    def _answered(self, message: Message) -> None:
        done, refused = self._answers.pop(message.get("id"), (lambda _: None, lambda _: None))  # type: ignore[arg-type]
        if "refused" in message:
            refused(str(message["refused"]))
        else:
            done(message.get("ok", {}))

    def _over(self) -> None:
        """The other side is gone."""
        pid, self.pid, self._lines = self.pid, None, Lines()
        answers, self._answers = self._answers, {}
        for _, refused in answers.values():
            refused("the process of the queue has ended before it could answer")
        if pid is None:
            return
        if self._goodbye:
            self.ended.emit()
        else:
            self.lost.emit(pid)
