"""The virtual M8195A: what it understands, what it refuses, and what the bench sees of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.simulation import m8195a_settings
from stmlab.simulation.m8195a import VirtualM8195A
from tests.simulation.generator_bench import GeneratorBench

RAMP = np.tile(np.arange(-128, 128, dtype=np.int8), 5)  # 1280 samples, every code


class Rig:
    """An instrument on its bench and one connection to it."""

    def __init__(self, channel: int = 1) -> None:
        self.bench = GeneratorBench()
        self.instrument = VirtualM8195A(self.bench, channel)
        self.session = self.instrument.session()

    @property
    def panel(self):
        return self.bench.generator

    def send(self, *messages: str | bytes) -> list[str]:
        raw = [message.encode() if isinstance(message, str) else message for message in messages]
        return b"".join(self.session.receive(message + b"\n") for message in raw).decode().splitlines()

    def ask(self, question: str) -> str:
        (answer,) = self.send(question)
        return answer

    def errors(self) -> list[int]:
        found = []
        while (answer := self.ask(":SYST:ERR?")) != '0,"No error"':
            found.append(int(answer.split(",")[0]))
        return found

    def numbers(self, question: str) -> list[int]:
        return [int(number) for number in self.ask(question).split(",")]

    def load(self, samples: np.ndarray, number: int = 1, channel: int = 1, offset: int = 0) -> None:
        self.send(block(f":TRAC{channel}:DATA {number},{offset},", samples))


def block(head: str, samples: np.ndarray) -> bytes:
    content = samples.astype(np.int8).tobytes()
    return f"{head}#{len(str(len(content)))}{len(content)}".encode() + content


@pytest.fixture
def rig():
    return Rig()


@pytest.fixture
def playing(rig):
    """Plays the ramp without trigger."""
    rig.send(":TRAC1:DEF 1,1280", block(":TRAC1:DATA 1,0,", RAMP), ":OUTP1 ON;:INIT:IMM")
    assert rig.errors() == []
    return rig


def test_identity_errors_and_common_commands(rig):
    assert rig.ask("*idn?").startswith("Keysight Technologies,M8195A,")
    assert rig.ask("SYSTEM:ERROR?") == '0,"No error"'
    rig.send(":NONSENSE 1")
    assert rig.ask(":syst:err?") == '-113,"Undefined header"'
    rig.send(":VOLT 2;*CLS")
    assert rig.send("*OPC?", "*ESR?", "*TST?", "*OPT?") == ["1", "0", "0", "004,16G,SEQ"]
    assert rig.errors() == []


def short(pattern: str) -> str:
    """A pattern without what may be left out, for channel 2 if it has channels."""
    while "[" in pattern:
        start, end = pattern.index("["), pattern.index("]")
        pattern = pattern[:start] + pattern[end + 1 :]
    return pattern.replace("#", "2")


OTHER_VALUES = {  # the value to set is none that *RST leaves behind
    m8195a_settings.SELECTED: "7",
    m8195a_settings.RASTER: "53760000001",
}


def other_value(setting) -> str:
    kind = type(setting.type).__name__
    if setting.pattern in OTHER_VALUES:
        return OTHER_VALUES[setting.pattern]
    if kind == "Choice":
        return next(
            setting.type.parse(word) for word in setting.type.words if setting.type.parse(word) != setting.default
        )
    if kind == "Boolean":
        return str(int(not setting.default))
    return setting.type.render(setting.type.high if setting.default != setting.type.high else setting.type.low)


@pytest.mark.parametrize("setting", m8195a_settings.SETTINGS, ids=lambda setting: short(setting.pattern))
def test_every_setting_is_kept_read_back_and_reset(rig, setting):
    header, value = short(setting.pattern), other_value(setting)
    mode = ":INST:DACM FOUR" if setting.pattern == m8195a_settings.MEMORY else ":TRAC2:MMOD INT"
    rig.send(mode, ":TRAC2:DEF 7,1280")
    default = rig.ask(f"{header}?")
    assert default != value
    rig.send(f"{header} {value}")
    assert rig.ask(f"{header}?") == value
    assert rig.errors() == []
    if "#" in setting.pattern:
        assert rig.ask(f"{header.replace('2', '3')}?") == default  # the other channels are not touched
    rig.send("*RST", mode)
    assert rig.ask(f"{header}?") == default


@pytest.mark.parametrize("setting", m8195a_settings.SETTINGS, ids=lambda setting: short(setting.pattern))
def test_every_setting_refuses_what_it_cannot_be(rig, setting):
    header, kind = short(setting.pattern), type(setting.type).__name__
    before = rig.ask(f"{header}?")
    bad = {"Choice": ["NONSENSE"], "Boolean": ["MAYBE"]}.get(kind)
    if bad is None:
        low, high = setting.type.low, setting.type.high
        margins = (1, 1) if kind == "Integer" else (1e-9 * max(1.0, abs(low)), 1e-9 * max(1.0, abs(high)))
        bad = [f"{low - margins[0]:.15g}", f"{high + margins[1]:.15g}"]
    for value in bad:
        rig.send(f"{header} {value}")
    assert rig.errors() == [{"Choice": -224, "Boolean": -104}.get(kind, -222)] * len(bad)
    assert rig.ask(f"{header}?") == before


# -- segments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("memory", "divider", "fewest", "granularity"),
    [("EXT", 1, 1280, 256), ("EXT", 2, 640, 128), ("EXT", 4, 320, 64), ("INT", 1, 1280, 128), ("INT", 4, 1280, 128)],
)
def test_lengths_follow_memory_and_divider(rig, memory, divider, fewest, granularity):
    rig.send(f":TRAC1:MMOD {memory};:INST:MEM:EXT:RDIV DIV{divider}")
    for number, length in enumerate((fewest, fewest + granularity), 1):
        rig.send(f":TRAC1:DEF {number},{length}")
    assert rig.errors() == []
    for length in (fewest - granularity, fewest + 1, fewest + granularity // 2, 0, -256):
        rig.send(f":TRAC1:DEF 9,{length}")
    assert rig.errors() == [-222] * 5
    assert rig.ask(":TRAC1:CAT?") == f"1,{fewest},2,{fewest + granularity}"


def test_internal_memory_holds_so_much_and_no_more(rig):
    rig.send(":TRAC1:MMOD INT", ":TRAC1:DEF 1,262144", ":TRAC1:DEF 2,1280")
    assert rig.errors() == [-225]
    rig.send(":TRAC1:DEL 1", ":TRAC1:DEF 2,1280")
    assert rig.errors() == []
    assert rig.numbers(":TRAC1:FREE?")[:2] == [262144 - 1280, 1280]
    rig.send(":TRAC2:MMOD EXT", f":TRAC2:DEF 1,{(16 << 30) + 256}")
    assert rig.errors() == [-225]


def test_segments_are_defined_listed_and_deleted(rig):
    assert rig.ask(":TRAC1:CAT?") == "0,0"
    rig.send(":TRAC1:DEF 5,1280,-7", ":TRAC1:DEF 2,2560")
    assert [rig.ask(":TRAC:DEF:NEW? 1536,3"), rig.ask(":TRAC:DEF:NEW? 1280")] == ["1", "3"]
    assert rig.ask(":TRAC1:CAT?") == "1,1536,2,2560,3,1280,5,1280"
    assert rig.ask(":TRAC2:CAT?") == rig.ask(":TRAC1:CAT?")
    assert set(rig.numbers(":TRAC1:DATA? 5,0,1280")) == {-7}
    assert set(rig.numbers(":TRAC1:DATA? 1,0,1536")) == {3}
    assert set(rig.numbers(":TRAC1:DATA? 2,0,2560")) == {0}
    rig.send(":TRAC1:DEL 2")
    assert rig.ask(":TRAC1:CAT?") == "1,1536,3,1280,5,1280"
    rig.send(":TRAC1:DEL:ALL")
    assert rig.ask(":TRAC1:CAT?") == "0,0"
    assert rig.errors() == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (":TRAC1:DEF 1,1280", -221),  # it is there already
        (":TRAC1:DEF 2,1280,200", -222),
        (":TRAC1:DEF 2", -109),
        (":TRAC1:DEL 9", -222),
        (":TRAC1:SEL 9", -222),
        (":TRAC1:DATA 9,0,1,2,3", -222),
        (":TRAC1:DATA 1,0", -109),
        (":TRAC1:DATA 1,0,128", -222),
        (":TRAC1:DATA 1,0,1.5", -222),
        (":TRAC1:DATA 1,-1,5", -222),
        (":TRAC1:DATA 1,1279,1,2", -223),
        (":TRAC1:DATA 1,1280,1", -223),
        (":TRAC1:DATA 1,0,#11A,5", -108),
        (":TRAC1:DATA? 1,0,1281", -222),
        (":TRAC1:DATA? 9,0,1", -222),
        (":TRAC5:DEF 1,1280", -114),
        (':TRAC1:NAME 9,"x"', -222),
        (f':TRAC1:NAME 1,"{"x" * 33}"', -223),
        (":STAB:DATA 0,1,2,3", -109),
        (":STAB:DATA 0,0,0,1,1,0,1279", -222),
        (":FREQ:RAST 65.0000001e9", -222),
        (":FREQ:RAST 53.7599999 GHz", -222),
        (":VOLT1 0.0749", -222),
        (":INST:DACM TRIPLE", -224),
        (":INST:MEM:EXT:RDIV DIV3", -224),
    ],
)
def test_every_mistake_has_its_number(rig, command, code):
    rig.send(":TRAC1:DEF 1,1280,11")
    assert rig.send(command) == []
    assert rig.errors() == [code]
    assert rig.ask(":TRAC1:CAT?") == "1,1280"
    assert set(rig.numbers(":TRAC1:DATA? 1,0,1280")) == {11}


@given(
    content=st.lists(st.integers(-128, 127), min_size=1, max_size=300),
    offset=st.integers(0, 1400),
    as_block=st.booleans(),
)
def test_samples_written_at_an_offset_are_read_back_and_the_others_stay(content, offset, as_block):
    rig, samples = Rig(), np.array(content, np.int8)
    rig.send(":TRAC1:DEF 1,1280", block(":TRAC1:DATA 1,0,", RAMP))
    if as_block:
        rig.load(samples, offset=offset)
    else:
        rig.send(f":TRAC1:DATA 1,{offset}," + ",".join(map(str, content)))
    expected = RAMP.copy()
    if offset + samples.size > RAMP.size:
        assert rig.errors() == [-223]
    else:
        expected[offset : offset + samples.size] = samples
    assert rig.numbers(":TRAC1:DATA? 1,0,1280") == expected.tolist()
    assert rig.numbers(":TRAC1? 1,1000,5") == expected[1000:1005].tolist()  # :DATA may be left out
    assert rig.errors() == []
    assert rig.panel.samples.tolist() == expected.tolist()


def test_extended_memory_is_shared_by_the_channels_that_it_sources(rig):
    rig.send(":INST:DACM FOUR;:TRAC3:MMOD INT;:TRAC3:DEF 1,1280,3;:TRAC1:DEF 1,1280,7;:TRAC1:DEF 4,2560")
    assert rig.ask(":TRAC2:CAT?") == rig.ask(":TRAC4:CAT?") == "1,1280,4,2560"
    assert rig.ask(":TRAC3:CAT?") == "1,1280"
    rig.load(RAMP, channel=2)
    assert rig.numbers(":TRAC2:DATA? 1,0,1280") == RAMP.tolist()
    assert {*rig.numbers(":TRAC1:DATA? 1,0,1280"), *rig.numbers(":TRAC4:DATA? 1,0,1280")} == {7}
    rig.send(":TRAC4:SEL 4;ADV COND;COUN 3;MARK 1")
    shared = "4;COND;3;1"
    assert rig.send(*(f":TRAC{channel}:SEL?;ADV?;COUN?;MARK?" for channel in (1, 2, 3))) == [
        shared,
        shared,
        "1;AUTO;1;0",
    ]
    rig.send(":TRAC2:DEL 1")
    assert (rig.ask(":TRAC1:CAT?"), rig.ask(":TRAC3:CAT?")) == ("4,2560", "1,1280")
    rig.send(":TRAC4:DEL:ALL")
    assert (rig.ask(":TRAC1:CAT?"), rig.ask(":TRAC3:CAT?")) == ("0,0", "1,1280")
    rig.send(":TRAC3:DEL:ALL")
    assert rig.errors() == []


def test_a_channel_that_the_mode_gives_no_samples_uses_no_memory(rig):
    assert rig.send(":TRAC1:MMOD?;:TRAC4:MMOD?", ":INST:DACM DUAL;:TRAC4:MMOD?") == ["EXT;NONE", "EXT"]
    rig.send(":TRAC4:MMOD NONE")
    assert rig.errors() == [-224]


def test_samples_are_read_and_written_while_it_is_stopped(playing):
    assert playing.send(":TRAC1:DATA? 1,0,4", ":TRAC1:DATA 1,0,5") == []
    assert playing.errors() == [-221, -221]
    playing.send(":STAB:DYN 1;:TRAC1:DATA 1,0,5;:ABOR")
    assert playing.ask(":TRAC1:DATA? 1,0,2") == "5,-127"
    (answer,) = playing.session.receive(b":TRAC1:DATA:BLOC? 1,0,4\n").splitlines()
    assert answer == b"#14" + bytes([5, 0x81, 0x82, 0x83])
    playing.send(":TRAC1:DEF:WONL 2,1280,3;:TRAC1:DATA? 2,0,1")
    assert playing.errors() == [-221]


@pytest.mark.parametrize("code", [10, 13, 34, 35, 44, 59])
def test_a_block_may_end_with_what_ends_a_line(rig, code):
    rig.send(":TRAC1:DEF 1,1280")
    rig.load(np.full(1280, code))
    assert rig.errors() == []
    assert set(rig.numbers(":TRAC1:DATA? 1,0,1280")) == {code}


@pytest.mark.parametrize("mode", ["MARK", "DCM"])
def test_with_markers_samples_and_marker_bits_alternate_on_channel_one(rig, mode):
    rig.send(f":INST:DACM {mode};:TRAC1:DEF 1,1280")
    data = np.stack((RAMP, np.arange(1280) % 4), axis=1).ravel()
    rig.load(data)
    rig.load(RAMP, channel=2)
    assert rig.numbers(":TRAC1:DATA? 1,0,1280") == data.tolist()
    assert rig.numbers(":TRAC1:DATA? 1,100,3") == data[200:206].tolist()
    assert rig.numbers(":TRAC2:DATA? 1,0,1280") == RAMP.tolist()
    assert rig.panel.samples.tolist() == RAMP.tolist()
    rig.send(":TRAC1:DATA 1,0,1,2,3")
    assert rig.errors() == [-222]


def test_segments_have_names_and_comments(rig):
    rig.send(':TRAC1:DEF 1,1280;NAME 1,"tone; 1 GHz";COMM 1,"for the ""chain"""')
    assert rig.ask(":TRAC1:NAME? 1") == '"tone; 1 GHz"'
    assert rig.ask(":TRAC1:COMM? 1") == '"for the ""chain"""'


