"""The panel in which a run is prepared."""

import pytest
from PyQt6.QtWidgets import QFileDialog, QInputDialog

from stmlab.acquisition import experiments
from stmlab.acquisition.measurement import measure
from stmlab.acquisition.queue.entries import QueueEntry
from stmlab.gui.context import Context
from stmlab.gui.measure.panel import MeasurePanel
from stmlab.gui.settings import Settings

PATIENCE = 60_000  # ms


@pytest.fixture
def no_pause(monkeypatch):
    """Nobody types on."""
    monkeypatch.setattr("stmlab.gui.measure.preflight._PAUSE", 0)


@pytest.fixture
def panel(qtbot, context, tmp_path):
    context.settings.remember(sequence="srs", folder=str(tmp_path / "runs"))
    context.said, context.asked = [], []
    context.notices.said.connect(lambda notice: context.said.append(str(notice)))
    for signal in (context.run_asked, context.entry_added, context.entry_replaced):
        signal.connect(context.asked.append)
    made = MeasurePanel(context)
    qtbot.addWidget(made)
    made.show()
    return made


def put(panel, name, text):
    panel.form.rows[name].field.set_text(text)


def settled(panel, qtbot):
    qtbot.waitUntil(lambda: panel.preflight.plan is not None, timeout=PATIENCE)
    return panel.preflight.plan


def test_sequences_are_listed_with_their_description(panel):
    box = panel.head.sequence
    assert {box.itemText(k) for k in range(box.count())} >= {"srs", "didv", "time_trace"}
    assert "fits the switching rate" in panel.head.description.text()
    box.setCurrentText("didv")
    assert panel.head.description.text().startswith("dI/dV spectrum")
    assert panel.form.sequence.name == "didv"


def test_run_now_add_and_replace_yield_entries_as_people_write_them(panel, tmp_path):
    put(panel, "dc_bias", "2 mV")
    panel.destination.remark.setText("the left atom")
    panel.context.actions.trigger("measure.run")
    panel.context.actions.trigger("measure.add")
    first, second = panel.context.asked
    assert (first.sequence, first.station, first.sample) == ("srs", "simulated", None)
    assert first.settings == {"dc_bias": "2 mV"}
    assert (first.folder, first.note) == (str(tmp_path / "runs"), "the left atom")
    assert first.id != second.id
    assert not panel.context.actions["measure.replace"].isEnabled()


def test_what_is_refused_is_told_and_not_asked_for(panel):
    put(panel, "dc_bias", "20 V")
    panel.context.actions.trigger("measure.run")
    panel.context.actions.trigger("measure.add")
    assert panel.context.asked == []
    assert panel.context.said[0].startswith("not started: DC bias: 20.0: -10 to 10 V is allowed")


def test_an_entry_of_the_queue_is_taken_changed_and_replaced_with_what_the_form_does_not_show(panel):
    entry = QueueEntry(
        sequence="didv",
        sample="coh_bare",
        settings={"points": "11"},
        loop={"modulation": ("0.1 mV", "0.2 mV")},
        repeat=3,
        seed=7,
        tags=("evening",),
        note="before",
        name="spectrum",
    )
    panel.context.entry_wanted.emit(entry)
    assert panel.form.texts()["points"] == "11"
    assert panel.form.texts()["modulation"] == "0.1 mV"
    put(panel, "points", "21")
    panel.context.actions.trigger("measure.replace")
    panel.context.actions.trigger("measure.add")
    changed, new = panel.context.asked
    assert changed == entry.changed(settings={"points": "21"}, folder=changed.folder)
    assert new.id != entry.id
    assert new.loop == entry.loop


def test_another_sequence_than_that_of_the_entry_keeps_nothing_of_it(panel):
    panel.context.entry_wanted.emit(QueueEntry(sequence="didv", loop={"modulation": ("0.1 mV",)}, repeat=3))
    panel.head.choose(sequence="time_trace")
    assert (panel.entry().loop, panel.entry().repeat) == ({}, 1)


def test_an_entry_of_a_sequence_that_is_not_there_is_a_notice(panel):
    panel.context.entry_wanted.emit(QueueEntry(sequence="of_old"))
    assert panel.context.said == ["of_old: no such sequence: reload the sequences, or choose another"]


def test_values_are_remembered_for_each_sequence_and_station(panel, qtbot, settings):
    put(panel, "dc_bias", "2 mV")
    panel.head.choose(sequence="didv")
    put(panel, "points", "33")
    panel.head.choose(sequence="srs")
    assert panel.form.texts()["dc_bias"] == "2 mV"
    panel.head.choose(station="simulated_attenuated")
    assert panel.form.texts()["dc_bias"] == "4 mV"
    put(panel, "dc_bias", "3 mV")
    panel.head.choose(station="simulated")
    assert panel.form.texts()["dc_bias"] == "2 mV"
    put(panel, "points", "12")
    panel.close_down()
    again = Context(Settings(settings.path))
    second = MeasurePanel(again)
    qtbot.addWidget(second)
    assert second.form.sequence.name == "srs"
    assert second.form.settings() == {"dc_bias": "2 mV", "points": "12"}
    second.head.choose(sequence="didv")
    assert second.form.settings() == {"points": "33"}
    again.close()


