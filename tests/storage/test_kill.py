"""Kill -9 in the middle of a run: what was acknowledged is there."""

import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import h5py
import numpy as np
import pytest

from stmlab.errors import FileError
from stmlab.events import RunState
from stmlab.storage import Writer, append_fit, open_run, recover
from tests.repetitions import drawn

WRITING = Path(__file__).parent / "writing_process.py"


def first_few(count, of):
    """Seeds, of which the further ones are slow tests."""
    return [pytest.param(seed, marks=[pytest.mark.slow] * (seed >= count)) for seed in range(of)]


def killed_after(lines, command):
    """Start ``command``, kill it once it has said ``lines`` lines; returns everything that it has said."""
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as process:
        said = list(islice(process.stdout, lines))
        process.kill()
        said += process.stdout
    assert process.returncode == -9
    return [int(line) for line in said if line.endswith("\n")]


@pytest.mark.parametrize("seed", first_few(6, of=20))
def test_a_killed_run_keeps_every_acknowledged_point(tmp_path, seed):
    mode = ("each", "batch", "arrays")[seed % 3]
    lines = random.Random(seed).randint(1, 300)
    path = tmp_path / "run.h5"
    acknowledged = killed_after(lines, [str(WRITING), str(path), mode])[-1]
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
    acknowledged = killed_after(random.Random(seed).randint(1, 300), [str(WRITING), str(tmp_path / "run.h5"), "again"])[
        -1
    ]
    run = open_run(tmp_path / "run.h5")
    readings = len(run.visits)
    assert readings >= acknowledged
    number = np.arange(readings)
    np.testing.assert_array_equal(run.visits.index, number // 2)
    np.testing.assert_array_equal(run.visits.attempt, number % 2)
    np.testing.assert_array_equal(run.visits.data["current"], number)
    last = np.minimum(2 * np.arange(run.points) + 1, readings - 1)
    np.testing.assert_array_equal(run.data["current"], last)


WAITING = """
import os, sys
import numpy as np
from stmlab.acquisition.runner import Runner
from tests.acquisition.bench_station import BenchStation, Ramp

class Sweeps(Ramp):
    channels = Ramp.channels[:1]
    sweep = sys.argv[2] == "arrays"

    def axes(self):
        from stmlab.axes import Axis
        return (*super().axes(), Axis("bias", "V", np.arange(100.0), hardware=True)) if self.sweep else super().axes()

    def point_seconds(self):
        return 0.0

    def measure(self):
        self.taken = getattr(self, "taken", 0) + 1
        return {"reading": self.taken + np.arange(100.0) if self.sweep else float(self.taken)}

    def wait(self, seconds):
        if getattr(self, "taken", 0) == 3:
            super().wait(0.01)
            os.write(1, b"waiting\\n")
            os.read(0, 1)
        super().wait(seconds)

Runner(Sweeps(points=9, rows=1, settling=30.0), BenchStation(), sys.argv[1]).run()
"""


@pytest.mark.parametrize("mode", ["arrays", "numbers"])
def test_a_run_killed_while_it_waits_has_every_finished_point(tmp_path, mode):
    command = [sys.executable, "-c", WAITING, str(tmp_path / "run.h5"), mode]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], **pipes) as process:
        assert process.stdout.readline() == b"waiting\n"
        process.kill()
    run = open_run(tmp_path / "run.h5")
    assert run.data["reading"].reshape(run.points, -1)[:, 0].tolist() == [1.0, 2.0, 3.0]


def test_a_moved_run_whose_writer_is_killed_is_whole(tmp_path):
    path, moved = tmp_path / "run.h5", tmp_path / "moved.h5"
    with subprocess.Popen([sys.executable, WRITING, path, "each"], stdout=subprocess.PIPE, text=True) as process:
        acknowledged = [int(line) for line in islice(process.stdout, 50)]
        path.rename(moved)
        process.kill()
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    run = open_run(moved)
    assert run.points >= acknowledged[-1]
    np.testing.assert_array_equal(run.data["current"], np.arange(run.points))


@drawn(15, of=40)
def test_points_that_are_written_over_while_they_are_read_are_right(tmp_path, times):
    """Each cell is written twice, soon after each other."""
    command = [sys.executable, str(WRITING), str(path := tmp_path / "run.h5"), "again"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(times):
            acknowledged = int(process.stdout.readline())
            visits = open_run(path).visits
            assert len(visits) >= acknowledged
            np.testing.assert_array_equal(visits.data["current"], np.arange(len(visits)))
        process.kill()


@drawn(10, of=30)
def test_a_run_that_is_being_written_is_read_from_another_process(tmp_path, times):
    path = tmp_path / "run.h5"
    command = [sys.executable, str(WRITING), str(path), "batch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(times):
            acknowledged = int(process.stdout.readline())
            run = open_run(path)
            assert run.points >= acknowledged
            np.testing.assert_array_equal(run.data["current"], np.arange(run.points))
            assert (run.live, run.complete, run.reason) == (True, False, "running")
        process.kill()
    assert open_run(path).live is False


ADDING_FITS = """
import os, sys
import numpy as np
from stmlab.results import FitParameter, FitResult
from stmlab.storage import append_fit

for k in range(1000):
    curve = np.full(300, float(k))
    fit = FitResult("m", (FitParameter("a", k, 1.0),), ("a",), np.eye(1), k, 0.0, curves={"x": curve})
    append_fit(sys.argv[1], fit)
    os.write(1, f"{k + 1}\\n".encode())
"""


@pytest.mark.parametrize("seed", first_few(2, of=4))
def test_a_process_killed_while_it_adds_fits_leaves_a_file_that_opens(tmp_path, whole_run, make_fit, seed):
    writer = Writer(path := tmp_path / "run.h5")
    for event in whole_run():
        writer(event)
    added = killed_after(random.Random(seed).randint(1, 20), ["-c", ADDING_FITS, str(path)])[-1]
    run = open_run(path)
    assert len(run.fits) >= 2 + added
    for k, fit in enumerate(run.fits[2:]):
        assert fit["a"].value == k
        np.testing.assert_array_equal(fit.curves["x"], np.full(300, k))
    assert run.points == 12


def test_a_recovered_copy_is_an_ordinary_file_with_the_same_points(tmp_path, make_fit):
    path, copy = tmp_path / "run.h5", tmp_path / "copy.h5"
    killed_after(50, [str(WRITING), str(path), "each"])
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
