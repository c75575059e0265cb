"""The virtual M8195A under programs that nobody here wrote: pyarbtools, and pyvisa over a raw socket."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stmlab.simulation.m8195a import VirtualM8195A
from stmlab.simulation.server import WireServer
from tests.approximately import close
from tests.clients.environment import small_clients
from tests.simulation.generator_bench import GeneratorBench, lines

_CONNECT = """
import json, sys
from unittest.mock import MagicMock
import numpy as np
for window_or_builder in (  # of waveforms: pyarbtools imports both, and nothing here uses them
    "tkinter", "tkinter.ttk", "tkinter.filedialog",
    "matplotlib", "matplotlib.pyplot", "scipy", "scipy.signal", "scipy.io",
):
    sys.modules[window_or_builder] = MagicMock()
from pyarbtools.error import InstrumentError
from pyarbtools.instruments import M8195A

awg = M8195A("127.0.0.1", port=int(sys.argv[1]), timeout=5)

def complaint(action):
    "What pyarbtools raises for it, as a list of the instrument's errors."
    action()
    try:
        awg.err_check()
    except InstrumentError as error:
        return error.args[0]
    return []
"""


@pytest.fixture(scope="module")
def pyarbtools():
    """Its requirements (and its licence) keep it out of our own environment."""
    return small_clients()


@pytest.fixture
def bench():
    return GeneratorBench()


@pytest.fixture
def server(bench):
    with WireServer(VirtualM8195A(bench)) as server:
        yield server


def settings(mode, divider, clock, source, reference, levels, function):
    return {
        **{"dacMode": mode, "memDiv": divider, "fs": clock, "refSrc": source, "refFreq": reference, "func": function},
        **{f"amp{channel}": level for channel, level in enumerate(levels, 1)},
    }


def test_pyarbtools_sets_everything_and_reads_it_back(pyarbtools, server, bench):
    wanted = [
        settings("dual", 2, 53.76e9, "int", 100e6, (0.075, 0.2, 0.3, 1.0), "sts"),
        settings("dcmarker", 4, 65e9, "ext", 17e9, (1.0, 0.5, 0.1, 0.075), "stsc"),
        settings("single", 1, 60.123456789e9, "axi", 10e6, (0.25, 0.25, 0.25, 0.25), "arb"),
    ]
    identity, found, found_again = pyarbtools.run(
        _CONNECT
        + """
awg.write("*rst")
found, found_again = [], []
for values in json.loads(sys.argv[2]):
    awg.configure(**values)
    found.append({name: getattr(awg, name) for name in values})
    again = M8195A("127.0.0.1", port=int(sys.argv[1]))  # a second connection sees the same instrument
    found_again.append({name: getattr(again, name) for name in values})
print(json.dumps([awg.instId, found, found_again]))
""",
        server.port,
        json.dumps(wanted),
    )
    assert identity.startswith("Keysight Technologies,M8195A,")
    short = {"single": "sing", "dcmarker": "dcm", "dual": "dual"}
    for asked, told, told_again in zip(wanted, found, found_again, strict=True):
        words = {"dacMode": short[asked["dacMode"]], "refSrc": asked["refSrc"].upper(), "func": asked["func"].upper()}
        assert told == asked | words
        # pyarbtools does not ask for the divider when it connects, and keeps the mode in capitals then
        assert told_again == asked | words | {"memDiv": 1, "dacMode": words["dacMode"].upper()}
    assert bench.generator.sample_rate == 60.123456789e9
    assert bench.generator.full_scale == 0.125


def test_pyarbtools_uploads_waveforms_and_every_sample_comes_back(pyarbtools, server, bench):
    sent, numbers, back = pyarbtools.run(
        _CONNECT
        + """
awg.configure(dacMode="single", fs=64e9, amp1=0.8)
awg.clear_all_wfm()
rng = np.random.default_rng(5)
codes = [np.arange(1280) % 255 - 127, rng.integers(-127, 128, 12800), rng.integers(-127, 128, 262144)]
numbers = [awg.download_wfm(one / 127, name="it's; a #14 name") for one in codes]
back = [[int(v) for v in awg.query(f"trac1:data? {n},0,{one.size}").split(",")] for n, one in zip(numbers, codes)]
sent = [awg.check_wfm(one / 127).tolist() for one in codes]
awg.play(numbers[1])
awg.err_check()
print(json.dumps([sent, numbers, back]))
""",
        server.port,
    )
    assert numbers == [1, 2, 3]
    assert back == sent
    assert min(sent[1]) == -127
    assert bench.generator.samples.tolist() == sent[1]
    assert (bench.generator.on, bench.generator.running, bench.generator.gated) == (True, True, False)


def test_pyarbtools_plays_a_tone_stops_and_deletes_it(pyarbtools, server, bench):
    playing, stopped, left = pyarbtools.run(
        _CONNECT
        + """