# -- what the bench sees -----------------------------------------------------------------------------------------------


def test_the_bench_hears_the_selected_segment(playing):
    panel = playing.panel
    assert panel.samples.tolist() == RAMP.tolist()
    assert (panel.on, panel.running, panel.gated) == (True, True, False)
    assert (panel.sample_rate, panel.full_scale, panel.offset) == (64e9, 0.15, 0.0)
    playing.send(":VOLT 0.9;:VOLT:OFFS -0.2;:FREQ:RAST 60 GHZ;:OUTP1 0")
    assert (panel.sample_rate, panel.full_scale, panel.offset, panel.on) == (60e9, 0.45, -0.2, False)
    playing.send(":ABOR")
    assert not panel.running
    playing.send(":TRAC1:DEF 4,2560,9;SEL 4;:INIT:IMM")
    assert panel.running
    assert panel.samples.tolist() == [9] * 2560
    assert playing.errors() == []


def test_time_is_lived_through_with_the_old_settings(playing):
    playing.send(":VOLT 0.5", ":ABOR")
    volt, abort = playing.bench.lived_through[-2:]
    assert (volt.full_scale, volt.running) == (0.15, True)
    assert (abort.full_scale, abort.running) == (0.25, True)
    before = len(playing.bench.lived_through)
    playing.send(":VOLT?;:TRAC1:CAT?;*IDN?")
    assert len(playing.bench.lived_through) == before


