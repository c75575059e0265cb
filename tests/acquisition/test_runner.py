"""A run: what is done in which order, on every way out."""

import math
import threading

import numpy as np
import pytest

from stmlab.acquisition.points import Disturbed, Points
from stmlab.acquisition.requests import Requests
from stmlab.acquisition.runner import Runner
from stmlab.analysis.iterations import fitting
from stmlab.axes import Axis
from stmlab.clock import SimulatedClock
from stmlab.errors import (
    ChangedByHand,
    FileError,
    GarbledAnswer,
    InstrumentLost,
    OutOfBounds,
    SequenceError,
    StationNotSafe,
)
from stmlab.events import (
    Analysed,
    FitProgress,
    PointsDisturbed,
    PointTaken,
    RunFinished,
    RunStarted,
    RunState,
    StateChanged,
)
from stmlab.results import FitParameter, FitResult
from stmlab.station.safe_report import Problem
from stmlab.station.watchers import Disturbance
from stmlab.storage import open_run
from tests.acquisition.bench_station import BenchStation, Ramp
from tests.approximately import close


def states(events):
    return [e.state for e in events if isinstance(e, StateChanged | RunFinished)]


def test_a_run_goes_its_way_and_every_point_is_in_the_file(tmp_path):
    station, events, path = BenchStation(), [], tmp_path / "run.h5"
    outcome = Runner(Ramp(points=4, rows=3), station, path, [events.append]).run()
    assert (outcome.state, outcome.reason, outcome.points) == (RunState.FINISHED, "completed", 12)
    assert station.audit.run == outcome.run_id
    assert station.log == ["outputs", "prepare", "row 0", "row 1", "row 2", "finish", "status", "safe"]
    assert isinstance(events[0], RunStarted)
    assert states(events) == [RunState.PREPARING, RunState.RUNNING, RunState.FINISHED]  # nothing to analyse
    run = open_run(path)
    assert run.points == 12
    assert run.complete
    np.testing.assert_array_equal(run.grid("reading"), np.tile(np.linspace(0, 1, 4), (3, 1)))
    np.testing.assert_array_equal(run.data["square"], run.data["reading"] ** 2)
    assert run.parameters["points"].value == 4
    assert run.snapshot_before["source"]["value"] == 0.0
    assert run.snapshot_after["source"]["value"] == 1.0


def test_a_reading_waits_for_the_settling_time(tmp_path):
    station, events = BenchStation(), []
    Runner(Ramp(points=3, rows=1, settling=0.4), station, None, [events.append]).run()
    times = [e.time for e in events if isinstance(e, PointTaken)]
    assert times == close([0.4, 0.8, 1.2])


def test_what_is_out_of_bounds_is_refused_before_anything_moves(tmp_path):
    station, path = BenchStation(), tmp_path / "run.h5"
    with pytest.raises(OutOfBounds, match=r"source = 1.5 V is out of bounds"):
        Runner(Ramp(end=2.0), station, path).run()
    assert station.log == []
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("points", 2.5, "a whole number from 1 to"),
        ("points", 0, "1 to"),
        ("end", math.nan, "-10 to 10 V"),
        ("end", "11 V", "-10 to 10 V"),
        ("end", "2 s", "a number with a unit of V"),
        ("ende", 1, "it has end, points, rows, settling"),
    ],
)
def test_a_wrong_parameter_names_what_is_allowed(name, value, complaint):
    with pytest.raises(SequenceError, match=complaint):
        Ramp(**{name: value})


def test_a_parameter_assigned_out_of_bounds_is_refused_at_the_start():
    sequence = Ramp()
    sequence.points = -3
    with pytest.raises(SequenceError, match=r"points = -3"):
        Runner(sequence, BenchStation()).run()


def test_a_file_is_never_overwritten(tmp_path):
    path = tmp_path / "run.h5"
    path.write_bytes(b"raw data")
    station = BenchStation()
    with pytest.raises(FileError, match="exists already"):
        Runner(Ramp(), station, path).run()
    assert path.read_bytes() == b"raw data"
    assert station.log == []


def test_stop_ends_after_the_point_and_keeps_it(tmp_path):
    station, path = BenchStation(), tmp_path / "run.h5"
    runner = Runner(Ramp(points=10, rows=1, settling=0.01), station, path)
    runner.listen(lambda e: runner.stop() if isinstance(e, PointTaken) and e.index == 3 else None)
    outcome = runner.run()
    assert (outcome.state, outcome.reason) == (RunState.STOPPED, "stopped")
    assert outcome.points == open_run(path).points == 4
    assert station.log[-1] == "safe"


