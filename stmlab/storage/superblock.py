"""HDF5's superblock (version 3): the first 48 bytes of a file; they say whether its writer ever closed it.

HDF5 file format specification 4.0, section II.A. Files of other versions, and what is no HDF5 file, are left to HDF5.
"""

from __future__ import annotations

import io
import os
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# signature; version, bytes of an offset, of a length, flags; base, extension, end of file, root group
_HEAD = struct.Struct("<8s4B4Q")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_VERSION, _OFFSET = 3, 8
_BEING_WRITTEN = 0b1
_WORD = 0xFFFF_FFFF

SIZE = _HEAD.size + 4
"""Bytes of the superblock with its checksum."""


def is_unclosed(start: bytes) -> bool:
    """Whether the file that begins with ``start`` is being written, or never was closed."""
    return is_known(start) and bool(_HEAD.unpack_from(start)[4] & _BEING_WRITTEN)


def is_cut(start: bytes, size: int) -> bool:
    """Whether the file of ``size`` bytes that begins with ``start`` is shorter than its writer says."""
    return is_known(start) and bool(_HEAD.unpack_from(start)[7] > size)


def closed(start: bytes, size: int) -> bytes:
    """How a file of ``size`` bytes would begin if its writer had closed it where it ends: flags down, the end there."""
    signature, version, offset, length, _flags, base, extension, _end, root = _HEAD.unpack_from(start)
    head = _HEAD.pack(signature, version, offset, length, 0, base, extension, size, root)
    return head + struct.pack("<I", lookup3(head))


class AsIfClosed(io.RawIOBase):
    """The file of a killed writer, read as if it had been closed; nothing of it is changed or kept in memory.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._start = closed(self._file.read(SIZE), os.fstat(self._file.fileno()).st_size)
        self._file.seek(0)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the file; returns it."""
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        """What stands in the file from here on, but for its first bytes."""
        place = self._file.tell()
        count = self._file.readinto(buffer)
        part = self._start[place : place + count]
        memoryview(buffer).cast("B")[: len(part)] = part
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def is_known(start: bytes) -> bool:
    """Whether a file begins with a superblock of this version."""
    return len(start) >= SIZE and _HEAD.unpack_from(start)[:3] == (_SIGNATURE, _VERSION, _OFFSET)


def lookup3(data: bytes) -> int:
    """Bob Jenkins's hash "lookup3" with initial value 0, HDF5's checksum of its metadata."""
    a = b = c = (0xDEADBEEF + len(data)) & _WORD
    *blocks, last = _blocks(data)
    for block in blocks:
        a, b, c = _mixed(*_added((a, b, c), block))
    return _finished(*_added((a, b, c), last)) if data else c


def _blocks(data: bytes) -> list[tuple[int, int, int]]:
    """Twelve bytes each, the last one filled up with zeros."""
    padded = data.ljust(max(12, -(-len(data) // 12) * 12), b"\0")
    return list(struct.iter_unpack("<3I", padded))


def _added(state: tuple[int, int, int], block: tuple[int, int, int]) -> tuple[int, int, int]:
    a, b, c = ((s + word) & _WORD for s, word in zip(state, block, strict=True))
    return a, b, c


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for turns in ((4, 6, 8), (16, 19, 4)):
        a, c = ((a - c) & _WORD) ^ _turned(c, turns[0]), (c + b) & _WORD
        b, a = ((b - a) & _WORD) ^ _turned(a, turns[1]), (a + c) & _WORD
        c, b = ((c - b) & _WORD) ^ _turned(b, turns[2]), (b + a) & _WORD
    return a, b, c


def _finished(a: int, b: int, c: int) -> int:
    for first, second, third in ((14, 11, 25), (16, 4, 14)):
        c = ((c ^ b) - _turned(b, first)) & _WORD
        a = ((a ^ c) - _turned(c, second)) & _WORD
        b = ((b ^ a) - _turned(a, third)) & _WORD
    return ((c ^ b) - _turned(b, 24)) & _WORD


def _turned(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (32 - bits))) & _WORD
