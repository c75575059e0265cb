"""The safe and the hold state on the simulated microscope, judged by its flight recorder."""

import pytest

from stmlab.config_files import find
from stmlab.errors import StmlabError, TipTripped, TipWithdrawn
from stmlab.simulation.faults import Fault
from stmlab.station import Station
from stmlab.station.configuration import StationConfig, read_station
from stmlab.station.safe_report import Ending, Loop
from tests.approximately import close

BIAS, SETPOINT = 8e-3, 0.4e-9  # of the imagined run: 50 nS
LARGEST = 1.3 * SETPOINT / BIAS  # conductance: it grows with the bias by itself


def load(**safe):
    """The simulated station, its flight recorder on."""
    config, text = read_station(path := find("simulated"))
    tables = config.model_dump(mode="python")
    tables["safe"] |= safe
    station = Station(StationConfig.model_validate(tables), text, path, sample="fe_atom", seed=3)
    station.simulation.record()
    return station


@pytest.fixture
def station():
    with load() as found:
        yield found


def sweep(station, bias=-5e-3):
    """As in the middle of a spectrum: stabilised at the setpoint, loop open, microwave and modulation on."""
    station.prepare_outputs()
    station.tip.feedback = False
    station.bias.bias = BIAS
    station.tip.setpoint = SETPOINT
    station.tip.feedback = True
    station.clock.sleep(1.0)
    station.tip.feedback = False
    station.bias.bias = bias
    station.lockin.sine_voltage = 0.02
    station.generator.play_tone(1e9, 0.05, gated=False)
    assert station.simulation.true_state().rf_on
    station.simulation.record().clear()


def check(station, loop, *, largest=LARGEST):
    """Where everything is, and what every closing of the loop looked like."""
    state, record = station.simulation.true_state(), station.simulation.record()
    assert not state.rf_on
    assert state.modulation == 0.0
    assert state.loop_closed is (loop is Loop.CLOSED)
    for closing in record.closings:
        assert not closing.state.rf_on
        assert closing.state.modulation == 0.0
        assert abs(closing.state.bias) >= 1e-3
        assert not closing.after_trip
        assert not closing.after_withdrawal
    assert record.extremes.conductance is None or record.extremes.conductance <= largest
    return state


@pytest.mark.parametrize("bias", [-5e-3, 0.0, 5e-3, -60e-3])
def test_a_normal_end_goes_back_to_the_runs_own_setpoint(station, bias):
    sweep(station, bias)
    report = station.make_safe(Ending.NORMAL)
    assert report.safe
    assert report.loop is Loop.CLOSED
    state = check(station, Loop.CLOSED)
    assert (state.bias, state.setpoint) == (close(BIAS, rel=1e-6), pytest.approx(SETPOINT, rel=1e-6, abs=0))
    assert station.is_left_safe


@pytest.mark.parametrize("bias", [-5e-3, 0.0, 60e-3])
def test_where_the_station_says_so_it_goes_to_the_safe_setpoint_and_never_closer(bias):
    with load(on_end="safe") as station:
        sweep(station, bias)
        assert station.make_safe(Ending.NORMAL).loop is Loop.CLOSED
        state = check(station, Loop.CLOSED)
        assert state.bias == close(station.config.safe.bias, rel=1e-6)
        assert state.setpoint <= station.config.safe.setpoint * (1 + 1e-6)


def test_from_a_high_bias_the_setpoint_falls_before_the_bias():
    with load(on_end="safe") as station:
        station.prepare_outputs()
        station.tip.feedback = False
        station.bias.bias = 100e-3
        station.tip.setpoint = 4.5e-9
        station.tip.feedback = True
        station.clock.sleep(1.0)
        station.simulation.record().clear()
        assert station.make_safe(Ending.NORMAL).loop is Loop.CLOSED
        check(station, Loop.CLOSED, largest=1.1 * 4.5e-9 / 100e-3)


def test_a_safe_setpoint_of_more_conductance_than_the_runs_brings_the_tip_no_closer():
    with load(on_end="safe", setpoint=5e-9) as station:
        sweep(station)
        assert station.make_safe(Ending.NORMAL).loop is Loop.CLOSED
        check(station, Loop.CLOSED)


