"""How a driver reaches its instrument: a pymeasure Adapter over a raw TCP socket, or VISA for everything else.

pyvisa-py leaves Nagle's algorithm on (44 ms for a write followed by a query) and sends binary blocks in 4,096-byte
pieces, so addresses of the form ``TCPIP::host::port::SOCKET`` get a plain socket with TCP_NODELAY instead.

A connection that has failed once is closed: a late answer would be taken for the answer to the next question. What
comes after that is a fresh connection (``reconnect``), never a second try on the old one.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, runtime_checkable

from pymeasure.adapters import Adapter

from stmlab.errors import GarbledAnswer, InstrumentLost, InstrumentTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SOCKET = re.compile(r"TCPIP\d*::(?P<host>[^:]+|\[[0-9A-Fa-f:]+\])::(?P<port>\d+)::SOCKET", re.IGNORECASE)
_LONGEST_LINE = 1 << 20  # bytes


@runtime_checkable
class Place(Protocol):
    """What a station gives instead of an address where the wire is recorded or replayed."""

    @property
    def line(self) -> Callable[[Callable[[str | Adapter], Adapter], str], Adapter]:
        """Makes the connection: of what connects to the address behind, and what ends a message."""


def connect(address: str | Adapter | Place, *, timeout: float = 2.0, termination: str = "\n", **visa: Any) -> Adapter:
    """Open ``address`` for a driver.

    Args:
        address: an Adapter (passed through), ``TCPIP::host::port::SOCKET``, any other VISA resource name, or a Place.
        timeout: seconds to wait for an answer.
        termination: ends every message in both directions.
        visa: further settings of a VISA resource, as pymeasure's VISAAdapter takes them.

    Raises:
        InstrumentLost: nothing answers there.
        StationError: the address is no VISA resource name, or its interface has no library on this machine.
    """
    if isinstance(address, Adapter):
        return address
    if isinstance(address, Place):
        return address.line(
            lambda behind: connect(behind, timeout=timeout, termination=termination, **visa), termination
        )
    if match := _SOCKET.fullmatch(address):
        return TCPAdapter(match["host"].strip("[]"), int(match["port"]), timeout=timeout, termination=termination)
    from drivers.visa import VisaLine  # pyvisa scans for libraries: only where it is used

    return VisaLine(address, timeout=timeout, termination=termination, **visa)


@runtime_checkable
class Line(Protocol):
    """A connection that can be lost, made anew, and taken away.

    Attributes:
        permit: asked before anything is sent or a connection is made; once it says False, nothing is.
        timeout: seconds to wait for an answer.
    """

    permit: Callable[[], bool] | None
    timeout: float

    def reconnect(self) -> None:
        """Close the connection and make a new one; raises InstrumentLost."""


def reconnect(adapter: Adapter) -> None:
    """Make the connection anew; an Adapter of another kind only forgets what it has received.

    Raises:
        InstrumentLost: nothing answers at the address.
    """
    if isinstance(adapter, Line):
        adapter.reconnect()
    else:
        adapter.flush_read_buffer()


@contextlib.contextmanager
def patience(adapter: Adapter, seconds: float) -> Iterator[None]:
    """Wait up to ``seconds`` longer for each answer meanwhile; the simulated wire waits as long as it takes."""
    if seconds <= 0.0 or not isinstance(adapter, Line):
        yield
        return
    usual = adapter.timeout
    adapter.timeout = usual + seconds
    try:
        yield
    finally:
        adapter.timeout = usual


def monotonic(adapter: Adapter) -> float:
    """Seconds on the monotonic clock; a recorded or replayed line notes them, or gives them as they were."""
    own: Callable[[], float] = getattr(adapter, "monotonic", time.monotonic)
    return own()


def pause(adapter: Adapter, seconds: float) -> None:
    """Wait ``seconds`` between two questions; a replayed line does not."""
    own: Callable[[float], None] = getattr(adapter, "pause", time.sleep)
    own(seconds)


def check_permit(permit: Callable[[], bool] | None, address: str) -> None:
    """Raise InstrumentLost if the station belongs to somebody else by now."""
    if permit is not None and not permit():
        raise InstrumentLost(address, "the station is no longer this run's")


class TCPAdapter(Adapter):
    """A raw TCP socket with TCP_NODELAY that turns every failure into InstrumentLost, and is closed by it.

    Args:
        host, port: where the instrument listens.
        timeout: seconds for connecting and for each answer.
        termination: appended to every string sent and taken off every string read.

    Attributes:
        permit: see Line.
        timeout: of the next answers, s.
    """

    def __init__(self, host: str, port: int, *, timeout: float = 2.0, termination: str = "\n") -> None:
        self.address = f"TCPIP::{host}::{port}::SOCKET"
        self.permit: Callable[[], bool] | None = None
        self.timeout = timeout
        self._peer = (host, port)
        self._termination = termination.encode("ascii")
        self._buffer = bytearray()
        self._sent = b""  # the last message, for errors
        self._met = False  # before the first answer an instrument may greet
        super().__init__()
        self._open()

    @property
    def unread(self) -> bytes:
        """What has been received of an answer and not been read."""
        return bytes(self._buffer)

    def reconnect(self) -> None:
        """See Line."""
        self.connection.close()
        self._open()

    def _open(self) -> None:
        check_permit(self.permit, self.address)
        self._buffer.clear()
        self._met = False
        try:
            self.connection = socket.create_connection(self._peer, timeout=self.timeout)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise InstrumentLost(self.address, f"cannot connect ({error})") from error

    def _write(self, command: str, **kwargs: Any) -> None:
        self._write_bytes(command.encode("ascii") + self._termination)

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        check_permit(self.permit, self.address)
        self._refuse_what_nobody_asked_for()
        self._sent = content[:80]
        try:
            self.connection.settimeout(self.timeout)
            self.connection.sendall(content)
        except TimeoutError as error:
            self._lose(InstrumentTimeout(self.address, f"it takes nothing within {self.timeout:g} s"), error)
        except OSError as error:
            self._lose(InstrumentLost(self.address, f"cannot send ({error})"), error)

    def _read(self, **kwargs: Any) -> str:
        end = self._buffer.find(self._termination)
        deadline = time.monotonic() + self.timeout
        while end < 0:
            searched = max(0, len(self._buffer) - len(self._termination) + 1)
            if searched > _LONGEST_LINE:
                self._lose(self._garbled(bytes(self._buffer[:40]), f"no end within {_LONGEST_LINE} bytes"), None)
            self._receive(deadline)
            end = self._buffer.find(self._termination, searched)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + len(self._termination)]
        self._met = True
        try:
            return line.decode("ascii")
        except UnicodeDecodeError as error:
            raise self._garbled(line, "no ASCII text") from error

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        if count < 0 or break_on_termchar:
            return (self._read() + self._termination.decode("ascii")).encode("ascii")
        deadline = time.monotonic() + self.timeout
        while len(self._buffer) < count:
            self._receive(deadline)
        content = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._met = True
        return content

    def flush_read_buffer(self) -> None:
        """Throw away what was received and not yet read."""
        try:
            while self._waiting():
                if not self.connection.recv(65536):
                    self._lose(InstrumentLost(self.address, "the instrument closed the connection"), None)
        except OSError as error:
            self._lose(InstrumentLost(self.address, f"the connection dropped ({error})"), error)
        finally:
            self._buffer.clear()

    def _receive(self, deadline: float) -> None:
        remaining = deadline - time.monotonic()
        try:
            if remaining <= 0.0:  # an answer that drips in would never end otherwise
                raise TimeoutError
            self.connection.settimeout(remaining)
            content = self.connection.recv(1 << 20)
        except TimeoutError as error:
            got = f" (only {len(self._buffer)} bytes)" if self._buffer else ""
            self._lose(InstrumentTimeout(self.address, f"no answer within {self.timeout:g} s{got}"), error)
        except OSError as error:
            self._lose(InstrumentLost(self.address, f"the connection dropped ({error})"), error)
        if not content:
            self._lose(InstrumentLost(self.address, "the instrument closed the connection"), None)
        self._buffer += content

    def _refuse_what_nobody_asked_for(self) -> None:
        """What has come before the question is the rest, or the double, of an older answer."""
        if not self._met or not (self._buffer or self._waiting()):
            return
        try:
            self._buffer += b"" if self._buffer else self.connection.recv(80)
        except OSError as error:
            self._lose(InstrumentLost(self.address, f"the connection dropped ({error})"), error)
        if not self._buffer:
            self._lose(InstrumentLost(self.address, "the instrument closed the connection"), None)
        self._lose(self._garbled(bytes(self._buffer[:80]), "there is more than one answer"), None)

    def _waiting(self) -> bool:
        """Whether something has come, or the end of the connection."""
        if self.connection.fileno() < 0:
            return False  # closed: sending will say so
        return bool(select.select([self.connection], [], [], 0.0)[0])

    def _garbled(self, answer: bytes, why: str) -> GarbledAnswer:
        return GarbledAnswer(self.address, self._sent.decode("ascii", "replace").strip(), answer, why)

    def _lose(self, error: InstrumentLost, cause: Exception | None) -> NoReturn:
        self.connection.close()
        raise error from cause