def test_samples_that_somebody_holds_never_change(playing):
    held = playing.panel.samples
    playing.send(":ABOR")
    playing.load(np.full(1280, 5))
    assert held.tolist() == RAMP.tolist()
    assert playing.panel.samples.tolist() == [5] * 1280
    with pytest.raises(ValueError, match="read-only"):
        playing.panel.samples[0] = 1


@pytest.mark.parametrize(
    ("commands", "running", "gated"),
    [
        (":INIT:CONT 1;:INIT:GATE 0", True, False),
        (":INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR TRIG", True, True),
        (":INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR EVEN", False, False),
        (":INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR TRIG;:TRIG:BEG:GATE 1", True, False),
        (":INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR EVEN;:TRIG:BEG:GATE 1", True, False),
        (":INIT:CONT 0;:INIT:GATE 0;:ARM:TRIG:SOUR TRIG", False, False),
        (":INIT:CONT 0;:INIT:GATE 0;:TRIG:BEG", False, False),
        (":TRAC1:ADV COND;:INIT:CONT 0;:INIT:GATE 0;:TRIG:BEG", True, False),
        (":TRAC1:ADV COND;:INIT:CONT 0;:INIT:GATE 0;:TRIG:BEG;:TRIG:ADV", False, False),
    ],
)
def test_when_it_plays(playing, commands, running, gated):
    playing.send(commands)
    assert playing.errors() == []
    assert (playing.panel.running, playing.panel.gated) == (running, gated)


