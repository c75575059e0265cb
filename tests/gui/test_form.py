"""The form of an experiment: a field for each parameter, which says at once what is wrong."""

import pytest
from PyQt6.QtWidgets import QComboBox, QFormLayout, QLineEdit

from stmlab.acquisition.parameters import BooleanParameter, FloatParameter, ListParameter
from stmlab.gui.form import ParameterForm
from tests.acquisition.bench_station import Ramp


class Ladder(Ramp):
    gated = BooleanParameter("Gated", default=True, description="whether the generator is gated")
    spacing = ListParameter("Spacing", choices=("linear", "logarithmic"), default="linear")
    height = FloatParameter("Height", units="V", default=0.125, minimum=0, maximum=1)


@pytest.fixture
def form(qtbot):
    found = ParameterForm(Ladder())
    qtbot.addWidget(found)
    found.said = []
    found.refused.connect(found.said.append)
    return found


def test_every_parameter_has_a_field_with_its_unit_and_what_it_means(form):
    assert set(form.fields) == {"end", "points", "rows", "settling", "gated", "spacing", "height"}
    layout = form.layout()
    labels = {
        layout.itemAt(row, QFormLayout.ItemRole.LabelRole).widget().text(): layout.itemAt(
            row, QFormLayout.ItemRole.FieldRole
        ).widget()
        for row in range(layout.rowCount())
    }
    assert labels["Height (V)"] is form.fields["height"]
    assert labels["Gated"] is form.fields["gated"]
    assert form.fields["gated"].toolTip() == "whether the generator is gated"
    assert form.fields["height"].toolTip() == "Height"


def test_a_choice_is_chosen_from_all_there_are(form):
    for name, choices, default in (
        ("gated", ["True", "False"], "True"),
        ("spacing", ["linear", "logarithmic"], "linear"),
    ):
        box = form.fields[name]
        assert isinstance(box, QComboBox)
        assert [box.itemText(k) for k in range(box.count())] == choices
        assert box.currentText() == default
    form.fields["gated"].setCurrentText("False")
    form.fields["spacing"].setCurrentText("logarithmic")
    assert (form.sequence.gated, form.sequence.spacing) == (False, "logarithmic")


def test_a_number_is_typed_and_refused_in_words_until_it_is_right(form):
    field = form.fields["height"]
    assert isinstance(field, QLineEdit)
    assert field.text() == "0.125"
    assert form.fields["points"].text() == "5"
    field.setText("2 V")
    assert "height" in form.reason
    assert field.styleSheet()
    form.fields["points"].setText("many")
    assert "height" in form.reason, "the first wrong one"
    field.setText("250 mV")
    assert "points" in form.reason
    assert field.styleSheet() == ""
    form.fields["points"].setText("7")
    assert form.reason == ""
    assert (form.sequence.height, form.sequence.points) == (0.25, 7)
    assert form.said[0] == form.said[1]
    assert form.said[-1] == ""
