"""Several files over each other: what is drawn, in which units, and why the rest is not."""

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtWidgets import QFileDialog

from stmlab.gui import themes
from stmlab.gui.data.curve_plot import Drawn, envelope
from stmlab.gui.data.opened import Curve, open_file
from stmlab.gui.data.overlay import OverlayPanel
from stmlab.gui.data.overlaying import Normalisation, comparable
from tests.approximately import close
from tests.gui.data.conftest import drop_files, grid

_LONG = 60_000  # ms


@pytest.fixture
def panel(qtbot, context):
    found = OverlayPanel(context)
    qtbot.addWidget(found)
    found.resize(900, 600)
    found.show()
    return found


def add(panel, qtbot, *wanted):
    count = len(panel.opened) + len(wanted)
    panel.context.overlay_wanted.emit(list(wanted))
    qtbot.waitUntil(lambda: len(panel.opened) == count, timeout=_LONG)


def drawn(panel):
    return {one.curve.name: one.curve for one in panel.plot.drawn}


def curve(y, unit="A", name="one", x_unit="V"):
    return Curve(name, np.arange(len(y), dtype=float), np.array(y, dtype=float), "bias", x_unit, "current", unit)


# -- made comparable -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Normalisation.NONE, [2, -4, 2]),
        (Normalisation.LARGEST, [0.5, -1, 0.5]),
        (Normalisation.SPAN, [1, 0, 1]),
        (Normalisation.MEAN, None),
    ],
)
def test_a_curve_is_normalised(how, expected):
    (found,), _ = comparable([curve([2, -4, 2])], how, 0.0)
    if how is Normalisation.MEAN:  # the mean of this one is 0
        (found,), _ = comparable([curve([1, 2, 3])], how, 0.0)
        expected = [0.5, 1, 1.5]
    assert found.y.tolist() == expected
    assert found.y_unit == ("A" if how is Normalisation.NONE else "")


def test_what_is_nan_or_the_same_everywhere_is_drawn_as_it_is():
    (gaps, flat), _ = comparable([curve([1, np.nan, 4]), curve([2, 2, 2])], Normalisation.SPAN, 0.0)
    assert gaps.y[[0, 2]].tolist() == [0, 1]
    assert flat.y.tolist() == [0, 0, 0]


def test_each_curve_is_one_offset_above_the_one_before():
    found, _ = comparable([curve([0, 1]), curve([0, 1]), curve([0, 1])], Normalisation.NONE, 2.0)
    assert [one.y.tolist() for one in found] == [[0, 1], [2, 3], [4, 5]]


def test_other_units_are_not_drawn_into_the_same_axes():
    found, why = comparable(
        [curve([1, 2]), curve([1, 2], "S", "two"), curve([1, 2], name="three", x_unit="Hz")], Normalisation.NONE, 0.0
    )
    assert [one.name for one in found] == ["one"]
    assert why == ["two is in S: normalise to compare it", "three is over bias (Hz)"]
    found, why = comparable([curve([1, 2]), curve([1, 2], "S", "two")], Normalisation.SPAN, 0.0)
    assert [one.name for one in found] == ["one", "two"]


# -- the panel -------------------------------------------------------------------------------------------------------


def test_files_are_drawn_in_the_order_in_which_they_were_asked_for(panel, qtbot, folder):
    add(panel, qtbot, folder / "late.h5", folder / "early.h5")
    assert list(drawn(panel)) == ["late", "early"]
    assert panel.plot.axes["bottom"].title == "microwave frequency (Hz)"
    qtbot.waitUntil(lambda: panel.plot.axes["left"].title == "current (pA)", timeout=_LONG)
    assert (drawn(panel)["early"].y == open_file(folder / "early.h5").table["current"].values).all()


def test_a_file_that_is_added_again_is_read_anew_and_stands_once(panel, qtbot, folder):
    add(panel, qtbot, folder / "late.h5")
    before = panel.opened[0][0]
    panel.add([folder / "late.h5"])
    qtbot.waitUntil(lambda: panel.opened[0][0] is not before, timeout=_LONG)
    assert panel.files.count() == len(panel.opened) == 1


def test_offset_is_typed_as_people_write_it_and_refused_in_words(panel, qtbot, folder):
    add(panel, qtbot, folder / "early.h5", folder / "late.h5")
    before = drawn(panel)["late"].y
    panel.offset.setText("2 pA")
    np.testing.assert_allclose(drawn(panel)["late"].y - before, 2e-12, rtol=1e-6)
    panel.offset.setText("2 V")
    assert "'2 V' is not a number" in panel.status.text()
    assert panel.context.settings.panel("overlay")["offset"] == "2 pA"