def test_segments_change_only_while_it_is_stopped(playing):
    playing.send(":TRAC1:DEL 1", ":TRAC1:DEL:ALL", ":TRAC1:DEF 2,1280")
    assert playing.errors() == [-221] * 3
    playing.send(":ABOR;:TRAC1:DEL:ALL")
    assert playing.errors() == []
    assert playing.panel.samples.size == 0
    playing.send(":INIT:IMM")
    assert not playing.panel.running  # there is nothing to play


def test_a_change_of_the_divider_stops_it_and_a_segment_that_no_longer_fits_does_not_start(rig):
    rig.send(":INST:MEM:EXT:RDIV DIV4;:TRAC1:DEF 1,320;:OUTP1 1;:INIT:IMM")
    assert rig.panel.running
    assert rig.panel.sample_rate == 16e9
    rig.send(":INST:MEM:EXT:RDIV DIV2")
    assert not rig.panel.running
    rig.send(":INIT:IMM")
    assert rig.errors() == [-221]
    assert not rig.panel.running
    rig.send(":INST:MEM:EXT:RDIV DIV4;:INIT:IMM")
    assert rig.panel.running


def test_internal_memory_is_read_at_the_full_clock(rig):
    rig.send(":INST:MEM:EXT:RDIV DIV4;:TRAC1:MMOD INT")
    assert rig.panel.sample_rate == 64e9


