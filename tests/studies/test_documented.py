"""What docs/study.md tells people to write and to type works as it stands there, with fewer seeds."""

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.studies import read_study

GUIDE = (Path(__file__).parents[2] / "docs" / "study.md").read_text(encoding="utf-8")
FEWER = {"seeds = 50": "seeds = 1", "[0.75e9, 1.5e9, 3e9]": "[1.5e9]", "[1, 4]": "[1]"}
ELSEWHERE = ("stmlab study study.toml --workers 4",)  # tests/cluster/test_study_workers.py


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)


def test_the_study_of_the_guide_is_made_by_its_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (text,) = blocks("toml")
    for whole, part in FEWER.items():
        assert whole in text
        text = text.replace(whole, part)
    Path("study.toml").write_text(text, encoding="utf-8")
    lines = [re.sub(r"\s+#\s.*", "", line[2:]) for block in blocks("console") for line in block.splitlines()]
    assert set(ELSEWHERE) < set(lines)
    for line in lines:
        if line not in ELSEWHERE:
            answer = CliRunner().invoke(app, shlex.split(line)[1:])
            assert answer.exit_code == 0, answer.stderr
    assert Path("report.nc").exists()
    assert len(Path("study.results.jsonl").read_text().splitlines()) == 2


def test_what_is_left_out_of_the_guides_study_may_be_written(tmp_path):
    (text,) = blocks("toml")
    path = tmp_path / "study.toml"
    path.write_text(re.sub(r"^# (model|set)", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    study = read_study(path)
    assert (study.fit.model, study.fit.set) == ("srs_two_widths", {"window": "8 mV"})
