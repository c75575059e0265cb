"""A run whose wire was recorded runs again, to the same file, and the first byte that differs is named."""

import os
import signal
import socket
import subprocess
import threading
from contextlib import nullcontext

import pytest

from drivers.sr860 import SR860
from stmlab.acquisition import measurement as measurement_module
from stmlab.acquisition.measurement import measure, measurement
from stmlab.acquisition.wire_replay import replay_wire
from stmlab.config_files import find
from stmlab.errors import FileError, InstrumentLost, SequenceError, StmlabError, TipWithdrawn
from stmlab.events import PointTaken, RunState, StateChanged
from stmlab.simulation.faults import Fault
from stmlab.station import lock
from stmlab.station.configuration import read_station
from stmlab.station.tip_mark import Retreat, TipMark
from tests.campaigns.fault_laboratory import laboratory
from tests.forked import forked

pytestmark = pytest.mark.usefixtures("one_guardian")

SHORT = {
    "srs": {"points": 3},
    "didv": {"points": 4, "start_bias": -0.01, "stop_bias": 0.01},
    "setpoint_ramp": {"points": 4, "conductances": 2},
    "time_trace": {"samples": 50},
}
AT_ONCE = {"points": 3, "time_constant": 1e-3, "stabilise_time": 0.2}  # for runs that take real time
LONG = ("srs", "setpoint_ramp", "time_trace")  # over TCP as slow tests


@pytest.fixture
def recorded(tmp_path):
    """Record a run; returns paths of its file and of the recording."""

    def record(sequence, station="simulated", settings=None, **more):
        run, wire = tmp_path / f"{sequence}.h5", tmp_path / f"{sequence}.wire"
        measure(sequence, station, settings=settings or SHORT[sequence], path=run, record_wire=wire, **more)
        return run, wire

    return record


@pytest.fixture(scope="module")
def wire(tmp_path_factory):
    """Of a run that is replayed in many ways: the recording."""
    folder = tmp_path_factory.mktemp("srs")
    measure("srs", settings=SHORT["srs"], path=folder / "srs.h5", record_wire=folder / "srs.wire", seed=3)
    return folder / "srs.wire"


def over_tcp(station, run, wire, *listeners):
    """A short spectrum in real time, recorded; of this process, so that nobody guards it."""
    with measurement("srs", str(station), settings=AT_ONCE, path=run, record_wire=wire) as (runner, _):
        runner.listen(*listeners)
        runner.run()


@pytest.fixture
def unreachable(monkeypatch):
    """Whatever would reach an instrument, or take it, fails."""

    def refuse(*_, **__):
        pytest.fail("an instrument was reached for")

    def close():
        monkeypatch.setattr(socket, "create_connection", refuse)
        monkeypatch.setattr(subprocess, "Popen", refuse)
        monkeypatch.setattr(lock, "_flock", refuse)

    return close


def same(report, run, again):
    """Every byte on the wire and in the file."""
    assert report.difference is None
    assert report.end == report.recorded_end
    assert report.file == "the same"
    assert report.same
    assert not report.cut_off
    assert again.read_bytes() == run.read_bytes()


@pytest.mark.parametrize("sequence", SHORT)
def test_a_run_on_the_simulated_station_replays_to_the_same_file(recorded, tmp_path, unreachable, sequence):
    run, wire = recorded(sequence, seed=3)
    unreachable()
    same(replay_wire(wire, output=tmp_path / "again.h5"), run, tmp_path / "again.h5")


@pytest.mark.parametrize("sequence", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in SHORT])
def test_a_run_over_tcp_replays_to_the_same_file_without_its_instruments(
    recorded, tmp_path, unreachable, monkeypatch, sequence
):
    monkeypatch.setattr(measurement_module, "guarded", nullcontext)  # it has no part in what is recorded
    with laboratory(tmp_path, "sr860", "withdraw", timeout=5.0, noise=True) as lab:
        run, wire = recorded(sequence, str(lab.station), SHORT[sequence] | {"stabilise_time": 0.2})
    lab.station.unlink()
    (tmp_path / "transfer").unlink()
    unreachable()
    same(replay_wire(wire, output=tmp_path / "again.h5"), run, tmp_path / "again.h5")


def test_connections_lost_while_all_is_switched_off_over_tcp_are_lost_again(tmp_path, unreachable):
    def arm(event):
        if isinstance(event, PointTaken) and event.index == 1:
            lab.control.arm(Fault(kind="drop", instrument="m8195a", match="OUTP", times=4))

    run, wire = tmp_path / "srs.h5", tmp_path / "srs.wire"
    with laboratory(tmp_path, "sr860", "safe", timeout=0.5, noise=True) as lab, pytest.raises(InstrumentLost):
        over_tcp(lab.station, run, wire, arm)
    assert b'"failed"' in wire.read_bytes()
    unreachable()
    report = replay_wire(wire, output=tmp_path / "again.h5")
    assert report.end.startswith("failed")
    same(report, run, tmp_path / "again.h5")


