"""What `stmlab approach` says."""

import json

import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.station import approach
from stmlab.station.approach import Approached, tip_state


@pytest.fixture
def freed(monkeypatch):
    monkeypatch.setattr(approach, "approach", lambda station: Approached(tip_state(station), at_surface=True))


def test_where_the_tip_came_to_is_told_to_a_person_and_to_a_script(freed):
    told = CliRunner().invoke(app, ["approach", "simulated", "--yes"])
    assert told.exit_code == 0, told.stderr
    assert told.stdout.startswith("loop closed at 10 mV, 100 pA: the tip is at the surface")
    assert "it would be closed at 10 mV and 100 pA" in told.stderr
    script = json.loads(CliRunner().invoke(app, ["approach", "simulated", "--yes", "--json"]).stdout)
    assert script["at_surface"] is True
    assert script["bias"] == 0.01


def test_who_does_not_confirm_closes_no_loop(freed):
    asked = CliRunner().invoke(app, ["approach", "simulated"], input="n\n")
    assert asked.exit_code == 1
    assert "loop closed at" not in asked.stdout
