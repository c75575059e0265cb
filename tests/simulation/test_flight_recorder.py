"""The flight recorder sees what really happened at the junction."""

from __future__ import annotations

import json
import math

import pytest

from stmlab.clock import SimulatedClock
from stmlab.config_files import find
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.frames import HEADER_SIZE, pack_request
from stmlab.nanonis.protocol import pack, unpack
from stmlab.simulation.microscope import SimulatedMicroscope
from tests.approximately import close

CONFIG = find("simulated").parent


def built(**config):
    return SimulatedMicroscope.from_config(
        {"modulation_divider": 100.0, **config}, sample="fe_atom", seed=1, clock=SimulatedClock(), directory=CONFIG
    )


@pytest.fixture
def microscope():
    return built()


@pytest.fixture
def ask(microscope):
    adapter = microscope.adapter("nanonis")

    def asked(name, *values):
        adapter.write_bytes(pack_request(name, pack(COMMANDS[name].arguments, values)))
        size = int.from_bytes(adapter.read_bytes(HEADER_SIZE)[32:36], "big")
        return unpack(COMMANDS[name].returns, adapter.read_bytes(size))[0]

    return asked


def open_the_loop(microscope, ask):
    ask("ZCtrl.OnOffSet", 0)
    while ask("ZCtrl.OnOffGet") != (0,):
        pass


def play(microscope):
    adapter = microscope.adapter("m8195a")
    for command in (":TRAC1:MMOD INT", ":TRAC1:DEF 1,1280,100", ":TRAC1:SEL 1", ":VOLT1 0.5", ":OUTP1 ON", ":INIT:IMM"):
        adapter.write(command)
    return adapter


def test_it_is_off_and_switching_it_on_is_no_closing(microscope):
    assert microscope.recorder is None
    recorder = microscope.record()
    assert microscope.record() is recorder
    microscope.clock.sleep(1.0)
    microscope.advance()
    assert recorder.closings == []


def test_a_closing_carries_time_bias_setpoint_and_who(microscope, ask):
    recorder = microscope.record()
    open_the_loop(microscope, ask)
    ask("Bias.Set", -0.02)
    ask("ZCtrl.SetpntSet", 3e-10)
    microscope.clock.sleep(0.5)
    ask("ZCtrl.OnOffSet", 1)
    ask("ZCtrl.OnOffSet", 1)  # it is closed already
    (closing,) = recorder.closings
    assert closing.client == "simulation:nanonis"
    assert closing.state.bias == close(-0.02)
    assert closing.state.setpoint == close(3e-10)
    assert closing.state.time == microscope.clock.now()
    assert closing.state.loop_closed
    assert not (closing.state.rf_on or closing.state.modulation or closing.after_trip or closing.after_withdrawal)
    assert json.loads(json.dumps(recorder.as_dict()))["closings"][0]["state"]["setpoint"] == closing.state.setpoint


def test_a_closing_with_the_microwave_and_the_modulation_on_is_seen(microscope, ask):
    recorder = microscope.record()
    open_the_loop(microscope, ask)
    adapter = play(microscope)
    lockin = microscope.adapter("sr860")
    lockin.write("SLVL 0.02")
    ask("ZCtrl.OnOffSet", 1)
    adapter.write(":OUTP1 OFF")
    lockin.write("SLVL 0")
    open_the_loop(microscope, ask)
    ask("ZCtrl.OnOffSet", 1)
    first, second = recorder.closings
    assert first.state.rf_on
    assert first.state.rf_amplitude == close(0.25 * 100 / 127)
    assert first.state.modulation == close(math.sqrt(2) * 0.02 / 100)
    assert not second.state.rf_on
    assert (second.state.rf_amplitude, second.state.modulation) == (0.0, 0.0)


def test_a_closing_after_a_trip_or_a_withdrawal_is_told_from_others(microscope, ask):
    recorder = microscope.record()
    ask("ZCtrl.Withdraw", 1, -1)
    ask("ZCtrl.OnOffSet", 1)
    microscope.instrument("nanonis").trip()
    ask("ZCtrl.OnOffSet", 1)
    open_the_loop(microscope, ask)
    ask("ZCtrl.OnOffSet", 1)
    assert [(c.after_trip, c.after_withdrawal) for c in recorder.closings] == [
        (False, True),
        (True, True),
        (False, False),
    ]


