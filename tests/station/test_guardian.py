"""A run that dies: its guardian makes the station safe, over real sockets. `make guardian-deaths` has 65 deaths."""

import json
import os
import signal
import subprocess
import threading
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.errors import InstrumentLost, StationError
from stmlab.simulation.faults import Fault
from stmlab.station import Station, safe_state
from stmlab.station import guardian as guardian_module
from stmlab.station.configuration import read_station
from stmlab.station.guardian import guarded
from stmlab.station.ownership import revoke
from stmlab.station.rescue import Rescue
from stmlab.station.safe_report import Ending
from stmlab.station.shared import Slot
from stmlab.storage import open_run
from tests.approximately import close
from tests.campaigns.deaths import Death, Laboratory, die
from tests.forked import Program
from tests.station.programs import spectrum


class Process:
    """A guardian of whom the test says whether it lives; notes what it is told and when it is removed."""

    def __init__(self, status=None):
        self.status, self.did = status, []
        self.stdin = SimpleNamespace(
            write=lambda message: self.did.append(message),
            flush=lambda: self.did.append("flush"),
            close=lambda: self.did.append("close"),
        )

    def poll(self):
        return self.status

    def kill(self):
        self.did.append("kill")

    def wait(self, timeout=None):
        self.did.append("wait" if timeout is None else f"wait {timeout:g} s")


class Ended:
    """An event that is set after some waits; notes for how long was waited."""

    def __init__(self, waits):
        self.left, self.waited = waits, []

    def wait(self, seconds):
        self.waited.append(seconds)
        self.left -= 1
        return self.left < 0

    def set(self):
        self.left = -1


@pytest.fixture
def post(monkeypatch):
    """The place of a guardian at time 100 s; ``post.fresh`` are those that it starts."""
    post = object.__new__(guardian_module._Post)
    post._shared, post._spare, post._orders = {Slot.GUARDIAN_BEAT: 0.0, Slot.SAFE_CALLED: 0.0}, None, b"orders"
    post._process, post._minder = Process(), threading.Thread(target=lambda: None)
    post.fresh, post.now = [], [100.0]

    def start():
        post.fresh.append(Process())
        return post.fresh[-1]

    post._start = start
    monkeypatch.setattr(guardian_module, "monotonic", lambda: post.now[0])
    return post


def minded(post, waits):
    post._ended = Ended(waits)
    post._mind()
    return post._ended.waited


def test_a_guardian_that_could_not_begin_is_replaced_after_two_seconds(post):
    dead = post._process = Process(status=1)
    assert minded(post, 2) == [0.05, 2.0, 0.05]
    assert dead.did == ["kill", "wait", "close"]
    assert post.fresh == [post._process]
    assert post._process.did == [b"orders", "flush"]


def test_a_guardian_that_ended_after_it_had_begun_is_replaced_at_once(post):
    dead = post._process = Process(status=-9)
    post._shared[Slot.GUARDIAN_BEAT] = 99.9
    assert minded(post, 1) == [0.05, 0.05]
    assert post._process is not dead
    assert post._shared[Slot.GUARDIAN_BEAT] == 0.0, "the next one has not begun"


@pytest.mark.parametrize(("beat", "replaced"), [(98.1, False), (98.0, True), (90.0, True)])
def test_a_guardian_without_a_sign_of_life_for_two_seconds_is_replaced(post, beat, replaced):
    first = post._process
    post._shared[Slot.GUARDIAN_BEAT] = beat
    minded(post, 1)
    assert (post._process is not first) is replaced
    assert ("kill" in first.did) is replaced


def test_a_guardian_has_half_a_minute_to_begin(post):
    first, post._ended = post._process, Ended(2)
    wait = post._ended.wait

    steps = [29.9, 0.2, 0.0]

    def later(seconds):
        post.now[0] += steps.pop(0) if steps else 0.0
        assert first.did == [] or post.now[0] >= 130.0
        return wait(seconds)

    post._ended.wait = later
    post._mind()
    assert first.did == ["kill", "wait", "close"]
    assert post.fresh == [post._process]


def test_one_spare_guardian_is_ready_once_the_first_has_begun(post):
    minded(post, 3)
    assert post.fresh == []
    post._shared[Slot.GUARDIAN_BEAT] = 99.9
    minded(post, 3)
    assert post.fresh == [post._spare]
    assert post._spare.did == [], "its orders come when it is needed"
    spare = post._spare
    post._process = Process(status=1)
    minded(post, 1)
    assert post._process is spare
    assert spare.did == [b"orders", "flush"]


def test_a_spare_guardian_that_has_died_is_not_used(post):
    spare = post._spare = Process(status=1)
    post._begin()
    assert spare.did == ["kill", "wait", "close"]
    assert post._process is post.fresh[0]


