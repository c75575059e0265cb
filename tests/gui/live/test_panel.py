"""The panel of the run that is shown: a file as it grows, a replay, choices that are remembered, export."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication, QFileDialog

from stmlab.acquisition.player import Player
from stmlab.axes import Channel
from stmlab.events import Analysed, ParameterValue, PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.gui import themes
from stmlab.gui.live.shown import Shown, Sweeps, View, Ways
from stmlab.storage import Writer, open_run
from tests.gui.live.runs import axis, fit_of

PATIENCE = 120_000  # ms
BIAS = axis("bias", "V", np.linspace(-1e-2, 1e-2, 11))
CHANNELS = (Channel("current", "A", "tunnel current"), Channel("x", "V", "in phase"), Channel("y", "V", "out of it"))


@pytest.fixture
def notices(context):
    """What was said so far."""
    found = []
    context.notices.said.connect(lambda notice: found.append(str(notice)))
    return found


def started(*axes, sequence="didv", channels=CHANNELS, run_id="r1"):
    return RunStarted(run_id, sequence, "2026-01-01T00:00:00+00:00", {}, axes, channels, 0.0, "bench", "")


def point(k, value=None):
    value = 1.23456789012e-12 * k if value is None else value
    return PointTaken(k, 0.1 * k, (float(BIAS.values[k]),), (value, 1e-3 * k, -1e-3 * k), visit=k)


def written(path, points=11, *, end=True):
    """A run in a file; returns its writer."""
    writer = Writer(path)
    writer(started(BIAS))
    writer(StateChanged(RunState.RUNNING, 0.0))
    for k in range(points):
        writer(point(k))
    writer.flush()
    if end:
        writer(Analysed(fit_of(BIAS.values, np.arange(11), np.arange(11))))
        writer(RunFinished(RunState.FINISHED, "completed", "", points, 2.0))
    return writer


def line(panel):
    return panel.plot._channels["current"].lines[0]


def test_a_file_is_shown_as_it_grows_until_its_end(panel, context, qtbot, tmp_path):
    writer = written(tmp_path / "run.h5", 4, end=False)
    context.run_shown.emit(tmp_path / "run.h5")
    qtbot.waitUntil(lambda: panel.source.data.points == 4 and len(line(panel).y) == 11, timeout=PATIENCE)
    assert "4 of 11 points" in panel.words.text()
    for k in range(4, 11):
        writer(point(k))
    writer(Analysed(fit_of(BIAS.values, np.arange(11), np.arange(11))))
    writer(RunFinished(RunState.FINISHED, "completed", "", 11, 2.0))
    qtbot.waitUntil(lambda: panel.source.data.state == "finished" and panel.plot.fitted, timeout=PATIENCE)
    np.testing.assert_allclose(line(panel).y, 1.23456789012e-12 * np.arange(11))
    assert "11 of 11 points" in panel.words.text()
    assert panel.table.table.item(0, 0).text() == "Γ"
    assert panel.table.table.item(0, 2).text() == "(1.70 ± 0.04)·10⁹ /s"


def test_a_run_in_memory_is_shown_and_one_without_an_end_says_so(panel, context, qtbot, tmp_path):
    written(tmp_path / "run.h5")
    run = open_run(tmp_path / "run.h5")
    context.run_shown.emit(replace(run, finished=None, live=False))
    qtbot.waitUntil(lambda: panel.source.data.state == "killed", timeout=PATIENCE)
    assert panel.source.data.points == 11
    qtbot.waitUntil(lambda: "all 11 acknowledged points are here" in panel.words.text(), timeout=PATIENCE)


def test_a_file_that_cannot_be_read_is_a_notice(panel, context, notices, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("stmlab.gui.live.source._BETWEEN", 0.001)
    (tmp_path / "no.h5").write_bytes(b"no run")
    context.run_shown.emit(tmp_path / "no.h5")
    qtbot.waitUntil(lambda: any("no.h5" in notice for notice in notices), timeout=PATIENCE)


def test_another_run_takes_the_place_of_the_one_before(panel, context, qtbot, tmp_path):
    """What was still to come of the first is not drawn into the second."""
    written(tmp_path / "one.h5")
    writer = written(tmp_path / "two.h5", 5, end=False)
    context.run_shown.emit(tmp_path / "one.h5")
    context.run_shown.emit(tmp_path / "two.h5")
    qtbot.waitUntil(lambda: panel.source.data.points == 5, timeout=PATIENCE)
    qtbot.wait(1)
    assert panel.source.path == tmp_path / "two.h5"
    assert panel.source.data.state == "running"
    writer.close()


def test_a_replay_is_drawn_event_by_event(panel, context, tmp_path):
    written(tmp_path / "run.h5")
    panel.source.path = tmp_path / "run.h5"
    player = Player(open_run(tmp_path / "run.h5"), lambda event: context.events_replayed.emit([event]))
    player.jump(0.45)
    panel.refresh()
    assert panel.source.data.points == 5
    assert panel.source.path is None  # a replay is of no file that grows
    player.jump(0.15)
    panel.refresh()
    assert panel.source.data.points == 2
    assert np.isfinite(line(panel).y).sum() == 2


def test_a_sweep_under_way_is_drawn_and_before_it_the_panel_says_what_to_expect(panel, context, qtbot, tmp_path):
    writer = Writer(tmp_path / "run.h5")
    writer(started(axis("time", "s", np.arange(100) * 1e-3, hardware=True), channels=CHANNELS[:1]))
    writer(StateChanged(RunState.RUNNING, 0.0))
    context.run_shown.emit(tmp_path / "run.h5")
    qtbot.waitUntil(lambda: "at the end of the sweep" in panel.words.text(), timeout=PATIENCE)
    context.partial_seen.emit(0, {"current": np.arange(40.0)})
    panel.refresh()
    assert np.isfinite(line(panel).y).sum() == 40
    assert "at the end of the sweep" not in panel.words.text()
    writer(PointTaken(0, 0.1, (), (np.arange(100.0),)))
    writer(RunFinished(RunState.FINISHED, "completed", "", 1, 1.0))
    qtbot.waitUntil(lambda: panel.source.data.state == "finished", timeout=PATIENCE)
    assert np.isfinite(panel.source.data.cells("current")).all()


def test_a_sweep_under_way_is_not_drawn_into_another_run(panel, context):
    time = axis("time", "s", np.arange(100) * 1e-3, hardware=True)
    context.events_replayed.emit([started(time, channels=CHANNELS[:1]), StateChanged(RunState.RUNNING, 0.0)])
    context.partial_seen.emit(0, {"current": np.arange(40.0)})
    panel.refresh()
    assert not np.isfinite(panel.source.data.cells("current")).any()


def test_what_is_chosen_is_remembered_for_each_sequence(panel, context):
    context.events_replayed.emit([started(BIAS), point(0)])
    panel.refresh()
    context.actions.trigger("live.log_y")
    panel.controls._toggle("right", "x")
    context.events_replayed.emit([started(BIAS, sequence="srs", run_id="r2"), point(0)])
    panel.refresh()
    assert not panel.shown.log_y
    assert panel.shown.right == ()
    context.events_replayed.emit([started(BIAS, run_id="r3"), point(0)])
    panel.refresh()
    assert panel.shown.log_y
    assert panel.shown.right == ("x",)


def test_a_choice_that_this_run_does_not_allow_is_left_out(panel, context):
    context.settings.remember_panel("live", didv={"left": ["gone", "x"], "right": ["x", "current"], "view": "map"})
    context.events_replayed.emit([started(BIAS), point(0)])
    panel.refresh()
    assert (panel.shown.left, panel.shown.right, panel.shown.view) == (("x",), ("current",), View.CURVES)
    context.settings.remember_panel("live", didv={"view": "sculpture"})
    context.events_replayed.emit([started(BIAS, run_id="r2"), point(0)])
    panel.refresh()
    assert panel.shown == Shown(left=("current",))


@pytest.mark.parametrize(
    ("outer", "view"), [((), View.CURVES), (range(3), View.CURVES), (range(12), View.WATERFALL), (range(40), View.MAP)]
)
def test_the_kind_of_plot_suits_the_number_of_sweeps(panel, context, outer, view):
    axes = (axis("offset", "V", list(outer)), BIAS) if outer else (BIAS,)
    context.events_replayed.emit([started(*axes)])
    panel.refresh()
    assert panel.shown.view is view
    assert panel.stack.currentWidget() is panel.plots[view]


def test_every_choice_is_an_action_that_changes_the_plot(panel, context):
    axes = axis("offset", "V", [0, 1, 2]), axis("sweep", "", [0, 1]), axis("bias", "V", [1, 2, 3, 3, 2, 1])
    context.events_replayed.emit([started(*axes)])
    panel.refresh()
    for view in View:
        context.actions.trigger(f"live.{view}")
        assert panel.shown.view is view
        assert panel.stack.currentWidget() is panel.plots[view]
    for sweeps in Sweeps:
        context.actions.trigger(f"live.sweeps.{sweeps}")
        assert panel.shown.sweeps is sweeps
    for ways in Ways:
        context.actions.trigger(f"live.ways.{ways}")
        assert panel.shown.ways is ways
    for step in ("before", "after", "newest"):
        context.actions.trigger("live.map")
        context.actions.trigger(f"live.sweep_{step}")
        assert panel.shown.view is View.CURVES
    for switch in ("log_x", "log_y", "errors", "fit", "residual"):
        before = getattr(panel.shown, switch)
        context.actions.trigger(f"live.{switch}")
        assert getattr(panel.shown, switch) is not before


def test_what_a_run_has_not_cannot_be_chosen(panel, context):
    context.events_replayed.emit([started(BIAS)])
    panel.refresh()
    for name in ("map", "waterfall", "history", "sweeps.average", "sweep_before", "ways.forward", "log_x"):
        assert not context.actions[f"live.{name}"].isEnabled(), name


def test_channels_of_one_axis_have_one_unit(panel, context):
    context.events_replayed.emit([started(BIAS)])
    panel.refresh()
    toggle = panel.controls._toggle
    toggle("right", "x")
    toggle("right", "y")
    assert panel.shown.right == ("x", "y")
    toggle("left", "x")  # of another unit than the current: takes its place, and leaves the right
    assert (panel.shown.left, panel.shown.right) == (("x",), ("y",))
    toggle("left", "x")  # something stays
    assert panel.shown.left == ("x",)
    toggle("right", "x")
    assert panel.shown.left == ("x",)
    toggle("right", "current")
    assert (panel.shown.left, panel.shown.right) == (("x",), ("current",))


def test_show_all_comes_back_from_a_zoom(panel, context):
    context.events_replayed.emit([started(BIAS), *[point(k) for k in range(11)]])
    panel.refresh()
    panel.plot.main.setXRange(0.0, 1e-3)
    assert not panel.plot.main.getViewBox().autoRangeEnabled()[0]
    context.actions.trigger("live.show_all")
    assert panel.plot.main.getViewBox().autoRangeEnabled()[0]


def test_the_context_menu_is_ours_and_copies_the_plot(panel, context, qtbot):
    context.events_replayed.emit([started(BIAS), point(0)])
    panel.refresh()
    panel.plot.menu_wanted.emit(QPoint(10, 10))
    texts = [action.text().replace("&", "") for action in panel.menu.menu.actions() if action.text()]
    assert texts == ["Show all", "Copy picture", "Export figure...", "Export data..."]
    panel.menu.menu.close()
    QApplication.clipboard().clear()
    context.actions.trigger("live.copy")
    assert not QApplication.clipboard().pixmap().isNull()


def test_exported_data_keep_every_digit(panel, context, notices, qtbot, tmp_path, monkeypatch):
    """pyqtgraph's own exporter writes 2.8 pA as 0.0000000000."""
    written(tmp_path / "run.h5")
    panel.source.path = tmp_path / "run.h5"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out.csv"), ""))
    context.actions.trigger("live.export_data")
    qtbot.waitUntil(lambda: any("out.csv" in notice for notice in notices), timeout=PATIENCE)
    text = (tmp_path / "out.csv").read_text()
    assert repr(1.23456789012e-12 * 7) in text