def test_abort_ends_at_once_in_the_middle_of_a_wait(tmp_path):
    station, path = BenchStation(), tmp_path / "run.h5"
    runner = Runner(Ramp(points=10, rows=1, settling=50.0), station, path)
    runner.listen(lambda e: runner.abort() if isinstance(e, PointTaken) and e.index == 1 else None)
    outcome = runner.run()
    assert (outcome.state, outcome.reason) == (RunState.ABORTED, "aborted")
    assert station.clock.now() < 101.0
    assert open_run(path).points == 2
    assert station.log[-1] == "safe"


class Crawling(Ramp):
    """A sequence whose fit gains next to nothing, for ever."""

    def analyse(self, run):
        with fitting("slow") as steps:
            while not steps.over:
                steps.done(1.0)
            return steps.marked(
                FitResult("slow", (FitParameter("rate", 2.0, 0.1),), ("rate",), np.eye(1), run.points, 0.1)
            )


def test_a_fit_is_followed_and_a_stop_ends_it_with_the_best_so_far(tmp_path, monkeypatch):
    monkeypatch.setattr("stmlab.analysis.iterations._PATIENCE", 0.1)
    station, path, events = BenchStation(), tmp_path / "run.h5", []

    def listen(event):
        events.append(event)
        if isinstance(event, FitProgress):
            runner.stop()

    runner = Runner(Crawling(points=4, rows=1), station, path, [listen])
    outcome = runner.run()
    assert (outcome.state, outcome.reason, outcome.points) == (RunState.FINISHED, "completed", 4)
    assert outcome.fit_ended == "stopped"
    (fit,) = outcome.fits
    assert fit.warnings[0].startswith("stopped after")
    told = [event for event in events if isinstance(event, FitProgress)]
    assert (told[0].model, told[0].figure) == ("slow", 1.0)
    assert told[0].iterations > 0
    kinds = [type(event) for event in events]
    assert kinds.index(FitProgress) > kinds.index(PointTaken)
    assert kinds.index(FitProgress) < kinds.index(Analysed) < kinds.index(RunFinished)
    (kept,) = open_run(path).fits
    assert kept.warnings[0] == fit.warnings[0]
    assert math.isnan(kept["rate"].error)


def test_a_stop_while_points_are_taken_leaves_the_fit_alone(tmp_path):
    class Quick(Ramp):
        def analyse(self, run):
            with fitting("quick") as steps:
                assert not steps.over
            return None

    runner = Runner(Quick(points=4, rows=1), BenchStation(), tmp_path / "run.h5")
    runner.listen(lambda e: runner.stop() if isinstance(e, PointTaken) else None)
    outcome = runner.run()
    assert (outcome.state, outcome.fit_ended) == (RunState.STOPPED, "")
    assert "no fit" not in outcome.message


def test_a_fit_that_is_stopped_with_nothing_to_show_says_so(tmp_path):
    class Nothing(Ramp):
        def analyse(self, run):
            runner.stop()
            with fitting("slow") as steps:
                steps.refuse_if_over()

    runner = Runner(Nothing(points=4, rows=1), BenchStation(), tmp_path / "run.h5")
    outcome = runner.run()
    assert (outcome.state, outcome.fits, outcome.fit_ended) == (RunState.FINISHED, (), "stopped")
    assert outcome.message.startswith("no fit: stopped after 0 iterations")


def test_a_long_analysis_can_be_given_up_and_the_file_is_whole(tmp_path):
    station, path, given_up = BenchStation(), tmp_path / "run.h5", threading.Event()

    class Slow(Ramp):
        def analyse(self, run):
            runner.abort()
            given_up.wait(30.0)

    events = []
    runner = Runner(Slow(points=4, rows=1), station, path, [events.append])
    outcome = runner.run()
    given_up.set()
    assert states(events) == [RunState.PREPARING, RunState.RUNNING, RunState.ANALYSING, RunState.FINISHED]
    assert (outcome.state, outcome.reason, outcome.fits) == (RunState.FINISHED, "completed", ())
    assert "stopped by the user" in outcome.message
    assert outcome.fit_ended == "stopped"
    run = open_run(path)
    assert run.complete
    assert run.points == 4


