"""``stmlab simulate``: the instruments on loopback sockets, until Ctrl-C."""

import json
import signal
import socket
import subprocess
import sys

import pytest

from drivers.m8195a import M8195A
from drivers.nanonis import Nanonis
from drivers.sr830 import SR830
from drivers.sr860 import SR860
from stmlab.cli import main
from stmlab.simulation.control import Control


def test_the_instruments_answer_at_the_printed_addresses_until_ctrl_c():
    command = [sys.executable, "-m", "stmlab", "simulate", "--free-ports", "--json", "--speed", "10"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        addresses = json.loads(server.stdout.readline())
        assert all("127.0.0.1" in address for address in addresses.values())
        for name, driver in {"sr860": SR860, "sr860 telnet": SR860, "m8195a": M8195A, "nanonis": Nanonis}.items():
            device = driver(addresses[name])
            device.check_status()
            assert device.snapshot()
            device.close()
        assert SR830(addresses["sr830"]).frequency > 0
        server.send_signal(signal.SIGINT)
        _, complaint = server.communicate(timeout=30)
    assert server.returncode == 0, complaint


def port_of(address):
    return int(address.split("::")[2])


def test_faults_of_the_command_line_strike_and_the_control_port_tells():
    faults = ["--fault", "double sr860 match=HARM times=0", "--fault", "withdrawn"]
    command = [sys.executable, "-m", "stmlab", "simulate", "--free-ports", "--json", *faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        addresses = json.loads(server.stdout.readline())
        assert {"nanonis", "nanonis 2", "nanonis 3", "nanonis 4", "control"} <= set(addresses)
        with socket.create_connection(("127.0.0.1", port_of(addresses["sr860"])), timeout=20) as lockin:
            answers = lockin.makefile("rb")
            lockin.sendall(b"HARM?\n")
            assert [answers.readline(), answers.readline()] == [b"1\n", b"1\n"]
            answers.close()
        with Control(port_of(addresses["control"])) as control:
            assert {one["kind"] for one in control.faults()["happened"]} == {"double", "withdrawn"}
            assert control.state()["withdrawn"] is True
        server.send_signal(signal.SIGINT)
        _, complaint = server.communicate(timeout=30)
    assert server.returncode == 0, complaint


@pytest.mark.parametrize("fault", ["explode sr860", "drop"])
def test_a_fault_that_cannot_be_is_one_line_and_exit_status_1(fault, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["stmlab", "simulate", "--free-ports", "--fault", fault])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (1, "")
    assert said.err.startswith(f"stmlab: --fault '{fault}': ")
    assert said.err.count("\n") == 1
