"""The lock-in's capture buffer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.simulation.capture import Capture
from tests.approximately import close


def captured(capture: Capture, now: float, end: float) -> list[float]:
    """The moments at which a capture wants a reading between ``now`` and ``end``; each is kept as its own time."""
    moments: list[float] = []
    for interval, count in capture.intervals(now, end):
        steps = now + interval * np.arange(1, count + 1)
        capture.keep(steps.astype(complex))
        moments += steps.tolist()
        now += interval * count
    return moments


@given(st.floats(0.1, 1e5), st.floats(0, 100), st.lists(st.floats(1e-6, 1e-2), min_size=1, max_size=30))
def test_readings_are_kept_at_the_rate_however_time_passes(rate: float, start: float, waits: list[float]) -> None:
    capture = Capture()
    capture.follow(rate, start)
    now, moments = start, []
    for seconds in waits:
        moments += captured(capture, now, now + seconds)
        now += seconds
    np.testing.assert_allclose(moments, start + np.arange(1, len(moments) + 1) / rate, rtol=1e-9, atol=1e-9)
    assert len(moments) == pytest.approx((now - start) * rate, abs=1.0 + 1e-6)
    np.testing.assert_array_equal(capture.fetch().real, moments)
    assert capture.fetch().size == 0


def test_a_stop_keeps_what_there_is_and_a_new_start_forgets_it() -> None:
    capture = Capture()
    capture.follow(10.0, 0.0)
    captured(capture, 0.0, 1.0)
    capture.follow(0.0, 1.0)
    assert captured(capture, 1.0, 2.0) == []
    capture.follow(20.0, 2.0)
    assert captured(capture, 2.0, 2.1) == close([2.05, 2.1])
    assert capture.fetch().real == close([2.05, 2.1])


def test_a_long_capture_is_computed_in_parts() -> None:
    capture = Capture()
    capture.follow(1e4, 0.0)
    counts = [count for _, count in capture.intervals(0.0, 1.0)]
    assert sum(counts) == 10_000
    assert max(counts) <= 4096