def test_pause_holds_and_resume_goes_back_to_where_it_was(tmp_path):
    station, path, events = BenchStation(), tmp_path / "run.h5", []
    runner = Runner(Ramp(points=4, rows=2, settling=0.01), station, path, [events.append])

    def pause_and_go_on(event):
        if isinstance(event, PointTaken) and event.index == 5:
            runner.pause()
        if isinstance(event, StateChanged) and event.state is RunState.PAUSED:
            station.value = math.nan  # the hold state takes the output away
            runner.resume()

    runner.listen(pause_and_go_on)
    outcome = runner.run()
    assert outcome.state is RunState.FINISHED
    assert station.log == [
        *("outputs", "prepare", "row 0", "row 1", "hold"),
        *("outputs", "prepare", "row 1", "finish", "status", "safe"),
    ]
    np.testing.assert_array_equal(open_run(path).grid("reading"), np.tile(np.linspace(0, 1, 4), (2, 1)))
    assert RunState.PAUSED in states(events)


def test_an_instrument_lost_in_the_middle_leaves_the_station_safe_and_the_data_there(tmp_path):
    class Broken(Ramp):
        def measure(self):
            if self.station.value > 0.5:
                raise InstrumentLost("TCPIP::lab", "the connection dropped")
            return super().measure()

    station, path, events = BenchStation(), tmp_path / "run.h5", []
    with pytest.raises(InstrumentLost):
        Runner(Broken(points=5, rows=1), station, path, [events.append]).run()
    run = open_run(path)
    assert run.points == 3
    assert (run.state, run.reason) == (RunState.FAILED, "InstrumentLost")
    assert "the connection dropped" in run.message
    assert station.log[-1] == "safe after a fault"
    assert station.log.count("reconnect") == station.attempts - 1
    assert isinstance(events[-1], RunFinished)


def test_a_failing_writer_ends_the_run_safely(tmp_path, monkeypatch):
    from stmlab.storage import Writer

    station, path = BenchStation(), tmp_path / "run.h5"
    write = Writer.__call__

    def full_disk(self, event):
        if isinstance(event, PointTaken) and event.index == 2:
            raise OSError("No space left on device")
        write(self, event)

    monkeypatch.setattr(Writer, "__call__", full_disk)
    with pytest.raises(OSError, match="No space left"):
        Runner(Ramp(points=5, rows=1, settling=1.0), station, path).run()
    assert station.log[-1] == "safe after a fault"
    assert open_run(path).points == 2


@pytest.mark.parametrize("name", ["x" * 300 + ".h5", "folder/" + "é" * 130 + ".h5", "a\0b.h5", "text.txt/run.h5"])
def test_a_file_that_cannot_be_made_is_refused_before_anything_moves(tmp_path, name):
    (tmp_path / "text.txt").write_text("a file")
    station, events = BenchStation(), []
    with pytest.raises(FileError, match="cannot be made"):
        Runner(Ramp(), station, tmp_path / name, [events.append]).run()
    assert (station.log, events) == ([], [])
    assert [item.name for item in tmp_path.iterdir()] == ["text.txt"]


def test_a_file_that_fails_after_the_preflight_moves_nothing_and_leaves_nothing(tmp_path, monkeypatch):
    def fail(file, started):
        file.attrs["begun"] = 1
        raise OSError("No space left on device")

    monkeypatch.setattr("stmlab.storage.making.create", fail)
    station = BenchStation()
    with pytest.raises(FileError, match=r"cannot be made \(No space left"):
        Runner(Ramp(), station, tmp_path / "new" / "deep" / "run.h5").run()
    assert station.log == []
    assert not list(tmp_path.iterdir())


def test_a_finished_point_is_in_the_file_before_the_next_wait_begins(tmp_path):
    station, path, found = BenchStation(), tmp_path / "run.h5", []

    class Stabilising(Ramp):
        def point_seconds(self):
            return 0.0

        def settling_time(self):
            found.append(open_run(path).points)
            return super().settling_time()

        def wait(self, seconds):
            found.append(open_run(path).points)
            super().wait(seconds)

    Runner(Stabilising(points=4, rows=1, settling=30.0), station, path).run()
    assert found[1::2] == [0, 1, 2, 3]


