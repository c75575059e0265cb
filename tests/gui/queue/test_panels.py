"""The queue's panels with nobody performing it: what is shown, and what each action does to the file."""

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QInputDialog

from stmlab.acquisition.queue.entries import EntryState, Queue, QueueEntry
from stmlab.acquisition.queue.file import owned, read_queue
from stmlab.gui import themes
from stmlab.gui.queue.desk import desk_of
from stmlab.gui.queue.dialogs import LoopDialog
from stmlab.gui.queue.panel import QueuePanel
from stmlab.gui.queue.run_panel import RunPanel


@pytest.fixture
def path(tmp_path, context):
    context.settings.remember_panel("queue", file=str(tmp_path / "queue.toml"))
    return tmp_path / "queue.toml"


@pytest.fixture
def panels(qtbot, context, path):
    """The queue's panel and the run's, on a queue of four entries."""
    entries = [
        QueueEntry(id="a", sequence="transfer", state="done", done=1, files=("a.h5",)),
        QueueEntry(id="b", sequence="srs", sample="fe_atom", settings={"amplitude": "2.8 mV"}),
        QueueEntry(id="c", sequence="didv", state="failed", message="bias = 5 V is out of bounds"),
        QueueEntry(id="d", sequence="pump_probe", note="the long one"),
    ]
    with owned(path, new=True) as file:
        file.keep(Queue(entries=tuple(entries)))
    run, queue = RunPanel(context), QueuePanel(context)
    for panel in (run, queue):
        qtbot.addWidget(panel)
        panel.show()
    yield queue, run
    run.close_down()


def texts(panel):
    found = panel.entries
    return [[found.topLevelItem(k).text(c) for c in range(3)] for k in range(found.topLevelItemCount())]


def ids(path):
    return [entry.id for entry in read_queue(path).entries]


def test_each_entry_is_a_line_with_its_state_in_a_word_what_is_measured_and_why_it_failed(panels):
    queue, _ = panels
    lines = texts(queue)
    assert [line[0].split()[1] for line in lines] == ["done", "waiting", "failed", "waiting"]
    assert lines[1][1] == "srs, fe_atom: amplitude = 2.8 mV"
    assert lines[2][2] == "bias = 5 V is out of bounds"
    assert lines[3][2] == "the long one"


def test_actions_that_make_no_sense_are_disabled(panels, context):
    queue, _ = panels
    queue.entries.clearSelection()
    assert not context.actions["queue.remove"].isEnabled()
    queue.entries.select("a")
    assert not context.actions["queue.up"].isEnabled()
    assert context.actions["queue.again"].isEnabled()
    queue.entries.select("b")
    assert context.actions["queue.up"].isEnabled()
    assert not any(context.actions[f"run.{name}"].isEnabled() for name in ("pause", "resume", "stop", "next", "abort"))
    assert context.actions["run.start"].isEnabled()


@pytest.mark.parametrize(
    ("chosen", "action", "order"),
    [
        ("d", "up", ["a", "b", "d", "c"]),
        ("b", "down", ["a", "c", "b", "d"]),
        ("c", "remove", ["a", "b", "d"]),
        (None, "clear", ["b", "c", "d"]),
    ],
)
def test_entries_are_moved_and_taken_out_and_stay_selected(panels, context, path, chosen, action, order):
    queue, _ = panels
    if chosen is not None:
        queue.entries.select(chosen)
    context.actions.trigger(f"queue.{action}")
    assert ids(path) == order
    assert [line[1].split(",")[0].split(":")[0] for line in texts(queue)] == [
        read_queue(path)[name].sequence for name in order
    ]
    if action in ("up", "down"):
        assert queue.entries.selected() == [chosen]


def test_an_entry_is_duplicated_repeated_paused_after_skipped_and_let_wait_again(panels, context, path, monkeypatch):
    queue, _ = panels
    queue.entries.select("b")
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, True))
    for action in ("duplicate", "repeat", "pause_after", "after_skip"):
        context.actions.trigger(f"queue.{action}")
    found = read_queue(path)
    b, copy = found["b"], found.entries[2]
    assert (b.repeat, b.pause_after, b.after_failure) == (3, True, "skip")
    assert (copy.sequence, copy.settings, copy.state, copy.repeat) == ("srs", b.settings, "waiting", 1)
    queue.entries.select("b")
    context.actions.trigger("queue.skip")
    assert read_queue(path)["b"].state is EntryState.SKIPPED
    queue.entries.select("c")
    context.actions.trigger("queue.again")
    assert (read_queue(path)["c"].state, read_queue(path)["c"].message) == (EntryState.WAITING, "")


