"""What the README tells people to type works as it stands there, from top to bottom of one folder."""

import re
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from stmlab.analysis.steps.shapes import StepShape
from stmlab.cli import app
from stmlab.events import PointTaken
from stmlab.storage import Writer, open_run
from tests.pages import ROOT, pages
from tests.storage.importers.samples import write_step_grid

README = ROOT / "README.md"
REFUSED = {  # and how
    'stmlab run srs --check --set "dc_bias=0.5 V"': "bias = 0.5 V is out of bounds",
    "stmlab safe my_microscope.toml": "a simulated microscope lives in the process of its run",
    "stmlab approach my_microscope.toml": "nothing is noted of the tip",
}
ELSEWHERE = {  # run by what stands beside them
    "make demo": "tests/cli/test_demo.py",
    "make test": "this run",
    "stmlab fit grid.3ds --workers 4": "tests/cluster/test_fit_command.py",
    "stmlab study study.toml --workers 4 --out study.csv": "tests/cluster/test_study_workers.py",
    "python3 -m venv .venv": "Makefile",
    ". .venv/bin/activate": "Makefile",
    "pip install -c constraints.txt -e '.[gui]'": "Makefile",
}
TRANSPORT = re.compile("ramp|--model transport")  # fits that take their time
SMALLER = {  # the same commands with fewer points
    "--set points=80": "--set points=30",
    "--set conductances=7": "--set conductances=3 --set points=61",
    '--set "interval=3 ms"': '--set "interval=3 ms" --set samples=400',
    '--set "setpoint_current=1 nA" -o spectrum.h5': '--set "setpoint_current=1 nA" --set points=61 -o spectrum.h5',
    '--set "target_error=1 %"': '--set "target_error=10 %"',
    "--json -o again.h5": "--json -o again.h5 --set points=12",
    "-o first.h5": "-o first.h5 --set points=12",
    "--added-noise": "--added-noise --set points=12",
    "-o didv_again.h5": "-o didv_again.h5 --set points=61",
    '"B=0..6 T:61"': '"B=0..6 T:3"',
    "stmlab papers": "stmlab papers horovitz",
}


def arguments(command):
    for whole, part in SMALLER.items():
        command = command.replace(whole, part)
    return pages.words(command)[1:]


def spectrum():
    """dI/dV with two pairs of steps."""
    bias, shape = np.linspace(-10e-3, 10e-3, 201), StepShape(2.0)
    steps = sum(shape.step(side * 1e3 * bias - energy) for energy in (2.0, 5.0) for side in (-1, 1))
    conductance = 1e-7 * (1 + steps + 0.01 * np.random.default_rng(4).standard_normal(bias.size))
    return bias, conductance


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """With the files that the README takes for granted: a recorded spectrum, a grid, a killed run, a station."""
    for path in (ROOT / "tests" / "data").glob("*.[dV]*"):
        shutil.copy(path, tmp_path)
    write_step_grid(tmp_path / "grid.3ds", rows=1, columns=2)  # a line: less to draw than maps
    shutil.copy(ROOT / "config" / "simulated.toml", tmp_path / "my_microscope.toml")
    shutil.copy(ROOT / "config" / "evening.example.toml", tmp_path / "evening.toml")
    for name in ("transfer", "samples"):
        shutil.copytree(ROOT / "config" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stmlab.gui.launch", lambda: 0)  # these two stay until somebody ends them
    monkeypatch.setattr("stmlab.simulation.serving.serve", lambda *_, **__: None)
    return tmp_path


def copy_without_end(path, copy):
    """The first 20 points of a run, as its file is when the process is killed then."""
    writer = Writer(copy)
    for event in open_run(path).replay():
        if isinstance(event, PointTaken) and event.index == 20:
            break
        writer(event)
    writer.close()


@pytest.mark.parametrize("transport", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_commands_of_the_readme_do_what_they_say(folder, transport):
    typed = [one for one in pages.commands(README) if one not in ELSEWHERE and bool(TRANSPORT.search(one)) is transport]
    assert len(typed) >= (4 if transport else 18)
    for command in typed:
        result = CliRunner().invoke(app, arguments(command), input="y\n")  # a person has looked
        assert result.exit_code == (command in REFUSED), f"{command}: {result.output}"
        assert REFUSED.get(command, "") in result.stderr
        if command.startswith("stmlab run srs --sample"):
            copy_without_end(folder / "atom.h5", folder / "killed.h5")
    named = {word for command in typed for word in command.split() if re.fullmatch(r"\w+\.(h5|png)", word)}
    assert {path.name for path in folder.iterdir()} >= named


def test_what_the_readme_does_elsewhere_stands_in_the_readme():
    assert set(pages.commands(README)) >= {*ELSEWHERE, *REFUSED}
    for part in SMALLER:
        assert any(part in command for command in pages.commands(README))


def test_python_of_the_readme_runs(folder):
    bias, conductance = spectrum()
    frequency = np.geomspace(1e8, 2e10, 40)
    spectra = 1e-12 / (1 + (2 * np.pi * frequency / 1.7e9) ** 2) + np.random.default_rng(1).normal(0, 1e-14, (3, 40))
    given = {"bias": bias, "conductance": conductance, "frequency": frequency, "currents": spectra}
    (block,) = [block for block in pages.blocks(README) if block.language == "python"]
    exec(compile(block.text, "README.md", "exec"), given)
    assert given["run"].points == 80
    rates, errors = given["rates"], given["errors"]
    assert np.all(np.abs(rates - 1.7e9) < 4 * errors)
