"""Which transfer function of the RF path a run takes: the one just measured, the station's, or a named one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.queue.entries import LATEST, STATION, EntryState
from stmlab.errors import SequenceError, StmlabError
from stmlab.storage import open_run

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.acquisition.queue.entries import Queue, QueueEntry

log = logging.getLogger(__name__)


def transfer_of(entry: QueueEntry, queue: Queue, folder: Path) -> Path | None:
    """The table that ``entry`` takes in place of what its station's file says; None: that.

    A sequence that measures the transfer function itself takes the station's, which it continues from its reference;
    one without a microwave has no use for any.

    Args:
        entry: one of the queue.
        queue: with what came of it so far.
        folder: of the queue's file.

    Raises:
        SequenceError: the entry names another one that has measured none, or on another station.
    """
    sequence = sequence_class(entry.sequence)
    if entry.transfer == STATION or sequence.measures_transfer or "path_to_junction" not in sequence.roles:
        return None
    if entry.transfer != LATEST:
        return _table_of(_named(entry, queue), folder)
    earlier = queue.entries[: queue.place(entry.id)]
    for other in reversed(earlier):
        if other.station != entry.station or not sequence_class(other.sequence).measures_transfer:
            continue
        if other.state is EntryState.DONE:
            try:
                return _table_of(other, folder)
            except StmlabError as error:
                log.warning("entry %s (%s): %s", entry.id, entry.sequence, error)
        else:
            said = "entry %s (%s): entry %s (%s) is %s: an earlier table, or the station's, is taken"
            level = logging.INFO if other.state is EntryState.WAITING else logging.WARNING
            log.log(level, said, entry.id, entry.sequence, other.id, other.sequence, other.state)
    return None


def _named(entry: QueueEntry, queue: Queue) -> QueueEntry:
    other = queue[entry.transfer]
    if other.station != entry.station:
        raise SequenceError(
            f"transfer = {entry.transfer!r}: that entry is on station {other.station}, this one on {entry.station}"
        )
    return other


def _table_of(entry: QueueEntry, folder: Path) -> Path:
    """Beside the last run of an entry that has measured the transfer function."""
    if entry.file is None:
        raise SequenceError(f"entry {entry.id} ({entry.sequence}) is {entry.state} and has no file yet")
    run = folder / entry.file
    for fit in reversed(open_run(run).fits):
        if table := fit.choices.get("table"):
            return run.with_name(str(table))
    raise SequenceError(f"{run}: its fit has written no transfer table")
