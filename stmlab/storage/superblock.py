"""HDF5's superblock (version 3): the first 48 bytes of a file; they say whether its writer ever closed it.

HDF5 file format specification 4.0, section II.A. Files of other versions, and what is no HDF5 file, are left to HDF5.
"""

from __future__ import annotations

import struct

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
    return _is_known(start) and bool(_HEAD.unpack_from(start)[4] & _BEING_WRITTEN)


def is_cut(start: bytes, size: int) -> bool:
    """Whether the file of ``size`` bytes that begins with ``start`` is shorter than its writer says."""
    return _is_known(start) and bool(_HEAD.unpack_from(start)[7] > size)


def closed(image: bytes) -> bytes:
    """The bytes of a file as if its writer had closed it where it ends: flags down, the end where it is."""
    signature, version, offset, length, _flags, base, extension, _end, root = _HEAD.unpack_from(image)
    head = _HEAD.pack(signature, version, offset, length, 0, base, extension, len(image), root)
    return head + struct.pack("<I", lookup3(head)) + image[SIZE:]


def _is_known(start: bytes) -> bool:
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
