"""Studies carried out: killed and gone on with, by workers, one of which dies, on the command line."""

import json
import os
import signal

import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.cluster import Done, InProcess, Lost
from stmlab.studies import Report, Results, read_study
from tests.forked import forked
from tests.studies.small import TEXT, write_study


def study_that_is_killed(path):
    """While it writes the fourth result."""
    whole = Results.append

    def append(self, record):
        whole(self, record)
        if len(self.records) == 3:
            os.write(self._file, b'{"cell": "half a li')
            os.kill(os.getpid(), signal.SIGKILL)

    Results.append = append
    cli("study", path)


def cli(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The folder of a study that was made in one go."""
    folder = tmp_path_factory.mktemp("study")
    answer = cli("study", write_study(folder))
    assert answer.exit_code == 0, answer.stderr
    return folder


def lines(folder):
    return (folder / "study.results.jsonl").read_bytes().splitlines()


def test_every_cell_is_measured_with_every_seed_and_held_against_the_sample(uninterrupted):
    study = read_study(uninterrupted / "study.toml")
    with Results(uninterrupted / "study.results.jsonl", study) as results:
        report = Report.of(study, results.records)
    assert report.missing == 0
    assert len({record.value for record in results.records.values()}) == 8
    for cell, rate in zip(report.cells, (1.5e9, 1.5e9, 3e9, 3e9), strict=True):
        assert 0 < cell.true - rate < 0.5e9, "the excitation of the sample that was changed is in it"
        assert abs(cell.figures["bias"].value) < 0.4 * cell.true
        assert cell.figures["time_to_target"].value > 0


def test_a_killed_study_goes_on_and_equals_one_in_one_go(uninterrupted, tmp_path):
    study = write_study(tmp_path)
    with forked(study_that_is_killed, study):
        pass
    before = lines(tmp_path)
    assert len(before) == 1 + 3 + 1, "what it is of, three results, half a line"
    answer = cli("study", study, "--json")
    assert answer.exit_code == 0, answer.stderr
    assert lines(tmp_path) == lines(uninterrupted)
    assert lines(tmp_path)[:4] == before[:4], "nothing was made twice"
    whole = cli("study", uninterrupted / "study.toml", "--report", "--json")
    one, other = (json.loads(text) for text in (answer.stdout, whole.stdout))
    assert one["cells"] == other["cells"]


@pytest.mark.slow
def test_nothing_is_measured_of_a_study_that_is_done_and_more_seeds_add_to_it(uninterrupted, tmp_path):
    more = write_study(tmp_path, TEXT.replace("seeds = 2", "seeds = 3"))
    results = tmp_path / "study.results.jsonl"
    results.write_bytes((uninterrupted / "study.results.jsonl").read_bytes())
    answer = cli("study", more, "--report", "--json")
    assert json.loads(answer.stdout)["missing"] == 4
    assert "0/0" in cli("study", write_study(tmp_path)).stderr
    assert lines(tmp_path) == lines(uninterrupted)
    assert (
        json.loads(
            cli("study", write_study(tmp_path, more.read_text().replace("seeds = 2", "seeds = 3")), "--json").stdout
        )["runs"]
        == 12
    )
    assert lines(tmp_path)[:9] == lines(uninterrupted)


def test_ctrl_c_keeps_what_is_done(tmp_path, monkeypatch):
    def interrupted(self, function, tasks, count, stop):
        for done in InProcess.completed(InProcess(), function, tasks, count, stop):
            signal.raise_signal(signal.SIGINT)
            yield done

    monkeypatch.setattr("stmlab.cli.crew._Shown.completed", interrupted)
    answer = cli("study", write_study(tmp_path), "--json")
    assert answer.exit_code == 130
    assert json.loads(answer.stdout)["missing"] == 7
    assert "what is done is kept" in answer.stderr
    assert len(lines(tmp_path)) == 2
    study = tmp_path / "study.toml"
    with Results(tmp_path / "study.results.jsonl", read_study(study)):  # as another process that goes on with it
        reported = cli("study", study, "--report", "--json")
    assert json.loads(reported.stdout)["cells"] == json.loads(answer.stdout)["cells"]
    assert len(lines(tmp_path)) == 2, "a report measures nothing"


def test_a_report_needs_no_run_and_is_written_where_asked(uninterrupted, tmp_path):
    answer = cli("study", uninterrupted / "study.toml", "--report", "--out", tmp_path / "report.csv")
    assert answer.exit_code == 0, answer.stderr
    assert "time to 2 %" in answer.stdout
    assert len((tmp_path / "report.csv").read_text().splitlines()) == 5
    assert cli("study", uninterrupted / "study.toml", "--report", "--out", tmp_path / "report.csv").exit_code == 1
    assert cli("study", uninterrupted / "study.toml", "--report", "--out", tmp_path / "report.xls").exit_code == 1


def test_a_report_that_could_not_be_written_is_refused_before_any_run(tmp_path):
    (tmp_path / "report.csv").touch()
    answer = cli("study", write_study(tmp_path), "--out", tmp_path / "report.csv")
    assert answer.exit_code == 1
    assert "exists already" in answer.stderr
    assert not (tmp_path / "study.results.jsonl").exists()


def test_runs_that_are_lost_with_their_workers_are_told_and_missing(tmp_path, monkeypatch):
    def lossy(self, function, tasks, count, stop):
        yield Done(1, Lost("its workers died"))

    monkeypatch.setattr("stmlab.cli.crew._Shown.completed", lossy)
    answer = cli("study", write_study(tmp_path), "--json")
    assert answer.exit_code == 1
    assert "1 runs were lost with their workers" in answer.stderr
    told = json.loads(answer.stdout)
    assert told["missing"] == 8
    assert "averages = 2, seed 1: its workers died" in told["lost"][0]


def test_what_the_fit_does_not_have_ends_the_study_and_a_fit_that_is_refused_does_not(tmp_path):
    one = TEXT.replace("[1.5e9, 3e9]", "[1.5e9]").replace("[1, 2]", "[1]").replace("seeds = 2", "seeds = 1")
    answer = cli("study", write_study(tmp_path, one.replace('fitted = "rate"', 'fitted = "rates"')))
    assert answer.exit_code == 1
    assert "fit.fitted = rates: this fit has rate, step" in answer.stderr
    (tmp_path / "study.results.jsonl").unlink()
    answer = cli("study", write_study(tmp_path, one.replace("points = 8", "points = 3")), "--json")
    assert answer.exit_code == 0, answer.stderr
    cell = json.loads(answer.stdout)["cells"][0]
    assert (cell["runs"], cell["fits"], sum(cell["refused"].values())) == (1, 0, 1)
