"""The form of an experiment: groups, values as people write them, bounds, refusals beside the field."""

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication

from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.parameters import BooleanParameter, FloatParameter, ListParameter
from stmlab.gui.measure.bounds import station_facts
from stmlab.gui.measure.fields import ChoiceField, TruthField, WrittenField
from stmlab.gui.measure.form import ParameterForm
from stmlab.gui.themes import DARK, LIGHT
from tests.acquisition.bench_station import Ramp
from tests.approximately import close


class Ladder(Ramp):
    gated = BooleanParameter("Gated", default=True, description="whether the generator is gated")
    spacing = ListParameter("Spacing", choices=("linear", "logarithmic"), default="linear")
    height = FloatParameter("Height", units="V", default=0.125, minimum=0, maximum=1)
    rate = FloatParameter("Rate", units="1/s", default=1e9, minimum=1, maximum=1e12)


@pytest.fixture
def form(qtbot):
    found = ParameterForm(Ladder(), {}, LIGHT)
    qtbot.addWidget(found)
    return found


@pytest.fixture
def srs(qtbot):
    found = ParameterForm(sequence_class("srs")(), station_facts("simulated").limits, LIGHT)
    qtbot.addWidget(found)
    found.show()
    return found


def test_every_parameter_has_a_field_that_suits_it_and_tells_what_it_means(form):
    assert set(form.rows) == set(form.sequence.parameter_objects())
    kinds = {"gated": TruthField, "spacing": ChoiceField, "height": WrittenField, "points": WrittenField}
    assert {name: type(form.rows[name].field) for name in kinds} == kinds
    assert "whether the generator is gated" in form.rows["gated"].field.inner.toolTip()


def test_defaults_are_written_as_people_write_them(srs):
    texts = srs.texts()
    written = {
        "setpoint_current": "4 nA",
        "amplitude": "2.8 mV",
        "stop_frequency": "20 GHz",
        "expected_rate": "1·10⁹ /s",
        "time_constant": "30 ms",
        "points": "60",
        "flatten": "true",
        "filter_slope": "24",
    }
    assert {name: texts[name] for name in written} == written
    assert srs.settings() == {}
    assert srs.reason == ""


def test_groups_stand_in_the_order_of_the_experiment_and_advanced_is_closed(srs):
    assert list(srs.groups) == ["setpoint", "sweep", "microwave", "lock-in", "advanced"]
    assert [title for title, group in srs.groups.items() if not group.is_open] == ["advanced"]
    assert list(srs.rows)[:4] == ["setpoint_bias", "setpoint_current", "stabilise_time", "dc_bias"]
    srs.groups["advanced"].heading.click()
    assert srs.rows["settling_residual"].field.isVisible()


def test_what_is_typed_is_what_the_sequence_has(srs):
    for name, text, value in (("dc_bias", "200 uV", 2e-4), ("setpoint_current", "1.5nA", 1.5e-9)):
        srs.rows[name].field.set_text(text)
        assert getattr(srs.sequence, name) == close(value, rel=1e-12)
    assert srs.settings() == {"dc_bias": "200 uV", "setpoint_current": "1.5nA"}
    srs.rows["flatten"].field.box.setChecked(False)
    srs.rows["grid"].field.box.setCurrentText("linear")
    assert (srs.sequence.flatten, srs.sequence.grid) == (False, "linear")
    srs.reset()
    assert srs.settings() == {}
    assert srs.sequence.dc_bias == close(4e-3, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("dc_bias", "4 Hz", "'4 Hz' is not a number, or a number with a unit of V"),
        ("dc_bias", "", "'' is not a number"),
        ("dc_bias", "20 V", "-10 to 10 V is allowed"),
        ("dc_bias", "nan", "-10 to 10 V is allowed"),
        ("dc_bias", "0.2 V", "200 mV: the station allows ±100 mV (limits.bias)"),
        ("setpoint_current", "20 nA", "20 nA: the station allows 1 pA … 10 nA (limits.setpoint)"),
        ("amplitude", "30 mV", "30 mV: the station allows 0 … 20 mV (limits.junction_amplitude)"),
        ("points", "6.5", "a whole number from 1 to 100000 is allowed"),
    ],
)
def test_a_wrong_value_is_refused_in_words_beside_its_field_until_it_is_right(srs, name, text, why):
    row, before = srs.rows[name], srs.texts()[name]
    row.field.set_text(text)
    assert why in row.refusal.text()
    assert row.refusal.isVisible()
    assert LIGHT.bad in row.field.inner.styleSheet()
    assert srs.reason.startswith(row.parameter.name)
    row.field.set_text(before)
    assert row.refusal.isHidden()
    assert row.field.inner.styleSheet() == ""
    assert srs.reason == ""


