"""Runs over two axes: waterfall, colour map with cuts, history of what was fitted."""

import numpy as np
import pytest

from stmlab.gui import themes
from stmlab.gui.live.area import axis_of
from stmlab.gui.live.history import HistoryPlot
from stmlab.gui.live.map_plot import MapPlot
from stmlab.gui.live.shown import Shown, Sweeps, View, Ways
from stmlab.gui.live.waterfall import WaterfallPlot
from stmlab.results import FitParameter
from tests.approximately import close
from tests.gui.live.runs import CHANNELS, axis, begun, filled, fit_of

OFFSET = axis("offset", "V", [-8e-3, 0, 8e-3], label="DC bias")
FREQUENCY = axis("frequency", "Hz", [1e6, 1e7, 1e8, 1e9], label="microwave frequency", logarithmic=True)


@pytest.fixture
def shown_by(qtbot):
    def make(kind):
        found = kind(themes.LIGHT)
        qtbot.addWidget(found)
        found.resize(700, 500)
        found.show()
        return found

    return make


def ticks(plot):
    return [text for _, text in axis_of(plot.main, "right")._tickLevels[0]]


# -- waterfall -------------------------------------------------------------------------------------------------------


def test_each_sweep_stands_above_the_one_before_it_and_is_named(shown_by):
    plot = shown_by(WaterfallPlot)
    plot.draw(filled(OFFSET, FREQUENCY, places=10), Shown(left=("current",), log_x=True, spacing=2.0))
    lines = [plot._lines[number][0] for number in sorted(plot._lines)]
    assert len(lines) == 3
    np.testing.assert_allclose(lines[0].x, [6, 7, 8, 9])
    step = lines[1].y[0] - 4e-12
    assert step == close(2.0 * 3e-12)
    np.testing.assert_allclose(lines[2].y[:2] * 1e12, [8 + 12, 9 + 12])
    assert ticks(plot) == ["-8 mV", "0 V", "8 mV"]
    assert axis_of(plot.main, "right").title == "DC bias"
    plot.grab()
    assert axis_of(plot.main, "left").title == "current, each 6 pA above the one before (pA)"


def test_only_the_sweep_that_has_changed_is_read_again(shown_by, monkeypatch):
    plot = shown_by(WaterfallPlot)
    data, shown = filled(OFFSET, FREQUENCY, places=9), Shown(left=("current",))
    plot.draw(data, shown)
    before = dict(plot._drawn)
    data.take(np.array([9]), np.array([[0.0, 1e7]]), [np.array([9e-12])] * 4)
    plot.draw(data, shown)
    assert [plot._drawn[k] is before[k] for k in range(3)] == [True, True, False]


def test_fits_stand_over_their_own_sweeps(shown_by):
    plot = shown_by(WaterfallPlot)
    data = filled(OFFSET, FREQUENCY)
    parameters = [FitParameter(f"rate_{k + 1}", 1e9, 1e7, "1/s", f"bias {b} mV") for k, b in enumerate((-8, 8))]
    x = np.tile(FREQUENCY.values, 2)
    data.fits = (fit_of(x, x, [1e-12] * 4 + [2e-12] * 4, model="srs_map", parameters=parameters),)
    plot.draw(data, Shown(left=("current",), spacing=1.0))
    fits = [plot._lines[number][1].y for number in range(3)]
    np.testing.assert_allclose(fits[0] * 1e12, [1] * 4)
    assert len(fits[1]) == 0
    np.testing.assert_allclose(fits[2] * 1e12, [2 + 6] * 4)


def test_a_waterfall_of_means_has_one_line_for_each_place(shown_by):
    plot = shown_by(WaterfallPlot)
    sweep = axis("sweep", "", [0, 1])
    data = filled(OFFSET, sweep, axis("bias", "V", [0, 1]))
    plot.draw(data, Shown(left=("current",), sweeps=Sweeps.AVERAGE, spacing=0.0))
    assert len(plot._lines) == 3
    np.testing.assert_allclose(sorted(float(pair[0].y[0]) * 1e12 for pair in plot._lines.values()), [1, 5, 9])


