"""The whole window at the simulated microscope: prepare, run, watch, close, come back."""

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QMessageBox

from stmlab.gui.application import open_window
from stmlab.gui.settings import Settings
from stmlab.storage import open_run

PATIENCE = 300_000  # ms: of a busy machine


def prepared(settings, folder):
    """Settings of a window whose queue and runs are in this folder."""
    settings.remember(sequence="srs", folder=str(folder / "runs"))
    settings.remember_panel("queue", file=str(folder / "queue.toml"))
    return settings


@pytest.fixture(scope="module")
def window(qapp, tmp_path_factory):
    """A window in which one run after the other is measured."""
    folder = tmp_path_factory.mktemp("window")
    found = open_window(qapp, prepared(Settings(folder / "window.json"), folder))
    yield found
    found.leave()


@pytest.fixture
def opened(qapp, qtbot, settings, tmp_path):
    """Opens windows on a queue of the test; what still runs at the end is aborted."""
    prepared(settings, tmp_path)
    windows = []

    def another():
        window = open_window(qapp, Settings(settings.path))
        qtbot.addWidget(window)
        windows.append(window)
        return window

    yield another
    last = windows[-1]
    if desk(last).is_performed:
        last.context.actions.trigger("run.abort")
        qtbot.waitUntil(lambda: not desk(last).is_performed, timeout=PATIENCE)
    for window in windows:
        window.leave()


def desk(window):
    return window.panels["run"].desk


def put(window, name, text):
    window.panels["measure"].form.rows[name].field.set_text(text)


def test_a_run_is_prepared_run_drawn_and_fitted(window, qtbot):
    window.panels["measure"].form.fill({"grid": "logarithmic"})
    put(window, "points", "12")
    runs, live = Path(window.context.settings.known.folder), window.panels["live"]
    before = set(runs.glob("*.h5"))
    window.context.actions.trigger("measure.run")
    qtbot.waitUntil(lambda: set(runs.glob("*.h5")) > before and "finished" in live.words.text(), timeout=PATIENCE)
    (path,) = set(runs.glob("*.h5")) - before
    run = open_run(path)
    assert live.source.path == path
    assert len(run.data["current"]) == np.count_nonzero(np.isfinite(live.source.data.cells("current"))) == 12
    qtbot.waitUntil(lambda: not desk(window).is_performed, timeout=PATIENCE)
    assert window.notice_bar.shown is None


def test_an_adaptive_run_is_watched_until_its_rate_is_known(window, qtbot, forked_queues):
    window.panels["measure"].form.fill({"grid": "adaptive", "target_error": "0.5 %"})
    window.context.actions.trigger("measure.run")
    live, bar = window.panels["live"], window.panels["run"].bar
    told, parts = set(), set()
    window.context.next_seen.connect(lambda _file, index: told.add(index))

    def follow(_value):
        if desk(window).progress.get("needed"):
            parts.add((bar.value(), bar.maximum()))

    bar.valueChanged.connect(follow)  # however seldom a busy machine lets the window be looked at
    for state in ("running", "finished"):
        qtbot.waitUntil(lambda state=state: state in live.words.text(), timeout=PATIENCE)
    bar.valueChanged.disconnect(follow)
    narrowing = live.source.data.narrowing
    known = [one.error for one in (*narrowing.earlier, narrowing.now)]
    assert live.posterior.isVisible()
    assert known == sorted(known, reverse=True)
    assert known[-1] < 0.006 < 0.03 < known[0]
    assert max(told) >= 0, "the point that is being measured"
    assert all(0 < done <= total < 2000 for done, total in parts), "not the readings that an hour would hold"
    assert parts
    qtbot.waitUntil(lambda: len(live.posterior.plot.fit.x) > 0, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not desk(window).is_performed, timeout=PATIENCE)


@pytest.mark.slow
def test_a_run_goes_on_without_its_window_and_another_one_shows_it_and_ends_it(opened, qtbot, monkeypatch):
    first, asked = opened(), []
    put(first, "points", "20000")
    first.context.actions.trigger("measure.run")
    qtbot.waitUntil(lambda: "running" in first.panels["live"].words.text(), timeout=PATIENCE)
    shown = first.panels["live"].source.path
    first.panels["measure"].head.choose(sequence="didv")
    assert first.panels["live"].source.path == shown, "another sequence in the form touches nothing that runs"
    answer = QMessageBox.StandardButton.Yes
    monkeypatch.setattr(QMessageBox, "question", lambda _parent, _title, text, *_: asked.append(text) or answer)
    first.close()
    assert "it goes on without the window" in asked[0]
    second = opened()
    qtbot.waitUntil(lambda: second.panels["live"].source.path == shown, timeout=PATIENCE)
    qtbot.waitUntil(lambda: "running" in second.panels["live"].words.text(), timeout=PATIENCE)
    second.context.actions.trigger("run.abort")
    qtbot.waitUntil(lambda: "aborted" in second.panels["live"].words.text(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: not desk(second).is_performed, timeout=PATIENCE)
