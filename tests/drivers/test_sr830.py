"""The SR830 driver: the bytes it sends, what it refuses, status, and a serial line."""

import os
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymeasure.instruments.srs import SR830 as PymeasureSR830
from pymeasure.test import expected_protocol

from drivers.controls import NotOffered
from drivers.sr830 import SR830
from stmlab.errors import GarbledAnswer, InstrumentFault, OutOfBounds
from stmlab.simulation.sr830 import VirtualSR830
from stmlab.simulation.wire import WireAdapter
from stmlab.station.instruments import LockIn
from tests.drivers.tapped import Tapped
from tests.simulation.lockin_bench import LockInBench

_REGISTERS = "LIAS?;ERRS?;*ESR?"


@pytest.fixture
def bench():
    return LockInBench()


@pytest.fixture
def lockin(bench):
    return SR830(WireAdapter(VirtualSR830(bench).session()))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("frequency", 691.0, "FREQ 691"),
        ("phase", -90.5, "PHAS -90.50"),
        ("sine_voltage", 0.004, "SLVL 0.004"),
        ("sensitivity", 2e-9, "SENS 0"),
        ("sensitivity", 1, "SENS 26"),
        ("time_constant", 10e-6, "OFLT 0"),
        ("filter_slope", 18, "OFSL 2"),
        ("filter_synchronous", True, "SYNC 1"),
        ("reserve", "Low Noise", "RMOD 2"),
        ("sample_frequency", 512, "SRAT 13"),
        ("sample_frequency", None, "SRAT 14"),
        ("channel1", "X Noise", "DDEF 1,2,0"),
        ("channel2", "Theta", "DDEF 2,1,0"),
        ("aux_out_2", -1.5, "AUXV 2,-1.5"),
        ("dac2", 1.5, "AUXV 2,1.5"),
        ("reference_source", "Internal", "FMOD 1"),
        ("input_coupling", "AC", "ICPL 0"),
        ("input_notch_config", "Both", "ILIN 3"),
    ],
)
def test_settings_are_sent_as_the_instrument_understands_them(name, value, message):
    tap = Tapped(VirtualSR830(LockInBench()).session())
    lockin = SR830(WireAdapter(tap))
    setattr(lockin, name, value)
    assert tap.commands() == [message]


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("frequency", 102001.0, "0.001 to 102000 Hz"),
        ("phase", 730.0, "-360 to 729.99 degrees"),
        ("sine_voltage", 0.0, "0.004 to 5 V"),
        ("sine_voltage", 5.1, "0.004 to 5 V"),
        ("aux_out_1", 11.0, "-10.5 to 10.5 V"),
    ],
)
def test_what_is_out_of_bounds_is_refused_and_not_sent(name, value, allowed):
    with expected_protocol(SR830, []) as lockin, pytest.raises(OutOfBounds, match=allowed):
        setattr(lockin, name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sensitivity", 3e-9),
        ("time_constant", 1e-6),
        ("filter_slope", 10),
        ("reserve", "high"),
        ("sample_frequency", 100),
        ("channel1", "Y"),
    ],
)
def test_what_the_instrument_does_not_offer_is_refused_and_not_sent(name, value):
    with expected_protocol(SR830, []) as lockin, pytest.raises(NotOffered, match=name):
        setattr(lockin, name, value)


def test_no_setting_of_pymeasure_that_truncates_is_left():
    truncating = {
        name
        for name, attribute in vars(PymeasureSR830).items()
        for default in getattr(getattr(attribute, "fset", None), "__defaults__", None) or ()
        if getattr(default, "__name__", "").startswith("truncated")
    }
    assert {"frequency", "sine_voltage", "sensitivity", "dac4"} < truncating
    by_hand = {"sample_frequency", "reserve", "harmonic", "set_scaling", "save_setup", "load_setup", "quick_range"}
    assert truncating | by_hand <= set(vars(SR830))


def test_a_harmonic_that_the_instrument_would_lower_is_refused():
    with expected_protocol(SR830, [("FREQ?", "691"), ("HARM 147", None), ("HARM?", "147")]) as lockin:
        lockin.harmonic = 147
    with expected_protocol(SR830, [("FREQ?", "691")]) as lockin, pytest.raises(OutOfBounds, match="harmonic = 148"):
        lockin.harmonic = 148
    with expected_protocol(SR830, [("FREQ?", "0.001")]) as lockin, pytest.raises(OutOfBounds, match="1 to 19999"):
        lockin.harmonic = 20000


def test_xy_is_one_query():
    with expected_protocol(SR830, [("SNAP? 1,2", "1.5e-6,-2.5e-7")]) as lockin:
        assert lockin.xy == (1.5e-6, -2.5e-7)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (("1", "0", "0"), "input or its amplifier"),
        (("2", "0", "0"), "filter"),
        (("4", "0", "0"), "output exceeds"),
        (("8", "0", "0"), "external reference"),
        (("0", "2", "0"), "battery"),
        (("0", "64", "0"), "signal processor"),
        (("0", "0", "16"), "refused"),
        (("0", "0", "32"), "did not understand"),
    ],
)
def test_a_bad_status_is_told_in_words(answers, words):
    exchange = [(_REGISTERS, answers[0]), *((None, answer) for answer in answers[1:])]
    with expected_protocol(SR830, exchange) as lockin, pytest.raises(InstrumentFault, match=words):
        lockin.check_status()


def test_events_that_are_no_faults_are_passed_over():
    with expected_protocol(SR830, [(_REGISTERS, "112"), (None, "0"), (None, "192")]) as lockin:
        lockin.check_status()


