"""Grids as maps: the place that is clicked, what is shown of it, and maps of what was fitted."""

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtWidgets import QFileDialog

from stmlab.gui import themes
from stmlab.gui.data.map_image import MapImage
from stmlab.gui.data.map_panel import MapPanel
from stmlab.gui.data.mapping import Layer, Side, drawn_shape, layer, place_in, sides
from stmlab.gui.data.opened import open_file
from stmlab.storage.recorded import Column
from tests.approximately import close
from tests.gui.data.conftest import GRID, drop_files, grid
from tests.storage.importers.samples import write_step_grid

_LONG = 120_000  # ms
RATES = ((1e9, 2e9, 3e9), (4e9, 5e9, 6e9))


@pytest.fixture
def path(tmp_path):
    return grid(tmp_path / "map.h5", RATES)


@pytest.fixture
def panel(qtbot, context):
    found = MapPanel(context)
    qtbot.addWidget(found)
    found.resize(900, 600)
    found.show()
    yield found
    found.close_down()


def take(panel, qtbot, path):
    panel.context.map_wanted.emit(path)
    qtbot.waitUntil(lambda: panel.opened is not None and panel.opened.path == path, timeout=_LONG)


def shown(panel):
    """Values of the image in the unit of the bar."""
    return panel.image.image.image


# -- the maps themselves ---------------------------------------------------------------------------------------------


def test_places_beyond_two_axes_stand_below_each_other():
    assert drawn_shape((2, 3, 4)) == (6, 4)
    assert drawn_shape((5,)) == (1, 5)
    assert place_in((2, 3, 4), 4, 1) == (1, 1, 1)
    assert place_in((5,), 0, 3) == (3,)


def test_sides_are_in_the_units_of_the_axes_where_places_stand_evenly(path):
    table = open_file(path).table
    across, down = sides(table)
    assert (across.label, across.unit, across.centres.tolist()) == ("drive", "V", [1e-3, 2e-3, 3e-3])
    assert down.ends == (close(0.5e-3), close(2.5e-3))
    uneven = [Column(c.name, c.unit, c.values**2) if c.name == "drive" else c for c in table.parameters]
    crooked = type(table)(table.path, table.format, {}, table.axes, table.sweep, table.channels, tuple(uneven))
    assert sides(crooked)[0].label == "drive (index)"


def test_a_channel_is_shown_at_a_place_of_the_sweep_or_by_its_mean(path):
    opened = open_file(path)
    values = opened.table["current"].values
    assert (layer(opened, {}, "channel current", 7).values == values[..., 7]).all()
    np.testing.assert_allclose(layer(opened, {}, "channel current", None).values, values.mean(axis=-1), rtol=1e-12)


def test_the_first_place_is_chosen_and_a_single_row_has_no_label(qtbot):
    image = MapImage(themes.LIGHT)
    qtbot.addWidget(image)
    drive = Side("drive", "V", np.arange(1e-3, 4e-3, 1e-3))
    for down, name in ((Side("offset", "V", np.array([1e-3, 2e-3])), "offset"), (Side("row", "", np.zeros(1)), "")):
        image.draw(Layer("current", "A", np.ones((len(down.centres), 3))), (drive, down))
        assert image.cell == (0, 0)
        assert image.axes["left"].title.partition(" ")[0] == name


# -- the panel -------------------------------------------------------------------------------------------------------


def test_the_map_of_a_run_has_units_and_shows_the_curve_of_a_place(panel, qtbot, path):
    take(panel, qtbot, path)
    assert panel.image.axes["bottom"].title.startswith("drive (")
    assert panel.image.axes["left"].title.startswith("offset (")
    panel.image.choose(1, 2)
    values = panel.opened.table["current"].values
    assert (panel.plot.drawn[0].curve.y == values[1, 2]).all()
    assert panel.status.text().startswith("place offset 1, drive 2: offset 2 mV, drive 3 mV")
    panel.at.setValue(5)
    np.testing.assert_allclose(shown(panel), values[..., 5] * 1e12, rtol=1e-6)
    assert panel.at_words.text() == "microwave frequency 9.276 MHz"
    low, high = panel.image.bar.levels()
    assert low >= shown(panel).min() - 1e-9
    assert high <= shown(panel).max() + 1e-9


