"""HDF5 files that would never be read to their end, or take gigabytes for a word.

HDF5 keeps texts of variable length in global heaps: objects behind each other, each with its size. Where an object of
number 0 has the size 0, the library (up to 2.0 at least) stays at it for ever, and nothing can interrupt it; one wrong
byte in a size before it is enough to get there. Where a text is used stands its length with the heap's address: the
library makes room for that length before it looks at the heap. So the heaps are walked here first; a wrong length is
not seen where its address is damaged as well.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEAP = b"GCOL\x01\0\0\0"  # signature, version, reserved
_SIZE, _OBJECT = struct.Struct("<Q"), struct.Struct("<HHIQ")
_START = len(_HEAP) + _SIZE.size
_USE = struct.Struct("<IQI")  # length, address of the heap, number of the object
_LONG = 1 << 24  # bytes
_MINUS = 0xFFFFFFFF  # a number below zero, which stands before one that looks like an address


def is_damaged(path: Path, within: int | None = None) -> bool:
    """Whether a heap never ends, or a text is said to be longer than it is by far; False for what cannot be opened.

    Args:
        path: of the file.
        within: looks at so many bytes at its beginning, where what was written first stands; None: at all.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            end = len(content) if within is None else min(within, len(content))
            return any(_is_damaged(content, start, end) for start in _places(content, _HEAP, end))
    except (OSError, ValueError):
        return False


def _places(content: mmap.mmap, what: bytes, end: int) -> Iterator[int]:
    place = content.find(what, 0, end)
    while place >= 0:
        yield place
        place = content.find(what, place + 1, end)


def _is_damaged(content: mmap.mmap, start: int, end: int) -> bool:
    if start + _START > len(content):
        return False
    sizes = _sizes(content, start)
    if sizes is None:
        return True
    for address in _places(content, _SIZE.pack(start), end):
        place = address - 4
        if place < 0 or place + _USE.size > len(content):
            continue
        length, _, number = _USE.unpack_from(content, place)
        if number in sizes and max(_LONG, sizes[number]) < length < _MINUS:
            return True
    return False


def _sizes(content: mmap.mmap, start: int) -> dict[int, int] | None:
    """Sizes of a heap's objects by their numbers; None where the walk comes to one that is followed by itself."""
    end = min(start + _SIZE.unpack_from(content, start + len(_HEAP))[0], len(content))
    place, sizes = start + _START, dict[int, int]()
    while place + _OBJECT.size <= end:
        number, _, _, size = _OBJECT.unpack_from(content, place)
        step = _OBJECT.size + -(-size // 8) * 8 if number else size
        if not step:
            return None
        sizes[number] = size
        place += step
    return sizes
