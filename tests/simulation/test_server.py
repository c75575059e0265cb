"""The TCP port in front of a virtual instrument."""

from __future__ import annotations

import socket
import threading

import pytest

from stmlab.errors import StationError
from stmlab.simulation.lines import LineSession
from stmlab.simulation.machine import Machine
from stmlab.simulation.server import WireServer


class Echo(LineSession):
    """Answers every line with itself; some lines do something."""

    LONGEST_BLOCK = 1 << 20

    def answer(self, message: bytes) -> bytes:
        if message == b"DROP":
            raise ConnectionResetError("pulled cable")
        if message == b"WHO":
            return self.client.encode("ascii") + b"\n"
        if message == b"WAIT":
            self.begun.set()
            self._machine.wait(3600.0, lambda: "woken" in self.errors)
        return message + b"\n"

    def overrun(self) -> None:
        self.errors.append("overrun")


class EchoInstrument:
    greeting = b"Welcome\r\n"

    def __init__(self) -> None:
        self.machine = Machine()
        self.sessions: list[Echo] = []
        self.errors: list[str] = []
        self.begun = threading.Event()

    def session(self, client: str = "") -> Echo:
        session = Echo(self.machine, client)
        session.errors, session.begun = self.errors, self.begun
        self.sessions.append(session)
        return session


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
    assert len(instrument.sessions) == 2


def test_the_client_of_a_message_is_known_by_its_address() -> None:
    with WireServer(EchoInstrument(), name="echo") as server, connect(server) as client:
        client.sendall(b"WHO\n")
        assert client.recv(100) == "echo:{} from {}:{}\n".format(server.port, *client.getsockname()).encode("ascii")


def test_a_message_that_waits_holds_up_no_other_connection() -> None:
    instrument = EchoInstrument()
    with WireServer(instrument) as server, connect(server) as waiting, connect(server) as other:
        waiting.sendall(b"WAIT\n")
        assert instrument.begun.wait(60)
        other.sendall(b"at once\n")
        assert other.recv(100) == b"at once\n"
        with instrument.machine as machine:
            instrument.errors.append("woken")
            machine.wake()
        assert waiting.recv(100) == b"WAIT\n"


def test_a_port_for_one_client_serves_the_next_when_the_first_has_gone() -> None:
    with WireServer(EchoInstrument(), clients=1) as server:
        with connect(server) as first, connect(server) as second:
            first.sendall(b"mine\n")
            assert first.recv(100) == b"mine\n"
            second.sendall(b"may I\n")
            second.settimeout(0.2)
            with pytest.raises(TimeoutError):
                second.recv(100)
            first.close()
            second.settimeout(5)
            assert second.recv(100) == b"may I\n"


def test_a_server_stops_while_a_client_waits_for_its_turn() -> None:
    with WireServer(EchoInstrument(), clients=1) as server, connect(server) as first, connect(server):
        first.sendall(b"here\n")
        assert first.recv(100) == b"here\n"


def test_forty_megabytes_without_a_line_end_are_not_kept_and_the_next_line_is_answered() -> None:
    instrument = EchoInstrument()
    with WireServer(instrument) as server, connect(server) as client:
        for _ in range(40):
            client.sendall(bytes(1 << 20))
        client.sendall(b"\nback\n")
        assert client.recv(100) == b"back\n"
    assert instrument.errors == ["overrun"]
    assert len(instrument.sessions[0]._pending) == 0


def test_a_block_that_announces_more_than_an_instrument_takes_is_refused_at_once() -> None:
    instrument = EchoInstrument()
    with WireServer(instrument) as server, connect(server) as client:
        client.sendall(b"#9999999999\nnext\n")
        assert client.recv(100) == b"next\n"
    assert instrument.errors == ["overrun"]


def test_a_block_longer_than_what_is_sent_is_given_up_and_the_next_line_is_answered(monkeypatch) -> None:
    monkeypatch.setattr("stmlab.simulation.server._PATIENCE", 0.1)
    instrument = EchoInstrument()
    given_up = threading.Event()
    with WireServer(instrument) as server, connect(server) as client:
        client.sendall(b"first\n")
        assert client.recv(100) == b"first\n"
        instrument.sessions[0].overrun = given_up.set
        client.sendall(b"#41000too short\nswallowed\n")
        assert given_up.wait(10)
        client.sendall(b"in step\n")
        assert client.recv(100) == b"in step\n"


def test_a_client_that_floods_without_reading_holds_up_nobody_else() -> None:
    instrument = EchoInstrument()
    flood = b"x" * 60_000 + b"\n"
    with WireServer(instrument) as server, connect(server) as rude, connect(server) as other:
        rude.settimeout(0.5)
        with pytest.raises(TimeoutError):  # the server reads no more than it has answered
            for _ in range(4000):
                rude.sendall(flood)
        other.sendall(b"me too\n")
        assert other.recv(100) == b"me too\n"


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
