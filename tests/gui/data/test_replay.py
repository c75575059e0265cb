"""A run is played again: what the plots are sent, and where the slider stands."""

import pytest
from PyQt6.QtCore import Qt

from stmlab.events import Analysed, PointTaken, RunFinished, RunStarted
from stmlab.gui.data.replay import ReplayPanel
from stmlab.storage import open_run
from tests.gui.data.conftest import drop_files

_LONG = 60_000  # ms


@pytest.fixture
def sent(context):
    events = []
    context.events_replayed.connect(events.extend)
    return events


@pytest.fixture
def panel(qtbot, context, folder, sent):
    found = ReplayPanel(context)
    qtbot.addWidget(found)
    found.show()
    yield found
    found.close_down()


def take(panel, qtbot, path):
    panel.context.replay_wanted.emit(path)
    qtbot.waitUntil(lambda: panel.player is not None, timeout=_LONG)


def pause(panel):
    if panel.playing:
        panel.context.actions.trigger("replay.play")


def points(sent):
    return [event.index for event in sent if isinstance(event, PointTaken)]


def test_a_run_is_played_to_its_end_in_its_order(panel, qtbot, folder, sent):
    panel.speed.setCurrentText("1000 ×")
    brought = []
    panel.context.panel_wanted.connect(brought.append)
    take(panel, qtbot, folder / "early.h5")
    qtbot.waitUntil(lambda: panel.player.ended, timeout=_LONG)
    expected = list(open_run(folder / "early.h5").replay())
    assert [type(event) for event in sent] == [type(event) for event in expected]
    assert points(sent) == list(range(40))
    assert brought == ["live"]
    assert not panel.playing
    assert panel.slider.value() == panel.slider.maximum()
    assert panel.words.text() == "40 s of 40 s"


def test_pause_keeps_the_time_and_the_next_event_is_played_one_by_one(panel, qtbot, folder, sent):
    take(panel, qtbot, folder / "early.h5")
    qtbot.waitUntil(lambda: len(points(sent)) > 0, timeout=_LONG)
    panel.context.actions.trigger("replay.play")
    assert panel.context.actions["replay.play"].text() == "&Play"
    at, count = panel.player.time, len(sent)
    for _ in range(3):
        panel.tick()
    assert (panel.player.time, len(sent)) == (at, count)
    panel.context.actions.trigger("replay.step")
    assert len(sent) == count + 1


def test_the_slider_jumps_forwards_and_backwards(panel, qtbot, folder, sent):
    take(panel, qtbot, folder / "early.h5")
    pause(panel)
    panel.slider.setValue(500)
    qtbot.waitUntil(lambda: panel.player.time >= 20.0, timeout=_LONG)
    assert points(sent) == list(range(21))
    sent.clear()
    panel.slider.setValue(250)
    qtbot.waitUntil(lambda: bool(points(sent)) and panel.player.time >= 10.0, timeout=_LONG)
    assert isinstance(sent[0], RunStarted)
    assert points(sent) == list(range(11))
    assert not panel.playing


def test_to_the_end_and_from_the_start_again(panel, qtbot, folder, sent):
    take(panel, qtbot, folder / "early.h5")
    pause(panel)
    panel.context.actions.trigger("replay.end")
    qtbot.waitUntil(lambda: panel.player.ended, timeout=_LONG)
    assert isinstance(sent[-1], RunFinished)
    assert sum(isinstance(event, Analysed) for event in sent) == 1
    sent.clear()
    panel.context.actions.trigger("replay.play")
    qtbot.waitUntil(lambda: bool(sent), timeout=_LONG)
    assert isinstance(sent[0], RunStarted)
    assert panel.playing
    panel.context.actions.trigger("replay.start")
    assert panel.player.time < 5


def test_the_speed_is_remembered(panel, qtbot, folder):
    take(panel, qtbot, folder / "early.h5")
    panel.speed.setCurrentText("100 ×")
    assert panel.player.speed == 100
    assert panel.context.settings.panel("replay")["speed"] == "100 ×"


def test_what_is_no_run_is_a_notice(panel, qtbot, folder, said):
    drop_files(panel, folder / "recorded.dat")
    qtbot.waitUntil(lambda: bool(said), timeout=_LONG)
    assert "recorded.dat" in said[0]
    assert panel.player is None
    assert not panel.slider.isEnabled()
    assert panel.slider.orientation() is Qt.Orientation.Horizontal
