"""About: versions of what runs here, and the station that is chosen."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from PyQt6.QtCore import PYQT_VERSION_STR, QT_VERSION_STR, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from stmlab.config_files import find
from stmlab.errors import StationError

if TYPE_CHECKING:
    from stmlab.gui.settings import Settings

_PACKAGES = ("stmlab", "pymeasure", "numpy", "scipy", "h5py", "lmfit", "pyqtgraph")


def versions() -> dict[str, str]:
    """Name -> version of what this window runs on."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found | {"PyQt6": PYQT_VERSION_STR, "Qt": QT_VERSION_STR, "Python": platform.python_version()}


def facts(settings: Settings) -> dict[str, str]:
    """What About says: versions, the station and where its file is, the screen's Qt platform, the settings' file."""
    station = settings.known.station
    try:
        path = str(find(station))
    except StationError as error:
        path = str(error)
    return {
        **versions(),
        "Station": station,
        "Station file": path,
        "Qt platform": QGuiApplication.platformName(),
        "Settings": str(settings.path),
    }


class AboutDialog(QDialog):
    """The facts, to be read and copied."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About stmlab")
        self.facts = facts(settings)
        form = QFormLayout()
        for name, value in self.facts.items():
            label = QLabel(value)
            label.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            label.setWordWrap(True)
            form.addRow(name, label)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("&Copy", QDialogButtonBox.ButtonRole.ActionRole)
        if copy is not None:
            copy.setToolTip("Copy all this as text, for a report of a fault")
            copy.clicked.connect(self.copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("Instrument control, acquisition and analysis for spin-sensitive STM"))
        layout.addLayout(form)
        layout.addWidget(buttons)

    def copy(self) -> None:
        """All of it as text into the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText("\n".join(f"{name}: {value}" for name, value in self.facts.items()))
