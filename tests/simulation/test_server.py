"""The TCP port in front of a virtual instrument."""

from __future__ import annotations

import socket
import threading

import pytest

from stmlab.errors import StationError
from stmlab.simulation.server import WireServer
from stmlab.simulation.wire import LineSession


class Echo(LineSession):
    def __init__(self, lock: threading.Lock | None = None) -> None:
        super().__init__()
        self.lock = lock

    def answer(self, message: bytes) -> bytes:
        if self.lock is not None:
            assert self.lock.locked()
        if message == b"DROP":
            raise ConnectionResetError("pulled cable")
        return message + b"\n"


class EchoInstrument:
    greeting = b"Welcome\r\n"

    def __init__(self, lock: threading.Lock | None = None) -> None:
        self.lock = lock
        self.sessions = 0

    def session(self) -> Echo:
        self.sessions += 1
        return Echo(self.lock)


def connect(server: WireServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_a_block_of_a_million_samples_comes_back_as_it_was_sent() -> None:
    block = b"#7" + b"1048576" + bytes(range(256)) * 4096
    with WireServer(EchoInstrument()) as server, connect(server) as client:
        client.sendall(block + b"\n")
        received = bytearray()
        while len(received) < len(block) + 1:
            received += client.recv(1 << 16)
    assert received == block + b"\n"


def test_only_a_greeting_port_greets() -> None:
    with WireServer(EchoInstrument(), greet=True) as server, connect(server) as client:
        assert client.makefile("rb").readline() == b"Welcome\r\n"
    with WireServer(EchoInstrument()) as server, connect(server) as client:
        client.sendall(b"ping\n")
        assert client.makefile("rb").readline() == b"ping\n"


def test_each_connection_has_a_session_of_its_own() -> None:
    instrument = EchoInstrument()
    with WireServer(instrument) as server, connect(server) as one, connect(server) as other:
        one.sendall(b"half a ")
        other.sendall(b"whole\n")
        assert other.recv(100) == b"whole\n"
        one.sendall(b"line\n")
        assert one.recv(100) == b"half a line\n"
    assert instrument.sessions == 2


def test_the_shared_lock_is_held_while_a_session_works() -> None:
    lock = threading.Lock()
    with WireServer(EchoInstrument(lock), lock=lock) as server, connect(server) as client:
        client.sendall(b"locked\n")
        assert client.recv(100) == b"locked\n"
    assert not lock.locked()


def test_a_dropped_connection_leaves_the_server_running() -> None:
    with WireServer(EchoInstrument()) as server:
        with connect(server) as client:
            client.sendall(b"DROP\n")
            assert client.recv(100) == b""
        with connect(server) as client:
            client.sendall(b"again\n")
            assert client.recv(100) == b"again\n"


def test_stop_closes_open_connections_and_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    server = WireServer(EchoInstrument())
    server.start()
    with connect(server) as client:
        client.sendall(b"here\n")
        assert client.recv(100) == b"here\n"
        server.stop()
        assert client.recv(100) == b""
    server.stop()
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_a_port_that_is_taken_is_refused_with_its_address() -> None:
    with WireServer(EchoInstrument()) as server:
        with pytest.raises(StationError, match=f"cannot listen on 127.0.0.1:{server.port}"):
            WireServer(EchoInstrument(), port=server.port)
        with pytest.raises(StationError, match="70000"):
            WireServer(EchoInstrument(), port=70000)
