"""Looks at an instrument, status registers with several listeners, and outputs that are switched off and read back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pymeasure.adapters import ProtocolAdapter
from pymeasure.test import expected_protocol

from drivers.m8195a import M8195A
from drivers.nanonis import Nanonis
from drivers.sr830 import SR830
from drivers.sr860 import SR860
from stmlab.errors import InstrumentFault, InstrumentOverload, OutOfBounds, TipTripped, ValueNotTaken
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.frames import HEADER_SIZE, pack_request, pack_response
from stmlab.nanonis.protocol import pack
from stmlab.simulation.m8195a import VirtualM8195A
from stmlab.simulation.nanonis import VirtualNanonis
from stmlab.simulation.sr830 import VirtualSR830
from stmlab.simulation.sr860 import VirtualSR860
from stmlab.simulation.wire import WireAdapter
from stmlab.station.instruments import ActiveLoop, Device, LoopStatus
from tests.approximately import close
from tests.drivers.tapped import Tapped
from tests.simulation.generator_bench import GeneratorBench
from tests.simulation.lockin_bench import LockInBench
from tests.simulation.tunnel_bench import TunnelBench


class Rig:
    """A driver on a virtual instrument, and what is sent between them."""

    def __init__(self, driver, virtual, bench) -> None:
        self.bench, self.virtual = bench, virtual(bench)
        self.tap = Tapped(self.virtual.session())
        self.driver = driver(WireAdapter(self.tap))

    def questions(self, action) -> int:
        before = len(self.tap.sent)
        action()
        return len(self.tap.sent) - before


RIGS = {
    "SR860": lambda: Rig(SR860, VirtualSR860, LockInBench()),
    "SR830": lambda: Rig(SR830, VirtualSR830, LockInBench()),
    "M8195A": lambda: Rig(M8195A, lambda bench: VirtualM8195A(bench, 1), GeneratorBench()),
    "Nanonis": lambda: Rig(Nanonis, VirtualNanonis, TunnelBench()),
}


@pytest.mark.parametrize("model", RIGS)
def test_a_round_of_looks_reads_every_watched_property_as_the_driver_does(model):
    rig = RIGS[model]()
    assert isinstance(rig.driver, Device)
    look = rig.driver.look(rig.driver.BY_TURNS)
    assert (look.reports, look.changed_itself) == ((), {})
    seen = dict(look.values)
    assert set(seen) == set(rig.driver.WATCHED)
    for name, value in seen.items():
        if hasattr(type(rig.driver), name) and name not in ("current", "status"):
            assert rig.driver.agrees(name, getattr(rig.driver, name), value)


@pytest.mark.parametrize(
    ("model", "least", "most", "mean", "everything"),
    [("SR860", 1, 1, 1.0, 3), ("M8195A", 1, 1, 1.0, 1), ("SR830", 1, 1, 1.0, 2), ("Nanonis", 2, 10, 4.1, 24)],
)
def test_a_look_costs_few_messages(model, least, most, mean, everything):
    rig = RIGS[model]()
    rig.driver.look(rig.driver.BY_TURNS)  # names and ranges are asked once
    costs = [rig.questions(lambda name=name: rig.driver.look([name])) for name in rig.driver.BY_TURNS]
    assert rig.questions(rig.driver.look) == least
    assert max(costs) <= most
    assert sum(costs) / len(costs) <= mean
    assert rig.questions(lambda: rig.driver.look(rig.driver.BY_TURNS)) <= everything
    most_in_one = max(message.count(b";") for message in rig.tap.sent) + 1
    assert most_in_one <= (14 if model == "M8195A" else 10), "buffers are short"
    rig.driver.close()


@pytest.mark.parametrize(
    ("model", "name", "change", "value"),
    [
        ("SR860", "harmonic", b"HARM 2\n", 2),
        ("SR860", "sine_offset", b"SOFF 0.5\n", 0.5),
        ("SR860", "aux_out_2", b"AUXV 1, 3\n", 3.0),
        ("SR830", "reserve", b"RMOD 0\n", "High Reserve"),
        ("SR830", "aux_out_4", b"AUXV 4,3\n", 3.0),
        ("M8195A", "output", b":OUTP1 1\n", True),
        ("M8195A", "offset", b":VOLT1:OFFS 0.1\n", 0.1),
    ],
)
def test_what_another_hand_changes_is_seen_within_a_round(model, name, change, value):
    rig = RIGS[model]()
    rig.virtual.session().receive(change)
    assert name in rig.driver.WATCHED
    assert rig.driver.look([name] if name in rig.driver.BY_TURNS else []).values[name] == value


# -- status registers --------------------------------------------------------------------------------------------------


def test_what_a_look_has_read_is_told_by_check_status_too():
    answers = [("SLVL?;LIAS?", "0;9"), ("LIAS?;CUROVLDSTAT?;ERRS?;*ESR?", "0;0;0;0")]
    with expected_protocol(SR860, answers) as lockin:
        look = lockin.look()
        assert look.reports == ("no lock to the external reference",)  # an overload spoils readings, not the run
        with pytest.raises(InstrumentOverload, match=r"channel 1 exceeds.*no lock"):
            lockin.check_status()


def test_what_check_status_has_read_is_told_by_a_look_too_and_once():
    check, look = "LIAS?;CUROVLDSTAT?;ERRS?;*ESR?", ("SLVL?;LIAS?", "0;0")
    with expected_protocol(SR860, [(check, "8;0;0;0"), look, look, (check, "0;0;0;0")]) as lockin:
        with pytest.raises(InstrumentFault, match="no lock"):
            lockin.check_status()
        assert lockin.look().reports == ("no lock to the external reference",)
        assert lockin.look().reports == ()
        lockin.check_status()


def test_forgetting_what_happened_costs_the_others_nothing():
    answers = [
        ("LIAS?;ERRS?;*ESR?", "8;0;16"),
        ("LIAS?;CUROVLDSTAT?;ERRS?;*ESR?", "0;0;0;0"),
        ("SLVL?;LIAS?", "0;0"),
    ]
    with expected_protocol(SR860, answers) as lockin:
        lockin.clear()
        lockin.check_status()
        assert lockin.look().reports == ("no lock to the external reference",)


@pytest.mark.parametrize(("bit", "names"), [("16", {"filter_synchronous", "time_constant"}), ("32", {"time_constant"})])
def test_what_the_sr830_changes_by_itself_is_told_until_it_has_been_read_and_made_sure_of(bit, names):
    """Manual p. 5-23: bits 4 and 5 of the lock-in status."""
    rig = RIGS["SR830"]()
    answer = rig.tap.receive
    rig.tap.receive = lambda data: (answer(data), bit.encode() + b"\n")[1] if data == b"LIAS?\n" else answer(data)
    assert set(rig.driver.look().changed_itself) == names
    rig.tap.receive = answer
    others = [rig.driver.look([name]).changed_itself for name in rig.driver.BY_TURNS if name not in names]
    assert all(set(told) == names for told in others)
    assert all("5-23" in why for why in others[0].values())
    readings = [rig.driver.look(tuple(names)).changed_itself for _ in range(4)]
    assert [set(told) for told in readings] == [names, names, names, set()]


def test_the_sr830_reads_what_changes_itself_together_with_the_status_that_says_so():
    with expected_protocol(SR830, [("OFLT?;LIAS?", "10"), (None, "32")]) as lockin:
        look = lockin.look(["time_constant"])
    assert look.values == {"time_constant": 1.0}
    assert set(look.changed_itself) == {"time_constant"}


def test_the_sr830_is_asked_once_while_it_carries_out_a_command():
    with expected_protocol(SR830, [("APHS", None), ("*STB? 1", "1")]) as lockin:
        lockin.auto_phase()


def test_an_error_in_the_generators_queue_is_told_by_look_and_check():
    rig = RIGS["M8195A"]()
    rig.virtual.session().receive(b":NONSENSE\n")
    assert rig.driver.look().reports == ("Undefined header (error -113)",)
    assert rig.driver.look().reports == ()
    with pytest.raises(InstrumentFault, match="Undefined header") as fault:
        rig.driver.check_status()
    assert fault.value.code == -113
    rig.driver.check_status()


# -- outputs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "least"), [("SR860", 0.0), ("SR830", 0.004)])
def test_the_outputs_of_a_lockin_go_to_their_least(model, least):
    rig = RIGS[model]()
    rig.driver.sine_voltage = 0.5
    assert not rig.driver.quiet()
    rig.driver.outputs_off()
    assert rig.driver.quiet()
    assert (rig.driver.least_sine_voltage, rig.bench.lockin.sine_voltage) == (least, close(least))


def test_the_level_of_the_sine_goes_to_zero_even_if_the_sine_does_not_take():
    exchange = [("SLVL 0", None), ("SLVL?", "0.5"), ("SOFF 0", None), ("SOFF?", "0")]
    with expected_protocol(SR860, exchange) as lockin, pytest.raises(ValueNotTaken, match="sine_voltage"):
        lockin.outputs_off()


def test_a_level_keeps_the_lockin_from_being_quiet():
    rig = RIGS["SR860"]()
    rig.driver.outputs_off()
    rig.driver.sine_offset = 0.1
    assert not rig.driver.quiet()


def test_the_sr830_has_no_level_to_set():
    rig = RIGS["SR830"]()
    rig.driver.sine_offset = 0.0
    with pytest.raises(OutOfBounds, match="no DC level"):
        rig.driver.sine_offset = 0.1


def test_the_generator_is_off_when_every_channel_is_open():
    rig = RIGS["M8195A"]()
    assert rig.driver.is_off()
    assert rig.driver.confirmed == {}
    tone = rig.driver.play_tone(1e9, 0.1, gated=True)
    assert not rig.driver.is_off()
    confirmed = rig.driver.confirmed
    assert (confirmed["output"], confirmed["gate"], confirmed["continuous"]) == (True, True, False)
    assert confirmed["sample_clock"] == tone.sample_rate * tone.divider
    look = rig.driver.look(rig.driver.BY_TURNS)
    assert all(rig.driver.agrees(name, confirmed[name], look.values[name]) for name in look.values)
    rig.virtual.session().receive(b":OUTP3 1\n")
    rig.driver.off()
    assert rig.driver.is_off()
    assert rig.driver.confirmed == {"output": False, "running": False}
    rig.virtual.session().receive(b":OUTP3 1\n")
    assert not rig.driver.is_off()


def test_an_output_that_stays_closed_is_a_fault():
    asked = ":OUTP1?;:OUTP2?;:OUTP3?;:OUTP4?;:STAT:OPER:RUN:COND?"
    exchange = [(":ABOR;:OUTP1 0;:OUTP2 0;:OUTP3 0;:OUTP4 0", None), (asked, "0;1;0;0;0")]
    with expected_protocol(M8195A, exchange) as driver, pytest.raises(ValueNotTaken, match="output of channel 2"):
        driver.off()


@pytest.mark.parametrize(
    ("position", "wrong", "name"),
    [(0, "0", "output"), (1, "0", "running"), (2, "0.3", "level"), (3, "60000000000", "sample_clock")],
)
def test_a_tone_that_does_not_play_as_it_was_set_is_a_fault(position, wrong, name):
    rig = RIGS["M8195A"]()
    answer = rig.tap.receive

    def other(data):
        reply = answer(data)
        if data.startswith(b":OUTP1?;"):
            parts = reply.split(b";")
            parts[position] = wrong.encode()
            reply = b";".join(parts)
        return reply

    rig.tap.receive = other
    with pytest.raises(ValueNotTaken, match=name):
        rig.driver.play_tone(1e9, 0.1, gated=False)
    assert rig.driver.confirmed == {}


# -- the tip -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def rig():
    return RIGS["Nanonis"]()


def test_the_state_of_the_tip_is_where_it_is(rig):
    state = rig.driver.state
    assert (state.loop, state.status) == (True, LoopStatus.ON)
    assert (state.bias, state.setpoint, state.current) == close((0.01, 1e-10, 1e-10))
    assert (state.lower_limit, state.upper_limit) == (-160e-9, 160e-9)
    assert (state.switch_off_delay, state.tip_lift) == (0.05, 0.0)
    assert state.height == close(rig.bench.height())


def test_a_tip_is_withdrawn_when_the_loop_is_open_and_it_is_at_the_top(rig):
    assert not rig.driver.is_withdrawn(rig.driver.state)
    rig.driver.feedback = False
    assert not rig.driver.is_withdrawn(rig.driver.state)
    rig.driver.withdraw()
    assert rig.driver.is_withdrawn(rig.driver.state)
    rig.driver.feedback = True
    assert not rig.driver.is_withdrawn(rig.driver.state)


def test_a_tip_at_the_top_with_the_loop_closed_is_not_withdrawn(rig):
    state = rig.driver.state
    at_the_top = replace(state, loop=False, height=state.upper_limit - 1e-10)
    assert rig.driver.is_withdrawn(at_the_top)
    assert not rig.driver.is_withdrawn(replace(at_the_top, loop=True))
    assert not rig.driver.is_withdrawn(replace(at_the_top, height=state.upper_limit - 1e-8))


def test_names_and_modulators_are_asked_anew_of_a_new_connection(rig):
    def asked(name):
        return sum(data.startswith(name) for data in rig.tap.sent)

    for _ in range(2):
        rig.driver.look()
        rig.driver.modulation_is_off()
    assert asked(b"Signals.NamesGet") == 1
    modulators = asked(b"LockIn.ModOnOffGet")
    rig.driver.reconnect()
    rig.driver.look()
    rig.driver.modulation_is_off()
    assert asked(b"Signals.NamesGet") == 2
    assert asked(b"LockIn.ModOnOffGet") == modulators + 16  # which there are, and whether they are on


def test_a_trip_is_seen_by_the_next_look_and_told_as_what_it_is(rig):
    rig.driver.set_safe_guard(threshold=1e-9)
    guard = rig.driver.safe_guard
    assert (guard.on, guard.auto_recovery, guard.threshold) == (True, False, close(1e-9))
    rig.bench.law = lambda height: 5e-9
    look = rig.driver.look()
    assert look.values["status"] == "tripped"
    assert any("SafeTip has tripped" in report for report in look.reports)
    with pytest.raises(TipTripped):
        rig.driver.check_status()
    assert not TipTripped.transient


def test_a_current_at_the_end_of_its_range_is_reported(rig):
    rig.bench.law = lambda height: 1e-8
    assert any("end of the preamplifier's range" in report for report in rig.driver.look().reports)


def test_the_controllers_own_modulators_are_all_switched_off(rig):
    assert rig.driver.modulation_is_off()
    rig.driver.lockin.modulator(1).on = True
    assert not rig.driver.modulation_is_off()
    rig.driver.modulation_off()
    assert rig.driver.modulation_is_off()
    assert not rig.bench.tip.modulation_on


def refusing(rig, name, times):
    """Let the controller refuse the first ``times`` requests of this name."""
    answer, left = rig.tap.receive, [times]

    def receive(data):
        if data.startswith(name) and left[0]:
            left[0] -= 1
            return pack_response(name.decode(), pack(COMMANDS[name.decode()].returns, [0]), "no")
        return answer(data)

    rig.tap.receive = receive


def test_a_modulator_is_there_although_the_controller_has_refused_once_to_tell(rig):
    rig.driver.lockin.modulator(1).on = True
    refusing(rig, b"LockIn.ModOnOffGet", 1)
    assert not rig.driver.modulation_is_off()


def test_a_controller_without_a_lockin_modulates_nothing(rig):
    refusing(rig, b"LockIn.ModOnOffGet", 1000)
    assert rig.driver.lockin.modulators == ()
    assert rig.driver.modulation_is_off()
    rig.driver.modulation_off()


@pytest.mark.parametrize(
    ("listed", "loop"),
    [
        ("log Current", ActiveLoop("log Current", "Current", logarithmic=True, absolute=False)),
        ("abs Current", ActiveLoop("abs Current", "Current", logarithmic=False, absolute=True)),
        ("Current", ActiveLoop("Current", "Current", logarithmic=False, absolute=False)),
        ("Frequency Shift", ActiveLoop("Frequency Shift", "Frequency Shift", logarithmic=False, absolute=False)),
    ],
)
def test_the_active_loop_says_what_its_setpoint_is(listed, loop):
    request = pack_request("ZCtrl.CtrlListGet", b"")
    answer = pack_response("ZCtrl.CtrlListGet", pack(COMMANDS["ZCtrl.CtrlListGet"].returns, [("other", listed), 1]))
    active = Nanonis(ProtocolAdapter([(request, answer)])).active_loop
    assert active == loop
    assert active.of_current == ("Current" in listed)
    assert active.signed == (listed in ("Current", "Frequency Shift"))


def test_z_limits_are_enabled_before_they_are_set_and_read_back(rig):
    rig.driver.height_limits = (-1e-8, 2e-8)
    sent = [data[:32].rstrip(b"\0").decode() for data in rig.tap.sent]
    assert sent == [f"ZCtrl.{name}" for name in ("LimitsEnabledSet", "LimitsSet", "LimitsEnabledGet", "LimitsGet")]
    assert rig.driver.height_limits == (-1e-8, 2e-8)


def test_limits_that_do_not_take_are_a_fault(rig):
    answer = rig.tap.receive
    rig.tap.receive = lambda data: b"" if data.startswith(b"ZCtrl.LimitsSet") else answer(data)
    rig.tap.receive = lambda data: (
        pack_response("ZCtrl.LimitsSet", b"") if data.startswith(b"ZCtrl.LimitsSet") else answer(data)
    )
    with pytest.raises(ValueNotTaken, match="Z limit"):
        rig.driver.height_limits = (-1e-8, 2e-8)


def test_a_sweep_holds_the_loop_shows_no_dialog_and_is_read_back(rig):
    driver = Nanonis(rig.driver.adapter, lockin_signals=("LI Demod 1 X (A)", "LI Demod 1 Y (A)"))
    driver.sweep_bias(-0.02, 0.02, 5, settling=1e-3, integration=1e-3, slew=1.0, backward=False)
    assert driver.spectroscopy.z_hold
    assert driver.spectroscopy.reset_bias
    sent = {data[:32].rstrip(b"\0").decode(): data[HEADER_SIZE:] for data in rig.tap.sent}
    assert sent["BiasSpectr.AdvPropsSet"] == bytes([0, 1, 0, 1, 0, 0, 0, 2])  # bias back, loop open, -, no own lock-in
    assert sent["BiasSpectr.PropsSet"][-2:] == bytes([0, 2])  # no dialog


def test_a_sweep_that_would_not_hold_the_loop_does_not_start(rig):
    driver = Nanonis(rig.driver.adapter, lockin_signals=("LI Demod 1 X (A)", "LI Demod 1 Y (A)"))
    driver.spectroscopy.set_advanced(z_hold=False)
    answer = rig.tap.receive
    rig.tap.receive = lambda data: (
        pack_response("BiasSpectr.AdvPropsSet", b"") if data.startswith(b"BiasSpectr.AdvPropsSet") else answer(data)
    )
    with pytest.raises(ValueNotTaken, match="loop open was set to True and reads False"):
        driver.sweep_bias(-0.02, 0.02, 5, settling=1e-3, integration=1e-3, slew=1.0, backward=False)
    assert not any(data.startswith(b"BiasSpectr.Start") for data in rig.tap.sent)


@pytest.mark.parametrize("name", ["bias", "setpoint"])
def test_an_output_of_the_controller_that_does_not_take_is_a_fault(rig, name):
    answer = rig.tap.receive
    command = {"bias": b"Bias.Set\0", "setpoint": b"ZCtrl.SetpntSet\0"}[name]
    rig.tap.receive = lambda data: (
        pack_response(command.rstrip(b"\0").decode(), b"") if data.startswith(command) else answer(data)
    )
    with pytest.raises(ValueNotTaken, match=f"{name} was set to") as fault:
        setattr(rig.driver, name, {"bias": 0.05, "setpoint": 3e-10}[name])
    assert fault.value.instrument == "Nanonis"
