"""The virtual M8195A under the driver of qudi, a widespread program for colour centres, as it stands in its package.

qudi itself needs Qt and a hundred megabytes; the driver wants four names of it, which stand in here.
"""

from __future__ import annotations

import numpy as np
import pytest

from stmlab.simulation.m8195a import VirtualM8195A
from stmlab.simulation.server import WireServer
from tests.clients.environment import client_environment
from tests.simulation.generator_bench import GeneratorBench

pytestmark = pytest.mark.slow

_DRIVER = """
import json, logging, os, sys, tempfile, types
import numpy as np
import pyvisa

os.chdir(tempfile.mkdtemp())  # qudi makes folders
heard = []

class ConfigOption:
    def __init__(self, name=None, default=None, **_):
        self.value = default

class Base:
    "qudi's module base: configuration options become attributes, and there is a log."
    def __init__(self, **options):
        for owner in reversed(type(self).__mro__):
            for name, value in vars(owner).items():
                if isinstance(value, ConfigOption):
                    setattr(self, name, options.get(name, value.value))
        self.log = logging.getLogger("qudi")

class Keep(logging.Handler):
    def emit(self, record):
        heard.append(f"{record.levelname} {record.getMessage()}")

class ScalarConstraint:
    def __init__(self, default, bounds, **_):
        self.default, self.min, self.max, self.step = default, *bounds, 0

def module(name, **names):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(names)

module("qudi.core.configoption", ConfigOption=ConfigOption)
module("qudi.core.module", Base=Base)
module("qudi.util.constraints", ScalarConstraint=ScalarConstraint)
module("qudi.util.paths", get_appdata_dir=lambda create=False: os.getcwd())

class LineByLine(pyvisa.ResourceManager):
    "A raw socket instead of HiSLIP: messages end with a line feed."
    def open_resource(self, name, **options):
        return super().open_resource(name, read_termination="\\n", write_termination="\\n", **options)

pyvisa.ResourceManager = LineByLine
logging.getLogger("qudi").addHandler(Keep(logging.WARNING))
from qudi.hardware.awg.keysight_m819x import AWGM8195A

def connect(mode, **options):
    awg = AWGM8195A(_visa_address=f"TCPIP::127.0.0.1::{sys.argv[1]}::SOCKET", awg_mode_cfg=mode, **options)
    awg.on_activate()
    awg.set_active_channels(dict.fromkeys(awg.get_constraints().activation_config["all"], True))
    while awg.awg.query(":SYST:ERR?")[0] != "0":  # it selects segments before it has defined any
        pass
    heard.clear()
    return awg

def waves(*names, samples=1280):
    rng = np.random.default_rng(7)
    return {name: rng.uniform(-1, 1, samples) if name[0] == "a" else rng.random(samples) > 0.5 for name in names}

def split(waves):
    return [{name: wave for name, wave in waves.items() if name[0] == kind} for kind in "ad"]
"""


@pytest.fixture(scope="module")
def qudi():
    """Without its dependencies, of which the driver needs these."""
    parts = ["qudi-iqo-modules==1.0.0", "numpy", "scipy", "pyvisa", "pyvisa-py", "typing_extensions"]
    return client_environment("qudi", ["--no-deps", *parts])


@pytest.fixture
def bench():
    return GeneratorBench()


@pytest.fixture
def server(bench):
    with WireServer(VirtualM8195A(bench)) as server:
        yield server


def test_qudi_reads_what_it_has_set(qudi, server, bench):
    found, heard = qudi.run(
        _DRIVER
        + """
awg = connect("MARK")
found = {
    "sequence": awg.has_sequence_mode(),
    "mode": awg.awg_mode,
    "clock": awg.set_sample_rate(60e9),
    "levels": awg.set_analog_level({"a_ch1": 0.5}, {"a_ch1": 0.25}),
    "markers": awg.set_digital_level({"d_ch1": 0.25, "d_ch2": 0.0}, {"d_ch1": 0.75, "d_ch2": 1.0}),
    "active": awg.set_active_channels({"a_ch1": True, "d_ch1": True, "d_ch2": True}),
}
print(json.dumps([found, heard]))
""",
        server.port,
    )
    assert found == {
        "sequence": True,
        "mode": "MARK",
        "clock": 60e9,
        "levels": [{"a_ch1": 0.5}, {"a_ch1": 0.25}],
        "markers": [{"d_ch1": 0.25, "d_ch2": 0.0}, {"d_ch1": 0.75, "d_ch2": 1.0}],
        "active": {"a_ch1": True, "d_ch1": True, "d_ch2": True},
    }
    assert heard == []
    assert (bench.generator.sample_rate, bench.generator.full_scale, bench.generator.offset) == (60e9, 0.25, 0.25)


