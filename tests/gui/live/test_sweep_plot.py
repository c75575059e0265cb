"""Curves of a run: the sweep in front, others, means, both axes, error bars, the fit beside its own points."""

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QImage, QMouseEvent
from PyQt6.QtWidgets import QApplication

from stmlab.events import PointsDisturbed
from stmlab.gui import themes
from stmlab.gui.live.area import axis_of
from stmlab.gui.live.shown import Shown, Sweeps, Ways
from stmlab.gui.live.sweep_plot import SweepPlot
from tests.approximately import close
from tests.gui.live.runs import CHANNELS, axis, begun, filled, fit_of

THERE_AND_BACK = axis("sweep", "", [0, 1]), axis("bias", "V", [0, 1, 2, 2, 1, 0])


@pytest.fixture
def plot(qtbot):
    found = SweepPlot(themes.LIGHT)
    qtbot.addWidget(found)
    found.resize(700, 500)
    found.show()
    return found


def drawn(plot, channel="current"):
    """Forward and backward line of the sweep in front, as x and y."""
    return [(curve.x, curve.y) for curve in plot._channels[channel].lines]


def known(y):
    return y[np.isfinite(y)]


def test_forward_and_backward_are_told_apart(plot):
    data = filled(*THERE_AND_BACK, places=12)
    plot.draw(data, Shown(left=("current",)))
    (there_x, there), (back_x, back) = drawn(plot)
    np.testing.assert_allclose(there * 1e12, [6, 7, 8])
    np.testing.assert_allclose(back * 1e12, [9, 10, 11])
    np.testing.assert_array_equal(there_x, [0, 1, 2])
    np.testing.assert_array_equal(back_x, [2, 1, 0])
    assert "forward" in plot.words
    assert "backward" in plot.words
    np.testing.assert_allclose(known(plot._channels["current"].earlier.y) * 1e12, np.arange(6))


def test_one_direction_can_be_chosen(plot):
    data = filled(*THERE_AND_BACK, places=12)
    plot.draw(data, Shown(left=("current",), ways=Ways.BACKWARD))
    (_, there), (_, back) = drawn(plot)
    assert len(there) == 0
    np.testing.assert_allclose(back * 1e12, [9, 10, 11])
    np.testing.assert_allclose(known(plot._channels["current"].earlier.y) * 1e12, [3, 4, 5])


def test_the_mean_or_the_last_sweep_can_be_chosen(plot):
    data = filled(*THERE_AND_BACK, places=12)
    plot.draw(data, Shown(left=("current",), sweeps=Sweeps.AVERAGE))
    np.testing.assert_allclose(drawn(plot)[0][1] * 1e12, [3, 4, 5])
    assert "mean" in plot.words
    assert "of 2" not in plot.words
    plot.draw(data, Shown(left=("current",), sweeps=Sweeps.LAST))
    np.testing.assert_allclose(drawn(plot)[0][1] * 1e12, [6, 7, 8])
    assert len(plot._channels["current"].earlier.y) == 0


def test_channels_of_another_unit_stand_on_the_right_axis(plot):
    data = filled(axis("bias", "V", [0, 1, 2]))
    plot.draw(data, Shown(left=("current",), right=("x", "y")))
    assert axis_of(plot.main, "left").title.startswith("current (")
    assert axis_of(plot.main, "right").title.startswith("x, y (")
    assert axis_of(plot.main, "right").title.endswith("V)")
    np.testing.assert_allclose(drawn(plot, "x")[0][1], [0, 1e-9, 2e-9])
    assert plot._channels["x"].lines[0].getViewBox() is plot.right
    assert len({curves.colour for curves in plot._channels.values()}) == 3
    plot.draw(data, Shown(left=("current",)))
    assert not axis_of(plot.main, "right").isVisible()


def test_error_bars_are_those_of_the_readings(plot):
    data = filled(axis("bias", "V", [0, 1, 2]), places=2)
    plot.draw(data, Shown(left=("current",)))
    bars = plot._channels["current"].bars
    np.testing.assert_array_equal(bars.x, [0, 0, 1, 1])
    np.testing.assert_allclose(bars.y * 1e15, [-10, 10, 990, 1010])
    plot.draw(data, Shown(left=("current",), errors=False))
    assert len(bars.x) == 0


