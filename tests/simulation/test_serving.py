"""``stmlab simulate``: the instruments on loopback sockets, until Ctrl-C."""

import json
import signal
import subprocess
import sys

from drivers.m8195a import M8195A
from drivers.nanonis import Nanonis
from drivers.sr830 import SR830
from drivers.sr860 import SR860


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
