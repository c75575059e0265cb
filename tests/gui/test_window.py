"""The main window: docks, menus, notices, layouts, colours, the end."""

import sys

import pytest
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QApplication, QMessageBox, QPushButton, QVBoxLayout

from stmlab.gui import themes
from stmlab.gui.about import AboutDialog
from stmlab.gui.actions import Action
from stmlab.gui.application import exceptions_noticed
from stmlab.gui.context import Context
from stmlab.gui.log import LogPanel
from stmlab.gui.notices import Level
from stmlab.gui.panel import Area, Panel
from stmlab.gui.settings import Settings
from stmlab.gui.window import Window
from tests.gui.data.conftest import drop_files


class Measure(Panel):
    name, title, area = "measure", "Measure", Area.LEFT

    def __init__(self, context):
        super().__init__(context)
        self.done, self.why, self.closed = [], "", False
        context.actions.add(
            Action("measure.go", "&Go", "Go on", "Ctrl+G", menu="&Measure", tool_bar=True), lambda: self.done.append(1)
        )
        button = QPushButton("fails")
        button.clicked.connect(self.fail)
        QVBoxLayout(self).addWidget(button)
        self.button = button

    def fail(self):
        raise RuntimeError("in a slot")

    def objection(self):
        return self.why

    def close_down(self):
        self.closed = True


class Live(Panel):
    name, title, area = "live", "Live", Area.MAIN


class Data(Panel):
    name, title, area = "data", "Data", Area.MAIN


class State(Panel):
    name, title, area = "state", "State", Area.TOP


class Broken(Panel):
    name, title = "broken", "Broken"

    def __init__(self, context):
        raise OSError("no such panel today")


PANELS = (Measure, Live, Data, State, LogPanel)


@pytest.fixture
def window(qtbot, context):
    found = Window(context, PANELS)
    qtbot.addWidget(found)
    found.show()
    yield found
    found.panels["measure"].why = ""
    found.close()


def titles(window):
    return [menu.title() for menu in window._menus.values() if menu.menuAction().isVisible()]


def test_menus_tool_bar_and_shortcuts_come_from_the_registry(window, qtbot):
    assert titles(window) == ["&File", "&Measure", "&View", "&Help"]
    (go,) = window._menus["&Measure"].actions()
    assert go in window.tool_bar.actions()
    go.trigger()
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert window.panels["measure"].done == [1, 1]


def test_every_action_of_the_menus_has_a_tip(window):
    for menu in window._menus.values():
        for action in menu.actions():
            assert action.isSeparator() or action.toolTip() != action.text().replace("&", ""), action.text()


def test_a_panel_that_cannot_be_built_is_a_notice_and_the_others_are_there(qtbot, context):
    window = Window(context, (Broken, *PANELS))
    qtbot.addWidget(window)
    assert set(window.panels) == {"measure", "live", "data", "state", "log"}
    assert "no such panel today: the panel Broken is missing" in window.notice_bar.label.text()
    window.close()


def test_an_exception_in_a_slot_is_a_notice_and_the_window_goes_on(window, capsys):
    with exceptions_noticed(window.context):
        sys.excepthook(RuntimeError, RuntimeError("in a slot"), None)
    assert "RuntimeError: in a slot" in window.notice_bar.label.text()
    assert "in a slot" in window.panels["log"].text.toPlainText()
    window.context.actions.trigger("view.dismiss")
    assert window.notice_bar.isHidden()


def test_an_error_stays_until_it_is_dismissed_and_information_does_not_cover_it(window):
    notices = window.context.notices
    notices.info("saved")
    assert "saved" in window.notice_bar.label.text()
    notices.error("refused", "lower the bias")
    notices.info("saved again")
    assert window.notice_bar.label.text() == "Error: refused: lower the bias"
    notices.warning("another")
    assert window.notice_bar.label.text() == "Warning: another"


def test_panels_of_one_area_are_tabs_and_those_of_the_top_are_always_in_view(window):
    docks = window.docks
    assert docks.tabifiedDockWidgets(docks.docks["live"]) == [docks.docks["data"]]
    assert "state" not in docks.docks
    assert window.panels["state"].isVisible()
    window.context.panel_wanted.emit("data")
    assert not docks.docks["data"].visibleRegion().isEmpty()


def test_a_layout_is_kept_restored_and_put_back(qtbot, context, settings):
    window = Window(context, PANELS)
    qtbot.addWidget(window)
    window.show()
    window.docks.docks["log"].hide()
    window.docks.docks["measure"].setFloating(True)
    window.close()
    again = Window(Context(Settings(settings.path)), PANELS)
    qtbot.addWidget(again)
    again.show()
    assert again.docks.docks["log"].isHidden()
    assert again.docks.docks["measure"].isFloating()
    again.context.actions.trigger("view.default_layout")
    assert not again.docks.docks["log"].isHidden()
    assert not again.docks.docks["measure"].isFloating()
    again.close()


def test_light_and_dark_are_one_action_each_and_remembered(window, settings):
    for name in ("dark", "light"):
        window.context.actions.trigger(f"view.{name}")
        assert window.context.theme.name == name
        assert QApplication.palette().window().color().name() == window.context.theme.window
        assert Settings(settings.path).known.theme == name
        assert window.context.actions[f"view.{name}"].isChecked()
    assert not window.context.actions["view.dark"].isChecked()


