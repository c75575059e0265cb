"""The tests' own surroundings: nothing of the user's, the same examples in CI, and no silence about what is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stmlab.config_files import config_directories, known
from stmlab.station.places import station_directory
from tests import conftest

ROOT = Path(__file__).parents[1]


def test_a_folder_of_the_user_is_not_read_and_not_written(tmp_path_factory):
    own = tmp_path_factory.getbasetemp()
    assert config_directories()[0].is_relative_to(own)
    assert station_directory().is_relative_to(own)
    assert {path.parent for path in known().values()} == {config_directories()[1]}


@pytest.mark.parametrize(("ci", "same"), [({"CI": "true"}, "True"), ({}, "False")])
def test_ci_tries_the_same_examples_each_time(ci, same):
    asked = "import tests.conftest, hypothesis; print(hypothesis.settings().derandomize)"
    desk = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-c", asked]
    answer = subprocess.run(command, cwd=ROOT, env=desk | ci, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == same


class Terminal:
    def __init__(self):
        self.lines = []

    def write_line(self, line, **_colours):
        self.lines.append(line)


def test_missing_recorded_files_are_said_in_one_line(monkeypatch, tmp_path):
    terminal = Terminal()
    monkeypatch.setattr(conftest, "RECORDED", tmp_path)
    conftest.pytest_terminal_summary(terminal)
    assert terminal.lines == []
    monkeypatch.setattr(conftest, "RECORDED", tmp_path / "missing")
    conftest.pytest_terminal_summary(terminal)
    assert len(terminal.lines) == 1
    assert str(tmp_path / "missing") in terminal.lines[0]
