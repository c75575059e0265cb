"""``stmlab queue``: what it says, and its exit status."""

import json
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stmlab.acquisition.queue.client import QueueClient, QueueGone
from stmlab.acquisition.queue.file import read_queue
from stmlab.cli import app
from tests.acquisition.queue.evening import entry, written
from tests.cli.typed import typed


@pytest.fixture
def path(tmp_path):
    return tmp_path / "queue.toml"


def cli(*arguments):
    return CliRunner().invoke(app, ["queue", *map(str, arguments)])


def test_a_queue_is_performed_and_ends_with_0_only_if_every_entry_was_done(path):
    written(path, entry("didv"), entry("didv", settings={"stop_bias": "5 V"}, after_failure="skip"))
    found = cli(path, "--json")
    assert found.exit_code == 1
    said = json.loads(found.stdout)["entries"]
    assert [e["state"] for e in said] == ["done", "failed"]
    assert "out of bounds" in said[1]["message"]
    written(path.with_name("other.toml"), entry("didv"))
    found = cli(path.with_name("other.toml"))
    assert found.exit_code == 0
    assert "done" in found.stdout


@pytest.mark.slow
def test_the_evening_that_comes_with_stmlab_is_measured(path):
    shutil.copy(Path(__file__).parents[2] / "config" / "evening.example.toml", path)
    found = cli(path, "--json")
    assert found.exit_code == 0, found.stderr
    entries = json.loads(found.stdout)["entries"]
    assert [len(e["files"]) for e in entries] == [1, 3, 1, 1]
    for comment in ("# the RF line first", "# three spectra, one for each bias"):
        assert comment in path.read_text(encoding="utf-8")


def test_a_check_moves_nothing_and_says_what_would_be_refused(path):
    looped = entry("didv", loop={"stop_bias": ["8 mV", "5 V"]})
    written(path, entry("time_trace", sample="slow_switch"), looped)
    found = cli(path, "--check", "--json")
    assert found.exit_code == 1
    said = json.loads(found.stdout)["entries"]
    assert ["refused" in e for e in said] == [False, False, True]
    assert said[1]["points"] == 5
    assert [file.name for file in path.parent.iterdir()] == ["queue.toml"]
    assert [e.state for e in read_queue(path).entries] == ["waiting"] * 2
    shown = cli(path, "--check").stdout
    assert f"didv ({looped.id}, run 2 of 2): REFUSED" in shown


def test_the_status_is_told_of_a_queue_that_nobody_performs(path):
    written(path, entry("didv"), entry("srs", sample="fe_atom", repeat=2))
    found = cli(path, "--status")
    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    assert "waiting" in lines[0]
    assert "waiting 0/2" in lines[1]
    assert "srs, fe_atom: points = 6; 2 times" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--status", "--check"], "one of them is allowed"),
        (["--ask", "dance"], "pause, resume, stop, abort or hold"),
        (["--ask", "pause"], "nobody performs this queue"),
        (["--only", "x"], "there is no entry x"),
    ],
)
def test_what_cannot_be_meant_is_one_line(path, arguments, complaint):
    written(path, entry("didv"))
    found = cli(path, *arguments)
    assert found.exit_code == 1
    assert complaint in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_one_line(path):
    found = cli(path)
    assert (found.exit_code, found.stderr) == (1, f"stmlab: {path}: no such file\n")


LONG = {"points": 3000, "averages": 30}


@pytest.fixture
def performed(path):
    """``stmlab queue`` in a process, whose first run has begun; and a client of it."""
    written(path, entry("didv", settings=LONG), entry("srs"))
    with typed("queue", path) as process:
        client = None
        while client is None:
            assert process.returncode is None, process.stderr.read()
            try:
                client = QueueClient(path)
            except QueueGone:  # it does not listen yet
                threading.Event().wait(0.05)
        while client.wait_for("progress", state="running")["points"] == 0:
            pass
        yield process, client
        client.close()


def test_ctrl_c_stops_the_run_after_its_point_and_the_queue_with_it(path, performed):
    process, client = performed
    os.kill(process.pid, signal.SIGINT)
    assert client.wait_for("finished")["reason"] == "stopped"
    said = process.stderr.read()
    assert process.wait(60) == 1
    assert "stopping after this point" in said
    assert "stopped by the user" in said
    assert [e.state for e in read_queue(path).entries] == ["stopped", "waiting"]


def test_a_process_that_the_system_ends_aborts_its_run(path, performed):
    process, client = performed
    os.kill(process.pid, signal.SIGTERM)
    assert client.wait_for("finished")["reason"] == "aborted"
    assert process.wait(60) == 1
    assert "SIGTERM" in read_queue(path).entries[0].message


def test_the_terminal_asks_a_queue_that_is_performed_elsewhere(path, performed):
    process, client = performed
    assert cli(path, "--ask", "pause").exit_code == 0
    client.wait_for("state", state="paused")
    shown = cli(path, "--status")
    assert "of 3000" in shown.stdout
    assert cli(path, "--ask", "abort").exit_code == 0
    assert process.wait(60) == 1
