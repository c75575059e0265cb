"""The wire from the command line: recorded with a run, compared later, and what a new user gets wrong."""

import json
import signal

import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.errors import FileError

RUN = ("run", "time_trace", "--set", "samples=50", "--seed", 3)


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments])

    return run


def test_a_recorded_run_replays_and_a_changed_one_is_status_1_with_both_texts(cli, tmp_path):
    assert cli(*RUN, "--record-wire", "evening.wire").exit_code == 0
    same = cli("replay-wire", "evening.wire")
    assert same.exit_code == 0
    assert same.stdout.startswith("evening.wire: every byte is the same\n")
    assert "the same, byte for byte" in same.stdout
    assert len(list(tmp_path.glob("*.h5"))) == 1  # the run's own; the replay keeps none

    changed = cli("replay-wire", "evening.wire", "--set", "dc_bias=3 mV", "--json")
    assert changed.exit_code == 1
    found = json.loads(changed.stdout)["difference"]
    assert found["instrument"] == "controller"
    assert found["recorded"] != found["sent"]
    text = cli("replay-wire", "evening.wire", "--set", "dc_bias=3 mV").stdout
    assert text.startswith(f"evening.wire: DIFFERS: controller, message {found['message']}: ")
    assert f"  recorded   {found['recorded']}\n  now        {found['sent']}\n" in text


def test_the_replay_keeps_its_file_where_that_is_asked_for(cli, tmp_path):
    assert cli(*RUN, "-o", "one.h5", "--record-wire", "evening.wire").exit_code == 0
    assert cli("replay-wire", "evening.wire", "-o", "again.h5").exit_code == 0
    assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "one.h5").read_bytes()
    assert "again.h5" in cli("replay-wire", "evening.wire", "-o", "again.h5").stderr  # it is there already


def test_ctrl_c_ends_a_replay_at_once_and_is_no_difference(cli, monkeypatch):
    def interrupted(*_, **__):
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        raise FileError("the end of this test")

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("stmlab.acquisition.wire_replay.replay_wire", interrupted)
    assert "the end of this test" in cli("replay-wire", "evening.wire").stderr
    assert signal.getsignal(signal.SIGINT) is before


def test_a_refused_run_leaves_no_recording_and_keeps_an_older_one(cli, tmp_path):
    (tmp_path / "older.wire").write_text("an evening", encoding="utf-8")
    for name in ("new.wire", "older.wire"):
        assert cli(*RUN, "--set", "dc_bias=0.5", "--record-wire", name).exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["older.wire"]
    assert (tmp_path / "older.wire").read_text(encoding="utf-8") == "an evening"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay-wire", "none.wire"), "none.wire: No such file"),
        (("replay-wire", "other.csv"), "no wire recording: `stmlab run"),
        ((*RUN, "--record-wire", "other.csv"), "nothing is overwritten"),
        ((*RUN, "--record-wire", "no/folder.wire"), "no/folder.wire: No such file or directory"),
        ((*RUN, "--record-wire", "x.wire", "--check"), "leave out --check"),
        (("run", "--resume", "x.h5", "--record-wire", "x.wire"), "leave out --check or --resume"),
    ],
)
def test_a_mistake_is_one_line(cli, tmp_path, arguments, said):
    (tmp_path / "other.csv").write_text("frequency,current\n", encoding="utf-8")
    result = cli(*arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.h5"))
