"""Readings as the columns of a file: checked against the run's axes and channels, and turned from rows to columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from stmlab.errors import SequenceError
from stmlab.storage.checksum import row_checksums
from stmlab.storage.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.events import PointTaken, RunStarted
    from stmlab.storage.checksum import Words


class Readings(NamedTuple):
    """Some readings, one after the other.

    Attributes:
        place: visit, index, attempt and session; shape (4, readings).
        numbers: time, coordinates, and channels that are numbers; shape (columns, readings).
        arrays: channels that are arrays; shape (channels, readings, lengths of the hardware-swept axes), or None.
    """

    place: IntArray
    numbers: FloatArray
    arrays: FloatArray | None = None

    def part(self, first: int, stop: int) -> Readings:
        """Those from ``first`` to before ``stop``."""
        rows = (slice(None), slice(first, stop))
        return Readings(
            np.ascontiguousarray(self.place[rows]),
            np.ascontiguousarray(self.numbers[rows]),
            None if self.arrays is None else np.ascontiguousarray(self.arrays[rows]),
        )

    def checksums(self) -> Words:
        """One checksum for each reading; shape (readings,)."""
        if self.arrays is None:
            return row_checksums(self.place, self.numbers)
        channels, rows = self.arrays.shape[:2]
        words = self.arrays.reshape(channels, rows, -1).swapaxes(1, 2).reshape(-1, rows)
        return row_checksums(self.place, self.numbers, words)


class Table:
    """Turns the points of one run into columns."""

    def __init__(self, started: RunStarted) -> None:
        self._axes = [axis.name for axis in started.axes if not axis.hardware]
        self._channels = [channel.name for channel in started.channels]
        self._inner = Shape.of(started).hardware
        self._first_value = 1 + len(self._axes)
        self._columns = self._first_value + (0 if self._inner else len(self._channels))

    def readings(self, first: int, points: Sequence[PointTaken]) -> Readings:
        """Columns of ``points``, the first of which is reading number ``first`` of the file.

        Raises:
            SequenceError: a point does not fit the axes and channels.
        """
        index, time, coordinates, values, _, attempt, session = zip(*points, strict=True)
        place = np.empty((4, len(points)), dtype=np.int64)
        place[0] = np.arange(first, first + len(points))
        place[1], place[2], place[3] = index, attempt, session
        numbers = np.empty((self._columns, len(points)))
        numbers[0] = time
        _put(numbers[1 : self._first_value], coordinates, "coordinates", self._axes)
        if self._inner:
            return Readings(place, numbers, self._arrays(points))
        _put(numbers[self._first_value :], values, "values", self._channels)
        return Readings(place, numbers)

    def _arrays(self, points: Sequence[PointTaken]) -> FloatArray:
        arrays = np.empty((len(self._channels), len(points), *self._inner))
        for row, point in enumerate(points):
            if len(point.values) != len(self._channels):
                raise SequenceError(_unlike("values", self._channels, point.values))
            for k, value in enumerate(point.values):
                if (shape := np.shape(value)) not in ((), self._inner):
                    text = f"a value of shape {shape}; its axes allow {self._inner} only"
                    raise SequenceError(f"channel {self._channels[k]}: {text}")
                arrays[k, row] = value  # a number holds all along the sweep
        return arrays


def _put(numbers: FloatArray, rows: tuple[tuple[Any, ...], ...], what: str, names: list[str]) -> None:
    """Write rows of numbers as columns; ``numbers`` has the shape (len(names), len(rows))."""
    try:
        for row, column in zip(numbers, zip(*rows, strict=True), strict=True):
            values = np.array(column, dtype=float)
            if values.shape != row.shape:
                raise SequenceError(_unlike(what, names, rows[-1]))
            row[:] = values
    except (TypeError, ValueError):
        raise SequenceError(_unlike(what, names, rows[-1])) from None


def _unlike(what: str, names: list[str], row: tuple[Any, ...]) -> str:
    return f"a point's {what} {row!r} are not one number for each of: {', '.join(names) or 'nothing'}".replace(
        "\n", " "
    )
