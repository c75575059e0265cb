"""Programs that nobody here wrote talk to the virtual SR860 over TCP: pymeasure's driver and the maker's package."""

import cmath
import math

import numpy as np
import pytest
from pymeasure.instruments.srs import SR860 as PymeasureSR860

from drivers.sr860 import SR860
from stmlab.clock import SimulatedClock
from stmlab.errors import StationError
from stmlab.simulation.server import WireServer
from stmlab.simulation.sr830 import VirtualSR830
from stmlab.simulation.sr860 import VirtualSR860
from tests.approximately import close
from tests.clients.environment import small_clients
from tests.simulation.lockin_bench import LockInBench


@pytest.fixture
def bench():
    return LockInBench()


@pytest.fixture
def port(bench):
    with WireServer(VirtualSR860(bench)) as server:
        yield server.port


@pytest.fixture
def pymeasure_lockin(port):
    lockin = PymeasureSR860(
        f"TCPIP::127.0.0.1::{port}::SOCKET", visa_library="@py", read_termination="\n", write_termination="\n"
    )
    yield lockin
    lockin.adapter.close()


def test_pymeasures_own_driver_sets_and_reads_back(pymeasure_lockin):
    settings = {
        "frequency": 691.0,
        "phase": -45.5,
        "harmonic": 3,
        "harmonicdual": 5,
        "sine_voltage": 0.125,
        "timebase": 1,
        "dcmode": "DIF",
        "reference_triggermode": "POS",
        "input_signal": "VOLT",
        "input_config": "A-B",
        "input_coupling": "AC",
        "input_shields": "Ground",
        "input_range": "100M",
        "input_current_gain": "100MEG",
        "sensitivity": 2e-4,
        "time_constant": 0.03,
        "filter_slope": 2,
        "filter_synchronous": "On",
        "frequencypreset1": 10.0,
        "sine_amplitudepreset4": 0.5,
        "sine_dclevelpreset1": -0.25,
        "aux_out_1": 1.5,
        "dac4": -10.5,
        "front_panel": "1",
        "screen_layout": "3",
        "parameter_DAT3": 9,
        "strip_chart_dat2": "0",
        "reference_source": "CHOP",
    }
    for name, value in settings.items():
        setattr(pymeasure_lockin, name, value)
    assert {name: getattr(pymeasure_lockin, name) for name in settings} == settings
    assert pymeasure_lockin.values("*ESR?") == [0.0]


def test_pymeasures_own_driver_reads_the_outputs(pymeasure_lockin, bench):
    pymeasure_lockin.time_constant = 0.01
    assert pymeasure_lockin.get_noise_bandwidth == 25.0
    bench.signal = cmath.rect(2e-3, 0.3)
    bench.settle()
    x, y = 2e-3 * math.cos(0.3), 2e-3 * math.sin(0.3)
    assert pymeasure_lockin.x == close(x)
    assert pymeasure_lockin.y == close(y)
    assert pymeasure_lockin.magnitude == close(2e-3)
    assert pymeasure_lockin.theta == close(math.degrees(0.3))
    assert pymeasure_lockin.snap("X", "Y", "THeta") == close([x, y, math.degrees(0.3)])
    assert pymeasure_lockin.snap_all()[:3] == close([x, y, 2e-3])
    assert pymeasure_lockin.aux_in_1 == 0.0
    assert pymeasure_lockin.detectedfrequency == 100e3
    assert pymeasure_lockin.get_signal_strength_indicator == 0


@pytest.mark.parametrize(
    ("name", "value", "untouched"),
    [("frequencypreset3", 10.0, 100e3), ("filter_advanced", "On", "Off"), ("horizontal_time_div", 3, 0)],
)
def test_what_pymeasure_misspells_is_a_command_error_as_at_the_real_instrument(
    pymeasure_lockin, name, value, untouched
):
    setattr(pymeasure_lockin, name, value)
    assert pymeasure_lockin.values("*ESR?") == [32.0]
    assert getattr(pymeasure_lockin, name) == untouched


