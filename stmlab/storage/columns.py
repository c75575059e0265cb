"""Datasets that grow: columns written fast, tables and text written now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from h5py import h5s, h5t

from stmlab.storage.layout import to_pieces

if TYPE_CHECKING:
    import h5py


class Column:
    """One dataset with one row a point, written with h5py's low-level calls (its slices cost ten times as much).

    Args:
        dataset: shape (rows, ...), resizable along the first axis.
        expected: rows of the whole run; the dataset grows by whole chunks, but not past this before it must.
    """

    def __init__(self, dataset: h5py.Dataset, expected: int) -> None:
        self._id = dataset.id
        self._chunk, self._expected = dataset.chunks[0], expected
        self._inner: tuple[int, ...] = dataset.shape[1:]
        self._origin = (0,) * len(self._inner)
        self._type = h5t.py_create(dataset.dtype)
        self._capacity = dataset.shape[0]
        self._space = self._id.get_space()

    def write(self, start: int, rows: np.ndarray[Any, Any]) -> None:
        """Write ``rows``, C-contiguous, of the dataset's type and shape (n, ...), from row ``start`` on."""
        count = (len(rows), *self._inner)
        if start + len(rows) > self._capacity:
            self._grow(start + len(rows))
        self._space.select_hyperslab((start, *self._origin), count)
        self._id.write(h5s.create_simple(count), self._space, rows, self._type)

    def _grow(self, rows: int) -> None:
        whole = -(-rows // self._chunk) * self._chunk
        self._capacity = min(whole, self._expected) if rows <= self._expected else whole
        self._id.set_extent((self._capacity, *self._inner))
        self._space = self._id.get_space()


def write_rows(table: h5py.Dataset, start: int, rows: np.ndarray[Any, Any]) -> None:
    """Write ``rows`` of a table from row ``start`` on."""
    if start + len(rows) > len(table):
        table.resize((start + len(rows),))
    if len(rows):
        table[start : start + len(rows)] = rows


def write_text(table: h5py.Dataset, text: str) -> None:
    """Write the one text of a dataset of pieces."""
    write_rows(table, 0, to_pieces(text))


def write_line(table: h5py.Dataset, lines: int, text: str) -> None:
    """Write one line behind the first ``lines`` lines; ``text`` holds no line break (JSON escapes them)."""
    ends = np.flatnonzero(np.char.endswith(table[:], b"\n")) if lines else ()
    write_rows(table, int(ends[lines - 1]) + 1 if lines else 0, to_pieces(text + "\n"))
