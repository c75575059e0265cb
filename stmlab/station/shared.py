"""A few numbers that a run and its guardian see at the same moment, in memory that both have mapped.

Neither waits for the other: a number is one aligned store, seen by the other process at once, also while its owner is
frozen. The memory is a file without a name, which goes with the last process that has it open.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from enum import IntEnum

_SIZE = mmap.PAGESIZE


class Slot(IntEnum):
    """What stands where; each a float of 8 bytes."""

    REVOKED = 0  # not 0: the station is no longer the run's
    DEADLINE = 1  # of the run's present step, on the monotonic clock that all processes share, s
    GUARDIAN_BEAT = 2  # when the guardian last looked, the same clock, s; 0: it has not begun
    MOVED = 3  # bit k: an output of the station's k-th instrument has been moved, or is about to be
    SAFE_CALLED = 4  # when a person has called for the safe state, the same clock, s; 0: never
    QUIET = 5  # when the run's safe state has last seen RF and modulation off, the same clock, s


class SharedState:
    """The numbers, as ``state[Slot.DEADLINE]``.

    Args:
        descriptor: of the file as the other process handed it over; None makes a new one, all zero.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        if descriptor is None:
            with tempfile.TemporaryFile(prefix="stmlab-", buffering=0) as file:
                file.write(bytes(_SIZE))  # really written: a full disk is noticed here, not by a signal later
                self.descriptor = os.dup(file.fileno())
            weakref.finalize(self, os.close, self.descriptor)
        else:
            self.descriptor = descriptor
        self._memory = mmap.mmap(self.descriptor, _SIZE)
        self._numbers = memoryview(self._memory).cast("d")

    def __getitem__(self, slot: Slot) -> float:
        return self._numbers[slot]

    def __setitem__(self, slot: Slot, value: float) -> None:
        self._numbers[slot] = value

    def mark(self, slot: Slot, bit: int) -> None:
        """Set one bit of a slot; one process writes, any other reads."""
        self._numbers[slot] = float(int(self._numbers[slot]) | 1 << bit)

    def marked(self, slot: Slot, bit: int) -> bool:
        """Whether that bit is set."""
        return bool(int(self._numbers[slot]) >> bit & 1)
