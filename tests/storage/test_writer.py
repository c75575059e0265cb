"""What the writer acknowledges, refuses and leaves behind."""

import tracemalloc

import h5py
import numpy as np
import pytest

from stmlab.axes import Channel
from stmlab.errors import FileError, SequenceError
from stmlab.events import ParameterValue, PointTaken, RunFinished, RunState, StateChanged
from stmlab.storage import Writer, check_new, open_run
from tests.forked import answer
from tests.storage.other_process import overwrite


def write(path, events, **options):
    writer = Writer(path, **options)
    for event in events:
        writer(event)
    return writer


def test_slow_points_are_acknowledged_one_by_one(tmp_path, make_started, make_points):
    writer = write(tmp_path / "run.h5", [started := make_started(point_seconds=1e-3)])
    for k, point in enumerate(make_points(started)):
        assert writer.committed == k
        writer(point)
        assert open_run(writer.path).points == writer.committed == k + 1


def test_points_that_carry_arrays_are_acknowledged_one_by_one_however_fast(tmp_path, make_started, make_points):
    writer = write(tmp_path / "run.h5", [started := make_started(sweep=16, point_seconds=1e-5)])
    for k, point in enumerate(make_points(started)):
        writer(point)
        assert writer.committed == k + 1


def test_fast_points_wait_for_their_batch_and_no_longer(tmp_path, make_started, make_points, monkeypatch):
    now = 5.0
    monkeypatch.setattr("stmlab.storage.runfile.perf_counter", lambda: now)
    writer = write(tmp_path / "run.h5", [started := make_started(point_seconds=1e-5)])
    points = make_points(started)
    writer(points[0])
    now += 0.9e-3
    writer(points[1])
    assert writer.committed == 0
    now += 0.11e-3  # the first point is now older than 1 ms
    writer(points[2])
    assert writer.committed == 3
    writer(points[3])
    assert writer.committed == 3
    writer.flush()
    assert writer.committed == open_run(writer.path).points == 4


def test_a_point_that_comes_late_waits_for_nobody(tmp_path, make_started, make_points, monkeypatch):
    """However fast the points were announced: the next one may be as late."""
    now = 5.0
    monkeypatch.setattr("stmlab.storage.runfile.perf_counter", lambda: now)
    writer = write(tmp_path / "run.h5", [started := make_started(point_seconds=0.0)])
    for k, point in enumerate(make_points(started)):
        now += 1.1e-3
        assert writer(point)
        assert open_run(writer.path).points == k + 1


@pytest.mark.parametrize("name", ["x" * 300 + ".h5", "folder/" + "é" * 130, "y" * 300 + "/run.h5", "a\0b.h5"])
def test_a_name_that_the_disk_does_not_take_is_refused_before_the_file_is_made(tmp_path, name):
    with pytest.raises(FileError, match="cannot be made") as refusal:
        check_new(tmp_path / name)
    assert "\n" not in str(refusal.value)
    check_new(tmp_path / "folder" / "folder" / "run.h5")


def test_every_other_event_acknowledges_the_points_before_it(tmp_path, make_started, make_points):
    writer = write(tmp_path / "run.h5", [started := make_started(point_seconds=0.0)])
    writer(make_points(started)[0])
    writer(StateChanged(RunState.PAUSED, 1.0))
    assert open_run(writer.path).points == 1


def test_an_existing_file_is_never_overwritten_unasked(tmp_path, whole_run):
    path = tmp_path / "run.h5"
    path.write_text("years of work")
    with pytest.raises(FileError, match="exists already"):
        write(path, whole_run())
    assert path.read_text() == "years of work"
    write(path, whole_run(), overwrite=True)
    assert open_run(path).points == 12


def test_a_file_that_is_being_written_cannot_be_overwritten(tmp_path, whole_run):
    path = tmp_path / "run.h5"
    writer = write(path, whole_run()[:6])
    assert answer(overwrite, path) == f"{path}: still being written by another run; give another file\n"
    assert open_run(path).points == writer.committed == 3


@pytest.mark.parametrize("sweep", [0, 7])
def test_the_same_events_give_the_same_bytes(tmp_path, whole_run, sweep):
    for name in ("a.h5", "b.h5"):
        write(tmp_path / name, whole_run(sweep=sweep))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_the_bytes_do_not_depend_on_when_batches_were_flushed(tmp_path, make_started, make_points, whole_run):
    started = make_started(rows=60, columns=100, point_seconds=0.0)  # more than one chunk
    end = whole_run()[-1]
    each = [*range(20), *range(4080, 4110)]  # at the beginning, and where a chunk ends
    for name, flushed in (("a.h5", range(0, 6000, 70)), ("b.h5", range(0, 6000, 4096)), ("c.h5", each)):
        writer = write(tmp_path / name, [started])
        for k, point in enumerate(make_points(started)):
            writer(point)
            if k in flushed:
                writer.flush()
        writer(end)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes() == (tmp_path / "c.h5").read_bytes()


