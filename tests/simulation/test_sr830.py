"""The virtual SR830 on the wire: the older grammar, its ranges, status and setups."""

import cmath
import math

import numpy as np
import pytest

from stmlab.simulation.sr830 import VirtualSR830
from tests.approximately import close
from tests.simulation.lockin_bench import LockInBench


class Line:
    """One connection, in text."""

    def __init__(self, instrument, termination="\n"):
        self._session, self._termination = instrument.session(), termination

    def __call__(self, message):
        return self._session.receive(f"{message}{self._termination}".encode("ascii")).decode("ascii")


@pytest.fixture
def bench():
    return LockInBench()


@pytest.fixture
def line(bench):
    return Line(VirtualSR830(bench))


@pytest.mark.parametrize(
    ("message", "query", "answer"),
    [
        ("FREQ 691", "FREQ?", "691"),
        ("freq691.123", "FREQ ?", "691.12"),  # spaces do not matter; 5 digits
        ("PHAS 541", "PHAS?", "-179"),
        ("SLVL 0.0051", "SLVL?", "0.006"),  # 2 mV steps
        ("SENS0", "SENS?", "0"),
        ("FREQ 100;OFLT 19", "OFLT?", "19"),
        ("FMOD 0", "FMOD?", "0"),
        ("AUXV1,%f;" % -1.5, "AUXV?1;", "-1.5"),  # as pymeasure sends it
        ("DDEF1,1,0", "DDEF?1", "1,0"),
        ("OEXP 3,-50.00,2", "OEXP? 3", "-50,2"),
        ("FREQ 1000;HARM 19999", "HARM?", "102"),  # lowered to what 102 kHz allows, as at the real instrument
        ("*ESE 16", "*ESE?", "16"),
    ],
)
def test_what_is_set_is_read_back(line, message, query, answer):
    assert line(message) == ""
    assert line(query) == f"{answer}\n"


LAST_CODE = {  # of the manual, chapter 5
    **{"RSLP": 2, "ISRC": 3, "IGND": 1, "ICPL": 1, "ILIN": 3, "SENS": 26, "RMOD": 2, "OFSL": 3, "SYNC": 1},
    **{"SRAT": 14, "SEND": 1, "TSTR": 1, "OUTX": 1, "OVRM": 1, "KCLK": 1, "ALRM": 1, "LOCL": 2, "*PSC": 1},
}


@pytest.mark.parametrize(("name", "last"), LAST_CODE.items())
def test_a_choice_takes_every_code_of_the_manual_and_no_other(line, name, last):
    for code in (last, 0):
        assert line(f"{name} {code}") == ""
        assert line(f"{name}?") == f"{code}\n"
    assert line("*ESR?") == "0\n"
    for code in (last + 1, -1):
        line(f"{name} {code}")
        assert line("*ESR?") == "16\n"
    assert line(f"{name}?") == "0\n"


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("SENS 27", 16),
        ("FREQ 102001", 16),
        ("HARM 50;FREQ 3000", 16),
        ("FMOD 0;FREQ 10", 16),
        ("SLVL 0.003", 16),
        ("PHAS 730", 16),
        ("OUTP? 5", 16),
        ("SNAP? 1,12", 16),
        ("RSET 3", 16),
        ("OEXP 1,106,0", 16),
        ("NONS", 32),
        ("SNAP? 1", 32),
        ("SNAP? 1,2,3,4,5,6,7", 32),
        ("FREQ ten", 32),
        ("SENS A", 32),
        ("SENSIT 3", 32),
    ],
)
def test_each_message_leaves_its_error_in_the_standard_event_register(line, message, error):
    assert line(message) == ""
    assert line("*ESR?") == f"{error}\n"
    assert line("*ESR?") == "0\n"


def test_every_answer_has_a_termination_of_its_own(bench):
    assert Line(VirtualSR830(bench))("SENS?;OFLT?") == "26\n8\n"
    assert Line(VirtualSR830(bench, serial=True), "\r")("SENS?;OFLT?") == "26\r8\r"
    assert Line(VirtualSR830(bench, serial=True), "\r\n")("SENS?") == "26\r"


def test_settings_go_to_the_panel(line, bench):
    line("FREQ 69.1;HARM 2;PHAS 30;OFLT 6;OFSL 3;SYNC 1;ICPL 0;SLVL 0.1;FMOD 1")
    panel = bench.lockin
    assert (panel.reference_frequency, panel.harmonic, panel.phase) == (69.1, 2, 30.0)
    assert (panel.time_constant, panel.poles, panel.synchronous) == (0.01, 4, True)
    assert (panel.ac_coupled, panel.sine_voltage, panel.internal_reference) == (True, 0.1, True)


