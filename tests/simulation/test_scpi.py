"""The SCPI tree, on a small instrument of its own."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.simulation.scpi import ScpiInstrument
from stmlab.simulation.scpi_commands import Command, Setting
from stmlab.simulation.scpi_grammar import Block, ScpiError, units
from stmlab.simulation.scpi_values import Boolean, Choice, Integer, Number, Text

LEVEL = "[:SOURce]:VOLTage#[:LEVel][:IMMediate][:AMPLitude]"


class Toaster(ScpiInstrument):
    """Two channels' worth of everything a tree must know."""

    identity = "Kitchen,Toaster,1,0"

    def __init__(self):
        self.blocks = []
        self.changes = []
        super().__init__()

    def settings(self):
        return (
            Setting(LEVEL, Number(0.075, 1.0, "V"), 0.3),
            Setting("[:SOURce]:VOLTage#[:LEVel]:OFFSet", Number(-1, 1, "V"), 0.0),
            Setting("[:SOURce]:FREQuency:RASTer", Number(1.0, 65e9, "HZ"), 64e9),
            Setting(":HEAT:COUNt", Integer(0, 9), 1),
            Setting(":HEAT:STATe", Boolean(), False),
            Setting(":HEAT:MODE", Choice(("SLOW", "FAST", "DIV1", "DIV2", "STSequence", "STSCenario")), "SLOW"),
            Setting(":BREad:NAME", Text(8), "rye"),
        )

    def commands(self):
        yield Command(":BREad:DATA", self._keep, (Integer(0, 9), Integer(0, 9)), optional=1, rest=None)
        yield Command(":BREad:BLOCk", self._keep, rest=list)
        yield Command(":HEAT:NOW", lambda _: None)

    def _keep(self, channel, *values):
        self.blocks.append((channel, *values))

    def changed(self):
        self.changes.append("changed")


@pytest.fixture
def toaster():
    return Toaster()


def talk(toaster, *messages):
    session = toaster.session()
    return b"".join(session.receive(message.encode() + b"\n") for message in messages).decode().splitlines()


def errors(toaster):
    found = []
    while (answer := talk(toaster, "SYST:ERR?")[0]) != '0,"No error"':
        found.append(int(answer.split(",")[0]))
    return found


def spellings():
    """Every way to write the header of the level of channel 2."""
    forms = [["", ":SOUR", ":SOURCE"], [":VOLT2", ":VOLTAGE2"], ["", ":LEV", ":LEVEL"]]
    forms += [["", ":IMM", ":IMMEDIATE"], ["", ":AMPL", ":AMPLITUDE"]]
    return ["".join(parts) for parts in itertools.product(*forms)]


@pytest.mark.parametrize("leading", [True, False], ids=["colon", "no colon"])
@pytest.mark.parametrize("case", [str.upper, str.lower, str.title])
def test_every_spelling_of_a_header_means_the_same(toaster, leading, case):
    for number, header in enumerate(spellings()):
        spelled = case(header if leading else header[1:])
        wanted = 0.1 + number / 1000
        assert talk(toaster, f"{spelled} {wanted}", f"{spelled}?") == [f"{wanted:.15g}"]
    assert talk(toaster, "VOLT?") == ["0.3"]  # channel 1 was left alone
    assert errors(toaster) == []


@pytest.mark.parametrize(
    "header", ["VOL", "VOLTA", "VOLTAG", "VOLTAGES", "SOURC:VOLT", "VOLT:AMPL:LEV", "SYST", "HEAT:MODE1X"]
)
def test_a_spelling_in_between_is_an_undefined_header(toaster, header):
    assert talk(toaster, f"{header}?") == []
    assert errors(toaster) == [-113]


@pytest.mark.parametrize("header", ["VOLT0", "VOLT5", "VOLT12", "HEAT2:MODE", "FREQ2:RAST"])
def test_a_channel_that_is_not_there_is_refused(toaster, header):
    assert talk(toaster, f"{header}?") == []
    assert errors(toaster) == [-114]


def test_a_one_may_stand_behind_every_node(toaster):
    assert talk(toaster, "FREQ1:RAST?", "SOUR1:VOLT2?", "SYST1:ERR1?") == ["64000000000", "0.3", '0,"No error"']


