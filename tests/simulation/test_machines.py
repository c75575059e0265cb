"""Instruments as separate machines: what one is doing holds up no other, over TCP and on one microscope."""

from __future__ import annotations

import math
import socket
import threading

import numpy as np
import pytest

from stmlab.clock import SimulatedClock
from stmlab.config_files import find
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.frames import HEADER_SIZE, pack_request, unpack_error, unpack_header
from stmlab.nanonis.protocol import pack, unpack
from stmlab.simulation.machine import Machine
from stmlab.simulation.microscope import SimulatedMicroscope
from stmlab.simulation.scpi import ScpiSession
from stmlab.simulation.serving import PORTS, served
from tests.approximately import close

HOLD = 3


def test_a_wait_lasts_as_long_as_it_says_where_time_runs_by_itself():
    machine = Machine(SimulatedClock(100.0))
    before = machine.clock.now()
    with machine:
        machine.wait(0.5)
    assert machine.clock.now() >= before + 0.5


class NanonisClient:
    """A connection to a Nanonis port."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream = self.socket.makefile("rb")

    def send(self, name, *values):
        self.socket.sendall(pack_request(name, pack(COMMANDS[name].arguments, values)))

    def receive(self):
        header = unpack_header(self.stream.read(HEADER_SIZE))
        values, section = unpack(COMMANDS[header.name].returns, self.stream.read(header.size))
        return values, unpack_error(section)

    def ask(self, name, *values):
        self.send(name, *values)
        returned, error = self.receive()
        assert error == "", error
        return returned

    def close(self):
        self.stream.close()
        self.socket.close()


@pytest.fixture
def microscope():
    return SimulatedMicroscope.from_config(
        {}, sample="fe_atom", seed=1, clock=SimulatedClock(1.0), directory=find("simulated").parent
    )


@pytest.fixture
def ports(microscope):
    with served(microscope, dict.fromkeys(PORTS, 0)) as found:
        yield found


@pytest.fixture
def clients(ports):
    opened = [NanonisClient(ports[name]) for name in ("nanonis", "nanonis 2")]
    yield opened
    for client in opened:
        client.close()


def line(port, message):
    """One question to a SCPI instrument."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(message + b"\n")
        return connection.makefile("rb").readline().strip()


def start_an_hour_of_spectroscopy(client):
    nothing = math.nan
    client.ask("BiasSpectr.ChsSet", [0])
    client.ask("BiasSpectr.LimitsSet", -0.02, 0.02)
    client.ask("BiasSpectr.PropsSet", 0, 1, 2, 11, nothing, 0, 0)
    client.ask("BiasSpectr.TimingSet", 0.0, nothing, 0.0, nothing, 3600.0, 0.0, 0.0, 0.0)
    client.send("BiasSpectr.Start", 1, "")


def test_a_running_spectrum_answers_status_and_obeys_stop_on_another_connection(clients, ports, microscope):
    sweeping, other = clients
    assert other.ask("BiasSpectr.StatusGet") == (0,)
    start_an_hour_of_spectroscopy(sweeping)
    while other.ask("BiasSpectr.StatusGet") == (0,):
        pass  # its Start is on the way
    assert other.ask("ZCtrl.StatusGet") == (HOLD,)
    assert other.ask("Bias.Get") == (close(-0.02),)
    assert line(ports["sr860"], b"*IDN?").startswith(b"Stanford")
    assert line(ports["m8195a"], b"*IDN?").startswith(b"Keysight")
    other.send("BiasSpectr.Start", 1, "")
    assert "is running" in other.receive()[1]
    other.ask("BiasSpectr.Stop")
    (names, data, _), error = sweeping.receive()
    assert (error, names) == ("", ("Bias calc (V)", "Current (A)"))
    assert np.isnan(data[1]).all()  # not one point was settled within the hour
    assert other.ask("BiasSpectr.StatusGet") == (0,)
    assert other.ask("ZCtrl.StatusGet") == (2,)
    assert other.ask("Bias.Get") == (close(0.01),)
    (closing,) = microscope.recorder.closings
    assert closing.client.startswith(f"nanonis:{ports['nanonis']} from ")  # of the spectrum, whoever spoke meanwhile


def test_a_loop_switched_off_during_a_spectrum_stays_open_afterwards(clients):
    sweeping, other = clients
    start_an_hour_of_spectroscopy(sweeping)
    while other.ask("ZCtrl.StatusGet") != (HOLD,):
        pass
    other.ask("ZCtrl.OnOffSet", 0)
    other.ask("BiasSpectr.Stop")
    sweeping.receive()
    assert other.ask("ZCtrl.OnOffGet") == (0,)
    assert other.ask("ZCtrl.StatusGet") == (1,)


def test_the_loop_opens_though_nobody_asks(clients, microscope):
    clients[0].ask("ZCtrl.OnOffSet", 0)
    opened = threading.Event()
    real = microscope.live

    def live():
        real()
        if not microscope.tip.feedback:
            opened.set()

    microscope.live = live
    assert opened.wait(20)


