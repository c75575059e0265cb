"""What panels share: actions, notices, settings, work processes, colours, and the signals between them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from stmlab.gui.actions import Actions
from stmlab.gui.notices import Notices
from stmlab.gui.settings import Settings
from stmlab.gui.themes import Theme, theme_called

if TYPE_CHECKING:
    from stmlab.gui.notices import Notice
    from stmlab.gui.work import Workers


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
        workers: processes that work for the panels; made when they are first asked for.

    Signals:
        run_shown: a stmlab Run, or the path of one, to be shown in the live plots.
        entry_wanted: a QueueEntry to be put into the form.
        run_asked: a QueueEntry to run now.
        entry_added: a QueueEntry for the end of the queue.
        entry_replaced: a QueueEntry in place of the one of the same id.
        fit_shown: a FitResult to be drawn over the data.
        station_changed: the name of the station that is chosen.
        run_changed: (state, message) of the run, in words; "" when there is none.
        partial_seen: index of a point, and channel -> array: part of a sweep that an instrument is still taking.
        next_seen: file of the run under way, and index of the point that is being taken if it chooses them; else -1.
        values_seen: instrument -> property -> value, as last read: by a run, or by the person's own connection.
        safe_asked: the safe state of a simulated station is wanted at once; whoever runs or holds it ends that.
        run_station: the station of the run that is under way; "" when there is none.
        theme_changed: the new Theme.
        panel_wanted: name of a panel to be brought to the front.
        overlay_wanted: paths of files to be drawn over each other.
        fit_wanted: the path of a file to be fitted.
        start_wanted: start values of a fit, of whatever is in the fit panel.
        map_wanted: the path of a grid, or of a run over several axes, to be shown as a map.
        replay_wanted: the path of a run to be played again.
        events_replayed: events of a run that is played again, a list; the first of all is its RunStarted.
        data_shown: the file that was looked at last, as `stmlab.gui.data.opened.Opened`.
    """

    run_shown = pyqtSignal(object)
    entry_wanted = pyqtSignal(object)
    run_asked = pyqtSignal(object)
    entry_added = pyqtSignal(object)
    entry_replaced = pyqtSignal(object)
    fit_shown = pyqtSignal(object)
    station_changed = pyqtSignal(str)
    run_changed = pyqtSignal(str, str)
    partial_seen = pyqtSignal(int, object)
    next_seen = pyqtSignal(object, int)
    values_seen = pyqtSignal(object)
    safe_asked = pyqtSignal()
    run_station = pyqtSignal(str)
    theme_changed = pyqtSignal(object)
    panel_wanted = pyqtSignal(str)
    overlay_wanted = pyqtSignal(object)
    fit_wanted = pyqtSignal(object)
    start_wanted = pyqtSignal(object)
    map_wanted = pyqtSignal(object)
    replay_wanted = pyqtSignal(object)
    events_replayed = pyqtSignal(object)
    data_shown = pyqtSignal(object)

    def __init__(self, settings: Settings | None = None, theme: Theme | None = None) -> None:
        super().__init__()
        self.actions = Actions(self)
        self.notices = Notices(self)
        self.settings = settings or Settings()
        self.theme = theme or theme_called("light")

    @cached_property
    def workers(self) -> Workers:
        """The work processes."""
        from stmlab.gui.work import Workers

        return Workers(parent=self)

    def close(self) -> None:
        """End the work processes, if there are any."""
        if "workers" in self.__dict__:
            self.workers.close()

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
