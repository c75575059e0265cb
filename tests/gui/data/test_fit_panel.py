"""Fits from the window: model, range, start values, what is fixed, progress and stop, what is kept."""

import json

import numpy as np
import pytest

from stmlab.analysis.lorentzian import fit_srs
from stmlab.gui.data.fit_panel import FitPanel
from stmlab.models.start import Start
from stmlab.storage import open_run
from tests.approximately import close
from tests.gui.data.conftest import GRID, drop_files, ramp

_LONG = 120_000  # ms


@pytest.fixture
def panel(qtbot, context, folder):
    found = FitPanel(context)
    qtbot.addWidget(found)
    found.resize(1000, 700)
    found.show()
    yield found
    found.close_down()


def take(panel, qtbot, path):
    panel.context.fit_wanted.emit(path)
    qtbot.waitUntil(lambda: panel.opened is not None and panel.opened.path == path, timeout=_LONG)


def fit(panel, qtbot):
    panel.context.actions.trigger("fit.run")
    qtbot.waitUntil(lambda: panel._task is None, timeout=_LONG)
    return panel.shown_fit


def test_the_model_of_the_sequence_is_offered_and_fits(panel, qtbot, folder):
    take(panel, qtbot, folder / "early.h5")
    assert panel.form.model.currentText() == "srs"
    assert not panel.form.channel.isVisible()
    found = fit(panel, qtbot)
    expected = fit_srs(GRID, open_run(folder / "early.h5").data["current"])
    assert found["rate"].value == close(expected["rate"].value)
    assert panel.status.text() == "fitted"
    assert panel.table.table.rowCount() == len(expected.parameters)
    assert [one.curve.name for one in panel.plot.drawn] == ["data", "fit"]
    np.testing.assert_allclose(panel.plot.left[0].curve.y, expected.curves["residual"])


def test_the_last_fit_of_a_run_is_shown_at_once(panel, qtbot, folder):
    take(panel, qtbot, folder / "late.h5")
    assert panel.shown_fit["rate"].value == close(open_run(folder / "late.h5").fits[-1]["rate"].value)
    assert not panel.context.actions["fit.keep"].isEnabled()


def test_range_start_and_fixed_parameters_are_taken(panel, qtbot, folder):
    take(panel, qtbot, folder / "early.h5")
    panel.form.set_range("10 MHz", "5 GHz")
    panel.form.start["rate"].setText("1e9")
    panel.form.start["offset"].setText("-3 pA")
    panel.form.fixed["offset"].setChecked(True)
    found = fit(panel, qtbot)
    inside = (GRID >= 1e7) & (GRID <= 5e9)
    assert found.points == inside.sum()
    assert found.free == ("rate", "step")
    assert found.choices["fixed"] == "offset = -3 pA"
    assert [one.curve.name for one in panel.plot.drawn][:2] == ["early", "data"]  # what was left out is drawn, too


def test_a_refusal_is_said_in_words(panel, qtbot, folder):
    take(panel, qtbot, folder / "early.h5")
    panel.form.start["rate"].setText("fast")
    fit(panel, qtbot)
    assert "'fast' is not a number" in panel.status.text()
    panel.form.start["rate"].setText("")
    panel.form.low.setText("1 MHz")
    fit(panel, qtbot)
    assert panel.status.text() == "a range needs both of its ends"


def test_the_range_is_drawn_in_the_plot(panel, qtbot, folder):
    take(panel, qtbot, folder / "early.h5")
    panel.context.actions.trigger("fit.range")
    assert panel.plot.span is not None
    panel.plot.span.setRegion((7.0, 9.0))
    panel.plot.span.sigRegionChangeFinished.emit(panel.plot.span)
    assert panel.form.asked().within == ("10 MHz", "1 GHz")


def test_what_was_in_the_form_is_there_again_after_a_restart(panel, qtbot, context, folder):
    take(panel, qtbot, folder / "early.h5")
    panel.form.model.setCurrentText("srs_two_widths")
    panel.form.start["half_width_step"].setText("1 pA")
    panel.form.fixed["rate"].setChecked(True)
    panel.form.set_range("10 MHz", "5 GHz")
    kept = json.loads(context.settings.path.read_text())["panels"]["fit"]
    assert kept["model"] == {"srs": "srs_two_widths"}
    panel.form.model.setCurrentText("srs")
    assert panel.form.asked().within == ("", "")
    take(panel, qtbot, folder / "late.h5")
    assert panel.form.model.currentText() == "srs"
    panel.form.model.setCurrentText("srs_two_widths")
    assert panel.form.start["half_width_step"].text() == "1 pA"
    assert panel.form.asked().fixed == ("rate",)
    panel.context.actions.trigger("fit.clear")
    assert panel.form.asked().start == {}


