from __future__ import annotations

import json

import pytest
import xarray
from typer.testing import CliRunner

import stmlab
from stmlab import models
from stmlab.cli import app


def run(*arguments):
    return CliRunner().invoke(app, ["model", *arguments])


def test_without_a_name_the_models_are_listed():
    found = run()
    assert found.exit_code == 0
    for name in models.MODELS:
        assert f"{name} " in found.stdout
        assert models.known(name).title in found.stdout
    assert set(json.loads(run("--json").stdout)) == set(models.MODELS)


@pytest.mark.parametrize("name", models.MODELS)
def test_show_tells_every_parameter(name):
    found = run(name, "--show")
    assert found.exit_code == 0
    told = json.loads(run(name, "--show", "--json").stdout)["parameters"]
    for parameter in models.known(name).parameters:
        assert parameter.name in found.stdout
        assert told[parameter.name]["meaning"] == parameter.meaning
        assert told[parameter.name]["unit"] == parameter.unit


def test_parameters_come_from_a_file_and_then_from_set(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('kind = "srs"\n[srs]\nV_ac = "1 mV"\nV_dc = "2 mV"\n', encoding="utf-8")
    found = run("--parameters", str(path), "--set", "amplitude=1.5 mV", "--json")
    assert found.exit_code == 0, found.output
    expected = stmlab.model("srs", {"amplitude": 1.5e-3, "dc_bias": 2e-3})
    assert xarray.Dataset.from_dict(json.loads(found.stdout)).identical(expected)


def test_what_is_swept_takes_the_place_of_a_cases_value(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('kind = "srs"\n[srs]\nV_ac = "1 mV"\nV_dc = "2 mV"\n', encoding="utf-8")
    for name in ("V_dc", "dc_bias"):
        found = run("--parameters", str(path), "--sweep", f"{name}=3 mV", "--no-curves", "--json")
        assert found.exit_code == 0, found.output
        expected = stmlab.model("srs", {"amplitude": 1e-3}, sweep={"dc_bias": [3e-3]}, curves=False)
        assert xarray.Dataset.from_dict(json.loads(found.stdout)).identical(expected)


def test_a_sweep_is_a_table_on_the_terminal():
    found = run("srs", "--sweep", "dc_bias=-5..5 mV:3", "--no-curves")
    assert found.exit_code == 0
    rows = found.stdout.splitlines()[-3:]
    assert [row.split()[:2] for row in rows] == [["-5", "mV"], ["0", "V"], ["5", "mV"]]
    assert "current" not in found.stdout


@pytest.mark.parametrize("option", ["--out", "--figure"])
def test_a_file_that_could_not_be_written_is_refused_before_anything_is_computed(option, tmp_path, monkeypatch):
    monkeypatch.setattr("stmlab.models.computed.model", None)
    path = tmp_path / ("a.csv" if option == "--out" else "a.png")
    path.write_text("mine", encoding="utf-8")
    answer = run("srs", option, str(path))
    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"stmlab: {path}"), answer.stderr
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("name", "figures"), [("a.csv", ["a.png"]), ("a.json", []), ("a.nc", [])])
def test_files_and_figures_are_written_once(name, figures, tmp_path):
    out, drawn = tmp_path / name, [tmp_path / figure for figure in figures]
    arguments = ["molecules", "--sweep", "bias=-2..2 mV:9", "--out", str(out)]
    arguments += [word for figure in drawn for word in ("--figure", str(figure))]
    assert run(*arguments).exit_code == 0
    assert out.stat().st_size > 1000
    assert all(figure.read_bytes().startswith(b"\x89PNG") for figure in drawn)
    again = run(*arguments)
    assert again.exit_code == 1
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("srs", "--set", "amplitude=1 V"), "stmlab: amplitude = 1 V: 1 µV to 100 mV is allowed"),
        (("srs", "--set", "amplitude=1 K"), "stmlab: amplitude = '1 K' is not a number, or a number with a unit of V"),
        (("srs", "--set", "amplitud=1 mV"), "stmlab: amplitud: the model srs has over, quantity, "),
        (("magnons",), "stmlab: model = magnons: one of transport, srs"),
        (("--set", "amplitude=1 mV"), "stmlab: name a model"),
        (("srs", "--show", "--out", "a.csv"), "stmlab: --show computes nothing"),
        (("srs", "--format", "csv"), "stmlab: --format csv: of which file?"),
        (("srs", "--out", "a.xls"), "stmlab: a.xls: written is csv (.csv), json (.json), netcdf (.nc)"),
        (("srs", "--figure", "a.bmp"), "stmlab: a.bmp: a name of a figure ends in"),
        (("--parameters", "srs"), "stmlab: srs: no such case; there are coh_5t"),
        (("molecules", "--no-curves"), "stmlab: molecules: without its curves there is nothing"),
    ],
)
def test_mistakes_are_one_line(arguments, why):
    found = run(*arguments)
    assert found.exit_code == 1
    assert found.stderr.startswith(why), found.stderr
    assert len(found.stderr.splitlines()) == 1
