"""The M8195A driver: the bytes it sends, what the connector shows, what it refuses, how it reports trouble."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pymeasure.test import expected_protocol

from drivers.controls import NotOffered
from drivers.m8195a import M8195A
from stmlab.errors import GarbledAnswer, InstrumentFault, OutOfBounds, SequenceError, StationError, StmlabError
from stmlab.simulation.m8195a import VirtualM8195A
from stmlab.simulation.wire import WireAdapter
from stmlab.station.instruments import Generator, PulsePair
from tests.approximately import close
from tests.drivers.tapped import Tapped
from tests.simulation.generator_bench import GeneratorBench, lines

NO_ERROR = (":SYST:ERR?", '0,"No error"')
PAIR = PulsePair(pump=0.3, probe=0.15, width=2e-9, rise_time=0.2e-9, delay=6e-9, period=50e-9)


class Rig:
    def __init__(self, channel: int = 1) -> None:
        self.bench = GeneratorBench()
        self.virtual = VirtualM8195A(self.bench, channel)
        self.tap = Tapped(self.virtual.session())
        self.driver = M8195A(WireAdapter(self.tap), channel=channel)

    @property
    def panel(self):
        return self.bench.generator

    def uploads(self) -> int:
        return sum(b":DATA " in message for message in self.tap.sent)


@pytest.fixture
def rig():
    return Rig()


def test_it_is_a_generator(rig):
    assert isinstance(rig.driver, Generator)
    assert rig.driver.frequency_range == (1e3, 25e9)


# -- bytes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "command"),
    [
        ("sample_clock", 53760000001.0, ":FREQ:RAST 53760000001"),
        ("divider", 4, ":INST:MEM:EXT:RDIV DIV4"),
        ("dac_mode", "DUAL", ":INST:DACM DUAL"),
        ("memory", "INT", ":TRAC1:MMOD INT"),
        ("function", "STS", ":FUNC:MODE STS"),
        ("segment", 3, ":TRAC1:SEL 3"),
        ("level", 0.123456, ":VOLT1 0.123456"),
        ("offset", -0.5, ":VOLT1:OFFS -0.5"),
        ("output", True, ":OUTP1 1"),
        ("continuous", False, ":INIT:CONT 0"),
        ("gate", True, ":INIT:GATE 1"),
        ("trigger_source", "TRIG", ":ARM:TRIG:SOUR TRIG"),
        ("trigger_level", 1.4, ":ARM:TRIG:LEV 1.4"),
        ("trigger_slope", "NEG", ":ARM:TRIG:SLOP NEG"),
    ],
)
def test_a_control_sends_one_command_and_asks_for_errors(name, value, command):
    rig = Rig()
    rig.virtual.session().receive(b":TRAC1:DEF 3,1280\n")
    setattr(rig.driver, name, value)
    sent, asked, read_back = b"".join(rig.tap.sent).decode("ascii").splitlines()
    assert (sent, asked, read_back) == (command, ":SYST:ERR?", f"{command.split()[0]}?")


def test_controls_are_those_of_the_channel():
    exchange = [(":VOLT4?", "0.3"), (":OUTP4 0", None), NO_ERROR, (":OUTP4?", "0"), (":TRAC4:MMOD?", "EXT")]
    with expected_protocol(M8195A, exchange, channel=4) as driver:
        assert driver.level == 0.3
        driver.output = False
        assert driver.memory == "EXT"


def test_every_control_reads_back_what_was_set(rig):
    rig.virtual.session().receive(b":TRAC1:DEF 3,1280\n")
    settings = {
        **{"sample_clock": 60e9, "dac_mode": "DUAL", "divider": 2, "memory": "EXT", "function": "ARB", "segment": 3},
        **{"level": 0.5, "offset": 0.25, "output": True, "continuous": False, "gate": True, "trigger_source": "TRIG"},
        **{"trigger_level": -1.25, "trigger_slope": "EITH"},
    }
    for name, value in settings.items():
        setattr(rig.driver, name, value)
        assert getattr(rig.driver, name) == value
    snapshot = rig.driver.snapshot()
    assert settings.items() <= snapshot.items()
    assert snapshot["id"].startswith("Keysight Technologies,M8195A")
    assert snapshot["interpolation"] == "NYQ"


def test_a_tone_on_the_wire():
    by_hand = _sine_by_hand(20, 1280)
    exchange = [
        (
            ":ABOR;:FUNC:MODE ARB;:INST:DACM SING;:TRAC1:MMOD INT;:INST:MEM:EXT:RDIV DIV1;"
            ":OUTP1:FILT:FRAT:TYPE ZOH;:FREQ:RAST 64000000000",
            None,
        ),
        (
            b":TRAC1:DEL:ALL;:TRAC1:DEF 16000001,1280,0\n:TRAC1:DATA 16000001,0,#41280"
            + by_hand
            + b"\n:TRAC1:SEL 16000001\n",
            None,
        ),
        NO_ERROR,
        (
            ":VOLT1 0.199825;:VOLT1:OFFS 0;:INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR TRIG;:ARM:TRIG:SLOP POS;"
            ":ARM:TRIG:LEV 1.4;:OUTP1 1;:INIT:IMM",
            None,
        ),
        (
            ":OUTP1?;:STAT:OPER:RUN:COND?;:VOLT1?;:FREQ:RAST?;:VOLT1:OFFS?;:FUNC:MODE?;:INIT:CONT?;:INIT:GATE?;:INST:DACM?;:TRAC1:MMOD?;"
            ":INST:MEM:EXT:RDIV?;:TRAC1:SEL?;:ARM:TRIG:SOUR?;:SYST:ERR?",
            # the instrument may have rounded the level: what it says counts
            '1;1;0.1998;64000000000;0;ARB;0;1;SING;INT;DIV1;16000001;TRIG;0,"No error"',
        ),
    ]
    with expected_protocol(M8195A, exchange) as driver:
        tone = driver.play_tone(1e9, 0.1, gated=True)
    assert tone.frequency == 1e9
    assert tone.amplitude == close(0.1 * 0.1998 / 0.199825, rel=1e-6)


def _sine_by_hand(cycles: int, samples: int) -> bytes:
    values = [127 * math.sin(2 * math.pi * (k * cycles % samples) / samples) for k in range(samples)]
    return bytes(round(value) % 256 for value in values)


# -- what the connector shows ------------------------------------------------------------------------------------------


@given(
    frequency=st.floats(math.log(2e6), math.log(25e9)).map(lambda x: min(math.exp(x), 25e9)),
    share=st.floats(0.01, 1.0),
    gated=st.booleans(),
)
def test_a_tone_has_its_frequency_and_its_amplitude_at_the_connector(frequency, share, gated):
    rig = Rig()
    amplitude = share * rig.driver.largest_amplitude(frequency)
    tone = rig.driver.play_tone(frequency, amplitude, gated=gated)
    line, volts = lines(rig.panel)
    strongest = volts.argmax()
    assert line[strongest] == close(frequency, rel=1e-11)
    assert line[strongest] == close(tone.frequency, rel=1e-15)
    assert volts[strongest] == close(amplitude, rel=1e-5)
    assert tone.amplitude == close(volts[strongest], rel=1e-5)
    assert (rig.panel.on, rig.panel.running, rig.panel.gated) == (True, True, gated)
    assert tone.sample_rate == rig.panel.sample_rate
    assert (tone.samples, tone.cycles) == (rig.panel.samples.size, strongest)


def test_the_converter_is_used_to_the_full_where_the_level_allows(rig):
    for amplitude, most in ((0.45, 127), (0.1, 127), (0.039, 127), (0.030, 102), (0.010, 34), (0.0024, 8)):
        rig.driver.play_tone(1.2345e6, amplitude, gated=False)
        peak = int(np.abs(rig.panel.samples.astype(int)).max())
        assert most - 1 <= peak <= most
        assert lines(rig.panel)[1].max() == close(amplitude, rel=1e-5)
        assert 0.0375 <= rig.panel.full_scale <= 0.5


@pytest.mark.parametrize("frequency", [1e5, 1e9, 7.77e9, 25e9])
def test_the_largest_amplitude_can_be_played_and_falls_with_the_hold(rig, frequency):
    largest = rig.driver.largest_amplitude(frequency)
    tone = rig.driver.play_tone(frequency, largest, gated=False)
    assert tone.amplitude == close(largest, rel=1e-8)
    turns = frequency / tone.sample_rate
    assert largest == close(0.5 * math.sin(math.pi * turns) / (math.pi * turns), rel=3e-3)
    with pytest.raises(OutOfBounds, match="amplitude"):
        rig.driver.play_tone(frequency, largest * 1.0001, gated=False)


@given(
    highest=st.floats(math.log(2e3), math.log(25e9)).map(lambda x: min(math.exp(x), 25e9)), share=st.floats(0.0, 1.0)
)
@example(highest=25e9, share=1.0)
def test_every_tone_up_to_a_frequency_can_have_the_amplitude_that_is_promised_for_all(highest, share):
    driver = Rig().driver
    frequency = max(highest * share, 1e3)
    assert driver.common_amplitude(highest) <= driver.largest_amplitude(frequency)


def test_the_promise_holds_at_whatever_clock_a_tone_takes(rig):
    """At the fast end of a band the slowest clock has the smallest hold: no tone there may have less."""
    for frequency in np.linspace(15e9, 25e9, 400).tolist():
        assert rig.driver.common_amplitude(frequency) <= rig.driver.largest_amplitude(frequency)


def test_the_amplitude_promised_for_all_is_not_much_less_than_the_largest(rig):
    for frequency in (1e4, 1e9, 10e9):
        assert rig.driver.common_amplitude(frequency) > 0.95 * rig.driver.largest_amplitude(frequency)


def test_a_slow_tone_takes_the_divided_clock_and_holds_its_samples(rig):
    tone = rig.driver.play_tone(20e3, 0.2, gated=True)
    assert (tone.divider, tone.cycles, tone.samples) == (4, 1, 672000)
    assert rig.driver.snapshot()["interpolation"] == "ZOH"
    assert rig.driver.memory == "EXT"
    assert lines(rig.panel)[1][1] == close(0.2, rel=1e-5)


def test_planning_sends_nothing(rig):
    plan = rig.driver.plan_tone(1.23e9)
    assert (plan.frequency, plan.amplitude) == (close(1.23e9, rel=1e-12), 0.0)
    rig.driver.largest_amplitude(1.23e9)
    assert rig.tap.sent == []


def test_what_is_in_memory_is_not_sent_again(rig):
    rig.driver.play_tone(1e9, 0.1, gated=True)
    rig.tap.sent.clear()
    rig.driver.play_tone(1e9, 0.3, gated=True)
    assert rig.tap.sent[0].startswith(b":VOLT1 0.599")  # one command, without an interruption
    assert rig.uploads() == 0
    assert lines(rig.panel)[1].max() == close(0.3, rel=1e-5)
    rig.driver.play_tone(1e9, 0.3, gated=False)
    rig.driver.off()
    rig.driver.play_tone(1e9, 0.2, gated=True)
    assert rig.uploads() == 0
    assert (rig.panel.on, rig.panel.running, rig.panel.gated) == (True, True, True)
    assert lines(rig.panel)[1].max() == close(0.2, rel=1e-5)
    rig.driver.play_tone(2e9, 0.2, gated=True)
    assert rig.uploads() == 1


@pytest.mark.parametrize("frequency", [1e6, 1e9])  # from extended memory, from internal memory
def test_what_other_channels_have_in_memory_stays(rig, frequency):
    session = rig.virtual.session()
    session.receive(b":INST:DACM DUAL;:TRAC4:DEF 1,1280,9;:TRAC4:DEF 7,2560;:TRAC4:MMOD INT;:TRAC4:DEF 2,1280,5\n")
    for amplitude in (0.1, 0.2):
        rig.driver.play_tone(frequency, amplitude, gated=False)
        rig.driver.play_tone(2 * frequency, amplitude, gated=False)
    assert rig.panel.running
    rig.driver.off()
    session.receive(b":INST:DACM DUAL\n")
    assert session.receive(b":TRAC4:CAT?;:TRAC4:DATA? 2,0,2\n") == b"2,1280;5,5\n"
    session.receive(b":TRAC4:MMOD EXT\n")
    numbers = session.receive(b":TRAC4:CAT?\n").decode().strip().split(",")
    assert numbers[:4] == ["1", "1280", "7", "2560"]
    assert len(numbers) == (6 if frequency == 1e6 else 4)  # the driver has played four times, and has one segment
    assert session.receive(b":TRAC4:DATA? 1,0,2\n") == b"9,9\n"


def test_a_segment_that_another_program_has_deleted_is_a_fault_once(rig):
    rig.driver.play_tone(1e6, 0.1, gated=False)
    rig.driver.off()
    rig.virtual.session().receive(b":TRAC1:DEL:ALL\n")
    with pytest.raises(InstrumentFault, match="there is no segment 16000001"):
        rig.driver.play_tone(2e6, 0.1, gated=False)
    rig.driver.play_tone(2e6, 0.1, gated=False)
    line, volts = lines(rig.panel)
    assert line[volts.argmax()] == close(2e6, rel=1e-11)


@pytest.mark.parametrize("meddle", ["reset", "clock", "memory", "other"])
def test_what_was_changed_by_hand_is_set_and_sent_again(rig, meddle):
    rig.driver.play_tone(1e9, 0.1, gated=True)
    if meddle == "reset":
        rig.driver.reset()
    elif meddle == "clock":
        rig.driver.sample_clock = 60e9
    elif meddle == "memory":
        rig.driver.off()
        rig.driver.write(":TRAC1:DEL:ALL")
    else:
        rig.driver.offset = 0.2
    tone = rig.driver.play_tone(1e9, 0.1, gated=True)
    line, volts = lines(rig.panel)
    assert line[volts.argmax()] == tone.frequency == 1e9
    assert volts.max() == close(0.1, rel=1e-5)
    assert rig.panel.offset == 0.0


def test_off_stops_playing_and_opens_the_output(rig):
    rig.driver.play_tone(1e9, 0.1, gated=False)
    rig.driver.off()
    assert (rig.panel.on, rig.panel.running) == (False, False)
    with rig.driver:
        rig.driver.play_tone(1e9, 0.1, gated=False)
    assert (rig.panel.on, rig.panel.running) == (False, False)


@pytest.mark.parametrize("channel", [1, 2, 3, 4])
@pytest.mark.parametrize("frequency", [1e6, 3e8, 3e9])
def test_every_channel_plays(channel, frequency):
    rig = Rig(channel)
    rig.driver.play_tone(frequency, 0.1, gated=True)
    line, volts = lines(rig.panel)
    assert line[volts.argmax()] == close(frequency, rel=1e-11)
    assert volts.max() == close(0.1, rel=1e-5)
    assert rig.panel.on


# -- pulses ------------------------------------------------------------------------------------------------------------


def waveform(panel) -> tuple[np.ndarray, np.ndarray]:
    samples = panel.samples.astype(float) / 127 * panel.full_scale
    return np.arange(samples.size) / panel.sample_rate, samples


@given(
    pump=st.floats(0.05, 0.4),
    ratio=st.floats(-1.0, 1.0).filter(lambda r: abs(r) > 0.07),
    delay=st.floats(3e-9, 20e-9),
    period=st.floats(50e-9, 500e-9),
)
def test_pulses_are_where_and_as_large_as_the_driver_says(pump, ratio, delay, period):
    rig = Rig()
    played = rig.driver.play_pulses(PulsePair(pump, ratio * pump, 2e-9, 0.2e-9, delay, period), gated=False)
    time, volts = waveform(rig.panel)
    periods = volts.size / rig.panel.sample_rate / played.period
    assert periods == close(round(periods), rel=1e-12)
    time, volts = time[time < played.period], volts[time < played.period]
    assert volts[np.argmin(np.abs(time - period / 4))] == pytest.approx(played.pump, abs=1e-9)
    assert volts[np.argmin(np.abs(time - period / 4 - delay))] == pytest.approx(played.probe, abs=1e-9)
    assert played.pump == pytest.approx(pump, abs=rig.panel.full_scale / 253.9)
    assert played.probe == pytest.approx(ratio * pump, abs=rig.panel.full_scale / 253.9)
    middles = [
        np.average(time[near], weights=volts[near])
        for near in (time < period / 4 + 1.5e-9, time >= period / 4 + 1.5e-9)
    ]
    assert middles[1] - middles[0] == pytest.approx(played.delay, abs=0.02e-9)
    assert played.delay == close(delay, rel=1e-11)
    assert played.period == close(period, rel=1e-11)
    assert np.abs(rig.panel.samples.astype(int)).max() == 127


def test_the_probe_comes_first_at_a_negative_delay_and_pulses_that_meet_add(rig):
    rig.driver.play_pulses(PulsePair(0.3, -0.15, 2e-9, 0.2e-9, -6e-9, 50e-9), gated=True)
    time, volts = waveform(rig.panel)
    assert time[volts.argmin()] < time[volts.argmax()]
    assert rig.panel.gated
    rig.driver.play_pulses(PulsePair(0.3, 0.15, 2e-9, 0.2e-9, 1e-9, 50e-9), gated=True)
    assert waveform(rig.panel)[1].max() == close(0.45)
    assert rig.driver.play_pulses(PulsePair(0.4, -0.4, 2e-9, 0.2e-9, 0.9e-9, 50e-9), gated=True).probe == close(
        -0.4, rel=0.01
    )


def test_small_pulses_are_scaled_down(rig):
    played = rig.driver.play_pulses(PulsePair(0.010, 0.0, 2e-9, 0.2e-9, 0.0, 50e-9), gated=False)
    assert rig.panel.full_scale == 0.0375
    assert rig.panel.samples.max() == round(127 * 0.010 / 0.0375)
    assert played.pump == close(0.010, rel=0.01)
    assert played.pump == close(waveform(rig.panel)[1].max())
    assert played.probe == 0.0


def test_the_same_pulses_are_not_sent_again(rig):
    rig.driver.play_pulses(PAIR, gated=False)
    rig.driver.play_pulses(PAIR, gated=False)
    rig.driver.play_pulses(PulsePair(0.4, 0.2, PAIR.width, PAIR.rise_time, PAIR.delay, PAIR.period), gated=True)
    assert rig.uploads() == 1


# -- refusals ----------------------------------------------------------------------------------------------------------


def pulses(**change):
    return replace(PAIR, **change)


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda d: d.play_tone(999.0, 0.1, gated=True), "tone frequency"),
        (lambda d: d.play_tone(25.1e9, 0.1, gated=True), "tone frequency"),
        (lambda d: d.play_tone(math.nan, 0.1, gated=True), "tone frequency"),
        (lambda d: d.plan_tone(26e9), "tone frequency"),
        (lambda d: d.largest_amplitude(26e9), "tone frequency"),
        (lambda d: d.play_tone(1e9, 0.51, gated=True), "amplitude at"),
        (lambda d: d.play_tone(25e9, 0.45, gated=True), "amplitude at"),
        (lambda d: d.play_tone(1e9, 0.0023, gated=True), "amplitude at"),
        (lambda d: d.play_tone(1e9, 0.0, gated=True), "amplitude at"),
        (lambda d: d.play_tone(1e9, -0.1, gated=True), "amplitude at"),
        (lambda d: d.play_tone(1e9, math.nan, gated=True), "amplitude at"),
        (lambda d: d.play_tone(1e9, math.inf, gated=True), "amplitude at"),
        (lambda d: d.play_pulses(pulses(pump=0.51), gated=True), "pump and probe together"),
        (lambda d: d.play_pulses(pulses(delay=0.0, pump=0.4), gated=True), "pump and probe together"),
        (lambda d: d.play_pulses(pulses(pump=0.0, probe=0.0), gated=True), "pump and probe together"),
        (lambda d: d.play_pulses(pulses(pump=math.nan), gated=True), "pump and probe together"),
        (lambda d: d.play_pulses(pulses(probe=0.01), gated=True), "size of the probe"),
        (lambda d: d.play_pulses(pulses(pump=0.001, probe=0.0), gated=True), "size of the pump"),
        (lambda d: d.play_pulses(pulses(rise_time=1e-12), gated=True), "rise_time"),
        (lambda d: d.play_pulses(pulses(width=0.1e-9), gated=True), "width"),
        (lambda d: d.play_pulses(pulses(delay=30e-9), gated=True), "delay"),
        (lambda d: d.play_pulses(pulses(period=2e-3), gated=True), "period"),
        (lambda d: setattr(d, "level", 1.01), "level"),
        (lambda d: setattr(d, "level", 0.0749), "level"),
        (lambda d: setattr(d, "sample_clock", 66e9), "sample_clock"),
        (lambda d: setattr(d, "offset", 1.5), "offset"),
        (lambda d: setattr(d, "trigger_level", -4.1), "trigger_level"),
        (lambda d: setattr(d, "divider", 3), "divider"),
        (lambda d: setattr(d, "dac_mode", "TRIPLE"), "dac_mode"),
        (lambda d: setattr(d, "trigger_slope", "UP"), "trigger_slope"),
        (lambda d: setattr(d, "segment", 3.7), "segment"),
        (lambda d: setattr(d, "segment", 0), "segment"),
        (lambda d: setattr(d, "output", 2), "output"),
        (lambda d: setattr(d, "gate", "on"), "gate"),
    ],
)
def test_what_cannot_be_is_refused_by_name_before_anything_is_sent(rig, ask, name):
    with pytest.raises(StmlabError) as refusal:
        ask(rig.driver)
    assert str(refusal.value).startswith(name)
    assert "\n" not in str(refusal.value)
    assert isinstance(refusal.value, OutOfBounds | NotOffered | SequenceError)
    assert rig.tap.sent == []


def test_a_refused_amplitude_says_what_can_be_played(rig):
    with pytest.raises(OutOfBounds) as refusal:
        rig.driver.play_tone(10e9, 0.6, gated=True)
    assert refusal.value.high == rig.driver.largest_amplitude(10e9)
    tone = rig.driver.play_tone(10e9, refusal.value.low * 1.0001, gated=True)
    assert tone.amplitude == close(0.0375 * 8 / 127 * np.sinc(10 / 64), rel=0.05)


def test_long_pulse_trains_at_the_full_clock_need_channel_one():
    long = pulses(period=20e-6, rise_time=0.1e-9)
    with pytest.raises(SequenceError, match="channel 1 has more"):
        Rig(4).driver.play_pulses(long, gated=False)
    Rig(1).driver.play_pulses(long, gated=False)


@pytest.mark.parametrize("channel", [0, 5])
def test_there_is_no_fifth_channel(channel):
    with pytest.raises(StationError, match="channels 1 to 4"):
        M8195A(WireAdapter(Tapped(None)), channel=channel)


def test_after_a_new_connection_nothing_in_memory_is_trusted(rig):
    for _ in range(2):
        rig.driver.play_tone(1e9, 0.1, gated=False)
    assert rig.uploads() == 1
    rig.driver.reconnect()
    rig.driver.play_tone(1e9, 0.1, gated=False)
    assert rig.uploads() == 2


# -- trouble -----------------------------------------------------------------------------------------------------------


def test_the_error_queue_becomes_one_fault_with_the_first_code(rig):
    rig.driver.check_status()
    rig.virtual.session().receive(b":VOLT 2;:TRAC1:SEL 9;:NONSENSE\n")
    with pytest.raises(
        InstrumentFault, match=r"M8195A: Data out of range.*\[then -222 .*, -113 Undefined header\]"
    ) as fault:
        rig.driver.check_status()
    assert fault.value.code == -222
    rig.driver.check_status()  # the queue is empty again


def test_an_error_of_the_instrument_after_a_control_is_raised(rig):
    with pytest.raises(InstrumentFault, match="there is no segment 9") as fault:
        rig.driver.segment = 9
    assert fault.value.code == -222


def test_an_error_beside_a_tone_that_plays_as_asked_is_raised_at_once(rig):
    rig.driver.play_tone(1e9, 0.1, gated=False)
    rig.virtual.session().receive(b":NONSENSE\n")
    with pytest.raises(InstrumentFault, match="Undefined header"):
        rig.driver.play_tone(1e9, 0.05, gated=False)


def test_an_upload_that_is_refused_is_not_taken_for_loaded(rig):
    with pytest.raises(InstrumentFault):
        rig.driver.upload(np.zeros(1000, np.int8))
    rig.driver.play_tone(1e9, 0.1, gated=False)
    assert rig.panel.running


@pytest.mark.parametrize("samples", [np.zeros(1280), np.full(1280, 300), np.zeros((2, 1280), np.int8)])
def test_samples_are_not_forced_into_eight_bits(rig, samples):
    with pytest.raises(SequenceError, match="row of int8"):
        rig.driver.upload(samples)
    assert rig.tap.sent == []


def test_garbage_instead_of_an_error_is_a_lost_instrument():
    with (
        pytest.raises(GarbledAnswer, match="garbage"),
        expected_protocol(M8195A, [(":SYST:ERR?", "garbage")]) as driver,
    ):
        driver.check_status()


def test_an_instrument_that_never_stops_complaining_is_not_listened_to_for_ever():
    with (
        pytest.raises(InstrumentFault) as fault,
        expected_protocol(M8195A, [(":SYST:ERR?", '-350,"Queue overflow"')] * 31) as driver,
    ):
        driver.check_status()
    assert fault.value.code == -350