def test_a_fit_is_kept_with_its_run_only(panel, qtbot, folder, said):
    take(panel, qtbot, folder / "early.h5")
    panel.form.model.setCurrentText("srs_two_widths")
    found = fit(panel, qtbot)
    panel.context.actions.trigger("fit.keep")
    qtbot.waitUntil(lambda: panel.status.text() == "kept with the run", timeout=_LONG)
    stored = open_run(folder / "early.h5").fits
    assert [one.model for one in stored] == ["srs", "srs_two_widths"]
    assert stored[-1]["rate"].value == found["rate"].value
    take(panel, qtbot, folder / "recorded.dat")
    fit(panel, qtbot)
    assert not panel.context.actions["fit.keep"].isEnabled()


def test_each_sweep_of_a_recorded_file_is_shown(panel, qtbot, folder):
    drop_files(panel, folder / "recorded.dat")
    qtbot.waitUntil(lambda: panel.opened is not None, timeout=_LONG)
    assert panel.form.channel.isVisible()
    assert panel.form.model.currentText() == "steps"
    panel.form.settings["temperature"].setText("2 K")
    fit(panel, qtbot)
    assert list(panel.fits) == ["forward", "backward"]
    panel.sweep.setCurrentText("backward")
    assert panel.shown_fit is panel.fits["backward"]
    assert "temperature = 2 K" in panel.shown_fit.choices["given"]
    assert panel.table.heading.text().startswith("fit steps")


def test_a_fit_begins_where_the_last_one_ended(panel, qtbot, folder):
    take(panel, qtbot, folder / "early.h5")
    panel.context.actions.trigger("fit.begin")
    rate = panel.shown_fit["rate"].value
    assert float(panel.form.start["rate"].text()) == rate
    panel.form.fixed["rate"].setChecked(True)
    assert fit(panel, qtbot)["step"].value == close(panel.shown_fit["step"].value)
    assert "begun at" in panel.shown_fit.choices


def test_a_model_with_sliders_hands_over_its_start_values(panel, qtbot, folder, said):
    start = Start("srs", {"rate": 2e9, "step": 5e-12, "offset": 1e-12, "colour": 3.0})
    panel.context.start_wanted.emit(start)
    assert "there is no file in the fit panel" in said[0]
    take(panel, qtbot, folder / "early.h5")
    panel.form.model.setCurrentText("decay")
    panel.context.start_wanted.emit(start)
    assert panel.form.model.currentText() == "srs"
    assert {name: float(field.text()) for name, field in panel.form.start.items()} == {
        "rate": 2e9,
        "step": 5e-12,
        "offset": 1e-12,
    }
    take(panel, qtbot, folder / "recorded.dat")
    panel.context.start_wanted.emit(Start("exchange", {}))
    assert "cannot be fitted with exchange" in said[-1]


def test_a_fit_of_the_run_in_the_live_plots_is_drawn_there(panel, qtbot, folder):
    drawn = []
    panel.context.fit_shown.connect(drawn.append)
    take(panel, qtbot, folder / "early.h5")
    fit(panel, qtbot)
    assert drawn == []
    panel.context.run_shown.emit(folder / "early.h5")
    fit(panel, qtbot)
    assert drawn == [panel.shown_fit]


def test_a_long_fit_shows_how_far_it_is_and_is_stopped_with_what_it_has(panel, qtbot, tmp_path):
    take(panel, qtbot, ramp(tmp_path / "ramp.h5"))
    assert panel.form.model.currentText() == "transport"
    panel.context.actions.trigger("fit.run")
    assert panel.context.actions["fit.stop"].isEnabled()
    assert not panel.context.actions["fit.run"].isEnabled()
    qtbot.waitUntil(lambda: "iterations" in panel.status.text(), timeout=_LONG)
    panel.context.actions.trigger("fit.stop")
    qtbot.waitUntil(lambda: panel._task is None, timeout=_LONG)
    ended = panel.shown_fit.choices["ended"] if panel.shown_fit is not None else panel.status.text()
    assert ended.startswith("stopped")