def test_a_guardian_that_cannot_be_started_is_tried_again(post, caplog):
    post._process = Process(status=1)
    post._start = None
    tries = []

    def start():
        tries.append(1)
        raise OSError("no process left")

    post._start = start
    minded(post, 4)
    assert len(tries) == 2
    assert "no guardian can be started: no process left" in caplog.text


@pytest.mark.parametrize("alive", [True, False])
def test_a_station_that_is_safe_needs_no_guardian_any_more(post, alive):
    post._ended, post._spare = Ended(0), Process()
    post._minder.start()
    post._process.status = None if alive else 0
    post.end(safe=True)
    said = [b"dismissed\n", "flush"] if alive else []
    assert post._process.did == [*said, "wait 5 s", "kill", "wait", "close"]
    assert post._spare.did == ["kill", "wait", "close"]


def test_a_guardian_that_does_not_leave_is_ended(post):
    def wait(timeout=None):
        if timeout is not None:
            raise subprocess.TimeoutExpired("guardian", timeout)

    post._process.wait = wait
    post._dismiss()
    assert post._process.did == [b"dismissed\n", "flush", "kill", "kill", "close"]


@pytest.mark.parametrize("alive", [True, False])
def test_a_station_that_is_not_safe_is_left_to_a_guardian_for_whom_the_run_does_not_wait(post, alive):
    gone, closed = threading.Event(), []
    first, post._station = post._process, SimpleNamespace(close=lambda: closed.append(True))
    first.status = None if alive else 1
    first.wait = gone.wait
    post._ended = Ended(0)
    post._minder.start()
    post.end(safe=False)
    assert closed == [True], "a controller that takes one client is free"
    left = post._process
    assert (left is first) is alive
    orders = [] if alive else [b"orders", "flush"]
    assert left.did[: len(orders) + 3] == [*orders, b"take over\n", "flush", "close"]
    behind = [t for t in threading.enumerate() if t.name == "guardian left behind"]
    assert all(thread.daemon for thread in behind)
    assert behind or not alive
    gone.set()


def test_a_killed_run_leaves_the_station_safe_and_its_points_in_the_file(served, tmp_path):
    microscope, station = served
    path = tmp_path / "run.h5"
    with Program(spectrum, str(station), str(path)) as run:
        acknowledged = [int(run.stdout.readline()) for _ in range(5)]
        assert microscope.generator.on
        assert not microscope.tip.feedback
        run.kill()
        said = run.stderr.read()  # ends when the guardian, which holds the same pipe, has ended
    assert "the station has been made safe" in said
    assert not microscope.generator.on
    assert not microscope.tip.feedback
    assert microscope.tip.withdrawn
    assert microscope.tip.bias == close(0.01)
    found = open_run(path)
    assert found.points >= len(acknowledged)
    assert not found.complete


@pytest.mark.parametrize(
    "death",
    [
        pytest.param(Death("killed", "srs", own_port=False, on_fault="withdraw"), marks=pytest.mark.slow),
        pytest.param(Death("killed", "didv", own_port=True, on_fault="safe"), marks=pytest.mark.slow),
        Death("stopped, continued", "didv", own_port=True, on_fault="withdraw"),
        Death("guardian killed", "srs", own_port=True, on_fault="withdraw"),
        pytest.param(Death("mute", "srs", own_port=False, on_fault="safe", mute="lockin"), marks=pytest.mark.slow),
        pytest.param(
            Death("handed over", "srs", own_port=False, on_fault="withdraw", mute="awg"), marks=pytest.mark.slow
        ),
        pytest.param(Death("file gone", "srs", own_port=False, on_fault="safe"), marks=pytest.mark.slow),
        Death("called", "srs", own_port=False, on_fault="withdraw"),
    ],
    ids=str,
)
def test_after_a_death_the_station_is_safe_and_the_guardian_says_so_only_then(death, tmp_path):
    assert die(death, tmp_path, here=True).violations == []