def test_pymeasures_wrong_numbers_are_refused_as_at_the_real_instrument(pymeasure_lockin):
    pymeasure_lockin.reference_triggermode = "NEGTTL"  # sends 4
    assert pymeasure_lockin.values("*ESR?") == [16.0]
    assert pymeasure_lockin.reference_triggermode == "SIN"


def test_our_driver_works_over_the_same_port(port, bench):
    lockin = SR860(f"TCPIP::127.0.0.1::{port}::SOCKET")
    lockin.prepare_input(1e-3)
    lockin.frequency = 691.0
    lockin.check_status()
    bench.signal = 1e-3j
    bench.clock.sleep(lockin.settling_time(1e-6))
    assert lockin.xy == close((0.0, 1e-3), rel=2e-6)
    lockin.close()


def test_our_driver_reads_past_the_greeting_of_a_telnet_port(bench):
    with WireServer(VirtualSR860(bench), greet=True) as server:
        lockin = SR860(f"TCPIP::127.0.0.1::{server.port}::SOCKET")
        assert lockin.id == VirtualSR860.IDENTITY
        lockin.close()


def test_our_driver_refuses_another_instrument(bench):
    with (
        WireServer(VirtualSR830(bench)) as server,
        pytest.raises(StationError, match=r"SR830.* which is no SR860"),
    ):
        SR860(f"TCPIP::127.0.0.1::{server.port}::SOCKET")


MAKERS_SESSION = """
import json, sys
sys.modules["pyvisa"] = None  # another client has it; it is used where it is found, and finds no VISA here
from srsinst.sr860 import SR860, Keys

lockin = SR860("tcpip", "127.0.0.1", int(sys.argv[1]))
result = {"id": lockin.check_id(), "set": {}, "indexed": {}}

settings = [
    ("ref", "frequency", 691.0), ("ref", "phase", 33.25), ("ref", "harmonic", 7), ("ref", "harmonic_dual", 2),
    ("ref", "timebase_mode", Keys.Internal), ("ref", "sine_out_amplitude", 0.25), ("ref", "sine_out_offset", -1.5),
    ("ref", "sine_out_dc_mode", Keys.Difference), ("ref", "trigger_mode", Keys.NegativeTTL),
    ("ref", "trigger_input", Keys.R50Ohms), ("ref", "blade_slots", 30), ("ref", "blade_phase", 12.5),
    ("signal", "input_mode", Keys.Voltage), ("signal", "voltage_input_mode", Keys.AMinusB),
    ("signal", "voltage_input_coupling", Keys.DC), ("signal", "voltage_input_shield", Keys.Ground),
    ("signal", "voltage_input_range", 0.3), ("signal", "voltage_sensitivity", 0.5),
    ("signal", "current_input_gain", 1e8), ("signal", "time_constant", 1.0), ("signal", "filter_slope", 24),
    ("signal", "sync_filter", Keys.On),
    ("signal", "advanced_filter", Keys.On), ("display", "blank", True), ("display", "layout", Keys.FFT),
    ("chart", "time_division", 10.0), ("interface", "override_remote", False), ("status", "event_enable", 48),
    ("ref", "reference_source", Keys.Internal),
]
for part, name, value in settings:
    setattr(getattr(lockin, part), name, value)
for part, name, value in settings:
    result["set"][f"{part}.{name}"] = (value, getattr(getattr(lockin, part), name))

indexed = [
    ("ref", "frequency_preset", 2, 17.5), ("ref", "sine_out_amplitude_preset", 0, 0.5),
    ("ref", "sine_out_offset_preset", 3, -0.5), ("output", "type", Keys.OutputCh2, Keys.RT),
    ("output", "expand", Keys.R, 10), ("output", "offset", Keys.Y, True), ("output", "offset_percent", Keys.X, 12.5),
    ("output", "ratio_mode", Keys.X, True), ("aux", "output", Keys.Channel4, -2.5),
    ("data", "channel_config", Keys.Data2, Keys.DCLevel), ("display", "graph_enable", Keys.Data1, False),
    ("status", "lock_in_enable_bit", Keys.UNLK, True),
]
for part, name, index, value in indexed:
    getattr(getattr(lockin, part), name)[index] = value
for part, name, index, value in indexed:
    result["indexed"][f"{part}.{name}"] = (value, getattr(getattr(lockin, part), name)[index])

result["bandwidth"] = lockin.signal.equivalent_noise_bandwidth
result["dc level"] = lockin.data.channel_value[Keys.Data2], lockin.data.value[Keys.DCLevel]
result["snap"] = lockin.data.get_values(13, 14, 15)
result["displays"] = len(lockin.data.get_channel_values())
result["text"] = lockin.get_status()

lockin.status.clear()
lockin.send("NONSENSE 1")
result["command error"] = lockin.status.event
lockin.send("FREQ 1E6")
result["execution error"] = lockin.status.event_bit[Keys.EXE], lockin.status.event
lockin.ref.reference_source = Keys.External
result["unlocked"] = lockin.status.lock_in_bit[Keys.UNLK], lockin.status.overload
lockin.ref.reference_source = Keys.Internal
lockin.signal.voltage_input_range = 0.01
result["input"] = lockin.status.lock_in >> 4 & 1
lockin.signal.voltage_sensitivity = 1e-9
result["scale"] = lockin.status.overload & 3

lockin.reset()
lockin.signal.time_constant = 0.1
lockin.capture.config = Keys.XYRT
lockin.capture.buffer_size_in_kilobytes = 130
lockin.capture.rate_divisor_exponent = 2
result["rate"] = lockin.capture.rate, lockin.capture.max_rate
lockin.capture.start()
while lockin.capture.state & 1:
    pass
result["captured"] = lockin.capture.data_size_in_bytes, lockin.capture.data_size_in_kilobytes
result["row"] = lockin.capture.get_data(1000)
result["capture"] = lockin.capture.get_all_data().tolist()
lockin.disconnect()
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def makers_session():
    """What the maker's package made of one session, and what our driver then reads of the same capture memory."""
    client = small_clients()
    bench = LockInBench(0.3 - 0.4j)
    bench.clock = SimulatedClock(speed=2000.0)
    instrument = VirtualSR860(bench)
    with WireServer(instrument, greet=True) as telnet, WireServer(instrument) as raw:
        result = client.run(MAKERS_SESSION, telnet.port)
        lockin = SR860(f"TCPIP::127.0.0.1::{raw.port}::SOCKET")
        result["our capture"] = lockin.read_capture()
        lockin.close()
    return result


