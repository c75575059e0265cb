from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from stmlab.errors import FitError
from stmlab.gui.work import Newest, Workers
from stmlab.gui.work_process import _BETWEEN
from tests import forked

_LONG = 60_000  # ms


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch):
    monkeypatch.setattr("stmlab.gui.work._LOOK", 0.01)


@pytest.fixture(scope="module")
def workers(qapp):
    """For every test: what one of them kills is replaced."""
    forked.begin()
    found = Workers(2)
    yield found
    found.close()


def result_of(task, qtbot):
    with qtbot.waitSignal(task.done, timeout=_LONG) as done:
        pass
    return done.args[0]


def reason_of(task, qtbot):
    with qtbot.waitSignal(task.failed, timeout=_LONG) as failed:
        pass
    return failed.args[0]


# -- what the processes are given to do ------------------------------------------------------------------------------


def double(number):
    return 2 * number


def process_and_priority():
    return os.getpid(), os.getpriority(os.PRIO_PROCESS, 0)


def environment_variable(name):
    return os.environ.get(name)


def refuse():
    raise FitError("3 points are too few")


def break_down():
    raise ZeroDivisionError("by nought")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def count(to, progress):
    begun = time.monotonic()
    for k in range(to):
        progress(k)
        threading.Event().wait(0.001)
    return time.monotonic() - begun


def never_end():
    threading.Event().wait()


def what_cannot_be_sent():
    return threading.Lock()


# ---------------------------------------------------------------------------------------------------------------------


def test_tasks_are_done_in_other_processes_and_a_long_one_gives_way_to_a_run(workers, qtbot):
    process, priority = result_of(workers.submit(process_and_priority, long=True), qtbot)
    other, own = result_of(workers.submit(process_and_priority), qtbot)
    assert len({process, other, os.getpid()}) == 3
    assert priority > own == os.getpriority(os.PRIO_PROCESS, 0)


def test_a_process_is_kept_for_the_next_task(workers, qtbot):
    first = [result_of(workers.submit(process_and_priority, long=True), qtbot)[0] for _ in range(3)]
    seen = set(first)
    assert len(seen) == 1


def test_a_refusal_fails_with_its_words(workers, qtbot):
    assert reason_of(workers.submit(refuse), qtbot) == "3 points are too few"


def test_an_error_of_the_program_fails_with_its_kind_and_is_logged_with_its_place(workers, qtbot, caplog):
    assert reason_of(workers.submit(break_down), qtbot) == "ZeroDivisionError: by nought"
    assert "break_down" in caplog.text


def test_a_process_has_the_environment_of_the_window_as_it_is_now(qapp, qtbot, monkeypatch):
    workers = Workers(1)
    monkeypatch.setenv("STMLAB_TOLD", "now")
    assert result_of(workers.submit(environment_variable, "STMLAB_TOLD"), qtbot) == "now"
    workers.close()


def test_a_process_that_dies_fails_its_task_and_is_replaced(workers, qtbot):
    assert "killed by signal 9" in reason_of(workers.submit(die), qtbot)
    assert result_of(workers.submit(double, 21), qtbot) == 42


def test_a_result_or_a_task_that_cannot_be_sent_is_a_failure_and_no_end(workers, qtbot):
    assert "cannot be sent back" in reason_of(workers.submit(what_cannot_be_sent), qtbot)
    assert "cannot be sent to its process" in reason_of(workers.submit(double, threading.Lock()), qtbot)
    assert result_of(workers.submit(double, 4), qtbot) == 8


def test_progress_comes_while_a_task_goes_on_and_not_at_every_step(workers, qtbot):
    task, seen = workers.submit(count, 100, reports=True), []
    task.progress.connect(seen.append)
    took = result_of(task, qtbot)
    assert 2 <= len(seen) <= 1 + took / _BETWEEN
    assert seen == sorted(seen)


def test_a_task_that_reports_progress_stops_by_itself(workers, qtbot):
    (before, _) = result_of(workers.submit(process_and_priority, long=True), qtbot)
    task = workers.submit(count, 10**9, reports=True, long=True)
    with qtbot.waitSignal(task.progress, timeout=_LONG):
        pass
    with qtbot.waitSignal(task.stopped, timeout=_LONG):
        task.stop()
    assert before > 0


@pytest.mark.skipif(not hasattr(os, "kill"), reason="signals")
def test_a_task_that_hears_nothing_is_stopped_with_its_process(workers, qtbot):
    task = workers.submit(never_end)
    with qtbot.waitSignal(task.stopped, timeout=_LONG):
        task.stop()
    assert result_of(workers.submit(double, 1), qtbot) == 2


def test_a_long_task_keeps_no_short_one_waiting(workers, qtbot):
    long, behind = workers.submit(count, 10**9, reports=True, long=True), workers.submit(double, 5, long=True)
    with qtbot.waitSignal(long.progress, timeout=_LONG):
        pass
    assert result_of(workers.submit(double, 3), qtbot) == 6
    with qtbot.waitSignal(behind.stopped, timeout=_LONG):
        behind.stop()
    with qtbot.waitSignal(long.stopped, timeout=_LONG):
        long.stop()


def test_one_process_alone_takes_every_task(qapp, qtbot):
    workers = Workers(1)
    found = {result_of(workers.submit(process_and_priority, long=long), qtbot)[0] for long in (True, False)}
    assert len(found) == 1
    workers.close()


def test_closing_ends_what_is_under_way(qapp, qtbot):
    workers = Workers(1)
    process, _ = result_of(workers.submit(process_and_priority), qtbot)
    workers.submit(never_end)
    workers.close()
    workers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_of_many_requests_the_first_and_the_newest_are_computed(workers, qtbot):
    seen, reasons = [], []
    newest = Newest(workers, double, seen.append, reasons.append)
    for number in range(100):
        newest.ask(number)
    qtbot.waitUntil(lambda: not newest.busy, timeout=_LONG)
    assert seen == [0, 198]
    assert reasons == []


def test_after_a_request_that_failed_the_newest_is_computed(workers, qtbot):
    seen, reasons = [], []
    newest = Newest(workers, divide_twelve, seen.append, reasons.append)
    newest.ask(0)
    newest.ask(3)
    qtbot.waitUntil(lambda: not newest.busy, timeout=_LONG)
    assert (seen, reasons) == ([4.0], ["ZeroDivisionError: division by zero"])


def divide_twelve(number):
    return 12 / number
