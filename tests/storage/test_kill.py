"""Kill -9 in the middle of a run: what was acknowledged is there."""

import random
from itertools import islice

import h5py
import numpy as np
import pytest

from stmlab.errors import FileError
from stmlab.events import RunState
from stmlab.storage import Writer, append_fit, open_run, recover
from tests.forked import forked
from tests.repetitions import drawn
from tests.storage import waiting_process
from tests.storage.adding_process import add_fits
from tests.storage.writing_process import write


def first_few(count, of):
    """Seeds, of which the further ones are slow tests."""
    return [pytest.param(seed, marks=[pytest.mark.slow] * (seed >= count)) for seed in range(of)]


def killed_after(lines, function, *arguments):
    """Call ``function``, kill its process once it has said ``lines`` lines; returns everything that it has said."""
    with forked(function, *arguments) as process:
        said = list(islice(process.stdout, lines))
        process.kill()
        said += process.stdout
    return [int(line) for line in said if line.endswith("\n")]


@pytest.mark.parametrize("seed", first_few(6, of=20))
def test_a_killed_run_keeps_every_acknowledged_point(tmp_path, seed):
    mode = ("each", "batch", "arrays")[seed % 3]
    lines = random.Random(seed).randint(1, 300)
    path = tmp_path / "run.h5"
    acknowledged = killed_after(lines, write, path, mode)[-1]
    run = open_run(path)
    assert run.points >= acknowledged >= lines
    number = np.arange(run.points)
    ramp = np.arange(500) if mode == "arrays" else np.zeros(())
    np.testing.assert_array_equal(run.index, number)
    np.testing.assert_array_equal(run.time, 0.5 * number)
    np.testing.assert_array_equal(run.coordinates["bias"], 2.0 * number)
    np.testing.assert_array_equal(run.data["current"], np.add.outer(number, ramp))
    np.testing.assert_array_equal(run.data["x"], -np.add.outer(number, ramp))
    assert [points for points, _ in run.history][1:] == [100 * (k + 1) for k in range(len(run.history) - 1)]
    assert run.configuration == "text Γ"
    assert (run.complete, run.live, run.reason) == (False, False, "killed")
    assert run.state in (RunState.RUNNING, RunState.PAUSED)


@pytest.mark.parametrize("seed", first_few(2, of=6))
def test_a_killed_run_keeps_every_reading_of_a_point_that_was_read_again(tmp_path, seed):
    lines = random.Random(seed).randint(1, 300)
    acknowledged = killed_after(lines, write, tmp_path / "run.h5", "again")[-1]
    run = open_run(tmp_path / "run.h5")
    readings = len(run.visits)
    assert readings >= acknowledged
    number = np.arange(readings)
    np.testing.assert_array_equal(run.visits.index, number // 2)
    np.testing.assert_array_equal(run.visits.attempt, number % 2)
    np.testing.assert_array_equal(run.visits.data["current"], number)
    last = np.minimum(2 * np.arange(run.points) + 1, readings - 1)
    np.testing.assert_array_equal(run.data["current"], last)


@pytest.mark.parametrize("mode", ["arrays", "numbers"])
def test_a_run_killed_while_it_waits_has_every_finished_point(tmp_path, mode):
    with forked(waiting_process.run, tmp_path / "run.h5", mode) as process:
        assert process.stdout.readline() == "waiting\n"
        process.kill()
    run = open_run(tmp_path / "run.h5")
    assert run.data["reading"].reshape(run.points, -1)[:, 0].tolist() == [1.0, 2.0, 3.0]


def test_a_moved_run_whose_writer_is_killed_is_whole(tmp_path):
    path, moved = tmp_path / "run.h5", tmp_path / "moved.h5"
    with forked(write, path, "each") as process:
        acknowledged = [int(line) for line in islice(process.stdout, 50)]
        path.rename(moved)
        process.kill()
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    run = open_run(moved)
    assert run.points >= acknowledged[-1]
    np.testing.assert_array_equal(run.data["current"], np.arange(run.points))


@drawn(8, of=40)
def test_points_that_are_written_over_while_they_are_read_are_right(tmp_path, times):
    """Each cell is written twice, soon after each other."""
    with forked(write, path := tmp_path / "run.h5", "again") as process:
        for _ in range(times):
            acknowledged = int(process.stdout.readline())
            visits = open_run(path).visits
            assert len(visits) >= acknowledged
            np.testing.assert_array_equal(visits.data["current"], np.arange(len(visits)))
        process.kill()


@drawn(5, of=30)
def test_a_run_that_is_being_written_is_read_from_another_process(tmp_path, times):
    path = tmp_path / "run.h5"
    with forked(write, path, "batch") as process:
        for _ in range(times):
            acknowledged = int(process.stdout.readline())
            run = open_run(path)
            assert run.points >= acknowledged
            np.testing.assert_array_equal(run.data["current"], np.arange(run.points))
            assert (run.live, run.complete, run.reason) == (True, False, "running")
        process.kill()
    assert open_run(path).live is False


@pytest.mark.parametrize("seed", first_few(2, of=4))
def test_a_process_killed_while_it_adds_fits_leaves_a_file_that_opens(tmp_path, whole_run, make_fit, seed):
    writer = Writer(path := tmp_path / "run.h5")
    for event in whole_run():
        writer(event)
    added = killed_after(random.Random(seed).randint(1, 20), add_fits, path)[-1]
    run = open_run(path)
    assert len(run.fits) >= 2 + added
    for k, fit in enumerate(run.fits[2:]):
        assert fit["a"].value == k
        np.testing.assert_array_equal(fit.curves["x"], np.full(300, k))
    assert run.points == 12


def test_a_recovered_copy_is_an_ordinary_file_with_the_same_points(tmp_path, make_fit):
    path, copy = tmp_path / "run.h5", tmp_path / "copy.h5"
    killed_after(50, write, path, "each")
    with pytest.raises(OSError, match="already open for"):
        h5py.File(path, "r")
    recover(path, copy)
    before, after = open_run(path), open_run(copy)
    assert after.points == before.points
    np.testing.assert_array_equal(after.data["current"], before.data["current"])
    assert list(after.data) == list(before.data)
    assert (after.complete, after.reason, after.history) == (False, "killed", before.history)
    with h5py.File(copy, "r") as file:
        assert file["entry/visits/committed"][0] == before.points
    append_fit(copy, make_fit())
    assert len(open_run(copy).fits) == 1
    with pytest.raises(FileError, match="exists already"):
        recover(path, copy)


def test_a_run_that_is_being_written_is_not_recovered(tmp_path, whole_run):
    writer = Writer(path := tmp_path / "run.h5")
    for event in whole_run()[:6]:
        writer(event)
    with pytest.raises(FileError, match="still being written"):
        recover(path, tmp_path / "copy.h5")
    writer.close()
    recover(path, tmp_path / "copy.h5")
    assert open_run(tmp_path / "copy.h5").points == 3
