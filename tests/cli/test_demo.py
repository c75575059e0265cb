"""The demonstration: two samples, true and fitted side by side."""

import json
from pathlib import Path

from typer.testing import CliRunner

from stmlab.cli import app, demo
from stmlab.cli.demo import Row
from stmlab.storage import open_run


def test_the_demo_measures_two_samples_and_agrees(tmp_path, monkeypatch):
    (tmp_path / "srs_fe_atom.h5").write_text("of an earlier demonstration")
    measured, run = [], demo.run_demo

    def run_once(*given, **named):
        measured[:] = measured or run(*given, **named)
        return measured

    monkeypatch.setattr(demo, "run_demo", run_once)
    result = CliRunner().invoke(app, ["demo", "--json", "-d", str(tmp_path)])
    assert result.exit_code == 0, result.stderr
    rows = json.loads(result.stdout)
    assert {row["sample"] for row in rows} == {"fe_atom", "fe_chain_of_four"}
    for row in rows:
        assert abs(row["fitted"] - row["true"]) <= min(4 * row["error"], 0.03 * row["true"])
        assert open_run(row["file"]).points == row["points"]
        assert Path(row["figure"]).read_bytes().startswith(b"\x89PNG")
    again = CliRunner().invoke(app, ["demo", "-d", str(tmp_path)])
    assert again.exit_code == 0
    assert "±" in again.stdout


def test_a_value_that_lies_outside_does_not_agree():
    def row(fitted, error):
        return Row("srs", "s", "t", "rate", 100.0, fitted, error, "1/s", 3.0, 10, "", "")

    assert row(102.0, 1.0).agrees
    assert not row(102.0, 0.39).agrees
    assert not row(104.0, 5.0).agrees
    assert row(102.0, float("nan")).agrees
    assert not row(104.0, float("nan")).agrees


def test_a_choice_agrees_only_with_itself():
    def row(fitted):
        return Row("srs", "s", "t", "exchange", "ising", fitted, float("nan"), "", 0.0, 10, "", "")

    assert row("ising").agrees
    assert not row("heisenberg").agrees
    assert row("ising").deviation == ""
