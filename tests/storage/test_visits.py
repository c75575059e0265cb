"""Points that are read again: every reading stays in the log, the last one counts."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import FileError
from stmlab.events import PointsDisturbed, PointTaken
from stmlab.storage import Writer, append_fit, open_run, recover
from stmlab.storage.checksum import row_checksums
from stmlab.storage.visits import attempts

FILES = Path(__file__).parent / "files"
FORMAT_1 = FILES / "format_1.h5"  # written by the last build before the log of readings
FORMAT_2 = FILES / "format_2.h5"  # written by the last build before NeXus; the other one with arrays


def write(path, events):
    writer = Writer(path)
    for event in events:
        writer(event)
    return writer


def readings(indices, *, sweep=0, session=0):
    """One reading at each of ``indices``; the values follow from the number of the reading."""
    seen = dict.fromkeys(indices, 0)
    for visit, index in enumerate(indices):
        value = 10.0 * visit + np.arange(sweep) if sweep else 10.0 * visit
        yield PointTaken(index, 0.5 * visit, (1.0, visit), (value, -value), visit, seen[index], session)
        seen[index] += 1


@pytest.mark.parametrize("sweep", [0, 3])
@pytest.mark.parametrize("seconds", [1.0, 0.0])
def test_a_point_that_was_read_again_keeps_its_old_values_in_the_log(tmp_path, make_started, sweep, seconds):
    started = make_started(rows=2, columns=3, sweep=sweep, point_seconds=seconds)
    taken = list(readings([0, 1, 2, 1, 2, 3, 1], sweep=sweep))
    write(
        tmp_path / "run.h5", [started, *taken[:3], PointsDisturbed((1, 2), 1.2, "the tip jumped"), *taken[3:]]
    ).close()
    run = open_run(tmp_path / "run.h5")
    assert (run.points, len(run.visits)) == (4, 7)
    assert run.index.tolist() == [0, 1, 2, 3]
    assert run.visits.index.tolist() == [0, 1, 2, 1, 2, 3, 1]
    assert run.visits.attempt.tolist() == [0, 0, 0, 1, 1, 0, 2]
    assert run.time.tolist() == [0.0, 3.0, 2.0, 2.5]
    assert run.coordinates["frequency"].tolist() == [0.0, 6.0, 4.0, 5.0]
    first = (..., 0) if sweep else ...
    assert run.data["current"][first].tolist() == [0.0, 60.0, 40.0, 50.0]
    assert run.visits.data["current"][first].tolist() == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    assert run.grid("x")[first].ravel()[:4].tolist() == [0.0, -60.0, -40.0, -50.0]
    again = [event for event in run.replay() if isinstance(event, PointTaken)]
    for before, after in zip(taken, again, strict=True):
        for name in PointTaken._fields:
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


@pytest.mark.parametrize("sweep", [0, 3])
@pytest.mark.parametrize("batch", [False, True])
def test_points_in_any_order_many_times_and_beyond_the_plan_are_all_there(tmp_path, make_started, batch, sweep):
    order = np.random.default_rng(5).integers(0, 14, 60).tolist()  # of 12 planned ones
    writer = Writer(tmp_path / "run.h5", batch=batch)
    for event in (make_started(sweep=sweep), *(taken := list(readings(order, sweep=sweep)))):
        writer(event)
    writer.close()
    visits = open_run(tmp_path / "run.h5").visits
    assert visits.index.tolist() == order
    np.testing.assert_array_equal(visits.data["current"], [point.values[0] for point in taken])
    with h5py.File(tmp_path / "run.h5") as file:
        cells = file["entry/data/current"][:].reshape(12, -1)[:, 0]
    np.testing.assert_array_equal(cells, [max(10.0 * v for v, k in enumerate(order) if k == i) for i in range(12)])


@pytest.mark.parametrize("batch", [False, True])
def test_points_taken_in_any_order_come_back_in_the_order_of_their_places(tmp_path, make_started, batch):
    order = [7, 3, 11, 0, 5]
    writer = Writer(tmp_path / "run.h5", batch=batch)
    for event in (make_started(), *readings(order)):
        writer(event)
    writer.close()
    run = open_run(tmp_path / "run.h5")
    assert run.index.tolist() == sorted(order)
    assert run.data["current"].tolist() == [30.0, 10.0, 40.0, 0.0, 20.0]
    assert run.visits.index.tolist() == order


def test_the_session_of_each_reading_is_kept(tmp_path, make_started):
    events = [*readings([0, 1, 2]), *readings([3, 4], session=1)]
    write(tmp_path / "run.h5", [make_started(point_seconds=0.0), *events]).close()
    assert open_run(tmp_path / "run.h5").visits.session.tolist() == [0, 0, 0, 1, 1]


def test_the_bytes_of_the_log_do_not_depend_on_when_batches_were_flushed(tmp_path, make_started):
    started = make_started(rows=60, columns=100, point_seconds=0.0)
    again = [*range(4200), *range(4100, 4150), *range(4200, 5000)]
    each = [*range(20), *range(4080, 4270)]  # at the beginning, and where a chunk ends and points are read again
    for name, flushed in (("a.h5", range(0, 6000, 70)), ("b.h5", range(0, 6000, 4096)), ("c.h5", each)):
        writer = write(tmp_path / name, [started])
        for k, point in enumerate(readings(again)):
            writer(point)
            if k in flushed:
                writer.flush()
        writer.close()
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes() == (tmp_path / "c.h5").read_bytes()
    attempt = open_run(tmp_path / "a.h5").visits.attempt
    assert np.flatnonzero(attempt).tolist() == list(range(4200, 4250))


def test_a_file_of_format_1_still_opens():
    run = open_run(FORMAT_1)
    assert (run.complete, run.points, len(run.visits)) == (True, 6, 7)
    assert run.visits.index.tolist() == [0, 1, 2, 3, 1, 4, 5]
    assert run.visits.attempt.tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert run.visits.session.tolist() == [0] * 7
    assert run.data["current"].tolist() == [0.0, 40.0, 20.0, 30.0, 50.0, 60.0]
    assert run.fits[0]["a"].value == 1.0


@pytest.mark.parametrize("name", ["format_2", "format_2_arrays"])
def test_a_file_of_format_2_still_opens(name):
    run = open_run(FILES / f"{name}.h5")
    ramp = np.arange(3.0) if "arrays" in name else 0.0
    assert (run.complete, run.points, len(run.visits)) == (True, 6, 7)
    assert run.visits.index.tolist() == [0, 1, 2, 3, 1, 4, 5]
    assert run.visits.attempt.tolist() == [0, 0, 0, 0, 1, 0, 0]
    expected = np.array([0.0, 40.0, 20.0, 30.0, 50.0, 60.0])
    np.testing.assert_array_equal(run.data["current"], np.add.outer(expected, ramp))
    assert run.history[1] == (4, PointsDisturbed((1,), 1.7, "the tip jumped"))
    assert {name: p.value for name, p in run.parameters.items()} == {
        "dc_bias": 4e-3,
        "both_ways": True,
        "comment": "Γ of Fe",
    }
    assert (run.fits[0]["a"].value, run.fits[0].curves["fit"].tolist()) == (1.0, [0.0, 1.0, 4.0, 9.0])
    assert run.snapshot_after == {"lockin": {"time_constant": 0.1}}


@pytest.mark.parametrize("name", ["format_1", "format_2", "format_2_arrays"])
def test_a_copy_of_an_older_file_has_todays_format_and_the_same_in_it(tmp_path, name):
    old = open_run(FILES / f"{name}.h5")
    copy = recover(FILES / f"{name}.h5", tmp_path / "copy.h5")
    assert copy.visits.columns().keys() == old.visits.columns().keys()
    for name, column in copy.visits.columns().items():
        np.testing.assert_array_equal(column, old.visits.columns()[name])
    assert (copy.parameters, copy.history, copy.message) == (old.parameters, old.history, old.message)
    with pytest.raises(FileError, match=r"format \d of an older stmlab: `stmlab recover FILE COPY`"):
        append_fit(old.path, old.fits[0])
    append_fit(copy.path, old.fits[0])
    assert len(open_run(copy.path).fits) == len(old.fits) + 1


@given(st.lists(st.integers(0, 5), max_size=30))
def test_attempts_are_counted_for_each_place(index):
    expected = [index[:k].count(place) for k, place in enumerate(index)]
    assert attempts(np.array(index, dtype=np.int64)).tolist() == expected


LOG = [f"visits/{name}" for name in ("index", "attempt", "session", "checksum")]


@pytest.mark.parametrize("name", [*LOG, "data/elapsed", "data/x", "data/bias_measured"])
@pytest.mark.parametrize("sweep", [0, 7])
def test_a_changed_number_is_found_when_the_run_is_read(tmp_path, whole_run, name, sweep):
    write(path := tmp_path / "run.h5", whole_run(sweep=sweep))
    with h5py.File(path, "r+") as file:
        rows = file["entry"][name][:]
        rows.reshape(12, -1)[5] += 1
        file["entry"][name][:] = rows
    with pytest.raises(FileError, match="damaged: reading number 5 is not what was written"):
        open_run(path)


def test_changed_signs_and_readings_that_changed_places_are_found(tmp_path, whole_run):
    for name, change in (("signs", lambda rows: -rows), ("order", lambda rows: rows[::-1])):
        write(path := tmp_path / f"{name}.h5", whole_run(sweep=8))
        with h5py.File(path, "r+") as file:
            file["entry/data/x"][:] = change(file["entry/data/x"][:])
        with pytest.raises(FileError, match="damaged: reading number"):
            open_run(path)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20), st.data())
def test_the_checksum_feels_every_bit_and_every_exchange(words, data):
    column = np.array(words, dtype=np.uint64)[:, None]
    before = row_checksums(column)[0]
    changed = column.copy()
    changed[data.draw(st.integers(0, len(words) - 1))] ^= np.uint64(1 << data.draw(st.integers(0, 63)))
    assert row_checksums(changed)[0] != before
    first, second = (data.draw(st.integers(0, len(words) - 1)) for _ in range(2))
    if words[first] != words[second]:
        changed = column.copy()
        changed[[first, second]] = changed[[second, first]]
        assert row_checksums(changed)[0] != before
    negated = column ^ np.uint64(1 << 63)
    assert row_checksums(negated)[0] != before


def test_the_checksum_of_a_row_does_not_depend_on_its_neighbours_or_its_blocks():
    table = np.random.default_rng(1).normal(size=(9, 5))
    whole = row_checksums(table)
    parts = [row_checksums(table[:4, k : k + 1], table[4:, k : k + 1])[0] for k in range(5)]
    assert whole.tolist() == parts
    assert row_checksums(np.zeros((9, 1)))[0] != 0
