"""The instruments' panel and the state bar, on the simulated station and on served instruments."""

from types import SimpleNamespace

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QSignalSpy
from PyQt6.QtWidgets import QApplication

from stmlab.gui import themes
from stmlab.gui.context import Context
from stmlab.gui.instruments.knob import KnobField
from stmlab.gui.instruments.panel import InstrumentsPanel
from stmlab.gui.instruments.state_bar import StateBar
from stmlab.gui.instruments.words import as_text, name_in_words, rounded
from stmlab.gui.settings import Settings
from stmlab.gui.themes import DARK, LIGHT
from stmlab.station.configuration import read_station
from stmlab.station.lock import addresses, owner_of

PATIENCE = 60_000  # ms, on a busy computer


@pytest.fixture
def bar(qtbot, context):
    bar = StateBar(context)
    qtbot.addWidget(bar)
    yield bar
    bar.close_down()


@pytest.fixture
def panel(context):
    panel = InstrumentsPanel(context)
    context.station_changed.emit("simulated")
    yield panel
    panel.close_down()
    panel.deleteLater()


@pytest.fixture(scope="module")
def window(qapp, tmp_path_factory):
    """The panel and the bar of one window: a test that changes something at the station changes it back."""
    themes.apply(LIGHT, QApplication.instance())
    context = Context(Settings(tmp_path_factory.mktemp("window") / "window.json"), LIGHT)
    panel, bar = InstrumentsPanel(context), StateBar(context)
    context.station_changed.emit("simulated")
    yield SimpleNamespace(context=context, panel=panel, bar=bar)
    if panel.connection.is_open:
        closed = QSignalSpy(panel.connection.closed)
        panel.connection.leave()
        assert closed.wait(PATIENCE)
    for widget in (panel, bar):
        widget.close_down()
        widget.deleteLater()
    context.close()


@pytest.fixture
def connected(qtbot, window):
    if not window.panel.connection.is_open:
        with qtbot.waitSignal(window.panel.connection.values, timeout=PATIENCE):
            window.context.actions.trigger("instruments.connect")
    return window.panel


def enter(qtbot, field, text):
    field.edit.clear()
    qtbot.keyClicks(field.edit, text)
    qtbot.keyClick(field.edit, Qt.Key.Key_Return)


def test_nothing_is_dialled_before_a_person_connects(panel):
    assert not panel.connection.is_open
    assert panel.state.text() == "not connected"
    assert not panel.context.actions["instruments.rf_off"].isEnabled()


def test_each_instrument_has_its_values_and_lights(connected, window):
    bar = window.bar
    assert list(connected.groups) == ["controller", "lockin", "awg"]
    lockin = connected.groups["lockin"]
    assert lockin.lights["connected"].dot.text() == "●"
    assert lockin.lights["overload"].dot.text() == "○"
    assert lockin.fields["time_constant"].now.text().endswith("s")
    assert bar.loop.value.text() == "closed"
    assert bar.values["bias"].value.text() == "10 mV"
    assert bar.values["current"].value.text().endswith(" pA")


def test_a_value_is_set_with_its_unit_and_read_back(qtbot, connected, window):
    field, shown = connected.groups["controller"].fields["bias"], window.bar.values["bias"].value
    for text in ("20 mV", "10 mV"):
        enter(qtbot, field, text)
        qtbot.waitUntil(lambda text=text: shown.text() == text, timeout=PATIENCE)
        assert field.edit.text() == ""


def test_what_cannot_be_is_refused_beside_the_field_and_not_sent(qtbot, connected):
    field = connected.groups["controller"].fields["bias"]
    for text, why in (("40 V", "outside the station's limits"), ("4 Hz", "unit"), ("x", "x")):
        with qtbot.assertNotEmitted(field.changed):
            enter(qtbot, field, text)
        assert why in field.refusal.text()
        assert not field.refusal.isHidden()


def test_what_the_station_refuses_is_said_beside_the_field(qtbot, connected):
    field = connected.groups["controller"].fields["bias"]
    enter(qtbot, field, "-20 mV")
    qtbot.waitUntil(lambda: "would drive the tip into the sample" in field.refusal.text(), timeout=PATIENCE)


def test_a_tone_is_played_and_switched_off(qtbot, connected):
    connected.microwave.frequency.setText("2 GHz")
    connected.microwave.play_button.click()
    light = connected.groups["awg"].lights["output on"]
    qtbot.waitUntil(lambda: light.dot.text() == "●", timeout=PATIENCE)
    connected.context.actions.trigger("instruments.rf_off")
    qtbot.waitUntil(lambda: light.dot.text() == "○", timeout=PATIENCE)


def test_a_tone_that_is_refused_says_why(qtbot, connected):
    connected.microwave.amplitude.setText("1 kV")
    connected.microwave.play_button.click()
    qtbot.waitUntil(lambda: "limits" in connected.microwave.refusal.text(), timeout=PATIENCE)
    connected.microwave.amplitude.setText("1 mV")


