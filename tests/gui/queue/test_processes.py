"""Windows and runs that are killed: what goes on, what is safe, what is said. The instruments are served on sockets."""

import os
import signal
import subprocess
import sys

import pytest

from stmlab.acquisition.queue.client import QueueClient
from stmlab.acquisition.queue.file import read_queue
from stmlab.acquisition.queue.places import performing_of
from stmlab.gui.application import open_window
from stmlab.gui.instruments.state_bar import StateBar
from stmlab.gui.queue.desk import QueueDesk
from stmlab.gui.queue.run_panel import RunPanel
from stmlab.gui.settings import Settings
from stmlab.storage import open_run
from tests.acquisition.queue.evening import entry, written

WINDOW = """
import sys
from pathlib import Path
from PyQt6.QtWidgets import QApplication
from stmlab.gui.context import Context
from stmlab.gui.queue.desk import QueueDesk
from stmlab.gui.settings import Settings
application = QApplication([])
context = Context(Settings(Path(sys.argv[1]).with_name("window.json")))
desk = QueueDesk(context, Path(sys.argv[1]))
context.run_shown.connect(lambda path: print("shown", path, flush=True))
desk.start()
application.exec()
"""

LONG = {"points": 3000, "averages": 30}
SERVED = LONG | {"stabilise_time": "0.2 s", "time_constant": "1 ms"}  # there time passes
_LONG = 120_000  # ms; a busy machine is no fault of the code


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch):
    """What a window waits between two looks."""
    monkeypatch.setattr("stmlab.gui.queue.link._SEARCH", 20)
    monkeypatch.setattr("stmlab.gui.queue.desk._GUARDIAN", 20)
    monkeypatch.setattr("stmlab.gui.queue.run_panel._OBEYS", 100)


@pytest.fixture
def desk(context, tmp_path, forked_queues):
    """A new window's desk at the queue of the test; whoever performs it at the end of the test is ended."""
    found = QueueDesk(context, tmp_path / "queue.toml")
    yield found
    performing = performing_of(found.file)
    found.close()
    if performing is not None:
        os.kill(performing.pid, signal.SIGKILL)


@pytest.fixture
def started(tmp_path):
    """A queue that another window has started, and whose run goes on: that window's process, and the queue's."""

    def start(*entries):
        path = written(tmp_path / "queue.toml", *entries)
        windows.append(subprocess.Popen([sys.executable, "-c", WINDOW, str(path)], stdout=subprocess.PIPE, text=True))
        shown = windows[-1].stdout.readline()
        assert shown.startswith("shown"), shown
        return windows[-1], performing_of(path).pid

    windows = []
    yield start
    for window in windows:
        window.kill()
        window.communicate()


def begun(desk, qtbot, *entries):
    """This window's desk performs these; the process, once the first run has taken points."""
    written(desk.file, *entries)
    desk.reread()
    desk.start()
    qtbot.waitUntil(lambda: desk.progress.get("points", 0) > 0, timeout=_LONG)
    return desk.link.pid


def test_a_killed_window_leaves_the_run_going_and_a_whole_new_one_shows_every_point_of_it(
    started, tmp_path, qapp, qtbot, lent_to_windows
):
    window, pid = started(entry("didv", settings=LONG), entry("srs"))
    os.kill(window.pid, signal.SIGKILL)
    window.wait()
    settings = Settings(tmp_path / "other.json")
    settings.remember_panel("queue", file=str(tmp_path / "queue.toml"))
    os.kill(pid, signal.SIGSTOP)  # so that it leaves the processor to the window
    try:
        again = open_window(qapp, settings)
    finally:
        os.kill(pid, signal.SIGCONT)
    try:
        run, live, queue = (again.panels[name] for name in ("run", "live", "queue"))
        desk, shown, states = run.desk, [], []
        again.context.run_shown.connect(shown.append)
        again.context.run_changed.connect(lambda state, _: states.append(state))
        qtbot.waitUntil(lambda: live.source.data.readings > 0 and "point" in run.point.text(), timeout=_LONG)
        assert desk.link.pid == pid
        assert desk.is_running
        assert [e.sequence for e in desk.queue.entries] == ["didv", "srs"]
        assert run.state.text() == "running"
        assert "of 3000" in run.point.text()
        assert queue.entries.topLevelItem(0).text(0).endswith("running")
        again.context.actions.trigger("run.stop")
        qtbot.waitUntil(lambda: not desk.is_performed, timeout=_LONG)
        assert {"running", "stopped"} <= set(states)
        assert [e.state for e in read_queue(desk.file).entries] == ["stopped", "waiting"]
        (file,) = shown
        assert os.path.relpath(file, tmp_path) == read_queue(desk.file).entries[0].file
        qtbot.waitUntil(lambda: live.source.data.readings == len(open_run(file).visits), timeout=_LONG)
        assert 0 < open_run(file).points < 3000
        assert queue.entries.topLevelItem(0).text(0).endswith("stopped")
        assert not again.context.actions["run.stop"].isEnabled()
        assert desk.trouble == ""
    finally:
        again.close()


