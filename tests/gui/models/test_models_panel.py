"""Models with sliders: drawn as they move, over data, into a fit, and measured on the simulated microscope."""

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication, QFileDialog

from stmlab import models
from stmlab.acquisition.experiments import sequence_class
from stmlab.config_files import known
from stmlab.gui.data.opened import open_file
from stmlab.gui.models.panel import ModelsPanel
from stmlab.gui.models.sample import measurement_entry
from stmlab.simulation.samples import read_sample
from tests.approximately import close
from tests.gui.data.conftest import GRID, RECORDED, spectrum

_LONG = 120_000  # ms


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def panel(qtbot, context, own_folder):
    context.settings.remember_panel("models", model="srs")
    found = ModelsPanel(context)
    qtbot.addWidget(found)
    found.resize(1000, 700)
    found.show()
    settle(found, qtbot)
    yield found
    found.close_down()


def settle(panel, qtbot):
    qtbot.waitUntil(lambda: not panel._newest.busy, timeout=_LONG)


def pick(panel, qtbot, name):
    panel.choice.setCurrentText(name)
    settle(panel, qtbot)


def drawn(panel):
    return {one.curve.name: one.curve for one in panel.plot.drawn}


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_has_its_sliders_and_is_drawn_with_units(panel, qtbot, name):
    pick(panel, qtbot, name)
    assert list(panel.rows) == [parameter.name for parameter in models.known(name).parameters]
    expected = models.known(name).curves()
    expected_curves = {curve.label: curve.values for curve in expected.y.values()}
    assert list(drawn(panel)) == list(expected_curves)
    for label, curve in drawn(panel).items():
        assert np.allclose(curve.y, expected_curves[label], rtol=1e-12, atol=0)
    qtbot.waitUntil(lambda: "(" in panel.plot.axes["left"].title, timeout=_LONG)
    assert "(" in panel.plot.axes["bottom"].title


def test_a_slider_changes_value_field_and_curve(panel, qtbot):
    row, before = panel.rows["amplitude"], drawn(panel)["SRS current"].y
    row.slider.setValue(row.slider.value() + 20)
    settle(panel, qtbot)
    assert row.value == close(4.8e-3, rel=0.05)
    assert row.field.text().endswith("mV")
    expected = models.known("srs").curves({"amplitude": row.value})
    np.testing.assert_allclose(drawn(panel)["SRS current"].y, expected.y["current"].values, rtol=1e-12)
    assert np.abs(before / expected.y["current"].values - 1).max() > 0.1
    assert "I_SR = " in panel.derived.text()


def test_a_value_is_typed_as_people_write_it_and_refused_in_words(panel, qtbot):
    row = panel.rows["dc_bias"]
    row.field.setText("")
    qtbot.keyClicks(row.field, "2 mV")
    settle(panel, qtbot)
    assert panel.values()["dc_bias"] == 2e-3
    row.field.setText("")
    qtbot.keyClicks(row.field, "5 V")
    assert "dc_bias = 5 V: -100 mV to 100 mV is allowed" in panel.status.text()
    assert panel.values()["dc_bias"] == 2e-3
    assert row.field.styleSheet()


def test_the_wheel_changes_nothing(panel, qtbot):
    slider = panel.rows["dc_bias"].slider
    before = slider.value()
    at, none = QPointF(5, 5), QPoint(0, 0)
    keys, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    wheel = QWheelEvent(at, at, none, QPoint(0, 120), Qt.MouseButton.NoButton, keys, phase, False)
    QApplication.sendEvent(slider, wheel)
    assert slider.value() == before


def test_of_many_changes_the_newest_is_drawn(panel, qtbot):
    for value in range(100, 900, 20):
        panel.rows["relaxation_rate_per_s"].slider.setValue(value)
    settle(panel, qtbot)
    expected = models.known("srs").curves({"relaxation_rate_per_s": panel.rows["relaxation_rate_per_s"].value})
    np.testing.assert_allclose(drawn(panel)["SRS current"].y, expected.y["current"].values, rtol=1e-12)


def test_start_values_come_back_and_values_are_kept_over_restarts(panel, qtbot, context):
    panel.rows["amplitude"].set("1 mV")
    panel._changed()
    settle(panel, qtbot)
    panel.close_down()
    assert context.settings.panel("models")["values"]["srs"]["amplitude"] == 1e-3
    pick(panel, qtbot, "molecules")
    pick(panel, qtbot, "srs")
    assert panel.values()["amplitude"] == 1e-3
    panel.context.actions.trigger("models.reset")
    assert panel.values()["amplitude"] == 2.8e-3


# -- over data -------------------------------------------------------------------------------------------------------