def test_auto_recovery_closes_the_loop_in_its_own_name(microscope, ask):
    recorder = microscope.record()
    ask("SafeTip.PropsSet", 1, 0, 1e-9)
    ask("SafeTip.OnOffSet", 1)
    microscope.jump(2e-10)
    assert ask("ZCtrl.StatusGet") == (5,)
    assert ask("ZCtrl.ZPosGet")[0] == close(160e-9)
    microscope.clock.sleep(2.0)
    assert ask("ZCtrl.OnOffGet") == (1,)
    (closing,) = recorder.closings
    assert closing.client == "SafeTip's auto-recovery"
    assert closing.after_trip


def test_the_extremes_are_those_of_the_junction(microscope, ask):
    recorder = microscope.record()
    microscope.clock.sleep(1.0)
    state = microscope.true_state()
    assert state.current == close(1e-10, rel=1e-6)
    assert state.conductance == close(1e-8, rel=1e-6)
    extremes = recorder.extremes
    assert extremes.conductance == close(state.conductance, rel=0.02)
    assert extremes.least_bias_closed == close(0.01)
    open_the_loop(microscope, ask)
    decay = microscope.sample.decay_constant
    microscope.jump(1e-10)
    microscope.clock.sleep(0.1)
    microscope.advance()
    assert extremes.conductance == close(1e-8 * math.exp(2 * decay * 1e-10), rel=1e-6)
    assert extremes.current == close(1e-10 * math.exp(2 * decay * 1e-10), rel=1e-6)
    ask("Bias.Set", 0.0)
    microscope.clock.sleep(0.1)
    microscope.advance()
    assert extremes.least_bias_closed == close(0.01)  # the loop is open
    assert extremes.conductance < 1.2e-8 * math.exp(2 * decay * 1e-10)  # nothing over nothing is no conductance
    ask("Bias.Set", -0.03)
    microscope.clock.sleep(0.1)
    microscope.advance()
    assert extremes.bias == close(0.03)
    recorder.clear()
    assert (recorder.closings, recorder.extremes.current) == ([], None)


def test_the_loop_closed_at_a_small_bias_drives_the_tip_in_and_is_seen(microscope, ask):
    recorder = microscope.record()
    ask("Bias.Set", 1e-4)
    microscope.clock.sleep(2.0)
    microscope.advance()
    assert recorder.extremes.least_bias_closed == close(1e-4)
    assert recorder.extremes.conductance > 0.9e-6


def test_the_largest_voltage_adds_what_adds_up_at_the_junction(microscope, ask):
    recorder = microscope.record()
    lockin = microscope.adapter("sr860")
    lockin.write("SLVL 0.1")
    play(microscope)  # a constant: nothing of it passes the bias tee
    microscope.clock.sleep(0.1)
    microscope.advance()
    assert recorder.extremes.voltage == close(0.01 + math.sqrt(2) * 1e-3)


def test_it_changes_no_reading():
    readings = []
    for recording in (False, True):
        microscope = built()
        if recording:
            microscope.record()
        found = []
        for _ in range(20):
            microscope.clock.sleep(0.05)
            found.append((microscope.current(), microscope.lockin_output()))
        readings.append(found)
    assert readings[0] == readings[1]


# -- switching the loop off, as the real controller does ---------------------------------------------------------------


def test_the_module_says_off_before_the_real_time_loop_is_open(microscope, ask):
    ask("Util.AcqPeriodSet", 0.001)
    ask("ZCtrl.SwitchOffDelaySet", 0.05)
    start = microscope.clock.now()
    ask("ZCtrl.OnOffSet", 0)
    assert microscope.clock.now() == start  # it returns before the loop is off
    module, real_time = [], []
    while not real_time or real_time[-1]:
        module.append(ask("ZCtrl.StatusGet")[0])
        real_time.append(ask("ZCtrl.OnOffGet")[0])
    assert set(module) == {4, 1}
    assert any(status == 1 and on for status, on in zip(module, real_time, strict=True))
    assert microscope.clock.now() - start == pytest.approx(0.055, abs=0.0025)


