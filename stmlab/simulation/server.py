"""A TCP port in front of a virtual instrument, so that any program can talk to it as to the real one.

One thread accepts, one thread serves each connection with a Session of its own. All servers of one microscope share a
lock, because the instruments share its physics; answers are sent outside the lock, so that a client that does not read
holds up nobody but itself.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import TYPE_CHECKING

from stmlab.errors import StationError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from stmlab.simulation.wire import Session, VirtualInstrument

_PIECE = 1 << 16  # bytes read at once; a waveform of 2**20 samples arrives in some dozens of pieces


class WireServer:
    """Serves a virtual instrument on a TCP port.

    Args:
        instrument: hands out one Session for each connection.
        host: the loopback address by default; anything else opens the port to the network.
        port: 0 lets the operating system choose; ``port`` tells which.
        greet: send ``instrument.greeting`` on connect, as a telnet port does.
        lock: held while a Session works; give all servers of one microscope the same.

    A Session that raises ConnectionError drops its connection, as a pulled cable would; the server keeps running.

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
        lock: threading.Lock | None = None,
    ) -> None:
        self._instrument = instrument
        self._greet = greet
        self._lock = lock if lock is not None else threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._registry = threading.Lock()  # guards _connections and _stopping
        self._stopping = False
        if not 0 <= port <= 65535:
            raise StationError(f"cannot listen on {host}:{port}: a port is a number from 0 to 65535")
        try:
            self._listener = socket.create_server((host, port))
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
            while not self._stopping:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._listener in ready:
                    with contextlib.suppress(ConnectionError):  # the client has gone again
                        self._welcome(self._listener.accept()[0])

    def _welcome(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=self._serve, args=(connection,), name=f"serve :{self.port}", daemon=True)
        with self._registry:
            if self._stopping:
                connection.close()
                return
            self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(ConnectionError):
                self._converse(connection)
        finally:
            with self._registry:
                self._connections.pop(connection, None)

    def _converse(self, connection: socket.socket) -> None:
        with self._lock:
            session: Session = self._instrument.session()
            greeting = self._instrument.greeting if self._greet else b""
        if greeting:
            connection.sendall(greeting)
        while data := connection.recv(_PIECE):
            with self._lock:
                answer = session.receive(data)
            if answer:
                connection.sendall(answer)
