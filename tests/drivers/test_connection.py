"""Connections over real sockets: time-outs, closed lines, half, late, double and flooding answers, the permit."""

from __future__ import annotations

import select
import socket
import struct
import threading
from contextlib import contextmanager, suppress

import pytest

from drivers.connection import TCPAdapter, connect, patience
from drivers.m8195a import M8195A
from drivers.nanonis import Nanonis
from drivers.sr860 import SR860
from drivers.visa import VisaLine
from stmlab.errors import GarbledAnswer, InstrumentLost, InstrumentTimeout, StationError
from stmlab.simulation.nanonis import VirtualNanonis
from stmlab.simulation.server import WireServer
from stmlab.simulation.sr860 import VirtualSR860
from tests.approximately import close
from tests.simulation.lockin_bench import LockInBench
from tests.simulation.tunnel_bench import TunnelBench

PATIENCE = 0.15  # s, for an answer that never comes


class Peer:
    """An instrument that plays a script: bytes to send, ``None`` to hang up, a float to wait (s), an Event to wait for.

    Once per message.

    Attributes:
        heard: bytes of every connection.
    """

    def __init__(self, *scripts) -> None:
        self.heard = []
        self._scripts = list(scripts)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"TCPIP::127.0.0.1::{self.port}::SOCKET"

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, suppress(ConnectionError):
                self.heard.append(b"")
                self._play(connection, script)

    def _play(self, connection, script) -> None:
        for actions in script:
            if not (data := connection.recv(4096)):
                return
            self.heard[-1] += data
            for action in actions:
                if action is None:
                    return
                if isinstance(action, float):
                    self._over.wait(action)
                elif isinstance(action, threading.Event):
                    action.wait()
                else:
                    connection.sendall(action)
        while data := connection.recv(4096):
            self.heard[-1] += data

    def close(self) -> None:
        self._over.set()
        self._socket.close()


@contextmanager
def peer(*scripts):
    there = Peer(*scripts)
    try:
        yield there
    finally:
        there.close()


def adapter(there, **arguments) -> TCPAdapter:
    return TCPAdapter("127.0.0.1", there.port, **({"timeout": PATIENCE} | arguments))


def ask(line, question="A?"):
    line.write(question)
    return line.read()


def answer(line, question="A?"):
    """Of a peer that does answer, on a busy computer too."""
    with patience(line, 10.0):
        return ask(line, question)


def test_an_answer_that_does_not_come_is_a_timeout_and_the_connection_is_of_no_use_any_more():
    with peer([[], [b"2\n"]], [[b"3\n"]]) as there:
        line = adapter(there)
        with pytest.raises(InstrumentTimeout, match=r"no answer within 0\.15 s"):
            ask(line)
        with pytest.raises(InstrumentLost, match="cannot send"):
            ask(line, "B?")
        line.reconnect()
        assert answer(line, "C?") == "3"
        assert there.heard == [b"A?\n", b"C?\n"]  # nothing is asked twice
        line.close()


def test_a_late_answer_is_never_taken_for_the_next_one():
    late = threading.Event()
    with peer([[late, b"old\n"]], [[b"new\n"]]) as there:
        line = adapter(there)
        with pytest.raises(InstrumentTimeout):
            ask(line)
        line.reconnect()
        late.set()
        assert answer(line) == "new"
        line.close()


@pytest.mark.parametrize("half", [b"1.5e", b""])
def test_half_an_answer_is_a_timeout_that_says_how_much_came(half):
    with peer([[half]]) as there:
        line = adapter(there)
        with pytest.raises(InstrumentTimeout, match="only 4 bytes" if half else "no answer"):
            ask(line)


def test_half_an_answer_and_a_closed_line_is_a_lost_instrument():
    with peer([[b"1.5e", None]]) as there, pytest.raises(InstrumentLost, match="closed the connection") as lost:
        ask(adapter(there))
    assert not isinstance(lost.value, InstrumentTimeout)


def test_an_answer_that_drips_in_ends_at_the_timeout():
    with (
        peer([[piece for _ in range(20) for piece in (b"1", PATIENCE / 4)]]) as there,
        pytest.raises(InstrumentTimeout),
    ):
        ask(adapter(there))


@pytest.mark.parametrize("answers", [[b"1\n1\n"], [b"1\n", 0.02, b"1\n"]], ids=["at once", "later"])
def test_a_double_answer_is_found_before_the_next_question_is_sent(answers):
    with peer([answers], [[b"2\n"]]) as there:
        line = adapter(there)
        assert answer(line) == "1"
        if len(answers) > 1:
            select.select([line.connection], [], [], 5.0)
        with pytest.raises(GarbledAnswer, match=r"A\?: .*more than one answer"):
            ask(line, "B?")
        line.reconnect()
        assert answer(line, "C?") == "2"
        assert there.heard == [b"A?\n", b"C?\n"]
        line.close()


