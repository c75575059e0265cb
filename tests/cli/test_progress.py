"""The bar of a run, and what Ctrl-C and the system's signals ask of it."""

import io
import math
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from stmlab.axes import Axis, Channel
from stmlab.cli.progress import interruptible, progress_bar
from stmlab.events import FitProgress, ParameterValue, PointTaken, RunStarted, RunState, StateChanged


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=100)


BIASES = np.array([1.0, 2.0, 4.5678]) * 1e-3


def taken(index):
    return PointTaken(index, 0.0, (), (), index, 0, 0)


def started(sample):
    axes = (Axis("row", "", np.arange(4.0)), Axis("bias", "V", np.arange(3.0)))
    hardware = Axis("time", "s", np.arange(50.0), hardware=True)
    return RunStarted("id", "srs", "2026-01-01", {}, (*axes, hardware), (), 1.0, "lab", "", sample=sample)


def test_the_bar_is_as_long_as_the_farthest_point(console):
    with progress_bar(console, 7) as bar:
        (task,) = bar._progress.tasks
        assert (task.total, task.completed, task.description) == (7, 0, "preparing")
        bar(started("fe_atom"))
        assert task.total == 12, "an axis that an instrument sweeps is no point"
        done = []
        for index in (0, 1, 5, 2, 6):
            bar(taken(index))
            done.append(task.completed)
        assert done == [1, 2, 6, 6, 7]
        bar(StateChanged(RunState.PAUSED, 1.0))
        assert task.description == "srs fe_atom paused"


def test_of_a_run_that_chooses_its_points_readings_before_it_was_resumed_count_too(console):
    channels = (Channel("current", "A", "signal"), Channel("relative_error", "", "of what is sought"))
    given = {"target_error": ParameterValue(0.01, "", "relative")}
    with progress_bar(console, 500, SimpleNamespace(under_way=2)) as bar:
        (task,) = bar._progress.tasks
        bar(replace(started("fe_atom"), channels=channels, parameters=given, axes=(Axis("bias", "V", BIASES),)))
        bar(PointTaken(7, 0.0, (3e6,), (1e-12, 0.02), visit=99, session=1))
        assert (task.completed, task.total) == (100, 400)
        assert task.description == "srs fe_atom running, error 2 % of 1 %, next 4.57 mV"


def test_a_run_without_a_sample_is_called_by_its_sequence(console):
    with progress_bar(console, 7) as bar:
        bar(started(""))
        bar(StateChanged(RunState.RUNNING, 1.0))
        assert bar._progress.tasks[0].description == "srs running"


class Run:
    """A run that notes what is asked of it."""

    state = RunState.RUNNING

    def __init__(self):
        self.asked = []

    def stop(self):
        self.asked.append("stop")

    def abort(self, why="", *, attended=True):
        self.asked.append(("abort", why, attended))


def interrupted(console, *numbers, state=RunState.RUNNING):
    run = Run()
    run.state = state
    with interruptible(run, console):
        for number in numbers:
            signal.raise_signal(number)
    return run.asked, " ".join(console.file.getvalue().split())


def test_ctrl_c_stops_after_the_point_and_aborts_when_it_is_pressed_again(console):
    asked, said = interrupted(console, signal.SIGINT)
    assert asked == ["stop"]
    assert said.startswith("stopping after this point")
    asked, _ = interrupted(console, signal.SIGINT, signal.SIGINT)
    assert asked == ["stop", ("abort", "", True)]


def test_ctrl_c_during_the_fit_says_that_the_points_are_taken(console):
    asked, said = interrupted(console, signal.SIGINT, state=RunState.ANALYSING)
    assert asked == ["stop"]
    assert said.startswith("all points are taken and the station is safe; the fit ends with the best so far")
    assert interrupted(console, signal.SIGINT, signal.SIGINT, state=RunState.ANALYSING)[0] == [
        "stop",
        ("abort", "", True),
    ]


def test_after_a_stop_of_the_points_ctrl_c_stops_the_fit_before_it_gives_it_up(console):
    run = Run()
    with interruptible(run, console):
        signal.raise_signal(signal.SIGINT)
        run.state = RunState.ANALYSING
        signal.raise_signal(signal.SIGINT)
        assert run.asked == ["stop", "stop"]
        signal.raise_signal(signal.SIGINT)
    assert run.asked == ["stop", "stop", ("abort", "", True)]


def test_the_bar_tells_how_far_a_fit_is(console):
    with progress_bar(console, 7) as bar:
        (task,) = bar._progress.tasks
        bar(FitProgress("transport", 42, 812.41, "chi square", 3.21))
        assert task.description == "transport: 42 iterations, chi square 812.4, 3.2 s"
        bar(FitProgress("srs_map", 12, math.nan, "", 4.0, 900, 2500))
        assert task.description == "srs_map: 900 of 2500 curves, 12 iterations, 4.0 s"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_behind_a_signal_of_the_system_there_need_be_nobody(console, name):
    number = getattr(signal, name)
    why = f"aborted: the system asked the process to end ({name})"
    assert interrupted(console, number)[0] == [("abort", why, False)]
    assert interrupted(console, signal.SIGINT, number)[0] == ["stop", ("abort", why, False)]


def test_afterwards_the_signals_are_as_before(console):
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with pytest.raises(ZeroDivisionError), interruptible(Run(), console):
        assert [signal.getsignal(number) for number in numbers] != before
        raise ZeroDivisionError
    assert [signal.getsignal(number) for number in numbers] == before
