"""A person at the instruments: live values, changes within limits, and how the station is left."""

import json
import subprocess
import sys
import threading

import numpy as np
import pytest

from stmlab.errors import OutOfBounds, SequenceError, StationError
from stmlab.station import Station
from stmlab.station.desk import Desk
from stmlab.station.safe_now import make_safe_now
from stmlab.station.safe_report import Loop
from tests.approximately import close
from tests.forked import Program
from tests.station import programs


@pytest.fixture
def desk():
    with Station.load("simulated", seed=1) as station:
        desk = Desk(station)
        desk.station = station
        yield desk


def rounds(desk):
    for name, guard in desk.station.guards.items():
        for _ in range(len(guard.BY_TURNS) + 1):
            desk.look(name)


def test_every_watched_property_of_every_instrument_is_seen(desk):
    rounds(desk)
    for name, guard in desk.station.guards.items():
        assert set(guard.WATCHED) <= desk.seen[name].values.keys()
        assert desk.seen[name].connected
    tip = desk.seen["controller"].values
    assert (tip["status"], tip["bias"]) == ("on", close(desk.station.bias.bias))


@pytest.mark.parametrize(
    ("name", "value"),
    [("bias", 0.05), ("setpoint", 2e-9), ("feedback", False), ("time_constant", 0.1), ("phase", 12.0)],
)
def test_what_is_set_is_taken_and_shown(desk, name, value):
    desk.set(name, value)
    knob = next(knob for knob in desk.knobs if knob.name == name)
    instrument, guard = desk.station.roles[knob.role]
    assert getattr(guard, name) == close(value)
    assert desk.seen[instrument].values[name] == value


def test_what_the_limits_forbid_is_refused_and_nothing_is_sent(desk):
    before = desk.station.bias.bias
    with pytest.raises(OutOfBounds, match=r"limits\.bias"):
        desk.set("bias", 99.0)
    with pytest.raises(SequenceError, match="would drive the tip into the sample"):
        desk.set("bias", -before)
    with pytest.raises(SequenceError, match="one of 6, 12, 18, 24"):
        desk.set("filter_slope", 7)
    with pytest.raises(StationError, match="cannot be set by hand"):
        desk.set("aux_out_1", 1.0)
    assert desk.station.bias.bias == before


def test_a_tone_has_its_amplitude_at_the_junction(desk):
    desk.play(1e9, 2e-3)
    microscope = desk.station.simulation
    arriving = microscope.true_state().rf_amplitude * abs(microscope.true_transfer(np.array([1e9]))[0])
    assert arriving == close(2e-3, rel=0.02)
    desk.rf_off()
    assert desk.station.simulation.true_state().rf_amplitude == 0.0


def test_who_has_set_nothing_leaves_everything_as_it_was(desk):
    assert desk.leave().loop is Loop.UNTOUCHED


def test_a_closed_loop_stays_where_it_is_and_rf_and_modulation_go_off(desk):
    desk.set("bias", 0.05)
    desk.set("setpoint", 2e-9)
    desk.play(1e9, 1e-3)
    desk.set("sine_voltage", 0.1)
    assert desk.leave().loop is Loop.CLOSED
    assert desk.station.is_left_safe
    assert desk.station.bias.bias == close(0.05)
    assert desk.station.tip.setpoint == close(2e-9)
    assert desk.station.generator.is_off()
    assert desk.station.lockin.quiet()


def test_an_open_loop_is_closed_when_the_person_leaves(desk):
    desk.set("feedback", False)
    desk.set("bias", 0.05)
    report = desk.leave()
    assert report.safe
    assert report.loop is Loop.CLOSED
    assert desk.station.tip.state.loop


def test_an_instrument_that_does_not_answer_is_said_and_comes_back(desk):
    rounds(desk)
    desk.station.simulation.arm({"kind": "mute", "instrument": "sr860", "times": 0})
    lost = desk.look("lockin")
    assert not lost.connected
    assert "no answer" in lost.problem
    assert desk.look("controller").connected
    desk.station.simulation.faults.disarm()
    assert desk.look("lockin").connected


