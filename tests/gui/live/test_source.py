"""Where readings come from: pieces that leave the event loop free, files that end, vanish, or become another run."""

import numpy as np
import pytest

from stmlab.axes import Channel
from stmlab.events import PointsDisturbed, PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.gui.live import source as source_module
from stmlab.gui.live.run_data import RunData
from stmlab.gui.live.source import Source
from stmlab.storage import Writer, open_run
from tests.gui.live.runs import axis

PATIENCE = 120_000  # ms
BIAS = axis("bias", "V", np.arange(50))


@pytest.fixture
def source(context):
    return Source(context.workers)


def started(run_id="r1"):
    return RunStarted(run_id, "didv", "2026-01-01", {}, (BIAS,), (Channel("x", "V", ""),), 0.0, "bench", "")


def point(k, visit, value):
    return PointTaken(k, 0.1 * visit, (float(k),), (value,), visit=visit, attempt=0)


def written(path, run_id="r1"):
    """Points read again after a disturbance, states in between."""
    writer = Writer(path)
    writer(started(run_id))
    writer(StateChanged(RunState.RUNNING, 0.0))
    for k in range(30):
        writer(point(k, k, float(k)))
    writer(PointsDisturbed((27, 28, 29), 3.0, "tip jump"))
    writer(StateChanged(RunState.PAUSED, 3.1, "by the user"))
    for k in (28, 29):
        writer(PointTaken(k, 4.0 + k, (float(k),), (100.0 + k,), visit=k + 2, attempt=1))
    writer.flush()
    return writer


def everything(data):
    return {
        "x": data.cells("x").tolist(),
        "disturbed": data.disturbed(slice(0, 50)).tolist(),
        "state": (data.state, data.message),
        "counts": (data.points, data.readings, data.last),
    }


@pytest.mark.parametrize("at_once", [1, 7, 30, 1000])
def test_pieces_of_any_size_come_to_the_same(source, tmp_path, monkeypatch, at_once):
    writer = written(tmp_path / "run.h5")
    writer(RunFinished(RunState.STOPPED, "stopped", "by the user", 30, 9.0))
    run = open_run(tmp_path / "run.h5")
    monkeypatch.setattr(source_module, "_CELLS_AT_ONCE", at_once)
    source.show_run(run)
    ticks = 0
    while source.data.state != "stopped":
        source.tick()
        ticks += 1
    assert ticks >= 32 / at_once
    np.testing.assert_equal(everything(source.data), everything(RunData.of(run)))
    assert source.data.disturbed(slice(0, 50)).tolist() == [27]
    assert source.data.cells("x")[28] == 128.0


def test_a_file_that_vanishes_is_told_and_what_was_read_stays(source, qtbot, tmp_path):
    writer = written(tmp_path / "run.h5")
    source.watch(tmp_path / "run.h5")

    def all_read():
        source.tick()
        return source.data.points == 30

    qtbot.waitUntil(all_read, timeout=PATIENCE)
    assert source.growing
    writer.close()
    (tmp_path / "run.h5").unlink()
    with qtbot.waitSignal(source.failed, timeout=PATIENCE) as told:
        source.tick()
    assert "run.h5" in told.args[0]
    assert source.data.points == 30
    assert not source.growing
    source.tick()  # and says it once


def test_a_killed_writer_is_noticed(source, qtbot, tmp_path):
    written(tmp_path / "run.h5").close()  # without an end, as after a kill
    source.watch(tmp_path / "run.h5")

    def ended():
        source.tick()
        return source.data.state == "killed"

    qtbot.waitUntil(ended, timeout=PATIENCE)
    assert source.data.message == "its writer is gone; all 30 acknowledged points are here"


def test_readings_of_many_numbers_are_read_by_a_work_process(source, context, qtbot, tmp_path, monkeypatch):
    submitted, submit = [], context.workers.submit

    def noted(function, *args):
        submitted.append(function.__name__)
        return submit(function, *args)

    monkeypatch.setattr(context.workers, "submit", noted)
    monkeypatch.setattr(source_module, "_LONG", 10)
    writer = Writer(tmp_path / "trace.h5")
    time = axis("time", "s", np.arange(50), hardware=True)
    channels = (Channel("x", "V", ""),)
    writer(RunStarted("t", "time_trace", "", {}, (axis("trace", "", [0, 1]), time), channels, 0.0, "bench", ""))
    source.watch(tmp_path / "trace.h5")

    def points(count):
        source.tick()
        return source.data.points == count and source.data.started is not None

    qtbot.waitUntil(lambda: points(0), timeout=PATIENCE)
    for k in range(2):
        writer(PointTaken(k, 0.1, (float(k),), (np.arange(50.0) + k,), visit=k))
        writer.flush()
        qtbot.waitUntil(lambda count=k + 1: points(count), timeout=PATIENCE)
    assert submitted[:3] == ["first_look", "next_look", "next_look"]
    np.testing.assert_array_equal(source.data.cells("x")[50:], np.arange(50.0) + 1)
    writer(RunFinished(RunState.FINISHED, "completed", "", 2, 1.0))
    qtbot.waitUntil(lambda: points(2) and source.data.state == "finished", timeout=PATIENCE)


def test_another_run_in_the_same_file_is_shown_from_its_start(source, qtbot, tmp_path):
    first = written(tmp_path / "run.h5")
    source.watch(tmp_path / "run.h5")

    def seen(run_id, points):
        source.tick()
        started = source.data.started
        return started is not None and started.run_id == run_id and source.data.points == points

    qtbot.waitUntil(lambda: seen("r1", 30), timeout=PATIENCE)
    first.close()
    second = written(tmp_path / "other.h5", "r2")
    second(RunFinished(RunState.STOPPED, "stopped", "", 30, 9.0))
    (tmp_path / "other.h5").replace(tmp_path / "run.h5")
    qtbot.waitUntil(lambda: seen("r2", 30), timeout=PATIENCE)
