"""The values of one channel on the axes of a run, and what follows their changes: envelope, mean of the repetitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.gui.live.average import Average
from stmlab.gui.live.pyramid import Pyramid, padded

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray, IntArray
    from stmlab.gui.live.lines import Layout


class Cells:
    """One number for each cell of a layout, nan where nothing was read.

    Attributes:
        values: in C order; shape (cells,).
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._all = np.full(padded(layout.cells), np.nan)
        self.values: FloatArray = self._all[: layout.cells]
        self._pyramid: Pyramid | None = None
        self._average: Average | None = None

    def pyramid(self) -> Pyramid:
        """Minima and maxima; made when they are first asked for, and kept up to date from then on."""
        if self._pyramid is None:
            self._pyramid = Pyramid(self._all)
        return self._pyramid

    def mean(self, disturbed: BoolArray) -> FloatArray:
        """Over the repetitions; see `Average.values`."""
        if self._average is None:
            self._average = Average(self._all, self._layout)
        return self._average.values(disturbed)

    def put(self, slots: IntArray, value: FloatArray) -> None:
        """Readings at their places, the last one of a place counts; by stretches where they follow each other."""
        width = self._layout.width
        first, stop = int(slots[0]), int(slots[-1]) + 1
        row = self._layout.rows(value.reshape(len(slots), -1))
        if len(slots) == stop - first and rises(slots):
            self.write(slice(first * width, stop * width), np.broadcast_to(row, (len(slots), width)).ravel())
            return
        self.values.reshape(-1, width)[slots] = row
        self.touched(np.unique(slots))

    def write(self, cells: slice | IntArray, values: FloatArray | float) -> None:
        """Values of some cells."""
        self._all[cells] = values
        self._follow(cells)

    def empty(self, slots: IntArray) -> None:
        """Nothing is known of these places any more."""
        self.values.reshape(-1, self._layout.width)[slots] = np.nan
        self.touched(slots)

    def touched(self, slots: IntArray) -> None:
        """Something about these places has changed."""
        width = self._layout.width
        self._follow(slots if width == 1 else (slots[:, None] * width + np.arange(width)).ravel())

    def _follow(self, cells: slice | IntArray) -> None:
        for companion in (self._pyramid, self._average):
            if companion is not None:
                companion.update(cells)


def rises(slots: IntArray) -> bool:
    """Whether each place lies behind the one before it."""
    return bool(np.all(slots[1:] > slots[:-1]))
