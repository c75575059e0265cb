"""The file of a queue: TOML, written by people and kept by the program, comments and all.

    [[entry]]
    sequence = "srs"
    sample = "fe_atom"
    settings = { amplitude = "2.8 mV", points = 40 }
    loop = { dc_bias = ["4 mV", "6 mV"] }
    after_failure = "skip"

What an entry may say stands in `entries.QueueEntry`. The program adds an ``id`` to each, and what came of it:
``state``, ``done``, ``files`` and ``message``. One process at a time writes it, whole or not at all. What somebody else
has written into it meanwhile is not lost and not obeyed: it is kept beside it as ``NAME.edited.toml``.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.acquisition.queue.document import Document
from stmlab.acquisition.queue.places import QueueLock
from stmlab.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.acquisition.queue.entries import Queue

log = logging.getLogger(__name__)

_LARGEST_NAME = 1000


class QueueFile:
    """The file of one queue, owned by this process.

    Attributes:
        path: of the file.
        queue: as it stands there; what ran when its process died is interrupted.
        notes: one line for each entry of that kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        self._text = _read(path)
        self._document = Document(self._text, path)
        self.queue, self.notes = self._document.queue.orphaned()
        self.keep(self.queue)  # with an id for each entry

    def keep(self, queue: Queue) -> None:
        """Write ``queue`` in place of what was there.

        Raises:
            FileError: it cannot be written; the file is as it was.
        """
        with self._writing:
            text = self._document.saying(queue)
            if text != self._text:
                self._set_aside()
                _write(self.path, text)
            self._text, self.queue = text, queue

    def _set_aside(self) -> None:
        """What somebody else has written meanwhile."""
        try:
            there = _read(self.path)
        except FileError:
            return  # it is gone: it is written anew
        if there == self._text:
            return
        for number in range(1, _LARGEST_NAME):
            path = self.path.with_name(f"{self.path.stem}.edited{f'_{number}' if number > 1 else ''}.toml")
            if not path.exists():
                _write(path, there)
                log.warning(
                    "%s was changed by another program while its queue was performed: that is kept as %s",
                    self.path,
                    path,
                )
                return
        raise FileError(f"{self.path}: there are {_LARGEST_NAME} edited files beside it already")


@contextmanager
def owned(path: str | Path, *, new: bool = False) -> Iterator[QueueFile]:
    """The file of a queue, for as long as the context lasts this process' own.

    Args:
        path: of the file.
        new: make an empty one if there is none.

    Raises:
        QueueBusy: another process performs or changes it.
        FileError: it cannot be read, or an entry is not as it should be: named with key and value.
    """
    path = Path(path).resolve()
    lock = QueueLock(path)
    lock.acquire()
    try:
        if new and not path.exists():
            _write(path, "# A queue of stmlab: `stmlab queue FILE` performs it.\n")
        yield QueueFile(path)
    finally:
        lock.release()


def read_queue(path: str | Path) -> Queue:
    """The queue as its file says now, whoever owns it; entries without an id get one that is not kept.

    Raises:
        FileError: as `owned`.
    """
    path = Path(path)
    return Document(_read(path), path).queue


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: {error}") from error


def _write(path: Path, text: str) -> None:
    """The whole file or nothing."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        fresh = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, fresh)
            else:
                fresh.chmod(0o644)
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
