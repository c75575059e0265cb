"""What the tests of the window share: settings in a folder of the test, a context, the window."""

import pytest
from PyQt6.QtWidgets import QApplication

from stmlab.gui import themes
from stmlab.gui.context import Context
from stmlab.gui.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "window.json")


@pytest.fixture
def context(qapp, settings):
    themes.apply(themes.LIGHT, QApplication.instance())
    found = Context(settings, themes.LIGHT)
    yield found
    found.close()
