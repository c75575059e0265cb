"""show --follow and replay on a console."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from contextlib import ExitStack
from itertools import islice

import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.storage import open_run
from tests.cli.typed import typed
from tests.forked import forked
from tests.storage.writing_process import write


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "a.h5"
    made = CliRunner().invoke(app, ["run", "srs", "--seed", "1", "--set", "points=12", "-o", str(path)])
    assert made.exit_code == 0
    return path


def cli(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.parametrize("how", [["--as-fast-as-possible"], ["--speed", "1e6"]])
def test_a_run_is_played_with_its_points_states_and_fits_in_their_order(file, how):
    result = cli("replay", file, *how)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "srs on simulated, sample fe_atom: frequency (12)"
    points = [k for k, line in enumerate(lines) if "s  point " in line]
    assert len(points) == 12
    assert "point 12 of 12  frequency 20 GHz" in lines[points[-1]]
    fitted = lines.index(next(line for line in lines if line.startswith("fit srs: 12 points")))
    assert points[-1] < fitted < len(lines) - 1
    assert lines[-1].endswith("finished, 12 points")


def test_as_json_every_event_is_a_line_with_all_its_numbers(file):
    events = [json.loads(line) for line in cli("replay", file, "--as-fast-as-possible", "--json").stdout.splitlines()]
    run = open_run(file)
    points = [event for event in events if event["event"] == "PointTaken"]
    assert [point["values"][0] for point in points] == run.data["current"].tolist()
    assert [event["event"] for event in events[:2]] == ["RunStarted", "StateChanged"]
    (fit,) = [event["fit"] for event in events if event["event"] == "Analysed"]
    assert fit == run.fits[0].as_dict()
    assert events[-1]["state"] == "finished"
    followed = [json.loads(line) for line in cli("show", "--follow", "--json", file).stdout.splitlines()]
    assert len(followed) == len(events)


def test_a_run_that_is_over_is_followed_to_its_end(file):
    result = cli("show", "--follow", file)
    assert result.exit_code == 0
    assert result.stdout == cli("replay", file, "--as-fast-as-possible").stdout


def test_a_run_that_is_killed_while_it_is_followed_is_said(tmp_path):
    path = tmp_path / "run.h5"
    with forked(write, path, "each") as w:
        list(islice(w.stdout, 150))
        with typed("show", "--follow", path) as following:
            told = list(islice(following.stdout, 8))
            w.kill()
            w.stdout.read()
            rest, complaint = following.stdout.read(), following.stderr.read()
            assert following.wait(60.0) == 1
    assert told[0].startswith("imaginary on station")
    assert "points ..." in "".join(told)  # those that were there already
    run = open_run(path)
    assert complaint == f"stmlab: {path}: killed: its writer is gone; all {run.points} acknowledged points are here\n"
    assert f"point {run.points} of 100000" in rest or "paused" in rest.splitlines()[-1]


def test_ctrl_c_ends_the_following_and_not_the_run(tmp_path):
    path = tmp_path / "run.h5"
    with forked(write, path, "each") as w:
        list(islice(w.stdout, 150))
        with typed("show", "--follow", path) as following:
            list(islice(following.stdout, 4))
            os.kill(following.pid, signal.SIGINT)
            following.stdout.read()
            assert following.stderr.read() == "not followed any more; the run goes on\n"
            assert following.wait(60.0) == 0
        assert len(list(islice(w.stdout, 20))) == 20
        w.kill()


def test_keys_pause_step_jump_and_leave(file):
    """On a terminal: 12 points take 6 s of the run; slowed down, nothing comes but by keys."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminal on this machine: {error}")
    command = [sys.executable, "-m", "stmlab", "replay", str(file), "--speed", "1e-6"]
    with (
        subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE) as playing,
        ExitStack() as stack,
    ):
        os.close(theirs)
        stack.callback(playing.kill)
        assert playing.stderr.readline().startswith(b"space: pause")
        shown = b""

        def until(words):
            nonlocal shown
            while words not in shown:
                assert select.select([ours], [], [], 30)[0], f"no {words!r}"
                shown += os.read(ours, 1000)
            shown = shown.partition(words)[2]

        until(b"preparing")
        os.write(ours, b"n")
        until(b"running")
        os.write(ours, b"n")
        until(b"point 1 of 12")
        os.write(ours, b"\x1b[C")
        assert b"-- paused at" in playing.stderr.readline()
        os.write(ours, b"n")
        until(b"point 3 of 12")
        os.write(ours, b"\x1b[D")
        assert b"-- paused at" in playing.stderr.readline()
        os.write(ours, b"n")
        until(b"point 2 of 12")
        os.write(ours, b" ")
        assert b"-- playing at" in playing.stderr.readline()
        os.write(ours, b"+")
        assert b"2e-06 times" in playing.stderr.readline()
        os.write(ours, b"q")
        assert playing.wait() == 0
    os.close(ours)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["replay", "nowhere.h5"], "no such file"),
        (["replay", "FILE", "--speed", "0"], "must be positive"),
        (["replay", "FILE", "--speed", "2", "--as-fast-as-possible"], "one of them"),
        (["show", "--follow", "nowhere.h5"], "no such file"),
        (["show", "--follow", "FILE", "--png", "a.png"], "one of them"),
    ],
)
def test_mistakes_are_one_line(file, arguments, words):
    refused = cli(*[file if argument == "FILE" else argument for argument in arguments])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1
