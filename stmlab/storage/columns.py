"""Datasets that grow: columns written fast, tables and text written now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from h5py import h5f, h5i, h5s

from stmlab.storage.hdf5 import to_pieces
from stmlab.storage.values import value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from h5py import h5d


class Columns:
    """Datasets of one shape with one row a reading; written with h5py's low-level calls: slices cost ten times more.

    Args:
        datasets: each of shape (rows, ...), resizable along the first axis.
        expected: rows of the whole run; the datasets grow by whole chunks, but not past this before they must.
    """

    def __init__(self, datasets: Sequence[h5d.DatasetID], expected: int = 0) -> None:
        self._ids = datasets
        self._types = [dataset.get_type() for dataset in datasets]
        self._expected = expected
        if datasets:
            self._capacity, *inner = datasets[0].shape
            self._inner, self._chunk = tuple(inner), datasets[0].get_create_plist().get_chunk()[0]
            self._space = datasets[0].get_space()

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


def write_value(dataset: h5d.DatasetID, value: float | str) -> None:
    """Write the one number or short text of a dataset."""
    plain = value.encode() if isinstance(value, str) else value
    dataset.write(h5s.ALL, h5s.ALL, np.array(plain, dtype=dataset.dtype), dataset.get_type())


def write_rows(table: h5d.DatasetID, start: int, rows: np.ndarray[Any, Any]) -> None:
    """Write ``rows`` of a table from row ``start`` on."""
    count = len(rows)
    if start + count > table.shape[0]:
        table.set_extent((start + count,))
    if count:
        space = table.get_space()
        space.select_hyperslab((start,), (count,))
        values = np.ascontiguousarray(rows, dtype=table.dtype)
        table.write(h5s.create_simple((count,)), space, values, table.get_type())


def write_text(table: h5d.DatasetID, text: str) -> None:
    """Write the one text of a dataset of pieces."""
    write_rows(table, 0, to_pieces(text))


def write_line(table: h5d.DatasetID, lines: int, text: str) -> None:
    """Write one line behind the first ``lines`` lines; ``text`` holds no line break (JSON escapes them).

    Raises:
        OSError: the lines before are not there any more.
    """
    ends = np.flatnonzero(np.char.endswith(value_of(table), b"\n")) if lines else np.empty(0, dtype=int)
    if len(ends) < lines:
        raise OSError(f"{h5i.get_name(table).decode()}: {len(ends)} lines of {lines} that were written before")
    write_rows(table, int(ends[lines - 1]) + 1 if lines else 0, to_pieces(text + "\n"))
