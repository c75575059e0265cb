"""The wire as a virtual instrument sees it, and the in-process end of it that a driver holds.

A virtual instrument hands out one Session per connection; a Session takes bytes as they arrive, in pieces of any size,
and returns the bytes that the instrument sends in answer. The TCP server and the in-process adapter both speak to it
so, and nothing else reaches into an instrument.
"""

from __future__ import annotations

import re
import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pymeasure.adapters import Adapter

from stmlab.errors import InstrumentLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.simulation.machine import Machine

_BLOCK = re.compile(rb"#([1-9])")
_NUMBER = re.compile(rb"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")


class Session(Protocol):
    """One connection to a virtual instrument."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes as they arrive; return what the instrument sends in answer (b"" for nothing)."""

    def feed(self, data: bytes) -> None:
        """Take bytes as they arrive."""

    def exchange(self) -> bytes | None:
        """Carry out the next whole message; return what is sent in answer, or None if there is no whole message."""

    @property
    def unfinished(self) -> bool:
        """Whether more bytes of a message of announced length must come."""

    def give_up(self) -> bytes:
        """Forget the message that does not come to its end; return what is sent about it."""


class VirtualInstrument(Protocol):
    """Something that can be connected to."""

    @property
    def greeting(self) -> bytes:
        """What a telnet port sends on connect; raw ports send nothing."""

    def session(self, client: str = "") -> Session:
        """A new connection; ``client`` says whose, for the flight recorder."""


class MessageSession(ABC):
    """A connection that takes messages off a stream of bytes and lets the instrument's machine answer them.

    Args:
        machine: of the instrument.
        client: who is at the other end.
    """

    def __init__(self, machine: Machine, client: str = "") -> None:
        self.client = client
        self.previous = b""  # the last answer, for the fault that sends it once more
        self._machine = machine
        self._pending = bytearray()

    @abstractmethod
    def next_message(self) -> bytes | None:
        """Take the next whole message off what has arrived; None while there is none."""

    @abstractmethod
    def answer(self, message: bytes) -> bytes:
        """Carry out one message; return the bytes to send, termination included (b"" for nothing)."""

    @abstractmethod
    def answer_with_error(self, message: bytes) -> bytes:
        """The same, with an error that the instrument reports though nobody made one."""

    @abstractmethod
    def label(self, message: bytes) -> str:
        """What the message says, in one line of text."""

    @abstractmethod
    def with_other_value(self, answer: bytes, other: Callable[[float], float]) -> bytes:
        """The answer with its first number exchanged; as it is if it holds none."""

    @property
    @abstractmethod
    def unfinished(self) -> bool:
        """See Session."""

    @abstractmethod
    def give_up(self) -> bytes:
        """See Session."""

    def feed(self, data: bytes) -> None:
        """See Session."""
        self._pending += data

    def exchange(self) -> bytes | None:
        """See Session."""
        message = self.next_message()
        return None if message is None else self._machine.exchange(self, message)

    def receive(self, data: bytes) -> bytes:
        """See Session."""
        self.feed(data)
        answers = bytearray()
        while (answer := self.exchange()) is not None:
            answers += answer
        return bytes(answers)


