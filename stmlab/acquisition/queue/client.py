"""A client of a queue that waits for its answers: for the command line, a script, a test. The window has its own."""

from __future__ import annotations

import itertools
import socket
from collections import deque
from typing import TYPE_CHECKING, Any

from stmlab.acquisition.queue.places import performing_of
from stmlab.acquisition.queue.protocol import Lines, decode, encode
from stmlab.errors import SequenceError, StmlabError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    Message = dict[str, Any]

_PIECE = 1 << 16


class Refused(SequenceError):
    """What was asked was refused; the text says why."""


class QueueGone(StmlabError):
    """The process of the queue is gone."""


class QueueClient:
    """A connection to the process that performs a queue; a context manager.

    Args:
        file: of the queue.
        timeout: s that an answer, or an event, may take.

    Raises:
        QueueGone: nobody performs it.
    """

    def __init__(self, file: Path, timeout: float = 30.0) -> None:
        found = performing_of(file)
        if found is None:
            raise QueueGone(f"{file}: nobody performs this queue")
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.settimeout(timeout)
        self._connection.connect(str(found.socket))
        self._lines, self._heard = Lines(), deque[dict[str, Any]]()
        self._numbers = itertools.count(1)

    def ask(self, what: str, **how: Any) -> Message:
        """Ask, wait for the answer; see `protocol`.

        Raises:
            Refused: it was refused.
            QueueGone: the process has ended.
        """
        number = next(self._numbers)
        self._connection.sendall(encode({"id": number, "ask": what, **how}))
        kept: list[Message] = []
        while True:
            message = self._next()
            if message.get("id") == number and "event" not in message:
                self._heard.extendleft(reversed(kept))
                break
            kept.append(message)
        if "refused" in message:
            raise Refused(str(message["refused"]))
        found: Message = message["ok"]
        return found

    def events(self) -> Iterator[Message]:
        """What happens, from the status at the time of the connection on, until the process ends."""
        while True:
            try:
                yield self._next()
            except QueueGone:
                return

    def wait_for(self, event: str, **said: Any) -> Message:
        """The next event of that name with these values; those before it are skipped.

        Raises:
            QueueGone: the process has ended before it came.
        """
        for message in iter(self._next, None):
            if message.get("event") == event and said.items() <= message.items():
                return message
        raise AssertionError  # `_next` raises before

    def _next(self) -> Message:
        while not self._heard:
            try:
                piece = self._connection.recv(_PIECE)
            except ConnectionError:
                piece = b""
            if not piece:
                raise QueueGone("the process of the queue has ended")
            self._heard.extend(decode(line) for line in self._lines.feed(piece))
        return self._heard.popleft()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