def test_after_a_fault_the_tip_is_withdrawn_and_only_a_person_closes_the_loop(station):
    sweep(station)
    report = station.make_safe(Ending.FAULT)
    assert report.safe
    assert report.loop is Loop.WITHDRAWN
    state = check(station, Loop.WITHDRAWN)
    assert state.withdrawn
    assert state.bias == close(station.config.safe.bias, rel=1e-6)
    with pytest.raises(TipWithdrawn, match="stmlab approach"):
        station.tip.feedback = True
    assert station.tip_mark.read() is not None


def test_after_a_fault_the_loop_is_closed_where_the_station_says_so():
    with load(on_fault="safe") as station:
        sweep(station)
        assert station.make_safe(Ending.FAULT).loop is Loop.CLOSED
        check(station, Loop.CLOSED)


def test_a_station_that_always_withdraws_does():
    with load(feedback="withdraw") as station:
        sweep(station)
        assert station.make_safe(Ending.NORMAL).loop is Loop.WITHDRAWN
        check(station, Loop.WITHDRAWN)


def test_a_tip_that_tripped_is_left_open(station):
    sweep(station)
    station.simulation.faults.arm(Fault(kind="trip"))
    station.clock.sleep(0.5)
    station.tip.state  # noqa: B018 - the microscope lives through the trip
    report = station.make_safe(Ending.NORMAL)
    assert report.loop is Loop.TRIPPED
    assert report.safe
    check(station, Loop.TRIPPED)
    with pytest.raises(TipTripped):
        station.tip.feedback = True


def test_a_tip_that_was_withdrawn_by_hand_is_left_open(station):
    sweep(station)
    station.simulation.faults.arm(Fault(kind="withdrawn"))
    station.clock.sleep(2.0)
    report = station.make_safe(Ending.NORMAL)
    assert report.loop is Loop.WITHDRAWN
    check(station, Loop.WITHDRAWN)


@pytest.mark.parametrize(("name", "plug"), [("awg", "m8195a"), ("lockin", "sr860")])
def test_an_instrument_that_is_dead_is_named_and_the_tip_withdrawn(station, name, plug):
    sweep(station)
    station.simulation.faults.arm(Fault(kind="mute", instrument=plug))
    report = station.make_safe(Ending.NORMAL)
    assert not report.safe
    assert [problem.instrument for problem in report.problems] == [name]
    assert str(report).startswith(f"NOT SAFE: {name}: ")
    assert report.loop is Loop.WITHDRAWN
    state = station.simulation.true_state()
    assert state.withdrawn
    assert state.rf_on is (name == "awg")
    assert not station.is_left_safe


def test_a_dead_controller_is_named_and_microwave_and_modulation_are_off(station):
    sweep(station)
    station.simulation.faults.arm(Fault(kind="mute", instrument="nanonis"))
    report = station.make_safe(Ending.NORMAL)
    assert {problem.instrument for problem in report.problems} == {"controller"}
    state = station.simulation.true_state()
    assert not state.rf_on
    assert state.modulation == 0.0


KINDS = ("drop", "garble", "half", "double", "swap", "wrong_value", "error")
PLUGS = ("nanonis", "m8195a", "sr860")


@pytest.mark.parametrize(
    ("plug", "kind"),
    [  # each kind of one instrument, and of the others as slow tests
        pytest.param(plug, kind, marks=[pytest.mark.slow] * (PLUGS[k % 3] != plug))
        for plug in PLUGS
        for k, kind in enumerate(KINDS)
    ],
)
def test_one_wrong_answer_anywhere_on_the_way_never_ends_unsafe(plug, kind):
    for message in range(1, 14, 3):
        with load() as station:
            sweep(station)
            station.simulation.faults.arm(Fault(kind=kind, instrument=plug, message=message, seed=message))
            report = station.make_safe(Ending.NORMAL)
            assert report.safe, report
            check(station, report.loop)


