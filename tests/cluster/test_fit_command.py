"""``stmlab fit`` with workers: the same answers, a bar, Ctrl-C."""

import json
import os
import re
import signal
from contextlib import nullcontext

import numpy as np
import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.cluster import InProcess
from stmlab.storage.exporters.netcdf_arrays import write
from tests.spin_grid import spin_grid
from tests.storage.importers.samples import write_step_grid

KNOWN = ("--set", "temperature=2 K", "--set", "modulation=0", "--set", "order=2", "--model", "transport")


def who(_):
    return os.getpid()


def cli(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def given(crew, monkeypatch):
    """The workers of the other tests in place of new ones, or what a test makes of them."""

    def give(executor=crew):
        monkeypatch.setattr("stmlab.cli.crew.workers", lambda count, scheduler: nullcontext(executor))

    give()
    return give


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = tmp_path_factory.mktemp("spins") / "spins.nc"
    write(spin_grid(rows=2, columns=4), path)
    return path


def test_a_grid_is_fitted_as_without_workers_and_a_bar_tells_of_them(given, grid):
    shared = cli("fit", grid, *KNOWN, "--json", "--workers", 2)
    given(InProcess())
    here = cli("fit", grid, *KNOWN, "--json")
    assert shared.exit_code == here.exit_code == 0
    assert json.loads(shared.stdout) == json.loads(here.stdout)
    assert json.loads(here.stdout)["fits"]["forward"]["fitted"] == 8
    assert "2/2 2 workers" in " ".join(shared.stderr.split()), "two tasks of four places"
    assert "worker" not in here.stderr


@pytest.mark.slow  # a worker begins anew; of tasks in general test_workers shows the same
def test_a_worker_that_is_killed_in_the_middle_changes_nothing(given, counted, crew, tmp_path):
    path = tmp_path / "large.nc"
    write(spin_grid(rows=4, columns=8), path)
    pids = [done.result for done in crew.completed(who, range(8), 8, lambda: False)]
    given(counted(crew, lambda done: os.kill(pids[0], signal.SIGKILL) if done == 2 else None))
    shared = cli("fit", path, *KNOWN, "--json", "--workers", 2)
    given(InProcess())
    here = cli("fit", path, *KNOWN, "--json")
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    assert shared.exit_code == 0
    assert json.loads(shared.stdout) == json.loads(here.stdout)
    assert json.loads(here.stdout)["fits"]["forward"]["fitted"] == 32
    assert "8/8" in shared.stderr


def test_many_files_are_told_in_their_order_and_grids_among_them_are_shared_out(given, grid, tmp_path):
    steps, no_file = tmp_path / "steps.3ds", tmp_path / "none.csv"
    write_step_grid(steps)
    spectrum = spin_grid(rows=1, columns=1).spectrum(0, 0)
    single = tmp_path / "single.csv"
    names = ",".join(f"{column.name} ({column.unit})" for column in spectrum.columns)
    np.savetxt(single, np.column_stack([c.values for c in spectrum.columns]), delimiter=",", header=names, comments="")
    files = [no_file, grid, single, steps]
    shared = cli("fit", *files, "--set", "temperature=2 K", "--json", "--workers", 2)
    given(InProcess())
    here = cli("fit", *files, "--set", "temperature=2 K", "--json")
    assert shared.exit_code == here.exit_code == 1, "one of them is no file"
    assert shared.stdout == here.stdout
    bars = re.findall(r"(\d+)/(\d+) 2 workers", shared.stderr)
    assert bars
    assert all(done == of for done, of in bars), "one is no file, and is not waited for"
    answers = [json.loads(line) for line in here.stdout.splitlines()]
    assert [answer["file"] for answer in answers] == [str(file) for file in files]
    assert [answer.get("state") for answer in answers] == ["failed", None, None, None]


def test_ctrl_c_ends_it_and_keeps_what_is_done(given, counted, crew, tmp_path):
    path = tmp_path / "large.nc"
    write(spin_grid(rows=8, columns=8), path)
    given(counted(crew, lambda done: signal.raise_signal(signal.SIGINT) if done == 3 else None))
    answer = cli("fit", path, *KNOWN, "--json", "--workers", 2)
    assert answer.exit_code == 130
    fits = json.loads(answer.stdout)["fits"]["forward"]
    assert fits["fitted"] == 12
    assert fits["choices"]["ended"] == "stopped"


def test_workers_and_a_scheduler_are_not_asked_for_together(grid):
    answer = cli("fit", grid, "--workers", 2, "--scheduler", "tcp://127.0.0.1:9")
    assert answer.exit_code == 1
    assert "one of them is allowed" in answer.stderr