def test_what_a_run_owns_is_refused_to_others_and_what_the_dead_leave_needs_force(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # as the laboratory's programs

    def stmlab(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    with (
        Laboratory(tmp_path, Death("killed", "srs", own_port=True, on_fault="withdraw"), 1, here=True) as lab,
        Program(spectrum, str(lab.station), str(tmp_path / "run.h5")) as run,
    ):
        lab.until(lambda: not lab.control.state()["loop_closed"])
        for command in (["check", lab.station], ["run", "srs", "-s", lab.station], ["approach", lab.station, "--yes"]):
            refused = stmlab(*command, "--json")
            assert json.loads(refused.stdout)["reason"] == "StationBusy"
            assert f"is owned by process {run.pid} on " in refused.stderr
        assert run.returncode is None
        os.kill(lab.guardian_of(run.pid), signal.SIGSTOP)
        run.kill()
        run.wait(60)
        os.kill(lab.guardian_of(run.pid), signal.SIGKILL)  # nobody is left to make it safe
        tries = []
        lab.until(lambda: tries.append(stmlab("approach", lab.station, "--yes")) or "--force" in tries[-1].stderr)
        assert tries[-1].exit_code == 1
        assert not lab.control.state()["loop_closed"]
        assert stmlab("check", lab.station).exit_code == 0
        freed = stmlab("approach", lab.station, "--yes", "--force")
        assert freed.exit_code == 0, freed.stderr
        assert freed.stdout.startswith("loop closed at 10 mV, 100 pA: ")
        state = lab.control.state()
        assert state["loop_closed"]
        assert not state["rf_on"]
        assert stmlab("check", lab.station).exit_code == 0


def test_a_run_that_no_guardian_watches_does_not_begin(served, monkeypatch):
    _, path = served
    with Station.load(str(path)) as station:
        monkeypatch.setattr("stmlab.station.guardian.sys.executable", "/bin/false")
        with pytest.raises(StationError, match="no guardian can be started"), guarded(station):
            pytest.fail("nothing watches")


def test_a_revoked_permit_stops_every_byte_of_every_instrument(served, monkeypatch):
    microscope, path = served
    monkeypatch.setattr(safe_state, "_PAUSES", (0.0, 0.0))
    with Station.load(str(path)) as station:
        station.tip.feedback = False
        before = microscope.true_state()
        revoke(station.shared)
        for attempt in (
            lambda: setattr(station.bias, "bias", 0.02),
            lambda: station.generator.play_tone(1e9, 0.1, gated=False),
            lambda: setattr(station.lockin, "sine_voltage", 0.01),
            station.tip.withdraw,
            lambda: station.reconnect(lambda: None),
        ):
            with pytest.raises(InstrumentLost, match="no longer this run's"):
                attempt()
        after = microscope.true_state()
    assert (after.bias, after.rf_on, after.modulation, after.withdrawn) == (before.bias, False, 0.0, False)


def test_what_moves_is_marked_for_the_guardian_until_it_has_been_made_safe():
    with Station.load("simulated") as station:
        bit = list(station.config.instruments).index

        def marked():
            return {name for name in station.config.instruments if station.shared.marked(Slot.MOVED, bit(name))}

        assert marked() == set()
        station.generator.play_tone(1e9, 0.1, gated=False)
        assert marked() == {"awg"}
        station.bias.bias = 0.02
        assert marked() == {"awg", "controller"}
        assert station.make_safe(Ending.NORMAL).safe
        assert marked() == set()
        station.bias.bias = 0.02
        assert marked() == {"controller"}


def test_a_rescue_touches_only_what_the_run_has_moved(served):
    microscope, path = served
    config, text = read_station(path)
    with Station(config, text, path) as station:
        station.generator.play_tone(1e9, 0.1, gated=False)
    assert microscope.true_state().rf_on
    told = []
    rescue = Rescue(config, text, path, frozenset({"awg"}), told.append)
    rescue.start()
    assert rescue.wait(60.0)
    state = microscope.true_state()
    assert not state.rf_on
    assert state.loop_closed
    assert [line.partition(":")[0] for line in told] == ["awg"]


@pytest.mark.parametrize(("on_fault", "closed"), [("withdraw", False), ("safe", True)])
def test_a_rescue_leaves_the_tip_as_the_station_says(served, on_fault, closed):
    microscope, path = served
    config, text = read_station(path)
    config = config.model_copy(update={"safe": config.safe.model_copy(update={"on_fault": on_fault})})
    with Station(config, text, path) as station:
        station.tip.feedback = False
        station.bias.bias = 0.02
        station.lockin.sine_voltage = 0.05
    rescue = Rescue(config, text, path, frozenset(config.instruments), lambda _: None)
    rescue.start()
    assert rescue.wait(60.0)
    state = microscope.true_state()
    assert (state.modulation, state.loop_closed, state.withdrawn) == (0.0, closed, not closed)
    assert state.bias == close(0.01)


def test_a_rescue_names_what_does_not_answer_and_withdraws_the_tip_meanwhile(served):
    microscope, path = served
    config, text = read_station(path)
    config = config.model_copy(update={"safe": config.safe.model_copy(update={"on_fault": "safe"})})
    with Station(config, text, path) as station:
        station.generator.play_tone(1e9, 0.1, gated=False)
        station.tip.feedback = False
    number = microscope.arm(Fault(kind="mute", instrument="m8195a", times=0))
    withdrawn = threading.Event()
    rescue = Rescue(
        config, text, path, frozenset(config.instruments), lambda line: "controller: safe" in line and withdrawn.set()
    )
    rescue.start()
    assert withdrawn.wait(60.0)
    assert microscope.true_state().withdrawn
    assert microscope.true_state().rf_on
    (problem,) = rescue.problems
    assert problem.startswith("awg: ")
    microscope.faults.disarm(number)
    assert rescue.wait(60.0)
    assert not microscope.true_state().rf_on