@pytest.mark.parametrize("command", [r"Bias\.Get", r"ZCtrl\.SetpntGet"])
def test_what_does_not_read_back_as_it_was_set_keeps_the_loop_open(station, command):
    sweep(station)
    station.simulation.faults.arm(Fault(kind="wrong_value", instrument="nanonis", match=command, times=0, value=2e-3))
    report = station.make_safe(Ending.NORMAL)
    assert report.loop is Loop.WITHDRAWN
    assert report.why
    assert station.simulation.record().closings == []
    assert station.simulation.true_state().withdrawn


def test_a_loop_that_does_not_open_is_not_driven_through_zero(station):
    station.prepare_outputs()
    station.tip.feedback = False
    station.bias.bias = -BIAS
    station.tip.setpoint = SETPOINT
    station.tip.feedback = True
    station.clock.sleep(1.0)
    station.simulation.faults.arm(Fault(kind="stuck_closed"))
    station.simulation.record().clear()
    station.make_safe(Ending.FAULT)
    assert station.simulation.record().extremes.conductance <= LARGEST


def test_what_never_moved_is_not_made_safe(station):
    before = station.simulation.true_state()
    station.bias.snapshot()
    report = station.make_safe(Ending.FAULT)
    assert report.loop is Loop.UNTOUCHED
    assert station.simulation.true_state().height == before.height
    assert station.simulation.true_state().loop_closed is before.loop_closed


def test_everything_is_made_safe_for_a_guardian_that_knows_of_nothing(station):
    report = station.make_safe(Ending.FAULT, everything=True)
    assert report.loop is Loop.WITHDRAWN
    check(station, Loop.WITHDRAWN)


@pytest.mark.parametrize("bias", [2e-3, 0.0, -96e-3])
def test_the_hold_state_closes_the_loop_at_the_setpoint_and_nowhere_else(station, bias):
    sweep(station, bias)
    station.hold()
    state = check(station, Loop.CLOSED)
    assert (state.bias, state.setpoint) == (close(BIAS, rel=1e-6), pytest.approx(SETPOINT, rel=1e-6, abs=0))


def test_a_hold_state_that_is_not_confirmed_does_not_close_the_loop(station):
    sweep(station)
    station.simulation.faults.arm(Fault(kind="mute", instrument="m8195a"))
    with pytest.raises(StmlabError, match="the hold state was not reached: awg"):
        station.hold()
    assert station.simulation.record().closings == []


@pytest.mark.parametrize(("kind", "error"), [("trip", TipTripped), ("withdrawn", TipWithdrawn)])
def test_a_hold_state_says_what_took_the_tip_away(station, kind, error):
    sweep(station)
    station.simulation.faults.arm(Fault(kind=kind))
    station.clock.sleep(2.0)
    with pytest.raises(error, match="stmlab approach"):
        station.hold()
    check(station, None)


def test_a_place_is_known_again_and_a_tip_that_moved_is_not(station):
    sweep(station)
    station.generator.off()
    station.lockin.outputs_off()
    place = station.place()
    assert station.moved_from(place) == ""
    station.simulation.faults.arm(Fault(kind="tip_jump", value=-60e-12))
    station.clock.sleep(0.1)
    assert "current" in station.moved_from(place)


@pytest.mark.parametrize(
    ("role", "read", "name"),
    [("generator", "is_off", "awg"), ("lockin", "quiet", "lockin"), ("tip", "modulation_is_off", "controller")],
)
def test_what_is_seen_on_after_it_was_switched_off_is_said_and_the_tip_withdrawn(
    station, monkeypatch, role, read, name
):
    sweep(station)
    monkeypatch.setattr(type(getattr(station, role)._driver()), read, lambda _: False)
    report = station.make_safe(Ending.NORMAL)
    assert [problem.instrument for problem in report.problems] == [name]
    assert "after it was switched off" in str(report)
    assert report.loop is Loop.WITHDRAWN


def test_the_loop_is_closed_after_a_connection_was_lost_on_the_way(station):
    sweep(station)
    station.simulation.faults.arm(Fault(kind="drop", instrument="nanonis", match=r"ZCtrl\.SetpntSet"))
    report = station.make_safe(Ending.NORMAL)
    check(station, Loop.CLOSED)
    assert report.loop is Loop.CLOSED
    assert len(station.simulation.faults.happened) == 1