def test_every_number_says_its_unit_and_a_whole_run_has_no_fill(tmp_path, make_started, make_points, whole_run):
    started = make_started(rows=50, columns=99, point_seconds=0.0)
    write(tmp_path / "run.h5", [started, *make_points(started), whole_run()[-1]])
    units = {}
    with h5py.File(tmp_path / "run.h5") as file:
        file.visititems(lambda name, item: units.update({name: item.attrs.get("units")}) if is_number(item) else None)
        data = file["entry/data"]
        assert data["current"].shape == data["frequency_measured"].shape == (50, 99)
        assert not np.isnan(data["current"][:]).any()
        assert file["entry/plan/channel_meaning"].asstr()[0] == "tunnel current"
    assert None not in units.values()
    named = [f"entry/{name}" for name in ("data/current", "data/frequency", "parameters/dc_bias")]
    assert [units[name] for name in named] == ["A", "Hz", "V"]


def is_number(item):
    return isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf"


def test_other_hdf5_readers_see_state_end_and_fits_by_name(tmp_path, whole_run):
    write(tmp_path / "run.h5", whole_run())
    with h5py.File(tmp_path / "run.h5") as file:
        entry = file["entry"]
        assert entry["status/state"].asstr()[()] == "finished"
        assert b"".join(entry["status/reason"][:]) == b"completed"
        assert entry["fit/results/parameter"][:].tolist() == [b"rate", b"frequency"] * 2
        assert entry["fit/results/value"][0] == 1.73e9
        assert entry["fit/results/unit"][:2].tolist() == [b"1/s", b"Hz"]
        assert entry["fit/inputs/points"][:].tolist() == [60, 60]
        assert (entry["fit/covariance/row"][0], entry["fit/covariance/value"][0]) == (b"rate", 4e14)
        assert entry["fit/curves/values"][:5].tolist() == np.geomspace(1, 10, 5).tolist()
        assert entry["events/event"][:].tolist() == [b"preparing", b"running", b"paused", b"running", b"analysing"]
        assert entry["events/readings"][:].tolist() == [0, 0, 5, 5, 12]


def test_a_point_that_does_not_fit_is_refused_and_those_before_it_are_kept(tmp_path, make_started, make_points):
    started = make_started(point_seconds=0.0)
    points = make_points(started)
    bad = [
        (PointTaken(3, 1.0, (1.0, 2.0), (1.0,)), r"values \(1.0,\) are not one number for each of: current, x"),
        (PointTaken(3, 1.0, (1.0,), (1.0, 2.0)), r"coordinates \(1.0,\) are not one number for each of: bias, freq"),
        (PointTaken(3, 1.0, (1.0, 2.0), (1.0, np.ones(2))), "not one number"),
        (PointTaken(3, 1.0, (1.0, 2.0), (1.0, "two")), "not one number"),
    ]
    for k, (point, text) in enumerate(bad):
        writer = write(tmp_path / f"{k}.h5", [started, *points[:3]])
        with pytest.raises(SequenceError, match=text) as refusal:
            writer(point)
            writer.flush()
        assert "\n" not in str(refusal.value)
        writer(RunFinished(RunState.FAILED, "SequenceError", str(refusal.value), 3, 1.0))
        assert open_run(writer.path).index.tolist() == [0, 1, 2]


def test_an_array_of_the_wrong_length_is_refused(tmp_path, make_started):
    writer = write(tmp_path / "run.h5", [make_started(sweep=16)])
    with pytest.raises(SequenceError, match=r"channel x: a value of shape \(15,\); its axes allow \(16,\) only"):
        writer(PointTaken(0, 0.0, (0.0, 0.0), (np.zeros(16), np.zeros(15))))
    with pytest.raises(SequenceError, match="not one number"):
        writer(PointTaken(0, 0.0, (0.0, 0.0), (np.zeros(16),)))


def test_a_number_in_a_swept_run_holds_all_along_the_sweep(tmp_path, make_started):
    writer = write(tmp_path / "run.h5", [make_started(sweep=3), PointTaken(0, 0.0, (0.0, 0.0), (np.arange(3.0), 5))])
    assert open_run(writer.path).data["x"].tolist() == [[5.0, 5.0, 5.0]]


def test_a_name_that_cannot_stand_in_a_file_leaves_no_file(tmp_path, make_started):
    for more in (
        {"channels": (Channel("current/forward", "A", ""),)},
        {"channels": (Channel("x", "A", ""), Channel("x", "A", ""))},
        {"parameters": {"": ParameterValue(1.0, "V", "")}},
    ):
        with pytest.raises(FileError, match="cannot name a dataset"):
            write(tmp_path / "run.h5", [make_started(**more)])
        assert not (tmp_path / "run.h5").exists()


def test_events_out_of_order_are_refused(tmp_path, whole_run):
    events = whole_run()
    with pytest.raises(FileError, match="no run has been started"):
        Writer(tmp_path / "a.h5")(events[3])
    writer = write(tmp_path / "b.h5", events)
    for event in (events[3], events[1], events[-2], events[-1]):
        with pytest.raises(FileError, match=r"b\.h5: is closed"):
            writer(event)
            writer.flush()
    with pytest.raises(FileError, match="second run"):
        writer(events[0])


def test_memory_does_not_grow_with_the_points(tmp_path, make_started):
    started = make_started(rows=1, columns=(points := 20_000), point_seconds=0.0)
    writer = write(tmp_path / "run.h5", [started])
    held = []
    tracemalloc.start()
    try:
        for k in range(points):
            writer(PointTaken(k, float(k), (0.0, 0.0), (0.0, 0.0)))
            if k in (1000, points - 1):
                writer.flush()
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    writer.close()
    assert held[1] - held[0] < 5 * points