def test_the_input_holds_more_with_more_reserve(line, bench):
    line("SENS 17;RMOD 2")
    tight = bench.lockin.input_range
    assert tight == close(math.sqrt(2.0) * 1e-3)
    line("RMOD 0")
    assert bench.lockin.input_range > tight
    line("SENS 26")
    assert bench.lockin.input_range == close(math.sqrt(2.0))


def test_outputs(line, bench):
    bench.signal = 3e-3 + 4e-3j
    bench.settle()
    expected = [3e-3, 4e-3, 5e-3, math.degrees(math.atan2(4, 3))]
    assert [float(line(f"OUTP? {i}")) for i in range(1, 5)] == close(expected)
    assert [float(text) for text in line("SNAP?1,2,9,3").split(",")] == close([3e-3, 4e-3, 1000.0, 5e-3])
    line("DDEF 1,1,0")
    assert [float(text) for text in line("SNAP? 10,11").split(",")] == close([5e-3, 4e-3])
    assert float(line("OUTR? 2")) == close(4e-3)
    assert line("OAUX? 1") == "0\n"


def test_overloads_and_a_lost_reference(line, bench):
    assert line("LIAS?") == "0\n"
    line("SENS 20")  # 10 mV
    bench.signal = 0.011
    bench.settle()
    assert line("LIAS? 2;LIAS? 0") == "1\n0\n"
    line("RMOD 2")
    bench.signal = 0.1
    bench.clock.sleep(1.0)
    assert int(line("LIAS?")) == 1 | 4
    bench.signal = 0.0
    bench.settle()
    line("*CLS;LIAS?;FMOD 0")
    assert line("LIAS?;ERRS?;*STB?") == "8\n0\n3\n"
    line("LIAE 8")
    assert line("*STB?") == "11\n"


def test_auto_functions(line, bench):
    bench.signal = cmath.rect(3e-3, -0.4)
    bench.settle()
    line("APHS;AGAN")
    bench.settle()
    assert float(line("PHAS?")) == pytest.approx(math.degrees(-0.4), abs=0.005)
    assert line("SENS?") == "19\n"
    for quantity, offset in ((1, "60"), (3, "60"), (2, "0")):
        assert line(f"AOFF {quantity};OEXP? {quantity}").split(",")[0] == offset


def test_setups_are_kept_and_taken_again(line):
    line("FREQ 691;SENS 3;SSET 4;*RST")
    assert line("FREQ?;SENS?") == "1000\n26\n"
    line("RSET 4")
    assert line("FREQ?;SENS?") == "691\n3\n"


def test_across_200_hz_it_switches_off_by_itself_what_is_there_only_below(line):
    line("*CLS;FREQ 150;HARM 1;SYNC 1;OFLT 15")
    assert line("LIAS?") == "16\n"
    assert line("SYNC?;OFLT?") == "1\n15\n"
    line("FREQ 199")
    assert line("LIAS?") == "0\n"
    line("HARM 2")
    assert line("LIAS?;LIAS?;SYNC?;OFLT?") == "48\n0\n0\n13\n"
    line("OFLT 8;HARM 1")
    assert line("LIAS?;SYNC?;OFLT?") == "16\n0\n8\n"


def test_the_range_of_the_frequency_changes_with_hysteresis(line):
    line("FREQ 202;*CLS")  # down from above: still the upper range
    crossed = []
    for frequency in (199.5, 199, 203, 203.5, 200, 199.2):
        line(f"FREQ {frequency}")
        crossed.append(int(line("LIAS? 4")))
    assert crossed == [0, 1, 0, 1, 0, 1]


def test_what_the_upper_range_lacks_is_refused_or_does_nothing(line, bench):
    line("FREQ 1000;OFLT 14")
    assert line("*ESR?;OFLT?") == "16\n8\n"
    line("SYNC 1")
    assert not bench.lockin.synchronous
    line("FREQ 100;SYNC 1;OFLT 14")
    assert (bench.lockin.synchronous, bench.lockin.time_constant) == (True, 100.0)


@pytest.mark.parametrize(
    ("slope", "shortest"),
    [(0, [2, 4, 6]), (1, [1, 2, 3]), (2, [0, 1, 2]), (3, [0, 1, 1])],  # at 60, 80 and 100 dB (manual, 4-9)
)
def test_the_time_constant_follows_reserve_slope_and_expand(line, slope, shortest):
    line(f"SENS 17;RMOD 2;OFSL {slope};OFLT 0;*CLS")  # 1 mV, 0 dB
    found = []
    for command in ("RMOD 0", "OEXP 1,0,1", "OEXP 1,0,2"):
        line(command)
        found.append(int(line("OFLT?")))
    assert found == shortest
    assert int(line("LIAS? 5")) == (shortest[-1] > 0)
    line(f"OFLT {shortest[-1] - 1}")
    assert (line("*ESR?"), line("OFLT?")) == ("16\n", f"{shortest[-1]}\n")
    line("OEXP 1,0,0;RMOD 2")
    assert line("OFLT?") == f"{shortest[-1]}\n"  # it does not come back


