"""The virtual lock-in amplifiers under the drivers of qcodes, over TCP; qcodes brings a hundred packages along."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from stmlab.simulation.server import WireServer
from stmlab.simulation.sr830 import VirtualSR830
from stmlab.simulation.sr860 import VirtualSR860
from tests.approximately import close
from tests.clients.environment import client_environment
from tests.simulation.lockin_bench import LockInBench

pytestmark = pytest.mark.slow

_CONNECT = """
import json, sys
import numpy as np
from qcodes.instrument_drivers.stanford_research import SR830, SR860

def connect(kind):
    return kind("lockin", f"TCPIP::127.0.0.1::{sys.argv[1]}::SOCKET", visalib="@py", terminator="\\n", timeout=5)

def set_and_read(lockin, values):
    for name, value in values.items():
        lockin.parameters[name].set(value)
    return {name: lockin.parameters[name].get() for name in values}

def every_reading(lockin):
    "What cannot be read, with the error."
    broken = {}
    for name, parameter in lockin.parameters.items():
        if parameter.gettable:
            try:
                parameter.get()
            except Exception as error:
                broken[name] = str(error)
    return broken
"""


@pytest.fixture(scope="module")
def qcodes():
    return client_environment("qcodes", ["qcodes==0.58.0", "pyvisa-py==0.8.1"])


@pytest.fixture
def bench():
    return LockInBench(3e-3 + 4e-3j)


@pytest.fixture(params=[VirtualSR830, VirtualSR860], ids=["SR830", "SR860"])
def lockin(request, bench):
    return request.param(bench)


@pytest.fixture
def server(lockin):
    with WireServer(lockin) as server:
        yield server


SETTINGS = {
    "SR830": {
        **{"frequency": 691.0, "phase": -45.5, "harmonic": 3, "amplitude": 0.126, "reference_source": "internal"},
        **{"ext_trigger": "TTL rising", "input_config": "a-b", "input_shield": "ground", "input_coupling": "DC"},
        **{"notch_filter": "both", "sensitivity": 5e-3, "reserve": "low noise", "time_constant": 0.3},
        **{"filter_slope": 24, "sync_filter": "off", "aux_out1": 1.5, "aux_out4": -10.5},
        **{"buffer_SR": 64, "buffer_acq_mode": "single shot", "buffer_trig_mode": "ON"},
        **{"ch1_ratio": "Aux In 1", "ch1_display": "R", "ch2_ratio": "none", "ch2_display": "Phase"},
    },
    "SR860": {
        **{"frequency": 691.0, "phase": -45.5, "harmonic": 3, "amplitude": 0.125, "sine_outdc": 0.25},
        **{"reference_source": "INT", "external_reference_trigger": "POSTTL", "input_config": "a-b"},
        **{"input_shield": "ground", "input_coupling": "ac", "input_range": 0.1, "sensitivity": 5e-3},
        **{"time_constant": 0.3, "filter_slope": 24, "sync_filter": "ON"},
    },
}


UNREADABLE = {
    "SR830": {  # an empty buffer, and an answer that qcodes wants with its line feed
        *("ch1_databuffer", "ch1_datatrace", "ch2_databuffer", "ch2_datatrace", "output_interface"),
    },
    "SR860": set(),
}


def test_qcodes_reads_what_it_has_set(qcodes, server, lockin):
    kind = type(lockin).__name__.removeprefix("Virtual")
    wanted = SETTINGS[kind]
    identity, found, broken, status = qcodes.run(
        _CONNECT
        + """
lockin = connect({"SR830": SR830, "SR860": SR860}[sys.argv[2]])
found = set_and_read(lockin, json.loads(sys.argv[3]))
print(json.dumps([lockin.get_idn(), found, every_reading(lockin), lockin.ask("*ESR?")], default=str))
""",
        server.port,
        kind,
        json.dumps(wanted),
    )
    assert identity["model"] == kind
    assert found == wanted
    assert (set(broken), status) == (UNREADABLE[kind], "0")


def test_qcodes_reads_the_buffers_of_the_sr830(qcodes, bench):
    bench.settle()
    with WireServer(VirtualSR830(bench)) as server:
        first, second, count, fast = qcodes.run(
            _CONNECT
            + """
lockin = connect(SR830)
lockin.time_constant(1e-5)
lockin.buffer_SR("Trigger")
lockin.ch2_display("Phase")
lockin.buffer_reset()
lockin.buffer_start()
for _ in range(5):
    lockin.send_trigger()
lockin.buffer_pause()
count = lockin.buffer_npts()
lockin.visa_handle.read_raw = lambda: lockin.visa_handle.read_bytes(4 * count)  # a raw socket has no end of message
buffers = []
for channel in (1, 2):
    lockin.parameters[f"ch{channel}_databuffer"].prepare_buffer_readout()
    buffers.append(lockin.parameters[f"ch{channel}_databuffer"].get().tolist())
print(json.dumps([*buffers, count, lockin.snap("x", "y")]))
""",
            server.port,
        )
    assert count == 5
    np.testing.assert_allclose(first, [3e-3] * 5, rtol=2**-14)
    np.testing.assert_allclose(second, [math.degrees(math.atan2(4, 3))] * 5, rtol=2**-14)
    assert fast == [close(3e-3), close(4e-3)]


def test_qcodes_captures_with_the_sr860(qcodes, bench):
    bench.settle()
    with WireServer(VirtualSR860(bench)) as server:
        found = qcodes.run(
            _CONNECT
            + """
lockin = connect(SR860)
lockin.buffer.capture_config("X,Y")
lockin.buffer.set_capture_length_to_fit_samples(20)
handle = lockin.visa_handle

def counted(question, **_):
    "A raw socket has no end of message: the block says how long it is."
    handle.write(question)
    digits = int(handle.read_bytes(2)[1:])
    return np.frombuffer(handle.read_bytes(int(handle.read_bytes(digits))), "<f4")

handle.query_binary_values = counted
send = lambda: [lockin.write("*TRG") for _ in range(20)]
data = lockin.buffer.capture_one_sample_per_trigger(20, send)
print(json.dumps({name: values.tolist() for name, values in data.items()}))
""",
            server.port,
        )
    np.testing.assert_allclose(found["X"], [3e-3] * 20, rtol=1e-6)
    np.testing.assert_allclose(found["Y"], [4e-3] * 20, rtol=1e-6)