def test_the_mouse_is_told_the_nearest_sweep(shown_by, qtbot):
    plot = shown_by(WaterfallPlot)
    plot.draw(filled(OFFSET, FREQUENCY), Shown(left=("current",), log_x=True, spacing=1.0))
    with qtbot.waitSignal(plot.pointed) as told:
        plot.point_at(7.1, 8e-12)
    assert told.args == ["DC bias 0 V, microwave frequency 10 MHz: current 5 pA"]


# -- map -------------------------------------------------------------------------------------------------------------


def test_the_map_has_every_cell_at_its_place(shown_by):
    plot = shown_by(MapPlot)
    data = filled(OFFSET, FREQUENCY, places=10)
    plot.draw(data, Shown(left=("current",), log_x=True, view=View.MAP))
    expected = np.where(np.arange(12) < 10, np.arange(12.0), np.nan).reshape(3, 4)
    np.testing.assert_allclose(plot.image.image, expected)
    rect = plot.image.mapRectToParent(plot.image.boundingRect())
    np.testing.assert_allclose([rect.left(), rect.right()], [5.5, 9.5])
    np.testing.assert_allclose([rect.top(), rect.bottom()], [-12e-3, 12e-3])
    assert plot.bar.axis.labelText == "current (pA)"


def test_levels_follow_the_data_by_percentiles_until_the_user_takes_them(shown_by):
    plot = shown_by(MapPlot)
    values = np.arange(1200) * 1e-12
    values[5] = 1e-6  # a spike does not spoil the picture
    data = filled(axis("offset", "V", np.arange(30)), axis("bias", "V", np.arange(40)), values=values)
    shown = Shown(left=("current",), view=View.MAP)
    plot.draw(data, shown)
    low, high = (level * 10.0**plot._power for level in plot.bar.levels())
    assert low == pytest.approx(12e-12, rel=0.1, abs=0)
    assert high == pytest.approx(1188e-12, rel=0.1, abs=0)
    np.testing.assert_allclose(plot.image.getLevels(), plot.bar.levels())
    plot.bar.setLevels((0.0, 1e-4))
    plot._levels_chosen()
    data.take(np.array([7]), np.array([[0.0, 7.0]]), [np.array([8e-12])] * 4)
    plot.draw(data, shown)
    np.testing.assert_allclose(plot.bar.levels(), (0.0, 1e-4))
    plot.show_all()
    plot.draw(data, shown)
    assert plot.bar.levels()[1] != 1e-4


def test_cuts_lie_under_the_cursor(shown_by):
    plot = shown_by(MapPlot)
    plot.draw(filled(OFFSET, FREQUENCY), Shown(left=("current",), log_x=True, view=View.MAP))
    plot.put_cursor(8.2, 1e-3)
    along, _, across, _ = plot._items
    np.testing.assert_allclose(along.y * 1e12, [4, 5, 6, 7])
    np.testing.assert_allclose(across.x * 1e12, [2, 6, 10])
    np.testing.assert_allclose(across.y, OFFSET.values)
    assert plot.words == "cuts at DC bias 0 V and at 100 MHz"


def test_the_cut_follows_the_run_until_it_is_put_somewhere(shown_by):
    plot = shown_by(MapPlot)
    data, shown = filled(OFFSET, FREQUENCY, places=5), Shown(left=("current",), log_x=True, view=View.MAP)
    plot.draw(data, shown)
    assert plot.cursor[1].value() == pytest.approx(0.0, abs=1e-12)
    data.take(np.array([8]), np.array([[8e-3, 1e6]]), [np.array([8e-12])] * 4)
    plot.draw(data, shown)
    assert plot.cursor[1].value() == close(8e-3)
    plot.put_cursor(6.0, -8e-3)
    data.take(np.array([9]), np.array([[8e-3, 1e7]]), [np.array([8e-12])] * 4)
    plot.draw(data, shown)
    assert plot.cursor[1].value() == close(-8e-3)