def test_what_follows_a_semicolon_continues_in_the_same_subsystem(toaster):
    assert talk(toaster, "HEAT:MODE FAST;COUN 3;STAT 1;MODE?;COUN?;STAT?") == ["FAST;3;1"]
    assert talk(toaster, ":VOLT2:OFFS 0.5;OFFS?") == ["0.5"]
    assert talk(toaster, "HEAT:MODE DIV2;*OPC?;COUN?") == ["1;3"]  # a common command does not disturb the path
    assert talk(toaster, "HEAT:MODE SLOW;:VOLT 0.7;:VOLT?;:HEAT:MODE?") == ["0.7;SLOW"]
    assert errors(toaster) == []
    assert talk(toaster, "HEAT:MODE FAST;VOLT 0.5") == []  # there is no :HEAT:VOLT
    assert errors(toaster) == [-113]


def test_a_refused_value_costs_only_its_own_command(toaster):
    assert talk(toaster, ":VOLT 2;:VOLT2 0.5;:VOLT?;:VOLT2?") == ["0.3;0.5"]
    assert talk(toaster, "HEAT:COUN 12;MODE FAST;MODE?") == ["FAST"]  # the path is that of the refused command
    assert errors(toaster) == [-222, -222]


def test_an_undefined_header_ends_the_message(toaster):
    assert talk(toaster, ":VOLT2?;:NONSENSE 1;:VOLT2 0.5;:VOLT2?") == ["0.3"]
    assert talk(toaster, ":VOLT2?") == ["0.3"]
    assert errors(toaster) == [-113]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64000000000", 64e9),
        ("6.4E10", 64e9),
        ("+6.4 e+10", 64e9),
        ("64 GHZ", 64e9),
        ("53.76ghz", 53.76e9),
        ("10 MHz", 10e6),  # mega, not milli
        ("10 kHz", 10e3),
        (".5e1", 5.0),
        ("MIN", 1.0),
        ("MAXimum", 65e9),
    ],
)
def test_numbers_as_laboratories_write_them(toaster, text, value):
    assert float(talk(toaster, f"FREQ:RAST {text}", "FREQ:RAST?")[0]) == value
    assert errors(toaster) == []


def test_volts_have_multipliers_too(toaster):
    assert talk(toaster, "VOLT 500 mV", "VOLT?", "VOLT 0.2V", "VOLT?") == ["0.5", "0.2"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("VOLT 500 mA", -131),
        ("VOLT 500 xV", -131),
        ("HEAT:COUN 5 V", -131),
        ("VOLT", -109),
        ("VOLT 0.1,0.2", -108),
        ("VOLT 0.1,", -102),
        ("VOLT ,0.1", -102),
        ("VOLT high", -104),
        ("VOLT nan", -104),
        ("VOLT inf", -104),
        ("VOLT 1e999", -222),
        ("VOLT -", -121),
        ("VOLT #13abc", -104),
        ("VOLT 0.07499", -222),
        ("VOLT 1.00001", -222),
        ("HEAT:COUN 1.5", -222),
        ("HEAT:COUN #HZZ", -121),
        ("HEAT:MODE MEDIUM", -224),
        ("HEAT:MODE STSE", -224),
        ("HEAT:STAT maybe", -104),
        ("BRE:NAME rye", -104),
        ('BRE:NAME "rye', -151),
        ('BRE:NAME "wholemeal bread"', -223),
        ("BRE:BLOC #2xy", -161),
        ("BRE:BLOC", -109),
        ("VOLT!", -103),
        ("?", -101),
        ("::VOLT 1", -101),
        ("*FOO", -113),
        ("HEAT:NOW?", -113),
        ("*IDN", -113),
    ],
)
def test_every_mistake_has_its_number_and_changes_nothing(toaster, command, code):
    before = dict(toaster._values)
    assert talk(toaster, command) == []
    assert errors(toaster) == [code]
    assert toaster._values == before
    assert toaster.blocks == []


def test_other_types_as_they_are_written(toaster):
    assert talk(toaster, "HEAT:COUN #H5", "HEAT:COUN?", "HEAT:COUN #B11", "HEAT:COUN?") == ["5", "3"]
    assert talk(
        toaster, "HEAT:STAT on", "HEAT:STAT?", "HEAT:STAT OFF", "HEAT:STAT?", "HEAT:STAT 7", "HEAT:STAT?"
    ) == list("101")
    assert talk(toaster, "HEAT:MODE sts", "HEAT:MODE?", "HEAT:MODE stscenario", "HEAT:MODE?") == ["STS", "STSC"]
    assert talk(toaster, "BRE:NAME 'a;b,\"c'", "BRE:NAME?") == ['"a;b,""c"']
    assert errors(toaster) == []


