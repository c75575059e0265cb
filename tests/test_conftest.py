"""The tests' own surroundings: nothing of the user's, the same examples in CI, and no silence about what is missing."""

import runpy

import pytest
from hypothesis import settings

from stmlab.config_files import config_directories, known
from stmlab.station.places import station_directory
from tests import conftest


def test_a_folder_of_the_user_is_not_read_and_not_written(tmp_path_factory):
    own = tmp_path_factory.getbasetemp()
    assert config_directories()[0].is_relative_to(own)
    assert station_directory().is_relative_to(own)
    assert {path.parent for path in known().values()} == {config_directories()[1]}


@pytest.mark.parametrize(("ci", "same"), [({"CI": "true"}, True), ({}, False)])
def test_ci_tries_the_same_examples_each_time(monkeypatch, ci, same):
    monkeypatch.delenv("CI", raising=False)
    for name, value in ci.items():
        monkeypatch.setenv(name, value)
    ours = settings.get_current_profile_name()
    settings.load_profile("default")  # a profile has the settings that hold when it is registered
    try:
        runpy.run_path(conftest.__file__)
        assert settings().derandomize == same
    finally:
        settings.load_profile(ours)


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