def test_the_model_is_drawn_over_the_data_in_view(panel, qtbot, tmp_path):
    opened = open_file(spectrum(tmp_path / "run.h5"))
    panel.context.data_shown.emit(opened)
    settle(panel, qtbot)
    assert (drawn(panel)["run"].y == opened.table["current"].values).all()
    x = drawn(panel)["SRS current"].x
    assert (x[0], x[-1]) == (close(GRID[0]), close(GRID[-1]))
    panel.context.actions["models.whole"].setChecked(True)
    panel.draw()
    settle(panel, qtbot)
    assert drawn(panel)["SRS current"].x[-1] == close(20e9)
    panel.context.actions.trigger("models.forget")
    settle(panel, qtbot)
    assert list(drawn(panel)) == ["SRS current"]


def test_a_run_that_is_shown_comes_under_the_model(panel, qtbot, tmp_path):
    panel.context.run_shown.emit(spectrum(tmp_path / "run.h5"))
    qtbot.waitUntil(lambda: "run" in drawn(panel), timeout=_LONG)


def test_data_of_another_axis_or_unit_are_not_drawn(panel, qtbot):
    panel.context.data_shown.emit(open_file(RECORDED))
    settle(panel, qtbot)
    assert list(drawn(panel)) == ["SRS current"]
    pick(panel, qtbot, "transport")
    assert list(drawn(panel)) == ["dI/dV"]
    assert panel.status.text() == "spectrum is in V and not drawn"
    assert drawn(panel)["dI/dV"].x[-1] == close(8e-3)


# -- what is done with it --------------------------------------------------------------------------------------------


def test_a_fit_begins_at_the_sliders(panel, qtbot, tmp_path):
    wanted, brought = [], []
    panel.context.fit_wanted.connect(wanted.append)
    panel.context.panel_wanted.connect(brought.append)
    path = spectrum(tmp_path / "run.h5")
    panel.context.data_shown.emit(open_file(path))
    with qtbot.waitSignal(panel.context.start_wanted, timeout=_LONG) as started:
        panel.context.actions.trigger("models.fit")
    start = started.args[0]
    assert (wanted, brought) == ([path], ["fit"])
    assert start.fit == "srs"
    assert start.values["rate"] == close(1.73e9, rel=1e-3)
    pick(panel, qtbot, "transport")
    panel.rows["exchange"].box.setCurrentText("ising")
    with qtbot.waitSignal(panel.context.start_wanted, timeout=_LONG) as started:
        panel.context.actions.trigger("models.fit")
    assert (started.args[0].fit, started.args[0].exchange) == ("transport", "ising")
    assert started.args[0].values["axial_anisotropy_meV"] == -4.2


def test_this_is_measured_on_the_simulated_microscope(panel, qtbot, own_folder, said_of):
    panel.rows["relaxation_rate_per_s"].set(5e8)
    with qtbot.waitSignal(panel.context.run_asked, timeout=_LONG) as asked:
        panel.context.actions.trigger("models.measure")
    entry = asked.args[0]
    assert (entry.sequence, entry.station) == ("srs", "simulated")
    sample = read_sample(known("samples")[entry.sample])
    assert sample.junction.relaxation_rate_per_s == 5e8
    assert str(own_folder) in said_of[0]


@pytest.fixture
def said_of(context):
    notices = []
    context.notices.said.connect(lambda notice: notices.append(str(notice)))
    return notices


@pytest.mark.parametrize("name", [name for name in models.MODELS if models.known(name).measurement is not None])
def test_the_sequence_takes_every_setting_of_the_measurement(own_folder, name):
    _, entry = measurement_entry(models.known(name), {}, "2024")
    sequence = sequence_class(entry.sequence)()
    for parameter, text in entry.settings.items():
        sequence.set(parameter, text)
    assert entry.sample in known("samples")


def test_what_the_simulated_microscope_has_not_cannot_be_measured(panel, qtbot):
    assert panel.context.actions["models.measure"].isEnabled()
    pick(panel, qtbot, "molecules")
    assert not panel.context.actions["models.measure"].isEnabled()
    assert not panel.context.actions["models.fit"].isEnabled()


def test_a_figure_of_it_is_written(panel, qtbot, tmp_path, monkeypatch, said_of):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "model.svg"), ""))
    panel.context.actions.trigger("models.export")
    qtbot.waitUntil(lambda: bool(said_of), timeout=_LONG)
    assert (tmp_path / "model.svg").read_text().startswith("<?xml")


def test_what_has_no_effect_cannot_be_moved(panel, qtbot):
    assert panel.rows["excitation_rate_per_s"].slider.isEnabled()
    assert not panel.rows["axial_anisotropy_meV"].slider.isEnabled()
    assert not panel.rows["spin"].box.isEnabled()
    panel.rows["states"].box.setCurrentText("spin")
    qtbot.waitUntil(lambda: "E1 = " in panel.derived.text(), timeout=_LONG)
    assert not panel.rows["excitation_rate_per_s"].field.isEnabled()
    assert panel.rows["axial_anisotropy_meV"].slider.isEnabled()
    assert panel.rows["spin"].box.isEnabled()
