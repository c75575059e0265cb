"""The tables in which HDF5 keeps texts of variable length ("global heaps"), checked before HDF5 reads them.

HDF5 file format specification 4.0, section III.E. A heap is a row of objects with their sizes, the last of which is the
free space up to its end; where a text is used, its length stands with the heap's address and the object's number. HDF5
believes all of them, and need not survive it where a file is damaged. A length whose address is damaged as well is not
seen here.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Image = bytes | bytearray | mmap.mmap

_BEGINNING = b"GCOL\x01\0\0\0"  # signature, version, reserved
_SIZE, _OBJECT = struct.Struct("<Q"), struct.Struct("<HHIQ")  # index, references, reserved, size
_START = len(_BEGINNING) + _SIZE.size
_USE = struct.Struct("<IQI")  # length, address of the heap, index of the object
_LONG = 1 << 24  # bytes: no text is longer by mistake
_NEGATIVE = 0xFFFFFFFF  # a number below zero, which stands before one that looks like an address

SEARCHED = 1 << 20
"""Bytes at the beginning of a file of our own in which all its heaps lie."""


def are_sound(image: Image, end: int | None = None) -> bool:
    """Whether all heaps in the first ``end`` bytes are as HDF5 writes them; what is cut off is left to HDF5."""
    end = len(image) if end is None else min(end, len(image))
    return all(_is_sound(image, start, end) for start in _places(image, _BEGINNING, end))


def are_sound_in(path: Path, within: int | None = None) -> bool:
    """The same of the first ``within`` bytes of a file; True for one that cannot be opened, or is empty."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
            return are_sound(image, within)
    except (OSError, ValueError):
        return True


def _places(image: Image, what: bytes, end: int) -> Iterator[int]:
    place = image.find(what, 0, end)
    while place >= 0:
        yield place
        place = image.find(what, place + 1, end)


def _is_sound(image: Image, start: int, end: int) -> bool:
    if start + _START > len(image):
        return True
    sizes = _sizes(image, start)
    return sizes is not None and all(
        not max(_LONG, sizes[index]) < length < _NEGATIVE
        for length, index in _uses(image, start, end)
        if index in sizes
    )


def _sizes(image: Image, start: int) -> dict[int, int] | None:
    """Index -> size of the objects of a heap; None if they do not end where the heap does."""
    end: int = start + _SIZE.unpack_from(image, start + len(_BEGINNING))[0]
    place, sizes = start + _START, dict[int, int]()
    while place + _OBJECT.size <= end:
        if place + _OBJECT.size > len(image):
            return sizes
        index, _, _, size = _OBJECT.unpack_from(image, place)
        if index == 0:
            return sizes if place + size == end else None
        sizes[index] = size
        place += _OBJECT.size + -(-size // 8) * 8
    return sizes if place <= end else None


def _uses(image: Image, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Length and index wherever a text of the heap is used."""
    for address in _places(image, _SIZE.pack(start), end):
        place = address - 4
        if place >= 0 and place + _USE.size <= len(image):
            length, _, index = _USE.unpack_from(image, place)
            yield length, index
