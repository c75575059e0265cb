"""A fit on a terminal that takes its time: it is seen, ended by Ctrl-C or its time limit, and never taken for whole."""

import io
import json
import os
import signal
from contextlib import contextmanager

import pytest
import typer
from rich.console import Console

from stmlab.acquisition.runner import Runner
from stmlab.analysis.iterations import _PATIENCE, fitting, iterations
from stmlab.cli.fit_progress import FitsOnTerminal, fits_on_terminal
from stmlab.events import FitProgress
from stmlab.storage import open_run
from tests.acquisition.bench_station import BenchStation, Ramp
from tests.cli.slow_fit import perform
from tests.cli.typed import patiently


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "run.h5"
    Runner(Ramp(points=4, rows=1), BenchStation(), path).run()
    return path


@contextmanager
def slow_fit(*arguments, patience=0.2):
    """``stmlab`` with the slow model, and the first line that it says on standard error."""
    with patiently(perform, patience, *map(str, arguments)) as process:
        yield process, process.stderr.readline()


def test_ctrl_c_ends_a_fit_with_the_best_so_far_and_the_exit_status_says_so(run):
    with slow_fit("fit", run, "--model", "slow", "--keep", "--json") as (process, first):
        assert first.startswith("slow: ")
        assert " iterations, chi square 1, 0.2 s" in first
        os.kill(process.pid, signal.SIGINT)
        answer, said = process.stdout.read(), process.stderr.read()
        assert process.wait(60.0) == 130
    fit = json.loads(answer)
    assert fit["choices"]["ended"] == "stopped"
    assert fit["warnings"][0].startswith("stopped after ")
    assert fit["parameters"][0]["value"] == 2.0
    assert "ending the fit with the best so far" in said
    assert "is not kept" in said
    assert open_run(run).fits == ()


def test_a_time_limit_ends_a_fit_and_the_exit_status_says_so(run):
    with slow_fit("fit", run, "--model", "slow", "--set", "time_limit=20 ms", patience=_PATIENCE) as (process, first):
        answer, said = process.stdout.read(), process.stderr.read()
        assert process.wait(60.0) == 4
    assert first + said == "", "a fit of less than two seconds is not told of"
    assert "out of its time limit of 20 ms" in answer
    assert "rate" in answer


def test_after_ctrl_c_no_further_file_is_begun(run):
    further = [run.with_name(name) for name in ("b.h5", "c.h5")]
    for file in further:
        file.write_bytes(run.read_bytes())
    with slow_fit("fit", run, *further, "--model", "slow", "--json") as (process, _):
        os.kill(process.pid, signal.SIGINT)
        answers = [json.loads(line) for line in process.stdout]
        assert process.wait(60.0) == 130
    assert answers[0]["fits"]["run"]["choices"]["ended"] == "stopped"
    assert [answer["message"] for answer in answers[1:]] == ["not begun: a fit before was stopped"] * 2


def test_ctrl_c_again_does_not_wait_for_the_fit():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(typer.Exit) as ended, fits_on_terminal() as interrupt, fitting("slow"):
        signal.raise_signal(signal.SIGINT)
        assert interrupt.stopped
        assert iterations().over
        signal.raise_signal(signal.SIGINT)
    assert ended.value.exit_code == 130
    assert signal.getsignal(signal.SIGINT) is before


def progress(seconds, iterations=42):
    return FitProgress("transport", iterations, 812.41, "chi square", seconds)


def test_a_log_gets_a_line_now_and_then():
    console = Console(file=io.StringIO(), width=40)
    shown = FitsOnTerminal(console)
    for k in range(40):
        shown(progress(2.0 + 0.25 * k, k))
    shown(progress(2.0, 1))  # of the next fit
    assert console.file.getvalue().splitlines() == [
        "transport: 0 iterations, chi square 812.4, 2.0 s",
        "transport: 20 iterations, chi square 812.4, 7.0 s",
        "transport: 1 iterations, chi square 812.4, 2.0 s",
    ]


def test_a_terminal_has_one_line_that_goes_away():
    console = Console(file=io.StringIO(), width=100, force_terminal=True, legacy_windows=False)
    shown = FitsOnTerminal(console)
    shown(progress(2.0))
    shown(progress(2.25, 43))
    shown.close()
    assert "43 iterations" in console.file.getvalue()
    assert console.file.getvalue().endswith("\x1b[2K")