def test_what_is_allowed_is_shown_with_where_it_is_set(srs):
    shown = {name: srs.rows[name].allowed.text() for name in srs.rows}
    assert shown["dc_bias"] == "±100 mV"
    assert shown["setpoint_current"] == "1 pA … 10 nA"
    assert shown["amplitude"] == "1 µV … 20 mV"
    assert shown["points"] == "1 … 100000"
    assert shown["filter_slope"] == "dB/octave"
    tip = srs.rows["dc_bias"].allowed.toolTip()
    assert "parameter: ±10 V" in tip
    assert "simulated.toml: limits.bias" in tip


def test_bounds_of_the_modulation_are_those_at_the_junction(qtbot):
    form = ParameterForm(sequence_class("didv")(), station_facts("simulated").limits, LIGHT)
    qtbot.addWidget(form)
    assert form.rows["modulation"].allowed.text() == "100 nV … 1.414 mV"  # 0.1 V rms behind a divider of 100
    form.rows["modulation"].field.set_text("1.5 mV")
    assert "limits.modulation" in form.reason


def test_a_pulse_has_a_sign_and_its_size_is_bounded(qtbot):
    form = ParameterForm(sequence_class("pump_probe")(), station_facts("simulated").limits, LIGHT)
    qtbot.addWidget(form)
    assert form.rows["pump"].allowed.text() == "±20 mV"
    for text, wrong in (("-15 mV", False), ("15 mV", False), ("-25 mV", True), ("25 mV", True)):
        form.rows["pump"].field.set_text(text)
        assert bool(form.rows["pump"].reason) is wrong, text


def test_a_refusal_opens_the_group_it_stands_in_when_values_are_filled_in(srs):
    missing = srs.fill({"settling_residual": "2", "of_old": "3"})
    assert missing == ("of_old",)
    assert srs.groups["advanced"].is_open


def test_the_check_of_the_whole_run_is_shown_at_its_parameters_and_covers_nothing(srs):
    srs.rows["dc_bias"].field.set_text("20 V")
    own = srs.rows["dc_bias"].reason
    srs.object_to(("dc_bias", "time_constant", "unknown"), "too short")
    assert srs.rows["dc_bias"].refusal.text() == own
    assert srs.rows["time_constant"].refusal.text() == "too short"
    assert srs.reason.endswith(own)
    srs.rows["dc_bias"].field.set_text("3 mV")
    assert srs.rows["time_constant"].refusal.isHidden()
    assert srs.reason == ""


def test_the_wheel_never_changes_a_value(form):
    for name, row in form.rows.items():
        before = row.field.text()
        event = QWheelEvent(
            QPointF(3, 3),
            QPointF(3, 3),
            QPoint(0, -120),
            QPoint(0, -120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        row.field.inner.setFocus()
        QApplication.sendEvent(row.field.inner, event)
        assert row.field.text() == before, name
        if isinstance(row.field, ChoiceField):
            assert not event.isAccepted(), "the form scrolls"


def test_colours_follow_the_theme(srs):
    srs.rows["dc_bias"].field.set_text("20 V")
    srs.paint(DARK)
    assert DARK.bad in srs.rows["dc_bias"].field.inner.styleSheet()
    assert DARK.faint in srs.rows["points"].allowed.styleSheet()