def test_a_nanosecond_axis_is_drawn_and_in_view(plot):
    """As the delays of a pump-probe run: once a blank plot."""
    delay = np.linspace(-4e-9, 4e-9, 41)
    data = filled(axis("delay", "s", delay, label="delay"))
    plot.draw(data, Shown(left=("current",)))
    plot.grab()
    np.testing.assert_allclose(drawn(plot)[0][0], delay)
    low, high = plot.main.getViewBox().viewRange()[0]
    assert low <= -4e-9
    assert 4e-9 <= high < 6e-9
    assert axis_of(plot.main, "bottom").title == "delay (ns)"


def test_a_logarithmic_axis_says_what_it_cannot_show(plot):
    frequency = axis("frequency", "Hz", [1e6, 1e7, 1e8], logarithmic=True)
    data = filled(frequency, values=[1e-12, -1e-12, 0.0])
    plot.draw(data, Shown(left=("current",), log_x=True, log_y=True))
    x, y = drawn(plot)[0]
    np.testing.assert_allclose(x, [6, 7, 8])
    np.testing.assert_allclose(y, [-12, np.nan, np.nan])
    assert "2 points have no place on a logarithmic axis" in plot.words


def test_disturbed_points_are_marked(plot):
    data = filled(axis("bias", "V", [0, 1, 2]))
    data(PointsDisturbed((1,), 0.0, "tip jump"))
    plot.draw(data, Shown(left=("current",)))
    np.testing.assert_array_equal(plot._channels["current"].disturbed.x, [1])


def test_points_stand_beside_their_own_fit(plot):
    """As of a transfer function: the fit is of the first drive, the last one taken is another."""
    drive, frequency = axis("drive", "V", [0.2, 0.14]), axis("frequency", "Hz", [1e6, 1e7, 1e8])
    data = filled(drive, frequency, values=[2, 4, 6, 1, 2, 3])
    plot.draw(data, Shown(left=("current",)))
    np.testing.assert_array_equal(drawn(plot)[0][1], [1, 2, 3])
    data.fits = (fit_of(frequency.values, [2, 4, 6], [2.1, 4.1, 6.1], model="transfer"),)
    data.version += 1
    plot.draw(data, Shown(left=("current",)))
    np.testing.assert_array_equal(drawn(plot)[0][1], [2, 4, 6])
    assert "drive 200 mV" in plot.words
    fit, _, residual = plot._fitted._items
    np.testing.assert_allclose(fit.y, [2.1, 4.1, 6.1])
    np.testing.assert_allclose(residual.y, [-0.1] * 3)
    assert plot.residual.scene() is not None
    plot.grab()
    assert axis_of(plot.residual, "bottom").title == "frequency (MHz)"
    plot.draw(data, Shown(left=("current",), fit=False))
    np.testing.assert_array_equal(drawn(plot)[0][1], [1, 2, 3])
    assert plot.residual.scene() is None


def test_sweeps_can_be_gone_through_each_with_its_own_fit(plot):
    data = filled(axis("setpoint", "S", [1e-9, 2e-9, 3e-9]), axis("bias", "V", [0, 1]), values=np.arange(6.0))
    fit = np.arange(6) + 0.1
    data.fits = (fit_of([0, 1] * 3, np.arange(6), fit, model="transport", setpoint=np.repeat([1e-9, 2e-9, 3e-9], 2)),)
    shown = Shown(left=("current",))
    plot.draw(data, shown)
    for step, first in ((-1, 2.0), (-1, 0.0), (-1, 0.0), (1, 2.0), (0, 4.0)):
        plot.step_sweep(step)
        plot.draw(data, shown)
        assert drawn(plot)[0][1][0] == first
        assert plot._fitted._items[0].y[0] == first + 0.1
    plot.step_sweep(-1)
    plot.draw(data, shown)
    assert "setpoint 2 nS" in plot.words