def test_without_a_file_there_is_nothing_to_export(panel, context, notices):
    context.actions.trigger("live.export_figure")
    assert "nothing to export" in notices[-1]


def test_another_theme_reaches_every_plot(panel, context):
    context.events_replayed.emit([started(BIAS), point(0)])
    panel.refresh()
    context.use_theme(themes.DARK)
    assert {plot.theme for plot in panel.plots.values()} == {themes.DARK}


def test_a_fit_from_elsewhere_is_drawn_over_the_data(panel, context):
    context.events_replayed.emit([started(BIAS), *[point(k) for k in range(11)]])
    context.fit_shown.emit(fit_of(BIAS.values, np.arange(11), np.arange(11)))
    panel.refresh()
    assert panel.plot.fitted
    assert "fit srs" in panel.table.heading.text()


def test_a_hidden_panel_takes_in_what_comes_and_draws_nothing(panel, context):
    panel.hide()
    context.events_replayed.emit([started(BIAS), point(0)])
    panel.refresh()
    assert panel.source.data.points == 1
    assert panel.plot.data is None
    panel.show()
    panel.refresh()
    assert np.isfinite(line(panel).y).sum() == 1


def test_readings_beyond_the_plan_are_told(panel, context):
    beyond = PointTaken(20, 0.0, (0.0,), (1.0, 1.0, 1.0))
    context.events_replayed.emit([started(BIAS), beyond])
    panel.refresh()
    assert "1 readings lie beyond the plan" in panel.words.text()


def test_the_keyboard_reaches_the_controls(panel):
    assert all(button.focusPolicy() & Qt.FocusPolicy.TabFocus for button in panel.controls._buttons.values())
    assert panel.plot.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_without_a_run_there_are_no_axes_without_labels(panel):
    assert "as soon as one begins" in panel.stack.currentWidget().text()


def test_a_run_that_chooses_its_points_says_its_error_and_its_target(panel):
    channels = (*CHANNELS, Channel("relative_error", "", "of what is sought"))
    given = {"target_error": ParameterValue(0.01, "", "relative")}
    panel.take_events([replace(started(BIAS, channels=channels), parameters=given)])
    panel.refresh()
    assert "0 points, chosen one by one" in panel.words.text()
    panel.take_events([PointTaken(3, 0.1, (float(BIAS.values[3]),), (1e-12, 0.0, 0.0, 0.032), visit=0)])
    panel.refresh()
    assert "1 points, chosen one by one, error 3.2 % of 1 %" in panel.words.text()