# -- data buffers ------------------------------------------------------------------------------------------------------


def points(answer: str) -> list[float]:
    *numbers, end = answer.removesuffix("\n").split(",")
    assert end == ""
    return [float(number) for number in numbers]


def raw(bench, lockin, message: str) -> bytes:
    return lockin.session().receive(message.encode() + b"\n")


def test_the_status_byte_says_that_it_is_ready_and_whether_a_scan_is_in_progress(line):
    states = [line("*STB?")]
    for command in ("STRT", "PAUS", "STRT", "REST"):
        line(command)
        states.append(line("*STB?"))
    assert states == ["3\n", "2\n", "2\n", "2\n", "3\n"]
    line("*SRE 2")
    assert line("*STB?") == "67\n"


def test_the_buffer_holds_what_the_displays_show_at_the_sample_rate(line, bench):
    bench.signal = 3e-3 - 4e-3j
    line("OFLT 4;SRAT 7;DDEF 2,1,0;STRT")  # 1 ms, 8 Hz, Y's place shows the angle
    bench.clock.sleep(1.0)
    assert line("SPTS?") == "8\n"
    line("PAUS")
    bench.clock.sleep(1.0)
    bench.signal = 1e-3
    line("STRT")
    bench.clock.sleep(0.5 + 1e-6)
    line("PAUS")
    assert points(line("TRCA? 1,0,12")) == close([3e-3] * 8 + [1e-3] * 4)
    assert points(line("TRCA? 2,6,4")) == close([math.degrees(math.atan2(-4, 3))] * 2 + [0.0] * 2)
    assert line("TRCA? 1,7,1") == "+3.000000e-003,\n"
    assert line("TRCA? 1,5,8") == ""
    assert line("*ESR?") == "16\n"
    line("REST")
    assert line("SPTS?") == "0\n"


def test_points_come_as_text_as_floats_and_in_the_form_in_which_they_are_stored(bench):
    lockin = VirtualSR830(bench)
    rng = np.random.default_rng(4)
    raw(bench, lockin, "OFLT 0;SRAT 14;STRT")
    for value in (0.0, 1.0, -1.0, 0.99999999, *rng.normal(size=20) * 10.0 ** rng.integers(-9, 1, 20)):
        bench.signal = complex(value)
        bench.clock.sleep(1.0)
        raw(bench, lockin, "TRIG")
    text = np.array(points(raw(bench, lockin, "TRCA? 1,0,24").decode()))
    floats = np.frombuffer(raw(bench, lockin, "TRCB? 1,0,24"), "<f4")
    integers = np.frombuffer(raw(bench, lockin, "TRCL? 1,0,24"), [("m", "<i2"), ("e", "u1"), ("zero", "u1")])
    np.testing.assert_allclose(text, floats, rtol=1e-6)
    np.testing.assert_allclose(integers["m"] * 2.0 ** (integers["e"].astype(float) - 124), floats, rtol=2**-15)
    assert not integers["zero"].any()
    assert (np.abs(integers["m"].astype(int)) <= 32767).all()


def test_a_full_buffer_stops_or_goes_on_with_the_newest(line, bench):
    line("OFLT 0;SRAT 13;SEND 0;STRT")  # 512 Hz: full after 32 s
    bench.signal = 1e-3
    bench.clock.sleep(31.0)
    assert line("*STB?") == "2\n"
    bench.signal = 2e-3
    bench.clock.sleep(3.0)
    assert line("SPTS?;*STB?") == "16383\n3\n"
    assert points(line("TRCA? 1,0,1"))[0] == close(1e-3)
    line("REST;SEND 1;STRT")
    bench.clock.sleep(30.0)
    bench.signal = 3e-3
    line("SPTS?")
    bench.clock.sleep(10.0)
    assert line("SPTS?;*STB?") == "16383\n2\n"
    assert points(line("TRCA? 1,16382,1"))[0] == close(3e-3)


def test_a_trigger_starts_a_scan_where_that_is_set_and_a_start_may_be_delayed(line, bench):
    line("SRAT 8;TSTR 1;TRIG")  # 16 Hz
    bench.clock.sleep(1.0)
    assert line("SPTS?") == "16\n"
    line("REST;TSTR 0;TRIG")
    bench.clock.sleep(1.0)
    assert line("SPTS?") == "0\n"
    line("STRD")
    bench.clock.sleep(1.0)
    assert line("SPTS?") == "8\n"
    line("FAST 1")
    assert line("FAST?;*ESR?") == "0\n16\n"


def test_auto_reserve_takes_the_least_that_holds_the_signal(line, bench):
    bench.signal = 3e-3
    bench.settle()
    line("SENS 20;ARSV")  # 10 mV
    assert line("RMOD?") == "2\n"
    line("SENS 17;ARSV")  # 1 mV
    assert line("RMOD?") == "1\n"
