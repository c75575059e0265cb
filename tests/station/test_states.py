"""Towards what a station is made safe, and whether a tip is still where it was: at the edge of what is allowed."""

from dataclasses import replace

import pytest

from stmlab.clock import SimulatedClock
from stmlab.station.instruments import LoopStatus, Setpoint, TipState
from stmlab.station.last_set import LastSet
from stmlab.station.safe_report import Ending, Loop, SafeReport
from stmlab.station.safe_state import SafeState
from stmlab.station.states import Place, States
from stmlab.station.tip_mark import Retreat, TipMark
from tests.station.lab import station_config

PLACE = Place(height=1e-9, bias=8e-3, current=0.4e-9, setpoint=0.2e-9, time=100.0)
WATCH = {"watch__height_allowance": 20e-12, "watch__height_drift": 1e-12, "watch__conductance_allowance": 0.2}


class Tip:
    """A tip that is where the test puts it."""

    closed_at = None

    def __init__(self, height=PLACE.height, current=PLACE.current):
        self.state = TipState(False, LoopStatus.OFF, current, height, PLACE.bias, PLACE.setpoint, -1e-7, 1e-7, 0.0, 0.0)


def states(tip=None, *, now=PLACE.time, **changes):
    roles = {} if tip is None else {"tip": ("controller", tip)}
    clock = SimulatedClock()
    clock.sleep(now)
    return States(
        station_config(**WATCH, **changes), roles, LastSet(), TipMark(None), clock, simulated=True, quiet=lambda: None
    )


def test_a_place_is_where_the_tip_is_now():
    assert states(Tip()).place() == PLACE
    assert states(Tip(height=2e-9, current=-1e-12), now=3.0).place() == replace(
        PLACE, height=2e-9, current=-1e-12, time=3.0
    )


def test_a_station_without_a_tip_is_at_no_place():
    assert states().place() is None
    assert states().moved_from(PLACE) == ""
    assert states(Tip(height=1.0)).moved_from(None) == ""


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("seconds", "away", "moved"), [(0, 19.9e-12, ""), (0, 20.1e-12, "Z"), (30, 49.9e-12, "")])
def test_the_height_may_differ_by_its_allowance_and_the_drift_since(sign, seconds, away, moved):
    now = states(Tip(height=PLACE.height + sign * away), now=PLACE.time + seconds)
    assert now.moved_from(PLACE)[:1] == moved
    if seconds:
        beyond = states(Tip(height=PLACE.height + sign * (away + 0.2e-12)), now=PLACE.time + seconds)
        words = f"Z differs by {sign * 5.01e-11:.3g} m, 5e-11 m is allowed (watch.height_allowance, height_drift)"
        assert beyond.moved_from(PLACE) == words


@pytest.mark.parametrize("sign", [1, -1])
def test_the_current_may_differ_by_its_allowance_and_a_twentieth_of_the_setpoint(sign):
    """20 % of 0.4 nA and 5 % of 0.2 nA are 0.09 nA, whatever the sign of current and setpoint."""
    before = replace(PLACE, current=sign * PLACE.current, setpoint=sign * PLACE.setpoint)
    for away in (0.0899e-9, -0.0899e-9):
        assert states(Tip(current=before.current + away)).moved_from(before) == ""
    for away in (0.0901e-9, -0.0901e-9):
        said = states(Tip(current=before.current + away)).moved_from(before)
        assert said.startswith(f"the current at 0.008 V is {before.current + away:.3g} A, {before.current:.3g} A")
        assert "more than 20 % (watch.conductance_allowance)" in said


def test_exactly_what_is_allowed_is_allowed():
    zero = replace(PLACE, height=0.0, current=0.0)
    assert states(Tip(height=20e-12, current=0.05 * PLACE.setpoint)).moved_from(zero) == ""


