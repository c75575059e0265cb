"""The catalogue: found, searched, tagged, and what is done with a file."""

import json
import shutil

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QMenu

from stmlab.gui.data.catalogue import CataloguePanel
from stmlab.gui.data.catalogue_table import HEADINGS
from stmlab.storage import open_run
from stmlab.storage.recorded import open_recording
from tests.gui.data.conftest import GRID, drop_files, spectrum

_LONG = 60_000  # ms


@pytest.fixture
def copied():
    """For a test that changes something in the folder: it has a copy."""


@pytest.fixture
def folder(request, four_files, tmp_path):
    return shutil.copytree(four_files, tmp_path / "runs") if "copied" in request.fixturenames else four_files


@pytest.fixture
def panel(qtbot, context, folder):
    context.settings.remember_panel("catalogue", folder=str(folder))
    found = CataloguePanel(context)
    qtbot.addWidget(found)
    found.resize(1000, 600)
    found.show()
    qtbot.waitUntil(lambda: len(found.table.entries) == 4, timeout=_LONG)
    return found


def names(panel):
    return [panel.found.entry(row).path.stem for row in range(panel.found.rowCount())]


def choose(panel, *stems):
    panel.view.clearSelection()
    panel._choose({entry.path for entry in panel.table.entries if entry.path.stem in stems})


def search(panel, qtbot, text, expected):
    panel.search.setText(text)
    qtbot.waitUntil(lambda: names(panel) == expected, timeout=_LONG)


def cell(panel, stem, heading):
    return panel.found.index(names(panel).index(stem), HEADINGS.index(heading)).data()


def test_runs_and_recorded_files_are_listed_the_latest_first(panel):
    assert names(panel)[:2] == ["recorded", "late"]
    assert cell(panel, "late", "Sample") == "ti_atom"
    assert cell(panel, "late", "Points") == "40"
    assert cell(panel, "late", "Result").startswith("rate (4.0")
    assert cell(panel, "broken", "State") == "unreadable"
    assert cell(panel, "broken", "Remarks")
    assert panel.status.text() == "4 files"


def test_a_column_is_sorted_by_a_click(panel):
    panel.view.sortByColumn(HEADINGS.index("File"), Qt.SortOrder.AscendingOrder)
    assert names(panel) == ["broken", "early", "late", "recorded"]
    choose(panel, "early")
    panel.view.sortByColumn(HEADINGS.index("File"), Qt.SortOrder.DescendingOrder)
    assert names(panel) == ["recorded", "late", "early", "broken"]
    assert [entry.path.stem for entry in panel.chosen()] == ["early"]
    panel.view.sortByColumn(HEADINGS.index("Points"), Qt.SortOrder.DescendingOrder)
    assert names(panel)[0] == "recorded"


def test_search_as_one_types_by_words_and_by_conditions(panel, qtbot):
    search(panel, qtbot, "fe_atom srs", ["early"])
    assert panel.status.text() == "1 of 4 files"
    search(panel, qtbot, "rate > 2e9", ["late"])
    search(panel, qtbot, "", ["recorded", "late", "early", "broken"])


def test_a_condition_that_nothing_understands_is_said_beneath_and_changes_nothing(panel, qtbot):
    panel.search.setText("colour = red")
    qtbot.waitUntil(lambda: "no file has such a value" in panel.status.text(), timeout=_LONG)
    assert len(names(panel)) == 4


def test_thumbnails_come_for_the_files_that_can_be_drawn(copied, panel, qtbot):
    entries = {entry.path.stem: entry for entry in panel.table.entries}
    qtbot.waitUntil(lambda: all(map(panel.table.has_picture, entries.values())), timeout=_LONG)
    for stem in ("early", "late", "recorded"):
        row = names(panel).index(stem)
        assert not panel.found.index(row, 0).data(Qt.ItemDataRole.DecorationRole).isNull()