class LineSession(MessageSession):
    """A connection that speaks in lines, with IEEE 488.2 ``#`` blocks that may contain any byte.

    Subclasses answer one complete message; a message never contains its line feed. What is longer than the instrument
    can take is thrown away up to the next line feed.

    Class attributes:
        LONGEST_LINE: bytes of a message, blocks not counted.
        LONGEST_BLOCK: bytes that a block may announce.
    """

    LONGEST_LINE: ClassVar[int] = 1 << 16
    LONGEST_BLOCK: ClassVar[int] = 1 << 16

    def __init__(self, machine: Machine, client: str = "") -> None:
        super().__init__(machine, client)
        self._unfinished = self._skipping = False

    def overrun(self) -> None:
        """A message was too long, or a block did not come to its end: note it where the instrument keeps its errors."""

    def note_error(self) -> None:
        """Note an error that nobody made where the instrument keeps its errors."""

    def next_message(self) -> bytes | None:
        """See MessageSession."""
        if self._skipping and not self._skip():
            return None
        frame = _framed(self._pending, self.LONGEST_LINE, self.LONGEST_BLOCK)
        self._unfinished = frame.within_block
        if frame.too_long:
            self._skipping = True
            with self._machine:
                self.overrun()
            return self.next_message()
        if frame.end is None:
            return None
        with memoryview(self._pending) as pending:
            message = bytes(pending[: frame.end])  # one copy, not two: a waveform may be long
        del self._pending[: frame.end + 1]
        return message.removesuffix(b"\r") if frame.block < frame.end else message

    def _skip(self) -> bool:
        """Throw away what belongs to a message that was too long; whether its end has come."""
        _, line_feed, after = self._pending.partition(b"\n")
        self._pending = after
        self._skipping = not line_feed
        return bool(line_feed)

    @property
    def unfinished(self) -> bool:
        """See Session."""
        return self._unfinished

    def give_up(self) -> bytes:
        """See Session."""
        self._pending.clear()
        self._unfinished = False
        with self._machine:
            self.overrun()
        return b""

    def label(self, message: bytes) -> str:
        """The line, without what its blocks hold."""
        return message.partition(b"#")[0].decode("ascii", errors="replace")

    def answer_with_error(self, message: bytes) -> bytes:
        """See MessageSession."""
        self.note_error()
        return self.answer(message)

    def with_other_value(self, answer: bytes, other: Callable[[float], float]) -> bytes:
        """See MessageSession; a block's first 4-byte float is its number."""
        if block := _BLOCK.match(answer):
            start = block.end() + int(block[1])
            if len(answer) < start + 4:
                return answer
            (value,) = struct.unpack_from("<f", answer, start)
            return answer[:start] + struct.pack("<f", other(value)) + answer[start + 4 :]
        found = _NUMBER.search(answer)
        if found is None:
            return answer
        text = f"{other(float(found[0])):.12g}"
        return answer[: found.start()] + text.encode("ascii") + answer[found.end() :]


@dataclass(frozen=True)
class _Frame:
    """The first message in a buffer.

    Attributes:
        block: where its last block ends, 0 without one.
        end: of the message, where its line feed is; None: that has not come.
        within_block: more bytes of a block must come.
        too_long: it exceeds a bound.
    """

    block: int = 0
    end: int | None = None
    within_block: bool = False
    too_long: bool = False


def _framed(buffer: bytearray, longest_line: int, longest_block: int) -> _Frame:
    """Find the first message.

    Line feeds inside definite-length blocks (``#<digits><length><bytes>``) do not count, nor is a carriage return at
    the end of one part of the line's end.
    """
    position = outside = 0
    while True:
        line_feed = buffer.find(b"\n", position)
        block = buffer.find(b"#", position, line_feed if line_feed >= 0 else len(buffer))
        outside += (block if block >= 0 else line_feed if line_feed >= 0 else len(buffer)) - position
        if outside > longest_line:
            return _Frame(too_long=True)
        if block < 0:
            return _Frame(position, line_feed) if line_feed >= 0 else _Frame()
        digits = buffer[block + 1 : block + 2]
        if not digits:
            return _Frame()
        if not digits.isdigit() or digits == b"0":
            position = block + 1
            continue
        size = buffer[block + 2 : block + 2 + int(digits)]
        if len(size) < int(digits):
            return _Frame(within_block=True)
        if not size.isdigit():
            position = block + 1
            continue
        if int(size) > longest_block:
            return _Frame(too_long=True)
        position = block + 2 + int(digits) + int(size)
        if position > len(buffer):
            return _Frame(within_block=True)


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
        self._dropped = False
        self.connection = _Plug()
        super().__init__()

    def _write(self, command: str, **kwargs: Any) -> None:
        self._send(command.encode("ascii") + self._termination)

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self._send(content)

    def _send(self, content: bytes) -> None:
        if self._dropped:
            raise InstrumentLost(self._name, "the connection was dropped")
        try:
            self._received += self._session.receive(content)
        except ConnectionError as error:
            self._dropped = True  # a new connection is a new adapter
            raise InstrumentLost(self._name, f"the connection dropped ({error})") from error

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
