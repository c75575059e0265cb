"""The tables in which HDF5 keeps texts of variable length ("global heaps"): where one is damaged, HDF5 never returns.

HDF5 file format specification 4.0, section III.E. A heap is a row of objects, the last of which is the free space up
to its end; HDF5 believes their sizes, and in a damaged one it goes round in a circle. Our files have theirs at the
beginning, with the attributes that they are written for.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = struct.Struct("<4sB3xQ")  # signature, version, size of the heap
_OBJECT = struct.Struct("<HH4xQ")  # index, references, size
_BEGINNING = b"GCOL\x01\0\0\0"

SEARCHED = 1 << 20
"""Bytes at the beginning of a file in which heaps are looked for."""


def are_sound(image: bytes) -> bool:
    """Whether all heaps in the beginning of a file are as HDF5 writes them; what is cut off is left to HDF5."""
    return all(_is_sound(image, start) for start in _heaps(image))


def _heaps(image: bytes) -> Iterator[int]:
    start = image.find(_BEGINNING)
    while start >= 0:
        yield start
        start = image.find(_BEGINNING, start + 1)


def _is_sound(image: bytes, start: int) -> bool:
    if start + _HEAD.size > len(image):
        return True
    end: int = start + _HEAD.unpack_from(image, start)[2]
    place: int = start + _HEAD.size
    while place + _OBJECT.size <= end:
        if place + _OBJECT.size > len(image):
            return True
        index, _, size = _OBJECT.unpack_from(image, place)
        if index == 0:
            return bool(place + size == end)
        place += _OBJECT.size + -(-size // 8) * 8
    return place <= end
