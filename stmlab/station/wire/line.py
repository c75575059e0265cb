"""A driver's connection whose every byte is noted on its way."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from stmlab.adapters import Adapter
from stmlab.station.wire.failures import failure
from stmlab.station.wire.file import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Notes(Protocol):
    """What takes the notes."""

    def note(self, who: str, kind: Kind, content: Any) -> None:
        """Append an entry."""


class RecordedLine(Adapter):
    """pymeasure Adapter in front of the one that reaches the instrument.

    Args:
        name: of the instrument.
        connect: makes the connection.
        termination: ends every message of text in both directions.
        notes: takes what passes.

    Attributes:
        permit, timeout: of the connection, see drivers.connection.Line.
    """

    def __init__(self, name: str, connect: Callable[[], Adapter], termination: str, notes: Notes) -> None:
        self._name, self._notes = name, notes
        self._termination = termination.encode("ascii")
        self._number = 0
        self._inner: Any = None
        with self._connecting():
            self._inner = connect()
        super().__init__()

    @property
    def connection(self) -> Any:
        """Of the adapter behind."""
        return self._inner.connection

    @property
    def permit(self) -> Any:
        """See drivers.connection.Line."""
        return getattr(self._inner, "permit", None)

    @permit.setter
    def permit(self, permit: Callable[[], bool] | None) -> None:
        self._inner.permit = permit

    @property
    def timeout(self) -> float:
        """See drivers.connection.Line."""
        return float(getattr(self._inner, "timeout", 0.0))

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._inner.timeout = seconds

    def reconnect(self) -> None:
        """See drivers.connection.Line."""
        with self._connecting():
            if hasattr(self._inner, "reconnect"):
                self._inner.reconnect()
            else:
                self._inner.flush_read_buffer()

    def close(self) -> None:
        """Close the connection."""
        self._notes.note(self._name, Kind.CLOSED, self._number)
        self._inner.close()

    def monotonic(self) -> float:
        """Seconds on the monotonic clock, for what a driver waits for."""
        now = time.monotonic()
        self._notes.note(self._name, Kind.NOW, now)
        return now

    def pause(self, seconds: float) -> None:
        """Wait ``seconds`` between two questions."""
        time.sleep(seconds)

    def flush_read_buffer(self) -> None:
        """Throw away what was received and not yet read."""
        with self._noting("flush"):
            self._inner.flush_read_buffer()

    def _write(self, command: str, **kwargs: Any) -> None:
        self._notes.note(self._name, Kind.SENT, command.encode("ascii") + self._termination)
        with self._noting("send"):
            self._inner.write(command, **kwargs)

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self._notes.note(self._name, Kind.SENT, bytes(content))
        with self._noting("send"):
            self._inner.write_bytes(content, **kwargs)

    def _read(self, **kwargs: Any) -> str:
        with self._noting("receive"):
            line = str(self._inner.read(**kwargs))
        self._notes.note(self._name, Kind.RECEIVED, line.encode("ascii") + self._termination)
        return line

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        with self._noting("receive"):
            content = bytes(self._inner.read_bytes(count, break_on_termchar=break_on_termchar, **kwargs))
        if content:
            self._notes.note(self._name, Kind.RECEIVED, content)
        return content

    @contextmanager
    def _connecting(self) -> Iterator[None]:
        with self._noting("connect"):
            yield
        self._number += 1
        self._notes.note(self._name, Kind.OPENED, self._number)

    @contextmanager
    def _noting(self, doing: str) -> Iterator[None]:
        """Note what fails, with the bytes of an answer that nobody will read."""
        try:
            yield
        except Exception as error:
            self._notes.note(self._name, Kind.FAILED, [doing, *failure(error, getattr(self._inner, "unread", b""))])
            raise

    def __del__(self) -> None:
        """The adapter behind closes itself."""
