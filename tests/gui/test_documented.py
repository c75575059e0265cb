"""What docs/window.md says of keys is what the window has."""

import re
from pathlib import Path

from PyQt6.QtGui import QKeySequence

from stmlab.gui.application import open_window

DOCUMENT = Path(__file__).parents[2] / "docs" / "window.md"


def test_every_key_in_the_guide_is_that_of_its_action(qapp, qtbot, settings, lent_to_windows):
    window = open_window(qapp, settings)
    qtbot.addWidget(window)
    keys = {re.sub(r"&|\.\.\.", "", action.text).casefold(): action.shortcut for action in window.context.actions}
    told = re.findall(r"\*([^*]+)\*+ \(((?:Ctrl\+|Shift\+|F)[\w+]+)\)", DOCUMENT.read_text())
    assert len(told) >= 5
    for text, shortcut in told:
        name = text.rpartition("> ")[2].casefold()
        name = {"about": "about stmlab"}.get(name, name)
        assert QKeySequence(keys[name]) == QKeySequence(shortcut), text
    window.leave()


def test_every_picture_in_the_guide_and_in_the_readme_is_made_by_make_screenshots():
    from docs.screenshots import STATES

    for file, folder in ((DOCUMENT, "pictures/"), (DOCUMENT.parents[1] / "README.md", "docs/pictures/")):
        for picture in re.findall(rf"\]\({folder}(\w+)\.png\)", file.read_text()):
            assert picture in STATES
            assert (DOCUMENT.parent / "pictures" / f"{picture}.png").is_file()