@pytest.mark.parametrize(
    ("cabled", "mode", "source"),
    [
        (1, "SING", 1),
        (4, "DUAL", 4),
        (2, "FOUR", 2),
        (3, "DCD", 1),
        (4, "DCD", 2),
        (2, "SING", None),
        (2, "DUAL", None),
    ],
)
def test_the_cabled_channel_plays_what_the_mode_gives_it(cabled, mode, source):
    rig = Rig(cabled)
    rig.send(f":INST:DACM {mode};:TRAC1:DEF 1,1280")
    for channel in range(1, 5):
        rig.load(np.full(1280, channel), channel=channel)
    rig.send(f":OUTP{cabled} 1;:VOLT{cabled} 0.8;:INIT:IMM")
    assert rig.panel.running is (source is not None)
    assert set(rig.panel.samples.tolist()) == ({source} if source else set())
    assert (rig.panel.on, rig.panel.full_scale) == (True, 0.4)


# -- levels, reference, status, state, files -------------------------------------------------------------------------


def test_high_and_low_are_amplitude_and_offset(rig):
    rig.send(":VOLT3 0.5;:VOLT3:OFFS 0.25")
    assert rig.ask(":VOLT3:LOW?;HIGH?") == "0;0.5"
    rig.send(":VOLT3:HIGH 0.8;LOW 0.2")
    assert [float(value) for value in rig.ask(":VOLT3?;:VOLT3:OFFS?;:VOLT3:TERM?").split(";")] == pytest.approx(
        [0.6, 0.5, 0.0], rel=1e-12, abs=0
    )
    assert rig.errors() == []
    before = rig.ask(":VOLT3?;:VOLT3:OFFS?")
    rig.send(":VOLT3:HIGH 1.3", ":VOLT3:LOW 0.79")
    assert rig.errors() == [-222, -222]
    assert rig.ask(":VOLT3?;:VOLT3:OFFS?") == before