def test_other_colours_reach_everything(connected, window):
    field = connected.groups["controller"].fields["bias"]
    for theme in (DARK, LIGHT):
        window.context.use_theme(theme)
        assert theme.faint in window.bar.loop.label.styleSheet()
        assert theme.bad in field.refusal.styleSheet()


def test_a_run_takes_the_station_and_nothing_can_be_changed(qtbot, connected):
    with qtbot.waitSignal(connected.connection.closed, timeout=PATIENCE):
        connected.context.run_changed.emit("running", "")
    assert not connected.groups["controller"].fields["bias"].edit.isEnabled()
    assert not connected.context.actions["instruments.connect"].isEnabled()
    connected.context.values_seen.emit({"controller": {"bias": 0.033, "height": 1e-10, "status": "off"}})
    assert connected.groups["controller"].fields["bias"].now.text() == "33 mV"
    connected.context.run_changed.emit("finished", "")
    assert connected.context.actions["instruments.connect"].isEnabled()


def test_the_safe_state_ends_the_connection_to_a_simulated_microscope(qtbot, connected, window):
    with qtbot.waitSignal(connected.connection.closed, timeout=PATIENCE) as closed:
        window.bar.button.click()
    assert closed.args == ["safe: RF and modulation off, controller as it was", False]


def test_closing_the_window_leaves_the_loop_closed_and_switches_the_rf_off(from_nothing, qtbot, context, bar, served):
    microscope, path = served
    panel = InstrumentsPanel(context)
    context.station_changed.emit(str(path))
    with qtbot.waitSignal(panel.connection.values, timeout=PATIENCE):
        context.actions.trigger("instruments.connect")
    panel.microwave.play_button.click()
    qtbot.waitUntil(lambda: microscope.generator.on, timeout=PATIENCE)
    panel.close_down()
    panel.deleteLater()
    qtbot.waitUntil(lambda: not microscope.generator.on, timeout=PATIENCE)
    qtbot.waitUntil(lambda: owner_of(addresses(read_station(path)[0])[0]) is None, timeout=PATIENCE)
    assert microscope.tip.feedback
    assert not microscope.tip.withdrawn


def test_a_station_that_cannot_be_loaded_is_a_notice(qtbot, panel):
    said = []
    panel.context.notices.said.connect(lambda notice: said.append(notice.text))
    panel.context.station_changed.emit("nowhere")
    with qtbot.waitSignal(panel.connection.closed, timeout=PATIENCE):
        panel.context.actions.trigger("instruments.connect")
    assert "nowhere" in said[0]


def test_an_unsafe_state_is_shown_until_another_run_begins(bar, context):
    context.run_changed.emit("failed", "NOT SAFE: awg: no answer")
    assert "NOT SAFE: awg" in bar.run.text()
    assert LIGHT.bad in bar.run.styleSheet()
    context.run_changed.emit("finished", "done")
    assert "NOT SAFE: awg" in bar.run.text()
    context.run_changed.emit("preparing", "")
    assert "NOT SAFE" not in bar.run.text()


def test_the_wheel_changes_nothing(qtbot):
    knob = {"name": "filter_slope", "label": "Slope", "unit": "dB/oct", "choices": [6, 12], "bounds": None}
    field = KnobField(knob, LIGHT)
    qtbot.addWidget(field)
    wheel = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    with qtbot.assertNotEmitted(field.changed):
        field.edit.wheelEvent(wheel)
    assert not wheel.isAccepted()
    assert field.edit.currentIndex() == 0


def test_words():
    assert name_in_words("aux_out_1") == "Aux out 1"
    assert name_in_words("dac_mode") == "DAC mode"
    assert (as_text(True), as_text(4e-3, "V"), as_text("INT")) == ("on", "4 mV", "INT")
    assert rounded(99.97881e-12, "A") == "99.98 pA"


def test_what_was_read_during_a_run_is_told_apart_once_nobody_reads_it_any_more(bar, context):
    bias, height = bar.values["bias"], bar.values["height"]
    context.run_changed.emit("running", "")
    context.values_seen.emit({"controller": {"bias": 4e-3, "current": 1e-9, "status": "OFF"}})
    assert (bias.label.text(), bias.value.text()) == ("Bias", "4 mV")
    context.run_changed.emit("finished", "")
    assert bias.label.text() == "Bias, then"
    assert context.theme.faint in bar.loop.value.styleSheet()
    assert height.label.text() == "Z", "it was never read"
    context.values_seen.emit({"controller": {"bias": 5e-3}})
    assert (bias.label.text(), bias.value.text()) == ("Bias", "5 mV")
    assert context.theme.faint not in bar.loop.value.styleSheet()


def test_a_harmonic_is_a_whole_number_and_none_is_cut_to_one(qtbot):
    field = KnobField({"name": "harmonic", "label": "Harmonic", "unit": "", "choices": None, "bounds": None}, LIGHT)
    qtbot.addWidget(field)
    sent = []
    field.changed.connect(lambda name, value: sent.append((name, value)))
    for text in ("2.5", "3"):
        field.edit.setText(text)
        qtbot.keyClick(field.edit, Qt.Key.Key_Return)
    assert sent == [("harmonic", 3)]
