"""Groups, datasets and attributes, made with h5py's low-level calls.

h5py's own take two to three times as long, and the file of a run has some two hundred of them: they are most of what a
short run costs. Nothing notes when it was made: same events, same bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5p, h5s, h5t

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT = h5t.py_create(h5py.string_dtype(), logical=True)
_OBJECT = h5t.py_create(np.dtype(object))  # a text in memory


def make_group(parent: h5g.GroupID, name: str) -> h5g.GroupID:
    """A group whose members and attributes keep the order in which they are made."""
    return h5g.create(parent, name.encode(), gcpl=_ordered())


def make_data(group: h5g.GroupID, name: str, data: Any) -> h5d.DatasetID:
    """A dataset of numbers or of one text that is there from the start."""
    if isinstance(data, str):
        values, kind, memory = np.array(data, dtype=object), _TEXT, _OBJECT
    else:
        values = np.asarray(data, order="C")
        kind = memory = _kind(values.dtype)
    dataset = h5d.create(group, name.encode(), kind, _space(values.shape), dcpl=_properties())
    if values.size:
        dataset.write(h5s.ALL, h5s.ALL, values, memory)
    return dataset


def make_room(
    group: h5g.GroupID,
    name: str,
    dtype: Any,
    shape: tuple[int, ...],
    *,
    most: tuple[int | None, ...] | None = None,
    chunks: tuple[int, ...] | None = None,
    fill: Any = None,
    early: bool | None = None,
) -> h5d.DatasetID:
    """A dataset of what comes later.

    Args:
        group: where.
        name: in the group.
        dtype: of one element.
        shape: to begin with.
        most: that it may grow to; None: it does not grow, or not along that axis.
        chunks: in which it lies in the file.
        fill: what it holds until then; None: zeros.
        early: whether the space of a chunk is taken when the dataset is made or grows, or (False) as it is written.
    """
    dtype = np.dtype(dtype)
    properties = _properties(chunks, early, None if fill is None else np.array(fill, dtype=dtype).tobytes(), dtype)
    return h5d.create(group, name.encode(), _kind(dtype), _space(shape, most), dcpl=properties)


def describe(item: h5g.GroupID | h5d.DatasetID, **attributes: str | int | Sequence[str] | Sequence[int]) -> None:
    """Add attributes that are not there yet."""
    for name, value in attributes.items():
        if isinstance(value, str) or (not isinstance(value, int) and isinstance(next(iter(value), 0), str)):
            values, kind, memory = np.array(value, dtype=object), _TEXT, _OBJECT
        else:
            values = np.array(value)
            kind = memory = _kind(values.dtype)
        h5a.create(item, name.encode(), kind, _space(values.shape)).write(values, memory)


def _kind(dtype: np.dtype[Any]) -> h5t.TypeID:
    """The type in the file. Two types of text may be equal for numpy and differ in how they are encoded."""
    return h5t.py_create(dtype, logical=True) if dtype.kind == "S" else _kind_of_number(dtype)


@lru_cache(maxsize=16)
def _kind_of_number(dtype: np.dtype[Any]) -> h5t.TypeID:
    return h5t.py_create(dtype, logical=True)


@lru_cache(maxsize=64)
def _space(shape: tuple[int, ...], most: tuple[int | None, ...] | None = None) -> h5s.SpaceID:
    limits = tuple(h5s.UNLIMITED if length is None else length for length in most or shape)
    return h5s.create_simple(shape, limits) if shape else h5s.create(h5s.SCALAR)


@lru_cache(maxsize=1)
def _ordered() -> h5p.PropGCID:
    properties = h5p.create(h5p.GROUP_CREATE)
    properties.set_obj_track_times(False)
    properties.set_link_creation_order(h5p.CRT_ORDER_TRACKED | h5p.CRT_ORDER_INDEXED)
    properties.set_attr_creation_order(h5p.CRT_ORDER_TRACKED | h5p.CRT_ORDER_INDEXED)
    return properties


@lru_cache(maxsize=64)
def _properties(
    chunks: tuple[int, ...] | None = None,
    early: bool | None = None,
    fill: bytes | None = None,
    dtype: np.dtype[Any] | None = None,
) -> h5p.PropDCID:
    """Properties of a dataset."""
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    if chunks is not None:
        properties.set_chunk(chunks)
    if early is not None:
        properties.set_alloc_time(h5d.ALLOC_TIME_EARLY if early else h5d.ALLOC_TIME_INCR)
    if fill is not None:
        properties.set_fill_value(np.frombuffer(fill, dtype=dtype).reshape(()))
    return properties
