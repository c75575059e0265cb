"""What the tests of the window share: settings in a folder of the test, work processes, a context, the window."""

import subprocess
from types import SimpleNamespace

import pytest
from PyQt6.QtWidgets import QApplication

from stmlab.gui import themes
from stmlab.gui.context import Context
from stmlab.gui.settings import Settings
from stmlab.gui.work import Workers
from tests import forked
from tests.gui.forked_pipes import ForkedModule
from tests.gui.lent import Lent
from tests.gui.queue.forked_queue import ForkedQueue


@pytest.fixture(autouse=True, scope="session")
def _piped_processes_are_forked():
    """Unless a test wants them `from_nothing`."""
    double = SimpleNamespace(Popen=ForkedModule, PIPE=subprocess.PIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stmlab.gui.instruments.piped.subprocess", double)
        yield


@pytest.fixture
def from_nothing(monkeypatch):
    """Processes at the other end of a pipe start as they do where a person works."""
    monkeypatch.setattr("stmlab.gui.instruments.piped.subprocess", subprocess)


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "window.json")


@pytest.fixture(scope="session")
def work_processes(qapp):
    forked.begin()
    found = Workers()
    yield found
    found.close()


@pytest.fixture
def context(qapp, settings, work_processes):
    themes.apply(themes.LIGHT, QApplication.instance())
    found = Context(settings, themes.LIGHT)
    found.workers = Lent(work_processes)
    yield found
    found.close()


@pytest.fixture
def lent_to_windows(monkeypatch, work_processes):
    """Whole windows that a test opens have no work processes of their own."""
    monkeypatch.setattr("stmlab.gui.work.Workers", lambda parent: Lent(work_processes))


@pytest.fixture
def forked_queues(monkeypatch):
    """Queues that windows of this process start are forked."""
    double = SimpleNamespace(Popen=ForkedQueue, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr("stmlab.gui.queue.process.subprocess", double)