def test_an_answer_that_came_too_late_over_tcp_is_late_again(tmp_path, unreachable):
    def arm(event):
        if isinstance(event, PointTaken) and event.index == 1:
            lab.control.arm(Fault(kind="half", instrument="sr860"))

    run, wire = tmp_path / "srs.h5", tmp_path / "srs.wire"
    with laboratory(tmp_path, "sr860", "safe", timeout=0.5, noise=True) as lab:
        over_tcp(lab.station, run, wire, arm)
    assert b'"InstrumentTimeout"' in wire.read_bytes()
    unreachable()
    same(replay_wire(wire, output=tmp_path / "again.h5"), run, tmp_path / "again.h5")


def test_a_tip_that_was_marked_is_marked_in_the_replay_and_only_there(tmp_path):
    with laboratory(tmp_path, "sr860", "withdraw", timeout=5.0) as lab:
        config, _ = read_station(lab.station)
        TipMark.of(config).set(Retreat.WITHDRAWN, "by hand")
        with pytest.raises(TipWithdrawn, match="by hand"):
            over_tcp(lab.station, tmp_path / "a.h5", tmp_path / "a.wire")
        TipMark.of(config).clear()
        report = replay_wire(tmp_path / "a.wire", output=tmp_path / "b.h5")
        assert "by hand" in report.end
        same(report, tmp_path / "a.h5", tmp_path / "b.h5")
        assert TipMark.of(config).read() is None


def test_faults_on_the_wire_come_again(recorded, tmp_path):
    fault = '[[simulation.fault]]\nkind = "{}"\ninstrument = "{}"\nmatch = "{}"\nmessage = {}\n'
    text = find("simulated").read_text(encoding="utf-8")
    text = text.replace('"transfer/', f'"{find("simulated").parent}/transfer/')
    text += fault.format("drop", "nanonis", "", 150) + fault.format("half", "sr860", "SNAP", 4)
    station = tmp_path / "faulty.toml"
    station.write_text(text, encoding="utf-8")
    run, wire = recorded("srs", str(station))
    assert b'"failed"' in wire.read_bytes()
    same(replay_wire(wire, output=tmp_path / "again.h5"), run, tmp_path / "again.h5")


def test_a_run_that_failed_fails_again(recorded, tmp_path):
    text = find("simulated").read_text(encoding="utf-8")
    text = text.replace('"transfer/', f'"{find("simulated").parent}/transfer/')
    text += '[[simulation.fault]]\nkind = "trip"\ninstrument = "nanonis"\nmessage = 150\n'
    station = tmp_path / "tripping.toml"
    station.write_text(text, encoding="utf-8")
    with pytest.raises(StmlabError, match=r"withdrawn|tripped"):
        recorded("srs", str(station))
    report = replay_wire(tmp_path / "srs.wire", output=tmp_path / "again.h5")
    assert report.end.startswith("failed: ")
    same(report, tmp_path / "srs.h5", tmp_path / "again.h5")


def asked_of(tmp_path, asks):
    """A recorded run, of which ``asks(runner, event)`` asks; and its replay to ``again.h5``."""
    run, wire = tmp_path / "run.h5", tmp_path / "run.wire"
    with measurement("srs", settings={"points": 8}, path=run, record_wire=wire) as (runner, _):
        runner.listen(lambda event: asks(runner, event))
        runner.run()
    assert b'"asked"' in wire.read_bytes()
    return replay_wire(wire, output=tmp_path / "again.h5"), run


def test_a_stopped_run_stops_at_the_same_point(tmp_path):
    def stop(runner, event):
        if isinstance(event, PointTaken) and event.index == 2:
            runner.stop()

    report, run = asked_of(tmp_path, stop)
    assert report.end.startswith("stopped")
    same(report, run, tmp_path / "again.h5")


def test_a_run_that_was_paused_and_resumed_does_it_again(tmp_path):
    def pause(runner, event):
        if isinstance(event, PointTaken) and event.index in (1, 4):
            runner.pause()
        if isinstance(event, StateChanged) and event.state is RunState.PAUSED:
            resumed.append(threading.Timer(0.12, runner.resume))  # some looks later
            resumed[-1].start()

    resumed = []
    report, run = asked_of(tmp_path, pause)
    assert len(resumed) == 2
    assert report.end.startswith("finished")
    same(report, run, tmp_path / "again.h5")


