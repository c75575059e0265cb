"""Deadlines that a run states, and the permit that can be taken away, over shared memory."""

import gc
import math
import os

import pytest

from stmlab.station import heartbeat as module
from stmlab.station.heartbeat import AFTERWARDS, ALLOWANCE, GRACE, AnnouncedClock, Heartbeat, overdue
from stmlab.station.ownership import Ownership, revoke
from stmlab.station.shared import SharedState, Slot


@pytest.fixture
def now(monkeypatch):
    """The time on the monotonic clock, as the test sets it."""
    time = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: time[0])
    return time


@pytest.fixture
def shared():
    return SharedState()


def test_before_the_first_step_nothing_is_overdue(shared):
    Heartbeat(shared)
    assert overdue(shared) == -math.inf


def test_a_step_is_overdue_when_what_was_stated_is_over(shared, now):
    Heartbeat(shared).expect(600.0)
    now[0] += 600.0 + ALLOWANCE - 1.0
    assert overdue(shared) == pytest.approx(-1.0, abs=1e-9)
    now[0] += 3.0
    assert overdue(shared) == pytest.approx(2.0, abs=1e-9)


def test_a_step_of_no_time_is_frozen_after_seven_seconds_and_a_wait_of_a_minute_three_after_it(shared, now):
    heartbeat = Heartbeat(shared)
    heartbeat.expect(0.0)
    now[0] += 7.0
    assert overdue(shared) == GRACE == 2.0
    heartbeat.extend(60.0)
    now[0] += 63.0
    assert overdue(shared) == GRACE


@pytest.mark.parametrize(("seconds", "until"), [(3.9, 5.0), (4.0, 5.0), (4.1, 5.1), (100.0, 101.0)])
def test_a_wait_longer_than_the_allowance_is_over_a_second_after_its_end(shared, now, seconds, until):
    heartbeat = Heartbeat(shared)
    heartbeat.expect(-5.0)
    heartbeat.extend(seconds)
    assert overdue(shared) == pytest.approx(-until, abs=1e-9)


def test_the_next_step_may_be_due_earlier_but_what_is_under_way_only_extends(shared, now):
    heartbeat = Heartbeat(shared)
    heartbeat.expect(600.0)
    heartbeat.extend(1.0)
    assert overdue(shared) == pytest.approx(-600.0 - ALLOWANCE, abs=1e-9)
    heartbeat.expect(1.0)
    assert overdue(shared) == pytest.approx(-1.0 - ALLOWANCE, abs=1e-9)
    heartbeat.extend(30.0)
    assert overdue(shared) == pytest.approx(-30.0 - AFTERWARDS, abs=1e-9)


def test_something_short_that_is_under_way_gives_the_usual_allowance(shared, now):
    heartbeat = Heartbeat(shared)
    heartbeat.expect(0.0)
    now[0] += 3.0
    heartbeat.extend(2.0)
    assert overdue(shared) == pytest.approx(-ALLOWANCE, abs=1e-9)


def test_a_run_that_rests_is_never_overdue_whatever_is_sent(shared, now):
    heartbeat = Heartbeat(shared)
    heartbeat.expect(0.0)
    heartbeat.rest()
    heartbeat.extend(1.0)
    now[0] += 1e6
    assert overdue(shared) == -math.inf


def test_a_sleep_of_the_stations_clock_is_announced(shared, now, monkeypatch):
    heartbeat = Heartbeat(shared)
    heartbeat.expect(0.0)
    slept = []
    monkeypatch.setattr(module.RealClock, "sleep", lambda _, seconds: slept.append((seconds, overdue(shared))))
    clock = AnnouncedClock(heartbeat)
    assert clock.now() >= 0.0
    clock.sleep(100.0)
    assert slept == [(100.0, pytest.approx(-100.0 - AFTERWARDS, abs=1e-9))]


def test_a_permit_once_revoked_by_another_mapping_is_gone(shared):
    heartbeat = Heartbeat(shared)
    heartbeat.expect(0.0)
    permit = Ownership(shared, heartbeat).permit
    before = overdue(shared)
    assert permit(20.0)
    assert overdue(shared) < before - 15.0  # an answer may take as long as the connection waits for it
    revoke(SharedState(os.dup(shared.descriptor)))
    assert not permit(20.0)


def test_both_mappings_see_the_same_numbers(shared):
    other = SharedState(os.dup(shared.descriptor))
    assert len(set(Slot)) == len(Slot.__members__), "no two numbers at one place"
    for slot in Slot:
        shared[slot] = 1.5 + slot
        assert other[slot] == 1.5 + slot


@pytest.mark.parametrize("bits", [(), (0,), (1, 4), (0, 2, 3)])
def test_marks_are_seen_one_by_one(shared, bits):
    other = SharedState(os.dup(shared.descriptor))
    for bit in (*bits, *bits):
        shared.mark(Slot.MOVED, bit)
    assert tuple(bit for bit in range(6) if other.marked(Slot.MOVED, bit)) == bits


def test_the_memory_goes_with_the_last_who_uses_it():
    state = SharedState()
    descriptor = state.descriptor
    assert os.fstat(descriptor).st_nlink == 0, "a file without a name"
    del state
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
