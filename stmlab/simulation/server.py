"""A TCP port in front of a virtual instrument, so that any program can talk to it as to the real one.

One thread accepts, one thread serves each connection with a Session of its own. Instruments are machines of their own
(see ``machine``), so nothing is locked here. A client that sends without reading holds up itself: its next message is
carried out when the answer to the last one is on its way, and others are let in between.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING

from stmlab.errors import StationError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from stmlab.simulation.wire import Session, VirtualInstrument

_PIECE = 1 << 16  # bytes read at once; a waveform of 2**20 samples arrives in some dozens of pieces
_MOST_CLIENTS = 64
_WAITING = 8  # clients that may wait for a port that serves one
_BREATH = 16  # messages in a row after which other threads are let in
_PATIENCE = 2.0  # s without a byte in the middle of a block that was announced
_UNREAD = 30.0  # s after which a client that does not read is dropped


class WireServer:
    """Serves a virtual instrument on a TCP port.

    Args:
        instrument: hands out one Session for each connection.
        host: the loopback address by default; anything else opens the port to the network.
        port: 0 lets the operating system choose; ``port`` tells which.
        greet: send ``instrument.greeting`` on connect, as a telnet port does.
        clients: served at once; others are connected by the operating system and wait until one has gone, as at a
            Nanonis port, which serves one.
        name: in the flight recorder, such as ``nanonis``; the client is called ``nanonis:6501 from 127.0.0.1:40312``.

    A Session that raises ConnectionError drops its connection, as a pulled cable would; the server keeps running. A
    block that does not come to its end is given up after 2 s, a client that does not read after 30 s.

    Raises:
        StationError: the port cannot be opened.
    """

    def __init__(
        self,
        instrument: VirtualInstrument,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        greet: bool = False,
        clients: int = _MOST_CLIENTS,
        name: str = "",
    ) -> None:
        self._instrument = instrument
        self._greet = greet
        self._name = name
        self._free = threading.Semaphore(clients)
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._registry = threading.Lock()  # guards _connections and _stopping
        self._stopping = False
        if not 0 <= port <= 65535:
            raise StationError(f"cannot listen on {host}:{port}: a port is a number from 0 to 65535")
        try:
            self._listener = socket.create_server((host, port), backlog=_WAITING)
        except OSError as error:
            raise StationError(f"cannot listen on {host}:{port}: {error}") from error
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name=f"accept :{self.port}", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close the port and every connection and wait for the threads; may be called twice."""
        with self._registry:
            if self._stopping:
                return
            self._stopping = True
            connections = dict(self._connections)
        self._wake.send(b"\0")
        self._free.release()
        if self._acceptor.is_alive():
            self._acceptor.join()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it, which closes it
        for thread in connections.values():
            thread.join()
        for end in (self._listener, self._wake, self._woken):
            end.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while self._free.acquire() and not self._stopping:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._listener not in ready or not self._accepted():
                    self._free.release()

    def _accepted(self) -> bool:
        try:
            connection, address = self._listener.accept()
        except ConnectionError:  # the client has gone again
            return False
        self._welcome(connection, f"{self._name}:{self.port} from {address[0]}:{address[1]}")
        return True

    def _welcome(self, connection: socket.socket, client: str) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(
            target=self._serve, args=(connection, client), name=f"serve :{self.port}", daemon=True
        )
        with self._registry:
            if self._stopping:
                connection.close()
                return
            self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket, client: str) -> None:
        try:
            with connection, contextlib.suppress(ConnectionError, TimeoutError):
                self._converse(connection, client)
        finally:
            with self._registry:
                self._connections.pop(connection, None)
            self._free.release()

    def _converse(self, connection: socket.socket, client: str) -> None:
        session = self._instrument.session(client)
        if self._greet:
            connection.sendall(self._instrument.greeting)
        while (data := _receive(connection, session)) is not None:
            session.feed(data)
            connection.settimeout(_UNREAD)
            carried_out = 0
            while (answer := session.exchange()) is not None:
                connection.sendall(answer)
                carried_out += 1
                if carried_out % _BREATH == 0:
                    time.sleep(1e-5)


def _receive(connection: socket.socket, session: Session) -> bytes | None:
    """What comes next, None at the end of the connection; a block that does not come to its end is given up."""
    connection.settimeout(_PATIENCE if session.unfinished else None)
    try:
        return connection.recv(_PIECE) or None
    except TimeoutError:
        connection.sendall(session.give_up())
        return b""
