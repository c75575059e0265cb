"""The smallest and the largest of any stretch of an array, without looking at all of it: what a screen can show.

Level 1 holds minimum and maximum of each block of 16 values, level 2 of each block of 16 blocks, and so on. A change
costs the blocks that it touches; a drawing costs at most 32 numbers a pixel, however long the array is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray

BLOCK = 16


def padded(length: int) -> int:
    """The next multiple of a block: the length that an array under a pyramid needs, nan at its end."""
    return -(-length // BLOCK) * BLOCK


class Pyramid:
    """Minima and maxima of an array that changes in place; nan counts as nothing.

    Args:
        values: shape (`padded` length,); kept, not copied.

    Attributes:
        touched: numbers that were looked at so far, for tests: the work does not grow with the array.
    """

    def __init__(self, values: FloatArray) -> None:
        self.touched = 0
        self._levels: list[tuple[FloatArray, FloatArray]] = [(values, values)]
        while (length := len(self._levels[-1][0]) // BLOCK) > BLOCK:
            low, high = np.full((2, padded(length)), np.nan)
            self._levels.append((low, high))
        self.update(slice(0, len(values)))

    def update(self, cells: slice | IntArray) -> None:
        """Values at ``cells`` have changed: a stretch, or places in any order."""
        for below, above in zip(self._levels, self._levels[1:], strict=False):
            if isinstance(cells, slice):
                cells = slice(cells.start // BLOCK, -(-cells.stop // BLOCK))
                rows = slice(cells.start * BLOCK, cells.stop * BLOCK)
                parts = [side[rows].reshape(-1, BLOCK) for side in below]
            else:
                cells = np.unique(cells // BLOCK)
                parts = [side.reshape(-1, BLOCK)[cells] for side in below]
            above[0][cells] = np.fmin.reduce(parts[0], axis=1)
            above[1][cells] = np.fmax.reduce(parts[1], axis=1)
            self.touched += parts[0].size

    def envelope(self, edges: IntArray) -> tuple[FloatArray, FloatArray]:
        """Smallest and largest value of each stretch from one edge to before the next.

        Args:
            edges: rising, shape (stretches + 1,). Where a stretch is longer than 32 values its ends are moved to those
                of blocks, by less than half of it: a value near an end may be told with the neighbour, none is lost.

        Returns:
            Two arrays of shape (stretches,); nan where a stretch has no value.
        """
        low, high = np.full((2, len(edges) - 1), np.nan)
        level = np.zeros(len(edges) - 1, dtype=np.int64)
        lengths = np.diff(edges)
        for k in range(1, len(self._levels)):
            level[lengths >= 2 * BLOCK**k] = k
        bounds = np.flatnonzero(np.diff(level)) + 1
        for part in np.split(np.arange(len(level)), bounds):
            if part.size:
                self._reduce(int(level[part[0]]), edges[part[0] : part[-1] + 2], low[part[0] :], high[part[0] :])
        return low, high

    def _reduce(self, level: int, edges: IntArray, low: FloatArray, high: FloatArray) -> None:
        """Of neighbouring stretches at one level, into the beginnings of ``low`` and ``high``."""
        smallest, largest = self._levels[level]
        places = edges // BLOCK**level
        places[-1] = min(-(-edges[-1] // BLOCK**level), len(smallest))  # the last one has no neighbour to take the rest
        first, stop = int(places[0]), int(places[-1])
        starts = places[:-1] - first
        low[: len(starts)] = np.fmin.reduceat(smallest[first:stop], starts)
        high[: len(starts)] = np.fmax.reduceat(largest[first:stop], starts)
        self.touched += stop - first
