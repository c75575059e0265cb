"""Connections that speak in lines, with binary blocks in them, as SCPI instruments and lock-in amplifiers do."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from stmlab.simulation.wire import MessageSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.simulation.machine import Machine

_BLOCK = re.compile(rb"#([1-9])")
_NUMBER = re.compile(rb"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")


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


class _Frame(NamedTuple):
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