def test_a_greeting_is_no_double_answer():
    with peer([[b"hello\n", b"1\n"]]) as there:
        line = adapter(there)
        assert answer(line) == "hello"


def test_a_line_that_never_ends_is_refused():
    with peer([[b"x" * (1 << 21)]]) as there, pytest.raises(GarbledAnswer, match="no end within"):
        ask(adapter(there, timeout=5.0))


def test_bytes_that_are_no_text_are_garbled():
    with peer([[b"1.\xff\xfe\n"]]) as there, pytest.raises(GarbledAnswer, match=r"A\?.*no ASCII text"):
        ask(adapter(there))


def test_a_line_that_is_reset_while_its_rest_is_thrown_away_is_a_lost_instrument():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        adapter = TCPAdapter(*listening.getsockname())
        ours, _ = listening.accept()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ours.close()  # with a reset
        with pytest.raises(InstrumentLost, match="the connection dropped"):
            adapter.flush_read_buffer()


def test_patience_holds_for_one_answer():
    with peer([[2 * PATIENCE, b"1\n"], []]) as there:
        line = adapter(there)
        with patience(line, 10 * PATIENCE):
            assert ask(line) == "1"
        assert line.timeout == PATIENCE
        with pytest.raises(InstrumentTimeout, match=r"0\.15 s"):
            ask(line)


def test_a_port_where_nobody_listens_is_a_lost_instrument_also_when_connecting_anew():
    with peer([[None]]) as there:
        line = adapter(there)
        with pytest.raises(InstrumentLost):
            ask(line)
    with pytest.raises(InstrumentLost, match="cannot connect"):
        line.reconnect()
    with pytest.raises(InstrumentLost, match="cannot connect"):
        connect(there.address)


def test_nothing_is_sent_once_the_permit_is_gone():
    with peer([[b"1\n"]]) as there:
        line = adapter(there)
        assert answer(line) == "1"
        line.permit = lambda: False
        for send in (lambda: line.write("B?"), lambda: line.write_bytes(b"C"), line.reconnect):
            with pytest.raises(InstrumentLost, match="no longer this run's"):
                send()
        line.connection.close()
    assert there.heard == [b"A?\n"]


def test_what_is_no_visa_address_is_refused():
    with pytest.raises(StationError, match="no VISA address"):
        connect("nonsense")


def test_a_visa_resource_that_does_not_answer_is_closed_and_made_anew():
    with peer([[]], [[b"3\n"]]) as there:
        line = VisaLine(there.address, timeout=PATIENCE, termination="\n")
        with pytest.raises(InstrumentTimeout):
            ask(line)
        with pytest.raises(InstrumentLost):
            ask(line, "B?")
        line.reconnect()
        assert answer(line, "C?") == "3"
        line.permit = lambda: False
        with pytest.raises(InstrumentLost, match="no longer this run's"):
            line.write("D?")
        line.close()
    assert there.heard == [b"A?\n", b"C?\n"]


# -- drivers connect anew --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("greeting", [False, True])
def test_a_lockin_is_met_again_after_its_line_was_lost(greeting):
    bench = LockInBench()
    virtual = VirtualSR860(bench)
    with WireServer(virtual, greet=greeting) as server:
        lockin = SR860(f"TCPIP::127.0.0.1::{server.port}::SOCKET", timeout=2.0)
        lockin.frequency = 691.0
        lockin.adapter.connection.close()
        with pytest.raises(InstrumentLost):
            _ = lockin.frequency
        lockin.reconnect()
        assert lockin.frequency == 691.0
        lockin.close()


def test_something_else_at_the_address_is_found_when_connecting_anew():
    identity = b"Stanford_Research_Systems,SR860,1,V1\n"
    with peer([[identity]], [[b"Keysight Technologies,M8195A,1,2\n"]]) as there:
        lockin = SR860(there.address, timeout=10.0)
        with pytest.raises(StationError, match="which is no SR860"):
            lockin.reconnect()


def test_the_controller_is_asked_anew_after_its_line_was_lost():
    bench = TunnelBench()
    with WireServer(VirtualNanonis(bench)) as server:
        nanonis = Nanonis(f"TCPIP::127.0.0.1::{server.port}::SOCKET", timeout=2.0)
        nanonis.look()
        nanonis.adapter.connection.close()
        with pytest.raises(InstrumentLost):
            nanonis.look()
        before = vars(bench.tip).copy()
        nanonis.reconnect()
        assert nanonis.look().values["bias"] == close(0.01)
        assert vars(bench.tip) == before  # no setting is touched
        nanonis.close()


def test_a_generator_trusts_nothing_in_memory_after_its_line_was_lost():
    with peer([[None]], [[b"0;0;0;0\n"]]) as there:
        generator = M8195A(there.address, timeout=10.0)
        with pytest.raises(InstrumentLost):
            generator.is_off()
        generator.reconnect()
        assert generator.is_off()
