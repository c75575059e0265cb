"""How a driver reaches its instrument: a pymeasure Adapter over a raw TCP socket, or VISA for everything else.

pyvisa-py leaves Nagle's algorithm on (44 ms for a write followed by a query) and sends binary blocks in 4,096-byte
pieces, so addresses of the form ``TCPIP::host::port::SOCKET`` get a plain socket with TCP_NODELAY instead.
"""

from __future__ import annotations

import re
import socket
from typing import Any

from pymeasure.adapters import Adapter

from stmlab.errors import InstrumentLost, StationError

_SOCKET = re.compile(r"TCPIP\d*::(?P<host>[^:]+|\[[0-9A-Fa-f:]+\])::(?P<port>\d+)::SOCKET", re.IGNORECASE)


def connect(address: str | Adapter, *, timeout: float = 2.0, termination: str = "\n", **visa: Any) -> Adapter:
    """Open ``address`` for a driver.

    Args:
        address: an Adapter (passed through), ``TCPIP::host::port::SOCKET``, or any other VISA resource name.
        timeout: seconds to wait for an answer.
        termination: ends every message in both directions.
        visa: further settings of a VISA resource, as pymeasure's VISAAdapter takes them.

    Raises:
        InstrumentLost: nothing answers there.
        StationError: the address is no VISA resource name, or its interface has no library on this machine.
    """
    if isinstance(address, Adapter):
        return address
    if match := _SOCKET.fullmatch(address):
        return TCPAdapter(match["host"].strip("[]"), int(match["port"]), timeout=timeout, termination=termination)
    from pymeasure.adapters import VISAAdapter  # pyvisa scans for libraries: only where it is used

    settings = {"read_termination": termination, "write_termination": termination, "timeout": int(timeout * 1000)}
    try:
        return VISAAdapter(address, **(settings | visa))
    except ValueError as error:  # pyvisa raises ValueError for a resource name or an interface that it does not know
        raise StationError(f"{address}: no VISA address that works on this machine ({error})") from error
    except OSError as error:  # pyvisa's VisaIOError is one
        raise InstrumentLost(address, str(error)) from error


class TCPAdapter(Adapter):
    """A raw TCP socket with TCP_NODELAY that turns every failure into InstrumentLost.

    Args:
        host, port: where the instrument listens.
        timeout: seconds for connecting and for each answer.
        termination: appended to every string sent and taken off every string read.
    """

    def __init__(self, host: str, port: int, *, timeout: float = 2.0, termination: str = "\n") -> None:
        self.address = f"TCPIP::{host}::{port}::SOCKET"
        self._termination = termination.encode("ascii")
        self._buffer = bytearray()
        super().__init__()
        try:
            self.connection = socket.create_connection((host, port), timeout=timeout)
        except OSError as error:
            raise InstrumentLost(self.address, f"cannot connect ({error})") from error
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _write(self, command: str, **kwargs: Any) -> None:
        self._write_bytes(command.encode("ascii") + self._termination)

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        try:
            self.connection.sendall(content)
        except OSError as error:
            self._lose(f"cannot send ({error})", error)

    def _read(self, **kwargs: Any) -> str:
        end = self._buffer.find(self._termination)
        while end < 0:
            searched = max(0, len(self._buffer) - len(self._termination) + 1)
            self._receive()
            end = self._buffer.find(self._termination, searched)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + len(self._termination)]
        try:
            return line.decode("ascii")
        except UnicodeDecodeError as error:
            raise InstrumentLost(self.address, f"garbage on the line: {line[:40]!r}") from error

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        if count < 0 or break_on_termchar:
            return (self._read() + self._termination.decode("ascii")).encode("ascii")
        while len(self._buffer) < count:
            self._receive()
        content = bytes(self._buffer[:count])
        del self._buffer[:count]
        return content

    def flush_read_buffer(self) -> None:
        """Throw away what was received and not yet read."""
        self._buffer.clear()
        timeout = self.connection.gettimeout()
        self.connection.setblocking(False)
        try:
            while self.connection.recv(65536):
                pass
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(f"the connection dropped ({error})", error)
        finally:
            self.connection.settimeout(timeout)

    def _receive(self) -> None:
        try:
            content = self.connection.recv(65536)
        except TimeoutError as error:
            # An answer that comes later would be taken for the answer to the next question: the line is useless now.
            self._lose(f"no answer within {self.connection.gettimeout():g} s", error)
        except OSError as error:
            self._lose(f"the connection dropped ({error})", error)
        if not content:
            self._lose("the instrument closed the connection", None)
        self._buffer += content

    def _lose(self, message: str, cause: Exception | None) -> None:
        self.connection.close()
        raise InstrumentLost(self.address, message) from cause
