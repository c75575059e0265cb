"""The virtual SR860 on the wire: grammar, errors, status registers, outputs, panel and capture memory, byte by byte."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.simulation.sr860 import VirtualSR860
from tests.approximately import close
from tests.simulation.lockin_bench import LockInBench

UNDERSTOOD, EXECUTION, COMMAND = 0, 16, 32


class Line:
    """One connection, in text."""

    def __init__(self, instrument):
        self._session = instrument.session()

    def __call__(self, message):
        return self._session.receive(message.encode("ascii") + b"\n").decode("ascii").removesuffix("\n")

    def raw(self, message):
        return self._session.receive(message.encode("ascii") + b"\n")


@pytest.fixture
def bench():
    return LockInBench()


@pytest.fixture
def line(bench):
    return Line(VirtualSR860(bench))


@pytest.mark.parametrize(
    ("message", "query", "answer"),
    [
        ("FREQ 691", "FREQ?", "691"),
        ("freq 691.25", "freq?", "691.25"),
        ("FREQ 1.234567E3", "FREQINT?", "1234.57"),  # 6 digits
        ("FREQ 12 KHZ", "FREQ?", "12000"),
        ("FREQ 0.00123456", "FREQ?", "0.0012"),  # 0.1 mHz
        ("PHAS 270", "PHAS?", "-90"),
        ("Harm 99;FREQ 10", "HARM?", "1"),  # refused at 100 kHz
        ("FREQ 10;HARM 99", "HARM?", "99"),
        ("SLVL 0.12345", "SLVL?", "0.123"),
        ("SLVL 10 MV", "SLVL?", "0.01"),
        ("SOFF -1.2345", "SOFF?", "-1.23"),
        ("RSRC DUAL", "RSRC?", "2"),
        ("RTRG neg", "RTRG?", "2"),
        ("IRNG 30M", "IRNG?", "3"),
        ("IRNG 1", "IRNG?", "1"),
        ("ICPL DC", "ICPL?", "1"),
        ("IGND GROUND", "IGND?", "1"),
        ("OFLT .1E2", "OFLT?", "10"),
        ("SYNC ON", "SYNC?", "1"),
        ("PSTF 3, 17.5", "PSTF? 3", "17.5"),
        ("AUXV 2,-1.2345", "AUXV? 2", "-1.234"),
        ("COUT OCH2,RTH", "COUT? 1", "1"),
        ("COUT OCH2,RTH", "COUT? OCH1", "0"),
        ("CDSP 1, SAMP", "CDSP? 1", "13"),
        ("*ESE 48", "*ESE?", "48"),
        ("*ESE 48;*ESE 4,0", "*ESE?", "32"),
        ("LIAE 3,1", "LIAE? 3", "1"),
        ("CAPTURELEN 5", "CAPTURELEN?", "6"),
        ("CAPTURECFG XYRT", "CAPTURECFG?", "3"),
        ("", "*OPC?", "1"),
        ("", "TBSTAT?", "1"),
    ],
)
def test_what_is_set_is_read_back(line, message, query, answer):
    assert line.raw(message) == b""
    assert line(query) == answer


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("FREQ 691", UNDERSTOOD),
        ("  FREQ   691  ;; HARM 2 ;", UNDERSTOOD),
        ("FREQ 500001", EXECUTION),
        ("FREQ 1 MHZ", EXECUTION),
        ("FREQ 0", EXECUTION),
        ("HARM 100", EXECUTION),
        ("SLVL 2.1", EXECUTION),
        ("SOFF 5.1", EXECUTION),
        ("SCAL 28", EXECUTION),
        ("OFLT -1", EXECUTION),
        ("RSRC 4", EXECUTION),
        ("OUTP? 17", EXECUTION),
        ("AUXV 4, 0", EXECUTION),
        ("CAPTURELEN 4097", EXECUTION),
        ("CAPTUREGET? 0, 65", EXECUTION),
        ("CAPTURERATE 21", EXECUTION),
        ("NONS 1", COMMAND),
        ("FREQ691", COMMAND),
        ("FREQ ?", COMMAND),
        ("FREQ", COMMAND),
        ("FREQ 1, 2", COMMAND),
        ("FREQ ten", COMMAND),
        ("FREQ nan", COMMAND),
        ("FREQ 1 V", COMMAND),
        ("HARM 1.5", COMMAND),
        ("RSRC INTERNET", COMMAND),
        ("PSTF2, 10", COMMAND),  # as pymeasure 0.16 sends it
        ("ADVFIL 1", COMMAND),
        ("SNAP? 1", COMMAND),
        ("SNAP? 1,2,3,4", COMMAND),
        ("OUTP? TH,R", COMMAND),
        ("OUTP? T", COMMAND),  # the capitals of THeta are needed
        ("LIAS 1", COMMAND),
        ("ILVL 1", COMMAND),
        ("*IDN", COMMAND),
        ("CAPTUREGET? 0", COMMAND),
        ("\x7f\x00#", COMMAND),
    ],
)
def test_each_message_leaves_its_error_in_the_standard_event_register(line, message, error):
    assert line.raw(message) == b""
    assert line("*ESR?") == str(error)
    assert line("*ESR?") == "0"


def test_bytes_that_are_no_text_are_a_command_error(bench):
    session = VirtualSR860(bench).session()
    assert session.receive(b"\xff\xfe\n*ESR?\n") == b"32\n"


def test_answers_of_one_message_are_joined_and_an_error_does_not_stop_the_rest(line):
    assert line("*IDN?;BAD;OFLT?;FREQ 1E9;SCAL?") == f"{VirtualSR860.IDENTITY};10;0"
    assert line("*ESR? 4;*ESR? 5;*ESR?") == "1;1;0"


def test_commands_arrive_in_any_pieces_and_from_several_connections(bench):
    instrument = VirtualSR860(bench)
    first, second = instrument.session(), instrument.session()
    assert first.receive(b"FREQ 69") == b""
    assert second.receive(b"OFLT?\r\n") == b"10\n"
    assert second.receive(b"OFLT?\r") == b"10\n"
    assert first.receive(b"1\nFREQ?\nHARM?\n") == b"691\n1\n"
    assert second.receive(b"FREQ?\n") == b"691\n"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_no_line_of_text_brings_the_instrument_down(text):
    line = Line(VirtualSR860(LockInBench()))
    line.raw(text.replace("#", " "))  # an unfinished block would swallow what follows
    line.raw("*CLS")
    assert line("*ESR?;*IDN?") == f"0;{VirtualSR860.IDENTITY}"


def test_the_status_byte_sums_up_the_enabled_registers(line):
    assert line("*STB?") == "0"
    line("*ESE 32;NONS")
    assert line("*STB?") == "32"
    assert line("*SRE 32;*STB?;*STB? 6") == "96;1"
    assert line("*ESR?;*STB?") == "32;0"
    assert line("LIAE 8;RSRC EXT;*STB?") == "8"
    assert line("*CLS;RSRC INT;*CLS;*STB?") == "0"
    assert line("*OPC;*ESR?") == "1"


def test_settings_go_to_the_panel_and_time_before_is_lived_with_the_old_ones(line, bench):
    line("FREQ 691;HARM 2;PHAS 30;OFLT 8;OFSL 3;SYNC 1;ICPL 0;IRNG 2;SLVL 0.1;SOFF -0.5;RSRC 0")
    panel = bench.lockin
    assert (panel.reference_frequency, panel.harmonic, panel.phase) == (691.0, 2, 30.0)
    assert (panel.time_constant, panel.poles, panel.synchronous) == (0.01, 4, True)
    assert (panel.ac_coupled, panel.input_range, panel.sine_voltage, panel.sine_offset) == (True, 0.1, 0.1, -0.5)
    line("*RST;RSRC EXT")
    assert (panel.time_constant, panel.poles, panel.internal_reference) == (0.1, 1, False)
    bench.signal = 1.0
    bench.clock.sleep(0.1)
    line("OFLT 21")  # the first 0.1 s count with the old time constant
    bench.clock.sleep(0.1)
    assert float(line("OUTP? X")) == close(1.0 - math.exp(-1.0), rel=1e-4)


def test_outputs_by_number_and_by_name(line, bench):
    bench.signal = 3e-3 + 4e-3j
    line("OFLT 8;FREQ 691;PHAS 0;SLVL 0.5;SOFF 0.25;AUXV 0,1.5;AUXV 1,-2.5")
    bench.settle()
    values = [float(line(f"OUTP? {i}")) for i in range(17)]
    expected = [3e-3, 4e-3, 5e-3, math.degrees(math.atan2(4, 3)), 0, 0, 0, 0, 0, 0, 1.5, -2.5, 0, 0.5, 0.25, 691, 0]
    assert values == pytest.approx(expected, abs=1e-9)
    names = "X Y R THeta IN1 IN2 IN3 IN4 XNOise YNOise OUT1 OUT2 PHAse SAMp LEVel FInt FExt".split()
    assert [float(line(f"OUTP? {name}")) for name in names] == pytest.approx(expected, abs=1e-9)
    assert line("SNAP? X,th") == line("SNAP? 0,3")
    assert [float(text) for text in line("SNAPD?").split(",")] == close(expected[:4])
    assert float(line("CDSP 2,FINT;OUTR? 2")) == 691.0
    assert line("FREQDET?;FREQEXT?;OAUX? 0") == "691;0;0"


def test_the_noise_is_the_spread_of_the_readings_over_the_root_of_the_bandwidth(line, bench):
    line("OFLT 8")
    for k in range(100):
        bench.signal = (-1) ** k * 1e-3
        bench.settle()
        line("OUTP? X")
    assert float(line("OUTP? XNOISE")) == close(1e-3 / math.sqrt(25.0), rel=0.05)


def test_auto_functions(line, bench):
    bench.signal = cmath.rect(2e-3, 0.7)
    bench.settle()
    line("ASCL;ARNG;APHS")
    bench.settle()
    assert line("SCAL?;IRNG?") == "8;4"
    assert float(line("PHAS?")) == close(math.degrees(0.7))
    assert [float(text) for text in line("SNAP? X,Y").split(",")] == pytest.approx([2e-3, 0.0], abs=1e-12)
    line("OAUT X")
    assert float(line("COFP? X")) == close(100.0)
    assert line("COFA? X") == "1"


def test_overloads_show_now_and_stay_noted_until_read(line, bench):
    assert line("LIAS?;CUROVLDSTAT?") == "0;0"
    bench.signal = 0.02 - 0.03j
    line("SCAL 5")  # 20 mV
    bench.settle()
    bench.signal *= 1.01
    bench.settle()
    channels_1_and_2_and_the_display_of_x_y_r = 1 | 2 | 1 << 8 | 1 << 9 | 1 << 10
    assert line("CUROVLDSTAT?") == str(channels_1_and_2_and_the_display_of_x_y_r)
    assert line("LIAS? 0") == "1"
    bench.signal = 0.0
    bench.settle()
    assert line("CUROVLDSTAT?") == "0"
    assert line("LIAS? 9") == "1"
    assert line("LIAS?;LIAS?") != "0;0"
    assert line("LIAS?") == "0"


def test_the_input_overloads_where_its_range_ends(line, bench):
    line("IRNG 10M")
    bench.signal = 0.0071  # rms; 10.04 mV peak
    bench.clock.sleep(1.0)
    assert line("ILVL?") == "4"
    assert int(line("CUROVLDSTAT?")) & 16
    assert int(line("LIAS?")) & 16
    bench.signal = 0.0035
    bench.settle()
    line("*CLS;LIAS?;CUROVLDSTAT?;LIAS?")
    assert line("CUROVLDSTAT?;LIAS?;ILVL?") == "0;0;1"


def test_an_offset_brings_a_large_output_back_on_scale_and_expanding_off_again(line, bench):
    bench.signal = 0.9
    line("IRNG 0")
    bench.settle()
    line("IRNG 0;CEXP X,X10")
    assert int(line("CUROVLDSTAT?")) & 1
    line("COFP X,85;COFA X,ON")
    assert not int(line("CUROVLDSTAT?")) & 1


def test_without_an_external_reference_there_is_no_lock_and_the_controllers_modulation_is_one(line, bench):
    line("RSRC EXT")
    assert line("CUROVLDSTAT? ") == "8"
    assert line("FREQ?;FREQEXT?") == "0;0"
    bench.tip.modulation_on, bench.tip.modulation_frequency = True, 732.5
    assert line("CUROVLDSTAT?;FREQ?;FREQEXT?") == "0;732.5;732.5"


def test_of_two_lockins_the_one_spoken_to_last_is_connected(bench):
    first, second = Line(VirtualSR860(bench)), Line(VirtualSR860(bench))
    first("FREQ 691")
    assert bench.lockin.reference_frequency == 691.0
    second("FREQ 12")
    assert bench.lockin.reference_frequency == 12.0
    assert first("FREQ?") == "691"
    assert bench.lockin.reference_frequency == 691.0


def block(answer):
    """Content of an IEEE 488.2 block that must be all there is."""
    assert answer[:1] == b"#"
    digits = int(answer[1:2])
    content = answer[2 + digits :]
    assert len(content) == int(answer[2 : 2 + digits])
    return np.frombuffer(content, dtype="<f4")


def step(elapsed, time_constant):
    return 1.0 - np.exp(-elapsed / time_constant)


def test_a_capture_that_runs_once_stops_when_the_memory_is_full(line, bench):
    line("OFLT 8;CAPTURECFG XY;CAPTURELEN 2;CAPTURERATE 3")
    rate = float(line("CAPTURERATE?"))
    assert rate == close(float(line("CAPTURERATEMAX?")) / 8)
    assert line("CAPTURESTAT?;CAPTUREBYTES?") == "0;0"
    line("CAPTURESTART ONE, IMM")
    bench.signal = 0.5 - 0.25j
    bench.clock.sleep(100.5 / rate)
    assert line("CAPTURESTAT?;CAPTUREBYTES?") == "3;800"
    assert line.raw("CAPTUREGET? 0,2") == b""  # not while it runs
    assert line("*ESR?") == "16"
    bench.clock.sleep(1000 / rate)
    assert line("CAPTURESTAT?;CAPTUREBYTES?;CAPTUREPROG?") == "6;2048;2"
    captured = block(line.raw("CAPTUREGET? 0,2")).reshape(-1, 2)
    np.testing.assert_allclose(captured[:, 0], 0.5 * step(np.arange(1, 257) / rate, 0.01), rtol=1e-5)
    np.testing.assert_allclose(captured[:, 1], -0.25 * step(np.arange(1, 257) / rate, 0.01), rtol=1e-5)
    assert [float(text) for text in line("CAPTUREVAL? 3").split(",")] == close(captured[3].tolist())
    assert line("CAPTUREVAL? 256") == "0,0"


def test_a_capture_that_is_stopped_fills_its_last_block_with_zeros(line, bench):
    line("CAPTURECFG X;CAPTURELEN 8;CAPTURERATE 0;CAPTURESTART 0,0")
    bench.signal = 1.0
    bench.clock.sleep(700.5 / float(line("CAPTURERATE?")))
    line("CAPTURESTOP")
    bench.clock.sleep(1.0)
    assert line("CAPTURESTAT?;CAPTUREBYTES?;CAPTUREPROG?") == "2;2800;4"
    captured = block(line.raw("CAPTUREGET? 0,8"))
    assert (captured[:700] > 0).all()
    assert not captured[700:].any()


def test_a_continuous_capture_keeps_the_newest_blocks(line, bench):
    line("CAPTURECFG RT;CAPTURELEN 4;CAPTURERATE 0;CAPTURESTART CONT,IMM")
    rate = float(line("CAPTURERATE?"))
    for k in range(9):
        bench.signal = cmath.rect(0.1 * (k + 1), 0.3)
        bench.clock.sleep(100 / rate)
        line("CAPTUREBYTES?")
    line("CAPTURESTOP")
    size = int(line("CAPTUREBYTES?"))
    assert line("CAPTURESTAT?") == "6"
    assert 2048 < size <= 4096
    captured = block(line.raw("CAPTUREGET? 0,4"))[: size // 4].reshape(-1, 2)
    assert captured[-1].tolist() == close([float(line("OUTP? R")), math.degrees(0.3)], rel=1e-5)
    assert (np.diff(captured[:, 0]) >= 0).all()


def test_a_capture_waits_for_its_trigger(line, bench):
    line("CAPTURECFG X;CAPTURESTART ONE,TRIG")
    bench.clock.sleep(1.0)
    assert line("CAPTURESTAT?;CAPTUREBYTES?") == "0;0"
    line("*TRG")
    bench.clock.sleep(1.0)
    assert line("CAPTURESTAT?") == "3"
    assert int(line("CAPTUREBYTES?")) > 0
    line("CAPTURESTART ONE,SAMP")
    bench.signal = 1.0
    for _ in range(5):
        bench.settle()
        line("*TRG")
    assert line("CAPTUREBYTES?") == "20"
    assert line("CAPTUREVAL? 4;CAPTUREVAL? 5") == "1;0"


def test_the_fastest_rate_is_1_25_megahertz_divided_by_a_power_of_two(line):
    line("OFLT 0")
    assert line("CAPTURERATEMAX?") == "1250000"
    for time_constant in range(22):
        line(f"OFLT {time_constant}")
        exponent = math.log2(1.25e6 / float(line("CAPTURERATEMAX?")))
        assert exponent == pytest.approx(round(exponent), abs=1e-6)


def test_a_telnet_port_greets_with_one_line(bench):
    assert VirtualSR860(bench).greeting.count(b"\n") == 1
    assert VirtualSR860(bench).greeting.endswith(b"\n")
