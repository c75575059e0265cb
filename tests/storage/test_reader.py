"""What comes back from a file."""

import dataclasses
import json

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmlab.errors import FileError
from stmlab.events import (
    Analysed,
    ParameterValue,
    PointsDisturbed,
    PointTaken,
    RunFinished,
    RunStarted,
    RunState,
    StateChanged,
)
from stmlab.results import FitParameter, FitResult
from stmlab.storage import Writer, append_fit, open_run
from stmlab.storage.hdf5 import PIECE, from_pieces, to_pieces
from stmlab.storage.layout import FORMAT_VERSION, Committed
from tests.forked import answer
from tests.storage.other_process import add_fit


def write(path, events):
    writer = Writer(path)
    for event in events:
        writer(event)
    return writer


def as_plain(value):
    """Events, fits and arrays as something that can be compared."""
    if dataclasses.is_dataclass(value):
        return {f.name: as_plain(getattr(value, f.name)) for f in dataclasses.fields(value)} | {"is": type(value)}
    if isinstance(value, np.ndarray):
        return [value.shape, value.tolist()]
    if isinstance(value, dict):
        return {name: as_plain(item) for name, item in value.items()}
    return [as_plain(item) for item in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("sweep", [0, 7])
def test_replay_gives_the_events_back_in_their_order(tmp_path, whole_run, sweep):
    events = whole_run(sweep=sweep)
    write(tmp_path / "run.h5", events)
    again = list(open_run(tmp_path / "run.h5").replay())
    assert [type(event) for event in again] == [type(event) for event in events]
    assert as_plain(tuple(again)) == as_plain(tuple(events))


def test_a_replayed_run_makes_the_same_file(tmp_path, whole_run):
    write(tmp_path / "run.h5", whole_run(sweep=5))
    write(tmp_path / "again.h5", open_run(tmp_path / "run.h5").replay())
    assert (tmp_path / "run.h5").read_bytes() == (tmp_path / "again.h5").read_bytes()


def test_everything_that_was_said_is_there(tmp_path, whole_run):
    write(tmp_path / "run.h5", events := whole_run())
    run, started = open_run(tmp_path / "run.h5"), events[0]
    for name in ("run_id", "sequence", "date", "station", "configuration", "sample", "git", "seed"):
        assert getattr(run, name) == getattr(started, name)
    assert run.parameters == started.parameters
    assert list(run.parameters) == list(started.parameters)
    assert {type(p.value) for p in run.parameters.values()} == {float, int, bool, str}
    assert run.factors == started.factors
    assert list(run.versions.items()) == list(started.versions.items())
    assert run.snapshot_before == started.snapshot
    assert run.snapshot_after == events[-1].snapshot
    assert run.channels == started.channels
    assert [as_plain(axis) for axis in run.axes] == [as_plain(axis) for axis in started.axes]
    assert (run.state, run.reason, run.message, run.complete, run.live) == (
        RunState.FINISHED,
        "completed",
        "",
        True,
        False,
    )
    assert run.points == 12
    assert run.fits[0]["rate"] == FitParameter("rate", 1.73e9, 2e7, "1/s")


def test_a_run_can_be_read_while_this_process_writes_it(tmp_path, make_started, make_points):
    writer = write(tmp_path / "run.h5", [started := make_started()])
    for k, point in enumerate(make_points(started)):
        writer(point)
        run = open_run(writer.path)
        np.testing.assert_array_equal(run.data["x"], -np.arange(k + 1))
        assert (run.live, run.reason) == (True, "running")
    writer.close()
    assert (open_run(writer.path).live, open_run(writer.path).reason) == (False, "killed")


def test_no_seed_stays_no_seed(tmp_path, make_started):
    write(tmp_path / "run.h5", [make_started(seed=None)]).close()
    assert open_run(tmp_path / "run.h5").seed is None


def test_the_grid_has_nan_where_no_point_was_taken_and_the_last_of_a_repeated_point(
    tmp_path, make_started, make_points
):
    started = make_started(rows=3, columns=4)
    points = make_points(started, 6)
    again = PointTaken(2, 9.0, (0.0, 0.0), (42.0, 43.0))
    write(tmp_path / "run.h5", [started, *points, again]).close()
    run = open_run(tmp_path / "run.h5")
    expected = np.full(12, np.nan)
    expected[:6] = -np.arange(6.0)
    expected[2] = 43.0
    np.testing.assert_array_equal(run.grid("x"), expected.reshape(3, 4))
    assert run.grid("frequency").shape == run.grid("time").shape == (3, 4)
    with pytest.raises(FileError, match="no channel or coordinate 'y'; it has bias, current, frequency, time, x"):
        run.grid("y")


def test_points_that_were_disturbed_are_named_with_the_reason(tmp_path, make_started, make_points):
    started = make_started()
    points = make_points(started, 3)
    events = [started, *points, StateChanged(RunState.RUNNING, 0.2), PointsDisturbed((1, 2), 1.5, "the tip jumped")]
    write(tmp_path / "run.h5", events).close()
    run = open_run(tmp_path / "run.h5")
    assert run.history[1] == (3, events[-1])
    assert run.state is RunState.RUNNING
    assert as_plain(tuple(run.replay())) == as_plain(tuple(events))


def test_a_run_that_went_beyond_its_axes_has_no_grid_but_its_points(tmp_path, make_started):
    started = make_started(rows=1, columns=100, point_seconds=0.0)
    write(tmp_path / "run.h5", [started, *(PointTaken(k, 0.0, (0.0, 1.0), (k, 0)) for k in range(4200))]).close()
    run = open_run(tmp_path / "run.h5")
    np.testing.assert_array_equal(run.data["current"], np.arange(4200))
    with pytest.raises(FileError, match="beyond its axes"):
        run.grid("current")


def test_a_run_without_points_can_be_read(tmp_path, make_started):
    write(tmp_path / "run.h5", [make_started()]).close()
    run = open_run(tmp_path / "run.h5")
    assert (run.points, run.state, run.fits) == (0, RunState.PREPARING, ())
    assert np.isnan(run.grid("x")).all()
    assert [type(event) for event in run.replay()] == [RunStarted]


def test_an_xarray_dataset_carries_dimensions_units_and_parameters(tmp_path, whole_run):
    write(tmp_path / "run.h5", whole_run(sweep=7))
    run = open_run(tmp_path / "run.h5")
    dataset = run.to_xarray()
    assert dict(dataset.sizes) == {"bias": 3, "frequency": 4, "height": 7}
    assert dataset.x.dims == ("bias", "frequency", "height")
    np.testing.assert_array_equal(dataset.x.values, run.grid("x"))
    np.testing.assert_array_equal(dataset.frequency_measured.values, 1.001 * dataset.frequency.values * np.ones((3, 1)))
    assert (dataset.x.units, dataset.frequency.units, dataset.height.units) == ("V", "Hz", "m")
    assert (dataset.attrs["dc_bias"], dataset.attrs["dc_bias_units"]) == (4e-3, "V")
    assert (dataset.attrs["run_id"], dataset.attrs["run_state"], dataset.attrs["run_seed"]) == (
        run.run_id,
        "finished",
        7,
    )


def test_a_fit_added_later_is_there_and_the_data_are_untouched(tmp_path, whole_run, make_fit):
    write(tmp_path / "run.h5", whole_run())
    before = open_run(tmp_path / "run.h5")
    later = make_fit(1.5e9, samples=400)
    append_fit(tmp_path / "run.h5", later)
    append_fit(tmp_path / "run.h5", make_fit(1.4e9, samples=0))
    run = open_run(tmp_path / "run.h5")
    assert [fit["rate"].value for fit in run.fits] == [1.73e9, 1.6e9, 1.5e9, 1.4e9]
    assert as_plain(run.fits[2]) == as_plain(later)
    assert as_plain(tuple(run.replay())) == as_plain(tuple(before.replay()))
    with h5py.File(tmp_path / "run.h5") as file:
        assert file["entry/fit/results/fit"][:].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def fits_counted(file):
    return Committed(*file["entry/visits/committed"][:].tolist()).fits


def test_a_fit_is_on_its_way_to_the_disk_before_it_counts(tmp_path, whole_run, make_fit, monkeypatch):
    write(path := tmp_path / "run.h5", whole_run())
    counted, flush = [], h5py.File.flush

    def watched(file):
        counted.append((fits_counted(file), len(file["entry/fit/results/fit"])))
        flush(file)

    monkeypatch.setattr(h5py.File, "flush", watched)
    append_fit(path, make_fit(1.5e9, samples=0))
    assert counted == [(2, 6), (3, 6)]


def test_what_a_fit_that_was_never_finished_left_behind_belongs_to_no_other(tmp_path, whole_run, make_fit):
    """Killed before the fit counted: its rows are in the table already, more than the next fit needs."""
    write(path := tmp_path / "run.h5", whole_run())
    many = tuple(FitParameter(f"p{k}", float(k), 1.0, "V") for k in range(5))
    append_fit(path, FitResult("lost", many, ("p0",), np.eye(1), 9, 0.0))
    with h5py.File(path, "r+") as file:
        file["entry/visits/committed"][Committed._fields.index("fits")] -= 1
    assert len(open_run(path).fits) == 2
    append_fit(path, make_fit(1.5e9, samples=0))
    with h5py.File(path) as file:
        assert file["entry/fit/results/fit"][:].tolist() == [0, 0, 1, 1, 2, 2, -1, -1, -1]
    assert [fit["rate"].value for fit in open_run(path).fits] == [1.73e9, 1.6e9, 1.5e9]


def test_fits_are_refused_while_the_run_is_written_or_where_it_was_killed(tmp_path, whole_run, make_fit):
    writer = write(path := tmp_path / "run.h5", whole_run()[:-1])
    assert answer(add_fit, path) == f"{path}: still being written; the fit can be added when the run is over\n"
    (tmp_path / "killed.h5").write_bytes(path.read_bytes())
    writer.close()
    with pytest.raises(FileError, match="its writer was killed"):
        append_fit(tmp_path / "killed.h5", make_fit())
    assert len(open_run(tmp_path / "killed.h5").fits) == 2


def test_a_fit_with_a_name_too_long_for_the_file_is_refused_and_nothing_is_added(tmp_path, whole_run):
    write(tmp_path / "run.h5", whole_run())
    for fit in (
        FitResult("m" * 65, (), (), np.eye(0), 0, 0.0),
        FitResult("m", (FitParameter("p", 1.0, 1.0, "Ω" * 17),), ("p",), np.eye(1), 0, 0.0),
    ):
        with pytest.raises(FileError, match="too long for the file"):
            append_fit(tmp_path / "run.h5", fit)
    assert len(open_run(tmp_path / "run.h5").fits) == 2


def test_what_is_not_a_run_is_refused_in_one_line(tmp_path, make_fit):
    (tmp_path / "text.h5").write_text("key\tvalue\n" * 1000)
    (tmp_path / "empty.h5").write_bytes(b"")
    h5py.File(tmp_path / "other.h5", "w").close()
    for name, text in (
        ("missing.h5", "no such file"),
        ("text.h5", "not an HDF5 file"),
        ("empty.h5", "an empty file"),
        ("other.h5", "not a run of stmlab"),
        ("", "a folder"),
    ):
        with pytest.raises(FileError, match=text) as refusal:
            open_run(tmp_path / name)
        assert "\n" not in str(refusal.value)
        assert str(tmp_path) in str(refusal.value)
    for name in ("missing.h5", "text.h5", "other.h5", "empty.h5"):
        with pytest.raises(FileError):
            append_fit(tmp_path / name, make_fit())
    assert not (tmp_path / "empty.h5").read_bytes()


def test_a_newer_format_and_a_damaged_file_are_refused(tmp_path, whole_run):
    write(tmp_path / "run.h5", whole_run())
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        del file["entry/data"]
    with pytest.raises(FileError, match="damaged"):
        open_run(tmp_path / "run.h5")
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        file.attrs["format_version"] = FORMAT_VERSION + 1
    with pytest.raises(FileError, match=f"of a newer stmlab; this one reads up to {FORMAT_VERSION}"):
        open_run(tmp_path / "run.h5")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3 * PIECE))
def test_text_of_any_length_and_script_comes_back(text):
    assert from_pieces(to_pieces(text)) == text


@settings(max_examples=settings().max_examples // 3)  # of three times as many reasons: each takes a file
@given(st.lists(st.tuples(st.sampled_from(list(RunState)), st.text(max_size=200)), max_size=15))
def test_every_reason_comes_back_whatever_is_in_it(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("reasons") / "run.h5"
    started = RunStarted("i", "s", "d", {"p": ParameterValue(1.0, "V", "")}, (), (), 1.0, "st", "")
    events = [started, *(StateChanged(state, 0.0, reason) for state, reason in changes)]
    write(path, [*events, RunFinished(RunState.FAILED, "X", "", 0, 1.0, {"a": {"b": np.float64(1.5)}})])
    run = open_run(path)
    assert [(c.state, json.loads(json.dumps(c.reason))) for _, c in run.history] == changes
    assert run.snapshot_after == {"a": {"b": 1.5}}
    assert not any(isinstance(event, Analysed) for event in run.replay())
