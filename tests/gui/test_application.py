"""The application around the window: Ctrl-C, the end, screens."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from PyQt6.QtGui import QKeySequence

from stmlab.errors import StmlabError
from stmlab.gui import screen
from stmlab.gui.application import ctrl_c, exceptions_noticed, open_window
from stmlab.gui.settings import Settings

PATIENCE = 60_000  # ms

OPENED = """
import sys
from pathlib import Path
from PyQt6.QtCore import QTimer
from stmlab.gui import application, work
from stmlab.gui.settings import Settings

work.Workers.submit = lambda _self, *what, **_how: work.Task(what, None, long=False)  # nothing is worked at

def opened(qt, open_window=application.open_window):
    settings = Settings(Path(sys.argv[1]))
    settings.remember(theme="light")
    window = open_window(qt, settings)
    def use(name, *others):
        window.context.actions.trigger(f"view.{name}")
        QTimer.singleShot(0, lambda: look(500, *others))
    def look(looks, *others):
        has, wanted = window.palette().window().color().name(), window.context.theme.window
        if has != wanted and looks:
            QTimer.singleShot(10, lambda: look(looks - 1, *others))
            return
        print(has, wanted, flush=True)
        if others:
            use(*others)
    QTimer.singleShot(0, lambda: use("dark", "light", "dark"))
    return window

application.open_window = opened
sys.exit(application.run())
"""


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A window in a process of its own, which was dark, light, dark, and then got Ctrl-C."""
    file = tmp_path_factory.mktemp("interrupted") / "w.json"
    window = subprocess.Popen([sys.executable, "-c", OPENED, file], stdout=subprocess.PIPE, text=True)
    colours = [window.stdout.readline().split() for _ in range(3)]
    window.send_signal(signal.SIGINT)
    status = window.wait(timeout=PATIENCE / 1000)
    window.stdout.close()
    return SimpleNamespace(status=status, colours=colours, settings=Settings(file))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_does_what_closing_does_and_is_itself_again_afterwards(qapp, qtbot, number):
    before, closed = signal.getsignal(number), []
    with ctrl_c(lambda: closed.append(1)):
        os.kill(os.getpid(), number)
        qtbot.waitUntil(lambda: closed == [1], timeout=PATIENCE)
    assert signal.getsignal(number) is before


def test_ctrl_c_in_the_terminal_ends_the_window_which_keeps_its_layout(interrupted):
    assert interrupted.status == 0
    assert interrupted.settings.known.layout


def test_a_running_window_changes_its_colours(interrupted):
    """Qt tells widgets of new colours only while the event loop runs."""
    assert interrupted.colours == [["#22262c"] * 2, ["#f4f5f7"] * 2, ["#22262c"] * 2]


@pytest.fixture(scope="module")
def window(qapp, tmp_path_factory):
    found = open_window(qapp, Settings(tmp_path_factory.mktemp("window") / "window.json"))
    yield found
    found.leave()


def test_every_panel_is_there_without_a_complaint_and_so_in_a_second_window(window, qapp):
    second = open_window(qapp, Settings(window.context.settings.path))
    for one in (window, second):
        assert one.notice_bar.shown is None, one.notice_bar.label.text()
        assert {"measure", "log"} <= set(one.panels)
        assert one.isVisible()
    second.close()
    assert not second.isVisible()
    assert window.isVisible()


def test_every_panel_knows_the_station_from_the_start(window):
    assert window.context.actions["instruments.connect"].isEnabled()
    assert window.panels["state"].safe_state.station == "simulated"


def test_every_action_has_a_tip_a_place_and_a_shortcut_of_its_own(window):
    for action in window.context.actions:
        assert action.tip, action.name
        written = QKeySequence(action.shortcut)
        assert window.context.actions[action.name].shortcut() == written, f"{action.name}: {action.shortcut} is taken"


def test_the_hook_for_exceptions_is_taken_back(context):
    before = sys.excepthook
    with exceptions_noticed(context):
        assert sys.excepthook == context.notices.hook
    assert sys.excepthook is before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="screens of X")
@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, "neither DISPLAY nor WAYLAND_DISPLAY is set"),
        ({"DISPLAY": ":7077"}, "DISPLAY=:7077: nobody serves it"),
        ({"DISPLAY": ":7077", "WAYLAND_DISPLAY": "wayland-0", "QT_QPA_PLATFORM": "xcb"}, "DISPLAY=:7077"),
        ({"DISPLAY": "nonsense"}, "DISPLAY=nonsense: its name is wrong"),
        ({"DISPLAY": ":7077", "QT_QPA_PLATFORM": "offscreen"}, ""),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ""),
    ],
)
def test_a_screen_that_is_not_there_is_refused_in_words(monkeypatch, environment, why):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if why:
        with pytest.raises(StmlabError, match=why):
            screen.check_screen()
    else:
        screen.check_screen()


def test_a_library_that_the_screen_needs_is_named():
    with pytest.raises(StmlabError, match=r"Qt needs libof_nothing\.so\.9: on Debian"):
        screen._loaded("libof_nothing.so.9")
