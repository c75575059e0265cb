"""The file of a wire recording: one line for each thing that happened, appended while it happens.

    stmlab-wire 1
    CHECKSUM {head: all that is needed to run the same again}
    CHECKSUM [seconds, who, kind, content]
    ...

The checksum is the CRC-32 of what follows it on its line. Bytes stand as text where all of them are printable ASCII or
line ends, else as ``{"base64": ...}``; a long message that was sent before as ``{"line": N}``. Each line goes to the
operating system in one piece, so a killed process loses none that it has written; the last one may be torn.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from stmlab.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC, _FORMAT = "stmlab-wire", 1
_LONG = 1024  # bytes, from which a message is kept once
_PLAIN = re.compile(rb"[\x20-\x7e\r\n\t]*")


class Kind(StrEnum):
    """What happened."""

    OPENED = "opened"  # a connection was made; content: its number, from 1
    SENT = "sent"  # bytes to the instrument; noted before they are sent
    RECEIVED = "received"  # bytes that were read
    FAILED = "failed"  # content: what was being done, error, its text and values, bytes received and not read
    CLOSED = "closed"  # the driver closed the connection
    NOW = "now"  # a reading of the station's clock, s; of a driver (who: its instrument) the monotonic clock
    DATE = "date"  # a reading of the station's clock, ISO 8601
    ASKED = "asked"  # by a person, of the run: stop, pause ...; content: see stmlab.acquisition.wire_requests
    ENDED = "ended"  # content: how the run ended, and the checksum of its file


class Head(BaseModel):
    """All that is needed to run the same again.

    Attributes:
        sequence, parameters: name, and name -> value.
        station_path, station_text: of the station file.
        files: those that the station file's ``rf_path`` names: as written there -> content in base64.
        sample, seed: of the run.
        versions, git: of what ran, see stmlab.provenance.
        date: of the station's clock when the recording began, ISO 8601; ``start``: the same on its seconds.
        tip_mark: why, since and what was said, if the tip had been marked as tripped or withdrawn.
        audit: path of the audit log, "" without one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sequence: str
    parameters: dict[str, bool | int | float | str]
    station_path: str
    station_text: str
    files: dict[str, str]
    sample: str
    seed: int | None
    versions: dict[str, str]
    git: str
    date: str
    start: float
    tip_mark: tuple[str, str, str] | None
    audit: str


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    Attributes:
        line: of the file, from 1.
        time: on the station's clock, s.
        who: instrument; "" is the run, any other name one of its threads.
        kind, content: see Kind; bytes where they were sent or received.
    """

    line: int
    time: float
    who: str
    kind: Kind
    content: Any


@dataclass(frozen=True)
class WireRecording:
    """A recording as it was read; ``torn``: the last line is incomplete, its process was killed while it wrote."""

    path: Path
    head: Head
    entries: tuple[Entry, ...]
    torn: bool

    @property
    def end(self) -> dict[str, Any] | None:
        """How the run ended: state, message, points, file's checksum; None: the recording was cut off before."""
        found = next((entry.content for entry in reversed(self.entries) if entry.kind is Kind.ENDED), None)
        return found if found is None else dict(found)


class WireFile:
    """The file while it is written.

    Args:
        path: of a file that is not there yet.
        head: its beginning.

    Raises:
        FileError: there is such a file, or it cannot be made.
    """

    def __init__(self, path: Path, head: Head) -> None:
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            raise FileError(f"{path}: there is such a file already; nothing is overwritten") from None
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from error
        self._lines = 2
        self._long: dict[bytes, int] = {}
        begin = f"{_MAGIC} {_FORMAT}\n".encode() + _line(head.model_dump())
        self._write(begin)

    def add(self, time: float, who: str, kind: Kind, content: Any) -> None:
        """Append an entry; raises OSError if the disk refuses."""
        self._lines += 1
        if isinstance(content, bytes):
            content = self._shown(content)
        self._write(_line([time, who, kind, content]))

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _shown(self, content: bytes) -> Any:
        if len(content) < _LONG:
            return _shown(content)
        digest = hashlib.sha256(content).digest()
        first = self._long.setdefault(digest, self._lines)
        return {"line": first} if first != self._lines else _shown(content)

    def _write(self, line: bytes) -> None:
        if os.write(self._file, line) != len(line):
            raise OSError("it was written in part: the disk is full")


def read_wire_recording(path: Path) -> WireRecording:
    """Read a recording.

    Raises:
        FileError: it cannot be read, is none, is of a format that this version does not know, or is damaged.
    """
    try:
        first, *lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    magic, _, number = first.decode("ascii", "replace").partition(" ")
    if magic != _MAGIC:
        raise FileError(f"{path}: this is no wire recording: `stmlab run ... --record-wire FILE` makes one")
    if number != str(_FORMAT):
        raise FileError(f"{path}: format {number!r}: this version of stmlab reads {_FORMAT}")
    torn = bool(lines.pop()) if lines else True  # after the last line end
    if not lines:
        raise FileError(f"{path}: its first line is incomplete: nothing was recorded")
    try:
        head = Head.model_validate(_value(lines[0], path, 2))
    except ValidationError as error:
        raise FileError(f"{path}: line 2: damaged ({error.errors()[0]['loc'][0]})") from error
    entries: list[Entry] = []
    for line, text in enumerate(lines[1:], start=3):
        entries.append(_entry(_value(text, path, line), entries, path, line))
    return WireRecording(path, head, tuple(entries), torn)


def _line(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":")).encode("ascii")
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _value(line: bytes, path: Path, number: int) -> Any:
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        raise FileError(f"{path}: line {number}: damaged, its checksum is wrong")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: line {number}: damaged ({error})") from error


def _entry(value: Any, before: list[Entry], path: Path, line: int) -> Entry:
    try:
        time, who, kind, content = value
        kind = Kind(kind)
        if kind in (Kind.SENT, Kind.RECEIVED):
            content = _bytes(content, before)
        return Entry(line, float(time), str(who), kind, content)
    except (ValueError, TypeError, KeyError, IndexError, binascii.Error) as error:
        raise FileError(f"{path}: line {line}: no entry of a wire recording ({error})") from error


def _shown(content: bytes) -> Any:
    if _PLAIN.fullmatch(content):
        return content.decode("ascii")
    return {"base64": base64.b64encode(content).decode("ascii")}


def _bytes(shown: Any, before: list[Entry]) -> bytes:
    if isinstance(shown, str):
        return shown.encode("ascii")
    if "line" in shown:
        entry = before[shown["line"] - 3] if 3 <= shown["line"] < 3 + len(before) else None
        if entry is None or not isinstance(entry.content, bytes):
            raise ValueError(f"there is no message on line {shown['line']}")
        return entry.content
    return base64.b64decode(shown["base64"], validate=True)
