"""The window's tests once more, with Qt's plugin for X on a virtual screen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE = 600  # s
TESTS = ("test_window.py", "test_actions.py", "measure/test_form.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no Xvfb here: install the package xvfb"),
]


@pytest.fixture
def display():
    """A screen of a virtual server, which chooses its number."""
    readable, writable = os.pipe()
    command = ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writable], stderr=subprocess.DEVNULL)
    os.close(writable)
    with os.fdopen(readable) as told:
        number = told.readline().strip()
    assert number, "Xvfb ended without a screen"
    yield f":{number}"
    server.terminate()
    server.wait(timeout=PATIENCE)


def test_the_window_works_on_an_x_server(display):
    environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    folder = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(folder / name for name in TESTS)]
    found = subprocess.run(command, env=environment, cwd=folder.parents[1], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-4000:]


def test_a_screen_that_is_served_is_not_refused(display):
    command = [sys.executable, "-c", "from stmlab.gui.screen import check_screen; check_screen()"]
    environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    assert subprocess.run(command, env=environment, timeout=PATIENCE).returncode == 0
