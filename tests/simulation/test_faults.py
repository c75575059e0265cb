"""Faults on purpose: each kind does what it says, at the message or time that it says, as often as it says."""

from __future__ import annotations

import math
import struct
import time

import pytest

from stmlab.clock import SimulatedClock
from stmlab.config_files import find
from stmlab.errors import InstrumentLost, StationError
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.frames import HEADER_SIZE, pack_request, unpack_error, unpack_header
from stmlab.nanonis.protocol import pack, unpack
from stmlab.simulation.faults import Fault, read_fault
from stmlab.simulation.microscope import SimulatedMicroscope
from stmlab.station.assembly import simulated_microscope
from stmlab.station.configuration import read_station
from tests.approximately import close

CONFIG = find("simulated").parent


@pytest.fixture
def microscope():
    return SimulatedMicroscope.from_config({}, sample="fe_atom", seed=1, clock=SimulatedClock(), directory=CONFIG)


class Talk:
    """A connection on which every byte that arrives is seen."""

    def __init__(self, microscope, name):
        self.session = microscope.instrument(name).session(f"test:{name}")

    def __call__(self, message):
        return self.session.receive(message.encode("ascii") + b"\n")

    def ask(self, name, *values):
        return self.session.receive(pack_request(name, pack(COMMANDS[name].arguments, values)))

    def value(self, name, *values):
        answer = self.ask(name, *values)
        header = unpack_header(answer[:HEADER_SIZE])
        assert header.name == name
        returned, error = unpack(COMMANDS[name].returns, answer[HEADER_SIZE:])
        assert unpack_error(error) == ""
        return returned


@pytest.fixture
def lockin(microscope):
    talk = Talk(microscope, "sr860")
    assert talk("FREQ 691;HARM 2") == b""
    return talk


@pytest.fixture
def controller(microscope):
    return Talk(microscope, "nanonis")


def arm(microscope, text):
    return microscope.faults.arm(read_fault(text))