def test_a_fit_of_a_part_leaves_all_of_the_data_in_view(plot):
    """As of a pump-probe run, whose fit leaves out where the pulses overlap."""
    data = filled(axis("delay", "s", np.linspace(-4, 4, 9)))
    data.fits = (fit_of([1, 2, 3, 4], [5e-12] * 4, [5e-12] * 4),)
    plot.draw(data, Shown(left=("current",)))
    for turn in range(8):
        QApplication.processEvents()
        plot.grab()
        if turn == 4:
            plot.show_all()
    low, high = plot.main.getViewBox().viewRange()[0]
    assert low <= -4 < 4 <= high
    assert high - low < 10


def test_a_fit_of_one_repetition_is_not_drawn_over_their_mean(plot):
    time = axis("time", "s", [0, 1, 2], hardware=True)
    data = filled(axis("trace", "", [0, 1]), time)
    data.fits = (fit_of(np.arange(6), np.ones(6), np.ones(6), trace=np.repeat([0, 1], 3)),)
    plot.draw(data, Shown(left=("current",), sweeps=Sweeps.ALL))
    assert plot.fitted
    plot.draw(data, Shown(left=("current",), sweeps=Sweeps.AVERAGE))
    assert not plot.fitted


def test_the_crosshair_tells_the_nearest_point_with_its_error_and_the_fit(plot, qtbot):
    data = filled(axis("bias", "V", [0, 1, 2]))
    data.fits = (fit_of([0, 1, 2], [0, 1e-12, 2e-12], [1e-13, 1.1e-12, 2.1e-12]),)
    plot.draw(data, Shown(left=("current",), right=("x",)))
    with qtbot.waitSignal(plot.pointed) as told:
        plot.point_at(1.2, 0.0)
    assert told.args == ["bias 1 V: current 1 pA ± 10 fA, x 1 nV, fit 1.1 pA"]
    assert plot.crosshair.shown
    assert plot.crosshair._lines[0].value() == close(1.0)


@pytest.mark.parametrize(
    ("x", "key", "at"), [([0, 1, 2], Qt.Key.Key_Right, "2 V"), ([2, 1, 0], Qt.Key.Key_Right, "2 V")]
)
def test_the_arrow_keys_take_the_crosshair_from_point_to_point(plot, qtbot, x, key, at):
    plot.draw(filled(axis("bias", "V", x)), Shown(left=("current",)))
    plot.point_at(1.0, 0.0)
    with qtbot.waitSignal(plot.pointed) as told:
        qtbot.keyClick(plot, key)
    assert told.args[0].startswith(f"bias {at}:")
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert not plot.crosshair.shown


def test_the_mouse_moves_the_crosshair_and_its_right_button_asks_for_our_menu(plot, qtbot):
    plot.draw(filled(axis("bias", "V", [0, 1, 2])), Shown(left=("current",)))
    plot.grab()
    view = plot.main.getViewBox()
    place = plot.mapFromScene(view.mapViewToScene(view.viewRect().center()))
    buttons = Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    at = QPointF(place), QPointF(plot.viewport().mapToGlobal(place))
    with qtbot.waitSignal(plot.pointed) as told:
        QApplication.sendEvent(plot.viewport(), QMouseEvent(QEvent.Type.MouseMove, *at, *buttons))
    assert told.args[0].startswith("bias 1 V")
    with qtbot.waitSignal(plot.menu_wanted):
        qtbot.mouseClick(plot.viewport(), Qt.MouseButton.RightButton, pos=place)


def test_the_crosshair_goes_to_what_was_read(plot, qtbot):
    plot.draw(filled(axis("bias", "V", [0, 1, 2]), places=1), Shown(left=("current",), errors=False))
    with qtbot.waitSignal(plot.pointed) as told:
        plot.point_at(2.0, 0.0)
    assert told.args == ["bias 0 V: current 0 A ± 10 fA"]


