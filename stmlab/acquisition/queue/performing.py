"""Performs the entries of a queue, one run after the other, in the thread that calls `Performer.perform`.

    PERFORMING: the next entry that waits --> its runs, one after the other --> done
         ^                                         | a run fails
         | resume, insert                          v
    WAITING (for a person: hold, pause_after)   stop: ENDED      skip: the next entry     retry: once more, then ENDED
                                                   ^
                     a tip that tripped or was withdrawn, a station that was not left safe or is somebody else's

Every change is in the queue's file before anything moves, so a queue whose process has died says which run was under
way. That one is never repeated by itself: a person lets the entry wait again.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from stmlab.acquisition.queue.entries import AfterFailure, EntryState, Queue, QueueEntry
from stmlab.acquisition.queue.entry_run import entry_run
from stmlab.acquisition.queue.report import Report
from stmlab.errors import SequenceError, StationBusy, StationNotSafe, StmlabError, TipTripped, TipWithdrawn
from stmlab.events import RunState
from stmlab.station.guardian import guarded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stmlab.acquisition.queue.file import QueueFile
    from stmlab.acquisition.runner import Estimate, Outcome, Runner

    Message = dict[str, Any]
    Watching = Callable[[Runner, Estimate], AbstractContextManager[None]]

log = logging.getLogger(__name__)

_ENDS_THE_QUEUE = (TipTripped, TipWithdrawn, StationNotSafe, StationBusy)
_LOOK = 0.5  # s between looks at whether the wait for a person is over; signals are heard in between


class QueueState(StrEnum):
    """What a queue does."""

    PERFORMING = "performing"
    WAITING = "waiting"
    ENDED = "ended"


class Performer:
    """Performs one queue.

    Args:
        file: of the queue, owned by this process.
        tell: called with a message (see `protocol`) for whatever changes; must not wait.
        only: perform this entry alone.
        force: take a station although its last owner died without leaving it safe.
        watching: a context around every run, with its runner and estimate: a progress bar.

    What is asked for may come from any thread.

    Attributes:
        state: what the queue does.
        reason: of the state, one line.
        left_unsafe: whether a run could not make its station safe.
        report: of the run that is under way, None between two.
        notes: what a person should know of the queue as it was found.
    """

    def __init__(
        self,
        file: QueueFile,
        tell: Callable[[Message], None] = lambda _: None,
        *,
        only: str | None = None,
        force: bool = False,
        watching: Watching = lambda *_: nullcontext(),
    ) -> None:
        self._file, self._tell, self._force, self._watching = file, tell, force, watching
        self._folder = file.path.parent
        self._only = None if only is None else file.queue[only].id
        self._changing = threading.Condition(threading.RLock())
        self._held = ""  # why it waits for a person before the next entry, "" if it does not
        self._at_once: list[str] = []  # entries that are taken although it waits
        self._ending: str = ""  # why it ends after this run
        self._next_please = False  # a stopped run does not end the queue
        self._runner: Runner | None = None
        self.state, self.reason = QueueState.PERFORMING, ""
        self.left_unsafe = False
        self.report: Report | None = None
        self.notes = file.notes

    @property
    def queue(self) -> Queue:
        """As it stands."""
        return self._file.queue

    @property
    def run_state(self) -> RunState | None:
        """Of the run that is under way."""
        runner = self._runner
        return None if runner is None else runner.state

    # -- the queue ---------------------------------------------------------------------------------------------------

    def perform(self) -> bool:
        """Take every entry that waits.

        Returns:
            Whether every entry of the queue is done (with ``only``: whether that one is).

        Raises:
            FileError: what came of a run cannot be kept in the queue's file; the station is safe.
        """
        try:
            while (entry := self._next()) is not None:
                self._perform(entry)
        finally:
            self._enter(QueueState.ENDED, self._ending)
        wanted = [entry for entry in self.queue.entries if self._only in (None, entry.id)]
        return all(entry.state is EntryState.DONE for entry in wanted)

    def _next(self) -> QueueEntry | None:
        """The next entry to be taken, None at the end; waits for a person where that is wanted."""
        with self._changing:
            while not self._ending:
                at_once = self._at_once.pop(0) if self._at_once else None
                entry = self._waiting_next() if at_once is None else self.queue[at_once]
                if entry is None:
                    return None
                if not self._held or at_once is not None:
                    self._enter(QueueState.PERFORMING)
                    return entry
                self._enter(QueueState.WAITING, self._held)
                self._changing.wait(_LOOK)
        return None

    def _waiting_next(self) -> QueueEntry | None:
        if self._only is None:
            return self.queue.next
        return next((e for e in self.queue.entries if e.id == self._only and e.state is EntryState.WAITING), None)

    def _perform(self, entry: QueueEntry) -> None:
        """All runs of one entry that are not done."""
        failures = 0
        self._change(entry.id, state=EntryState.RUNNING, message="")
        while (entry := self.queue[entry.id]).done < entry.runs:
            if self._ending:
                state = EntryState.STOPPED if entry.done else EntryState.WAITING
                self._change(entry.id, state=state, message=self._ending if entry.done else "")
                return
            try:
                outcome = self._run(entry)
            except Exception as error:  # whatever it was: the station is safe, or the error says that it is not
                failures += 1
                if not self._goes_on(entry, error, failures):
                    return
            else:
                if not self._goes_on_after(entry, outcome):
                    return
                failures = 0
        self._change(entry.id, state=EntryState.DONE)
        if entry.pause_after:
            self.hold(f"entry {entry.id} ({entry.sequence}) wants a person to look")

    def _run(self, entry: QueueEntry) -> Outcome:
        """One run.

        Raises:
            Exception: whatever refused or ended it.
        """
        number = entry.done
        (self._folder / entry.folder).mkdir(parents=True, exist_ok=True)
        with entry_run(entry, number, self.queue, self._folder, force=self._force) as (runner, estimate):
            assert runner.path is not None
            self._change(entry.id, files=(*entry.files, self._seen_from_here(runner.path)))
            report = Report(self.queue[entry.id], number, runner, estimate, self._tell)
            runner.listen(report)
            runner.show_partial(report.partial)
            with self._changing:
                self._runner, self.report = runner, report
            try:
                with self._watching(runner, estimate), guarded(runner.station):
                    outcome = self._run_unless_ending(runner)
                    self._tell_end(report, outcome.reason, outcome.message, safe=True)
                    return outcome
            except BaseException as error:
                said = str(error) or repr(error)
                self._tell_end(report, type(error).__name__, said, safe=not isinstance(error, StationNotSafe))
                raise
            finally:
                with self._changing:
                    self._runner = self.report = None
                self._refuse_a_marked_tip(runner)

    def _seen_from_here(self, path: Path) -> str:
        path = path.resolve()
        return str(path.relative_to(self._folder)) if path.is_relative_to(self._folder) else str(path)

    def _run_unless_ending(self, runner: Runner) -> Outcome:
        if self._ending:  # it was asked for while the instruments were connected
            runner.stop()
        return runner.run()

    def _refuse_a_marked_tip(self, runner: Runner) -> None:
        """Nothing goes on with a tip that tripped or was withdrawn, whatever the run has made of it."""
        if (mark := runner.station.tip_mark.read()) is not None and not self._ending:
            self._ending = f"{mark}: a person looks at the tip, then `stmlab approach` frees it"

    def _goes_on_after(self, entry: QueueEntry, outcome: Outcome) -> bool:
        """Note a run that was not refused and did not fail; whether the entry goes on."""
        file = [] if outcome.path is None else [outcome.path]
        self._note_in_catalogue(entry, file)
        if outcome.state is RunState.FINISHED:
            self._change(entry.id, done=entry.done + 1, message=outcome.message or entry.message)
            return True
        self._change(entry.id, state=EntryState.STOPPED, message=outcome.message)
        with self._changing:
            go_on, self._next_please = self._next_please, False
            if not go_on and not self._ending:  # a watcher of the station wants it, or a person
                self._ending = outcome.message
        return False

    def _goes_on(self, entry: QueueEntry, error: Exception, failures: int) -> bool:
        """Note a failure; whether the same run is tried again."""
        words = str(error) or repr(error)
        if not isinstance(error, StmlabError | OSError):
            log.error("entry %s (%s) failed", entry.id, entry.sequence, exc_info=error)
            words = f"{type(error).__name__}: {words}"
        self.left_unsafe |= isinstance(error, StationNotSafe)
        for_ever = isinstance(error, _ENDS_THE_QUEUE) or bool(self._ending)
        if not for_ever and entry.after_failure is AfterFailure.RETRY and failures <= entry.retries:
            log.warning(
                "entry %s (%s): %s; once more (%d of %d)", entry.id, entry.sequence, words, failures, entry.retries
            )
            return True
        log.error("entry %s (%s): %s", entry.id, entry.sequence, words)
        self._change(entry.id, state=EntryState.FAILED, message=words)
        if for_ever or entry.after_failure is not AfterFailure.SKIP:
            with self._changing:
                self._ending = self._ending or f"entry {entry.id} ({entry.sequence}) failed: {words}"
        return False

    def _note_in_catalogue(self, entry: QueueEntry, files: list[Path]) -> None:
        from stmlab.storage.catalogue import add_note, add_tags

        for file in files:
            try:
                if entry.tags:
                    add_tags(file, entry.tags)
                if entry.note:
                    add_note(file, entry.note)
            except (StmlabError, OSError) as error:  # the data are there all the same
                log.warning("%s: its tags and note are not kept: %s", file, error)

    # -- what is asked for -------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """The run: hold state after the point that is being taken; between two, the queue waits."""
        with self._changing:
            if self._runner is not None:
                self._runner.pause()
            else:
                self.hold("a person wants it to wait")

    def resume(self, *, anyway: bool = False) -> None:
        """The run goes on after a pause, the queue after a wait; ``anyway``: as `Runner.resume`."""
        with self._changing:
            if self._runner is not None:
                self._runner.resume(anyway=anyway)
            else:
                self._held = ""
                self._changing.notify_all()

    def hold(self, why: str = "a person wants it to wait") -> None:
        """Wait for a person before the next entry."""
        with self._changing:
            self._held = why
            self._tell(self._said())

    def go_on(self) -> None:
        """Do not wait before the next entry."""
        with self._changing:
            self._held = ""
            self._tell(self._said())
            self._changing.notify_all()

    def take_all(self) -> None:
        """Perform every entry that waits, also where one alone was wanted before."""
        with self._changing:
            self._only = None
            self._tell(self._said())
            self._changing.notify_all()

    def stop(self, *, go_on: bool = False) -> None:
        """End the run after its point; then the queue, unless ``go_on``: the next entry is taken."""
        with self._changing:
            self._end_run(lambda runner: runner.stop(), "stopped by the user", go_on=go_on)

    def abort(self, why: str = "aborted by the user", *, attended: bool = True, go_on: bool = False) -> None:
        """End the run at once; then the queue, unless ``go_on``. ``attended`` as `Runner.abort`."""
        with self._changing:
            self._end_run(lambda runner: runner.abort(why, attended=attended), why, go_on=go_on)

    def _end_run(self, end: Callable[[Runner], None], why: str, *, go_on: bool) -> None:
        if not go_on:
            self._ending = self._ending or why
        if self._runner is not None:
            self._next_please = go_on
            end(self._runner)
        self._changing.notify_all()

    def change(self, changed: Callable[[Queue], Queue]) -> None:
        """Another queue in place of this one.

        Raises:
            StmlabError: refused; nothing has changed.
        """
        with self._changing:
            self._file.keep(changed(self.queue))
            there = {entry.id for entry in self.queue.entries}
            self._at_once = [name for name in self._at_once if name in there]
            self._tell(self.entries())
            self._changing.notify_all()

    def insert(self, entry: QueueEntry) -> None:
        """A small run before all that wait; at once if the queue waits for a person, and then it waits again.

        Raises:
            SequenceError: the entry does not wait, or one of its id is there already.
        """
        if entry.state is not EntryState.WAITING:
            raise SequenceError(f"entry {entry.id} is {entry.state}: only one that waits is inserted")
        with self._changing:
            following = self.queue.next
            self.change(lambda queue: queue.added(entry, before=None if following is None else following.id))
            if self._held or self._only is not None:
                self._at_once.append(entry.id)
                self._changing.notify_all()

    # -- what is told ------------------------------------------------------------------------------------------------

    def entries(self) -> Message:
        """The event of the queue."""
        found = [entry.model_dump(mode="json") for entry in self.queue.entries]
        return {"event": "queue", "file": str(self._file.path), "entries": found}

    def status(self) -> Message:
        """Everything as it is now."""
        with self._changing:
            report = self.report
            return {
                **self.entries(),
                "event": "status",
                "pid": os.getpid(),
                "state": self._said(),
                "states": [] if report is None else list(report.states),
                "progress": None if report is None else report.progress(),
                "values": None if report is None else report.values(),
                "notes": list(self.notes),
            }

    def _said(self) -> Message:
        return {"event": "state", "queue": self.state, "reason": self.reason, "held": self._held, "only": self._only}

    def _enter(self, state: QueueState, reason: str = "") -> None:
        with self._changing:
            if state is not self.state or reason != self.reason:
                self.state, self.reason = state, reason
                self._tell(self._said())

    def _change(self, name: str, **changes: Any) -> None:
        """Another state for an entry, in the file before anything else happens."""
        self.change(lambda queue: queue.replaced(queue[name].changed(**changes)))

    def _tell_end(self, report: Report, reason: str, message: str, *, safe: bool) -> None:
        """How a run ended, and how its station was left."""
        self._tell(
            {
                **report.progress(),
                "event": "finished",
                "reason": reason,
                "message": message,
                "station": report.left,
                "safe": safe,
            }
        )
