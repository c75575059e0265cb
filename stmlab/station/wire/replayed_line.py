"""A driver's connection that answers as was recorded; there is nothing at its other end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from stmlab.adapters import Adapter
from stmlab.station.wire.failures import failed
from stmlab.station.wire.file import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.station.wire.file import Entry
    from stmlab.station.wire.stream import Stream

_ENDS = "closes the connection"


class ReplayedLine(Adapter):
    """pymeasure Adapter over the recorded stream of one instrument.

    Args:
        stream: of the instrument.
        termination: ends every message of text in both directions.

    Attributes:
        permit, timeout: see drivers.connection.Line; nothing here asks for them.
    """

    def __init__(self, stream: Stream, termination: str) -> None:
        self._stream, self._termination = stream, termination.encode("ascii")
        self._received = bytearray()
        self.permit: Callable[[], bool] | None = None
        self.timeout = 0.0
        self._connect()
        super().__init__()

    def reconnect(self) -> None:
        """See drivers.connection.Line."""
        self._connect()

    def close(self) -> None:
        """The connection is closed, as it was."""
        self._stream.take(_ENDS, Kind.CLOSED)
        self._received.clear()

    def monotonic(self) -> float:
        """Seconds on the monotonic clock, as they were."""
        return self._stream.readings.now(self._stream.line)

    def pause(self, seconds: float) -> None:
        """Wait ``seconds``, at once."""
        self._stream.readings.wait(seconds)

    def flush_read_buffer(self) -> None:
        """Throw away what was received and not yet read."""
        self._received.clear()
        self._fail_as_recorded("flush")

    def _connect(self) -> None:
        self._received.clear()
        entry = self._stream.take("connects", Kind.OPENED, Kind.FAILED)
        if entry.kind is Kind.FAILED:
            self._raise(entry)

    def _write(self, command: str, **kwargs: Any) -> None:
        self._send(command.encode("ascii") + self._termination)

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self._send(bytes(content))

    def _send(self, content: bytes) -> None:
        if self._received:
            self._stream.differ(f"the run leaves {len(self._received)} bytes of an answer", repr(content[:80]))
        self._stream.send(content)
        self._fail_as_recorded("send")

    def _read(self, **kwargs: Any) -> str:
        while (end := self._received.find(self._termination)) < 0:
            self._receive()
        line = bytes(self._received[:end])
        del self._received[: end + len(self._termination)]
        return line.decode("ascii")

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        if count < 0 or break_on_termchar:
            return (self._read() + self._termination.decode("ascii")).encode("ascii")
        while len(self._received) < count:
            self._receive()
        content = bytes(self._received[:count])
        del self._received[:count]
        return content

    def _receive(self) -> None:
        entry = self._stream.take("waits for an answer", Kind.RECEIVED, Kind.FAILED)
        if entry.kind is Kind.FAILED:
            self._raise(entry)
        self._received += entry.content

    def _fail_as_recorded(self, doing: str) -> None:
        entry = self._stream.next
        if entry is not None and entry.kind is Kind.FAILED and entry.content[0] == doing:
            self._raise(self._stream.take(doing, Kind.FAILED))

    def _raise(self, entry: Entry) -> NoReturn:
        self._received.clear()
        raise failed(entry.content, entry.line)

    def __del__(self) -> None:
        """There is nothing to close."""