# -- description -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"KIND \[INSTRUMENT\] \[KEY=VALUE ...\] is allowed"),
        ("explode sr860", "kind: Input should be 'drop'"),
        ("drop", "'drop' needs an instrument"),
        ("drop sr999", "instrument"),
        ("drop sr860 message=-1", "message: Input should be greater than or equal to 0"),
        ("drop sr860 masage=1", "masage: Extra inputs are not permitted"),
        ("drop sr860 match=(", "match: no regular expression"),
        ("delay sr860", "'delay' needs seconds"),
        ("drift", "'drift' needs a value"),
        ("trip message=2", "'trip' needs an instrument"),
        ("drop sr860 after=nan", "after"),
        ('drop sr860 match="unclosed', "No closing quotation"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_what_is_allowed(text, words):
    with pytest.raises(StationError, match=words):
        read_fault(text)


def test_a_fault_reads_the_same_from_a_station_file_and_from_the_command_line():
    table = {"kind": "drop", "instrument": "nanonis", "match": r"Bias\.Set", "message": 3, "times": 2}
    assert Fault(**table) == read_fault(r"drop nanonis 'match=Bias\.Set' message=3 times=2")


# -- when ------------------------------------------------------------------------------------------------------------


def test_only_the_messages_that_match_are_counted_and_it_happens_as_often_as_it_says(microscope, lockin):
    arm(microscope, "half sr860 match=FREQ message=2 times=2")
    answers = [lockin(message) for message in ("FREQ?", "HARM?", "FREQ?", "FREQ?", "HARM?", "FREQ?")]
    assert answers == [b"691\n", b"2\n", b"69", b"69", b"2\n", b"691\n"]
    assert [(one.kind, one.message, one.client) for one in microscope.faults.happened] == [
        ("half", "FREQ?", "test:sr860")
    ] * 2


def test_messages_without_an_answer_do_not_count_for_a_fault_of_answers(microscope, lockin):
    arm(microscope, "double sr860")
    assert lockin("HARM 3") == b""
    assert lockin("HARM?") == b"3\n3\n"


def test_messages_before_its_time_do_not_count(microscope, lockin):
    arm(microscope, "half sr860 after=1 message=2")
    assert lockin("FREQ?") == lockin("FREQ?") == b"691\n"
    microscope.clock.sleep(1.0)
    assert lockin("FREQ?") == b"691\n"
    assert lockin("FREQ?") == b"69"


def test_it_strikes_until_it_is_disarmed_and_only_its_own_instrument(microscope, lockin):
    number = arm(microscope, "half sr860 times=0")
    assert [lockin("FREQ?") for _ in range(3)] == [b"69"] * 3
    assert Talk(microscope, "m8195a")("*OPC?") == b"1\n"
    assert list(microscope.faults.armed()) == [number]
    microscope.faults.disarm(number)
    assert lockin("FREQ?") == b"691\n"
    with pytest.raises(StationError, match=r"no fault 1 is armed; there are \[\]"):
        microscope.faults.disarm(number)


def test_a_microscope_without_faults_gives_the_same_readings_as_one_whose_faults_never_strike():
    readings = []
    for armed in (False, True):
        microscope = SimulatedMicroscope.from_config(
            {}, sample="fe_atom", seed=1, clock=SimulatedClock(), directory=CONFIG
        )
        if armed:
            arm(microscope, "half sr860 match=NEVER")
        talk = Talk(microscope, "sr860")
        found = []
        for _ in range(20):
            microscope.clock.sleep(0.01)
            found.append(talk("SNAP? X,Y"))
        readings.append(found)
    assert readings[0] == readings[1]


# -- on the wire -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lost", "frequency"), [("false", b"100\n"), ("true", b"691\n")])
def test_drop_closes_the_connection_whether_or_not_the_message_arrived(microscope, lockin, lost, frequency):
    arm(microscope, f"drop sr860 lost={lost}")
    with pytest.raises(ConnectionResetError):
        lockin("FREQ 100")
    assert Talk(microscope, "sr860")("FREQ?") == frequency


def test_a_driver_in_this_process_loses_a_dropped_instrument_until_it_connects_again(microscope):
    adapter = microscope.adapter("sr860")
    arm(microscope, "drop sr860")
    for _ in range(2):
        with pytest.raises(InstrumentLost, match="dropped"):
            adapter.write("*IDN?")
    again = microscope.adapter("sr860")
    again.write("*IDN?")
    assert again.read().startswith("Stanford")


def test_delay_is_of_the_microscopes_time_where_that_moves_by_waiting_only(microscope, lockin):
    arm(microscope, "delay sr860 seconds=3")
    assert lockin("FREQ?") == b"691\n"
    assert microscope.clock.now() == close(3.0)


def test_delay_is_of_the_clients_time_and_holds_up_no_other_connection():
    microscope = SimulatedMicroscope.from_config(
        {}, sample="fe_atom", seed=1, clock=SimulatedClock(50.0), directory=CONFIG
    )
    arm(microscope, "delay sr860 seconds=0.2")
    start = time.perf_counter()
    assert Talk(microscope, "sr860")("HARM?") == b"1\n"
    assert time.perf_counter() - start >= 0.2


def test_garble_changes_bytes_and_neither_length_nor_line_end_and_is_seeded(microscope, lockin, controller):
    found = []
    for seed in (1, 1, 2):
        arm(microscope, f"garble sr860 seed={seed}")
        found.append(lockin("*IDN?"))
    clean = lockin("*IDN?")
    assert found[0] == found[1] != found[2]
    for garbled in found:
        assert len(garbled) == len(clean)
        assert garbled.index(b"\n") == len(clean) - 1
        assert 1 <= sum(a != b for a, b in zip(garbled, clean, strict=True)) <= 8
    arm(microscope, "garble nanonis")
    assert controller.ask("Bias.Get") != (clean := controller.ask("Bias.Get"))
    assert len(clean) == HEADER_SIZE + 12


def test_half_and_double(microscope, controller):
    whole = controller.ask("Bias.Get")
    arm(microscope, "half nanonis")
    assert controller.ask("Bias.Get") == whole[: len(whole) // 2]
    arm(microscope, "double nanonis")
    assert controller.ask("Bias.Get") == whole * 2


def test_swap_sends_the_answer_to_the_previous_question_of_this_connection(microscope, lockin):
    other = Talk(microscope, "sr860")
    other("*IDN?")
    arm(microscope, "swap sr860 match=FREQ")
    assert lockin("HARM?") == b"2\n"
    assert lockin("FREQ?") == b"2\n"
    assert lockin("FREQ?") == b"691\n"


def test_wrong_value_exchanges_the_first_number_and_nothing_else(microscope, lockin, controller):
    arm(microscope, "wrong_value sr860 match=FREQ value=1234.5")
    assert lockin("FREQ?") == b"1234.5\n"
    arm(microscope, "wrong_value sr860 match=SNAP value=0.25")
    true = lockin("FREQ?;HARM?")
    assert true == b"691;2\n"
    first, second = lockin("SNAP? X,Y").split(b",")
    assert float(first) == 0.25
    assert float(second) == float(lockin("SNAP? X,Y").split(b",")[1])
    arm(microscope, "wrong_value nanonis match=Bias value=-0.5")
    assert controller.value("Bias.Get") == (-0.5,)
    assert controller.value("Bias.Get") == (close(0.01),)
    arm(microscope, "wrong_value nanonis match=ZCtrl.OnOffGet")
    assert controller.value("ZCtrl.OnOffGet") == (0,)
    arm(microscope, "wrong_value nanonis match=Signals.ValsGet value=7")
    assert controller.value("Signals.ValsGet", [24, 30], 0)[0].tolist() == [7.0, close(microscope.height())]


def test_wrong_value_without_a_value_is_another_one_of_the_seed(microscope, controller):
    found = []
    for seed in range(6):
        arm(microscope, f"wrong_value nanonis match=Bias.Get seed={seed}")
        found.append(controller.value("Bias.Get")[0])
    assert all(abs(value - 0.01) > 1e-3 for value in found)
    assert len(set(found)) > 1
    arm(microscope, "wrong_value nanonis match=BiasSpectr.PropsGet seed=1")
    wrong, right = controller.value("BiasSpectr.PropsGet"), controller.value("BiasSpectr.PropsGet")
    assert (wrong[0], wrong[1:]) == (1 - right[0], right[1:])


def test_wrong_value_reaches_into_a_block(microscope, lockin):
    lockin("CAPTURELEN 2;CAPTURECFG X;CAPTURESTART ONE,IMM")
    microscope.clock.sleep(10.0)
    arm(microscope, "wrong_value sr860 match=CAPTUREGET value=42")
    wrong, right = lockin("CAPTUREGET? 0,2"), lockin("CAPTUREGET? 0,2")
    start = 2 + int(right[1:2])
    assert wrong[:start] == right[:start]
    assert wrong[start + 4 :] == right[start + 4 :]
    assert struct.unpack_from("<f", wrong, start) == (42.0,)


def test_mute_swallows_everything_on_all_connections_from_then_on(microscope, lockin):
    arm(microscope, "mute sr860 match=HARM")
    assert lockin("FREQ?") == b"691\n"
    assert lockin("HARM?") == b""
    assert lockin("FREQ 100") == b""
    assert Talk(microscope, "sr860")("FREQ?") == b""
    microscope.faults.disarm()
    assert lockin("FREQ?") == b"691\n"


def test_an_error_that_nobody_made_stands_where_the_instrument_keeps_its_errors(microscope, lockin, controller):
    generator = Talk(microscope, "m8195a")
    arm(microscope, "error m8195a match=VOLT")
    assert generator(":VOLT1 0.2") == b""
    assert generator(":VOLT1?;:SYST:ERR?") == b'0.2;-310,"System error"\n'
    arm(microscope, "error sr860")
    lockin("*CLS")
    assert lockin("*ESR?") == b"0\n"  # cleared by the very command
    arm(microscope, "error sr860")
    assert lockin("HARM?") == b"2\n"
    assert lockin("*ESR?") == b"16\n"
    arm(microscope, "error nanonis")
    answer = controller.ask("Bias.Set", 0.05)
    assert unpack_error(answer[HEADER_SIZE:]) == "an error that nobody made"
    assert controller.value("Bias.Get") == (close(0.05),)


# -- instruments and junction ------------------------------------------------------------------------------------------


def test_reset_brings_an_instrument_to_its_power_on_state(microscope, lockin, controller):
    generator = Talk(microscope, "m8195a")
    generator(":VOLT1 0.5;:OUTP1 ON")
    lockin("SLVL 0.1")
    for name in ("sr860", "m8195a"):
        arm(microscope, f"reset {name} message=1")
    assert lockin("SLVL?;FREQ?") == b"0;100000\n"
    assert generator(":OUTP1?") == b"0\n"
    assert not microscope.generator.on
    controller.ask("Bias.Set", 0.05)
    controller.ask("SafeTip.OnOffSet", 1)
    arm(microscope, "reset nanonis")
    assert microscope.true_state().withdrawn
    assert controller.value("Bias.Get") == (0.0,)
    assert controller.value("SafeTip.OnOffGet") == (0,)
    assert controller.value("ZCtrl.OnOffGet") == (0,)


def test_overload_is_seen_once_or_for_as_long_as_it_lasts(microscope, lockin):
    lockin("RSRC INT;IRNG 0;*CLS")
    lockin("LIAS?")
    overload = 1 << 4
    arm(microscope, "overload")
    assert int(lockin("LIAS?")) & overload
    assert not int(lockin("LIAS?")) & overload
    arm(microscope, "overload seconds=1")
    for _ in range(2):
        assert int(lockin("LIAS?")) & overload
    microscope.clock.sleep(1.5)
    lockin("LIAS?")  # it was still overloaded in between
    assert not int(lockin("LIAS?")) & overload


def test_tip_jump_changes_the_conductance_and_not_the_height(microscope, controller):
    controller.ask("ZCtrl.OnOffSet", 0)
    microscope.clock.sleep(0.1)
    before = microscope.true_state()
    arm(microscope, "tip_jump value=5e-11")
    after = microscope.true_state()
    assert after.height == pytest.approx(before.height, abs=1e-20)
    assert after.conductance / before.conductance == close(math.exp(2 * microscope.sample.decay_constant * 5e-11))


def test_tip_jump_at_a_message_happens_before_that_is_carried_out(microscope, controller):
    controller.ask("SafeTip.PropsSet", 0, 0, 1e-9)
    controller.ask("SafeTip.OnOffSet", 1)
    arm(microscope, "tip_jump nanonis match=ZCtrl.StatusGet message=2 value=3e-10")
    assert controller.value("ZCtrl.StatusGet") == (2,)
    assert controller.value("ZCtrl.StatusGet") == (5,)


@pytest.mark.parametrize(("kind", "status"), [("trip", 5), ("withdrawn", 6)])
def test_a_trip_and_a_withdrawal_open_the_loop_and_take_the_tip_to_the_top(microscope, controller, kind, status):
    arm(microscope, f"{kind} after=2")
    assert controller.value("ZCtrl.StatusGet") == (2,)
    microscope.clock.sleep(2.0)
    assert controller.value("ZCtrl.StatusGet")[0] in (status, 1)
    assert controller.value("ZCtrl.OnOffGet") == (0,)
    assert controller.value("ZCtrl.ZPosGet")[0] == close(160e-9)
    assert microscope.true_state().tripped is (kind == "trip")
    assert microscope.true_state().withdrawn
    microscope.clock.sleep(2.0)
    assert controller.value("ZCtrl.StatusGet") == ((5,) if kind == "trip" else (1,))


def test_drift_comes_and_goes(microscope, controller):
    controller.ask("ZCtrl.OnOffSet", 0)
    microscope.clock.sleep(0.1)
    before = microscope.true_state().conductance
    arm(microscope, "drift value=1e-11 seconds=2")
    microscope.clock.sleep(2.0)
    microscope.live()
    grown = microscope.true_state().conductance
    assert grown / before == close(math.exp(2 * microscope.sample.decay_constant * 2e-11))
    microscope.clock.sleep(10.0)
    assert microscope.true_state().conductance == close(grown)


def test_a_stuck_loop_does_not_open_though_the_module_says_so_until_it_is_disarmed(microscope, controller):
    number = arm(microscope, "stuck_closed")
    controller.ask("ZCtrl.OnOffSet", 0)
    microscope.clock.sleep(1.0)
    assert controller.value("ZCtrl.StatusGet") == (1,)
    assert controller.value("ZCtrl.OnOffGet") == (1,)
    assert microscope.true_state().loop_closed
    controller.ask("ZCtrl.Withdraw", 1, -1)  # by the piezo, whatever the loop does
    assert not microscope.true_state().loop_closed
    assert controller.value("ZCtrl.OnOffGet") == (0,)
    controller.ask("ZCtrl.OnOffSet", 1)
    microscope.faults.disarm(number)
    controller.ask("ZCtrl.OnOffSet", 0)
    microscope.clock.sleep(1.0)
    assert controller.value("ZCtrl.OnOffGet") == (0,)


def test_a_stuck_loop_does_not_close_though_the_module_says_so(microscope, controller):
    recorder = microscope.record()
    controller.ask("ZCtrl.Withdraw", 1, -1)
    arm(microscope, "stuck_open nanonis match=ZCtrl.OnOffSet")
    controller.ask("ZCtrl.OnOffSet", 1)
    assert controller.value("ZCtrl.StatusGet") == (2,)
    assert controller.value("ZCtrl.OnOffGet") == (0,)
    assert microscope.true_state().withdrawn
    assert recorder.closings == []


# -- in a station file -------------------------------------------------------------------------------------------------


def microscope_of(folder, faults):
    """What a copy of the simulated station with these tables at its end has."""
    path = folder / "faulty.toml"
    path.write_text(find("simulated").read_text(encoding="utf-8") + faults, encoding="utf-8")
    config, _ = read_station(path)
    return simulated_microscope(config, path, sample=None, seed=None, clock=SimulatedClock())


def test_a_station_file_names_what_goes_wrong(tmp_path):
    microscope = microscope_of(
        tmp_path,
        """
        [[simulation.fault]]
        kind = "half"
        instrument = "sr860"
        message = 2
        [[simulation.fault]]
        kind = "trip"
        after = 1.0
        """,
    )
    lockin = Talk(microscope, "sr860")
    assert [lockin("HARM?"), lockin("HARM?")] == [b"1\n", b"1"]
    microscope.clock.sleep(1.0)
    microscope.live()
    assert microscope.true_state().tripped


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('kind = "trip"\nafter = "soon"', r"simulation.fault.0.after = 'soon'"),
        ('kind = "explode"', r"simulation.fault.0.kind = 'explode'"),
        ('kind = "drop"', r"simulation.fault.0: kind = 'drop' needs an instrument"),
        ('kind = "trip"\nafer = 1', r"simulation.fault.0.afer = 1: this key is not known"),
    ],
)
def test_a_mistake_in_a_station_file_s_fault_is_one_line_with_file_and_key(tmp_path, table, words):
    with pytest.raises(StationError, match=rf"faulty.toml: {words}"):
        microscope_of(tmp_path, f"\n[[simulation.fault]]\n{table}\n")
