"""The window, off screen: what the user does, and what it shows."""

import numpy as np
import pytest

from stmlab.axes import Axis, Channel
from stmlab.events import Analysed, PointTaken, RunFinished, RunStarted, RunState
from stmlab.gui.prototype import Window
from stmlab.gui.prototype_live import LiveRun
from stmlab.results import FitParameter, FitResult
from stmlab.storage import open_run
from tests.approximately import close

PATIENCE = 600_000  # ms: of a machine that hangs; a busy one takes its time


@pytest.fixture
def window(qtbot, tmp_path):
    found = Window(tmp_path / "runs")
    qtbot.addWidget(found)
    found.sequence_box.setCurrentText("srs")
    found.show()
    yield found
    found.close()


def status(window):
    return window.statusBar().currentMessage()


def test_a_run_is_started_drawn_and_fitted(window, qtbot, tmp_path):
    window.form.fields["points"].setText("12")
    window.start()
    qtbot.waitUntil(lambda: window.live.view().state == "finished" and not window.running, timeout=PATIENCE)
    window.refresh()
    assert window.bar.value() == 12
    assert "rate" in window.fit_text.toPlainText()
    x, y = window.plot._points.getOriginalDataset()
    (path,) = (tmp_path / "runs").glob("*.h5")
    run = open_run(path)
    np.testing.assert_allclose(x, run.coordinates["frequency"])
    np.testing.assert_allclose(y, run.data["current"])
    assert window.start_button.isEnabled()
    assert not window.abort_button.isEnabled()


@pytest.mark.parametrize("text", ["4 Hz", "", "nan", "20 V"])
def test_a_wrong_value_is_shown_at_once_and_cannot_be_started(window, text):
    window.form.fields["dc_bias"].setText(text)
    assert "dc_bias" in status(window)
    window.start()
    assert not window.running
    window.refresh()
    assert "dc_bias" in status(window)
    window.form.fields["dc_bias"].setText("4 mV")
    assert not window.form.reason
    assert window.form.sequence.dc_bias == close(4e-3)


def test_a_refusal_of_the_station_is_shown_and_nothing_runs(window, tmp_path):
    window.form.fields["dc_bias"].setText("0.2")
    window.start()
    assert "bias = 0.2 V is out of bounds" in status(window)
    assert not window.running
    assert not (tmp_path / "runs").exists()


def test_pause_resume_and_stop(window, qtbot):
    window.form.fields["points"].setText("4000")
    window.start()
    window.pause_or_resume()
    qtbot.waitUntil(lambda: window.live.view().state == "paused", timeout=PATIENCE)
    window.refresh()
    assert window.pause_button.text() == "Resume"
    taken = len(window.live.view().values)
    window.pause_or_resume()
    qtbot.waitUntil(lambda: len(window.live.view().values) > taken, timeout=PATIENCE)
    window.stop()
    qtbot.waitUntil(lambda: not window.running, timeout=PATIENCE)
    assert window.live.view().state == "stopped"


def test_closing_the_window_aborts_and_leaves_the_station_safe(window, qtbot):
    window.form.fields["points"].setText("4000")
    window.start()
    station = window.runner.station
    qtbot.waitUntil(lambda: len(window.live.view().values) > 3, timeout=PATIENCE)
    window.close()
    assert not window.running
    assert window.live.view().state == "aborted"
    assert not station.simulation.generator.on
    assert station.simulation.tip.feedback


def test_the_memory_of_a_long_run_is_bounded_by_its_shape():
    live, axis = LiveRun(), Axis("bias", "V", np.arange(3.0))
    channels = (Channel("x", "V", ""),)
    live(RunStarted("1", "ramp", "", {}, (axis,), channels, 0.0, "bench", ""))
    for k in range(3):
        live(PointTaken(k, 0.0, (float(k),), (np.full(100, float(k)),)))
    live(RunFinished(RunState.FINISHED, "completed", "", 3, 0.0))
    view = live.view()
    np.testing.assert_array_equal(view.values[:, 0], [0.0, 1.0, 2.0])
    assert view.state == "finished"


