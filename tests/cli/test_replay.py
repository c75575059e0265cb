"""`stmlab run --replay` as it is typed."""

import json

import pytest
from typer.testing import CliRunner

from stmlab.acquisition.measurement import measure
from stmlab.cli import app

SETTINGS = {"points": 9, "start_bias": -5e-3, "stop_bias": 5e-3}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("recorded") / "seen.h5"
    measure("didv", sample="coh_bare", settings=SETTINGS, path=path)
    return str(path)


def typed(*words):
    return CliRunner().invoke(app, ["run", *words])


def test_a_run_is_replayed_as_it_was_recorded(file, tmp_path):
    result = typed("didv", "--replay", file, "-o", str(tmp_path / "again.h5"), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["points"] == 9
    assert f"replay: {file} is a bias spectrum" in result.stderr
    assert "µV peak: a smaller one is replayed as that one" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "stop_bias=6 mV"], "-0.005 to 0.005 V is allowed (set in"),
        (["--pixel", "3,4"], "no grid: there is no pixel to choose"),
        (["--pixel", "three"], "--pixel 'three': column and row as in 3,4 are allowed"),
        (["--recorded", "modulation"], "--recorded 'modulation': NAME=VALUE is allowed"),
        (["--recorded", "modulation=2 K"], "modulation = '2 K'"),
        (["--recorded", "modulations=1 mV"], "modulations"),
        (["--sample", "fe_atom"], "one of them is the sample"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_a_line(file, words, said):
    result = typed("didv", "--replay", file, "--check", *words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--pixel", "3,4"], ["--added-noise"], ["--recorded", "bias=1 mV"]])
def test_options_of_a_recording_need_one(words):
    result = typed("didv", "--check", *words)
    assert result.exit_code == 1
    assert f"{words[0]} is for a recording: --replay FILE is missing" in result.stderr