def test_the_reference_has_a_frequency_for_each_range(rig):
    assert rig.ask(":ROSC:FREQ?;RANG?;RNG2:FREQ?") == "100000000;RANG1;1000000000"
    rig.send(":ROSC:RNG2:FREQ 10 GHz;:ROSC:FREQ 250 MHz")
    assert rig.ask(":ROSC:RNG1:FREQ?;:ROSC:RANG?") == "250000000;RANG1"
    rig.send(":ROSC:RANG RANG2")
    assert rig.ask(":ROSC:FREQ?") == "10000000000"
    rig.send(":ROSC:RNG1:FREQ 1 GHz", ":ROSC:RNG3:FREQ 1 GHz")
    assert rig.errors() == [-222, -114]


@pytest.mark.parametrize(("mode", "running"), [("SING", 1), ("DUAL", 9), ("FOUR", 15), ("DCM", 3)])
def test_the_run_status_says_which_channels_run(rig, mode, running):
    rig.send(f":INST:DACM {mode}")
    assert rig.ask(":STAT:OPER:RUN:COND?") == "0"
    rig.send(":INIT:CONT 0;:INIT:GATE 1;:INIT:IMM")
    assert rig.ask(":STAT:OPER:RUN:COND?") == str(running)  # though the gate is closed
    rig.send(":ABOR")
    assert rig.ask(":STAT:OPER:RUN:COND?") == "0"


def test_events_stay_until_they_are_read_and_reach_the_status_byte_where_they_are_enabled(rig):
    rig.send(":STAT:OPER:RUN:ENAB 1;:STAT:OPER:ENAB 256;*SRE 128;:INIT:IMM")
    assert rig.ask("*STB?") == str(128 + 64)
    assert rig.send(":STAT:OPER?", ":STAT:OPER?", ":STAT:OPER:RUN?", ":STAT:OPER:RUN:EVEN?") == ["256", "0", "1", "0"]
    assert rig.ask("*STB?") == "0"
    rig.send(":STAT:OPER:RUN:PTR 0;NTR 1;:ABOR;:INIT:IMM")
    assert rig.ask(":STAT:OPER:RUN?") == "1"  # it has fallen
    rig.send(":ABOR;*CLS")
    assert rig.ask(":STAT:OPER:RUN:EVEN?;ENAB?;NTR?") == "0;1;1"
    rig.send(":STAT:PRES")
    assert rig.ask(":STAT:OPER:RUN:ENAB?;PTR?;NTR?") == "0;65535;0"
    assert rig.ask(":STAT:QUES:VOLT:COND?;:STAT:QUES?") == "0;0"
    assert rig.errors() == []


def test_the_sequencer_says_what_it_does(table):
    state = lambda: int(table.ask(":STAB:SEQ:STAT?"))  # noqa: E731
    assert state() == 0
    table.send(":FUNC:MODE STS;:STAB:SEQ:SEL 2;:INIT:IMM")
    assert divmod(state(), 1 << 25) == (2, 2)
    table.send(":ABOR;:INIT:CONT 0;:INIT:IMM")
    assert divmod(state(), 1 << 25) == (1, 2)
    table.send(":ABOR")
    assert state() == 0


def test_the_state_comes_back_as_it_was_learnt(rig):
    rig.send(":TRAC1:DEF 3,1280;SEL 3;:VOLT2 0.7;:ROSC:RNG2:FREQ 9 GHz;:INIT:CONT 0")
    question = ":TRAC2:SEL?;:VOLT2?;:ROSC:RNG2:FREQ?;:INIT:CONT?"
    before, learnt = rig.ask(question), rig.session.receive(b"*LRN?\n").rstrip(b"\n")
    rig.send("*RST")
    assert rig.ask(question) != before
    rig.send(b":SYST:SET " + learnt)
    assert rig.ask(question) == before
    rig.send(":SYST:SET #14nono")
    assert rig.errors() == [-161]
    assert rig.ask(question) == before


