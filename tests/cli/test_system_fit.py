"""``stmlab fit --system``: the guide's example, several files, what is kept, what is refused."""

import json
import re
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.storage import open_run
from stmlab.systems import Conditions, read_system
from tests.analysis.systems.runs import run, spectrum, written
from tests.approximately import close
from tests.pages import DOCS, pages

PAGE = DOCS / "systems.md"
BIAS = np.linspace(-7e-3, 7e-3, 61)
ATOM = """
[spin_system]
field_direction = [1, 0, 1]
temperature_K = 1.5
[spin_system.spins.atom]
spin = 1
axial_anisotropy_meV = { start = -2.5, low = -4, high = -2, name = "D" }
transverse_anisotropy_meV = 0.4
[spin_system.alternatives.three_halves]
spins.atom.spin = 1.5
"""


def stmlab(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A system's file, and runs in two fields."""
    folder = tmp_path_factory.mktemp("made")
    path = written(folder / "mine.toml", ATOM)
    system, fields = read_system(path), (0.0, 5.0)
    rows = [spectrum(system, {"D": -3.2}, BIAS, Conditions(1e-7, field), k) for k, field in enumerate(fields)]
    return path, [run(folder / f"{k}.h5", BIAS, [1e-7], [row]) for k, row in enumerate(rows)]


@pytest.fixture
def files(made, tmp_path):
    """Of one's own."""
    path, runs = made
    return shutil.copy(path, tmp_path / path.name), [shutil.copy(one, tmp_path / one.name) for one in runs]


def test_the_guides_example_works_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example, *_ = pages.blocks(PAGE)
    assert (example.title, example.text) == ("iron.toml", (DOCS / "iron.toml").read_text(encoding="utf-8"))
    shutil.copy(DOCS / "iron.toml", tmp_path)
    for command in pages.commands(PAGE):
        answer = stmlab(*pages.words(command)[1:])
        assert answer.exit_code == 0, answer.output
    (shown,) = [one.text for one in pages.blocks(PAGE) if one.text.startswith("fit transport")]
    said = [line.split()[0] for line in answer.stdout.splitlines()]
    assert [line.split()[0] for line in shown.splitlines()] == said
    assert (tmp_path / "iron.png").stat().st_size > 10_000
    assert "wrote iron.png" in answer.stderr
    found = {
        name: float(re.search(rf"^ +{name} +\(?(-?[\d.]+)", answer.stdout, re.MULTILINE)[1]) for name in ("D", "E")
    }
    assert found["D"] == close(-1.5, rel=0.02)
    assert found["E"] == close(0.3, rel=0.02)
    assert re.search("AIC +iron [+]0.0, ", answer.stdout)


def test_several_files_are_one_fit_with_a_field_for_each(files):
    path, runs = files
    answer = stmlab("fit", *runs, "--model", "transport", "--system", path, "--set", "field=0 T, 5 T", "--json")
    assert answer.exit_code == 0, answer.output
    fit = json.loads(answer.stdout)
    assert fit["points"] == 2 * BIAS.size
    assert fit["parameters"][0]["value"] == close(-3.2, rel=0.02)
    assert fit["choices"]["given"] == "field = 0 T, 5 T"
    path.write_text(path.read_text(encoding="utf-8").partition("[spin_system.alternatives")[0], encoding="utf-8")
    (wrong,) = stmlab("fit", runs[1], "--system", path, "--set", "field=0 T").output.splitlines()[-1:]
    assert "does not hold" in wrong


def test_the_fit_of_one_run_is_kept_in_it_and_one_of_several_in_none(files):
    path, runs = files
    told = ("--system", path, "--set", "field=0 T", "--keep")
    assert stmlab("fit", runs[0], *told).exit_code == 0
    (kept,) = open_run(runs[0]).fits
    assert kept.choices["system"] == "mine"
    assert stmlab("fit", *runs, *told).exit_code == 1
    assert not open_run(runs[1]).fits


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--model", "steps"), "the model steps takes no spin system"),
        (("--workers", "2"), "one fit of all files is not shared"),
        (("--start", "D=-3"), "the file says where parameters begin"),
        (("--set", "order=2"), "order: the model transport with a system takes temperature"),
        (("--set", "field=1 T, 2 T"), "field: 2 values for 1 files"),
        ((), "the field is not known: give field"),
    ],
)
def test_what_does_not_go_together_is_refused(files, arguments, complaint):
    path, (file, _) = files
    answer = stmlab("fit", file, "--system", path, *arguments)
    assert answer.exit_code == 1
    assert complaint in answer.output


def test_a_mistake_in_the_file_is_one_line_with_file_and_key(files):
    path, (file, _) = files
    path.write_text(path.read_text(encoding="utf-8").replace("spin = 1\n", "spin = 1.2\n"), encoding="utf-8")
    answer = stmlab("fit", file, "--system", path)
    assert answer.exit_code == 1
    assert f"{path}: spin_system.spins.atom.spin = 1.2:" in answer.output
    missing = stmlab("fit", file, "--system", "nothing")
    assert "no such system; there are coupled_tip" in missing.output


def test_a_system_whose_numbers_the_data_say_is_no_sample(files):
    path, _ = files
    answer = stmlab("run", "didv", "--sample", path, "--check")
    assert answer.exit_code == 1
    assert "field_T: a sample needs a number" in answer.output
