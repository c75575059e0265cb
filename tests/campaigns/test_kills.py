"""A sample of the campaign of kills, and that its judge finds what is wrong."""

import numpy as np
import pytest

from stmlab.storage import open_run
from tests.campaigns.kills import resumed, violations, whole


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_a_run_that_is_killed_and_resumed_is_the_run_that_was_meant(tmp_path):
    reference = whole(tmp_path, "didv")
    run, kills, lost = resumed(tmp_path, "didv", 0)
    assert 1 <= run.visits.session.max() <= kills  # the last one may be killed in its fit
    assert lost == []
    assert violations(run, reference) == []


def test_a_reading_that_is_another_is_found(tmp_path):
    reference = whole(tmp_path, "didv")
    run = open_run(reference.path)
    run.data["x"][3] += 2e-9 * np.abs(reference.data["x"]).max()
    assert "x by 2e-09" in violations(run, reference)[0]
