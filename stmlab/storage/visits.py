"""The log of a run's readings, and from it the data by point: what was read again replaces what was read before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.storage.readings import Readings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.storage.checksum import Words

_ROWS = 4096  # readings checked at once


@dataclass(frozen=True, eq=False)
class Visits:
    """Readings, one row each.

    Attributes:
        index: shape (readings,), place of each point in C order over the axes that software moves.
        time: shape (readings,), s since the start.
        attempt: shape (readings,), number of readings at the same index before.
        session: shape (readings,), 0, and one more each time the run was resumed.
        coordinates: axis -> shape (readings,), where each point really was.
        data: channel -> shape (readings, lengths of the hardware-swept axes).
    """

    index: IntArray
    time: FloatArray
    attempt: IntArray
    session: IntArray
    coordinates: Mapping[str, FloatArray]
    data: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.index)

    def columns(self) -> dict[str, FloatArray | IntArray]:
        """All columns by a name of their own."""
        place: dict[str, FloatArray | IntArray] = {
            name: getattr(self, name) for name in ("index", "time", "attempt", "session")
        }
        coordinates = {f"coordinates {name}": column for name, column in self.coordinates.items()}
        return {**place, **coordinates, **{f"channel {name}": column for name, column in self.data.items()}}

    def part(self, first: int, stop: int) -> Visits:
        """The readings from number ``first`` to before ``stop``; views, not copies."""
        return self._rows(slice(first, stop))

    def last(self) -> Visits:
        """The last reading of each point, by increasing index."""
        if np.all(np.diff(self.index) > 0):
            return self
        _, from_the_end = np.unique(self.index[::-1], return_index=True)
        return self._rows(len(self) - 1 - from_the_end)

    def _rows(self, rows: slice | IntArray) -> Visits:
        return Visits(
            self.index[rows],
            self.time[rows],
            self.attempt[rows],
            self.session[rows],
            {name: column[rows] for name, column in self.coordinates.items()},
            {name: column[rows] for name, column in self.data.items()},
        )

    def first_changed(self, checksums: Words, first: int = 0) -> int | None:
        """Number of the first reading that is not what its checksum was made of; None if all are.

        Args:
            checksums: shape (readings,).
            first: number of the first reading here in the file.
        """
        for start in range(0, len(self), _ROWS):
            wrong = np.flatnonzero(self._checksums(start, first) != checksums[start : start + _ROWS])
            if wrong.size:
                return first + start + int(wrong[0])
        return None

    def _checksums(self, start: int, first: int) -> Words:
        rows = slice(start, min(start + _ROWS, len(self)))
        number = np.arange(first + rows.start, first + rows.stop)
        place = np.stack([number, self.index[rows], self.attempt[rows], self.session[rows]])
        numbers, arrays = [self.time, *self.coordinates.values()], list(self.data.values())
        if not arrays or arrays[0].ndim == 1:
            numbers, arrays = numbers + arrays, []
        return Readings(
            place,
            np.stack([column[rows] for column in numbers]),
            np.stack([column[rows] for column in arrays]) if arrays else None,
        ).checksums()


def attempts(index: IntArray) -> IntArray:
    """For each reading the number of those at the same index before it; shape (readings,)."""
    order = np.argsort(index, kind="stable")
    _, first, readings = np.unique(index[order], return_index=True, return_counts=True)
    found = np.empty(len(index), dtype=np.int64)
    found[order] = np.arange(len(index)) - np.repeat(first, readings)
    return found
