"""Every wish about the queue, in one place: asked of the process that performs it, or written into its file.

The desk keeps what the window knows of the run: panels show it, and the other panels hear of it through the context.
A failure or a refusal stays until a person dismisses it: no later state overwrites it.
"""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from stmlab.acquisition.queue.entries import EntryState, Queue, QueueEntry
from stmlab.acquisition.queue.file import owned, read_queue
from stmlab.errors import StmlabError
from stmlab.gui.queue.link import QueueLink
from stmlab.gui.queue.process import QueueProcess
from stmlab.station.aftermath import aftermath

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.gui.context import Context

    Message = dict[str, Any]

log = logging.getLogger(__name__)

_GUARDIAN = 500  # ms between looks at what the guardian of a run that died has done
_PATIENCE = 240  # looks
_REREAD = 2000  # ms between looks at the file while nobody performs it


def desk_of(context: Context) -> QueueDesk:
    """The one desk of a window, with the queue that was open last."""
    for child in context.children():
        if isinstance(child, QueueDesk):
            return child
    remembered = context.settings.panel("queue").get("file")
    return QueueDesk(context, Path(remembered) if remembered else usual_file(), context)


def usual_file() -> Path:
    """The queue of a window in which none was opened."""
    from platformdirs import user_state_path

    folder = user_state_path("stmlab")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "queue.toml"