def test_a_point_that_is_read_again_is_drawn_anew_and_hides_none_of_the_others():
    live, axis = LiveRun(), Axis("bias", "V", np.arange(4.0))
    live(RunStarted("1", "ramp", "", {}, (axis,), (Channel("x", "V", ""),), 0.0, "bench", ""))
    for visit, index in enumerate((0, 1, 2, 1)):
        live(PointTaken(index, 0.0, (float(index),), (float(visit),), visit, visit // 3))
    np.testing.assert_array_equal(live.view().values[:, 0], [0.0, 3.0, 2.0])


def test_lines_along_a_hardware_axis_are_those_of_the_last_points():
    live, axes = LiveRun(), (Axis("sweep", "", np.arange(40.0)), Axis("bias", "V", np.arange(5.0), hardware=True))
    channels = (Channel("current", "A", ""), Channel("height", "m", ""))
    live(RunStarted("1", "didv", "", {}, axes, channels, 0.0, "bench", ""))
    assert live.view().lines(0, 3) == []
    for k in range(40):
        live(PointTaken(k, 0.0, (float(k),), (np.arange(5.0) + 10 * k, 7.0)))
    view = live.view()
    assert len(view.swept) < 20
    lines = view.lines(0, 2)
    np.testing.assert_array_equal(lines[0], [np.arange(5.0), np.arange(5.0) + 380])
    np.testing.assert_array_equal(lines[1], [np.arange(5.0), np.arange(5.0) + 390])
    np.testing.assert_array_equal(view.lines(1, 1)[0][1], np.full(5, 7.0))


def test_lines_of_a_software_grid_end_with_the_one_being_taken():
    live, axes = LiveRun(), (Axis("offset", "V", np.arange(3.0)), Axis("frequency", "Hz", np.arange(4.0)))
    live(RunStarted("1", "map", "", {}, axes, (Channel("x", "V", ""),), 0.0, "bench", ""))
    for k in range(10):
        live(PointTaken(k, 0.0, (k // 4, k % 4), (float(k),)))
    lines = live.view().lines(0, 12)
    assert [y.tolist() for _, y in lines] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [x.tolist() for x, _ in lines] == [[0, 1, 2, 3]] * 2 + [[0, 1]]
    assert [y.tolist() for _, y in live.view().lines(0, 1)] == [[8, 9]]


def test_a_trace_of_a_controller_is_drawn_with_its_fit(window, qtbot):
    window.sequence_box.setCurrentText("time_trace")
    window.sample_box.setCurrentText("slow_switch")
    window.form.fields["setpoint_current"].setText("250 pA")
    window.form.fields["interval"].setText("3 ms")
    window.start()
    qtbot.waitUntil(lambda: window.live.view().state == "finished" and not window.running, timeout=PATIENCE)
    window.refresh()
    x, y = window.plot._points.getOriginalDataset()
    assert x.size == y.size == 5000
    np.testing.assert_allclose(np.diff(x), 3e-3)
    assert set(np.round(window.plot._fit.getOriginalDataset()[1][:-1] * 1e12)) == {236.0, 286.0}
    assert "rate_up" in window.fit_text.toPlainText()
    assert window.width() == 1180


def test_spectra_of_a_ramp_stay_in_grey_behind_the_last(window, qtbot):
    window.sequence_box.setCurrentText("setpoint_ramp")
    window.sample_box.setCurrentText("coh_bare")
    for name, text in (("conductances", "3"), ("points", "21"), ("stop_conductance", "300 nS")):
        window.form.fields[name].setText(text)
    window.start()
    qtbot.waitUntil(lambda: len(window.live.view().values) > 50, timeout=PATIENCE)
    window.refresh()
    assert np.count_nonzero(np.isnan(window.plot._earlier.getOriginalDataset()[0])) == 2
    window.abort()
    qtbot.waitUntil(lambda: not window.running, timeout=PATIENCE)


def test_the_fit_of_a_ramp_is_drawn_in_as_many_pieces_as_it_has_spectra(window):
    bias = np.linspace(-1.0, 1.0, 5)
    axes, channels = (Axis("setpoint", "A", np.arange(3.0)), Axis("bias", "V", bias)), (Channel("g", "S", ""),)
    curves = {"x": np.tile(bias, 3), "data": np.ones(15), "fit": np.arange(15.0)}
    window.live(RunStarted("1", "ramp", "", {}, axes, channels, 0.0, "bench", ""))
    for k in range(15):
        window.live(PointTaken(k, 0.0, (float(k // 5), float(bias[k % 5])), (float(k),)))
    found = (FitParameter("temperature", 2.0, 0.1, "K"),)
    window.live(Analysed(FitResult("transport", found, ("temperature",), np.eye(1), 15, 0.0, curves=curves)))
    window.refresh()
    x, y = window.plot._fit.getOriginalDataset()
    pieces = np.split(y, np.flatnonzero(np.isnan(y)))
    assert [piece[np.isfinite(piece)].tolist() for piece in pieces] == [*np.arange(15.0).reshape(3, 5).tolist(), []]
    assert np.array_equal(np.isnan(x), np.isnan(y))
