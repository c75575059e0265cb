"""A run that ended early goes on in its own file: what is taken, what is kept, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from stmlab.acquisition import runner as running
from stmlab.acquisition.resuming import Rest, changes
from stmlab.acquisition.runner import Runner
from stmlab.errors import FileError, InstrumentLost, SequenceError
from stmlab.events import PointsDisturbed, PointTaken, RunStarted, RunState, StateChanged
from stmlab.results import FitParameter, FitResult
from stmlab.storage import Writer, append_fit, open_run, resuming
from tests.acquisition.bench_station import BenchStation, Ramp
from tests.approximately import close


def a_fit():
    return FitResult("line", (FitParameter("slope", 1.0, 0.1, ""),), ("slope",), np.array([[0.01]]), 4, 0.1)


PLAN = {"points": 4, "rows": 3, "settling": 0.01}  # slow enough for each point to be acknowledged at once


def stopped_after(points, path, **settings):
    """A ramp of 4 points and 3 rows, stopped after some of them."""
    runner = Runner(Ramp(**{**PLAN, **settings}), BenchStation(), path)
    runner.listen(lambda e: runner.stop() if isinstance(e, PointTaken) and e.visit == points - 1 else None)
    runner.run()
    return open_run(path)


def resumed(path, station=None, listeners=(), **settings):
    ramp = Ramp(**{**PLAN, **settings})
    return Runner(ramp, station or BenchStation(), listeners=listeners, resumed=open_run(path))


def test_the_points_that_are_missing_are_taken_into_the_same_file(tmp_path):
    path, events = tmp_path / "run.h5", []
    before = stopped_after(5, path)
    station = BenchStation()
    runner = resumed(path, station, [events.append])
    assert runner.preflight().points == 7
    outcome = runner.run()
    assert (outcome.state, outcome.points, outcome.run_id) == (RunState.FINISHED, 12, before.run_id)
    assert [e.index for e in events if isinstance(e, PointTaken)] == list(range(5, 12))
    assert isinstance(events[0], RunStarted)
    assert station.log == ["outputs", "prepare", "row 1", "row 2", "finish", "status", "safe"]
    run, whole = open_run(path), tmp_path / "whole.h5"
    Runner(Ramp(**PLAN), BenchStation(), whole).run()
    np.testing.assert_array_equal(run.grid("reading"), open_run(whole).grid("reading"))
    np.testing.assert_array_equal(run.visits.session, [0] * 5 + [1] * 7)
    assert (np.diff(run.time) >= 0).all()
    assert [p.name for p in tmp_path.iterdir() if "resuming" in p.name] == []


def test_how_the_session_before_ended_and_when_the_next_began_stay_in_the_file(tmp_path):
    path = tmp_path / "run.h5"
    stopped_after(5, path)
    resumed(path).run()
    run = open_run(path)
    states = [(readings, e.state, e.reason) for readings, e in run.history if isinstance(e, StateChanged)]
    assert (5, RunState.STOPPED, "stopped: stopped by the user after 5 points") in states
    assert [s for s in states if s[1] is RunState.PREPARING][1][2].startswith("session 1, 2024-01-01T")


def test_a_session_after_another(tmp_path):
    path = tmp_path / "run.h5"
    stopped_after(2, path)
    runner = resumed(path)
    runner.listen(lambda e: runner.stop() if isinstance(e, PointTaken) and e.visit == 6 else None)
    assert runner.run().state is RunState.STOPPED
    assert resumed(path).run().state is RunState.FINISHED
    np.testing.assert_array_equal(open_run(path).visits.session, [0] * 2 + [1] * 5 + [2] * 5)


def test_a_run_that_failed_goes_on_as_well(tmp_path):
    class Broken(Ramp):
        def measure(self):
            if self.station.value > 0.5:
                raise InstrumentLost("TCPIP::lab", "gone")
            return super().measure()

    path = tmp_path / "run.h5"
    with pytest.raises(InstrumentLost):
        Runner(Broken(**PLAN), BenchStation(), path).run()
    assert open_run(path).state is RunState.FAILED
    assert resumed(path).run().points == 12
    assert open_run(path).state is RunState.FINISHED


def test_what_was_disturbed_and_not_measured_again_is_measured_again(tmp_path):
    path = tmp_path / "run.h5"
    writer = Writer(path)
    runner = Runner(Ramp(**PLAN), BenchStation())
    runner.preflight()
    writer(runner._introduce())
    for index in range(6):
        writer(PointTaken(index, float(index), (0.0, 0.0), (-1.0, 1.0), index))
    writer(PointsDisturbed((2, 3), 6.0, "a hand"))
    writer(PointTaken(3, 7.0, (0.0, 1.0), (1.0, 1.0), 6, 1))
    writer.close()
    rest = Rest.of(open_run(path))
    assert rest.done == {0, 1, 3, 4, 5}
    resumed(path).run()
    run = open_run(path)
    assert run.visits.index.tolist() == [0, 1, 2, 3, 4, 5, 3, 2, *range(6, 12)]
    assert run.visits.attempt.tolist() == [0] * 6 + [1, 1] + [0] * 6
    assert run.visits.data["reading"][2] == -1.0
    assert run.grid("reading")[0, 2] == close(2 / 3, rel=1e-12)


def test_fits_that_were_added_meanwhile_are_kept(tmp_path):
    path = tmp_path / "run.h5"
    stopped_after(5, path)
    append_fit(path, a_fit())
    resumed(path).run()
    assert [fit.as_dict() for fit in open_run(path).fits] == [a_fit().as_dict()]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"end": 0.5}, r"parameter end: it was 1.0 V, it is 0.5 V: take a new run"),
        ({"points": 5}, r"parameter points: it was 4, it is 5"),
    ],
)
def test_another_plan_is_refused_and_nothing_moves(tmp_path, settings, words):
    path, station = tmp_path / "run.h5", BenchStation()
    stopped_after(5, path)
    before = path.read_bytes()
    with pytest.raises(SequenceError, match=words):
        resumed(path, station, **settings).run()
    assert station.log == []
    assert path.read_bytes() == before


def test_another_station_file_instrument_path_or_factor_is_refused(tmp_path, monkeypatch):
    path, station = tmp_path / "run.h5", BenchStation()

    def snapshot(identity="one", date="2024-01-01"):
        return lambda: {"source": {"identity": identity, "value": 0.0}, "rf_path": {"section_1_date": date}}

    monkeypatch.setattr(BenchStation, "snapshot", lambda self: snapshot()())
    stopped_after(5, path)
    for change, words in (
        ({"snapshot": snapshot("another")}, "source: identity was one, it is another"),
        ({"snapshot": snapshot(date="2024-02-02")}, "rf_path: section_1_date was 2024-01-01, it is 2024-02-02"),
        ({"text": "another"}, "the station file bench.toml is not what it was"),
    ):
        other = BenchStation()
        vars(other).update(change)
        with pytest.raises(SequenceError, match=words):
            resumed(path, other).preflight()
    monkeypatch.setattr(Ramp, "factors", lambda self: {"gain": SimpleNamespace(value=2.0, unit="")})
    with pytest.raises(SequenceError, match=r"factor gain: it was None, it is 2.0"):
        resumed(path, station).preflight()


def test_settings_that_are_different_now_are_told():
    before = {"lockin": {"phase": 0.0, "gain": 1.0}, "audit": {"path": "a"}, "gone": {"x": 1}}
    after = {"lockin": {"phase": 90.0, "gain": 1.0}, "audit": {"path": "b"}}
    assert changes(before, after) == ["lockin.phase was 0.0, is 90.0"]


def test_a_whole_run_and_one_that_is_being_written_are_refused(tmp_path):
    path = tmp_path / "run.h5"
    Runner(Ramp(**{**PLAN, "rows": 1}), BenchStation(), path).run()
    with pytest.raises(FileError, match="finished with all its points"):
        resumed(path, rows=1).run()
    live = tmp_path / "live.h5"
    writer = Writer(live)
    writer(open_run(path).started)
    with pytest.raises(FileError, match="still being written"):
        resumed(live, rows=1).run()
    writer.close()


def test_a_copy_that_does_not_come_out_the_same_leaves_the_old_file_as_it_was(tmp_path, monkeypatch):
    path, station = tmp_path / "run.h5", BenchStation()
    stopped_after(5, path)
    before = path.read_bytes()
    monkeypatch.setattr(resuming, "difference", lambda *_: "a fit")
    with pytest.raises(FileError, match="a fit did not come out the same"):
        resumed(path, station).run()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert station.log == []


def test_what_a_killed_copy_left_is_removed(tmp_path):
    path = tmp_path / "run.h5"
    stopped_after(5, path)
    (tmp_path / "run.h5.resuming").write_bytes(b"half a file")
    assert resumed(path).run().points == 12
    assert list(tmp_path.iterdir()) == [path]


def test_a_simulated_session_begins_no_earlier_than_the_one_before_ended(tmp_path):
    path = tmp_path / "run.h5"
    before = stopped_after(1, path, settling=2.0)
    assert Rest.of(before).elapsed == before.finished.time > before.time[-1] - 1e-9
    resumed(path, settling=2.0).run()  # its clock begins anew
    assert open_run(path).time[1] >= before.finished.time


def test_time_goes_on_by_the_date(tmp_path):
    path = tmp_path / "run.h5"
    stopped_after(5, path, settling=2.0)
    station = BenchStation()
    station.clock.sleep(3600.0)  # the simulated date goes with it
    resumed(path, station, settling=2.0).run()
    assert open_run(path).time[5] == pytest.approx(3602.0, abs=1e-6)
    assert running.Rest.of(open_run(path)).elapsed > 3600
