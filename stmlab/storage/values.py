"""What a file holds, looked up with h5py's low-level calls: its own take three to five times as long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from h5py import h5a, h5d, h5s, h5t

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import h5py

_OBJECT = h5t.py_create(np.dtype(object))  # in memory: a text of variable length, as bytes


def dataset_at(group: h5py.Group, path: str) -> h5d.DatasetID:
    """The dataset at ``path``.

    Raises:
        KeyError: there is none.
    """
    return h5d.open(group.id, path.encode())


def holds(group: h5py.Group, name: str) -> bool:
    """Whether something in ``group`` has this name."""
    return bool(group.id.links.exists(name.encode()))


def members(group: h5py.Group) -> Iterator[tuple[str, h5d.DatasetID]]:
    """The datasets of a group that holds nothing else, in their order."""
    for name in group.id:
        yield name.decode(), h5d.open(group.id, name)


def value_of(dataset: h5d.DatasetID) -> Any:
    """All that a dataset holds: an array, or one number or text (as bytes)."""
    kind = dataset.get_type()
    values = np.zeros(dataset.shape, kind.dtype)
    dataset.read(h5s.ALL, h5s.ALL, values, _in_memory(kind, values))
    return values[()]


def value_at(group: h5py.Group, path: str) -> Any:
    """All that the dataset at ``path`` holds, as `value_of`."""
    return value_of(dataset_at(group, path))


def rows_of(dataset: h5d.DatasetID, first: int, stop: int) -> np.ndarray[Any, Any]:
    """The rows from ``first`` to before ``stop``, as far as there are any."""
    length, *inner = dataset.shape
    return block_of(dataset, (first, *(0 for _ in inner)), (max(0, min(stop, length) - first), *inner))


def block_of(dataset: h5d.DatasetID, start: Sequence[int], count: Sequence[int]) -> np.ndarray[Any, Any]:
    """A block of a dataset's elements: its corner, and how many along each axis."""
    kind, space = dataset.get_type(), dataset.get_space()
    values = np.zeros(count, kind.dtype)
    if values.size:
        space.select_hyperslab(tuple(start), tuple(count))
        dataset.read(h5s.create_simple(tuple(count)), space, values, _in_memory(kind, values))
    return values


def attribute(item: h5d.DatasetID, name: str, default: str | None = None) -> str:
    """The text of an attribute.

    Raises:
        KeyError: there is none, and no default is given.
        OSError, ValueError: it is not one text.
    """
    if default is not None and not h5a.exists(item, name.encode()):
        return default
    found = h5a.open(item, name.encode())
    text = np.zeros(found.shape, object)
    found.read(text, _OBJECT)
    return str(text.item(), "utf-8", "surrogateescape")


def _in_memory(kind: h5t.TypeID, values: np.ndarray[Any, Any]) -> h5t.TypeID:
    """The type of ``values``: as in the file, but for texts of variable length, which are objects of Python's."""
    return _OBJECT if values.dtype.hasobject else kind
