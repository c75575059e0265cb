"""The check while one types: the newest text wins, whatever comes back in between."""

import pytest

from stmlab.acquisition.planning import Plan
from stmlab.gui.measure.preflight import Preflight
from stmlab.gui.work import Task

PATIENCE = 60_000  # ms


class Patient:
    """Work processes that answer when the test says so."""

    def __init__(self):
        self.tasks = []

    def submit(self, function, *args):
        task = Task((function, args), None, long=False)
        self.tasks.append(task)
        return task


@pytest.fixture
def workers():
    return Patient()


@pytest.fixture
def preflight(qapp, workers, monkeypatch):
    monkeypatch.setattr("stmlab.gui.measure.preflight._PAUSE", 0)
    made = Preflight(workers)
    made.said = []
    made.ready.connect(made.said.append)
    yield made
    made.stop()


def ask(preflight, qtbot, points):
    preflight.ask("srs", "simulated", "", {"points": points})
    qtbot.waitUntil(lambda: not preflight._timer.isActive(), timeout=PATIENCE)


def test_an_answer_to_what_was_asked_before_is_not_shown(preflight, workers, qtbot):
    ask(preflight, qtbot, "1")
    ask(preflight, qtbot, "2")
    assert len(workers.tasks) == 1, "the second waits for the first"
    workers.tasks[0].done.emit(Plan(refusal="of the first"))
    assert preflight.said == []
    assert preflight.plan is None
    assert workers.tasks[1].work[1][3] == {"points": "2"}
    workers.tasks[1].done.emit(Plan(refusal="of the second"))
    assert [plan.refusal for plan in preflight.said] == ["of the second"]


def test_an_answer_that_comes_while_somebody_types_on_is_not_shown(preflight, workers, qtbot):
    ask(preflight, qtbot, "1")
    preflight.ask("srs", "simulated", "", {"points": "12"})
    workers.tasks[0].done.emit(Plan())
    assert preflight.said == []


def test_what_is_of_no_interest_any_more_is_not_shown(preflight, workers, qtbot):
    ask(preflight, qtbot, "1")
    preflight.forget()
    workers.tasks[0].done.emit(Plan())
    assert preflight.said == []
    assert preflight.plan is None


def test_a_check_that_fails_by_itself_says_so(preflight, workers, qtbot):
    ask(preflight, qtbot, "1")
    workers.tasks[0].failed.emit("its process was killed")
    assert [plan.refusal for plan in preflight.said] == ["the check itself failed: its process was killed"]