def test_the_makers_package_knows_the_instrument(makers_session):
    assert makers_session["id"] == ["SR860", "simulated", "V1.51"]
    assert "Frequency: 6.910000e+02 Hz" in makers_session["text"]


def test_the_makers_package_sets_and_reads_back(makers_session):
    for name, (wanted, found) in (makers_session["set"] | makers_session["indexed"]).items():
        assert found == wanted, name


def test_the_makers_package_reads_the_outputs(makers_session):
    assert makers_session["bandwidth"] == close(5 / 64)
    assert makers_session["dc level"] == [-1.5, -1.5]
    assert makers_session["snap"] == [0.25, -1.5, 691.0]
    assert makers_session["displays"] == 4


def test_the_makers_package_finds_every_kind_of_error(makers_session):
    assert makers_session["command error"] == 32
    assert makers_session["execution error"] == [True, 0]
    unlocked, overload = makers_session["unlocked"]
    assert unlocked
    assert overload & 8
    assert makers_session["input"] == 1
    assert makers_session["scale"] == 1  # X; channel 2 was told to put out theta


def test_the_makers_package_reads_the_capture_as_our_driver_does(makers_session):
    rate, fastest = makers_session["rate"]
    assert rate == close(fastest / 4)
    assert makers_session["captured"] == [130 * 1024, 130]
    capture = np.array(makers_session["capture"], dtype=np.float32)
    assert capture.shape == (4, 8320)
    np.testing.assert_array_equal(capture.T, makers_session["our capture"])
    assert makers_session["row"] == close(capture[:, 1000].tolist())
    assert capture[:, -1].tolist() == close([0.3, -0.4, 0.5, math.degrees(math.atan2(-4, 3))])
