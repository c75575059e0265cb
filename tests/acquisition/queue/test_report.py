"""What a queue says of a run that chooses its points: its error, its target, and the time to that."""

import math
from types import SimpleNamespace

import numpy as np

from stmlab.acquisition.outcome import Estimate
from stmlab.acquisition.queue.report import Report
from stmlab.axes import Axis, Channel
from stmlab.events import ParameterValue, PointTaken, RunStarted
from tests.approximately import close

AXIS = Axis("frequency", "Hz", np.geomspace(3e6, 2e10, 1000))
CHANNELS = (Channel("current", "A", "signal"), Channel("relative_error", "", "of what is sought"))


def told(error, target=0.01, before=0):
    """After four readings of a run of 500 at most, of which each takes 2 s; with those before it was resumed."""
    entry = SimpleNamespace(id="a", sequence="srs", runs=1)
    report = Report(
        entry, 0, SimpleNamespace(path=None, under_way=17), Estimate(500, 1000.0, 0, 0.0), lambda message: None
    )
    given = {"target_error": ParameterValue(target, "", "relative")}
    report(RunStarted("r1", "srs", "2026-01-01", given, (AXIS,), CHANNELS, 0.0, "bench", ""))
    for k in range(4):
        report(PointTaken(k, 0.1, (3e6,), (1e-12, error), visit=before + k))
    return report.progress()


def test_the_time_left_is_that_to_the_target():
    said = told(0.02)
    assert (said["error"], said["target"], said["total"]) == (0.02, 0.01, 500)
    assert said["left"] == close(2.0 * (4 * 4 - 4), rel=1e-9)
    assert (said["readings"], said["needed"], said["next"]) == (4, 16, 17)


def test_while_little_is_known_it_is_that_to_the_time_limit():
    """Of an error of 90 % nothing follows: by the root of their number 81 readings would do."""
    assert told(0.9, target=0.2)["left"] == close(2.0 * 496, rel=1e-9)


def test_it_is_never_more_than_the_time_limit_allows():
    assert told(0.4)["left"] == close(2.0 * 496, rel=1e-9)
    assert not math.isnan(told(0.4)["left"])


def test_readings_before_the_run_was_resumed_have_lowered_the_error_too():
    assert told(0.02, before=96)["left"] == close(2.0 * (4 * 100 - 100), rel=1e-9)
