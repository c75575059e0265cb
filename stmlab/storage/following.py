"""Follows a run while it is being written: its events as they are acknowledged, without a lock that its writer feels.

A look costs two small reads of the file: its first bytes and the count of what is acknowledged. Only when that has
changed the run is read, in HDF5's mode for reading beside a writer (SWMR). The one thing that may touch a writer is to
ask whether it lives: that is done after looks in vain, and not once the run has said that it has finished.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.storage import superblock
from stmlab.storage.layout import FORMAT_VERSION, Committed
from stmlab.storage.liveness import has_writer
from stmlab.storage.opening import opened
from stmlab.storage.reader import open_run

if TYPE_CHECKING:
    from stmlab.events import Event
    from stmlab.storage.run import Run

_ASKED_AFTER = 10  # looks in vain until the writer is asked for
_PATIENCE = 50  # looks in a row that may fail, or find a finished run not closed yet
_COUNTS = 8 * len(Committed._fields)  # bytes


class Follower:
    """Reads on in the file of a run: call `look` over and over, a few times a second.

    Args:
        path: of the run.

    Attributes:
        run: as it was read last.

    Raises:
        FileError: as `open_run`.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._place: int | None = None
        self._seen = self._vain = self._failed = 0
        self._glanced = b""
        self.run: Run = self._read()

    @property
    def over(self) -> bool:
        """Whether nothing more will come: the run has ended, or its writer was killed."""
        return self.run.live is False

    def look(self) -> list[Event]:
        """The events that have been acknowledged since the last look; the first time all so far.

        Raises:
            FileError: the file is gone, damaged, or holds another run now.
        """
        if self._seen and not self.over and not self._changed():
            self._vain += 1
            if self._vain % _ASKED_AFTER or not self._abandoned():
                return []
            self.run = replace(self.run, live=False)
            return []
        if self._seen and not self.over and not self._read_again():
            return []
        events = list(itertools.islice(self.run.replay(), self._seen, None))
        self._seen += len(events)
        return events

    def _read(self) -> Run:
        with opened(self._path) as (file, live):
            if live and int(file.attrs["format_version"]) == FORMAT_VERSION:
                self._place = file["entry/visits/committed"].id.get_offset()
        self._glanced = self._glance()[1]
        return open_run(self._path)

    def _read_again(self) -> bool:
        """Read the run; whether that went well: at the very moment when its writer opens or closes it, it may not."""
        try:
            run = self._read()
        except FileError:
            self._failed += 1
            if self._failed > _PATIENCE:
                raise
            self._glanced = b""
            return False
        if run.run_id != self.run.run_id:
            raise FileError(f"{self._path}: holds another run now")
        self._failed = self._vain = 0
        self.run = run
        return True

    def _changed(self) -> bool:
        """Whether there is something new, and it can be read."""
        start, counts = self._glance()
        if counts == self._glanced:
            return False
        finished = len(counts) == _COUNTS and counts[8 * Committed._fields.index("finished") :][:1] == b"\1"
        if finished and superblock.is_unclosed(start) and self._failed < _PATIENCE:
            self._failed += 1
            return False
        return True

    def _abandoned(self) -> bool:
        """Whether the writer is gone, and all that it wrote was read."""
        start, counts = self._glance()
        if counts != self._glanced or not superblock.is_unclosed(start):
            self._glanced = b""  # it has closed the file meanwhile: to be read once more
            return False
        return has_writer(self._path) is False and self._glance()[1] == counts

    def _glance(self) -> tuple[bytes, bytes]:
        """The first bytes of the file, and its counts of what is acknowledged."""
        try:
            with self._path.open("rb", buffering=0) as file:
                start = file.read(superblock.SIZE)
                if self._place is None:
                    return start, b""
                file.seek(self._place)
                return start, file.read(_COUNTS)
        except OSError as error:
            raise FileError(f"{self._path}: cannot be read any more ({error.strerror or error})") from error
