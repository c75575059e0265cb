"""A waveform of 2**20 samples to the generator over loopback TCP: our driver beside pyvisa-py and a bare socket.

The virtual instrument runs in a process of its own, as a real one does. Sent means handed to the operating system;
confirmed means that the instrument has answered a question after it, so nothing is still on its way.
"""

from __future__ import annotations

import multiprocessing
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyvisa

sys.path.insert(0, str(Path(__file__).parents[2]))
from drivers.m8195a import M8195A
from drivers.waveforms import plan_tone, sine
from stmlab.simulation.m8195a import VirtualM8195A
from stmlab.simulation.server import WireServer
from tests.benchmarks.side_by_side import Row, report
from tests.simulation.generator_bench import GeneratorBench

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from stmlab.arrays import SampleArray

SAMPLES = 1 << 20
ROUNDS = 60
TARGET = 1.5e-3  # s, for building and sending
SLOW = 53.7600001e9 / 4 / SAMPLES  # Hz: one period takes 2**20 samples at the divided clock

Timing = tuple[str, float, float, float]  # what, best and median seconds until sent, median until confirmed


def timed(name: str, send: Callable[[], object], confirm: Callable[[], object]) -> Timing:
    """Time until the last byte is handed to the operating system, and until the instrument has answered."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        send()
        sent = time.perf_counter()
        confirm()
        seconds.append((sent - start, time.perf_counter() - start))
    sent_after, confirmed_after = np.array(seconds).T
    return name, float(sent_after.min()), float(np.median(sent_after)), float(np.median(confirmed_after))


def our_driver(port: int, samples: SampleArray) -> list[Timing]:
    """Samples that are there already, and a tone whose samples are computed each time."""
    driver = M8195A(f"TCPIP::127.0.0.1::{port}::SOCKET")
    driver.memory, driver.divider = "EXT", 4
    segment = plan_tone(SLOW)
    assert segment.samples == SAMPLES
    rows = [
        timed("our driver, samples ready", lambda: driver._send_segment(samples), driver.check_errors),
        timed("our driver, a sine", lambda: driver._send_segment(sine(segment, 127)[0]), driver.check_errors),
    ]
    driver.upload(samples)
    driver.close()
    return rows


def pyvisa_py(port: int, samples: SampleArray) -> Timing:
    """The same samples as a binary block in pyvisa's way."""
    manager = pyvisa.ResourceManager("@py")
    resource = manager.open_resource(
        f"TCPIP::127.0.0.1::{port}::SOCKET", read_termination="\n", write_termination="\n", timeout=5000
    )
    session = manager.visalib.sessions[resource.session].interface
    session.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each question would cost 40 ms more
    row = timed(
        "pyvisa-py, samples ready",
        lambda: resource.write_binary_values(":TRAC1:DATA 1,0,", samples, datatype="b"),
        lambda: resource.query(":SYST:ERR?"),
    )
    resource.close()
    manager.close()
    return row


def bare_socket(port: int, samples: SampleArray) -> Timing:
    """A message that is ready, and one question."""
    message = f":TRAC1:DATA 1,0,#{len(str(samples.size))}{samples.size}".encode() + samples.tobytes() + b"\n"
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def confirm() -> None:
            line.sendall(b":SYST:ERR?\n")
            line.recv(100)

        return timed("bare socket, message ready", lambda: line.sendall(message), confirm)


def serve(wire: Connection) -> None:
    """Serve a generator, tell the port, and go on until told to stop."""
    with WireServer(VirtualM8195A(GeneratorBench())) as server:
        wire.send(server.port)
        wire.recv()


def main() -> int:
    """Print a table; the status is 1 if the target is missed."""
    context = multiprocessing.get_context("spawn")
    wire, other_end = context.Pipe()
    instrument = context.Process(target=serve, args=(other_end,), daemon=True)
    instrument.start()
    port = wire.recv()
    samples = np.random.default_rng(1).integers(-128, 128, SAMPLES).astype(np.int8)
    rows = [*our_driver(port, samples), pyvisa_py(port, samples), bare_socket(port, samples)]
    wire.send("stop")
    instrument.join()
    print(f"{SAMPLES} samples over loopback, {ROUNDS} times    best sent  median sent  confirmed   sent / ours")
    for name, best, median, confirmed in rows:
        times = f"{best * 1e3:10.2f} ms{median * 1e3:10.2f} ms{confirmed * 1e3:8.2f} ms"
        print(f"{name:36}{times}{median / rows[0][2]:14.2f}")
    built, peer = rows[1][2], next(median for name, _, median, _ in rows if "pyvisa" in name)
    wrong = "" if built <= TARGET else f"at most {TARGET * 1e3:g} ms is allowed"
    work = f"a waveform of {SAMPLES} samples built and sent"
    return report([Row(work, 1e3 * built, 1e3 * peer, "pyvisa-py, sent only", None, "ms", wrong=wrong)])


if __name__ == "__main__":
    sys.exit(main())