def test_arguments_may_be_left_out_from_the_end(toaster):
    talk(toaster, "BRE:DATA 1", "BRE:DATA 1,2", "BRE:DATA 1 , 2", "BRE:DATA", "BRE:DATA 1,2,3")
    assert toaster.blocks == [(1, 1), (1, 1, 2), (1, 1, 2)]
    assert errors(toaster) == [-109, -108]


def test_the_error_queue_keeps_the_first_thirty(toaster):
    talk(toaster, "NONSENSE", *["VOLT 2"] * 28, "HEAT:MODE no")
    talk(toaster, "NONSENSE")  # the thirty-first
    found = errors(toaster)
    assert found == [-113, *[-222] * 28, -350]
    assert errors(toaster) == []


def test_all_connections_share_the_error_queue(toaster):
    talk(toaster, "NONSENSE")
    assert errors(toaster) == [-113]


def test_status_registers_tell_what_kind_of_mistake(toaster):
    assert talk(toaster, "*ESR?") == ["0"]
    talk(toaster, "NONSENSE")
    assert talk(toaster, "*ESR?", "*ESR?") == ["32", "0"]
    talk(toaster, "VOLT 2;*OPC")
    assert talk(toaster, "*ESR?") == ["17"]
    talk(toaster, "VOLT 2", "*ESE 16", "*SRE 36")
    assert talk(toaster, "*STB?") == [str(64 + 32 + 4)]
    assert talk(toaster, "*CLS;*STB?;*ESE?;*SRE?") == ["0;16;36"]
    assert errors(toaster) == []


def test_reset_brings_the_defaults_back(toaster):
    talk(toaster, "VOLT 0.9;:HEAT:MODE FAST;*RST")
    assert talk(toaster, "VOLT?;:HEAT:MODE?;*IDN?") == ["0.3;SLOW;Kitchen,Toaster,1,0"]


def test_time_is_lived_through_before_a_change_and_not_for_a_question(toaster):
    talk(toaster, "VOLT?;*IDN?")
    assert toaster.changes == []
    talk(toaster, "VOLT 0.5")
    assert toaster.changes == ["changed"]


@given(content=st.binary(max_size=200), cuts=st.lists(st.integers(0, 260), max_size=8), name=st.sampled_from(["", "x"]))
def test_a_block_of_any_bytes_arrives_whole_in_pieces_of_any_size(content, cuts, name):
    toaster = Toaster()
    size = str(len(content)).encode()
    message = b"bread:block #%d%s%s, 'a;#14'%s;:VOLT3 0.5;:VOLT3?\r\n" % (
        len(size),
        size,
        content,
        b"" if name else b" ",
    )
    session, answer = toaster.session(), b""
    borders = [0, *sorted(min(cut, len(message)) for cut in cuts), len(message)]
    for start, end in itertools.pairwise(borders):
        answer += session.receive(message[start:end])
    assert answer == b"0.5\n"
    assert toaster.blocks == [(1, [Block(content), "'a;#14'"])]


@given(noise=st.binary(max_size=80).filter(lambda noise: b"#" not in noise))
def test_noise_on_the_line_is_answered_with_errors_and_the_next_question_with_an_answer(noise):
    toaster = Toaster()
    session = toaster.session()
    session.receive(noise)
    assert session.receive(b"\n*IDN?\n").endswith(b"Kitchen,Toaster,1,0\n")


@given(message=st.text("VOLT?:;*#0123456789,.\"'HEATRSMODEIDN \n", max_size=60))
def test_no_message_breaks_the_instrument(message):
    toaster = Toaster()
    toaster.session().receive(message.encode())
    assert talk(toaster, "*CLS;*IDN?") == [toaster.identity]


def test_units_before_a_broken_one_are_handed_out():
    taken = units(b"*RST; :VOLT 1 ;@")
    assert [next(taken).header, next(taken).arguments] == ["*RST", ("1",)]
    with pytest.raises(ScpiError):
        next(taken)
