"""A study by workers, one of which is killed in the middle: every run once, and the same results as by one process."""

import os
import signal
from contextlib import nullcontext

import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from tests.studies.small import TEXT, write_study

SMALL = TEXT.replace("[1, 2]", "[1]").replace("seeds = 2", "seeds = 4")


def who(_):
    return os.getpid()


def cli(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines(folder):
    return sorted((folder / "study.results.jsonl").read_bytes().splitlines())


@pytest.mark.slow  # a worker begins anew; of tasks in general test_workers shows the same
def test_a_study_loses_a_worker_and_no_run(crew, counted, tmp_path, monkeypatch):
    pids = [done.result for done in crew.completed(who, range(8), 8, lambda: False)]

    def kill(done):
        if done == 2:
            os.kill(pids[0], signal.SIGKILL)

    shared, alone = tmp_path / "shared", tmp_path / "alone"
    for folder in (shared, alone):
        folder.mkdir()
        write_study(folder, SMALL)
    assert cli("study", alone / "study.toml").exit_code == 0
    monkeypatch.setattr("stmlab.cli.crew.workers", lambda count, scheduler: nullcontext(counted(crew, kill)))
    answer = cli("study", shared / "study.toml", "--workers", 2)
    assert answer.exit_code == 0, answer.stderr
    assert "8/8" in answer.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    assert len(lines(shared)) == 9
    assert lines(shared) == lines(alone)
