"""The wire as a virtual instrument sees it, and the in-process end of it that a driver holds.

A virtual instrument hands out one Session per connection; a Session takes bytes as they arrive, in pieces of any size,
and returns the bytes that the instrument sends in answer. The TCP server and the in-process adapter both speak to it
so, and nothing else reaches into an instrument.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

from pymeasure.adapters import Adapter

from stmlab.errors import InstrumentLost


class Session(Protocol):
    """One connection to a virtual instrument."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes as they arrive; return what the instrument sends in answer (b"" for nothing)."""


class VirtualInstrument(Protocol):
    """Something that can be connected to."""

    @property
    def greeting(self) -> bytes:
        """What a telnet port sends on connect; raw ports send nothing."""

    def session(self) -> Session:
        """A new connection."""


class LineSession(ABC):
    """A connection that speaks in lines, with IEEE 488.2 ``#`` blocks that may contain any byte.

    Subclasses answer one complete message; a message never contains its line feed.
    """

    def __init__(self) -> None:
        self._pending = bytearray()

    @abstractmethod
    def answer(self, message: bytes) -> bytes:
        """Carry out one message; return the bytes to send, termination included (b"" for nothing)."""

    def receive(self, data: bytes) -> bytes:
        """See Session."""
        self._pending += data
        answers = bytearray()
        while (ends := _end_of_message(self._pending)) is not None:
            block, end = ends
            with memoryview(self._pending) as pending:
                message = bytes(pending[:end])  # one copy, not two: a waveform may be long
            del self._pending[: end + 1]
            answers += self.answer(message.removesuffix(b"\r") if block < end else message)
        return bytes(answers)


def _end_of_message(buffer: bytearray) -> tuple[int, int] | None:
    """Where the last block of the first message ends (0 without one) and the line feed that ends the message.

    Line feeds inside definite-length blocks (``#<digits><length><bytes>``) do not count, nor is a carriage return at
    the end of one part of the line's end. None while the message is incomplete.
    """
    position = 0
    while True:
        line_feed = buffer.find(b"\n", position)
        block = buffer.find(b"#", position, line_feed if line_feed >= 0 else len(buffer))
        if block < 0:
            return (position, line_feed) if line_feed >= 0 else None
        digits = buffer[block + 1 : block + 2]
        if not digits:
            return None
        if not digits.isdigit() or digits == b"0":
            position = block + 1
            continue
        size = buffer[block + 2 : block + 2 + int(digits)]
        if len(size) < int(digits):
            return None
        if not size.isdigit():
            position = block + 1
            continue
        position = block + 2 + int(digits) + int(size)
        if position > len(buffer):
            return None


class WireAdapter(Adapter):
    """pymeasure Adapter straight into a virtual instrument in this process: the same bytes, no socket.

    Args:
        session: the virtual instrument's end.
        termination: appended to every string sent and taken off every string read.
        name: for error messages.
    """

    def __init__(self, session: Session, *, termination: str = "\n", name: str = "simulated instrument") -> None:
        self._session = session
        self._termination = termination.encode("ascii")
        self._received = bytearray()
        self._name = name
        self.connection = _Plug()
        super().__init__()

    def _write(self, command: str, **kwargs: Any) -> None:
        self._received += self._session.receive(command.encode("ascii") + self._termination)

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self._received += self._session.receive(content)

    def _read(self, **kwargs: Any) -> str:
        end = self._received.find(self._termination)
        if end < 0:
            raise InstrumentLost(self._name, "no answer")
        line = self._received[:end].decode("ascii")
        del self._received[: end + len(self._termination)]
        return line

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        if count < 0 or break_on_termchar:
            return (self._read() + self._termination.decode("ascii")).encode("ascii")
        if len(self._received) < count:
            raise InstrumentLost(self._name, f"no answer ({len(self._received)} of {count} bytes)")
        content = bytes(self._received[:count])
        del self._received[:count]
        return content

    def flush_read_buffer(self) -> None:
        """Throw away what was received and not yet read."""
        self._received.clear()


class _Plug:
    """pymeasure wants a connection that can be closed; there is none."""

    def close(self) -> None:
        """Nothing to close."""
