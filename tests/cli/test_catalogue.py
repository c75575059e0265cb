"""runs, tag and note, as a new user meets them."""

import json
import os
import shutil

import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.storage import open_run


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))

    def run(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments])

    return run


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder := tmp_path_factory.mktemp("runs"))
        for words in ("srs --set points=20 -o fe.h5", "time_trace --set samples=200 -o deep/trace.h5"):
            assert CliRunner().invoke(app, ["run", "--seed", "1", *words.split()]).exit_code == 0
    return folder


@pytest.fixture
def measured(two_runs, cli, tmp_path):
    shutil.copytree(two_runs, tmp_path, dirs_exist_ok=True)


@pytest.mark.usefixtures("measured")
def test_runs_are_listed_filtered_and_sorted(cli):
    listed = cli("runs")
    assert listed.exit_code == 0
    assert listed.stdout.splitlines()[0].split()[:3] == ["file", "date", "sequence"]
    assert {line.split()[0] for line in listed.stdout.splitlines()[1:]} == {"fe.h5", "deep/trace.h5"}
    assert "2 files" in listed.stderr
    (found,) = json.loads(cli("runs", "--json", "--where", "rate_per_s > 1e9", "--sequence", "srs").stdout)
    rate = open_run("fe.h5").fits[-1]["rate"]
    assert found["fitted"][0] == {
        "name": "rate",
        "value": rate.value,
        "error": rate.error,
        "unit": "1/s",
        "model": "srs",
        "at": "",
    }
    assert found["thumbnail"] is None
    names = [each["file"] for each in json.loads(cli("runs", "--json", "--sort", "points", "--reverse").stdout)]
    assert names[-1] == ("fe.h5" if open_run("deep/trace.h5").points > 20 else "deep/trace.h5")
    assert json.loads(cli("runs", "--json", "--state", "killed").stdout) == []


@pytest.mark.usefixtures("measured")
def test_tags_and_notes_are_added_and_found(cli, tmp_path):
    assert "tags: good, tip 3" in cli("tag", "fe.h5", "good", "tip 3").stdout
    assert json.loads(cli("note", "fe.h5", "drift", "--json").stdout)["notes"][0]["text"] == "drift"
    (found,) = json.loads(cli("runs", "--json", "--tag", "good").stdout)
    assert (found["tags"], found["notes"][0]["text"]) == (["good", "tip 3"], "drift")
    row = next(line for line in cli("runs").stdout.splitlines() if line.startswith("fe.h5"))
    assert row.endswith("good, tip 3  drift")
    assert cli("tag", "fe.h5", "--remove", "good", "--json").stdout.count("good") == 0
    assert "drift" in cli("note", "fe.h5").stdout
    (tmp_path / "deep").chmod(0o500)
    if os.access("deep", os.W_OK):  # nobody is refused as root
        return
    refused = cli("tag", "deep/trace.h5", "x")
    assert refused.exit_code == 1
    assert "cannot be written" in refused.stderr


@pytest.mark.usefixtures("measured")
def test_thumbnails_are_drawn_once_and_anew_when_the_file_has_changed(cli, tmp_path):
    (tmp_path / "broken.h5").write_bytes(b"")
    first = {each["file"]: each["thumbnail"] for each in json.loads(cli("runs", "--json", "--thumbnails").stdout)}
    assert first.pop("broken.h5") is None
    drawn = {}
    for picture in first.values():
        with open(picture, "rb") as file:
            assert file.read(24)[:8] == b"\x89PNG\r\n\x1a\n"
        drawn[picture] = os.stat(picture).st_mtime_ns
    again = {each["file"]: each["thumbnail"] for each in json.loads(cli("runs", "--json", "--thumbnails").stdout)}
    assert {name: again[name] for name in first} == first
    assert {picture: os.stat(picture).st_mtime_ns for picture in first.values()} == drawn
    assert cli("fit", "fe.h5", "--keep").exit_code == 0
    (found,) = json.loads(cli("runs", "--json", "--thumbnails", "--sequence", "srs").stdout)
    assert found["thumbnail"] != first["fe.h5"]
    assert not os.path.exists(first["fe.h5"])  # nobody asks for it again


@pytest.mark.usefixtures("measured")
def test_what_cannot_be_drawn_is_said_and_the_rest_is_listed(cli, tmp_path):
    image = bytearray((tmp_path / "fe.h5").read_bytes())
    current = open_run("fe.h5").data["current"][3].tobytes()
    image[image.index(current)] ^= 1
    (tmp_path / "fe.h5").write_bytes(image)
    result = cli("runs", "--thumbnails", "--json")
    assert result.exit_code == 1
    assert "fe.h5: damaged: reading number 3" in result.stderr
    assert {each["file"]: each["thumbnail"] is not None for each in json.loads(result.stdout)} == {
        "fe.h5": False,
        "deep/trace.h5": True,
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "no such folder"),
        (["file"], "not a folder"),
        (["--where", "rate"], "NAME COMPARISON VALUE"),
        (["--sort", "colour"], "colour: no file has such a value"),
    ],
)
def test_mistakes_are_one_line(cli, tmp_path, arguments, words):
    (tmp_path / "file").write_text("")
    (tmp_path / "a.h5").write_text("")
    refused = cli("runs", *arguments)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_an_empty_folder_is_no_mistake(cli):
    listed = cli("runs")
    assert (listed.exit_code, listed.stdout, listed.stderr) == (0, "", "0 files\n")
    assert json.loads(cli("runs", "--json").stdout) == []


def test_names_and_notes_cannot_talk_to_the_terminal(cli, tmp_path):
    (tmp_path / "a\x1b[2J\n.h5").write_bytes(b"")
    (tmp_path / "b.h5").write_bytes(b"")
    assert cli("note", "b.h5", "red \x1b[31m\nand\tmore").exit_code == 0
    listed = cli("runs")
    assert listed.exit_code == 0
    assert "\x1b" not in listed.stdout
    assert len(listed.stdout.splitlines()) == 3
