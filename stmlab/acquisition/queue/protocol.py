"""The messages between a queue and its clients: one JSON object a line, UTF-8, over a socket of the system.

A client asks, and is answered with the same number; everybody is told what happens:

    {"id": 7, "ask": "pause"}                -> {"id": 7, "ok": {...}}  or  {"id": 7, "refused": "why, one line"}
    {"event": "progress", "points": 12, ...}

| ask | with | what it does |
|---|---|---|
| status | | everything as it is now: what the event of that name says |
| pause, resume | anyway | the run: hold state after the point, and on again; a queue that waits goes on |
| stop, abort | then | the run after its point, or at once; then ("end" or "go on") the queue ends or goes on |
| all | | every entry that waits is performed, also where one alone was wanted |
| hold | on | the queue waits for a person after the entry that runs |
| add | entry, before | a further entry, at the end or before another one |
| insert | entry | a small run before all that wait; while the queue waits it is taken at once, and the wait stays |
| edit, remove, duplicate | entry or name | of an entry that is not running |
| move | name, place | of an entry that waits |

| event | what it says |
|---|---|
| status | queue, state, run, values, log: told to every client when it comes |
| queue | the entries, whenever one has changed |
| state | of the queue ("performing", "waiting", "ended") and of its run, with the reason |
| progress | run, point of how many, seconds left, file; of an adaptive run error, target, readings, needed, next |
| values | what was last read of every instrument, and what was last set |
| partial | part of a reading that an instrument is still taking |
| fit, log | a fit that was made; a line of the log |
| finished | how a run ended, and how the station was left |

Arrays travel as base64 of little-endian float64 with their shape; nothing is ever evaluated.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import StmlabError

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

    Message = dict[str, Any]

LONGEST = 1 << 24
"""Bytes of one line; a longer one is no message."""

_ARRAY = "float64"


class ProtocolError(StmlabError):
    """A line that is no message."""


def encode(message: Message) -> bytes:
    """One line."""
    return json.dumps(message, default=_plain, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message of one line.

    Raises:
        ProtocolError: it is none.
    """
    try:
        message = json.loads(line, object_hook=_array)
    except (ValueError, RecursionError, binascii.Error) as error:
        raise ProtocolError(f"not a message: {line[:60]!r} ({error})") from error
    if not isinstance(message, dict):
        raise ProtocolError(f"not a message: {line[:60]!r} (an object is needed)")
    return message


class Lines:
    """Puts lines together from pieces as they arrive."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that are complete now.

        Raises:
            ProtocolError: what arrives has no end of line.
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LONGEST:
            raise ProtocolError(f"a line of more than {LONGEST} bytes")
        return [line for line in lines if line.strip()]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, dtype="<f8")
        return {_ARRAY: base64.b64encode(array.tobytes()).decode(), "shape": list(array.shape)}
    return value.item() if isinstance(value, np.generic) else str(value)


def _array(found: dict[str, Any]) -> Any:
    if found.keys() != {_ARRAY, "shape"}:
        return found
    numbers: FloatArray = np.frombuffer(base64.b64decode(found[_ARRAY], validate=True), dtype="<f8")
    shape = found["shape"]
    if (
        not isinstance(shape, list)
        or any(type(n) is not int or n < 0 for n in shape)
        or math.prod(shape) != len(numbers)
    ):
        raise ValueError(f"{len(numbers)} numbers of the shape {shape}")
    return numbers.reshape(shape)