def test_files_are_kept_and_listed(rig):
    rig.send(':MMEM:CDIR "C:\\waves"', b':MMEM:DATA "tone.bin8",#14\n;"\x00', ':MMEM:COPY "tone.bin8","other.bin8"')
    assert rig.session.receive(b':MMEM:DATA? "C:\\waves\\tone.bin8"\n') == b'#14\n;"\x00\n'
    used, free, *files = rig.ask(":MMEM:CAT?").split(",", 2)
    assert (int(used), int(free), files) == (8, (1 << 30) - 8, ['"other.bin8,,4","tone.bin8,,4"'])
    rig.send(':MMEM:MOVE "other.bin8","C:\\else\\other.bin8";:MMEM:DEL "tone.bin8"')
    assert rig.ask(":MMEM:CAT?;CDIR?") == f'4,{(1 << 30) - 4};"C:\\waves"'
    assert rig.ask(':MMEM:CAT? "C:\\else"').endswith('"other.bin8,,4"')
    rig.send(':VOLT2 0.6;:MMEM:STOR:CST "set.up";*RST;:MMEM:LOAD:CST "set.up"')
    assert rig.ask(":VOLT2?") == "0.6"
    rig.send(':MMEM:DEL "tone.bin8"', ':MMEM:DATA "text",12')
    assert rig.errors() == [-256, -161]


def test_the_headers_are_listed(rig):
    listed = rig.session.receive(b":SYST:HELP:HEAD?\n").decode()
    assert {":STATus:OPERation:RUN:CONDition?", ":TRACe[1|2|3|4]:DELete:ALL"} <= set(listed.splitlines())


# -- sequences ---------------------------------------------------------------------------------------------------------

START, SCENARIO_END, END, IDLE = 1 << 28, 1 << 29, 1 << 30, 1 << 31


@pytest.fixture
def table(rig):
    """Segments 1 and 2; a sequence 1 1 2[256:512] from line 0, and one of idling and 2 from line 2."""
    rig.send(":TRAC1:DEF 1,1280,1;DEF 2,1280", block(":TRAC1:DATA 2,0,", RAMP))
    rig.send(f":STAB:DATA 0,{START},3,2,1,0,#HFFFFFFFF", f":STAB:DATA 1,{END},1,1,2,256,511")
    rig.send(f":STAB:DATA 2,{START | IDLE},2,0,-5,2560,0,{END | SCENARIO_END},1,1,2,0,4294967295")
    rig.send(":OUTP1 1")
    assert rig.errors() == []
    return rig


def test_the_sequence_table_is_read_back(table):
    assert table.numbers(":STAB:DATA? 0,6") == [START, 3, 2, 1, 0, 0xFFFFFFFF]
    assert table.numbers(":STAB:DATA? 2,12") == [
        START | IDLE,
        2,
        0,
        -5,
        2560,
        0,
        END | SCENARIO_END,
        1,
        1,
        2,
        0,
        0xFFFFFFFF,
    ]
    table.send(":STAB:RES")
    assert table.numbers(":STAB:DATA? 0,6") == [0, 1, 1, 1, 0, 0xFFFFFFFF]


def test_a_sequence_and_a_scenario_are_played_as_the_table_says(table):
    first = [1] * 2560 + RAMP[256:512].tolist()
    second = [-5] * 2560 + RAMP.tolist()
    table.send(":FUNC:MODE STS;:INIT:IMM")
    assert table.panel.samples.tolist() == first
    assert table.panel.running
    table.send(":ABOR;:STAB:SEQ:SEL 2;:INIT:IMM")
    assert table.panel.samples.tolist() == second
    table.send(":FUNC:MODE STSC;:INIT:IMM")
    assert table.panel.samples.tolist() == first * 3 + second * 2
    table.send(":FUNC:MODE ARB;:INIT:IMM")
    assert table.panel.samples.tolist() == [1] * 1280
    assert table.errors() == []


def test_a_sequence_with_a_gap_or_of_segments_that_are_not_there_does_not_start(table):
    table.send(":FUNC:MODE STS;:STAB:SEQ:SEL 7;:INIT:IMM")
    table.send(f":STAB:DATA 7,{START},1,1,9,0,1279;:INIT:IMM")
    table.send(f":STAB:DATA 7,{START},1,1,2,0,1280;:INIT:IMM")
    table.send(f":STAB:DATA 7,{START | END},1,{1 << 30},2,0,1279;:INIT:IMM")
    assert table.errors() == [-221, -222, -222, -225]
    assert not table.panel.running


def test_sequences_come_from_extended_memory_only(table):
    table.send(":TRAC1:MMOD INT;:FUNC:MODE STS;:INIT:IMM")
    assert table.errors() == [-221]
    assert not table.panel.running
    table.send(":INST:DACM FOUR;:TRAC1:DEF 1,1280,9;:INIT:IMM")  # channels 2 to 4 have extended memory
    assert table.errors() == []
    assert table.panel.samples.tolist() == [9] * 1280
