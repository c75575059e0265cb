"""The socket of a queue: a thread that hears what clients ask and tells them what happens. Nothing waits for a client.

The run's thread only puts a message into a deque. This thread encodes it once and gives each client what it takes. A
client that takes nothing has a bounded backlog: what is only of the moment (progress, values, parts of readings) is
left out when it is behind, and one that stays behind is disconnected. Its window connects anew and is told everything.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from stmlab.acquisition.queue.entries import QueueEntry
from stmlab.acquisition.queue.protocol import Lines, ProtocolError, decode, encode
from stmlab.config_files import explain
from stmlab.errors import SequenceError, StmlabError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from stmlab.acquisition.queue.performing import Performer
    from stmlab.acquisition.queue.places import Performing

    Message = dict[str, Any]

log = logging.getLogger(__name__)

_EVERY = 0.2  # s between two tellings of progress and values
_PIECE = 1 << 16
_BEHIND = 1 << 20  # bytes of backlog from which on a client hears only what lasts
_TOO_FAR = 1 << 25  # and with which it is disconnected
_MOMENTARY = frozenset({"progress", "values", "partial"})
_LINES_KEPT = 200
_LAST_WORDS = 1.0  # s for the clients to take what was told last


class _Client:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.lines = Lines()
        self.backlog = bytearray()

    def take(self, data: bytes, *, momentary: bool) -> bool:
        """Put a line into its backlog; False: it is too far behind."""
        if not (momentary and len(self.backlog) > _BEHIND):
            self.backlog += data
        return len(self.backlog) <= _TOO_FAR

    def send(self) -> bool:
        """Send what it takes now; False: it is gone."""
        try:
            while self.backlog:
                del self.backlog[: self.connection.send(memoryview(self.backlog)[:_PIECE])]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


class Control:
    """Serves the clients of one queue while the context lasts.

    Args:
        place: of its socket.

    Attributes:
        performer: who is asked; set before the context begins.
    """

    performer: Performer

    def __init__(self, place: Performing) -> None:
        self._place = place
        self._told: deque[Message] = deque()
        self._lines: deque[Message] = deque(maxlen=_LINES_KEPT)
        self._clients: dict[socket.socket, _Client] = {}
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._before: dict[str, Message] = {}
        self._wake_write: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def tell(self, message: Message) -> None:
        """Tell every client; from any thread, at once."""
        if message["event"] == "log":
            self._lines.append(message)
        self._told.append(message)
        if self._wake_write is not None:
            with suppress(OSError):  # it is awake already
                self._wake_write.send(b"\0")

    def __enter__(self) -> Self:
        with suppress(FileNotFoundError):
            os.unlink(self._place.socket)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._place.socket))
        os.chmod(self._place.socket, 0o600)
        self._listener.listen()
        self._wake_read, self._wake_write = socket.socketpair()
        for one in (self._listener, self._wake_read, self._wake_write):
            one.setblocking(False)
        for one in (self._listener, self._wake_read):
            self._selector.register(one, selectors.EVENT_READ)
        self._thread.start()
        self._place.announce()
        return self

    def __exit__(self, *_: object) -> None:
        self._place.withdraw()
        self._ended.set()
        self.tell({"event": "bye"})
        self._thread.join()
        wake, self._wake_write = self._wake_write, None
        for one in (self._listener, self._wake_read, wake):
            if one is not None:
                one.close()
        self._selector.close()

    # -- the thread --------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        due = monotonic() + _EVERY
        while not self._ended.is_set():
            self._turn(max(0.0, due - monotonic()))
            if monotonic() >= due:
                due = monotonic() + _EVERY
                self._tell_of_the_moment()
        end = monotonic() + _LAST_WORDS
        self._hand_out()
        while any(client.backlog for client in self._clients.values()) and monotonic() < end:
            self._turn(0.05)
        for client in list(self._clients.values()):
            self._let_go(client)

    def _turn(self, seconds: float) -> None:
        """What arrives or can be sent within ``seconds``, and what is to be told."""
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._listener:
                self._welcome()
            elif key.fileobj is self._wake_read:
                self._wake_read.recv(_PIECE)
            else:
                assert isinstance(key.fileobj, socket.socket)
                client = self._clients.get(key.fileobj)
                if client is not None:
                    self._hear(client)
        self._hand_out()

    def _welcome(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            client = self._clients[connection] = _Client(connection)
            self._selector.register(connection, selectors.EVENT_READ)
            self._hand_out()  # what was told before is in the status
            self._give(client, self._status())

    def _hear(self, client: _Client) -> None:
        try:
            piece = client.connection.recv(_PIECE)
            lines = client.lines.feed(piece)
        except BlockingIOError:
            return
        except (OSError, ProtocolError) as error:
            log.info("a client is disconnected: %s", error)
            piece, lines = b"", []
        if not piece:
            self._let_go(client)
            return
        try:
            for line in lines:
                self._give(client, self._answer(line))
        except Exception:  # the other clients, and the run, go on
            log.exception("what a client asked has failed; it is disconnected")
            self._let_go(client)

    def _hand_out(self) -> None:
        """Give every client what was told, and send what it takes."""
        while self._told:
            message = self._told.popleft()
            if message["event"] == "bye":
                continue
            data, momentary = encode(message), message["event"] in _MOMENTARY
            for client in list(self._clients.values()):
                if not client.take(data, momentary=momentary):
                    log.info("a client reads nothing and is disconnected")
                    self._let_go(client)
        for client in list(self._clients.values()):
            if not client.send():
                self._let_go(client)
                continue
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.backlog else 0)
            if self._selector.get_key(client.connection).events != wanted:
                self._selector.modify(client.connection, wanted)

    def _give(self, client: _Client, message: Message) -> None:
        if client.connection in self._clients and not client.take(encode(message), momentary=False):
            self._let_go(client)

    def _let_go(self, client: _Client) -> None:
        if self._clients.pop(client.connection, None) is not None:
            self._selector.unregister(client.connection)
            client.connection.close()

    def _tell_of_the_moment(self) -> None:
        """Progress and values, if they have changed."""
        report = self.performer.report
        if report is None or not self._clients:
            return
        try:
            said = report.progress(), report.values()
        except Exception:  # the run goes on; the next look may do
            log.exception("the state of the run cannot be sent")
            return
        for message in said:
            if self._before.get(message["event"]) != message:
                self._before[message["event"]] = message
                self._told.append(message)
        self._hand_out()

    # -- what is asked -----------------------------------------------------------------------------------------------

    def _status(self) -> Message:
        return {**self.performer.status(), "log": list(self._lines)}

    def _answer(self, line: bytes) -> Message:
        number: Any = None
        try:
            message = decode(line)
            number = message.pop("id", None)
            what = message.pop("ask", None)
            if what not in _ASKED:
                raise SequenceError(f"{what!r} cannot be asked; {', '.join(sorted(_ASKED))} can")
            found = self._status() if what == "status" else _ASKED[what](self.performer, message)
            return {"id": number, "ok": found or {}}
        except ValidationError as error:
            return {"id": number, "refused": explain(error, Path("entry"))}
        except StmlabError as error:
            return {"id": number, "refused": str(error)}
        except (KeyError, TypeError, ValueError) as error:
            return {"id": number, "refused": f"not what can be asked: {error!r}"}


def _then(message: Message) -> bool:
    then = message.get("then", "end")
    if then not in ("end", "go on"):
        raise SequenceError(f"then = {then!r}: end or go on is allowed")
    return bool(then == "go on")


def _add(performer: Performer, message: Message) -> Message:
    entry = QueueEntry.model_validate(message["entry"])
    performer.change(lambda queue: queue.added(entry, before=message.get("before")))
    return {"entry": entry.id}


def _insert(performer: Performer, message: Message) -> Message:
    entry = QueueEntry.model_validate(message["entry"])
    performer.insert(entry)
    return {"entry": entry.id}


def _duplicate(performer: Performer, message: Message) -> Message:
    entry = performer.queue[str(message["name"])].anew()
    performer.change(lambda queue: queue.duplicated(str(message["name"]), entry))
    return {"entry": entry.id}


_ASKED: Mapping[str, Callable[[Performer, Message], Message | None]] = {
    "status": lambda performer, _: performer.status(),
    "pause": lambda performer, _: performer.pause(),
    "resume": lambda performer, said: performer.resume(anyway=bool(said.get("anyway", False))),
    "all": lambda performer, _: performer.take_all(),
    "stop": lambda performer, said: performer.stop(go_on=_then(said)),
    "abort": lambda performer, said: performer.abort(go_on=_then(said)),
    "hold": lambda performer, said: performer.hold() if said.get("on", True) else performer.go_on(),
    "add": _add,
    "insert": _insert,
    "duplicate": _duplicate,
    "edit": lambda performer, said: performer.change(
        lambda queue: queue.edited(QueueEntry.model_validate(said["entry"]))
    ),
    "remove": lambda performer, said: performer.change(lambda queue: queue.removed(str(said["name"]))),
    "move": lambda performer, said: performer.change(lambda queue: queue.moved(str(said["name"]), int(said["place"]))),
}