def test_the_input_is_prepared_with_the_smallest_sensitivity_that_holds_the_signal():
    read_back = [("SENS 18", None), ("SENS?", "18"), ("ISRC 0", None), ("ISRC?", "0"), ("ICPL 0", None), ("ICPL?", "0")]
    with expected_protocol(SR830, [*read_back, ("LIAS?", "5")]) as lockin:
        lockin.prepare_input(1.5e-3)
    with expected_protocol(SR830, []) as lockin, pytest.raises(OutOfBounds, match="full_scale"):
        lockin.prepare_input(1.1)


def test_scaling_and_setups_are_strict():
    with expected_protocol(SR830, [("OEXP 2,-50.00,1", None), ("SSET 9", None), ("RSET 1", None)]) as lockin:
        lockin.set_scaling("Y", -50.0, 10)
        lockin.save_setup(9)
        lockin.load_setup(1)
        with pytest.raises(OutOfBounds):
            lockin.set_scaling("X", 106.0)
        with pytest.raises(NotOffered):
            lockin.set_scaling("X", 0.0, 50)
        with pytest.raises(OutOfBounds):
            lockin.save_setup(10)


@pytest.mark.parametrize(
    ("name", "low", "high", "digits", "step"),
    [
        ("frequency", 1e-3, 102e3, 5, 1e-4),
        ("phase", -180.0, 179.99, 11, 0.01),
        ("sine_voltage", 0.004, 5.0, 11, 0.002),
        ("aux_out_1", -10.5, 10.5, 11, 1e-3),
        ("aux_out_4", -10.5, 10.5, 11, 1e-3),
    ],
)
@given(st.data())
def test_numbers_come_back_as_they_were_set_up_to_the_instruments_resolution(name, low, high, digits, step, data):
    value = data.draw(st.floats(low, high))
    lockin = SR830(WireAdapter(VirtualSR830(LockInBench()).session()))
    setattr(lockin, name, value)
    resolution = max(step, abs(value) * 10.0 ** (1 - digits))
    assert getattr(lockin, name) == pytest.approx(value, rel=0, abs=0.51 * resolution)
    lockin.check_status()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("harmonic", (2, 102, 1)),
        ("sensitivity", [float(v) for v in PymeasureSR830.SENSITIVITIES]),
        ("time_constant", [float(v) for v in PymeasureSR830.TIME_CONSTANTS]),
        ("filter_slope", (6, 12, 18, 24)),
        ("filter_synchronous", (True, False)),
        ("reserve", PymeasureSR830.RESERVE_VALUES),
        ("sample_frequency", [*PymeasureSR830.SAMPLE_FREQUENCIES, None]),
        ("channel1", ("X", "R", "X Noise", "Aux In 1", "Aux In 2")),
        ("channel2", ("Y", "Theta", "Y Noise", "Aux In 3", "Aux In 4")),
        ("reference_source", ("External", "Internal")),
        ("reference_source_trigger", PymeasureSR830.REFERENCE_SOURCE_TRIGGER),
        ("input_config", PymeasureSR830.INPUT_CONFIGS),
        ("input_coupling", PymeasureSR830.INPUT_COUPLINGS),
        ("input_grounding", PymeasureSR830.INPUT_GROUNDINGS),
        ("input_notch_config", PymeasureSR830.INPUT_NOTCH_CONFIGS),
    ],
)
def test_choices_come_back_as_they_were_set(lockin, name, values):
    lockin.frequency = 100.0  # above 200 Hz there are no time constants longer than 30 s
    for value in values:
        setattr(lockin, name, value)
        assert getattr(lockin, name) == value


def test_the_driver_is_a_lockin_of_the_protocol(lockin):
    assert isinstance(lockin, LockIn)
    assert set(SR830.SETTINGS) < set(lockin.snapshot())


def test_quick_range_takes_the_smallest_sensitivity_that_holds_the_signal(lockin, bench):
    bench.signal = 3e-3j
    bench.settle()
    lockin.quick_range()
    assert lockin.sensitivity == 5e-3


@pytest.fixture
def serial_line(bench):
    """A pseudo-terminal with an SR830 at its far end: the name of the near end."""
    if sys.platform == "win32":
        pytest.skip("there are no pseudo-terminals")
    pytest.importorskip("serial")
    import tty

    try:
        far, near = os.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminals here ({error})")
    tty.setraw(near)
    session = VirtualSR830(bench, serial=True).session()

    def serve():
        while data := os.read(far, 4096):
            if b"\0" in data:  # the test hangs up
                return
            os.write(far, session.receive(data))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield os.ttyname(near)
    os.write(near, b"\0")
    thread.join()
    os.close(near)
    os.close(far)


def test_the_driver_speaks_over_a_serial_line(serial_line, bench):
    lockin = SR830(f"ASRL{serial_line}::INSTR", baud_rate=9600)
    lockin.frequency, lockin.sensitivity, lockin.time_constant = 691.0, 2e-3, 0.03
    bench.signal = 1e-3 + 0.5e-3j
    bench.settle()
    assert lockin.id == VirtualSR830.IDENTITY
    assert (lockin.frequency, lockin.sensitivity, lockin.time_constant) == (691.0, 2e-3, 0.03)
    assert lockin.xy == (1e-3, 0.5e-3)
    lockin.write("NONS 1")
    with pytest.raises(InstrumentFault, match="did not understand"):
        lockin.check_status()
    lockin.close()


def test_a_double_answer_on_a_serial_line_is_not_taken_for_the_next(serial_line):
    lockin = SR830(f"ASRL{serial_line}::INSTR", baud_rate=9600)
    lockin.write("FREQ?;SLVL?")
    assert lockin.read() == "1000"
    while not lockin.adapter.connection.bytes_in_buffer:
        pass
    with pytest.raises(GarbledAnswer, match="more than one answer"):
        _ = lockin.phase
    lockin.reconnect()
    assert lockin.phase == 0.0
    lockin.close()