def test_tags_typed_into_the_table_stand_beside_the_file_and_are_found(copied, panel, qtbot, folder):
    row = names(panel).index("early")
    panel.found.setData(panel.found.index(row, HEADINGS.index("Tags")), " good, for the paper,good ")
    qtbot.waitUntil(lambda: cell(panel, "early", "Tags") == "for the paper, good", timeout=_LONG)
    assert json.loads((folder / "early.h5.notes.json").read_text())["tags"] == ["for the paper", "good"]
    panel.found.setData(panel.found.index(row, HEADINGS.index("Tags")), "good")
    qtbot.waitUntil(lambda: cell(panel, "early", "Tags") == "good", timeout=_LONG)
    search(panel, qtbot, "tag = good", ["early"])


def test_a_tag_that_is_none_is_a_notice(copied, panel, qtbot, said):
    row = names(panel).index("early")
    panel.found.setData(panel.found.index(row, HEADINGS.index("Tags")), "a\x00b")
    qtbot.waitUntil(lambda: bool(said), timeout=_LONG)
    assert cell(panel, "early", "Tags") == ""


def test_a_note_is_written(copied, panel, qtbot, monkeypatch):
    choose(panel, "early")
    monkeypatch.setattr(QInputDialog, "getMultiLineText", lambda *_: ("drifting", True))
    panel.context.actions.trigger("data.note")
    qtbot.waitUntil(lambda: cell(panel, "early", "Remarks") == "drifting", timeout=_LONG)


def test_a_new_file_appears_by_itself(copied, panel, qtbot, folder):
    spectrum(folder / "new.h5", date="2025-01-01T10:00:00+00:00")
    qtbot.waitUntil(lambda: names(panel)[0] == "new", timeout=_LONG)


def test_what_is_chosen_stays_chosen_when_the_folder_is_looked_through_again(copied, panel, qtbot, folder):
    choose(panel, "early", "late")
    spectrum(folder / "new.h5", date="2025-01-01T10:00:00+00:00")
    panel.context.actions.trigger("data.refresh")
    qtbot.waitUntil(lambda: len(panel.table.entries) == 5, timeout=_LONG)
    assert {entry.path.stem for entry in panel.chosen()} == {"early", "late"}


def test_a_panel_that_nobody_sees_reads_no_files(qtbot, context, folder):
    context.settings.remember_panel("catalogue", folder=str(folder))
    panel = CataloguePanel(context)
    qtbot.addWidget(panel)
    context.actions.trigger("data.refresh")
    assert not panel._busy
    panel.show()
    qtbot.waitUntil(lambda: len(panel.table.entries) == 4, timeout=_LONG)


def test_a_folder_that_is_not_there_is_said(panel, qtbot):
    panel.folder.setText("/no/such/folder")
    panel.folder.returnPressed.emit()
    qtbot.waitUntil(lambda: "no such folder" in panel.status.text(), timeout=_LONG)
    assert panel.context.settings.panel("catalogue")["folder"] == "/no/such/folder"


# -- what is done with a file ----------------------------------------------------------------------------------------


def test_a_run_is_shown_in_the_live_plots_and_a_recorded_file_drawn(panel, qtbot, folder):
    shown, drawn = [], []
    panel.context.run_shown.connect(shown.append)
    panel.context.overlay_wanted.connect(drawn.append)
    choose(panel, "early")
    panel.context.actions.trigger("data.show")
    choose(panel, "recorded")
    panel.context.actions.trigger("data.show")
    assert (shown, drawn) == ([folder / "early.h5"], [[folder / "recorded.dat"]])


@pytest.mark.parametrize(
    ("action", "signal", "front"),
    [("data.fit", "fit_wanted", "fit"), ("data.map", "map_wanted", "map"), ("data.replay", "replay_wanted", "replay")],
)
def test_a_file_goes_to_the_panel_that_is_asked_for(panel, folder, action, signal, front):
    sent, brought = [], []
    getattr(panel.context, signal).connect(sent.append)
    panel.context.panel_wanted.connect(brought.append)
    choose(panel, "early")
    panel.context.actions.trigger(action)
    assert (sent, brought) == ([folder / "early.h5"], [front])


