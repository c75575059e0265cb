"""The grammar of SCPI messages: units, headers, arguments, blocks (IEEE 488.2, chapter 7), and what breaks it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TEXTS = {
    0: "No error",
    -101: "Invalid character",
    -102: "Syntax error",
    -103: "Invalid separator",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -121: "Invalid character in number",
    -131: "Invalid suffix",
    -151: "Invalid string data",
    -161: "Invalid block data",
    -221: "Settings conflict",
    -222: "Data out of range",
    -223: "Too much data",
    -224: "Illegal parameter value",
    -225: "Out of memory",
    -256: "File name not found",
    -257: "File name error",
    -310: "System error",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
}
_SPACE = b" \t\r"
_HEADER = re.compile(rb"(?:\*|:)?[A-Za-z][A-Za-z0-9_]*(?::[A-Za-z][A-Za-z0-9_]*)*\??")
_BLANK = re.compile(rb"[ \t\r]*")
_BLANK_UNITS = re.compile(rb"[ \t\r;]*")
_TEXT = re.compile(rb"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|[^,;\"']*")


class ScpiError(Exception):
    """What an instrument puts into its error queue.

    Attributes:
        code: -1xx the message is not understood, -2xx it cannot be carried out, -3xx the instrument has failed.
    """

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        super().__init__(f'{code},"{_TEXTS[code]}{";" if detail else ""}{detail}"')


@dataclass(frozen=True)
class Block:
    """An argument of arbitrary bytes, ``#<digits><length><bytes>``."""

    content: memoryview


def block(content: bytes) -> str:
    """Bytes as they are sent in answer: a block of definite length, a character for each byte."""
    size = str(len(content))
    return f"#{len(size)}{size}{content.decode('latin-1')}"


Argument = str | Block


def content(arguments: Sequence[Argument]) -> bytes:
    """The bytes of an argument that must be a block, and the only one."""
    first, *others = arguments
    if others or not isinstance(first, Block):
        raise ScpiError(-161)
    return bytes(first.content)


@dataclass(frozen=True)
class Unit:
    """One command or query of a message: its header as it was sent, and its arguments."""

    header: str
    arguments: tuple[Argument, ...]


def units(message: bytes) -> Iterator[Unit]:
    """Take a message apart.

    Raises:
        ScpiError: where the grammar is broken; the units before that have been handed out.
    """
    position = _past(_BLANK_UNITS, message, 0)
    while position < len(message):
        header = _HEADER.match(message, position)
        if header is None:
            raise ScpiError(-101)
        position = header.end()
        if position < len(message) and message[position] not in _SPACE + b";":
            raise ScpiError(-103)
        arguments, position = _arguments(message, position)
        yield Unit(header[0].decode("ascii"), tuple(arguments))
        position = _past(_BLANK_UNITS, message, position)


def _arguments(message: bytes, position: int) -> tuple[list[Argument], int]:
    """The arguments from ``position`` to the end of the unit, and where that is."""
    arguments: list[Argument] = []
    while True:
        argument, position = _argument(message, _past(_BLANK, message, position))
        more = message[position : position + 1] == b","
        if argument == "" and (more or arguments):
            raise ScpiError(-102, "an argument is missing")
        if argument != "":
            arguments.append(argument)
        if not more:
            return arguments, position
        position += 1


def _argument(message: bytes, position: int) -> tuple[Argument, int]:
    if message[position : position + 1] == b"#" and message[position + 1 : position + 2].isdigit():
        argument, position = _block(message, position)
    elif match := _TEXT.match(message, position):
        argument, position = _decoded(match[0].rstrip(_SPACE)), match.end()
    position = _past(_BLANK, message, position)
    if position < len(message) and message[position] not in b",;":
        raise ScpiError(-151 if message[position] in b"\"'" else -103)
    return argument, position


def _block(message: bytes, position: int) -> tuple[Argument, int]:
    digits = int(message[position + 1 : position + 2])
    start = position + 2 + digits
    length = message[position + 2 : start]
    if digits == 0:  # of indefinite length: to the end of the message
        return Block(memoryview(message)[start:]), len(message)
    if not length.isdigit() or len(length) < digits or start + int(length) > len(message):
        raise ScpiError(-161)
    return Block(memoryview(message)[start : start + int(length)]), start + int(length)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise ScpiError(-101) from error


def _past(pattern: re.Pattern[bytes], message: bytes, position: int) -> int:
    """Where ``pattern``, which also matches nothing at all, ends."""
    match = pattern.match(message, position)
    return match.end() if match else position