def test_uneven_and_falling_axes_keep_their_cells(shown_by):
    plot = shown_by(MapPlot)
    data = filled(axis("offset", "V", [2, 1, 0]), axis("bias", "V", [0, 1, 4]), values=np.arange(9.0))
    plot.draw(data, Shown(left=("current",), view=View.MAP))
    rect, image = plot.image.mapRectToParent(plot.image.boundingRect()), plot.image.image

    def at(x, y):
        column = int((x - rect.left()) / rect.width() * image.shape[1])
        return image[int((y - rect.top()) / rect.height() * image.shape[0]), column]

    for row, y in enumerate((2, 1, 0)):
        for column, x in enumerate((0, 1, 4)):
            assert at(x, y) == 3 * row + column


def test_the_way_back_has_a_map_of_its_own_and_sweeps_are_rows(shown_by):
    plot = shown_by(MapPlot)
    data = filled(axis("sweep", "", [0, 1]), axis("bias", "V", [0, 1, 1, 0]), values=np.arange(8.0))
    plot.draw(data, Shown(left=("current",), view=View.MAP, ways=Ways.BACKWARD))
    np.testing.assert_array_equal(plot.image.image, [[3, 2], [7, 6]])
    assert "backward" in plot.words


def test_a_map_without_points_waits(shown_by):
    plot = shown_by(MapPlot)
    plot.draw(begun(OFFSET, FREQUENCY), Shown(left=("current",), view=View.MAP))
    assert plot.words == "no points yet"


def test_a_map_of_long_traces_shows_means_of_neighbours(shown_by):
    plot = shown_by(MapPlot)
    time = axis("time", "s", np.arange(100_000) * 1e-3, hardware=True)
    values = np.tile([1.0, 3.0], 150_000)
    data = filled(axis("trace", "", [0, 1, 2]), time, values=values, channels=CHANNELS[:1])
    plot.draw(data, Shown(left=("current",), view=View.MAP))
    assert plot.image.image.shape[1] <= 2000
    np.testing.assert_allclose(plot.image.image, 2.0)


# -- history ---------------------------------------------------------------------------------------------------------


def test_fitted_values_are_drawn_with_their_errors_over_the_map(shown_by):
    plot = shown_by(HistoryPlot)
    data = filled(OFFSET, FREQUENCY)
    parameters = [
        FitParameter(f"{name}_{k + 1}", value * (k + 1), value / 10, unit, f"bias {bias} mV, amplitude 1 mV")
        for k, bias in enumerate((-8, 0, 8))
        for name, value, unit in (("rate", 1e9, "1/s"), ("step", -1e-12, "A"))
    ]
    data.fits = (fit_of([1.0], [1.0], [1.0], model="srs_map", parameters=parameters),)
    plot.draw(data, Shown(left=("current",)))
    plot.grab()
    assert [axis_of(panel, "left").title for panel in plot._plots] == ["rate Γ (10⁹ /s)", "step I_SR (pA)"]
    assert axis_of(plot._plots[-1], "bottom").title == "bias (mV)"
    curve, bars, marks = (item for item in plot._plots[0].items if hasattr(item, "take"))
    np.testing.assert_allclose(curve.x, [-8e-3, 0, 8e-3], atol=1e-15)
    np.testing.assert_allclose(marks.y, [1e9, 2e9, 3e9])
    np.testing.assert_allclose(bars.y[:2], [0.9e9, 1.1e9])
    assert "amplitude 1 mV" in plot.words


def test_a_history_without_series_says_where_to_look(shown_by):
    plot = shown_by(HistoryPlot)
    data = filled(FREQUENCY)
    plot.draw(data, Shown(left=("current",)))
    assert plot.words == "no fit yet"
    data.fits = (fit_of([1.0], [1.0], [1.0]),)
    plot.draw(data, Shown(left=("current",)))
    assert "see the table" in plot.words
