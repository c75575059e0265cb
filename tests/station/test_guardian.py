"""A run that dies: its guardian makes the station safe, over real sockets. `make guardian-deaths` has 60 deaths."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack

import pytest

from stmlab.clock import SimulatedClock
from stmlab.config_files import config_directories, find
from stmlab.errors import InstrumentLost, StationError
from stmlab.simulation.faults import Fault
from stmlab.simulation.microscope import SimulatedMicroscope
from stmlab.simulation.serving import servers
from stmlab.station import Station
from stmlab.station.configuration import read_station
from stmlab.station.guardian import guarded
from stmlab.station.ownership import revoke
from stmlab.station.rescue import Rescue
from stmlab.station.safe_state import Ending
from stmlab.station.shared import Slot
from stmlab.storage import open_run
from tests.approximately import close
from tests.campaigns.deaths import Death, Laboratory, die

RUN = """
import sys
from pathlib import Path
from stmlab.events import PointTaken
from stmlab.acquisition.measurement import measure
def told(event):
    if isinstance(event, PointTaken):
        print(event.index, flush=True)
measure("srs", sys.argv[1], path=Path(sys.argv[2]), listeners=(told,),
        settings={"time_constant": 0.001, "stabilise_time": 0.2, "points": 2000})
"""


@pytest.fixture
def served(tmp_path):
    """The simulated instruments on sockets, and a station file that leads there."""
    path = find("simulated")
    config, text = read_station(path)
    microscope = SimulatedMicroscope.from_config(
        {**config.simulation.options, "seed": 1}, sample="fe_atom", clock=SimulatedClock(10.0), directory=path.parent
    )
    ports = {"sr860": 0, "m8195a": 0, "nanonis": 0}
    with ExitStack() as stack:
        for name, server in servers(microscope, ports):
            stack.enter_context(server)
            text = text.replace(f'"simulation:{name}"', f'"TCPIP::127.0.0.1::{server.port}::SOCKET"')
        station = tmp_path / "served.toml"
        station.write_text(text[: text.index("[simulation]")], encoding="utf-8")
        for folder in ("transfer",):
            source = next(d / folder for d in config_directories() if (d / folder).is_dir())
            (tmp_path / folder).symlink_to(source)
        yield microscope, station


def test_a_killed_run_leaves_the_station_safe_and_its_points_in_the_file(served, tmp_path):
    microscope, station = served
    path = tmp_path / "run.h5"
    command = [sys.executable, "-c", RUN, str(station), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        acknowledged = [int(run.stdout.readline()) for _ in range(5)]
        assert microscope.generator.on
        assert not microscope.tip.feedback
        run.send_signal(signal.SIGKILL)
        _, said = run.communicate(timeout=60)  # ends when the guardian, which holds the same pipe, has ended
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
        Death("killed", "srs", own_port=False, on_fault="withdraw"),
        Death("killed", "didv", own_port=True, on_fault="safe"),
        Death("stopped, continued", "didv", own_port=True, on_fault="withdraw"),
        Death("guardian killed", "srs", own_port=True, on_fault="withdraw"),
        Death("mute", "srs", own_port=False, on_fault="safe", mute="lockin"),
        Death("handed over", "srs", own_port=False, on_fault="withdraw", mute="awg"),
        Death("file gone", "srs", own_port=False, on_fault="safe"),
    ],
    ids=str,
)
def test_after_a_death_the_station_is_safe_and_the_guardian_says_so_only_then(death, tmp_path):
    assert die(death, tmp_path).violations == []


def test_what_a_run_owns_is_refused_to_others_and_what_the_dead_leave_needs_force(tmp_path):
    with Laboratory(tmp_path, Death("killed", "srs", own_port=True, on_fault="withdraw"), 1) as lab:
        run = lab.run("srs")
        lab.until(lambda: not lab.control.state()["loop_closed"])
        for command in (["check", lab.station], ["run", "srs", "-s", lab.station], ["approach", lab.station, "--yes"]):
            refused = lab.stmlab(*command, "--json")
            assert json.loads(refused.stdout)["reason"] == "StationBusy"
            assert f"is owned by process {run.pid} on " in refused.stderr
        assert run.poll() is None
        os.kill(lab.guardian_of(run.pid), signal.SIGSTOP)
        run.kill()
        run.wait()
        os.kill(lab.guardian_of(run.pid), signal.SIGKILL)  # nobody is left to make it safe
        refused = lab.stmlab("approach", lab.station, "--yes")
        assert refused.returncode == 1
        assert "--force" in refused.stderr
        assert not lab.control.state()["loop_closed"]
        assert lab.stmlab("check", lab.station).returncode == 0
        freed = lab.stmlab("approach", lab.station, "--yes", "--force")
        assert freed.returncode == 0, freed.stderr
        state = lab.control.state()
        assert state["loop_closed"]
        assert not state["rf_on"]
        assert lab.stmlab("check", lab.station).returncode == 0


def test_a_run_that_no_guardian_watches_does_not_begin(served, monkeypatch):
    _, path = served
    with Station.load(str(path)) as station:
        monkeypatch.setattr("stmlab.station.guardian.sys.executable", "/bin/false")
        with pytest.raises(StationError, match="no guardian can be started"), guarded(station):
            pytest.fail("nothing watches")


def test_a_revoked_permit_stops_every_byte_of_every_instrument(served):
    microscope, path = served
    with Station.load(str(path)) as station:
        station.tip.feedback = False
        before = microscope.true_state()
        revoke(station.shared)
        for attempt in (
            lambda: setattr(station.bias, "bias", 0.02),
            lambda: station.generator.play_tone(1e9, 0.1, gated=False),
            lambda: setattr(station.lockin, "sine_voltage", 0.01),
            station.tip.withdraw,
            station.reconnect,
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