def test_normalised_curves_have_no_unit(panel, qtbot, folder):
    add(panel, qtbot, folder / "early.h5", folder / "recorded.dat")
    assert "normalise" not in panel.status.text()
    assert "recorded is over" in panel.status.text()
    panel.normalisation.setCurrentText("from 0 to 1")
    qtbot.waitUntil(lambda: panel.plot.axes["left"].title == "current, from 0 to 1", timeout=_LONG)
    assert np.ptp(drawn(panel)["early"].y) == close(1.0)


def test_a_file_is_hidden_and_taken_out(panel, qtbot, folder):
    add(panel, qtbot, folder / "early.h5", folder / "late.h5")
    panel.files.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert list(drawn(panel)) == ["late"]
    panel.files.setCurrentRow(1)
    panel.context.actions.trigger("overlay.remove")
    assert drawn(panel) == {}
    panel.context.actions.trigger("overlay.clear")
    assert panel.opened == []
    assert "drop some here" in panel.status.text()


def test_another_channel_is_drawn_where_there_is_one(panel, qtbot, folder):
    add(panel, qtbot, folder / "early.h5", folder / "recorded.dat")
    panel.channel.setCurrentText("elapsed")
    qtbot.waitUntil(lambda: panel.plot.axes["left"].title == "elapsed (s)", timeout=_LONG)
    assert "recorded.dat has no elapsed" in panel.status.text()


def test_of_a_grid_the_mean_or_a_place_is_drawn(panel, qtbot, tmp_path):
    path = grid(tmp_path / "map.h5")
    add(panel, qtbot, path, (path, (1, 2)))
    table = open_file(path).table["current"].values
    assert (drawn(panel)["map at 1, 2"].y == table[1, 2]).all()
    np.testing.assert_allclose(drawn(panel)["map"].y, table.mean(axis=(0, 1)), rtol=1e-12)


def test_a_file_that_is_refused_is_a_notice_and_the_others_are_drawn(panel, qtbot, folder, said):
    (folder / "words.dat").write_text("no data\n")
    drop_files(panel, folder / "words.dat", folder / "broken.h5", folder / "early.h5")
    qtbot.waitUntil(lambda: len(said) == 2 and len(panel.opened) == 1, timeout=_LONG)
    assert any("words.dat" in one for one in said)
    assert any("broken.h5" in one for one in said)


def test_the_file_that_is_looked_at_is_told_to_the_others(panel, qtbot, folder):
    seen = []
    panel.context.data_shown.connect(seen.append)
    add(panel, qtbot, folder / "early.h5", folder / "late.h5")
    panel.files.setCurrentRow(0)
    assert seen[-1].path == folder / "early.h5"


def test_the_values_under_the_pointer_are_written_with_units(panel, qtbot, folder):
    add(panel, qtbot, folder / "early.h5")
    qtbot.waitUntil(lambda: panel.plot.main.getViewBox().viewRange()[0][0] > 6, timeout=_LONG)
    panel.plot._moved(panel.plot.main.getViewBox().mapViewToScene(QPointF(9.0, 1e-12)))
    assert panel.pointed.text().startswith("microwave frequency ")
    assert "Hz, current " in panel.pointed.text()
    assert panel.pointed.text().endswith("pA")
    panel.plot._moved(QPointF(-10, -10))
    assert panel.pointed.text() == ""


def test_a_long_curve_is_drawn_by_what_a_screen_can_show_and_finely_where_one_looks(panel, qtbot):
    x, y = np.linspace(0, 1, 1_000_000), np.zeros(1_000_000)
    y[123_456], y[654_321], y[7] = 5.0, -3.0, np.nan
    at, values = envelope(x, y, -np.inf, np.inf)
    assert len(at) == len(values) == 4000
    assert (values.max(), values.min()) == (5.0, -3.0)
    assert at[values.argmax()] == close(x[123_456], abs=1e-3)
    at, values = envelope(x, y, 0.1234, 0.1235)
    assert (np.diff(at) > 0).all()
    assert values[np.searchsorted(at, x[123_456])] == 5.0
    long = Curve("long", x, y, "time", "s", "current", "A")
    panel.plot.draw([Drawn(long, "#000000")])
    panel.plot.main.getViewBox().setXRange(0.1234, 0.1235, padding=0)
    (line, _, _) = panel.plot._long[0]
    assert 100 <= len(line.x) <= 105


def test_a_figure_of_what_is_drawn_is_written(panel, qtbot, folder, tmp_path, monkeypatch, said):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "two.svg"), ""))
    add(panel, qtbot, folder / "early.h5", folder / "late.h5")
    panel.context.actions.trigger("overlay.export")
    qtbot.waitUntil(lambda: bool(said), timeout=_LONG)
    assert (tmp_path / "two.svg").read_text().count("<use") >= 80  # a mark a point of both


def test_dark_colours_are_taken(panel, qtbot, folder):
    add(panel, qtbot, folder / "early.h5")
    panel.context.use_theme(themes.DARK)
    assert panel.plot.drawn[0].colour == themes.DARK.curves[0]
