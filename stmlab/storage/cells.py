"""The n-d data of a run: one cell for each point of the plan, written as it is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from h5py import h5f, h5s, h5t

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import h5py

    from stmlab.arrays import FloatArray
    from stmlab.storage.shape import Shape


class Cells:
    """Datasets of the plan's full shape; written with h5py's low-level calls: slices cost ten times more.

    Args:
        numbers: datasets with one number a point.
        arrays: datasets with one array a point, along the axes that an instrument sweeps.
        shape: of the run.
    """

    def __init__(self, numbers: Sequence[h5py.Dataset], arrays: Sequence[h5py.Dataset], shape: Shape) -> None:
        self._numbers, self._arrays = _Block(numbers, ()), _Block(arrays, shape.inner)
        self._shape = shape
        self._outer = len(shape.outer)

    def write(self, first: int, numbers: FloatArray, arrays: FloatArray | None) -> None:
        """Write the points from ``first`` on, which follow each other in C order.

        Args:
            first: place of the first one.
            numbers: shape (datasets, points).
            arrays: shape (datasets, points, lengths of the hardware-swept axes), or None.
        """
        for rows, pieces in self._steps(first, numbers.shape[1]):
            self._numbers.write(pieces, numbers[:, rows])
            if arrays is not None:
                self._arrays.write(pieces, arrays[:, rows])

    def read(self, place: int) -> tuple[FloatArray, FloatArray | None]:
        """What one cell holds: shapes as for `write`, with one point."""
        piece = ((self._shape.corner(place), (1,) * self._outer),)
        arrays = self._arrays.read(piece) if self._arrays.datasets else None
        return self._numbers.read(piece), arrays

    def _steps(self, first: int, count: int) -> Iterator[tuple[slice, Sequence[Any]]]:
        """Hyperslabs of ``count`` points; in a large run no step goes from one chunk into the next.

        There a chunk takes its place in the file when it is written first: column after column, chunk after chunk,
        however many points come at once.
        """
        shape, start = self._shape, first
        while start < first + count:
            stop = first + count if shape.early else min(first + count, shape.end_of_chunk(start))
            rows = slice(start - first, stop - first)
            if stop == start + 1:
                yield rows, ((shape.corner(start), (1,) * self._outer),)
            else:
                yield rows, shape.pieces(start, stop)
            start = stop
            if not shape.early and start < first + count:
                self._numbers.flush()


class _Block:
    """Datasets of one shape."""

    def __init__(self, datasets: Sequence[h5py.Dataset], inner: tuple[int, ...]) -> None:
        self.datasets = [dataset.id for dataset in datasets]
        self._inner, self._corner = inner, (0,) * len(inner)
        self._scalar = bool(datasets) and not datasets[0].shape
        self._space: Any = datasets[0].id.get_space() if datasets else None

    def write(self, pieces: Sequence[Any], columns: FloatArray) -> None:
        memory, space = self._spaces(pieces, columns.shape[1])
        for dataset, column in zip(self.datasets, columns, strict=True):
            dataset.write(memory, space, np.ascontiguousarray(column), h5t.NATIVE_DOUBLE)

    def read(self, pieces: Sequence[Any]) -> FloatArray:
        columns = np.empty((len(self.datasets), 1, *self._inner))
        memory, space = self._spaces(pieces, 1)
        for dataset, column in zip(self.datasets, columns, strict=True):
            dataset.read(memory, space, column, h5t.NATIVE_DOUBLE)
        return columns

    def flush(self) -> None:
        h5f.flush(self.datasets[0])

    def _spaces(self, pieces: Sequence[Any], rows: int) -> tuple[Any, Any]:
        if self._scalar:
            return h5s.ALL, h5s.ALL
        operation, space = h5s.SELECT_SET, self._space
        for start, count in pieces:
            space.select_hyperslab(start + self._corner, count + self._inner, op=operation)
            operation = h5s.SELECT_OR
        return h5s.create_simple((rows, *self._inner)), space
