"""The SR860 driver: the bytes it sends, what it refuses, what it makes of the instrument's status."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymeasure.instruments.srs import SR860 as PymeasureSR860
from pymeasure.test import expected_protocol

from drivers.controls import NotOffered
from drivers.sr860 import SR860
from stmlab.errors import GarbledAnswer, InstrumentFault, OutOfBounds, ValueNotTaken
from stmlab.simulation.sr860 import VirtualSR860
from stmlab.simulation.wire import WireAdapter
from stmlab.station.instruments import LockIn
from tests.drivers.tapped import Tapped
from tests.simulation.lockin_bench import LockInBench

_REGISTERS = "LIAS?;CUROVLDSTAT?;ERRS?;*ESR?"


@pytest.fixture
def bench():
    return LockInBench()


@pytest.fixture
def lockin(bench):
    return SR860(WireAdapter(VirtualSR860(bench).session()))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("frequency", 691.0, "FREQ 691"),
        ("frequency", 123456.789, "FREQ 123456.789"),
        ("internalfrequency", 500e3, "FREQINT 500000"),
        ("phase", -90.5, "PHAS -90.5000000"),
        ("harmonic", 5, "HARM 5"),
        ("harmonicdual", 99, "HARMDUAL 99"),
        ("sine_voltage", 2.0, "SLVL 2"),
        ("sine_offset", -5.0, "SOFF -5"),
        ("dcmode", "common", "REFM 0"),
        ("dcmode", "difference", "REFM 1"),
        ("reference_source", "CHOP", "RSRC 3"),
        ("reference_triggermode", "NEGTTL", "RTRG 2"),
        ("reference_source_trigger", "POSTTL", "RTRG 1"),
        ("reference_externalinput", "1MEG", "REFZ 1"),
        ("input_signal", "current", "IVMD 1"),
        ("input_config", "A-B", "ISRC 1"),
        ("input_coupling", "AC", "ICPL 0"),
        ("input_range", "10M", "IRNG 4"),
        ("sensitivity", 1e-9, "SCAL 27"),
        ("time_constant", 30e3, "OFLT 21"),
        ("time_constant", 3 * 0.1, "OFLT 11"),  # rounding is no refusal
        ("filter_slope", 24, "OFSL 3"),
        ("filter_synchronous", "On", "SYNC 1"),
        ("filter_advanced", "On", "ADVFILT 1"),
        ("frequencypreset3", 10.0, "PSTF 2, 10"),
        ("sine_amplitudepreset1", 0.1, "PSTA 0, 0.1"),
        ("sine_dclevelpreset4", -1.0, "PSTL 3, -1"),
        ("aux_out_4", 10.5, "AUXV 3, 10.5"),
        ("dac4", -10.5, "AUXV 3, -10.5"),
        ("parameter_DAT1", 16, "CDSP 0, 16"),
        ("horizontal_time_div", 16, "GSPD 16"),
    ],
)
def test_settings_are_sent_as_the_instrument_understands_them(name, value, message):
    tap = Tapped(VirtualSR860(LockInBench()).session())
    lockin = SR860(WireAdapter(tap))
    setattr(lockin, name, value)
    assert tap.commands() == [message]


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("frequency", 500001.0, "0.001 to 500000 Hz"),
        ("frequency", float("nan"), "0.001 to 500000 Hz"),
        ("phase", 360001.0, "-360000 to 360000 degrees"),
        ("harmonic", 100, "1 to 99"),
        ("harmonic", 0, "1 to 99"),
        ("sine_voltage", 2.1, "0 to 2 V"),
        ("sine_voltage", -0.1, "0 to 2 V"),
        ("sine_offset", 5.1, "-5 to 5 V"),
        ("aux_out_1", 11.0, "-10.5 to 10.5 V"),
        ("sine_amplitudepreset2", 3.0, "0 to 2 V"),
        ("sine_dclevelpreset2", 6.0, "-5 to 5 V"),
        ("frequencypreset4", 0.0, "0.001 to 500000 Hz"),
    ],
)
def test_what_is_out_of_bounds_is_refused_and_not_sent(name, value, allowed):
    with expected_protocol(SR860, []) as lockin:
        with pytest.raises(OutOfBounds, match=allowed) as refusal:
            setattr(lockin, name, value)
        assert name in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sensitivity", 0.3),
        ("sensitivity", 2.0),
        ("time_constant", 0.2),
        ("time_constant", 1e5),
        ("filter_slope", 3),
        ("harmonic", 1.5),
        ("reference_source", "internal"),
        ("input_coupling", True),
        ("filter_advanced", "on"),
    ],
)
def test_what_the_instrument_does_not_offer_is_refused_and_not_sent(name, value):
    with expected_protocol(SR860, []) as lockin, pytest.raises(ValueError, match=r"\w") as refusal:
        setattr(lockin, name, value)
    assert "\n" not in str(refusal.value)


def test_a_refusal_names_every_step_that_there_is():
    with expected_protocol(SR860, []) as lockin, pytest.raises(NotOffered, match=r"0\.2 s.*0\.1, 0\.3, 1, 3, .*30000"):
        lockin.time_constant = 0.2


def test_no_setting_of_pymeasure_that_truncates_is_left():
    truncating = {
        name
        for name, attribute in vars(PymeasureSR860).items()
        for default in getattr(getattr(attribute, "fset", None), "__defaults__", None) or ()
        if getattr(default, "__name__", "").startswith("truncated")
    }
    assert {"frequency", "phase", "sensitivity", "dac4", "sine_dclevelpreset4"} < truncating
    assert truncating <= set(vars(SR860))


def test_xy_is_one_query():
    with expected_protocol(SR860, [("SNAP? 0,1", "1.5e-6,-2.5e-7")]) as lockin:
        assert lockin.xy == (1.5e-6, -2.5e-7)


def test_garbage_is_not_taken_for_a_reading():
    with expected_protocol(SR860, [("SNAP? 0,1", "1.5e-6,#!?")]) as lockin, pytest.raises(GarbledAnswer, match="#!"):
        assert lockin.xy


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (("1", "0", "0", "0"), ["channel 1 exceeds"]),
        (("0", "2", "0", "0"), ["channel 2 exceeds"]),
        (("8", "8", "0", "0"), ["external reference"]),
        (("16", "16", "0", "0"), ["input range"]),
        (("0", "0", "1", "0"), ["10 MHz"]),
        (("0", "0", "0", "16"), ["refused"]),
        (("0", "0", "0", "32"), ["did not understand"]),
        (("17", "0", "128", "48"), ["channel 1", "input range", "USB host", "refused", "understand"]),
    ],
)
def test_a_bad_status_is_told_in_words(answers, words):
    with (
        expected_protocol(SR860, [(_REGISTERS, ";".join(answers))], name="lockin") as lockin,
        pytest.raises(InstrumentFault) as fault,
    ):
        lockin.check_status()
    assert fault.value.instrument == "lockin"
    assert all(word in str(fault.value) for word in words)
    assert str(fault.value).count(";") == len(words) - 1


def test_events_that_are_no_faults_are_passed_over():
    triggers_and_saved_screens, power_on = str(1 << 7 | 1 << 12 | 1 << 14), "129"
    with expected_protocol(SR860, [(_REGISTERS, f"{triggers_and_saved_screens};0;0;{power_on}")]) as lockin:
        lockin.check_status()


@pytest.mark.parametrize(
    ("full_scale", "input_range", "sensitivity"),
    [(1e-9, 4, 27), (5e-3, 4, 7), (8e-3, 3, 6), (0.2, 1, 2), (0.25, 0, 1), (0.7, 0, 0)],
)
def test_the_input_is_prepared_with_the_smallest_ranges_that_hold_the_signal(full_scale, input_range, sensitivity):
    messages = [f"SCAL {sensitivity}", f"IRNG {input_range}", "IVMD 0", "ICPL 0", "ADVFILT 0"]
    exchange = [pair for text in messages for pair in ((text, None), (f"{text[:-2].strip()}?", text.split()[1]))]
    with expected_protocol(SR860, [*exchange, ("LIAS?", "17")]) as lockin:
        lockin.prepare_input(full_scale)


@pytest.mark.parametrize("full_scale", [0.0, -1e-3, 0.71, float("nan")])
def test_a_signal_that_no_input_range_holds_is_refused(full_scale):
    with expected_protocol(SR860, []) as lockin, pytest.raises(OutOfBounds, match="full_scale"):
        lockin.prepare_input(full_scale)


def test_other_commands():
    with expected_protocol(
        SR860,
        [
            ("RSRC 0", None),
            ("RSRC?", "0"),
            ("APHS", None),
            ("ARNG", None),
            ("ASCL", None),
            ("LIAS?;ERRS?;*ESR?", "1;0;48"),
            ("*RST", None),
        ],
    ) as lockin:
        lockin.use_internal_reference()
        lockin.auto_phase()
        lockin.auto_range()
        lockin.auto_scale()
        lockin.clear()
        lockin.reset()


def test_a_capture_is_read_in_blocks():
    data = np.arange(2 * 16500, dtype="<f4")
    content = data.tobytes().ljust(130 * 1024, b"\0")
    head = b"#565536"
    with expected_protocol(
        SR860,
        [
            ("CAPTURESTAT?", "6"),
            ("CAPTURECFG?", "1"),
            ("CAPTUREBYTES?", str(data.nbytes)),
            (b"CAPTUREGET? 0, 64", head + content[:65536]),
            (b"CAPTUREGET? 64, 64", head + content[65536:131072]),
            (b"CAPTUREGET? 128, 1", b"#41024" + content[131072:132096]),
        ],
    ) as lockin:
        np.testing.assert_array_equal(lockin.read_capture(), data.reshape(-1, 2))


def test_a_capture_that_is_running_is_not_read():
    with expected_protocol(SR860, [("CAPTURESTAT?", "3")]) as lockin, pytest.raises(InstrumentFault, match="running"):
        lockin.read_capture()


def test_a_capture_takes_the_slowest_rate_that_is_fast_enough():
    with expected_protocol(
        SR860,
        [("CAPTURERATEMAX?", "1000"), ("CAPTURECFG 1", None), ("CAPTURELEN 10", None), ("CAPTURERATE 2", None)],
    ) as lockin:
        assert lockin.configure_capture("XY", 1026, rate=200.0) == 250.0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("Z", 10), NotOffered),
        (("XYRT", 262145), OutOfBounds),
        (("X", 0), OutOfBounds),
        (("X", 10, 1001.0), OutOfBounds),
        (("X", 10, 1e-4), OutOfBounds),
    ],
)
def test_a_capture_that_cannot_be_is_refused(arguments, error):
    class Lockin(SR860):
        def question(self, query, reader):
            assert query == "CAPTURERATEMAX?"
            return reader("1000")

    with expected_protocol(Lockin, []) as lockin, pytest.raises(error):
        lockin.configure_capture(*arguments)


NUMBERS = {
    "frequency": (1e-3, 500e3, 6, 1e-4),
    "internalfrequency": (1e-3, 500e3, 6, 1e-4),
    "phase": (-180.0, 179.99, 11, 1e-7),
    "sine_voltage": (0.0, 2.0, 3, 1e-9),
    "sine_offset": (-5.0, 5.0, 3, 1e-4),
    "frequencypreset1": (1e-3, 500e3, 6, 1e-4),
    "frequencypreset4": (1e-3, 500e3, 6, 1e-4),
    "sine_amplitudepreset1": (0.0, 2.0, 3, 1e-9),
    "sine_amplitudepreset4": (0.0, 2.0, 3, 1e-9),
    "sine_dclevelpreset1": (-5.0, 5.0, 3, 1e-4),
    "sine_dclevelpreset4": (-5.0, 5.0, 3, 1e-4),
    "aux_out_1": (-10.5, 10.5, 11, 1e-3),
    "aux_out_4": (-10.5, 10.5, 11, 1e-3),
}


@pytest.mark.parametrize("name", NUMBERS)
@given(st.data())
def test_numbers_come_back_as_they_were_set_up_to_the_instruments_resolution(name, data):
    low, high, digits, step = NUMBERS[name]
    value = data.draw(st.floats(low, high))
    lockin = SR860(WireAdapter(VirtualSR860(LockInBench()).session()))
    setattr(lockin, name, value)
    resolution = max(step, abs(value) * 10.0 ** (1 - digits))
    assert getattr(lockin, name) == pytest.approx(value, rel=0, abs=0.51 * resolution)
    lockin.check_status()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("harmonic", (1, 2, 99)),
        ("harmonicdual", (1, 99)),
        ("sensitivity", [float(v) for v in PymeasureSR860.SENSITIVITIES]),
        ("time_constant", [float(v) for v in PymeasureSR860.TIME_CONSTANTS]),
        ("filter_slope", (6, 12, 18, 24)),
        ("filter_synchronous", ("On", "Off")),
        ("filter_advanced", ("On", "Off")),
        ("dcmode", ("DIF", "COM")),
        ("reference_source", ("EXT", "DUAL", "CHOP", "INT")),
        ("reference_triggermode", ("POS", "NEG", "SIN")),
        ("reference_externalinput", ("50OHMS", "1MEG")),
        ("input_signal", ("CURR", "VOLT")),
        ("input_config", ("A-B", "A")),
        ("input_coupling", ("DC", "AC")),
        ("input_grounding", ("Ground", "Float")),
        ("input_range", ("300M", "100M", "30M", "10M", "1V")),
        ("input_current_gain", ("100MEG", "1MEG")),
        ("timebase", (1, 0)),
        ("parameter_DAT2", range(17)),
        ("horizontal_time_div", range(17)),
        ("screen_layout", "012345"),
        ("strip_chart_dat3", "01"),
        ("front_panel", "10"),
    ],
)
def test_choices_come_back_as_they_were_set(lockin, name, values):
    lockin.frequency = 1000.0
    for value in values:
        setattr(lockin, name, value)
        assert getattr(lockin, name) == value


def test_the_driver_is_a_lockin_of_the_protocol(lockin):
    assert isinstance(lockin, LockIn)


def test_the_snapshot_holds_what_is_set(lockin, bench):
    lockin.frequency, lockin.time_constant, lockin.sensitivity = 691.0, 0.3, 2e-3
    snapshot = lockin.snapshot()
    assert snapshot["identity"].startswith("Stanford_Research_Systems,SR860,")
    assert (snapshot["frequency"], snapshot["time_constant"], snapshot["sensitivity"]) == (691.0, 0.3, 2e-3)
    assert set(SR860.SETTINGS) < set(snapshot)


def test_an_overload_is_told_until_the_scale_is_mended_and_the_status_cleared(lockin, bench):
    lockin.prepare_input(1e-3)
    bench.signal = 2e-3
    bench.settle()
    for _ in range(2):
        with pytest.raises(InstrumentFault, match="channel 1 exceeds its scale"):
            lockin.check_status()
    lockin.sensitivity = 5e-3
    lockin.clear()
    lockin.check_status()


def test_preparing_the_input_forgets_overloads_of_the_range_before(lockin, bench):
    lockin.prepare_input(1e-3)
    bench.signal = 0.1
    bench.settle()
    lockin.prepare_input(0.2)
    lockin.check_status()


def test_the_instruments_refusal_is_reported(lockin):
    lockin.frequency, lockin.harmonic = 1e3, 99
    with pytest.raises(ValueNotTaken, match="frequency was set to 400000 Hz and reads 1000 Hz"):
        lockin.frequency = 400e3  # in range, but not its 99th harmonic
    with pytest.raises(InstrumentFault, match="refused"):
        lockin.check_status()
    assert lockin.frequency == 1e3
    lockin.check_status()


def test_a_capture_brings_what_the_filter_put_out(lockin, bench):
    lockin.time_constant, lockin.filter_slope = 0.1, 12
    rate = lockin.configure_capture("XY", 512, rate=50.0)
    lockin.start_capture()
    bench.signal = 0.3 - 0.1j
    bench.clock.sleep(512 / rate)
    assert not lockin.capturing
    capture = lockin.read_capture()
    time = np.arange(1, 513) / rate / lockin.time_constant
    step = 1.0 - np.exp(-time) * (1.0 + time)
    np.testing.assert_allclose(capture, np.stack([0.3 * step, -0.1 * step], axis=1), rtol=1e-6, atol=1e-7)


def test_closing_lets_go_of_the_connection(lockin):
    lockin.close()


def test_importing_the_driver_pulls_neither_pandas_nor_qt():
    script = "import sys, drivers.sr860, drivers.sr830; print({'pandas', 'PyQt6', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("answer", ["0", "-3", "9.9e-7"])
def test_a_fastest_rate_that_is_none_is_garbled(answer):
    with (
        expected_protocol(SR860, [("CAPTURERATEMAX?", answer)]) as lockin,
        pytest.raises(GarbledAnswer, match="not between"),
    ):
        lockin.configure_capture("X", 10)
