"""Datasets that grow: columns written fast, tables and text written now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from h5py import h5f, h5s, h5t

from stmlab.storage.hdf5 import to_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import h5py


class Columns:
    """Datasets of one shape with one row a reading; written with h5py's low-level calls: slices cost ten times more.

    Args:
        datasets: each of shape (rows, ...), resizable along the first axis.
        expected: rows of the whole run; the datasets grow by whole chunks, but not past this before they must.
    """

    def __init__(self, datasets: Sequence[h5py.Dataset], expected: int = 0) -> None:
        self._ids = [dataset.id for dataset in datasets]
        self._types = [h5t.py_create(dataset.dtype) for dataset in datasets]
        self._expected = expected
        if datasets:
            self._chunk, self._capacity, self._inner = datasets[0].chunks[0], len(datasets[0]), datasets[0].shape[1:]
            self._space = self._ids[0].get_space()

    def write(self, start: int, columns: Sequence[np.ndarray[Any, Any] | None]) -> None:
        """Write rows from row ``start`` on.

        Args:
            start: number of the first row.
            columns: one a dataset, C-contiguous, of the dataset's type and shape (rows, ...); None leaves the
                dataset's fill value.
        """
        if not columns:
            return
        rows = next(len(column) for column in columns if column is not None)
        if start + rows > self._capacity:
            self._grow(start + rows)
        count = (rows, *self._inner)
        self._space.select_hyperslab((start, *(0,) * len(self._inner)), count)
        memory = h5s.create_simple(count)
        for dataset, kind, column in zip(self._ids, self._types, columns, strict=True):
            if column is not None:
                dataset.write(memory, self._space, column, kind)

    def chunk_ends(self, start: int, rows: int) -> Iterator[int]:
        """Where each chunk ends, and the last one of ``rows`` rows, counted from row ``start`` on.

        Who writes by these steps gets the same file however many rows come at once.
        """
        stop = self._chunk - start % self._chunk
        while stop < rows:
            yield stop
            stop += self._chunk
        yield rows

    def _grow(self, rows: int) -> None:
        h5f.flush(self._ids[0])  # else HDF5 puts its own records of the chunks elsewhere, according to the last flush
        whole = -(-rows // self._chunk) * self._chunk
        self._capacity = min(whole, self._expected) if rows <= self._expected else whole
        for dataset in self._ids:
            dataset.set_extent((self._capacity, *self._inner))
        self._space = self._ids[0].get_space()


def write_rows(table: h5py.Dataset, start: int, rows: np.ndarray[Any, Any]) -> None:
    """Write ``rows`` of a table from row ``start`` on."""
    count, dataset = len(rows), table.id
    if start + count > table.shape[0]:
        dataset.set_extent((start + count,))
    if count:
        space = dataset.get_space()
        space.select_hyperslab((start,), (count,))
        values = np.ascontiguousarray(rows, dtype=table.dtype)
        dataset.write(h5s.create_simple((count,)), space, values, dataset.get_type())


def write_text(table: h5py.Dataset, text: str) -> None:
    """Write the one text of a dataset of pieces."""
    write_rows(table, 0, to_pieces(text))


def write_line(table: h5py.Dataset, lines: int, text: str) -> None:
    """Write one line behind the first ``lines`` lines; ``text`` holds no line break (JSON escapes them).

    Raises:
        OSError: the lines before are not there any more.
    """
    ends = np.flatnonzero(np.char.endswith(table[:], b"\n")) if lines else np.empty(0, dtype=int)
    if len(ends) < lines:
        raise OSError(f"{table.name}: {len(ends)} lines of {lines} that were written before")
    write_rows(table, int(ends[lines - 1]) + 1 if lines else 0, to_pieces(text + "\n"))
