"""A run is played again in its own time; whoever drives the player says how much has passed."""

import math

import numpy as np
import pytest

from stmlab.acquisition.player import Player
from stmlab.axes import Axis, Channel
from stmlab.errors import SequenceError
from stmlab.events import Analysed, PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.results import FitParameter, FitResult
from stmlab.storage import Writer, append_fit, open_run
from tests.approximately import close


def fit(value):
    return FitResult("srs", (FitParameter("rate", value, 0.1, "1/s"),), ("rate",), np.array([[0.01]]), 3, 0.1)


def point(k, time, session=0):
    return PointTaken(k, time, (float(k),), (float(k),), visit=k, session=session)


EVENTS = [
    RunStarted("id", "ramp", "2024", {}, (Axis("bias", "V", np.arange(4.0)),), (Channel("x", "V", ""),), 1.0, "s", ""),
    StateChanged(RunState.RUNNING, 0.5),
    point(0, 1.0),
    point(1, 2.0),
    Analysed(fit(1.0)),
    point(2, 4.0),
    point(3, 4.0),
    StateChanged(RunState.ANALYSING, 6.0),
    Analysed(fit(2.0)),
    RunFinished(RunState.FINISHED, "completed", "", 4, 10.0),
]


@pytest.fixture
def run(tmp_path):
    return run_of(tmp_path, EVENTS)


def run_of(tmp_path, events):
    writer = Writer(path := tmp_path / "run.h5")
    for event in events:
        writer(event)
    writer.close()
    append_fit(path, fit(3.0))
    return open_run(path)


def played(run, **options):
    heard = []
    return Player(run, heard.append, **options), heard


def short(heard):
    """An event in a letter or a number."""
    letters = {RunStarted: "S", StateChanged: "s", Analysed: "f", RunFinished: "F"}
    return "".join(str(event.index) if isinstance(event, PointTaken) else letters[type(event)] for event in heard)


def test_events_come_when_they_are_due(run):
    player, heard = played(run)
    assert heard == []
    told = []
    for _ in range(11):
        player.advance(1.0)
        told.append(short(heard))
    at_the_end = "Ss01f23sfF"
    assert told == ["Ss0", "Ss01f", "Ss01f", "Ss01f23", "Ss01f23", *["Ss01f23sf"] * 4, at_the_end, at_the_end]
    assert player.ended
    assert player.wait == math.inf
    assert (player.time, player.duration) == (10.0, 10.0)


def test_fits_come_where_they_were_made_and_those_added_later_do_not(run):
    player, heard = played(run, speed=math.inf)
    player.advance(0.0)
    assert [event.fit["rate"].value for event in heard if isinstance(event, Analysed)] == [1.0, 2.0]
    assert short(heard) == "Ss01f23sfF"
    assert len(run.fits) == 3


@pytest.mark.parametrize("speed", [0.5, 1.0, 10.0])
def test_at_any_speed_and_in_any_steps_the_events_are_the_same(run, speed):
    player, heard = played(run, speed=speed)
    steps = 0.0
    while not player.ended:
        seconds = player.wait
        assert player.advance(seconds * 0.99) == 0 or seconds == 0
        player.advance(seconds * 0.01 + 1e-12)
        steps += seconds
    assert short(heard) == "Ss01f23sfF"
    assert steps * speed == close(10.0, rel=1e-9)


def test_as_fast_as_possible_leaves_time_for_the_keyboard(run):
    player, heard = played(run, speed=math.inf)
    assert player.wait == 0.0
    assert [player.advance(0.0, most=4) for _ in range(4)] == [4, 4, 2, 0]
    assert short(heard) == "Ss01f23sfF"


def test_paused_nothing_comes_but_by_steps(run):
    player, heard = played(run)
    player.advance(1.0)
    player.paused = True
    assert player.advance(100.0) == 0
    assert player.wait == math.inf
    for expected in ("Ss01", "Ss01f", "Ss01f2"):
        player.step()
        assert short(heard) == expected
    assert player.time == 4.0
    player.paused = False
    player.advance(0.0)
    assert short(heard) == "Ss01f23"
    assert player.wait == 2.0


def test_a_jump_catches_up_forwards_and_starts_again_backwards(run):
    jumps = []
    heard = []
    player = Player(run, heard.append, lambda event: jumps.append(player.jumping))
    player.advance(1.0)
    player.jump(5.0)
    assert (short(heard), player.time) == ("Ss01f23", 5.0)
    assert jumps == [False] * 3 + [True] * 4
    heard.clear()
    player.jump(2.5)
    assert (short(heard), player.time) == ("Ss01f", 2.5)
    assert not player.jumping
    player.jump(-7.0)
    assert player.time == 0.0
    player.jump(1e9)
    assert player.ended
    heard.clear()
    player.jump(0.6)
    assert (short(heard), player.ended) == ("Ss", False)
    player.speed = math.inf
    player.advance(0.0)
    assert short(heard) == "Ss01f23sfF"


def test_a_change_of_speed_holds_from_now_on(run):
    player, heard = played(run)
    player.advance(1.0)
    player.speed = 3.0
    player.advance(1.0)
    assert (short(heard), player.time) == ("Ss01f23", 4.0)


def test_a_run_that_was_resumed_goes_on_where_it_was_interrupted(tmp_path):
    events = [*EVENTS[:4], point(2, 0.5, session=1), point(3, 1.5, session=1)]
    player, heard = played(run_of_killed(tmp_path, events))
    player.advance(2.0)
    assert short(heard) == "Ss012"
    player.advance(0.9)
    assert short(heard) == "Ss012"
    player.advance(0.2)
    assert short(heard) == "Ss0123"
    assert player.ended


def run_of_killed(tmp_path, events):
    writer = Writer(path := tmp_path / "run.h5")
    for event in events:
        writer(event)
    writer.close()
    return open_run(path)


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_a_speed_that_is_none_is_refused(run, speed):
    with pytest.raises(SequenceError, match="must be positive"):
        Player(run, speed=speed)
