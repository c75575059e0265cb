"""Viewers hear of what is in the file, and of nothing else."""

import numpy as np
import pytest

from stmlab.acquisition.stream import Stream
from stmlab.axes import Axis, Channel
from stmlab.errors import FileError, SequenceError
from stmlab.events import PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.storage import Writer, open_run


def started(seconds):
    axes = (Axis("bias", "V", np.arange(9.0)),)
    return RunStarted("id", "imaginary", "2024", {}, axes, (Channel("x", "V", ""),), seconds, "station", "")


def point(k, value=1.0):
    return PointTaken(k, float(k), (float(k),), (value,), visit=k)


@pytest.fixture
def stream(tmp_path, monkeypatch):
    """A stream into a file whose points come fast, and what its viewer has heard."""
    monkeypatch.setattr("stmlab.storage.runfile.perf_counter", lambda: 5.0)
    heard = []
    stream = Stream(Writer(tmp_path / "run.h5"), heard.append)
    stream(started(1e-5))
    assert [type(event) for event in heard] == [RunStarted]
    heard.clear()
    return stream, heard, tmp_path / "run.h5"


def test_a_viewer_hears_of_a_point_once_the_file_has_it(stream):
    stream, heard, path = stream
    points = [point(k) for k in range(5)]
    for taken in points[:3]:
        stream(taken)
    assert heard == []
    assert open_run(path).points == 0
    stream.flush()
    assert heard == points[:3]
    stream(points[3])
    stream(running := StateChanged(RunState.RUNNING, 1.0))
    stream(points[4])
    assert heard == [*points[:4], running]


def test_a_viewer_finds_in_the_file_what_it_heard_of(tmp_path):
    found = []

    def viewer(event):
        if isinstance(event, PointTaken):
            found.append(open_run(tmp_path / "run.h5").points > event.index)

    stream = Stream(Writer(tmp_path / "run.h5"), viewer)
    stream(started(1.0))
    for k in range(9):
        stream(point(k))
    assert found == [True] * 9


def test_of_points_that_are_lost_with_the_file_nobody_hears(stream):
    stream, heard, path = stream
    stream(first := point(0))
    stream.flush()
    stream(point(1))
    with path.open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(FileError, match="was cut"):
        stream.flush()
    assert heard == [first]
    stream(end := RunFinished(RunState.FAILED, "FileError", "was cut", 1, 2.0))
    assert heard[1:] == [end]


def test_an_end_that_cannot_be_written_is_not_shown(stream):
    stream, heard, path = stream
    path.rename(path.with_name("moved.h5"))
    with pytest.raises(FileError, match=r"moved away .* are in .*moved\.h5"):
        stream(RunFinished(RunState.FINISHED, "completed", "", 0, 1.0))
    assert heard == []
    stream(failed := RunFinished(RunState.FAILED, "FileError", "moved", 0, 1.0))
    assert heard == [failed]


def test_a_point_that_is_refused_does_not_keep_the_end_from_the_file(stream):
    stream, heard, path = stream
    stream(point(0))
    stream(point(1, value="text"))
    with pytest.raises(SequenceError):
        stream.flush()
    stream(RunFinished(RunState.FAILED, "SequenceError", "text", 1, 1.0))
    assert [type(event) for event in heard] == [PointTaken, RunFinished]
    assert (open_run(path).reason, open_run(path).points) == ("SequenceError", 1)


def test_without_a_file_viewers_hear_at_once_and_a_failing_one_is_left_out():
    heard = []

    def failing(event):
        heard.append("failing")
        raise RuntimeError("the window is gone")

    stream = Stream(None, failing)
    stream.listen(heard.append)
    for k in range(2):
        stream(point(k))
    assert [heard[0], *(event.index for event in heard[1:])] == ["failing", 0, 1]