# -- the process --------------------------------------------------------------------------------------------------


_LONGEST = 90.0  # s, on a busy computer; a process that says nothing is ended then


class Person:
    """At the other end of the pipes of a desk process.

    Args:
        station: file of it.
        anew: the process is started as the window starts it, and not forked from one that has loaded all.
    """

    def __init__(self, station, *, anew=False):
        command = [sys.executable, "-m", "stmlab.station.desk_process", str(station)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.process = subprocess.Popen(command, **pipes, text=True) if anew else Program(programs.desk, station)
        self._too_long = threading.Timer(_LONGEST, self.process.kill)
        self._too_long.start()

    def hear(self, event):
        for line in self.process.stdout:
            said = json.loads(line)
            if said.get("event") == event:
                return said
        raise EOFError(event)

    def ask(self, ask, **how):
        print(json.dumps({"id": ask, "ask": ask, **how}), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            said = json.loads(line)
            if said.get("id") == ask:
                return said
        raise EOFError(ask)

    def end(self):
        self._too_long.cancel()
        self.process.kill()
        self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


@pytest.fixture
def person(served):
    microscope, station = served
    person = Person(station)
    person.microscope, person.station = microscope, station
    yield person
    person.end()


def test_a_person_sees_values_sets_them_and_leaves(person):
    ready = person.hear("ready")
    bias = next(knob for knob in ready["knobs"] if knob["name"] == "bias")
    assert (bias["unit"], bias["bounds"]) == ("V", [-0.1, 0.1])
    values = person.hear("values")["instruments"]
    assert values["controller"]["values"]["status"] == "on"
    assert person.ask("set", name="bias", value=0.05) == {"id": "set", "done": True}
    assert person.microscope.tip.bias == close(0.05)
    assert "limits.bias" in person.ask("set", name="bias", value=99.0)["refused"]
    assert "cannot be asked" in person.ask("sing")["refused"]
    assert person.ask("play", frequency=1e9, amplitude=1e-3)["done"]
    assert person.microscope.generator.on
    assert person.ask("leave")["done"]
    assert person.hear("left")["safe"]
    assert person.process.wait(30) == 0
    assert not person.microscope.generator.on


def test_a_window_that_is_gone_means_leave(person):
    person.hear("values")
    assert person.ask("play", frequency=1e9, amplitude=1e-3)["done"]
    person.process.stdin.close()
    assert person.hear("left")["safe"]
    assert person.process.wait(30) == 0
    assert not person.microscope.generator.on
    assert person.microscope.tip.feedback


def test_a_window_that_is_killed_means_leave(person):
    """Both pipes end at once; the loop stays closed, as it was."""
    person.hear("values")
    assert person.ask("play", frequency=1e9, amplitude=1e-3)["done"]
    person.process.stdout.close()
    person.process.stdin.close()
    assert person.process.wait(30) == 0
    assert not person.microscope.generator.on
    assert person.microscope.tip.feedback
    assert not person.microscope.tip.withdrawn


def test_a_desk_that_is_killed_leaves_its_station_to_its_guardian(person):
    person.hear("values")
    assert person.ask("play", frequency=1e9, amplitude=1e-3)["done"]
    person.process.kill()
    said = person.process.stderr.read()  # ends when the guardian, which holds the same pipe, has ended
    assert "the run was killed; the station has been made safe" in said
    assert not person.microscope.generator.on


def test_a_desk_obeys_a_call_for_the_safe_state(person):
    person.hear("values")
    assert person.ask("play", frequency=1e9, amplitude=1e-3)["done"]
    assert make_safe_now(str(person.station)).said.startswith("RF and modulation are off")
    assert not person.microscope.generator.on
    assert "tip withdrawn" in person.hear("left")["said"]
    assert person.process.wait(30) == 0


def test_a_station_that_a_run_owns_is_refused(served):
    _, station = served
    with Station.load(str(station)):
        other = Person(station, anew=True)
        assert "is owned by process" in other.hear("refused")["said"]
        assert other.process.wait(30) == 1
        other.end()
