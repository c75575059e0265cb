"""The mean over the repetitions of a sweep, renewed only where something has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stmlab.arrays import BoolArray, FloatArray, IntArray
    from stmlab.gui.live.lines import Layout


class Average:
    """Mean of a channel over the axes that count repetitions.

    Args:
        cells: of the channel, in C order; kept, not copied.
        layout: of the run.
    """

    def __init__(self, cells: FloatArray, layout: Layout) -> None:
        self._layout = layout
        lengths = (*layout.outer, len(layout.values))
        self._inner = tuple(length for k, length in enumerate(lengths) if k not in layout.repeated)
        self._over = layout.repeated
        self._values = cells[: layout.cells].reshape(lengths)
        self._mean = np.full(self._inner, np.nan)
        self._stale = np.ones(self._inner, dtype=bool)

    def update(self, cells: slice | IntArray) -> None:
        """The means of these cells are to be made anew."""
        places = np.arange(cells.start, cells.stop) if isinstance(cells, slice) else cells
        where = np.unravel_index(places, self._values.shape)
        self._stale[tuple(part for k, part in enumerate(where) if k not in self._over)] = True

    def values(self, disturbed: BoolArray) -> FloatArray:
        """The mean, in C order over the other axes; nan where there is nothing.

        Args:
            disturbed: the places whose readings do not count; shape (places,).
        """
        if self._stale.any():
            stale = np.nonzero(self._stale)
            columns = self._columns(self._values, stale)
            counted = np.isfinite(columns)
            if disturbed.any():
                whole = np.repeat(disturbed, self._layout.width).reshape(self._values.shape)
                counted &= ~self._columns(whole, stale)
            count = counted.sum(axis=0)
            total = np.where(counted, columns, 0.0).sum(axis=0)
            self._mean[stale] = np.where(count, total / np.maximum(count, 1), np.nan)
            self._stale[:] = False
        return self._mean.ravel()

    def _columns(self, values: NDArray[Any], stale: tuple[IntArray, ...]) -> NDArray[Any]:
        """The repetitions of the cells that are to be renewed; shape (repetitions, cells)."""
        moved = np.moveaxis(values, self._over, range(len(self._over)))
        picked: tuple[Any, ...] = (*[slice(None)] * len(self._over), *stale)
        columns: NDArray[Any] = moved[picked].reshape(-1, len(stale[0]))
        return columns