@pytest.mark.parametrize("attended", [True, False])
def test_a_run_that_was_aborted_is_aborted_in_the_same_wait(tmp_path, attended):
    def abort(runner, event):
        if isinstance(event, PointTaken) and event.index == 3:
            threading.Thread(target=runner.abort, args=("enough",), kwargs={"attended": attended}).start()

    report, run = asked_of(tmp_path, abort)
    assert report.end == "aborted: enough"
    same(report, run, tmp_path / "again.h5")


def test_another_parameter_is_named_at_its_first_byte(wire):
    report = replay_wire(wire, settings={"chop_frequency": 692.0})
    found = report.difference
    assert not report.same
    assert (found.recorded, found.sent) == (b"FREQ 691\n", b"FREQ 692\n")
    assert (found.instrument, found.byte, found.connection) == ("lockin", 8, 1)
    assert found.message == report.messages["lockin"] + 1 > 1
    assert found.date.startswith("2024-01-01T00:00:0")  # the simulated clock's


def test_a_run_that_is_refused_now_is_said(wire):
    report = replay_wire(wire, settings={"dc_bias": 0.5})
    assert not report.same
    assert report.end.startswith("refused: bias = 0.5 V is out of bounds")


def test_a_driver_that_sends_something_else_is_named(wire, monkeypatch):
    write = SR860.write

    def other(self, command, **more):
        write(self, command.replace("SOFF?", "SOFF ?"), **more)

    monkeypatch.setattr(SR860, "write", other)
    found = replay_wire(wire).difference
    assert found.instrument == "lockin"
    assert found.sent == found.recorded.replace(b"SOFF?", b"SOFF ?")
    assert found.byte == found.recorded.index(b"SOFF?") + 5


def test_a_sequence_that_asks_once_more_is_named(wire, monkeypatch):
    from sequences.srs import StochasticResonance as Srs

    measured = Srs.measure

    def twice(self):
        _ = self.station.tip.state
        return measured(self)

    monkeypatch.setattr(Srs, "measure", twice)
    report = replay_wire(wire)
    assert report.difference.instrument == "controller"


def test_a_file_that_comes_out_otherwise_is_said(wire, monkeypatch):
    monkeypatch.setattr("stmlab.acquisition.runner.analysed", lambda *_: None)
    report = replay_wire(wire)
    assert report.difference is None
    assert report.file == "another"
    assert not report.same


def killed_at_its_second_point(run, wire):
    points = []

    def kill(event):
        points.append(isinstance(event, PointTaken))
        if sum(points) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    measure("srs", settings={"points": 4}, path=run, listeners=(kill,), record_wire=wire)


def test_a_killed_process_leaves_a_recording_that_replays_to_its_last_message(tmp_path):
    with forked(killed_at_its_second_point, tmp_path / "run.h5", tmp_path / "run.wire"):
        pass
    report = replay_wire(tmp_path / "run.wire")
    assert report.same
    assert report.cut_off
    assert report.end == ""
    assert report.messages["lockin"] > 10
    assert not replay_wire(tmp_path / "run.wire", settings={"dc_bias": "3 mV"}).same


def test_other_versions_are_said(wire, monkeypatch):
    monkeypatch.setattr("stmlab.acquisition.wire_replay.versions", lambda: {"stmlab": "99", "numpy": "1"})
    report = replay_wire(wire)
    assert report.same
    assert "stmlab" in report.notes[0]
    assert "now 99" in report.notes[0]


def test_a_recording_is_never_written_over_and_nothing_moves_then(tmp_path):
    (tmp_path / "old.wire").write_text("an evening", encoding="utf-8")
    with pytest.raises(FileError, match="there is such a file already"):
        measure("srs", settings={"points": 3}, path=tmp_path / "run.h5", record_wire=tmp_path / "old.wire")
    assert not (tmp_path / "run.h5").exists()


def test_a_full_disk_ends_the_recording_and_not_the_run(tmp_path, monkeypatch):
    from stmlab.station.wire.file import WireFile

    add, added = WireFile.add, []

    def full(self, *entry):
        added.append(entry)
        if len(added) > 500:
            raise OSError("No space left on device")
        add(self, *entry)

    monkeypatch.setattr(WireFile, "add", full)
    outcome = measure("srs", settings={"points": 3}, path=tmp_path / "run.h5", record_wire=tmp_path / "run.wire")
    assert outcome.points == 3
    monkeypatch.undo()
    report = replay_wire(tmp_path / "run.wire")
    assert report.cut_off
    assert report.same


def test_a_replayed_recording_has_no_wire_of_its_own(tmp_path):
    with (
        pytest.raises(SequenceError, match="replayed recording"),
        measurement("didv", replay={"file": tmp_path / "x.dat"}, record_wire=tmp_path / "x.wire"),
    ):
        pass
