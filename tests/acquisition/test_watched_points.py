"""What was read while a setting was wrong is marked in the file, however late the watch comes to that setting."""

import pytest

from sequences.didv import ConductanceSpectrum
from stmlab.acquisition.runner import Runner
from stmlab.errors import ChangedByHand, StmlabError, TipTripped
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


class Waiting(ConductanceSpectrum):
    """Waits for long in its first reading, in which ``happens`` is called at the beginning."""

    def measure(self):
        clock, watch = self.station.clock, self.station.watch
        began, looks = clock.now(), watch.looks
        self.happens()
        self.ages = []
        try:
            while clock.now() < began + 3.0:
                self.wait(0.04)
                self.ages.append(clock.now() - watch.oldest)
        finally:
            self.waited, self.looks = clock.now() - began, watch.looks - looks
        return super().measure()


def waiting_run(path, happens, **watch):
    """The sequence, after its run, and what ended that."""
    with lab(**watch) as station:
        sequence = Waiting(points=2, time_constant=1e-3, stabilise_time=0.5)
        sequence.happens = lambda: happens(station.simulation)
        try:
            Runner(sequence, station, path).run()
        except StmlabError as error:
            return sequence, error
    return sequence, None


@pytest.mark.parametrize(("age", "often"), [(1.0, 0.2), (0.25, 0.05), (5.0, 0.2)])
def test_a_long_wait_is_looked_at_as_often_as_is_promised_and_no_more(tmp_path, age, often):
    sequence, error = waiting_run(tmp_path / "run.h5", lambda microscope: None, watch__largest_age=age)
    assert error is None
    assert max(sequence.ages) <= age
    assert 3.0 / (often + 0.04) - 1 <= sequence.looks <= 3.0 / often + 1


def test_a_trip_in_a_long_wait_ends_it_at_the_next_look(tmp_path):
    sequence, error = waiting_run(tmp_path / "run.h5", lambda microscope: microscope.faults.arm(Fault(kind="trip")))
    assert isinstance(error, TipTripped)
    assert sequence.waited <= 0.25