@pytest.mark.parametrize("drift", [0.0, 2e-10])
def test_the_tip_is_parked_at_its_mean_height_over_the_delay_plus_the_lift(drift):
    microscope = built(drift=drift)
    panel, clock = microscope.tip, microscope.clock
    panel.setpoint = 2e-10  # the loop is on its way, so that it matters which mean it is
    clock.sleep(0.01)
    microscope.advance()
    panel.switch_off_delay, panel.lift, panel.opens_at = 0.04, 3e-11, clock.now() + 0.05
    clock.sleep(0.5e-4)
    heights = []
    for _ in range(500):  # in the middle of each tenth of a millisecond
        heights.append(microscope.height())
        clock.sleep(1e-4)
    mean = sum(heights[100:]) / 400
    assert microscope.height() == pytest.approx(mean + 3e-11, abs=1e-16)
    assert not panel.feedback
    assert panel.opens_at is None


def test_the_tip_is_parked_at_the_same_place_however_often_it_is_looked_at():
    found = []
    for looks in (1, 7, 100):
        microscope = built(drift=1e-10)
        microscope.tip.setpoint = 1.5e-10
        microscope.tip.switch_off_delay, microscope.tip.opens_at = 0.03, 0.05
        for _ in range(looks):
            microscope.clock.sleep(0.2 / looks)
            microscope.advance()
        found.append((microscope.height(), microscope.true_state().current))
    assert found[1] == close(found[0], rel=1e-9)
    assert found[2] == close(found[0], rel=1e-9)


def test_a_linear_signed_loop_at_the_wrong_sign_or_a_loop_without_a_sensor_drives_the_tip_in(microscope, ask):
    names, active = ask("ZCtrl.CtrlListGet")
    assert names[active] == "log Current"
    for name, bias, safe in (("Current", 0.01, True), ("Current", -0.01, False), ("Frequency Shift", 0.01, False)):
        open_the_loop(microscope, ask)
        ask("ZCtrl.ActiveCtrlSet", names.index(name))
        assert names[ask("ZCtrl.CtrlListGet")[1]] == name
        ask("Bias.Set", bias)
        microscope.record().clear()
        ask("ZCtrl.OnOffSet", 1)
        microscope.clock.sleep(0.3)
        crashed = microscope.true_state().conductance > 2e-8
        assert crashed is not safe
        microscope.instrument("nanonis").withdraw_by_hand()
        ask("ZCtrl.ActiveCtrlSet", 0)
        ask("Bias.Set", 0.01)
        ask("ZCtrl.OnOffSet", 1)
        microscope.clock.sleep(5.0)


def test_nobody_closes_the_loop_after_a_pulse_during_which_the_tip_was_withdrawn(microscope, ask):
    sleep = microscope.clock.sleep
    recorder = microscope.record()

    def withdrawn_meanwhile(seconds):
        sleep(seconds)
        microscope.instrument("nanonis").withdraw_by_hand()

    microscope.clock.sleep = withdrawn_meanwhile
    ask("Bias.Pulse", 1, 0.1, 0.05, 1, 2)
    microscope.clock.sleep = sleep
    assert ask("ZCtrl.OnOffGet") == (0,)
    assert not microscope.tip.feedback
    assert recorder.closings == []


def test_safe_tip_sees_a_current_that_was_there_between_two_questions(microscope, ask):
    """The loop retracts within some tens of milliseconds: whoever asks later finds the setpoint again."""
    ask("SafeTip.PropsSet", 0, 0, 1e-9)
    microscope.jump(2e-10)
    microscope.clock.sleep(1.0)
    assert microscope.current() < 2e-10
    ask("SafeTip.OnOffSet", 1)
    assert ask("ZCtrl.StatusGet") == (2,)  # it was off then
    microscope.jump(2e-10)
    microscope.clock.sleep(1.0)
    assert microscope.current() < 2e-10
    assert ask("ZCtrl.StatusGet") == (5,)
