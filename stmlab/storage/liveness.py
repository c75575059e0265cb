"""Whether somebody is still writing a file: told by a lock that the system drops when the writer dies, however it dies.

Nothing about the writer's process is written into the file: the same run gives the same bytes. The lock is a shared
one, so readers may open the file, but nobody may open it for writing (HDF5 itself asks for an exclusive lock then).
Where the system has no such locks (Windows, some network drives) the answer is "unknown".
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform != "win32":
    import fcntl


class WriterLock:
    """Held by a writer as long as it lives."""

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = None
        if sys.platform != "win32":
            self._descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:  # no locks on this drive
                self.release()

    def release(self) -> None:
        """Let go; may be called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def has_writer(path: Path) -> bool | None:
    """Whether a writer holds ``path``; None where it cannot be known."""
    if sys.platform == "win32":
        return None
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False