awg.configure(dacMode="single", fs=64e9, amp1=0.5)
wave = np.sin(2 * np.pi * 20 * np.arange(1280) / 1280)
awg.play(awg.download_wfm(wave))
playing = awg.query("outp1?;:init:cont?;:trac1:sel?")
awg.err_check()
awg.stop()
stopped = awg.query("outp1?")
awg.delete_segment(1)
awg.err_check()
print(json.dumps([playing, stopped, awg.query("trac1:cat?")]))
""",
        server.port,
    )
    assert (playing, stopped, left) == ("1;1;1", "0", "0,0")
    heard = [panel for panel in bench.lived_through if panel.on and panel.running]
    assert heard  # the bench has lived through time in which the tone was played
    line, volts = lines(heard[-1])
    assert line[volts.argmax()] == 1e9
    assert volts.max() == close(0.25, rel=0.01)  # pyarbtools cuts codes off instead of rounding them


def test_pyarbtools_is_told_of_every_mistake(pyarbtools, server):
    complaints = pyarbtools.run(
        _CONNECT
        + """
awg.configure(dacMode="single", fs=64e9)
awg.download_wfm(np.zeros(1280))
awg.err_check()
write = lambda command: (lambda: awg.write(command))
mistakes = {
    "fs low": lambda: awg.set_fs(53e9),
    "fs high": lambda: awg.set_fs(66e9),
    "reference": lambda: awg.set_refFreq(1e6),
    "no segment": lambda: awg.play(7),
    "delete": lambda: awg.delete_segment(7),
    "repeated": lambda: awg.download_wfm(np.zeros(700)),  # defines the length before it repeats the waveform
    "granularity": write("trac1:def 9,1300"),
    "too short": write("trac1:def 9,1024"),
    "too much": lambda: awg.write_binary_values("trace1:data 1, 1, ", np.zeros(1280, np.int8)),
    "code": write("trac1:data 1,0,128"),
    "level": write("voltage1 1.5"),
    "header": write("frequency:rooster 6e10"),
    "channel": write("voltage7 0.5"),
    "missing": write("trac1:def 9"),
    "word": write("inst:dacm triple"),
    "two": write("voltage1 9;:nonsense"),
}
print(json.dumps({name: complaint(action) for name, action in mistakes.items()}))
""",
        server.port,
    )
    codes = {name: [int(error.split(",")[0]) for error in errors] for name, errors in complaints.items()}
    assert codes == {  # pyarbtools takes the minus signs away
        **{"fs low": [222], "fs high": [222], "reference": [222], "no segment": [222], "delete": [222]},
        **{"granularity": [222], "too short": [222], "repeated": [222, 222, 222], "too much": [223], "code": [222]},
        **{"level": [222], "header": [113], "channel": [114], "missing": [109], "word": [224], "two": [222, 113]},
    }


def test_pyvisa_over_a_raw_socket_reads_and_writes_binary_blocks(server, bench):
    import pyvisa

    codes = np.random.default_rng(3).integers(-128, 128, 2560).astype(np.int8)
    manager = pyvisa.ResourceManager("@py")
    visa = manager.open_resource(
        f"TCPIP::127.0.0.1::{server.port}::SOCKET", read_termination="\n", write_termination="\n", timeout=5000
    )
    try:
        visa.write(":TRACe1:DEFine 1,2560")
        visa.write_binary_values(":TRACe1:DATA 1,0,", codes, datatype="b")
        assert visa.query_ascii_values(":TRACe1:DATA? 1,0,2560", converter="d") == codes.tolist()
        visa.write(":SOURce:FREQuency:RASTer 55 GHz;:OUTPut1:STATe ON;:INITiate:IMMediate")
        assert visa.query(":SYSTem:ERRor:NEXT?") == '0,"No error"'
    finally:
        visa.close()
        manager.close()
    assert bench.generator.running
    assert bench.generator.samples.tolist() == codes.tolist()
    assert bench.generator.sample_rate == 55e9