def test_a_file_moved_away_ends_the_run_safely_and_says_where_it_is(tmp_path):
    station, path = BenchStation(), tmp_path / "run.h5"

    def move(event):
        if isinstance(event, PointTaken) and event.index == 3:
            path.rename(tmp_path / "elsewhere.h5")

    runner = Runner(Ramp(points=10, rows=1, settling=0.01), station, path)
    runner.listen(move)
    with pytest.raises(
        FileError, match=r"moved away while the run was written; the 5 points .* are in .*elsewhere\.h5"
    ):
        runner.run()
    assert station.log[-1] == "safe after a fault"
    run = open_run(tmp_path / "elsewhere.h5")
    assert run.data["reading"].tolist() == np.linspace(0, 1, 10)[:5].tolist()
    assert (run.complete, run.reason) == (False, "killed")


def test_a_failing_viewer_never_touches_the_run(tmp_path):
    def viewer(event):
        raise RuntimeError("the window is gone")

    station = BenchStation()
    outcome = Runner(Ramp(points=5, rows=1), station, tmp_path / "run.h5", [viewer]).run()
    assert (outcome.state, outcome.points) == (RunState.FINISHED, 5)


def test_a_station_that_cannot_be_made_safe_is_said_aloud(tmp_path):
    path = tmp_path / "run.h5"
    with pytest.raises(StationNotSafe, match="NOT SAFE: generator: no answer"):
        Runner(Ramp(points=2), BenchStation(problems=[Problem("generator", "no answer")]), path).run()
    run = open_run(path)
    assert (run.state, run.reason) == (RunState.FAILED, "StationNotSafe")
    assert run.points == 4


def test_the_value_really_reached_is_what_the_file_says(tmp_path):
    class Quantised(Ramp):
        def move_source(self, value):
            self.station.value = round(value, 1)
            return self.station.value

    path = tmp_path / "run.h5"
    Runner(Quantised(points=4, rows=1), BenchStation(), path).run()
    np.testing.assert_allclose(open_run(path).coordinates["source"], [0.0, 0.3, 0.7, 1.0])


def test_pymeasures_own_worker_accepts_a_sequence(tmp_path):
    from pymeasure.experiment import Results, Worker

    sequence, station = Ramp(points=3, rows=2), BenchStation()
    sequence.connect(station)
    results = Results(sequence, str(tmp_path / "run.csv"))
    worker = Worker(results)
    worker.start()
    worker.join(timeout=20)
    assert sequence.status == sequence.FINISHED
    assert len(results.data) == 6
    assert list(results.data.columns) == [
        "row (dimensionless)",
        "source (V)",
        "reading (V)",
        "square (V^2)",
    ]
    assert station.log[-1] == "safe"


class Faulty(Ramp):
    """Fails at the readings that a test names, once each."""

    faults: dict = {}  # noqa: RUF012 - a fresh one in each test

    def measure(self):
        self.readings = getattr(self, "readings", 0) + 1
        if (fault := self.faults.pop(self.readings, None)) is not None:
            raise fault
        return super().measure()


def test_a_transient_fault_costs_one_point_again_and_nothing_else(tmp_path):
    station, path, events = BenchStation(), tmp_path / "run.h5", []
    sequence, fault = Faulty(points=4, rows=1), GarbledAnswer("TCPIP::lab", "SNAP? 0,1", "garbage", "one number")
    sequence.faults = {3: fault}
    outcome = Runner(sequence, station, path, [events.append]).run()
    assert (outcome.state, outcome.points) == (RunState.FINISHED, 4)
    assert station.log == [
        *("outputs", "prepare", "row 0", "reconnect"),
        *("outputs", "prepare", "row 0", "finish", "status", "safe"),
    ]
    np.testing.assert_array_equal(open_run(path).data["reading"], np.linspace(0, 1, 4))
    mended = [e for e in events if isinstance(e, StateChanged) and e.state is RunState.MENDING]
    assert [m.reason for m in mended] == [f"GarbledAnswer: {fault}"]


