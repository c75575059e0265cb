"""Questions over loopback TCP with pyvisa-py: PORT QUESTIONS."""

from __future__ import annotations

import socket
import sys

import pyvisa
from told import told

PORT, QUESTIONS = int(sys.argv[1]), int(sys.argv[2])
manager = pyvisa.ResourceManager("@py")
resource = manager.open_resource(f"TCPIP::127.0.0.1::{PORT}::SOCKET", read_termination="\n", write_termination="\n")
line = manager.visalib.sessions[resource.session].interface
line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each question would wait 40 ms


def ask() -> str:
    """Returns the last answer."""
    for _ in range(QUESTIONS):
        answer = resource.query("*IDN?")
    return answer


told("pyvisa-py", ask, 5, QUESTIONS)