@pytest.fixture
def reached(monkeypatch):
    """What the safe state is asked for; it reports what the test says."""

    def reach(self, moved, target, *, withdraw):
        reach.asked.append((moved, target, withdraw))
        reach.of = self
        return reach.report

    reach.asked, reach.report = [], SafeReport(Loop.CLOSED)
    monkeypatch.setattr(SafeState, "reach", reach)
    return reach


OWN = Setpoint(8e-3, 0.4e-9)


@pytest.mark.parametrize(
    ("ending", "safe", "target", "withdraw"),
    [
        (Ending.NORMAL, {}, OWN, False),
        (Ending.NORMAL, {"safe__on_end": "safe"}, None, False),
        (Ending.NORMAL, {"safe__on_fault": "safe"}, OWN, False),
        (Ending.FAULT, {}, None, True),
        (Ending.FAULT, {"safe__on_fault": "safe"}, None, False),
        (Ending.FAULT, {"safe__on_end": "safe"}, None, True),
    ],
)
def test_the_station_file_says_where_a_run_leaves_the_tip(reached, ending, safe, target, withdraw):
    tip = Tip()
    tip.closed_at = OWN
    station = states(tip, **safe)
    station.last_set.moving("awg")
    station.make_safe(ending, everything=False)
    station.make_safe(ending, everything=True)
    assert reached.asked == [(frozenset({"awg"}), target, withdraw), (None, target, withdraw)]


def test_where_no_loop_was_closed_there_is_no_setpoint_to_go_back_to(reached):
    states(Tip()).make_safe(Ending.NORMAL, everything=False)
    states().make_safe(Ending.NORMAL, everything=False)
    assert [target for _, target, _ in reached.asked] == [None, None]


@pytest.mark.parametrize(("modulation", "used"), [({"high": 0.1}, True), (None, False)])
@pytest.mark.parametrize("feedback", ["on", "withdraw"])
def test_a_lock_in_whose_sine_has_no_limits_is_left_alone(reached, modulation, used, feedback):
    station = states(Tip(), limits__modulation=modulation, safe__feedback=feedback)
    station.roles["lockin"] = ("lockin", object())
    station.make_safe(Ending.NORMAL, everything=False)
    assert reached.of.lockin == (station.roles["lockin"] if used else None)
    assert reached.of.withdraw_always is (feedback == "withdraw")


@pytest.mark.parametrize(
    ("loop", "ending", "why", "said"),
    [
        (Loop.TRIPPED, Ending.NORMAL, Retreat.TRIPPED, "by the safe state after a run"),
        (Loop.WITHDRAWN, Ending.NORMAL, Retreat.WITHDRAWN, "by the safe state after a run"),
        (Loop.WITHDRAWN, Ending.FAULT, Retreat.WITHDRAWN, "by the safe state after a fault"),
    ],
)
def test_a_tip_that_went_away_is_marked_and_why(reached, loop, ending, why, said):
    reached.report, station = SafeReport(loop), states(Tip())
    station.make_safe(ending, everything=False)
    mark = station.tip_mark.read()
    assert (mark.why, mark.said) == (why, said)


@pytest.mark.parametrize("loop", [Loop.CLOSED, Loop.UNTOUCHED, Loop.UNKNOWN])
def test_a_tip_that_is_at_the_surface_is_not_marked(reached, loop):
    reached.report, station = SafeReport(loop), states(Tip())
    station.make_safe(Ending.FAULT, everything=False)
    assert station.tip_mark.read() is None


@pytest.mark.parametrize(("closed_at", "at"), [(OWN, OWN), (None, Setpoint(10e-3, 1e-10))])
def test_a_pause_holds_at_the_runs_own_setpoint_or_at_the_stations(monkeypatch, closed_at, at):
    held, tip = [], Tip()
    tip.closed_at = closed_at
    monkeypatch.setattr(SafeState, "hold", lambda _, setpoint: held.append(setpoint))
    states(tip).hold()
    assert held == [at]