def test_a_click_and_the_arrow_keys_choose_a_place(panel, qtbot, path):
    take(panel, qtbot, path)
    qtbot.waitUntil(lambda: panel.image.main.getViewBox().viewRange()[0][1] < 0.02, timeout=_LONG)
    at = panel.image.main.getViewBox().mapViewToScene(QPointF(2e-3, 2e-3)).toPoint()
    qtbot.mouseClick(panel.image.viewport(), Qt.MouseButton.LeftButton, pos=panel.image.mapFromScene(QPointF(at)))
    qtbot.waitUntil(lambda: panel.place == (1, 1), timeout=_LONG)
    panel.image.setFocus()
    qtbot.keyClick(panel.image, Qt.Key.Key_Right)
    assert panel.place == (1, 2)
    qtbot.keyClick(panel.image, Qt.Key.Key_Right)
    qtbot.keyClick(panel.image, Qt.Key.Key_Down)
    assert panel.place == (0, 2)


def test_every_curve_is_fitted_and_what_was_found_is_a_map(panel, qtbot, path):
    take(panel, qtbot, path)
    assert panel.model.currentText() == "srs"
    panel.context.actions.trigger("map.fit")
    qtbot.waitUntil(lambda: bool(panel.fits), timeout=_LONG)
    assert panel.layers.currentText() == "forward: rate"
    rates, errors = panel.fits["forward"]["rate"]
    assert (np.abs(rates - np.array(RATES)) < 5 * errors).all()
    np.testing.assert_allclose(shown(panel) * 1e9, rates, rtol=1e-6)
    panel.layers.setCurrentText("forward: rate, error")
    power = panel.image.bar.getAxis("right").labelText
    np.testing.assert_allclose(shown(panel) / shown(panel).max(), errors / errors.max(), rtol=1e-6)
    assert "error (" in power
    panel.image.choose(0, 1)
    assert "forward: rate (" in panel.status.text()


def test_a_refusal_of_the_fit_is_said(panel, qtbot, path):
    take(panel, qtbot, path)
    panel.model.setCurrentText("steps")
    panel.context.actions.trigger("map.fit")
    qtbot.waitUntil(lambda: "steps" in panel.status.text() and panel._task is None, timeout=_LONG)
    assert panel.fits == {}


def test_the_curve_of_a_place_goes_to_the_overlay(panel, qtbot, path):
    sent = []
    panel.context.overlay_wanted.connect(sent.append)
    take(panel, qtbot, path)
    panel.image.choose(1, 0)
    panel.context.actions.trigger("map.overlay")
    assert sent == [[(path, (1, 0))]]


def test_a_recorded_grid_is_shown(panel, qtbot, tmp_path):
    recorded = tmp_path / "steps.3ds"
    write_step_grid(recorded)
    drop_files(panel, recorded)
    qtbot.waitUntil(lambda: panel.opened is not None, timeout=_LONG)
    assert panel.image.axes["bottom"].title
    assert panel.plot.drawn


def test_one_curve_is_no_map(panel, qtbot, folder, said):
    panel.open(folder / "early.h5")
    qtbot.waitUntil(lambda: bool(said), timeout=_LONG)
    assert said == ["early.h5 holds one curve: overlay or fit it"]


@pytest.mark.parametrize("fitted", [False, True])
def test_a_figure_of_the_maps_is_written(panel, qtbot, path, tmp_path, monkeypatch, said, fitted):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "maps.pdf"), ""))
    take(panel, qtbot, path)
    if fitted:
        panel.context.actions.trigger("map.fit")
        qtbot.waitUntil(lambda: bool(panel.fits), timeout=_LONG)
    panel.context.actions.trigger("map.export")
    qtbot.waitUntil(lambda: bool(said), timeout=_LONG)
    assert (tmp_path / "maps.pdf").read_bytes().startswith(b"%PDF-")


def test_dark_colours_are_taken(panel, qtbot, path):
    take(panel, qtbot, path)
    panel.context.use_theme(themes.DARK)
    assert panel.plot.drawn[0].colour == themes.DARK.curves[0]
    assert len(GRID) == len(panel.plot.drawn[0].curve.x)
