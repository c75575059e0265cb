"""One owner for each instrument: a lock on its address, which says whose it is and since when.

The lock is the operating system's (``flock``), so it goes with the last process that holds it, however that ends. The
guardian inherits it: after a run has been killed, the station is free only when the guardian has seen it safe. Beside
the lock stands the owner's record. It is emptied when the station is given back; a record without a lock tells of an
owner that died and of a station that nobody has seen safe since, and only ``--force`` gets past it.

    free ----- acquire ----> owned ---- release ----> free
                               |  owner and guardian both die
                               v
                            abandoned -- acquire(force) --> owned
"""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.errors import StationBusy
from stmlab.station.places import canonical, file_stem, station_directory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from stmlab.station.configuration import StationConfig


@dataclass(frozen=True)
class Owner:
    """Who holds an instrument.

    Attributes:
        pid, host: of the process.
        since: date and time, UTC.
        program: its command line.
        note: what the guardian has to say of the station, "" while there is nothing.
        guardian: where its guardian is called, see `safe_call`; "" before it has one.
    """

    pid: int
    host: str
    since: str
    program: str
    note: str = ""
    guardian: str = ""

    @classmethod
    def this_process(cls) -> Owner:
        """The process that asks."""
        program = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        return cls(os.getpid(), socket.gethostname(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", program)

    def __str__(self) -> str:
        said = f": {self.note}" if self.note else ""
        return f"process {self.pid} on {self.host} ({self.program}) since {self.since}{said}"


class StationLock:
    """The locks of all addresses of a station; a context manager.

    Args:
        addresses: as in the station file; those of a simulated microscope need no lock.
        force: take what a dead owner has left.
        only_reading: hold the locks, and leave the records as they are.
    """

    def __init__(self, addresses: Iterable[str], *, force: bool = False, only_reading: bool = False) -> None:
        self._addresses = sorted({canonical(a) for a in addresses if not a.startswith("simulation:")})
        self._force, self._only_reading = force, only_reading
        self._files: dict[str, int] = {}

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Of the lock files: a child that inherits them holds the locks too."""
        return tuple(self._files.values())

    def acquire(self) -> None:
        """Take every lock, or none.

        Raises:
            StationBusy: an address is owned, or a dead owner has left it; says by whom and since when.
        """
        try:
            for address in self._addresses:
                self._files[address] = self._taken(address)
        except BaseException:
            self._let_go()
            raise
        if not self._only_reading:
            owner = Owner.this_process()
            for descriptor in self._files.values():
                write_owner(descriptor, owner)

    def release(self, *, safe: bool = True) -> None:
        """Give the station back; unless it was left ``safe``, the records stay, for the guardian or the next owner."""
        if safe and not self._only_reading:
            for descriptor in self._files.values():
                write_owner(descriptor, None)
        self._let_go()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _taken(self, address: str) -> int:
        descriptor = os.open(_path(address), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if not _flock(descriptor):
                owner = read_owner(descriptor)
                held = f"is owned by {owner}" if owner else "is being read by another program (stmlab check)"
                raise StationBusy(f"{address} {held}; nothing was sent", owner)
            left = read_owner(descriptor)
            if left is not None and not self._force and not self._only_reading:
                raise StationBusy(
                    f"{address} was owned by {left}, which ended without leaving the station safe: look at the "
                    "microscope, then take it with --force; nothing was sent",
                    left,
                )
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _let_go(self) -> None:
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()


def owner_of(address: str) -> Owner | None:
    """What the record of an address says; None if nobody owns it, or it was given back."""
    try:
        descriptor = os.open(_path(canonical(address)), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return read_owner(descriptor)
    finally:
        os.close(descriptor)


def read_owner(descriptor: int) -> Owner | None:
    """The record in an open lock file; one that cannot be read is an owner of whom nothing is known."""
    text = os.pread(descriptor, 1 << 16, 0)
    if not text:
        return None
    try:
        return Owner(**json.loads(text))
    except (ValueError, TypeError):
        return Owner(0, "unknown", "unknown", "unknown", "the record cannot be read")


def write_owner(descriptor: int, owner: Owner | None) -> None:
    """Put the record into an open lock file; None empties it. A full disk keeps the old one: the lock holds anyway."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        if owner is not None:
            os.pwrite(descriptor, json.dumps(asdict(owner)).encode(), 0)


def addresses(config: StationConfig) -> tuple[str, ...]:
    """Every address of a station."""
    instruments = config.instruments.values()
    further = (address for i in instruments for address in (i.guardian_address, i.live_address) if address)
    return (*(i.address for i in instruments), *further)


def _path(address: str) -> Path:
    return station_directory() / f"{file_stem(address)}.lock"


def _flock(descriptor: int) -> bool:
    """Take the lock of an open file; False if somebody else has it."""
    import fcntl  # POSIX only; a simulated station works without

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