@pytest.mark.parametrize(("when", "log"), [("prepare", []), ("finish", ["outputs", "prepare", "row 0", "finish"])])
def test_a_transient_fault_of_the_set_up_or_the_end_costs_that_step_again(tmp_path, when, log):
    """The set-up is not done once more before it is tried once more; at the end nothing is set up at all."""
    station, events, left = BenchStation(), [], [GarbledAnswer("TCPIP::lab", "*ESR?", "garbage", "one number")]

    class Shaky(Ramp):
        def prepare(self):
            super().prepare()
            self.fault("prepare")

        def finish(self):
            super().finish()
            self.fault("finish")

        def fault(self, name):
            if name == when and left:
                raise left.pop()

    Runner(Shaky(points=2, rows=1), station, tmp_path / "run.h5", [events.append]).run()
    first = log or ["outputs", "prepare"]
    again = ["finish"] if log else ["outputs", "prepare", "row 0", "finish"]
    assert station.log == [*first, "reconnect", *again, "status", "safe"]
    assert states(events).count(RunState.RUNNING) == 1


def test_an_end_that_was_asked_for_is_heard_before_a_lost_instrument_is_connected_anew(tmp_path):
    class Lost(Ramp):
        def measure(self):
            if self.station.value > 0.5:
                runner.abort("SIGTERM", attended=False)
                raise InstrumentLost("TCPIP::lab", "no answer")
            return super().measure()

    station = BenchStation()
    runner = Runner(Lost(points=5, rows=1), station, tmp_path / "run.h5")
    assert runner.run().reason == "aborted"
    assert "reconnect" not in station.log
    assert station.log[-1] == "safe after a fault"
    assert open_run(tmp_path / "run.h5").points == 3


@pytest.mark.parametrize("attempts", [1, 4])
def test_faults_that_do_not_end_are_given_up(tmp_path, attempts):
    station = BenchStation()
    station.attempts = attempts
    sequence = Faulty(points=4, rows=1)
    sequence.faults = {n: InstrumentLost("TCPIP::lab", "gone") for n in range(2, 20)}
    with pytest.raises(InstrumentLost):
        Runner(sequence, station, tmp_path / "run.h5").run()
    assert station.log.count("reconnect") == station.attempts - 1
    assert open_run(tmp_path / "run.h5").points == 1


def test_what_a_hand_changed_ends_the_run_and_the_point_before_is_marked(tmp_path):
    station, path, events = BenchStation(), tmp_path / "run.h5", []
    station.watch.seen = {3: ChangedByHand("lockin", "harmonic", 1, 2)}
    with pytest.raises(ChangedByHand):
        Runner(Ramp(points=5, rows=1, settling=0.01), station, path, [events.append]).run()
    (doubt,) = [e for e in events if isinstance(e, PointsDisturbed)]
    assert doubt.indices == (1,)
    assert "harmonic" in doubt.reason
    run = open_run(path)
    assert (run.points, run.reason) == (2, "ChangedByHand")
    assert station.log[-1] == "safe after a fault"


def test_a_watcher_pauses_and_what_it_disturbed_is_measured_again(tmp_path):
    station, path, events, stated = BenchStation(), tmp_path / "run.h5", [], []
    station.heartbeat.expect = stated.append
    station.watch.seen = {4: Disturbance("pause", "cryostat.temperature = 9 K", lambda: True)}
    outcome = Runner(Ramp(points=5, rows=1, settling=0.01), station, path, [events.append]).run()
    assert (outcome.state, outcome.points) == (RunState.FINISHED, 5)
    taken = [(e.index, e.attempt, e.visit) for e in events if isinstance(e, PointTaken)]
    assert taken == [(0, 0, 0), (1, 0, 1), (2, 0, 2), (2, 1, 3), (3, 0, 4), (4, 0, 5)]
    assert [e.indices for e in events if isinstance(e, PointsDisturbed)] == [(2,)]
    assert [e.reason for e in events if isinstance(e, StateChanged) and e.state is RunState.PAUSED] == [
        "cryostat.temperature = 9 K"
    ]
    assert set(stated) == {0.0, 0.01}, "a look during the pause takes no time of its own"
    assert station.watch.begun == 2, "after each set-up"
    np.testing.assert_array_equal(open_run(path).grid("reading"), [np.linspace(0, 1, 5)])


@pytest.mark.parametrize(("action", "state"), [("stop", RunState.STOPPED), ("abort", RunState.FAILED)])
def test_a_watcher_may_stop_or_abort(tmp_path, action, state):
    station, path = BenchStation(), tmp_path / "run.h5"
    station.watch.seen = {4: Disturbance(action, "pressure = 1e-6", lambda: False)}
    runner = Runner(Ramp(points=5, rows=1, settling=0.01), station, path)
    if action == "abort":
        with pytest.raises(Disturbed, match="pressure"):
            runner.run()
    else:
        runner.run()
    assert open_run(path).state is state


