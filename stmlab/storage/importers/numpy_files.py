"""NumPy's ``.npy`` (one array) and ``.npz`` (several), never with pickled objects.

A structured array has a column for each field, a plain one for each place along its shorter axis. In an ``.npz`` every
one-dimensional array is a column; those that we export carry names, units and header beside them (``RESERVED``).
Sizes are checked against what the file holds before anything is allocated.
"""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from stmlab.errors import FileError
from stmlab.storage.importers.text import interval_of, name_and_unit, unique
from stmlab.storage.recorded import Column, Recording

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS: tuple[str, ...] = (".npy", ".npz")
COLUMNS, UNITS, KEYS, TEXTS = RESERVED = ("_columns", "_units", "_header_keys", "_header_texts")
"""Arrays of an ``.npz`` that we export, beside one for each column: names in order, units, and the header."""
_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
_MOST_PACKED, _SMALL = 200, 1 << 28  # times the size of the file, and bytes, that are unpacked
_ERRORS = (OSError, ValueError, KeyError, EOFError, TypeError, OverflowError, zipfile.BadZipFile, zlib.error)
_ERRORS_TOO = (NotImplementedError, RuntimeError, SyntaxError, UnicodeError, tokenize.TokenError)


def recognises(head: bytes) -> bool:
    """Whether the file's beginning is one of this format."""
    return head.startswith(_NPY) or (head.startswith(_ZIP) and b".npy" in head)


def read(path: Path) -> Recording:
    """Read a file.

    Raises:
        FileError: no such file, damaged, pickled objects, or no columns of numbers.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(len(_NPY)) != _NPY
            file.seek(0)
            size = path.stat().st_size
            arrays = _unpacked(file, size) if packed else {"": _array(file, size)}
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except (*_ERRORS, *_ERRORS_TOO) as error:
        raise FileError(
            f"{path}: not a file of NumPy's that can be read ({str(error).partition(chr(10))[0]})"
        ) from error
    if set(RESERVED) <= set(arrays):
        return _ours(path, arrays)
    notes: list[str] = []
    columns = [column for name, array in arrays.items() for column in _columns(name, array, notes)]
    return _recording(path, columns, notes)


def _unpacked(file: IO[bytes], size: int) -> dict[str, np.ndarray[Any, Any]]:
    with zipfile.ZipFile(file) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        if (total := sum(member.file_size for member in members)) > max(_MOST_PACKED * size, _SMALL):
            raise ValueError(f"{total:.3g} bytes are said to be packed into {size}: refused")
        found = {}
        for member in members:
            with archive.open(member) as stream:
                found[member.filename.removesuffix(".npy")] = _array(stream, member.file_size)
        return found


def _array(stream: IO[bytes], size: int) -> np.ndarray[Any, Any]:
    """One array, read only if what its header promises is there."""
    version = npy.read_magic(stream)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read_header is None:
        raise ValueError(f"version {version} of the format is not known")
    shape, fortran, dtype = read_header(stream)
    if dtype.hasobject:
        raise ValueError("holds pickled objects, which could run anything: never read")
    needed = math.prod(shape) * dtype.itemsize
    if any(n < 0 for n in shape) or needed > size or not dtype.itemsize:
        raise ValueError(f"an array of shape {shape} needs {needed} bytes, there are {size}")
    content = stream.read(needed)
    if len(content) < needed:
        raise ValueError("its end is missing")
    array = np.frombuffer(content, dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _ours(path: Path, arrays: dict[str, np.ndarray[Any, Any]]) -> Recording:
    names, units, keys, texts = ([str(text) for text in arrays[name].ravel()] for name in RESERVED)
    if len(names) != len(units) or len(keys) != len(texts) or not set(names) <= set(arrays):
        raise FileError(f"{path}: names, units and arrays do not belong together")
    notes: list[str] = []
    columns = [
        Column(name, unit, column.values)
        for name, unit in zip(names, units, strict=True)
        for column in _columns(name, arrays[name], notes)
    ]
    header = dict(zip(keys, texts, strict=True))
    return _recording(path, columns, notes, header)


def _columns(name: str, array: np.ndarray[Any, Any], notes: list[str]) -> list[Column]:
    if array.dtype.names:
        return [
            column for field in array.dtype.names for column in _columns(f"{name} {field}".strip(), array[field], notes)
        ]
    label = name or "array"
    if array.dtype.kind == "c":
        notes.append(f"{label} is complex: real and imaginary part are columns of their own")
        parts = (("real", array.real), ("imaginary", array.imag))
        return [column for part, values in parts for column in _columns(f"{name} {part}".strip(), values, notes)]
    if array.dtype.kind not in "fiub" or array.ndim not in (1, 2) or not array.size:
        notes.append(f"{label}: {array.dtype} of shape {array.shape} is no column of numbers: left out")
        return []
    title, unit = name_and_unit(name, 1) if name else ("", "")
    if array.ndim == 1:
        return [Column(title or "column 1", unit, array.astype(float))]
    rows = array if array.shape[0] >= array.shape[1] else array.T
    notes.append(
        f"{label} has shape {array.shape}: read as {rows.shape[1]} columns of {rows.shape[0]} rows, without names of "
        "their own"
    )
    return [Column(f"{title} column {k}".strip(), unit, values.astype(float)) for k, values in enumerate(rows.T, 1)]


def _recording(path: Path, columns: list[Column], notes: list[str], header: dict[str, str] | None = None) -> Recording:
    """The columns of one length, the most that there are; the others are named."""
    if not columns:
        raise FileError(f"{path}: " + ("; ".join(notes) or "holds no arrays"))
    lengths = [column.values.size for column in columns]
    length = max(set(lengths), key=lambda n: (lengths.count(n), n))
    notes += [
        f"{c.name} has {c.values.size} values, the others {length}: left out"
        for c in columns
        if c.values.size != length
    ]
    kept = [column for column in columns if column.values.size == length]
    named = tuple(Column(name, c.unit, c.values) for name, c in zip(unique(c.name for c in kept), kept, strict=True))
    header = header or {}
    return Recording(path, "numpy", header, named, interval_of(header), tuple(notes))
