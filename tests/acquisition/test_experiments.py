"""The experiments by name: shipped ones, the user's own, broken ones."""

import numpy as np
import pytest

from stmlab.acquisition import experiments
from stmlab.acquisition.measurement import measure
from stmlab.errors import SequenceError
from stmlab.storage import open_run

OWN = '''
"""Current at a few biases."""

import numpy as np

from sequences.tip import FixedHeightSequence
from stmlab.acquisition.parameters import FloatParameter
from stmlab.axes import Axis, Channel


class Ladder(FixedHeightSequence):
    name = "ladder"
    title = "current at a few biases"
    roles = ("bias", "tip")
    channels = (Channel("current", "A", "as the controller reads it"),)
    top = FloatParameter("Top", units="V", default=5e-3, minimum=0, maximum=1)

    def axes(self):
        return (Axis("bias", "V", np.linspace(self.top / 2, self.top, 3)),)

    def demands(self):
        return {"setpoint_bias": self.setpoint_bias, "bias": self.axes()[0].values, "setpoint": self.setpoint_current}

    def bias_during_sweep(self):
        return self.top

    def prepare(self):
        self.stabilise()

    def move_bias(self, bias):
        self.station.bias.bias = bias

    def measure(self):
        return {"current": self.station.tip.current}
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The user's configuration folder, with a folder for sequences."""
    directory = tmp_path / "own"
    (directory / "sequences").mkdir(parents=True)
    shipped = experiments.config_directories()[-1]
    monkeypatch.setattr(experiments, "config_directories", lambda: (directory, shipped))
    return directory


def test_a_file_in_the_users_folder_is_an_experiment_and_can_be_run(own, tmp_path):
    (own / "sequences" / "ladder.py").write_text(OWN)
    assert experiments.known().places["ladder"].endswith("ladder.py")
    outcome = measure("ladder", path=tmp_path / "run.h5", settings={"top": "4 mV"})
    assert outcome.points == 3
    np.testing.assert_allclose(open_run(tmp_path / "run.h5").coordinates["bias"], [2e-3, 3e-3, 4e-3], rtol=1e-9)


@pytest.mark.parametrize("folder", ["", "sequences"])
def test_a_module_that_the_users_list_names_may_lie_beside_it(own, folder):
    (own / folder / "my_module.py").write_text(OWN)
    (own / "sequences.toml").write_text('ladder = "my_module:Ladder"')
    assert experiments.sequence_class("ladder").title == "current at a few biases"


def test_a_file_that_was_changed_is_loaded_anew(own):
    path = own / "sequences" / "ladder.py"
    path.write_text(OWN)
    assert experiments.sequence_class("ladder") is experiments.sequence_class("ladder")
    path.write_text(OWN.replace("at a few biases", "otherwise"))
    assert experiments.sequence_class("ladder").title == "current otherwise"


def test_what_is_the_users_own_wins(own):
    (own / "sequences" / "srs.py").write_text(OWN.replace('"ladder"', '"srs"'))
    assert experiments.sequence_class("srs").title == "current at a few biases"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import nothing_of_the_kind", "ModuleNotFoundError: No module named 'nothing_of_the_kind'"),
        ("def (", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        (OWN.replace('"ladder"', '"steps"'), 'a class with name = "ladder" is needed'),
    ],
)
def test_a_broken_file_is_a_problem_and_everything_else_is_there(own, text, why):
    (own / "sequences" / "ladder.py").write_text(text)
    there = experiments.found()
    (problem,) = there.problems
    assert problem.startswith("sequence ladder (")
    assert why in problem
    assert set(there.classes) >= {"srs", "didv", "transfer"}
    assert "ladder" not in there.classes
    with pytest.raises(SequenceError, match="sequence ladder"):
        experiments.sequence_class("ladder")
    assert experiments.sequence_class("srs").name == "srs"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('mine = "no_such_module:Mine"', "No module named 'no_such_module'"),
        ('mine = "sequences.srs:Mine"', "has no attribute 'Mine'"),
        ('mine = "stmlab.axes:Axis"', "is no Sequence"),
        ("mine = 3", '"module:Class" is allowed'),
        ("mine = ", "none of its sequences is known"),
    ],
)
def test_a_broken_entry_of_the_users_list_is_a_problem_by_itself(own, text, why):
    (own / "sequences.toml").write_text(f'good = "sequences.srs:StochasticResonance"\n{text}')
    there = experiments.found()
    (problem,) = there.problems
    assert why in problem
    assert set(there.classes) >= {"srs", "didv", "transfer"}
    assert ("good" in there.classes) == (text != "mine = ")


def test_the_command_line_lists_what_is_there_and_says_what_is_not(own):
    from typer.testing import CliRunner

    from stmlab.cli import app

    (own / "sequences" / "broken.py").write_text("1 / 0")
    (own / "sequences" / "ladder.py").write_text(OWN)
    result = CliRunner().invoke(app, ["sequences"])
    assert result.exit_code == 0
    assert "ladder           current at a few biases" in result.stdout
    assert "srs " in result.stdout
    assert result.stderr.startswith("stmlab: sequence broken (")
