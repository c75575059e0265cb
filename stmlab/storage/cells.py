"""The n-d data of a run: one cell for each point of the plan, written as it is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from h5py import h5s, h5t

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from h5py import h5d

    from stmlab.arrays import FloatArray
    from stmlab.storage.shape import Piece, Shape


class Cells:
    """Datasets of the plan's full shape; written with h5py's low-level calls: slices cost ten times more.

    Args:
        numbers: datasets with one number a point.
        arrays: datasets with one array a point, along the axes that an instrument sweeps.
        shape: of the run.
    """

    def __init__(self, numbers: Sequence[h5d.DatasetID], arrays: Sequence[h5d.DatasetID], shape: Shape) -> None:
        self._numbers, self._arrays = _Block(numbers, ()), _Block(arrays, shape.inner)
        self._shape = shape
        self._early, self._one = shape.early, (1,) * len(shape.outer)

    def write(self, first: int, numbers: FloatArray, arrays: FloatArray | None) -> None:
        """Write the points from ``first`` on, which follow each other in C order.

        Args:
            first: place of the first one.
            numbers: shape (datasets, points), each row contiguous.
            arrays: shape (datasets, points, lengths of the hardware-swept axes), or None.
        """
        count = numbers.shape[1]
        if self._early:
            pieces = self._pieces(first, first + count)
            self._numbers.write(pieces, numbers)
            if arrays is not None:
                self._arrays.write(pieces, arrays)
            return
        for start, stop in self._steps(first, first + count):
            pieces, rows = self._pieces(start, stop), slice(start - first, stop - first)
            self._numbers.write(pieces, numbers[:, rows])
            if arrays is not None:
                self._arrays.write(pieces, arrays[:, rows])

    def read(self, place: int) -> tuple[FloatArray, FloatArray | None]:
        """What one cell holds: shapes as for `write`, with one point."""
        piece = self._pieces(place, place + 1)
        arrays = self._arrays.read(piece) if self._arrays.datasets else None
        return self._numbers.read(piece), arrays

    def _pieces(self, start: int, stop: int) -> Sequence[Piece]:
        if stop == start + 1:
            return ((self._shape.corner(start), self._one),)
        return self._shape.pieces(start, stop)

    def _steps(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """In a large run no step goes from one chunk into the next.

        There a chunk takes its place in the file when it is written first: column after column, chunk after chunk,
        however many points come at once.
        """
        start = first
        while start < last:
            stop = min(last, self._shape.end_of_chunk(start))
            yield start, stop
            start = stop


class _Block:
    """Datasets of one shape."""

    def __init__(self, datasets: Sequence[h5d.DatasetID], inner: tuple[int, ...]) -> None:
        self.datasets = datasets
        self._inner, self._corner = inner, (0,) * len(inner)
        self._scalar = bool(datasets) and not datasets[0].shape
        self._space: Any = datasets[0].get_space() if datasets else None
        self._one = h5s.create_simple((1, *inner))

    def write(self, pieces: Sequence[Piece], columns: FloatArray) -> None:
        memory, space = self._spaces(pieces, columns.shape[1])
        kind = h5t.NATIVE_DOUBLE
        for dataset, column in zip(self.datasets, columns, strict=True):
            dataset.write(memory, space, column, kind)

    def read(self, pieces: Sequence[Piece]) -> FloatArray:
        columns = np.empty((len(self.datasets), 1, *self._inner))
        memory, space = self._spaces(pieces, 1)
        for dataset, column in zip(self.datasets, columns, strict=True):
            dataset.read(memory, space, column, h5t.NATIVE_DOUBLE)
        return columns

    def _spaces(self, pieces: Sequence[Piece], rows: int) -> tuple[Any, Any]:
        if self._scalar:
            return h5s.ALL, h5s.ALL
        operation, space = h5s.SELECT_SET, self._space
        for start, count in pieces:
            space.select_hyperslab(start + self._corner, count + self._inner, op=operation)
            operation = h5s.SELECT_OR
        return self._one if rows == 1 else h5s.create_simple((rows, *self._inner)), space