def test_safe_tip_trips_though_nobody_asks(clients, microscope):
    client = clients[0]
    client.ask("SafeTip.PropsSet", 0, 0, 1e-9)
    client.ask("SafeTip.OnOffSet", 1)
    tripped = threading.Event()
    real = microscope.live

    def live():
        real()
        if microscope.tip.tripped:
            tripped.set()

    microscope.live = live
    microscope.jump(2e-10)  # the current is more than ten times the setpoint's
    assert tripped.wait(20)
    assert client.ask("ZCtrl.StatusGet") == (5,)


def test_four_nanonis_ports_serve_one_client_each(ports):
    opened = [NanonisClient(ports[name]) for name in ("nanonis", "nanonis 2", "nanonis 3", "nanonis 4")]
    assert [client.ask("Bias.Get") for client in opened] == [(close(0.01),)] * 4
    fifth = NanonisClient(ports["nanonis 4"])
    fifth.send("Bias.Get")
    fifth.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        fifth.socket.recv(1)
    opened[3].close()
    fifth.socket.settimeout(20)
    assert len(fifth.socket.recv(HEADER_SIZE)) == HEADER_SIZE
    for client in (*opened[:3], fifth):
        client.close()
    assert PORTS["nanonis"] == 6501
    assert [PORTS[f"nanonis {number}"] for number in (2, 3, 4)] == [6502, 6503, 6504]


def test_a_nanonis_body_that_does_not_come_is_refused_and_the_next_request_answered(clients, monkeypatch):
    monkeypatch.setattr("stmlab.simulation.server._PATIENCE", 0.1)
    client = clients[0]
    whole = pack_request("Bias.Set", pack(COMMANDS["Bias.Set"].arguments, [0.05]))
    client.socket.sendall(whole[:-2])
    _, error = client.receive()
    assert error == "2 of 4 bytes of the body did not come"
    assert client.ask("Bias.Get") == (close(0.01),)


def test_what_is_changed_together_is_changed_under_one_hold(microscope, monkeypatch):
    """Nobody else who holds the microscope sees the new bias with the old setpoint."""
    tip, others = microscope.instrument("nanonis")._tip, []

    def look():
        others.append(microscope.lock.acquire(blocking=False))
        if others[-1]:
            microscope.lock.release()

    def put(panel, name, value):
        object.__setattr__(panel, name, value)
        looking = threading.Thread(target=look)
        looking.start()
        looking.join()

    monkeypatch.setattr(type(microscope.tip), "__setattr__", put)
    with microscope.instrument("nanonis").machine:
        tip.change(bias=0.01, setpoint=1e-10)
    assert (microscope.tip.bias, microscope.tip.setpoint) == (0.01, 1e-10)
    assert others == [False, False]


def test_a_controller_that_restarts_during_a_spectrum_comes_up_without_bias_and_with_the_tip_withdrawn(
    clients, microscope
):
    sweeping, other = clients
    start_an_hour_of_spectroscopy(sweeping)
    while other.ask("BiasSpectr.StatusGet") == (0,):
        pass
    microscope.arm({"kind": "reset", "instrument": "nanonis"})
    assert other.ask("BiasSpectr.StatusGet") in ((0,), (1,))  # the message at which it restarts
    sweeping.receive()
    state = microscope.true_state()
    assert (state.bias, state.loop_closed, state.withdrawn) == (0.0, False, True)


def test_a_waveform_shorter_than_announced_is_an_error_and_the_generator_in_step_again(ports, monkeypatch):
    monkeypatch.setattr("stmlab.simulation.server._PATIENCE", 0.1)
    generator, timed_out = socket.create_connection(("127.0.0.1", ports["m8195a"]), timeout=20), threading.Event()
    monkeypatch.setattr("stmlab.simulation.scpi.ScpiSession.give_up", noting(ScpiSession.give_up, timed_out))
    with generator, generator.makefile("rb") as answers:
        generator.sendall(b":TRAC1:DEF 1,1280\n:TRAC1:DATA 1,0,#41280" + bytes(1000) + b"\n*IDN?\n")
        assert timed_out.wait(20)
        generator.sendall(b":SYST:ERR?;*OPC?\n")
        assert answers.readline() == b'-363,"Input buffer overrun";1\n'


def noting(method, event):
    def noted(session):
        found = method(session)
        event.set()
        return found

    return noted


def test_a_line_that_no_lock_in_takes_is_an_error_of_its_input_queue(ports):
    with (
        socket.create_connection(("127.0.0.1", ports["sr860"]), timeout=20) as lockin,
        lockin.makefile("rb") as answers,
    ):
        lockin.sendall(b"*CLS\n" + bytes(1 << 20) + b"\n*ESR?\n")
        assert answers.readline() == b"2\n"
