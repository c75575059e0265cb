"""The wire of a Nanonis controller as its driver sees it: one request, one response, every failure an exception."""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from drivers.connection import TCPAdapter
from stmlab.errors import InstrumentFault, InstrumentLost, OutOfBounds
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.protocol import (
    HEADER_SIZE,
    GarbledMessage,
    pack,
    pack_request,
    unpack,
    unpack_error,
    unpack_header,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pymeasure.adapters import Adapter

    from stmlab.nanonis.protocol import Command

NO_CHANGE, ON, OFF = 0, 1, 2  # how most Sets of the interface say it
UNCHANGED = math.nan  # and how they say it for a float

_BETWEEN_LOOKS = 5e-3  # s, between two questions whether the controller is done


class NanonisLine:
    """Requests and responses over an Adapter.

    Args:
        adapter: the connection.
        name: of the instrument, for errors.
        timeout: seconds within which the controller does what takes it no time of its own.
    """

    def __init__(self, adapter: Adapter, name: str, timeout: float) -> None:
        self._adapter = adapter
        self.name = name
        self.timeout = timeout

    def ask(self, command: str, *arguments: Any, takes: float = 0.0) -> tuple[Any, ...]:
        """Carry out ``command`` and return what it returns.

        Args:
            command: its name, as in ``stmlab.nanonis.commands``.
            arguments: in wire order.
            takes: seconds that the controller may need before it answers, beyond the time-out of the connection.

        Raises:
            OutOfBounds: an argument does not fit its type. Nothing was sent.
            InstrumentFault: the controller refuses; the text is its own description.
            InstrumentLost: no answer, or one that is none to this request.
        """
        described = COMMANDS[command]
        request = pack_request(command, pack(described.arguments, arguments))
        with _patience(self._adapter, takes):
            self._adapter.write_bytes(request)
            try:
                returned, error = self._answer(described)
            except GarbledMessage as garbled:
                self._adapter.close()  # what comes next on this line would answer nobody knows what
                raise InstrumentLost(self.name, f"garbage in answer to {command}: {garbled}") from garbled
        if error:
            raise InstrumentFault(self.name, f"{command}: {error}")
        return returned

    def _answer(self, command: Command) -> tuple[tuple[Any, ...], str]:
        """What the controller returns, and the description of its error."""
        header = unpack_header(self._adapter.read_bytes(HEADER_SIZE))
        if header.name != command.name:
            raise GarbledMessage(f"it answers {header.name}")
        body = self._adapter.read_bytes(header.size)
        try:
            returned, section = unpack(command.returns, body)
            error = unpack_error(section)
        except GarbledMessage:
            # A command that this release does not know returns nothing but the error section.
            if command.returns and (error := _only_an_error(body)):
                return (), error
            raise
        fields = zip(command.returns, returned, strict=True)
        return tuple(_decimal(value) if field.type == "f4" else value for field, value in fields), error

    def get(self, command: str, *arguments: Any) -> Any:
        """The only value that ``command`` returns."""
        (value,) = self.ask(command, *arguments)
        return value

    def bounded(self, name: str, value: float, low: float, high: float, unit: str, source: str = "the protocol") -> Any:
        """Return ``value`` if it is a number within bounds; raise OutOfBounds otherwise."""
        if not low <= value <= high:  # NaN, which would mean "no change", fails too
            raise OutOfBounds(name, value, low, high, unit, f"{self.name}: {source}")
        return value

    def wait_until(self, done: Callable[[], bool], seconds: float, doing: str) -> None:
        """Ask ``done`` over and over; raise InstrumentFault if it is not within ``seconds`` (plus the time-out)."""
        end = time.monotonic() + seconds + self.timeout
        while not done():
            if time.monotonic() > end:
                raise InstrumentFault(self.name, f"still {doing} after {seconds + self.timeout:.3g} s")
            time.sleep(_BETWEEN_LOOKS)


def flag(on: bool | None) -> int:
    """A switch as most Sets want it: None keeps it as it is."""
    return NO_CHANGE if on is None else ON if on else OFF


def _decimal(value: float) -> float:
    """The shortest decimal that single precision cannot tell from ``value``: what was set as 0.1 is read as 0.1."""
    return float(str(np.float32(value)))


def _only_an_error(body: bytes) -> str:
    """The description, if ``body`` is an error section and nothing else, else ""."""
    try:
        return unpack_error(body)
    except GarbledMessage:
        return ""


@contextlib.contextmanager
def _patience(adapter: Adapter, seconds: float) -> Iterator[None]:
    """Let a socket wait longer for one answer; the simulated wire waits as long as it takes."""
    if seconds <= 0.0 or not isinstance(adapter, TCPAdapter):
        yield
        return
    usual = adapter.connection.gettimeout()
    adapter.connection.settimeout(None if usual is None else usual + seconds)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # closed in between: the failure itself is on its way
            adapter.connection.settimeout(usual)