def test_qudi_plays_a_waveform_with_markers(qudi, server, bench):
    sent, written, loaded, back, on, off, heard = qudi.run(
        _DRIVER
        + """
awg = connect("MARK")
analog, digital = split(waves("a_ch1", "d_ch1", "d_ch2"))
written = awg.write_waveform("rabi", analog, digital, True, True, 1280)
loaded = awg.load_waveform({1: "rabi_ch1"})
back = awg.query(":TRAC1:DATA? 1,0,1280")
on = awg.pulser_on()
off = awg.pulser_off()
sent = np.rint(analog["a_ch1"] * 127).tolist(), (digital["d_ch1"] + 2 * digital["d_ch2"]).tolist()
print(json.dumps([sent, written, loaded, back, on, off, heard]))
""",
        server.port,
    )
    numbers = np.array([int(number) for number in back.split(",")])
    np.testing.assert_allclose(numbers[::2], sent[0], atol=1.0)  # qudi has its own way to round
    assert numbers[1::2].tolist() == sent[1]
    assert bench.generator.samples.tolist() == numbers[::2].tolist()
    assert written == [1280, ["rabi_ch1"]]
    assert loaded == [{"1": "rabi_ch1"}, "waveform"]
    assert (on, off) == (1, 0)
    assert heard == []
    assert any(panel.on and panel.running for panel in bench.lived_through)
    assert not bench.generator.running


def test_qudi_writes_the_segments_of_four_channels_into_the_shared_memory(qudi, server):
    names, catalogues, different, heard = qudi.run(
        _DRIVER
        + """
awg = connect("FOUR", _sample_rate_div=4)
channels = [f"a_ch{n}" for n in range(1, 5)]
for name in ("first", "second"):
    awg.write_waveform(name, waves(*channels), {}, True, True, 1280)
names = [awg.get_loaded_assets_name(n) for n in range(1, 5)]
catalogues = [awg.query(f":TRAC{n}:CAT?") for n in range(1, 5)]
different = len({awg.query(f":TRAC{n}:DATA? 2,0,64") for n in range(1, 5)})
print(json.dumps([names, catalogues, different, heard]))
""",
        server.port,
    )
    assert names == [[f"first_ch{n}", f"second_ch{n}"] for n in range(1, 5)]
    assert catalogues == ["1,1280,2,1280"] * 4
    assert different == 4
    assert heard == []


def test_qudi_plays_a_sequence(qudi, server, bench):
    steps, status, sequencer, back, heard = qudi.run(
        _DRIVER
        + """
awg = connect("MARK", _dynamic_sequence_mode=False)
for name in ("up", "down"):
    analog, digital = split(waves("a_ch1", "d_ch1", "d_ch2"))
    if name == "down":
        analog = {channel: -wave for channel, wave in analog.items()}
    awg.write_waveform(name, analog, digital, True, True, 1280)

class Step(dict):
    __getattr__ = dict.get

step = lambda repetitions: Step(ensemble="", repetitions=repetitions, go_to=-1, event_trigger="OFF")
steps = awg.write_sequence("both", [(("up_ch1",), step(1)), (("down_ch1",), step(0))])
awg.load_sequence("both")
status = awg.pulser_on()
sequencer = awg.get_sequencer_state(1)
awg.pulser_off()
back = [awg.query(f":TRAC1:DATA? {n},0,1280") for n in (1, 2)]
print(json.dumps([steps, status, sequencer, back, heard]))
""",
        server.port,
    )
    up, down = ([int(number) for number in row.split(",")][::2] for row in back)
    assert (steps, status, sequencer) == (2, 1, [2, 0])
    assert heard == []
    played = [panel.samples.tolist() for panel in bench.lived_through if panel.on and panel.running]
    assert up * 2 + down in played
