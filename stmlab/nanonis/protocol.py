"""The binary programming interface of Nanonis controllers: the values of a message, by their types on the wire.

Driver and simulated controller both speak through this module, and may not import each other. Numbers are big-endian.
The frame around the values is in `frames`; what each command carries stands in `commands`.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import OutOfBounds, StmlabError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COUNT = struct.Struct(">i")

_NUMBERS = {"u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d"}
_F4_LARGEST = float(np.finfo(np.float32).max)
_RANGES = {
    "u2": (0.0, 2.0**16 - 1),
    "i4": (-(2.0**31), 2.0**31 - 1),
    "u4": (0.0, 2.0**32 - 1),
    "f4": (-_F4_LARGEST, _F4_LARGEST),
    "f8": (-math.inf, math.inf),
}
_TYPE = re.compile(r"(?P<item>u2|i4|u4|f4|f8|str)(?:\[(?P<length>\w*)\](?P<rows>\[\])?)?")


class GarbledMessage(StmlabError):
    """Bytes that do not hold what was to be read from them, or a value that cannot be put on the wire."""


@dataclass(frozen=True)
class Field:
    """One value of a message.

    Attributes:
        name: in the field's own words.
        type: ``u2``, ``i4``, ``u4``, ``f4``, ``f8`` (numbers), ``str``; ``i4[]`` (with its count before it), ``str[]``
            (with its size in bytes and its count before it), ``f4[][]`` (with rows and columns before it), or
            ``f4[segments]``, as long as the earlier field ``segments`` says.
        keeps: how a Set says "no change" (see `commands`), or "".
    """

    name: str
    type: str
    keeps: str = ""

    @cached_property
    def _parts(self) -> tuple[str, str | None, bool]:
        """Item, length (None: a single value, "": written before the array), two-dimensional."""
        match = _TYPE.fullmatch(self.type)
        if match is None:
            raise GarbledMessage(f"{self.name}: {self.type!r} is no type of the protocol")
        return match["item"], match["length"], match["rows"] is not None

    def pack(self, value: Any, counts: dict[str, int]) -> bytes:
        """The bytes of ``value``; ``counts`` holds the integers packed before it."""
        item, length, rows = self._parts
        if length is None:
            return _pack_string(self.name, value) if item == "str" else self._pack_number(item, value)
        if rows:
            return self._pack_table(item, value)
        if isinstance(value, str):
            raise GarbledMessage(f"{self.name} = {value!r} must be a list")
        if length and len(value) != counts[length]:
            raise GarbledMessage(f"{self.name} has {len(value)} values, {length} = {counts[length]} are wanted")
        if item == "str":
            strings = b"".join(_pack_string(self.name, string) for string in value)
            return _COUNT.pack(len(strings)) + _COUNT.pack(len(value)) + strings
        return (b"" if length else _COUNT.pack(len(value))) + self._pack_array(item, value)

    def unpack(self, reader: _Reader, counts: dict[str, int]) -> Any:
        """The next value of ``reader``: int, float, str, tuple of str, or array (int64 or float64)."""
        item, length, rows = self._parts
        if length is None:
            return reader.string(self.name) if item == "str" else reader.number(self.name, item)
        if rows:
            shape = reader.count(self.name), reader.count(self.name)
            if item == "str":
                return tuple(tuple(reader.string(self.name) for _ in range(shape[1])) for _ in range(shape[0]))
            return reader.array(self.name, item, shape[0] * shape[1]).reshape(shape)
        if item == "str":
            reader.count(self.name)  # size in bytes: says nothing new, and the maker's own client sends a wrong one
            return tuple(reader.string(self.name) for _ in range(reader.count(self.name)))
        return reader.array(self.name, item, counts[length] if length else reader.count(self.name))

    def empty(self) -> Any:
        """What an instrument returns in this place when it has nothing to say."""
        item, length, rows = self._parts
        if length is None:
            return "" if item == "str" else 0
        return np.zeros((0, 0) if rows else 0) if item != "str" else ()

    def _pack_number(self, item: str, value: Any) -> bytes:
        try:
            return struct.pack(">" + _NUMBERS[item], value)
        except (struct.error, OverflowError) as error:
            self._check_range(item, value)
            raise GarbledMessage(f"{self.name} = {value!r} is no {item}") from error

    def _pack_array(self, item: str, values: Any) -> bytes:
        array = np.asarray(values)
        kinds, kind = ("iubf", "numbers") if item[0] == "f" else ("iub", "integers")
        if array.dtype == object:  # among them an integer that numpy has no type for
            for value in array.ravel().tolist():
                self._pack_number(item, value)
        elif array.size and array.dtype.kind not in kinds:
            raise GarbledMessage(f"{self.name} must hold {kind}, not {values!r}")
        if item != "f8":
            for value in array.ravel().tolist():
                self._check_range(item, value)
        return array.astype(f">{item}").tobytes()

    def _pack_table(self, item: str, table: Any) -> bytes:
        if item == "str":
            columns = len(table[0]) if table else 0
            cells = b"".join(_pack_string(self.name, cell) for row in table for cell in row)
            return _COUNT.pack(len(table)) + _COUNT.pack(columns) + cells
        array = np.asarray(table)
        if array.ndim != 2:
            raise GarbledMessage(f"{self.name} must have two dimensions, not {array.ndim}")
        return _COUNT.pack(array.shape[0]) + _COUNT.pack(array.shape[1]) + self._pack_array(item, array)

    def _check_range(self, item: str, value: Any) -> None:
        if not isinstance(value, (int, float, np.number)):
            return
        low, high = _RANGES[item]
        try:
            number = float(value)
        except OverflowError:  # an integer, perhaps of more digits than Python prints
            raise GarbledMessage(f"{self.name}: an integer of {int(value).bit_length()} bits is no {item}") from None
        if not low <= number <= high and math.isfinite(number):
            raise OutOfBounds(self.name, number, low, high, "", f"the type {item} on the wire")


class Fields(tuple[Field, ...]):
    """The fields of a message, in wire order."""

    @cached_property
    def numbers(self) -> struct.Struct | None:
        """How they lie on the wire, if all are single numbers."""
        if not all(field.type in _NUMBERS for field in self):
            return None
        return struct.Struct(">" + "".join(_NUMBERS[field.type] for field in self))

    @cached_property
    def singles(self) -> frozenset[int]:
        """Places of the single numbers that are kept in single precision."""
        return frozenset(place for place, field in enumerate(self) if field.type == "f4")


@dataclass(frozen=True)
class Command:
    """One command of the interface.

    Attributes:
        name: as in the header, at most 32 ASCII characters.
        arguments: fields of the request.
        returns: fields of the response, before its error section.
    """

    name: str
    arguments: Fields
    returns: Fields


def pack(fields: Sequence[Field], values: Sequence[Any]) -> bytes:
    """The bytes of ``values``, one for each of ``fields``.

    Raises:
        OutOfBounds: a number does not fit its type.
        GarbledMessage: a value is of the wrong kind, or there are too few or too many.
    """
    numbers = _in_order(fields).numbers
    if numbers is not None and len(values) == len(fields):
        try:
            return numbers.pack(*values)
        except (struct.error, OverflowError):
            pass  # field by field below, to say which it is
    if len(values) != len(fields):
        names = ", ".join(field.name for field in fields) or "nothing"
        raise GarbledMessage(f"{len(values)} values given, wanted: {names}")
    counts: dict[str, int] = {}
    body = bytearray()
    for field, value in zip(fields, values, strict=True):
        body += field.pack(value, counts)
        if field.type in ("i4", "u4"):
            counts[field.name] = int(value)
    return bytes(body)


def unpack(fields: Sequence[Field], body: bytes) -> tuple[tuple[Any, ...], bytes]:
    """Read one value for each of ``fields``; returns the values and what is left of ``body``.

    Raises:
        GarbledMessage: ``body`` is too short, or holds an impossible count.
    """
    numbers = _in_order(fields).numbers
    if numbers is not None and len(body) >= numbers.size:
        return numbers.unpack_from(body), body[numbers.size :]
    reader = _Reader(body)
    counts: dict[str, int] = {}
    values: list[Any] = []
    for field in fields:
        value = field.unpack(reader, counts)
        if field.type in ("i4", "u4"):
            counts[field.name] = value
        values.append(value)
    return tuple(values), reader.rest()


def _in_order(fields: Sequence[Field]) -> Fields:
    return fields if isinstance(fields, Fields) else Fields(fields)


def _pack_string(name: str, value: Any) -> bytes:
    if not isinstance(value, str):
        raise GarbledMessage(f"{name} = {value!r} is no text")
    text = value.encode("utf-8")
    return _COUNT.pack(len(text)) + text


class _Reader:
    """Takes values off the front of a body."""

    def __init__(self, body: bytes) -> None:
        self._body, self._position = body, 0

    def take(self, name: str, size: int) -> bytes:
        end = self._position + size
        if end > len(self._body):
            raise GarbledMessage(f"the body ends within {name}: {len(self._body)} bytes, at least {end} are wanted")
        piece = self._body[self._position : end]
        self._position = end
        return piece

    def number(self, name: str, item: str) -> Any:
        return struct.unpack(">" + _NUMBERS[item], self.take(name, int(item[1])))[0]

    def count(self, name: str) -> int:
        count = int(_COUNT.unpack(self.take(name, _COUNT.size))[0])
        if not 0 <= count <= len(self._body):
            raise GarbledMessage(f"{name} cannot have a length of {count} in a body of {len(self._body)} bytes")
        return count

    def string(self, name: str) -> str:
        text = self.take(name, self.count(name))
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError:  # the controller's computer writes names and paths in its own code page
            return text.decode("latin-1")

    def array(self, name: str, item: str, count: int) -> Any:
        if count < 0:
            raise GarbledMessage(f"{name} cannot have a length of {count}")
        array = np.frombuffer(self.take(name, count * int(item[1])), dtype=f">{item}")
        return array.astype(np.float64 if item[0] == "f" else np.int64)

    def rest(self) -> bytes:
        return self._body[self._position :]
