"""What the tests of live plots share: the panel, shown."""

import pytest

from stmlab.gui.live.panel import LivePanel


@pytest.fixture
def panel(context, qtbot, monkeypatch):
    monkeypatch.setattr("stmlab.gui.live.panel._INTERVAL", 10)
    found = LivePanel(context)
    qtbot.addWidget(found)
    found.resize(900, 700)
    found.show()
    yield found
    found.close_down()
