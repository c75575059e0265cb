"""What a queue holds: entries that say what is measured, and what came of them so far.

    WAITING --> RUNNING --> DONE
                   |------> FAILED       (then the queue stops, goes on, or tries again: ``after_failure``)
                   |------> STOPPED      (by a person: after a point, or at once)
                   '------> INTERRUPTED  (its process died; never repeated by itself)
    WAITING --> SKIPPED                  (by a person)

An entry is one run, or several: ``loop`` gives parameters one value after the other, ``repeat`` does the whole again.
"""

from __future__ import annotations

import itertools
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LATEST, STATION = "latest", "station"


class EntryState(StrEnum):
    """Where an entry stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class AfterFailure(StrEnum):
    """What a queue does when an entry has failed. A tip that tripped or was withdrawn always stops it."""

    STOP = "stop"
    SKIP = "skip"
    RETRY = "retry"


def new_id() -> str:
    """Eight characters that no other entry has."""
    return secrets.token_hex(4)


def _written(value: object) -> object:
    """A number as a person would write it; true and false as such."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else value


Written = Annotated[str, BeforeValidator(_written)]
"""A value as people write it: "4 mV", "0.004", "true"."""


class QueueEntry(BaseModel):
    """One entry.

    Attributes:
        id: its name in the queue.
        sequence: name of the experiment.
        station: name or file of the station.
        sample: name or file of the sample; None: the station's own.
        seed: of the simulation.
        settings: parameters as people write them: {"dc_bias": "4 mV"}.
        folder: where the files of the runs go, as seen from the queue's file; "": beside it.
        name: of the file, without ".h5"; "": date, sequence and sample. A number is added where it exists already.
        repeat: times that the whole is done.
        loop: parameter -> values, one after the other; of several parameters every combination, the last one fastest.
        transfer: of the RF line: "latest": the table that the last transfer run of this queue on the same station has
            written, if there is one; "station": what the station's file says; or the id of a transfer entry.
        after_failure: what the queue does when a run of this entry fails.
        retries: with "retry": how often a run is tried again; after the last the queue stops.
        pause_after: the queue waits for a person when this entry is done.
        note: for people.
        tags: for the catalogue.
        state: where it stands.
        done: number of its runs that are done.
        files: of its runs, in their order, as seen from the queue's file.
        message: what there is to say of its state, one line; a failure stays here until the entry is run again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(default_factory=new_id, pattern=r"^[\w-]+$")
    sequence: str = Field(min_length=1)
    station: str = "simulated"
    sample: str | None = None
    seed: int | None = Field(default=None, ge=0)
    settings: dict[str, Written] = Field(default_factory=dict)
    folder: str = ""
    name: str = Field(default="", pattern=r"^[^/\\]*$")
    repeat: int = Field(default=1, ge=1)
    loop: dict[str, tuple[Written, ...]] = Field(default_factory=dict)
    transfer: str = LATEST
    after_failure: AfterFailure = AfterFailure.STOP
    retries: int = Field(default=1, ge=1)
    pause_after: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    state: EntryState = EntryState.WAITING
    done: int = Field(default=0, ge=0)
    files: tuple[str, ...] = ()
    message: str = ""

    @model_validator(mode="after")
    def _loop_is_one(self) -> Self:
        for name, values in self.loop.items():
            if not values:
                raise ValueError(f"loop.{name}: at least one value is needed")
            if name in self.settings:
                raise ValueError(f"{name} stands in settings and in loop: one of them is enough")
        return self

    @property
    def runs(self) -> int:
        """Number of runs that the entry is."""
        count = self.repeat
        for values in self.loop.values():
            count *= len(values)
        return count

    @property
    def file(self) -> str | None:
        """Of the last run that wrote one."""
        return self.files[-1] if self.files else None

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.state not in (EntryState.WAITING, EntryState.RUNNING)

    def settings_of(self, run: int) -> dict[str, str]:
        """The parameters of run number ``run`` (from 0)."""
        combinations = list(itertools.product(*self.loop.values()))
        return {**self.settings, **dict(zip(self.loop, combinations[run % len(combinations)], strict=True))}

    def changed(self, **changes: object) -> QueueEntry:
        """A copy with other values, checked.

        Raises:
            ValidationError: of pydantic.
        """
        return QueueEntry.model_validate({**self.model_dump(), **changes})

    def anew(self) -> QueueEntry:
        """The same measurement as a new entry."""
        return self.changed(id=new_id(), state=EntryState.WAITING, done=0, files=(), message="")


class Queue(BaseModel):
    """The entries in their order. Every change gives a new queue.

    Attributes:
        entries: each with an id of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    entries: tuple[QueueEntry, ...] = ()

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [entry.id for entry in self.entries]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"two entries have the id {twice[0]}")
        return self

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, name: str) -> QueueEntry:
        """The entry of that id; SequenceError if there is none."""
        return self.entries[self.place(name)]

    def place(self, name: str) -> int:
        """Where the entry of that id stands, from 0; SequenceError if there is none."""
        for place, entry in enumerate(self.entries):
            if entry.id == name:
                return place
        raise SequenceError(f"there is no entry {name} in this queue")

    @property
    def next(self) -> QueueEntry | None:
        """The first that waits."""
        return next((entry for entry in self.entries if entry.state is EntryState.WAITING), None)

    @property
    def running(self) -> QueueEntry | None:
        """The one that is performed."""
        return next((entry for entry in self.entries if entry.state is EntryState.RUNNING), None)

    def added(self, *entries: QueueEntry, before: str | None = None) -> Queue:
        """With more entries, before that of the id ``before``, or at the end."""
        place = len(self) if before is None else self.place(before)
        return self._with([*self.entries[:place], *entries, *self.entries[place:]])

    def removed(self, name: str) -> Queue:
        """Without an entry that is not running."""
        self._refuse_running(name)
        return self._with(entry for entry in self.entries if entry.id != name)

    def moved(self, name: str, place: int) -> Queue:
        """With an entry that waits at another place (from 0, counted without it)."""
        entry = self[name]
        if entry.state is not EntryState.WAITING:
            raise SequenceError(f"entry {name} is {entry.state}: only one that waits is moved")
        others = [other for other in self.entries if other.id != name]
        place = max(0, min(place, len(others)))
        return self._with([*others[:place], entry, *others[place:]])

    def duplicated(self, name: str, copy: QueueEntry) -> Queue:
        """With a copy right behind the entry of that id."""
        place = self.place(name) + 1
        return self._with([*self.entries[:place], copy, *self.entries[place:]])

    def replaced(self, entry: QueueEntry) -> Queue:
        """With another entry in place of the one of the same id, in whatever state."""
        place = self.place(entry.id)
        return self._with([*self.entries[:place], entry, *self.entries[place + 1 :]])

    def edited(self, entry: QueueEntry) -> Queue:
        """With another plan for an entry that is not running; what came of it so far stays.

        An entry that is over waits again if ``entry`` says that it waits: it goes on with the runs that are not done.
        """
        self._refuse_running(entry.id)
        before = self[entry.id]
        if entry.state not in (before.state, EntryState.WAITING, EntryState.SKIPPED):
            raise SequenceError(f"entry {entry.id}: only its run makes it {entry.state}")
        done = before.done if before.done < entry.runs or entry.state is before.state else 0
        message = before.message if entry.state is before.state else ""
        return self.replaced(entry.changed(done=done, files=before.files, message=message))

    def orphaned(self) -> tuple[Queue, tuple[str, ...]]:
        """As nobody performs it: what ran was interrupted, and is not repeated by itself; and one line for each."""
        queue, said = self, []
        for entry in self.entries:
            if entry.state is EntryState.RUNNING:
                words = f"its process ended during run {entry.done + 1} of {entry.runs}; it is not repeated by itself"
                if entry.file is not None:
                    words += f": look at {entry.file} and at the station, then let it wait again"
                queue = queue.replaced(entry.changed(state=EntryState.INTERRUPTED, message=words))
                said.append(f"entry {entry.id} ({entry.sequence}): {words}")
        return queue, tuple(said)

    def _refuse_running(self, name: str) -> None:
        if self[name].state is EntryState.RUNNING:
            raise SequenceError(f"entry {name} is running: stop it first")

    def _with(self, entries: Iterable[QueueEntry]) -> Queue:
        return Queue(entries=tuple(entries))

    def runs(self) -> Iterator[tuple[QueueEntry, int]]:
        """Every run that is left: its entry and its number."""
        for entry in self.entries:
            if entry.state is EntryState.WAITING:
                yield from ((entry, run) for run in range(entry.done, entry.runs))