def test_entries_come_from_the_form_and_go_back_into_it(panels, context, path, qtbot):
    queue, _ = panels
    context.entry_added.emit(QueueEntry(id="e", sequence="time_trace"))
    assert ids(path)[-1] == "e"
    context.entry_replaced.emit(QueueEntry(id="e", sequence="time_trace", note="other"))
    assert read_queue(path)["e"].note == "other"
    queue.entries.select("b")
    with qtbot.waitSignal(context.entry_wanted) as wanted:
        context.actions.trigger("queue.edit")
    assert wanted.args[0].id == "b"


def test_a_dragged_entry_is_asked_for_and_shown_where_it_is_then(panels, path):
    queue, _ = panels
    queue.entries.moved.emit("d", 1)
    assert ids(path) == ["a", "d", "b", "c"]
    queue.entries.moved.emit("a", 3)  # done: it is refused, and stays
    assert ids(path) == ["a", "d", "b", "c"]
    assert "only one that waits is moved" in queue.desk.trouble


def test_a_refusal_stays_until_it_is_dismissed_and_is_in_the_log(panels, context, caplog):
    _, run = panels
    run.desk.remove("x")
    assert run.trouble.text() == "there is no entry x in this queue"
    assert run.trouble_row.isVisibleTo(run)
    assert "there is no entry x in this queue" in caplog.messages
    run.desk._tell_run("running")
    run.desk._hear_state({"queue": "ended", "reason": "", "held": "", "only": None})
    assert run.trouble.text() == "there is no entry x in this queue"
    context.actions.trigger("run.dismiss")
    assert not run.trouble_row.isVisibleTo(run)


def test_what_people_write_into_the_file_is_seen(panels, path):
    queue, _ = panels
    path.write_text("[[entry]]\nsequence = 'srs_map'\n", encoding="utf-8")
    queue.desk.reread()
    assert [line[1] for line in texts(queue)] == ["srs_map"]
    path.write_text("[[entry]]\nsequense = 'srs_map'\n", encoding="utf-8")
    queue.desk.reread()
    assert "sequense" in queue.desk.trouble
    path.unlink()
    queue.desk.reread()
    assert texts(queue) == []


def test_an_entry_that_ran_when_its_process_died_is_said_to_be_interrupted(panels, path):
    queue, _ = panels
    with owned(path) as file:
        file.keep(file.queue.replaced(file.queue["b"].changed(state="running")))
    queue.desk.reread()
    assert texts(queue)[1][0].split()[1] == "interrupted"
    assert "not repeated" in texts(queue)[1][2]


def test_a_loop_is_written_or_spread_and_a_wrong_value_is_refused_in_words(panels, path, qtbot):
    queue, _ = panels
    dialog = LoopDialog(read_queue(path)["b"], queue)
    qtbot.addWidget(dialog)
    dialog.parameter.setCurrentText("dc_bias")
    dialog.values.setText("4 mV, 4 kg")
    assert "4 kg" in dialog.refusal.text()
    dialog.first.setText("4 mV")
    dialog.last.setText("5 mV")
    dialog.count.setValue(3)
    dialog.spread()
    assert dialog.refusal.text() == ""
    assert dialog.looped().loop == {"dc_bias": ("4 mV", "4.5 mV", "5 mV")}
    dialog.looped_as.connect(queue.desk.edit)
    dialog.accept()
    assert read_queue(path)["b"].loop == {"dc_bias": ("4 mV", "4.5 mV", "5 mV")}
    dialog.parameter.setCurrentText("amplitude")
    dialog.values.setText("1 mV")
    assert dialog.looped().settings == {}


def test_another_queue_is_opened_and_remembered(panels, context, tmp_path):
    queue, _ = panels
    queue.desk.open(tmp_path / "other.toml")
    assert texts(queue) == []
    assert queue.file.text() == "other.toml"
    assert context.settings.panel("queue")["file"] == str(tmp_path / "other.toml")
    assert desk_of(context) is queue.desk


@pytest.mark.parametrize("theme", [themes.LIGHT, themes.DARK])
def test_states_are_told_apart_by_colour_too(panels, context, theme):
    queue, _ = panels
    themes.apply(theme, QApplication.instance())
    context.use_theme(theme)
    colours = [queue.entries.topLevelItem(k).foreground(0).color().name() for k in range(4)]
    assert colours == [theme.good, theme.idle, theme.bad, theme.idle]


def test_every_action_is_reached_by_the_keyboard(panels, context):
    queue, _ = panels
    assert queue.entries.focusPolicy() & Qt.FocusPolicy.TabFocus
    for action in context.actions:
        assert action.menu or action.shortcut, action.name
