"""What panels share: actions, notices, settings, work processes, colours, and the signals between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from stmlab.gui.actions import Actions
from stmlab.gui.notices import Notices
from stmlab.gui.settings import Settings
from stmlab.gui.themes import Theme, theme_called

if TYPE_CHECKING:
    from stmlab.gui.notices import Notice


class Context(QObject):
    """One for each window.

    Args:
        settings: what is remembered; None: the user's.
        theme: the colours at the start.

    Attributes:
        actions: the registry.
        notices: whatever went wrong, and what to do.
        settings: what is remembered.
        theme: the colours now.

    Signals:
        run_shown: a stmlab Run, or the path of one, to be shown in the live plots.
        entry_wanted: a QueueEntry to be put into the form.
        run_asked: a QueueEntry to run now.
        entry_added: a QueueEntry for the end of the queue.
        fit_shown: a FitResult to be drawn over the data.
        station_changed: the name of the station that is chosen.
        run_changed: (state, message) of the run, in words; "" when there is none.
        theme_changed: the new Theme.
        panel_wanted: name of a panel to be brought to the front.
    """

    run_shown = pyqtSignal(object)
    entry_wanted = pyqtSignal(object)
    run_asked = pyqtSignal(object)
    entry_added = pyqtSignal(object)
    fit_shown = pyqtSignal(object)
    station_changed = pyqtSignal(str)
    run_changed = pyqtSignal(str, str)
    theme_changed = pyqtSignal(object)
    panel_wanted = pyqtSignal(str)

    def __init__(self, settings: Settings | None = None, theme: Theme | None = None) -> None:
        super().__init__()
        self.actions = Actions(self)
        self.notices = Notices(self)
        self.settings = settings or Settings()
        self.theme = theme or theme_called("light")

    def use_theme(self, theme: Theme) -> None:
        """New colours: whoever draws is told."""
        self.theme = theme
        self.theme_changed.emit(theme)

    def remember(self, **values: object) -> Notice | None:
        """As `Settings.remember`; a file that cannot be written is a notice."""
        try:
            self.settings.remember(**values)
        except OSError as error:
            return self.notices.failure(error, "what you set holds until the window is closed")
        return None
