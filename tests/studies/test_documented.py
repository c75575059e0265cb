"""What docs/study.md tells people to write and to type works as it stands there, with fewer seeds."""

import re
from pathlib import Path

from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.studies import read_study
from tests.pages import DOCS, pages

PAGE = DOCS / "study.md"
FEWER = {"seeds = 50": "seeds = 1", "[0.75e9, 1.5e9, 3e9]": "[1.5e9]", "[1, 4]": "[1]"}
ELSEWHERE = ("stmlab study study.toml --workers 4",)  # tests/cluster/test_study_workers.py


def example():
    (block,) = [block for block in pages.blocks(PAGE) if block.language == "toml"]
    return block.text


def test_the_study_of_the_guide_is_made_by_its_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = example()
    for whole, part in FEWER.items():
        assert whole in text
        text = text.replace(whole, part)
    Path("study.toml").write_text(text, encoding="utf-8")
    commands = pages.commands(PAGE)
    assert set(ELSEWHERE) < set(commands)
    for command in commands:
        if command not in ELSEWHERE:
            answer = CliRunner().invoke(app, pages.words(command)[1:])
            assert answer.exit_code == 0, answer.stderr
    assert Path("report.nc").exists()
    assert len(Path("study.results.jsonl").read_text().splitlines()) == 2


def test_what_is_left_out_of_the_guides_study_may_be_written(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(re.sub(r"^# (model|set)", r"\1", example(), flags=re.MULTILINE), encoding="utf-8")
    study = read_study(path)
    assert (study.fit.model, study.fit.set) == ("srs_two_widths", {"window": "8 mV"})