def test_closing_asks_only_where_a_panel_objects_and_ends_what_panels_have_started(window, monkeypatch):
    asked = []

    def answer(parent, title, text, *_):
        asked.append(text)
        return QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", answer)
    window.panels["measure"].why = "a file is being written"
    window.close()
    assert not window.panels["measure"].closed
    assert asked == ["a file is being written\nClose the window?"]
    window.panels["measure"].why = ""
    window.close()
    assert window.panels["measure"].closed
    assert len(asked) == 1


def test_whoever_leaves_by_the_terminal_is_told_and_not_asked(window, monkeypatch, capsys):
    monkeypatch.setattr(QMessageBox, "question", lambda *_: pytest.fail("asked"))
    window.panels["measure"].why = "the run goes on"
    window.leave()
    assert window.panels["measure"].closed
    assert "stmlab: the run goes on" in capsys.readouterr().err


def test_the_colours_of_the_system_follow_the_desktop_and_chosen_ones_do_not(window, monkeypatch):
    monkeypatch.setattr(themes, "theme_called", {"system": themes.DARK, "light": themes.LIGHT}.__getitem__)
    window.context.actions.trigger("view.light")
    QGuiApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert window.context.theme.name == "light"
    window.context.actions.trigger("view.system")
    window.context.use_theme(themes.LIGHT)
    QGuiApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert window.context.theme.name == "dark"


def test_the_log_shows_records_from_the_chosen_level_on_and_forgets_them_when_asked(window):
    panel, notices = window.panels["log"], window.context.notices
    notices.info("only told")
    notices.say(Level.ERROR, "gone wrong")
    assert "only told" in panel.text.toPlainText()
    panel.level.setCurrentText("Error")
    notices.info("told later")
    assert "told" not in panel.text.toPlainText()
    assert "gone wrong" in panel.text.toPlainText()
    panel.level.setCurrentText("Debug")
    assert "only told" in panel.text.toPlainText()
    window.context.actions.trigger("log.clear")
    panel.level.setCurrentText("Info")
    assert panel.text.toPlainText() == ""


def test_about_tells_versions_and_the_station_and_copies_them(qtbot, settings, qapp):
    settings.remember(station="simulated")
    dialog = AboutDialog(settings)
    qtbot.addWidget(dialog)
    dialog.copy()
    text = qapp.clipboard().text()
    for part in ("stmlab: ", "Qt: 6", "Station: simulated", "simulated.toml", str(settings.path)):
        assert part in text


def shown(window, width, height):
    window.resize(width, height)
    QApplication.processEvents()
    window.context.actions.trigger("view.default_layout")
    QApplication.processEvents()


def test_a_small_screen_has_fewer_columns_and_rows_and_a_large_one_has_them_again(qtbot, context):
    class Queue(Panel):
        name, title, area = "queue", "Queue", Area.RIGHT

    window = Window(context, (*PANELS, Queue))
    qtbot.addWidget(window)
    window.show()
    docks = window.docks.docks
    for width, height, columns in ((1024, 600, False), (1900, 1100, True)):
        shown(window, width, height)
        assert (docks["queue"] in window.docks.tabifiedDockWidgets(docks["measure"])) is not columns
        assert (docks["log"] in window.docks.tabifiedDockWidgets(docks["live"])) is not columns
        assert docks["data"] in window.docks.tabifiedDockWidgets(docks["live"])
        if columns:
            assert docks["measure"].x() < docks["live"].x() < docks["queue"].x()
            assert docks["log"].y() > docks["live"].y()
    window.close()


def test_a_window_that_opens_large_has_its_columns_at_once(qtbot, context):
    class Queue(Panel):
        name, title, area = "queue", "Queue", Area.RIGHT

    window = Window(context, (*PANELS, Queue))
    qtbot.addWidget(window)
    window.resize(1900, 1100)
    window.show()
    QApplication.processEvents()
    docks = window.docks.docks
    assert docks["measure"].x() < docks["live"].x() < docks["queue"].x()
    assert window.docks.width() * 0.15 < docks["measure"].width() < window.docks.width() * 0.35
    window.close()


def test_settings_that_could_not_be_read_are_a_notice(qtbot, tmp_path):
    (tmp_path / "broken.json").write_text("{")
    window = Window(Context(Settings(tmp_path / "broken.json")), PANELS)
    qtbot.addWidget(window)
    assert "broken.unreadable.json: the defaults are used" in window.notice_bar.label.text()
    window.close()


def test_a_panel_that_needs_more_room_than_there_is_scrolls_and_the_window_stays_small(qtbot, context):
    class Large(Panel):
        name, title, area = "large", "Large", Area.MAIN

        def minimumSizeHint(self):
            return QSize(2000, 3000)

    window = Window(context, (Large,))
    qtbot.addWidget(window)
    window.show()
    shown(window, 640, 480)
    assert (window.width(), window.height()) == (640, 480)
    assert window.panels["large"].size() == QSize(2000, 3000)
    window.close()


def test_files_dropped_anywhere_are_drawn(window, tmp_path):
    sent, brought = [], []
    window.context.overlay_wanted.connect(sent.append)
    window.context.panel_wanted.connect(brought.append)
    drop_files(window.panels["live"], tmp_path / "a.dat", tmp_path / "b.h5")
    assert (sent, brought) == ([[tmp_path / "a.dat", tmp_path / "b.h5"]], ["overlay"])
