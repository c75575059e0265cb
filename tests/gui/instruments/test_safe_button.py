"""The button: a process stands by for the station, and does it through whoever owns it."""

import pytest

from stmlab.gui.instruments.safe_button import NAME
from stmlab.gui.instruments.state_bar import StateBar
from stmlab.station import Station

PATIENCE = 60_000  # ms, on a busy computer


@pytest.fixture
def bar(qtbot, context):
    bar = StateBar(context)
    qtbot.addWidget(bar)
    yield bar
    bar.close_down()


def test_every_number_stands_below_its_name_and_the_button_is_as_high_as_two_lines(bar):
    bar.show()
    bar.adjustSize()
    for value in bar.values.values():
        assert value.value.isVisibleTo(bar)
        assert value.value.geometry().top() >= value.label.geometry().bottom()
    assert bar.button.height() > 2 * bar.button.fontMetrics().height()


def test_a_station_that_nobody_owns_is_made_safe(from_nothing, qtbot, bar, context, served):
    microscope, path = served
    with Station.load(str(path)) as station:
        station.prepare_outputs()
        station.generator.play_tone(1e9, 0.1, gated=False)
    context.station_changed.emit(str(path))
    with qtbot.waitSignal(bar.safe_state.answered, timeout=PATIENCE) as answered:
        context.actions.trigger(NAME)  # also before the process is ready
    assert answered.args == [True, "safe: every instrument has been seen safe"]
    assert not microscope.generator.on
    assert bar.run.text() == "safe: every instrument has been seen safe"


@pytest.mark.slow
def test_what_is_not_safe_is_said_in_words_and_colour(qtbot, bar, context, served):
    _, path = served
    with Station.load(str(path)):  # holds the only port of the controller, and has no guardian
        context.station_changed.emit(str(path))
        with qtbot.waitSignal(bar.safe_state.answered, timeout=PATIENCE) as answered:
            bar.button.click()
    assert not answered.args[0]
    assert "NOT SAFE: controller" in bar.run.text()
    assert context.theme.bad in bar.run.styleSheet()


def test_whoever_runs_a_simulated_microscope_is_asked(qtbot, bar, context):
    context.station_changed.emit("simulated")
    with qtbot.waitSignal(context.safe_asked):
        context.actions.trigger(NAME)


def test_a_station_that_cannot_be_loaded_is_said(qtbot, bar, context):
    said = []
    context.notices.said.connect(said.append)
    context.station_changed.emit("nowhere")
    with qtbot.waitSignal(bar.safe_state.answered, timeout=PATIENCE) as answered:
        context.actions.trigger(NAME)
    assert not answered.args[0]
    assert "nowhere" in answered.args[1]
    assert said[-1].text == answered.args[1]
    assert said[-1].advice.startswith("look at the microscope")


def test_without_a_station_the_person_is_told_to_choose_one(bar, context):
    said = []
    context.notices.said.connect(lambda notice: said.append(str(notice)))
    context.actions.trigger(NAME)
    assert said == ["no station is chosen: choose one beside the sequence"]