class QueueDesk(QObject):
    """What the window knows of one queue, and what it asks for.

    Args:
        context: of the window.
        file: of the queue; made when the first entry comes.

    Attributes:
        queue: the entries as last told.
        only: id of the one entry that is performed, "" where all are.
        state: of the queue: "performing", "waiting", "ended"; "" while nobody performs it.
        run: of the run: its state in words, "" between two.
        said: the reason of that state.
        progress: as last told, empty between two.
        trouble: the last failure or refusal, until it is dismissed.

    Signals:
        queue_changed: the entries.
        run_changed: anything of the run or of the queue's state.
        trouble_changed: the trouble.
    """

    queue_changed = pyqtSignal()
    run_changed = pyqtSignal()
    trouble_changed = pyqtSignal(str)

    def __init__(self, context: Context, file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.context, self.file = context, file
        self.queue = Queue()
        self.state = self.reason = self.held = self.run = self.said = self.trouble = ""
        self.progress: Message = {}
        self.only = ""
        self._shown = ""  # file of the run that the live plots were told of
        self._station = self._told_station = ""  # of the run that is under way
        self._read: bytes | None = None  # of the file, as it was last
        self._looks = 0
        self._died = 0  # number of the process of the run that has died
        self._attach(file)
        self._guardian = QTimer(self)
        self._guardian.timeout.connect(self._look_after)
        self._reread = QTimer(self)
        self._reread.timeout.connect(self.reread)
        self._reread.start(_REREAD)
        self.reread()

    @property
    def is_performed(self) -> bool:
        """Whether a process performs the queue, or is being started for it."""
        return self.link.is_connected or self.process.is_starting

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self.link.is_connected and self.queue.running is not None

    def open(self, file: Path) -> None:
        """Another queue; the process of this one goes on."""
        self.link.close()
        self.link.deleteLater()
        self.process.deleteLater()
        self.file, self.queue, self._read = file, Queue(), None
        self.state = self.reason = self.held = self.run = ""
        self.progress = {}
        self._attach(file)
        self.context.settings.remember_panel("queue", file=str(file))
        self.reread()

    def _attach(self, file: Path) -> None:
        self.link, self.process = QueueLink(file, self), QueueProcess(file, self)
        self.link.told.connect(self._hear)
        self.link.ended.connect(self._ended)
        self.link.lost.connect(self._lost)
        self.process.failed.connect(self._not_started)

    # -- wishes ------------------------------------------------------------------------------------------------------

    def start(self, only: str | None = None) -> None:
        """Perform what waits, or that entry alone."""
        if self.link.is_connected and self.only:
            self._ask("all")
            return
        if self.is_performed:
            self._refused("the queue is performed already")
            return
        if (self.queue.next if only is None else self.queue[only]) is None:
            self._refused("nothing waits in the queue: add an entry first")
            return
        try:
            self.process.start(only=only)
        except OSError as error:
            self._refused(f"the process of the queue cannot be started: {error}")
            return
        self._tell_run("starting")

    def run_now(self, entry: QueueEntry) -> None:
        """Run this before all that waits; while a run is under way, after it."""
        if not self.is_performed:
            following = self.queue.next
            if self._change(lambda queue: queue.added(entry, before=None if following is None else following.id)):
                self.start(only=entry.id)
            return
        if self.queue.running is not None:
            self.context.notices.info(f"{entry.sequence} is measured after the run that is under way")
        self._ask("insert", entry=entry.model_dump(mode="json"))

    def add(self, entry: QueueEntry, before: str | None = None) -> None:
        """One more entry, at the end or before another one."""
        self._wish(
            lambda queue: queue.added(entry, before=before), "add", entry=entry.model_dump(mode="json"), before=before
        )

    def edit(self, entry: QueueEntry, **changes: Any) -> None:
        """Another plan for an entry that is not running."""
        try:
            changed = entry.changed(**changes)
        except ValidationError as error:
            self._refused(error.errors()[0]["msg"].removeprefix("Value error, "))
            return
        self._wish(lambda queue: queue.edited(changed), "edit", entry=changed.model_dump(mode="json"))

    def remove(self, name: str) -> None:
        """Take an entry out that is not running."""
        self._wish(lambda queue: queue.removed(name), "remove", name=name)

    def move(self, name: str, place: int) -> None:
        """Put an entry that waits to another place."""
        self._wish(lambda queue: queue.moved(name, place), "move", name=name, place=place)

    def duplicate(self, name: str) -> None:
        """The same measurement once more, right behind."""
        self._wish(lambda queue: queue.duplicated(name, queue[name].anew()), "duplicate", name=name)

    def ask(self, what: str, **how: Any) -> None:
        """Of the process: pause, resume, stop, abort, hold; a refusal is told."""
        self._ask(what, **how)

    def dismiss(self) -> None:
        """The person has read the trouble."""
        self._set_trouble("")

    def close(self) -> None:
        """The window closes; the process goes on."""
        self.link.close()
        for timer in (self._guardian, self._reread):
            timer.stop()

    def _wish(self, change: Callable[[Queue], Queue], what: str, **how: Any) -> None:
        if self.link.is_connected:
            self._ask(what, **how)
        else:
            self._change(change)

    def _ask(self, what: str, **how: Any) -> None:
        self.link.ask(what, refused=self._refused, **how)

    def _change(self, change: Callable[[Queue], Queue]) -> bool:
        """In the file, which nobody performs; whether that went well."""
        try:
            with owned(self.file, new=True) as file:
                file.keep(change(file.queue))
                self._take(file.queue)
        except (StmlabError, ValidationError, OSError) as error:
            self._refused(str(error))
            return False
        return True

    def reread(self) -> None:
        """Look at the file while nobody performs the queue: people write it, too."""
        if self.link.is_connected:
            return
        try:
            text = self.file.read_bytes()
        except OSError:
            text = b""
        if text == self._read:
            return
        self._read = text
        if not text:
            self._take(Queue())
            return
        try:
            self._take(read_queue(self.file))
        except StmlabError as error:
            self._refused(str(error))

    # -- what is told ------------------------------------------------------------------------------------------------

    def _hear(self, message: Message) -> None:
        told: dict[str, Callable[[Message], None]] = {
            "status": self._hear_status,
            "queue": self._hear_queue,
            "state": self._hear_state,
            "progress": self._hear_progress,
            "values": self._hear_values,
            "partial": self._hear_partial,
            "finished": self._hear_end,
            "log": self._hear_log,
        }
        if (hear := told.get(message["event"])) is not None:
            hear(message)

    def _hear_status(self, message: Message) -> None:
        self.process.heard()
        self._hear_queue(message)
        self._hear_state(message["state"])
        if message["progress"] is not None:
            self._hear_progress(message["progress"])
            for state in message["states"][-1:]:
                self._hear_state(state)
        if message["values"] is not None:
            self._hear_values(message["values"])
        self.run_changed.emit()

    def _hear_queue(self, message: Message) -> None:
        self._take(Queue.model_validate({"entries": message["entries"]}))

    def _take(self, queue: Queue) -> None:
        before = {entry.id: entry for entry in self.queue.entries}
        self.queue = queue
        if queue.running is not None:
            self._station = queue.running.station
        self._tell_station("" if queue.running is None or not self.link.is_connected else self._station)
        for entry in queue.entries:
            earlier = before.get(entry.id)
            news = earlier is not None and (earlier.state, earlier.message) != (entry.state, entry.message)
            if news and entry.state in (EntryState.FAILED, EntryState.INTERRUPTED):
                self._set_trouble(f"{entry.sequence} {entry.state}: {entry.message}")
        self.queue_changed.emit()
        self.run_changed.emit()

    def _tell_station(self, station: str) -> None:
        if station != self._told_station:
            self._told_station = station
            self.context.run_station.emit(station)

    def _hear_state(self, message: Message) -> None:
        if "queue" in message:
            self.state, self.reason, self.held = message["queue"], message["reason"], message["held"]
            self.only = message["only"] or ""
            if self.state != "performing":
                self.run, self.progress = "", {}
                self._tell_context(self.state, self.reason)
            self.run_changed.emit()
            return
        self.run = message["state"]
        self._tell_run(self.run, message["reason"])

    def _hear_progress(self, message: Message) -> None:
        self.progress = message
        self.run = message["state"]
        file = message["file"]
        if file and file != self._shown and self.run != "checked":
            self._shown = file
            self.context.run_shown.emit(Path(file))
        following = message.get("next")  # not of a process of an older version
        if file:
            self.context.next_seen.emit(Path(file), -1 if following is None else following)
        self.run_changed.emit()

    def _hear_values(self, message: Message) -> None:
        names = [*message["set"], *(name for name in message["read"] if name not in message["set"])]
        seen = {name: {**message["set"].get(name, {}), **message["read"].get(name, {})} for name in names}
        self.context.values_seen.emit(seen)

    def _hear_partial(self, message: Message) -> None:
        self.context.partial_seen.emit(int(message["index"]), message["values"])

    def _hear_end(self, message: Message) -> None:
        self._hear_progress(message)
        if not message["safe"]:
            self._set_trouble(f"NOT SAFE: {message['message']}")
        self._tell_run(self.run, message["message"])

    def _hear_log(self, message: Message) -> None:
        level = logging.getLevelNamesMapping().get(message["level"], logging.INFO)
        log.log(level, "run: %s", message["text"])

    def _tell_run(self, state: str, message: str = "") -> None:
        self.run, self.said = state, message
        self._tell_context(state, message)
        self.run_changed.emit()

    def _tell_context(self, state: str, message: str) -> None:
        self.context.run_changed.emit(state, message)

    def kill(self) -> None:
        """End the process of the queue, which does not obey any more; a simulated microscope goes with it."""
        if self.link.pid:
            os.kill(self.link.pid, signal.SIGKILL)

    # -- trouble -----------------------------------------------------------------------------------------------------

    def _refused(self, why: str) -> None:
        self._set_trouble(why)

    def _not_started(self, said: str) -> None:
        self.run = ""
        self._set_trouble(f"not started: {said}")
        self._tell_context("", "")
        self.run_changed.emit()
        self._read = None
        self.reread()

    def _set_trouble(self, why: str) -> None:
        self.trouble = why
        if why:
            log.error("%s", why)  # the run's panel shows it for as long as nobody has dismissed it
        self.trouble_changed.emit(why)

    def _ended(self) -> None:
        """The process has ended as it should."""
        state, self.state, self.run, self.progress = self.state, "", "", {}
        self._tell_context("", self.reason if state == "ended" else "")
        self._read = None
        self.reread()
        self.run_changed.emit()

    def _lost(self, pid: int) -> None:
        """The process was killed: say so, and what its guardian does."""
        was_running, self.state, self.run, self.progress = self.run, "", "", {}
        self._died = pid
        words = "the process of the run has died" if was_running else "the process of the queue has died"
        self._set_trouble(f"{words}; its guardian is making the station safe")
        self._tell_context("failed", words)
        self._looks = 0
        self._guardian.start(_GUARDIAN)
        self.run_changed.emit()

    def _look_after(self) -> None:
        """What the guardian of the run that died has done so far."""
        self._looks += 1
        try:
            found = aftermath(self._station, self._died)
        except StmlabError as error:
            self._guardian.stop()
            self._set_trouble(f"the process of the run has died; what its guardian did is not known: {error}")
            return
        if found.safe is None and self._looks < _PATIENCE:
            return
        if found.safe is not False:
            self._guardian.stop()
        words = "" if found.safe is not None else "NOT SAFE as far as is known: "
        said = f"the process of the run has died: {words}{found.text}"
        if said != self.trouble:
            self._set_trouble(said)
            self._tell_context("failed" if found.safe else "not safe", said)
        self._read = None
        self.reread()