def test_presets_are_saved_chosen_and_deleted(panel, monkeypatch):
    put(panel, "dc_bias", "2 mV")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("gentle", True))
    panel.context.actions.trigger("measure.save_preset")
    assert panel.head.preset.currentText() == "gentle"
    panel.context.actions.trigger("measure.defaults")
    put(panel, "points", "99")
    panel.head.preset_chosen.emit("gentle")
    assert panel.form.settings() == {"dc_bias": "2 mV"}
    panel.head.choose(sequence="didv")
    assert panel.head.preset.count() == 1
    panel.head.choose(sequence="srs")
    panel.head.preset.setCurrentText("gentle")
    panel.context.actions.trigger("measure.delete_preset")
    assert panel.head.preset.count() == 1
    assert panel.context.settings.known.presets["srs"] == {}


def test_parameters_are_taken_from_an_old_run(panel, qtbot, tmp_path, monkeypatch):
    settings = {"points": "10", "interval": "0.123456789 ms", "samples": "10", "dc_bias": "7 mV"}
    settings.pop("points")
    outcome = measure("time_trace", path=tmp_path / "old.h5", settings=settings)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(outcome.path), ""))
    panel.context.actions.trigger("measure.from_run")
    qtbot.waitUntil(lambda: panel.form.sequence.name == "time_trace", timeout=PATIENCE)
    assert panel.form.settings() == {"interval": "123.456789 µs", "samples": "10", "dc_bias": "7 mV"}
    assert panel.form.reason == ""


def test_a_file_that_is_no_run_is_a_notice(panel, qtbot, tmp_path):
    (tmp_path / "text.h5").write_text("no run")
    panel.take_run(tmp_path / "text.h5")
    qtbot.waitUntil(lambda: bool(panel.context.said), timeout=PATIENCE)
    assert "text.h5" in panel.context.said[0]


def test_the_plan_stands_beside_the_form_with_points_duration_file_limits_and_power(no_pause, panel, qtbot):
    assert settled(panel, qtbot).refusal == ""
    text = panel.view.label.text()
    for part in (
        "60 points, 24.9 s",
        "DATE_TIME_srs_fe_atom.h5",
        "±100 mV",
        "1 pA … 10 nA",
        "-41.1 dBm",
        "all of it at the junction",
    ):
        assert part in text
    put(panel, "points", "30")
    assert panel.view.label.text().count("checking") == 1
    qtbot.waitUntil(lambda: "30 points" in panel.view.label.text(), timeout=PATIENCE)


def test_the_newest_text_wins_and_a_refusal_of_the_whole_stands_at_its_parameter(no_pause, panel, qtbot):
    for text in ("10 ms", "1 ms", "10 us"):
        put(panel, "time_constant", text)
    plan = settled(panel, qtbot)
    assert "time_constant = 10 µs" in plan.refusal
    assert "needed at chop_frequency" in panel.form.rows["time_constant"].refusal.text()
    assert "Refused" in panel.view.label.text()
    panel.context.actions.trigger("measure.run")
    assert panel.context.asked == []
    put(panel, "time_constant", "30 ms")
    qtbot.waitUntil(lambda: panel.preflight.plan is not None and not panel.preflight.plan.refusal, timeout=PATIENCE)
    assert panel.form.rows["chop_frequency"].refusal.isHidden()


def test_a_field_that_is_wrong_by_itself_needs_no_check(panel):
    put(panel, "dc_bias", "much")
    assert not panel.preflight.pending
    assert "not checked: DC bias" in panel.view.label.text()


def test_a_station_that_is_wrong_is_told_beside_the_form_and_nothing_is_run_on_another(panel, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("name = 3")
    for name, why in (("nowhere", "no such station"), (str(path), "mine.toml")):
        panel.head.station.setEditText(name)
        assert panel.entry() is None
        assert why in panel.view.label.text()
        assert why in panel.context.said[-1]
    panel.head.station.setEditText("simulated_attenuated")
    assert panel.entry().station == "simulated_attenuated"


def test_the_sample_is_that_which_is_written_last(panel):
    assert panel.head.sample.lineEdit().placeholderText() == "fe_atom (the station's own)"
    panel.head.sample.setEditText("coh_bare")
    assert panel.entry().sample == "coh_bare"
    panel.head.sample.setEditText("")
    assert panel.entry().sample is None


def test_a_broken_sequence_of_the_user_is_a_notice_and_the_others_are_there(panel, tmp_path, monkeypatch):
    own = tmp_path / "own"
    (own / "sequences").mkdir(parents=True)
    (own / "sequences" / "mine.py").write_text("1 / 0")
    shipped = experiments.config_directories()[-1]
    monkeypatch.setattr(experiments, "config_directories", lambda: (own, shipped))
    put(panel, "points", "31")
    panel.context.actions.trigger("measure.reload")
    assert "ZeroDivisionError" in panel.context.said[0]
    assert panel.head.sequence.currentText() == "srs"
    assert panel.form.texts()["points"] == "31"


def test_the_file_has_no_folder_in_its_name(panel, qtbot):
    qtbot.keyClicks(panel.destination.file_name, "a/b\\c.h5")
    assert panel.destination.name() == "abc"
    assert panel.entry().name == "abc"