def test_few_points_of_a_fine_axis_are_drawn_one_by_one_as_they_are_chosen(plot, qtbot):
    """As of an adaptive grid: a few dozen of sixteen thousand frequencies, in any order, some again."""
    data = begun(axis("frequency", "Hz", np.geomspace(1e6, 1e10, 16_384), logarithmic=True), channels=CHANNELS[:1])
    chosen = np.random.default_rng(1).choice(16_384, 40, replace=False)
    for k in [*chosen, *chosen[:5]]:
        data.take(np.array([k]), data.layout.values[[k]][:, None], [np.array([1e-12 * k])])
    plot.draw(data, Shown(left=("current",), log_x=True))
    marks = plot._channels["current"].marks[0]
    np.testing.assert_allclose(marks.x, np.log10(data.layout.values[np.sort(chosen)]))
    np.testing.assert_allclose(marks.y, 1e-12 * np.sort(chosen))
    with qtbot.waitSignal(plot.pointed) as told:
        plot.point_at(float(marks.x[7]) + 1e-4, 0.0)
    assert "not read" not in told.args[0]


def test_a_sweep_under_way_grows_before_it_is_in_the_file(plot):
    data = begun(axis("time", "s", np.arange(5), hardware=True), channels=CHANNELS[:1])
    data.partial(0, {"current": np.array([1.0, 2.0])})
    plot.draw(data, Shown(left=("current",)))
    np.testing.assert_array_equal(known(drawn(plot)[0][1]), [1, 2])
    data.partial(0, {"current": np.array([1.0, 2.0, 3.0])})
    plot.draw(data, Shown(left=("current",)))
    np.testing.assert_array_equal(known(drawn(plot)[0][1]), [1, 2, 3])


def test_nothing_is_drawn_anew_when_nothing_is_new(plot, monkeypatch):
    data = filled(axis("bias", "V", [0, 1, 2]), places=2)
    shown = Shown(left=("current",))
    plot.draw(data, shown)
    calls = []
    monkeypatch.setattr(plot._channels["current"], "draw", lambda *_: calls.append(1))
    plot.draw(data, shown)
    assert not calls
    data.take(np.array([2]), np.array([[2.0]]), [np.array([1.0])] * 4)
    plot.draw(data, shown)
    assert calls


def test_zooming_in_shows_the_points_that_the_envelope_stands_for(plot, qtbot):
    data = filled(axis("bias", "V", np.arange(100_000.0)), channels=CHANNELS[:1])
    plot.draw(data, Shown(left=("current",)))
    assert len(drawn(plot)[0][0]) < 3000
    plot.main.setXRange(500, 600, padding=0)
    qtbot.waitUntil(lambda: len(drawn(plot)[0][0]) < 110, timeout=20_000)
    np.testing.assert_array_equal(drawn(plot)[0][0][2:4], [501, 502])
    plot.show_all()
    qtbot.waitUntil(lambda: drawn(plot)[0][0][-1] > 99_000, timeout=20_000)


def test_another_theme_recolours_what_is_drawn(plot, qtbot):
    plot.draw(filled(axis("bias", "V", [0, 1, 2])), Shown(left=("current",)))
    plot.use_theme(themes.DARK)
    qtbot.waitUntil(lambda: plot._channels["current"].colour == themes.DARK.curves[0], timeout=20_000)
    image = plot.grab().toImage()
    assert image.pixelColor(2, 2).name() == themes.DARK.base


def test_marks_and_curves_are_where_the_values_are(plot, qtbot):
    """Pixels, on axes of a millivolt by a nanoampere: Qt's own strokes go astray there."""
    data = filled(axis("bias", "V", np.linspace(-1e-2, 1e-2, 11)), values=np.full(11, 4e-9), channels=CHANNELS[:1])
    plot.draw(data, Shown(left=("current",)))
    image = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8).reshape(image.height(), -1)
    pixels = lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)
    blue = pixels[..., 2] - pixels[..., 0] > 100
    rows = np.flatnonzero(blue.any(axis=1))
    view = plot.main.getViewBox()
    centre = view.mapViewToScene(view.viewRect().center()).y()
    assert np.ptp(rows) <= 8
    assert abs(rows.mean() - centre) < 6
