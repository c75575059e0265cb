"""A person calls for the safe state, from any process: the guardian of the station's run hears it.

    caller                                    guardian                                 run
    reads in the lock where to call
    connects, says who calls      ------>     SAFE_CALLED, waits POLITE    ------>     aborts as after a fault
    "heard"                       <------
                                              RF and modulation seen off?  <------     QUIET
                                                | yes: the run goes on making safe; watched as before
                                                | no: permit revoked, run killed, every instrument made safe
    "done": how it came out       <------

The guardian listens on a Unix socket in the folder of the station's locks; its path stands in the owner's record.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stmlab.errors import StationError
from stmlab.station.places import station_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLITE = 0.4
"""Seconds in which a run that was called must have seen RF and modulation off; after them it is killed."""

_LONGEST = 100  # bytes of a socket's path; the system allows 104 or 108
_SENTENCE = 4096  # bytes
_PATIENCE = 0.3  # s for a caller to say who it is, and for a guardian to say that it has heard


@dataclass(frozen=True)
class Answer:
    """What a guardian says of a call.

    Attributes:
        safe: whether RF and modulation have been seen off and nothing is known to be wrong.
        said: one line for a person.
    """

    safe: bool
    said: str


class CallSocket:
    """Where a guardian is called.

    Args:
        run: process that it watches; its number is the name of the socket.
    """

    def __init__(self, run: int) -> None:
        self.path = station_directory() / f"{run}.guardian"
        self.path.unlink(missing_ok=True)  # of a guardian whose place this one takes
        self._socket = socket.socket(socket.AF_UNIX)
        with _short(self.path) as address:
            self._socket.bind(address)
        self.path.chmod(0o600)
        self._socket.listen()

    def fileno(self) -> int:
        """For ``select``."""
        return self._socket.fileno()

    def accept(self) -> Caller | None:
        """The caller who waits; None for one that said nothing."""
        wire, _ = self._socket.accept()
        wire.settimeout(_PATIENCE)
        try:
            who = str(json.loads(wire.recv(_SENTENCE))["who"])
        except (OSError, ValueError, KeyError, TypeError):
            wire.close()
            return None
        caller = Caller(who, wire)
        caller.say({"heard": True})
        return caller

    def close(self) -> None:
        """Take no further calls."""
        self._socket.close()
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Caller:
    """Somebody who waits for an answer; one who has gone meanwhile is no fault."""

    who: str
    _wire: socket.socket

    def answer(self, answer: Answer) -> None:
        """How it came out."""
        self.say({"safe": answer.safe, "said": answer.said})
        self._wire.close()

    def say(self, what: dict[str, bool | str]) -> None:
        """One line."""
        with suppress(OSError):
            self._wire.sendall(json.dumps(what).encode() + b"\n")


def call(path: Path, who: str, seconds: float) -> Answer:
    """Call the guardian at ``path`` for the safe state, and wait for its answer.

    Args:
        path: of its socket.
        who: for the log.
        seconds: that making safe may take, s.

    Raises:
        StationError: no guardian hears, or it has not answered in time.
    """
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(_PATIENCE)
            with _short(path) as address:
                wire.connect(address)
            wire.sendall(json.dumps({"who": who}).encode() + b"\n")
            lines = wire.makefile("r", encoding="utf-8")
            lines.readline()
            wire.settimeout(seconds)
            said = json.loads(lines.readline())
            return Answer(bool(said["safe"]), str(said["said"]))
    except (OSError, ValueError) as error:
        raise StationError(f"the guardian of the run does not answer ({error or type(error).__name__})") from error


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A path as a socket's address, which may not be long: Linux reaches any folder by its descriptor."""
    if len(os.fsencode(path)) < _LONGEST or not sys.platform.startswith("linux"):
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
