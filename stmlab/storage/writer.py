"""The listener that keeps a run. A point is acknowledged once a killed process can no longer lose it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.events import Analysed, PointsDisturbed, PointTaken, RunFinished, RunStarted, StateChanged
from stmlab.storage.runfile import BATCH_SECONDS, RunFile

if TYPE_CHECKING:
    from stmlab.events import Event

__all__ = ["BATCH_SECONDS", "Writer"]


class Writer:
    """Listener that keeps a run: ``writer(event)`` for every event, from RunStarted to RunFinished.

    Args:
        path: file to make.
        overwrite: replace a file that is there already (never one that is still being written).
        batch: let points wait for each other, however slowly they were taken: for a run that is copied.

    Every call may raise FileError (the file is there already, the disk is full, an event out of order) and
    SequenceError (a point does not fit the run's axes and channels).
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False, batch: bool = False) -> None:
        self.path = Path(path)
        self._overwrite, self._batch = overwrite, batch
        self._file: RunFile | None = None

    def __call__(self, event: Event) -> bool:
        """Write ``event``. A point may wait for others of its batch; everything else is in the file on return.

        How far a fit has come is nothing to keep.

        Returns:
            Whether every event so far is in the file.
        """
        if type(event) is PointTaken:
            return (self._file or self._open_file).append(event)
        if isinstance(event, RunStarted):
            if self._file is not None:
                raise FileError(f"{self.path}: a second run was started in the same file")
            self._file = RunFile(self.path, event, overwrite=self._overwrite, batch=self._batch)
        elif isinstance(event, StateChanged):
            self._open_file.change_state(event)
        elif isinstance(event, PointsDisturbed):
            self._open_file.mark_disturbed(event)
        elif isinstance(event, Analysed):
            self._open_file.add_fit(event)
        elif isinstance(event, RunFinished):
            self._open_file.finish(event)
        return True

    @property
    def committed(self) -> int:
        """Number of acknowledged points: a reader finds them whatever happens to this process."""
        return self._file.committed if self._file is not None else 0

    def go_on_as(self, path: Path) -> None:
        """The file has been renamed; points are acknowledged one by one from here on, unless they come fast."""
        self.path, self._batch = path, False
        self._open_file.go_on_as(path)

    def flush(self) -> None:
        """Acknowledge every point given so far; to be called before a wait."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file as it is, without an end; after RunFinished there is nothing left to do."""
        if self._file is not None:
            self._file.close()

    @property
    def _open_file(self) -> RunFile:
        if self._file is None:
            raise FileError(f"{self.path}: no run has been started in this file")
        return self._file