def test_several_files_are_overlaid_but_not_what_cannot_be_read(panel, folder):
    sent = []
    panel.context.overlay_wanted.connect(sent.append)
    choose(panel, "early", "late", "broken")
    panel.context.actions.trigger("data.overlay")
    assert sent == [[folder / "late.h5", folder / "early.h5"]]


def test_only_what_is_possible_can_be_done(panel):
    actions = panel.context.actions

    def possible(*stems):
        choose(panel, *stems)
        return {name for name in ("show", "overlay", "replay", "reuse", "tag") if actions[f"data.{name}"].isEnabled()}

    assert possible() == set()
    assert possible("broken") == {"tag"}
    assert possible("recorded") == {"show", "overlay", "tag"}
    assert possible("early") == {"show", "overlay", "replay", "reuse", "tag"}
    assert possible("early", "late") == {"overlay"}


def test_the_menu_of_a_file_has_what_can_be_done_with_it(panel, qtbot):
    choose(panel, "early")
    panel.view.customContextMenuRequested.emit(panel.view.rect().center())
    (menu,) = [menu for menu in panel.findChildren(QMenu) if menu.isVisible()]
    assert [action.objectName() for action in menu.actions()][:3] == ["data.show", "data.overlay", "data.fit"]
    menu.close()


def test_the_parameters_of_a_run_are_put_into_the_form(panel, qtbot):
    choose(panel, "early")
    with qtbot.waitSignal(panel.context.entry_wanted, timeout=_LONG) as wanted:
        panel.context.actions.trigger("data.reuse")
    entry = wanted.args[0]
    assert (entry.sequence, entry.station, entry.sample) == ("srs", "simulated", "fe_atom")
    assert entry.settings == {"dc_bias": "4 mV", "points": "40"}


@pytest.mark.parametrize(
    ("stem", "name", "begins"),
    [("early", "a.png", b"\x89PNG"), ("early", "b.svg", b"<?xml"), ("recorded", "c.pdf", b"%PDF-")],
)
def test_a_figure_is_written(panel, qtbot, tmp_path, monkeypatch, said, stem, name, begins):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / name), ""))
    choose(panel, stem)
    panel.context.actions.trigger("data.export_figure")
    qtbot.waitUntil(lambda: bool(said), timeout=_LONG)
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert said == [f"written: {tmp_path / name}"]


def test_data_are_written_and_an_older_file_is_replaced(panel, qtbot, tmp_path, monkeypatch, said, folder):
    target = tmp_path / "out.csv"
    target.write_text("an older one")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    choose(panel, "early")
    panel.context.actions.trigger("data.export_data")
    qtbot.waitUntil(lambda: bool(said), timeout=_LONG)
    assert said[0].startswith(f"written: {target}")
    table = open_recording(target)
    assert (table["current"].values == open_run(folder / "early.h5").data["current"]).all()
    assert (table["frequency_measured"].values == GRID).all()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(("action", "name"), [("data.export_figure", "a.svg"), ("data.export_data", "a.csv")])
def test_what_cannot_be_written_is_a_notice(panel, qtbot, tmp_path, monkeypatch, said, action, name):
    target = tmp_path / "gone" / name
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    choose(panel, "early")
    panel.context.actions.trigger(action)
    qtbot.waitUntil(lambda: bool(said), timeout=_LONG)
    assert str(target.parent) in said[0]
    assert not said[0].startswith("written")


def test_a_name_without_ending_gets_the_chosen_one_and_replaces_nothing(panel, qtbot, tmp_path, monkeypatch, said):
    (tmp_path / "out.svg").write_text("precious")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out"), "SVG drawing (*.svg)"))
    choose(panel, "early")
    panel.context.actions.trigger("data.export_figure")
    assert "is there already" in said[0]
    assert (tmp_path / "out.svg").read_text() == "precious"


def test_files_dropped_onto_it_are_drawn(panel, folder):
    sent = []
    panel.context.overlay_wanted.connect(sent.append)
    drop_files(panel, folder / "recorded.dat")
    assert sent == [[folder / "recorded.dat"]]
