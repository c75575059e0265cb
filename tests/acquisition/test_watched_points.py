"""What was read while a setting was wrong is marked in the file, however late the watch comes to that setting."""

import pytest

from sequences.didv import ConductanceSpectrum
from stmlab.acquisition.runner import Runner
from stmlab.errors import ChangedByHand
from stmlab.events import PointsDisturbed
from stmlab.simulation.faults import Fault
from stmlab.storage import open_run
from tests.station.lab import lab

POINTS = 30


class Disturbed(ConductanceSpectrum):
    """At one point something happens to the lock-in, while it is read."""

    def measure(self):
        if self._taken == self.disturbed_at + 1:
            self.happens()
        return super().measure()


def disturbed_run(path, at, happens):
    """Indices that the file marks, after a run that ends with ChangedByHand."""
    with lab() as station:
        sequence = Disturbed(points=POINTS, time_constant=1e-3, stabilise_time=0.5)
        sequence.disturbed_at, sequence.happens = at, lambda: happens(station.simulation)
        with pytest.raises(ChangedByHand):
            Runner(sequence, station, path).run()
    return {
        index for _, event in open_run(path).history if isinstance(event, PointsDisturbed) for index in event.indices
    }


def reset(microscope):
    microscope.faults.arm(Fault(kind="reset", instrument="sr860"))
    microscope.faults.live()


def turn_the_phase(microscope):
    microscope.adapter("sr860").write("PHAS 90")


@pytest.mark.parametrize("happens", [reset, turn_the_phase])
def test_every_reading_since_a_setting_was_last_seen_right_is_marked(tmp_path, happens):
    marked = disturbed_run(tmp_path / "run.h5", 12, happens)
    taken = set(open_run(tmp_path / "run.h5").index.tolist())
    assert {index for index in taken if index >= 12} <= marked
    assert 12 in marked
    assert 0 not in marked


@pytest.mark.parametrize("happens", [reset, turn_the_phase])
def test_what_happens_at_the_last_point_is_noticed(tmp_path, happens):
    assert POINTS - 1 in disturbed_run(tmp_path / "run.h5", POINTS - 1, happens)