def test_a_killed_run_leaves_the_instruments_safe_and_the_window_says_what_its_guardian_did(served, desk, qtbot):
    microscope, station = served
    long = entry("didv", station=str(station), settings=SERVED, seed=None)
    pid = begun(desk, qtbot, long, entry("srs", station=str(station), seed=None))
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: "has been made safe" in desk.trouble, timeout=_LONG)
    assert "process of the run has died: the run was killed" in desk.trouble
    assert microscope.tip.withdrawn
    assert not desk.is_performed
    assert [e.state for e in read_queue(desk.file).entries] == ["running", "waiting"]
    desk.start()  # nothing is repeated by itself, and nothing closes the loop again
    qtbot.waitUntil(lambda: not desk.is_performed and desk.queue.entries[1].over, timeout=_LONG)
    assert [e.state for e in desk.queue.entries] == ["interrupted", "failed"]
    assert "withdrawn" in desk.queue.entries[1].message


def test_the_safe_state_is_for_the_station_of_the_run_whatever_the_form_says(served, desk, context, qtbot):
    """The run hangs: its guardian ends it, and the window says so."""
    microscope, station = served
    bar = StateBar(context)
    qtbot.addWidget(bar)
    context.station_changed.emit("simulated")
    pid = begun(desk, qtbot, entry("srs", station=str(station), settings=SERVED, seed=None))
    assert bar.safe_state.station == str(station)
    assert microscope.generator.on
    os.kill(pid, signal.SIGSTOP)
    bar.button.click()
    qtbot.waitUntil(lambda: not microscope.generator.on, timeout=_LONG)
    qtbot.waitUntil(lambda: "has been made safe" in desk.trouble, timeout=_LONG)
    assert microscope.tip.withdrawn
    assert bar.safe_state.station == "simulated", "there is no run any more"
    bar.close_down()


def test_a_simulated_run_that_hangs_is_ended_when_the_safe_state_is_asked_for(forked_queues, context, tmp_path, qtbot):
    context.settings.remember_panel("queue", file=str(tmp_path / "queue.toml"))
    panel = RunPanel(context)
    qtbot.addWidget(panel)
    pid = begun(panel.desk, qtbot, entry("didv", settings=LONG))
    os.kill(pid, signal.SIGSTOP)
    context.safe_asked.emit()
    qtbot.waitUntil(lambda: "the process of the run has died" in panel.desk.trouble, timeout=_LONG)
    assert not panel.desk.is_performed
    panel.desk.close()


def test_a_queue_that_cannot_be_started_says_why(context, tmp_path, qtbot, monkeypatch):
    desk = QueueDesk(context, tmp_path / "queue.toml")
    written(desk.file, entry("didv"))
    desk.reread()
    monkeypatch.setenv("XDG_STATE_HOME", str(desk.file.parent))
    with QueueDeskHeld(desk.file):
        desk.start()
        qtbot.waitUntil(lambda: "not started" in desk.trouble, timeout=_LONG)
    assert "performed by process" in desk.trouble
    assert not desk.is_performed
    desk.close()


class QueueDeskHeld:
    """Another process changes the queue's file, and does not listen."""

    def __init__(self, file):
        from stmlab.acquisition.queue.places import QueueLock

        self.lock = QueueLock(file)

    def __enter__(self):
        self.lock.acquire()

    def __exit__(self, *_):
        self.lock.release()


def test_a_refused_run_and_one_after_it_are_both_told_and_the_refusal_stays(desk, context, qtbot):
    refused = entry("didv", settings={"stop_bias": "5 V"}, after_failure="skip")
    written(desk.file, refused, entry("didv"))
    desk.reread()
    desk.start()
    qtbot.waitUntil(lambda: not desk.is_performed, timeout=_LONG)
    assert [e.state for e in desk.queue.entries] == ["failed", "done"]
    assert "out of bounds" in desk.trouble


def test_a_run_from_the_form_is_a_queue_of_one_until_the_rest_is_wanted(desk, context, qtbot):
    shown = []
    context.run_shown.connect(shown.append)
    written(desk.file, entry("srs"))
    desk.reread()
    desk.run_now(entry("didv", settings=LONG))
    qtbot.waitUntil(lambda: desk.progress.get("points", 0) > 0, timeout=_LONG)
    assert desk.only
    desk.start()
    qtbot.waitUntil(lambda: not desk.only, timeout=_LONG)
    desk.ask("stop", then="go on")
    qtbot.waitUntil(lambda: not desk.is_performed, timeout=_LONG)
    assert [e.state for e in desk.queue.entries] == ["stopped", "done"]
    assert [os.path.relpath(path, desk.file.parent) for path in shown] == [e.file for e in desk.queue.entries]
    assert desk.trouble == ""


def test_the_window_pauses_holds_and_ends_a_queue(desk, qtbot):
    begun(desk, qtbot, entry("didv", settings=LONG), entry("srs"))
    desk.ask("pause")
    qtbot.waitUntil(lambda: desk.run == "paused", timeout=_LONG)
    desk.ask("hold", on=True)
    desk.ask("resume")
    qtbot.waitUntil(lambda: desk.run == "running" and bool(desk.held), timeout=_LONG)
    desk.ask("stop", then="go on")
    qtbot.waitUntil(lambda: desk.state == "waiting", timeout=_LONG)
    desk.run_now(entry("time_trace", sample="slow_switch"))
    qtbot.waitUntil(lambda: desk.state == "waiting" and len(desk.queue) == 3, timeout=_LONG)
    qtbot.waitUntil(lambda: "done" in [e.state for e in desk.queue.entries], timeout=_LONG)
    with QueueClient(desk.file) as other:
        other.ask("abort")
    qtbot.waitUntil(lambda: not desk.is_performed, timeout=_LONG)
    assert [e.state for e in desk.queue.entries] == ["stopped", "done", "waiting"]
