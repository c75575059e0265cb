"""The simulated instruments as TCP servers, for other programs and for trying a station over real sockets."""

from __future__ import annotations

import json
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from stmlab.simulation.control import ControlPort
from stmlab.simulation.server import WireServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.simulation.microscope import SimulatedMicroscope

PORTS = {
    "sr830": 5830,
    "sr860": 5025,
    "sr860 telnet": 5023,
    "m8195a": 5035,
    "nanonis": 6501,
    "nanonis 2": 6502,
    "nanonis 3": 6503,
    "nanonis 4": 6504,
    "control": 6510,
}
"""Where ``stmlab simulate`` listens; port 0 lets the system choose. The Nanonis ports serve one client each."""

_BEAT = 0.01  # s between two looks at what happens without a command
_QUICK = 5e-4  # s after which a thread that computes lets the others in, so that they answer at once


def servers(microscope: SimulatedMicroscope, ports: dict[str, int]) -> Iterator[tuple[str, WireServer]]:
    """A server for each name in ``ports``."""
    for name, port in ports.items():
        plug, _, flavour = name.partition(" ")
        if plug == "control":
            yield name, WireServer(ControlPort(microscope), port=port)
        elif plug == "nanonis":
            yield name, WireServer(microscope.instrument(plug), port=port, name=plug, clients=1)
        else:
            yield name, WireServer(microscope.instrument(plug), port=port, name=plug, greet=flavour == "telnet")


@contextmanager
def served(microscope: SimulatedMicroscope, ports: dict[str, int]) -> Iterator[dict[str, int]]:
    """Serve a microscope, which then lives by itself: SafeTip trips and the loop opens though nobody asks.

    Args:
        microscope: on a clock that runs by itself.
        ports: wanted, by the names of ``PORTS``.

    Yields:
        The ports by name.

    Raises:
        StationError: a port is taken.
    """
    ended = threading.Event()

    def live() -> None:
        while not ended.wait(_BEAT):
            microscope.live()

    heart = threading.Thread(target=live, name="microscope", daemon=True)
    with ExitStack() as stack:
        found = {name: stack.enter_context(server).port for name, server in servers(microscope, ports)}
        heart.start()
        try:
            yield found
        finally:
            ended.set()
            heart.join()


def serve(microscope: SimulatedMicroscope, *, free_ports: bool = False, as_json: bool = False) -> None:
    """Serve a simulated microscope on the loopback interface until Ctrl-C, with its flight recorder on.

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
    sys.setswitchinterval(_QUICK)
    with served(microscope, dict.fromkeys(PORTS, 0) if free_ports else PORTS) as ports:
        addresses = {name: f"TCPIP::127.0.0.1::{port}::SOCKET" for name, port in ports.items()}
        if as_json:
            print(json.dumps(addresses), flush=True)
        else:
            print("\n".join(f"{name:14} {address}" for name, address in addresses.items()), flush=True)
            print("serving until Ctrl-C", flush=True)
        ended.wait()
