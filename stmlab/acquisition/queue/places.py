"""Where a queue that is performed is found by its clients: a folder of the user's own, with a file and a socket each.

    NAME.lock    held by the process that performs the queue (or changes its file), however it ends
    NAME.sock    its socket
    NAME.json    what it is: file, process, since when

NAME follows from the path of the queue's file. A process that was killed leaves the last two behind: nobody listens.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from stmlab.errors import StmlabError


class QueueBusy(StmlabError):
    """Another process performs or changes this queue."""


@dataclass(frozen=True)
class Performing:
    """A queue that is performed.

    Attributes:
        file: of the queue.
        pid: of the process.
        since: date and time, UTC.
        socket: where it listens.
    """

    file: Path
    pid: int
    since: str
    socket: Path

    @classmethod
    def this_process(cls, file: Path) -> Performing:
        """The process that asks, for the queue in ``file``."""
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return cls(file.resolve(), os.getpid(), since, _place(file, ".sock"))

    def announce(self) -> None:
        """Say it to whoever looks."""
        place = _place(self.file, ".json")
        fresh = place.with_suffix(f".{self.pid}")
        fresh.write_text(json.dumps(asdict(self), default=str), encoding="utf-8")
        fresh.replace(place)

    def withdraw(self) -> None:
        """It is over."""
        for suffix in (".json", ".sock"):
            _place(self.file, suffix).unlink(missing_ok=True)

    @property
    def listens(self) -> bool:
        """Whether somebody answers at its socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            try:
                asking.connect(str(self.socket))
            except OSError:
                return False
        return True


def performing() -> list[Performing]:
    """Every queue that is performed now by a process of this user, the oldest first."""
    found = [each for path in queue_directory().glob("*.json") if (each := _read(path)) is not None]
    return sorted((each for each in found if each.listens), key=lambda each: each.since)


def performing_of(file: Path) -> Performing | None:
    """Who performs the queue in ``file`` now, None if nobody does."""
    found = _read(_place(file, ".json"))
    return found if found is not None and found.listens else None


def last_of(file: Path) -> Performing | None:
    """Who performs the queue in ``file``, or did until it was killed; None after an orderly end."""
    return _read(_place(file, ".json"))


def log_of(file: Path) -> Path:
    """What the process that performs the queue in ``file`` says on its terminal, where a window has started it."""
    from platformdirs import user_state_path

    folder = user_state_path("stmlab") / "queues"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{_name(file)}.log"


def queue_directory() -> Path:
    """The folder, made if it is not there.

    Raises:
        StmlabError: it belongs to somebody else, or others may write into it.
    """
    from platformdirs import user_runtime_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it falls back to a folder in /tmp, which is looked at below
        own = user_runtime_path("stmlab")
    path = own / "queues"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (own.parent, own, path):
        found = folder.stat()
        if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o022:
            raise StmlabError(
                f"{folder}: belongs to somebody else, or others may write into it: no queue listens there"
            )
    path.chmod(0o700)
    return path


class QueueLock:
    """One process at a time performs a queue or changes its file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor = -1

    def acquire(self) -> None:
        """Take it.

        Raises:
            QueueBusy: somebody else has it.
        """
        import fcntl  # POSIX only

        self._descriptor = os.open(_place(self._file, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._descriptor, 64, 0).decode("ascii", "replace") or "another"
            self.release()
            raise QueueBusy(f"{self._file}: this queue is performed by process {owner}") from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give it back; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _place(file: Path, suffix: str) -> Path:
    return queue_directory() / f"{_name(file)}{suffix}"


def _name(file: Path) -> str:
    return hashlib.sha256(os.fsencode(file.resolve())).hexdigest()[:16]


def _read(path: Path) -> Performing | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads(path.read_bytes())
        return Performing(Path(said["file"]), int(said["pid"]), str(said["since"]), Path(said["socket"]))
    return None