@pytest.mark.parametrize("where", ["place", "hold", "look", "move_row", "moved_from"])
def test_a_transient_fault_anywhere_in_a_pause_is_mended(tmp_path, where):
    station = BenchStation()
    sequence = Ramp()
    runner = Runner(sequence, station, tmp_path / "run.h5")
    owner = {"look": station.watch, "move_row": sequence}.get(where, station)
    real, failed, paused = getattr(owner, where), [], []

    def fails_once(*arguments):
        if runner.state is RunState.PAUSED or (where in ("place", "hold") and paused):
            if not failed:
                failed.append(where)
                raise InstrumentLost("TCPIP::bench", "no answer")
            runner.resume()
        return real(*arguments)

    def pause(event):
        if isinstance(event, PointTaken) and not paused:
            paused.append(event.index)
            runner.pause()
        elif isinstance(event, StateChanged) and event.state is RunState.PAUSED and where != "look":
            runner.resume()

    setattr(owner, where, fails_once)
    runner.listen(pause)
    assert runner.run().state is RunState.FINISHED
    assert failed
    assert open_run(tmp_path / "run.h5").points == 10


def test_a_tip_that_is_elsewhere_after_a_pause_pauses_again(tmp_path):
    station, path, events = BenchStation(), tmp_path / "run.h5", []
    station.displaced = ["Z 0.3 nm higher"]
    runner = Runner(Ramp(points=3, rows=1, settling=0.01), station, path, [events.append])

    def pause_and_go_on(event):
        if isinstance(event, PointTaken) and event.index == 1 and not event.attempt:
            runner.pause()
        if isinstance(event, StateChanged) and event.state is RunState.PAUSED:
            runner.resume()

    runner.listen(pause_and_go_on)
    assert runner.run().state is RunState.FINISHED
    reasons = [e.reason for e in events if isinstance(e, StateChanged) and e.state is RunState.PAUSED]
    assert reasons[0] == ""
    assert "not the same place: Z 0.3 nm higher" in reasons[1]
    assert station.log.count("hold") == 2


def test_a_pause_that_takes_too_long_ends_the_run(tmp_path):
    class Hurried(SimulatedClock):
        def now(self):
            self.sleep(1.0)
            return super().now()

    station = BenchStation(clock=Hurried())
    runner = Runner(Ramp(points=3, rows=1, settling=0.01), station, tmp_path / "run.h5")
    runner.listen(lambda e: runner.pause() if isinstance(e, PointTaken) else None)
    station.longest_pause = 3.0
    with pytest.raises(Disturbed, match="paused for longer than 3 s"):
        runner.run()
    assert station.log[-1] == "safe after a fault"


def test_a_point_is_in_the_file_before_any_outer_axis_moves(tmp_path):
    path, seen = tmp_path / "run.h5", []

    class Slow(Ramp):
        def axes(self):
            return (Axis("layer", "", np.arange(2.0)), *super().axes())

        def move_layer(self, value):
            """Nothing moves."""

        def move_row(self, value):
            seen.append(open_run(path).points)  # as long as a ramp or a stabilisation takes

    Runner(Slow(points=3, rows=2), BenchStation(), path).run()
    assert seen == [0, 3, 6, 9]


def test_a_point_of_the_innermost_axis_waits_for_the_next_one(tmp_path):
    """A flush at every point would cost more than the point."""

    class Line(Ramp):
        def axes(self):
            return (super().axes()[1],)

        def demands(self):
            return {"source": self.axes()[0].values}

    station, emitted, flushed = BenchStation(), [], []
    sequence = Line(points=6)
    points = Points(
        sequence, station, Requests(), emitted.append, lambda: flushed.append(len(emitted)), lambda *_: None
    )
    sequence.connect(station, points.checkpoint)
    assert points.take(0.0)
    assert [event.index for event in emitted] == [0, 1, 2, 3, 4, 5]
    assert flushed == []


def test_every_step_states_how_long_it_takes(tmp_path):
    """Set-up, the look back and the end take no time of their own; a point takes what the sequence says."""
    station, stated = BenchStation(), []
    station.heartbeat.expect = stated.append
    Runner(Ramp(points=2, rows=1, settling=0.3), station, tmp_path / "run.h5").run()
    assert set(stated) == {0.0, 0.3}
    assert stated.count(0.3) == 2
    assert stated[0] == 0.0
