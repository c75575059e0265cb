"""The simulated instruments as TCP servers, for other programs and for trying a station over real sockets."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from stmlab.simulation.server import WireServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.simulation.microscope import SimulatedMicroscope

PORTS = {"sr860": 5025, "sr860 telnet": 5023, "sr830": 5830, "m8195a": 5035, "nanonis": 6501}
"""Where ``stmlab simulate`` listens; port 0 lets the system choose."""


def servers(microscope: SimulatedMicroscope, ports: dict[str, int]) -> Iterator[tuple[str, WireServer]]:
    """A server for each name in ``ports``; all share one lock, because they share one microscope."""
    lock = threading.Lock()
    for name, port in ports.items():
        instrument, _, flavour = name.partition(" ")
        yield name, WireServer(microscope.instrument(instrument), port=port, greet=bool(flavour), lock=lock)


def serve(microscope: SimulatedMicroscope, *, free_ports: bool = False, as_json: bool = False) -> None:
    """Serve a simulated microscope on the loopback interface until Ctrl-C.

    Args:
        microscope: on a clock that runs at the speed wanted.
        free_ports: let the system choose the ports; they are printed.
        as_json: print the addresses as one JSON object.

    Raises:
        StationError: a port is taken.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as stack:
        addresses = {}
        for name, server in servers(microscope, dict.fromkeys(PORTS, 0) if free_ports else PORTS):
            stack.enter_context(server)
            addresses[name] = f"TCPIP::127.0.0.1::{server.port}::SOCKET"
        if as_json:
            print(json.dumps(addresses), flush=True)
        else:
            print("\n".join(f"{name:14} {address}" for name, address in addresses.items()), flush=True)
            print("serving until Ctrl-C", flush=True)
        ended.wait()
