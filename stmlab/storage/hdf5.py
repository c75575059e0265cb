"""Groups, datasets and texts as NeXus and SWMR want them.

SWMR forbids new objects and variable-length data once it is on. So what comes later has its place from the start:
tables, and text cut into pieces of fixed length. The low format bound is that of HDF5 1.10, the first with SWMR, so
that older readers open the file too.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5i

from stmlab.errors import FileError
from stmlab.storage.objects import describe, make_data, make_group, make_room
from stmlab.storage.values import value_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from h5py import h5d, h5g

LIBVER = ("v110", "latest")

PIECE = 120  # bytes of text in one element
TEXT = h5py.string_dtype("utf-8", PIECE)
NAME = h5py.string_dtype("utf-8", 64)
UNIT = h5py.string_dtype("utf-8", 32)
STATE = h5py.string_dtype("utf-8", 16)


def add_group(parent: h5g.GroupID, name: str, kind: str) -> h5g.GroupID:
    """A group of the NeXus class ``kind``; its members keep the order in which they are made."""
    group = make_group(parent, name)
    describe(group, NX_class=kind)
    return group


def add_dataset(group: h5g.GroupID, name: str, unit: str | None = None, *, data: Any) -> h5d.DatasetID:
    """A dataset with its unit (None: it is text).

    Raises:
        FileError: ``name`` cannot stand in the group.
    """
    _check_name(group, name)
    return _with_unit(make_data(group, name, data), unit)


def add_room(group: h5g.GroupID, name: str, dtype: Any, unit: str | None = None, **room: Any) -> h5d.DatasetID:
    """A dataset of what comes later (see `make_room`), with its unit.

    Raises:
        FileError: ``name`` cannot stand in the group.
    """
    _check_name(group, name)
    return _with_unit(make_room(group, name, dtype, **room), unit)


def add_texts(group: h5g.GroupID, name: str, texts: Iterable[str]) -> h5d.DatasetID:
    """Texts side by side, as long as the longest."""
    data = [text.encode() for text in texts]
    kind = h5py.string_dtype("utf-8", max([1, *map(len, data)]))
    return add_dataset(group, name, data=np.array(data, dtype=kind))


def add_note(parent: h5g.GroupID, name: str, kind: str, text: str | None = None) -> h5d.DatasetID:
    """An NXnote of media type ``kind`` with ``text``, or with room for text that comes later; returns its data."""
    note = add_group(parent, name, "NXnote")
    add_dataset(note, "type", data=kind)
    if text is None:
        return add_table(note, "data", TEXT)
    data = _bytes(text)
    return add_dataset(note, "data", data=np.array(data, dtype=h5py.string_dtype("utf-8", max(1, len(data)))))


def add_table(
    group: h5g.GroupID,
    name: str,
    dtype: Any,
    unit: str | None = None,
    *,
    rows: int = 32,
    inner: tuple[int, ...] = (),
    start: int = 0,
    fill: Any = None,
) -> h5d.DatasetID:
    """A dataset that grows along its first axis by chunks of ``rows``.

    The space of a chunk is taken when the dataset grows, not when a flush happens to fall: same events, same bytes.
    """
    shape, most = (start, *inner), (None, *inner)
    return add_room(group, name, dtype, unit, shape=shape, most=most, chunks=(rows, *inner), fill=fill, early=True)


def to_json(value: Any) -> str:
    """JSON of a snapshot or a fit: numpy's numbers and arrays as plain ones, what JSON does not know as its text."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def to_pieces(text: str) -> np.ndarray[Any, Any]:
    """Text as elements of fixed length; shape (n,)."""
    data = _bytes(text)
    return np.array([data[k : k + PIECE] for k in range(0, len(data), PIECE)], dtype=TEXT)


def from_pieces(pieces: np.ndarray[Any, Any]) -> str:
    """The text that ``to_pieces`` cut up."""
    return b"".join(pieces.tolist()).decode("utf-8", errors="replace")


def read_text(group: h5py.Group, path: str) -> str:
    """The text at ``path``, of any kind: fixed or variable length, whole or in pieces."""
    return to_text(value_at(group, path))


def to_text(value: bytes | np.ndarray[Any, Any]) -> str:
    """The text that a dataset holds, of any kind."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else from_pieces(value)


def _check_name(group: h5g.GroupID, name: str) -> None:
    if not name or "/" in name or name == "." or group.links.exists(name.encode()):
        where = h5i.get_name(group).decode()
        raise FileError(f"{where}: {name!r} cannot name a dataset: it is empty, holds a '/' or is there twice")


def _with_unit(dataset: h5d.DatasetID, unit: str | None) -> h5d.DatasetID:
    if unit is not None:
        describe(dataset, units=unit)
    return dataset


def _bytes(text: str) -> bytes:
    return text.replace("\0", "\\0").encode("utf-8", errors="backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
