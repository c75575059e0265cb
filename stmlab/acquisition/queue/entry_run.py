"""One run of an entry of a queue: the one that is checked is the one that is performed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.acquisition.measurement import measurement
from stmlab.acquisition.queue.line import transfer_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from stmlab.acquisition.queue.entries import Queue, QueueEntry
    from stmlab.acquisition.runner import Estimate, Runner


def entry_run(
    entry: QueueEntry, number: int, queue: Queue, folder: Path, *, force: bool = False
) -> AbstractContextManager[tuple[Runner, Estimate]]:
    """Its runner, which has passed its preflight, and what it will take; nothing has moved.

    Args:
        entry: one of ``queue``.
        number: of the run among those of the entry, from 0.
        queue: as it stands.
        folder: of the queue's file.
        force: take the station although its last owner died without leaving it safe.

    Raises:
        StmlabError: refused; nothing moved.
    """
    return measurement(
        entry.sequence,
        entry.station,
        sample=entry.sample,
        seed=entry.seed,
        settings=entry.settings_of(number),
        force=force,
        folder=folder / entry.folder,
        stem=entry.name,
        transfer=transfer_of(entry, queue, folder),
    )
