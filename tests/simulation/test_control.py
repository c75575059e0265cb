"""The control port: faults, flight recorder and true state of a served microscope, as JSON lines."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from stmlab.clock import SimulatedClock
from stmlab.config_files import find
from stmlab.errors import StationError
from stmlab.simulation.control import Control
from stmlab.simulation.faults import Fault
from stmlab.simulation.microscope import SimulatedMicroscope
from stmlab.simulation.serving import PORTS, served
from tests.approximately import close


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
def control(ports):
    with Control(ports["control"]) as found:
        yield found


def test_faults_are_armed_strike_and_are_disarmed(control, ports):
    with socket.create_connection(("127.0.0.1", ports["sr860"]), timeout=10) as lockin:
        answers = lockin.makefile("rb")
        number = control.arm(Fault(kind="double", instrument="sr860", match="HARM", times=0))
        lockin.sendall(b"HARM?\n")
        assert [answers.readline(), answers.readline()] == [b"1\n", b"1\n"]
        faults = control.faults()
        assert faults["armed"][str(number)]["kind"] == "double"
        (happened,) = faults["happened"]
        assert (happened["id"], happened["message"]) == (number, "HARM?")
        assert happened["client"] == "sr860:{} from {}:{}".format(ports["sr860"], *lockin.getsockname())
        control.disarm(number)
        assert control.faults()["armed"] == {}
        lockin.sendall(b"HARM?\nHARM 1;HARM?\n")
        assert [answers.readline(), answers.readline()] == [b"1\n", b"1\n"]
        answers.close()


def test_a_dropped_connection_is_closed_and_the_next_one_is_served(control, ports):
    control.arm(Fault(kind="drop", instrument="sr860"))
    for answer in (b"", b"1\n"):
        with socket.create_connection(("127.0.0.1", ports["sr860"]), timeout=10) as lockin:
            lockin.sendall(b"HARM?\n")
            assert lockin.recv(100) == answer


def test_the_true_state_and_the_flight_recorder_are_read(control, microscope):
    state = control.state()
    assert state["bias"] == close(0.01)
    assert state["loop_closed"] is True
    assert state["withdrawn"] is False
    microscope.instrument("nanonis").withdraw_by_hand()
    with microscope.instrument("nanonis").machine as machine:
        machine.client = "somebody"
        microscope.instrument("nanonis")._tip._close()
    (closing,) = control.recorder()["closings"]
    assert closing["client"] == "somebody"
    assert closing["after_withdrawal"] is True
    assert closing["state"]["setpoint"] == close(1e-10)
    control.clear()
    assert control.recorder()["closings"] == []


def test_a_fault_of_the_junction_happens_at_once_or_in_its_time(control, microscope):
    control.arm(Fault(kind="withdrawn"))
    assert control.state()["withdrawn"] is True
    tripped = threading.Event()
    real = microscope.live

    def live():
        real()
        if microscope.tip.tripped:
            tripped.set()

    microscope.live = live
    control.arm(Fault(kind="trip", after=0.05))
    assert tripped.wait(20)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "Expecting"),
        (b"[]", "one of arm, disarm, faults, state, recorder, clear"),
        (b'{"do": "explode"}', "one of arm"),
        (b'{"do": "arm"}', "kind: Field required"),
        (b'{"do": "arm", "fault": 3}', "Input should be"),
        (b'{"do": "arm", "fault": {"kind": "drop"}}', "needs an instrument"),
        (b'{"do": "disarm", "id": 7}', "no fault 7 is armed"),
        (b'{"do": "disarm", "id": [7]}', "id = [7] is no number"),
    ],
)
def test_a_wrong_request_is_refused_and_the_next_is_answered(ports, line, words):
    with socket.create_connection(("127.0.0.1", ports["control"]), timeout=10) as connection:
        answers = connection.makefile("rb")
        connection.sendall(line + b'\n{"do": "clear"}\n')
        refusal = json.loads(answers.readline())
        assert refusal["ok"] is False
        assert words in refusal["error"]
        assert json.loads(answers.readline()) == {"ok": True}
        answers.close()


def test_a_line_without_an_end_drops_the_connection(ports):
    with socket.create_connection(("127.0.0.1", ports["control"]), timeout=10) as connection:
        connection.sendall(bytes(1 << 17))
        with pytest.raises(ConnectionError):  # closed with bytes unread: reset
            while connection.recv(100):
                pass
            raise ConnectionResetError  # closed


def test_a_refusal_is_an_error_of_the_client(control):
    with pytest.raises(StationError, match="control port: no fault 3"):
        control.disarm(3)
