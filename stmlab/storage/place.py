"""Where the file of a run lies: notices that its path leads elsewhere, and keeps what was written before.

A file that was moved, replaced or deleted can still be written, and nobody would find it. So the path is looked at
before each write (4 us). A moved file holds all that was acknowledged; a deleted one lives on until it is closed, and
is copied before that. What another program has cut off or written over is lost, and is said to be.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.storage.refusals import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

if sys.platform == "darwin":
    from fcntl import F_GETPATH, fcntl

_HEAD = 12  # bytes: signature, version and flags of an HDF5 file, which nobody changes while it is written


@dataclass(frozen=True)
class Trouble:
    """What happened to a file.

    Attributes:
        what: for people, after the path.
        intact: the file itself is whole and can be written; only its path is gone.
    """

    what: str
    intact: bool


class Place:
    """The place of one open file.

    Args:
        path: of the file, which is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path.absolute())
        self._file = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        said = os.fstat(self._file)
        self._identity, self._size = (said.st_dev, said.st_ino), said.st_size
        self._head = self._read_head()

    def trouble(self) -> Trouble | None:
        """What has happened to the file since it was looked at last; None if it is as it was left."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return Trouble("was deleted" if self._is_deleted() else "was moved away", intact=True)
        except OSError as error:
            return Trouble(f"cannot be reached any more ({reason(error)})", intact=True)
        if (found.st_dev, found.st_ino) != self._identity:
            return Trouble("was replaced by another file", intact=True)
        if found.st_size < self._size:
            return Trouble(f"was cut from {self._size} to {found.st_size} bytes by another program", intact=False)
        if self._read_head() != self._head:
            return Trouble("was written over by another program", intact=False)
        self._size = found.st_size
        return None

    def keep(self) -> Path:
        """Where the file is now; a deleted one is copied, beside its old place if that can be.

        Raises:
            OSError: it is nowhere, and no copy can be made.
        """
        if not self._is_deleted():
            return self._whereabouts()
        for copy in self._places_for_a_copy():
            try:
                target = copy.open("xb")
            except OSError:
                continue
            try:
                with os.fdopen(os.dup(self._file), "rb") as source, target:
                    source.seek(0)
                    shutil.copyfileobj(source, target)
            except OSError:
                copy.unlink()
                continue
            return copy
        raise OSError("no folder takes a copy of it")

    def close(self) -> None:
        """Let go; may be called again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _read_head(self) -> bytes:
        if sys.platform == "win32":  # no pread, and nobody can write over a file that is open there
            return b""
        return os.pread(self._file, _HEAD, 0)

    def _is_deleted(self) -> bool:
        return os.fstat(self._file).st_nlink == 0

    def _whereabouts(self) -> Path:
        """The path of the open file, as the system knows it; raises OSError where it does not."""
        if sys.platform == "darwin":
            found = fcntl(self._file, F_GETPATH, bytes(1024)).rstrip(b"\0").decode()
        else:
            found = os.readlink(f"/proc/self/fd/{self._file}")
        if os.path.samestat(os.stat(found), os.fstat(self._file)):
            return Path(found)
        raise OSError("the system does not know where it is")

    def _places_for_a_copy(self) -> Iterator[Path]:
        name = Path(self._path)
        for folder in (name.parent, Path(tempfile.gettempdir())):
            with suppress(OSError):
                for number in range(1, 100):
                    copy = folder / f"rescued_{number}_{name.name}"
                    if not os.path.lexists(copy):
                        yield copy
                        break
