"""A run that ended early goes on in its own file: copied whole, compared, synced, and only then renamed over the old.

    run.h5 (old) --replay--> run.h5.resuming --compare, sync--> run.h5 (the same file, still open) --> further readings

Until the copy has taken its name the old file is as it was; from then on every further reading is acknowledged as in
any run. What is left of a copy whose process was killed before that is removed by the next one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.events import RunState, StateChanged
from stmlab.storage.liveness import has_writer
from stmlab.storage.reader import open_run
from stmlab.storage.recovery import difference
from stmlab.storage.refusals import HDF5_ERRORS, reason
from stmlab.storage.writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.storage.run import Run


def check_resumable(run: Run) -> None:
    """Refuse a run that cannot go on.

    Raises:
        FileError: it is still being written, or has all its points.
    """
    if run.live:
        raise FileError(f"{run.path}: still being written; there is nothing to resume")
    if run.state is RunState.FINISHED:
        raise FileError(f"{run.path}: finished with all its points; there is nothing to resume")


def reopen(run: Run) -> Writer:
    """The writer of ``run``, open for further events; its file has been replaced by a copy without an end.

    How the run had ended stands in the copy as a state, at the time at which it came.

    Raises:
        FileError: see `check_resumable`; or the copy cannot be made, or is not the same. The old file is as it was.
    """
    check_resumable(run)
    path = run.path.absolute()
    part = path.with_name(f"{path.name}.resuming")
    _clear(part)
    going_on = _without_end(run)
    writer = Writer(part, batch=True)
    try:
        for event in going_on.replay():
            writer(event)
        writer.flush()
        if (what := difference(going_on, open_run(part))) is not None:
            raise FileError(f"{path}: {what} did not come out the same in the copy")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
        writer.go_on_as(path)
    except BaseException as error:
        with suppress(FileError, *HDF5_ERRORS):
            writer.close()
        with suppress(OSError):
            part.unlink()
        if isinstance(error, HDF5_ERRORS):
            raise FileError(f"{path}: cannot be resumed ({reason(error)})") from error
        raise
    return writer


def _without_end(run: Run) -> Run:
    """The run a moment before its end; the end is the last state of its history, and fits added later come after it."""
    history, readings = run.history, len(run.visits)
    if (end := run.finished) is not None:
        last = StateChanged(end.state, end.time, f"{end.reason}: {end.message}" if end.message else end.reason)
        history = (*history, (readings, last))
    here = (readings, len(history))
    fits = tuple(replace(stored, place=here) if stored.place is None else stored for stored in run.stored_fits)
    return replace(run, finished=None, history=history, stored_fits=fits)


def _clear(part: Path) -> None:
    """Remove what a killed process has left; refuse if somebody is at work on it."""
    if not part.exists():
        return
    if has_writer(part):
        raise FileError(f"{part}: another process is resuming this run")
    part.unlink()
