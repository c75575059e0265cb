"""Frames of the binary programming interface of Nanonis controllers: a header, a body.

The header has 40 bytes; the body of a response ends with an error section. Numbers are big-endian.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import lru_cache

from stmlab.nanonis.protocol import GarbledMessage

HEADER_SIZE = 40
_REQUEST = struct.Struct(">32siHxx")
_RESPONSE = struct.Struct(">32sixxxx")
_ERROR = struct.Struct(">Ii")
_NO_ERROR = _ERROR.pack(0, 0)
_NAME = re.compile(rb"[\x21-\x7e]+")


@dataclass(frozen=True)
class Header:
    """The first 40 bytes of a message.

    Attributes:
        name: of the command.
        size: of the body in bytes.
        respond: whether a request wants a response.
    """

    name: str
    size: int
    respond: bool


def pack_request(name: str, body: bytes, *, respond: bool = True) -> bytes:
    """A whole request."""
    return _REQUEST.pack(_header_name(name), len(body), respond) + body


def pack_response(name: str, returned: bytes, error: str = "") -> bytes:
    """A whole response: what is returned, then the error section (status 1 if there is an ``error``)."""
    text = error.encode("utf-8")
    body = returned + (_ERROR.pack(1, len(text)) + text if text else _NO_ERROR)
    return _RESPONSE.pack(_header_name(name), len(body)) + body


@lru_cache(maxsize=1024)
def unpack_header(header: bytes) -> Header:
    """Read the header of a request or a response; there are few different ones, which come over and over.

    Raises:
        GarbledMessage: these are not the first 40 bytes of a message.
    """
    padded, size, respond = _REQUEST.unpack(header)
    text = padded.rstrip(b"\0")
    name = text.decode("ascii") if _NAME.fullmatch(text) else ""
    if size < 0 or not name:
        raise GarbledMessage(f"no header: {header!r}")
    return Header(name, size, bool(respond))


def unpack_error(section: bytes) -> str:
    """The description in an error section, "" if there is no error.

    Raises:
        GarbledMessage: ``section`` is none.
    """
    if section == _NO_ERROR:
        return ""
    if len(section) < _ERROR.size:
        raise GarbledMessage(f"an error section has at least {_ERROR.size} bytes, not {len(section)}")
    status, length = _ERROR.unpack_from(section)
    text = section[_ERROR.size :]
    if status > 1 or length != len(text):
        raise GarbledMessage(f"no error section: {section[:40]!r}")
    return text.decode("utf-8", errors="replace") or "error without description" if status else ""


@lru_cache(maxsize=1024)
def _header_name(name: str) -> bytes:
    text = name.encode("ascii")
    if not 0 < len(text) <= 32:
        raise GarbledMessage(f"{name!r}: the name of a command has 1 to 32 characters")
    return text
