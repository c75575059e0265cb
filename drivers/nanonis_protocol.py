"""The wire of a Nanonis controller as its driver sees it: one request, one response, every failure an exception."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from drivers.answers import LARGEST
from drivers.connection import monotonic, patience, pause
from drivers.resolution import Resolution, agrees
from stmlab.errors import GarbledAnswer, InstrumentFault, OutOfBounds, ValueNotTaken
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.frames import HEADER_SIZE, pack_request, unpack_error, unpack_header
from stmlab.nanonis.protocol import GarbledMessage, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pymeasure.adapters import Adapter

    from stmlab.nanonis.protocol import Command
    from stmlab.station.instruments import Value

NO_CHANGE, ON, OFF = 0, 1, 2  # how most Sets of the interface say it
UNCHANGED = math.nan  # and how they say it for a float

_BETWEEN_LOOKS = 5e-3  # s, between two questions whether the controller is done
_LARGEST_BODY = 1 << 26  # bytes; a longer answer is none

SINGLE = Resolution(relative=2.0**-23)  # of a float on the wire
_CONVERTER = 20.0 / 2**20  # V, of the converters: 20 bits over +-10 V
RESOLUTION = MappingProxyType({"bias": Resolution(absolute=_CONVERTER, relative=2.0**-23)})
"""How exactly the controller keeps a property; what is not listed is a float on the wire, or exact."""


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
        self._questions: dict[tuple[Any, ...], bytes] = {}

    def ask(self, command: str, *arguments: Any, takes: float = 0.0) -> tuple[Any, ...]:
        """Carry out ``command`` and return what it returns.

        Args:
            command: its name, as in ``stmlab.nanonis.commands``.
            arguments: in wire order.
            takes: seconds that the controller may need before it answers, beyond the time-out of the connection.

        Raises:
            OutOfBounds: an argument does not fit its type. Nothing was sent.
            InstrumentFault: the controller refuses; the text is its own description.
            GarbledAnswer: one that is none to this request; the connection is closed.
            InstrumentLost: no answer.
        """
        request = self._request(command, arguments)
        if takes > 0.0:
            with patience(self._adapter, takes):
                returned, error = self._exchange(COMMANDS[command], request)
        else:
            returned, error = self._exchange(COMMANDS[command], request)
        if error:
            raise InstrumentFault(self.name, f"{command}: {error}")
        return returned

    def _exchange(self, command: Command, request: bytes) -> tuple[tuple[Any, ...], str]:
        """Send ``request``; what the controller returns, and the description of its error."""
        received = bytearray()
        self._adapter.write_bytes(request)
        try:
            return self._answer(command, received)
        except GarbledMessage as garbled:
            self._adapter.close()  # what comes next on this line would answer nobody knows what
            raise GarbledAnswer(self.name, command.name, bytes(received), str(garbled)) from garbled

    def _request(self, command: str, arguments: tuple[Any, ...]) -> bytes:
        """The bytes to send; those of a question are made once."""
        if not command.endswith("Get"):
            return pack_request(command, pack(COMMANDS[command].arguments, arguments))
        question = self._questions.get((command, *arguments))
        if question is None:
            question = pack_request(command, pack(COMMANDS[command].arguments, arguments))
            self._questions[(command, *arguments)] = question
        return question

    def _answer(self, command: Command, received: bytearray) -> tuple[tuple[Any, ...], str]:
        """What the controller returns, and the description of its error; ``received`` gets the bytes."""
        head = self._adapter.read_bytes(HEADER_SIZE)
        received += head
        header = unpack_header(bytes(head))
        if header.name != command.name:
            raise GarbledMessage(f"it answers {header.name}")
        if header.size > _LARGEST_BODY:
            raise GarbledMessage(f"a body of {header.size} bytes")
        body = self._adapter.read_bytes(header.size)
        received += body
        try:
            returned, section = unpack(command.returns, body)
            error = unpack_error(section)
        except GarbledMessage:
            # A command that this release does not know returns nothing but the error section.
            if command.returns and (error := _only_an_error(body)):
                return (), error
            raise
        if singles := command.returns.singles:
            returned = tuple(_decimal(value) if k in singles else value for k, value in enumerate(returned))
        return returned, error

    def get(self, command: str, *arguments: Any) -> Any:
        """The only value that ``command`` returns, whatever it is."""
        (value,) = self.ask(command, *arguments)
        return value

    def number(self, command: str, *arguments: Any, low: float = -LARGEST, high: float = LARGEST) -> float:
        """The only value that ``command`` returns: a finite number within bounds, or GarbledAnswer."""
        return float(self.checked(command, self.get(command, *arguments), low, high))

    def whole(self, command: str, *arguments: Any, low: int, high: int) -> int:
        """The only value that ``command`` returns: a whole number within bounds, or GarbledAnswer."""
        return int(self.checked(command, self.get(command, *arguments), low, high))

    def switch(self, command: str, *arguments: Any) -> bool:
        """The only value that ``command`` returns: 0 or 1, or GarbledAnswer."""
        return bool(self.whole(command, *arguments, low=0, high=1))

    def checked(self, command: str, value: Any, low: float = -LARGEST, high: float = LARGEST) -> Any:
        """One of the values that ``command`` has returned, if it lies within bounds (NaN never does)."""
        if not low <= value <= high:
            raise GarbledAnswer(self.name, command, value, f"not between {low:g} and {high:g}")
        return value

    def item(self, command: str, values: Sequence[Any], index: int) -> Any:
        """The one of ``values`` that an index in the answer to ``command`` means."""
        if not 0 <= index < len(values):
            raise GarbledAnswer(self.name, command, index, f"{len(values)} are offered")
        return values[index]

    def confirm(self, name: str, wanted: Value, read: Value, unit: str = "") -> None:
        """Raise ValueNotTaken if ``read`` is not what ``wanted`` reads as."""
        if not agrees(RESOLUTION, name, wanted, read, SINGLE):
            raise ValueNotTaken(self.name, name, wanted, read, unit)

    def bounded(self, name: str, value: float, low: float, high: float, unit: str, source: str = "the protocol") -> Any:
        """Return ``value`` if it is a number within bounds; raise OutOfBounds otherwise."""
        if not low <= value <= high:  # NaN, which would mean "no change", fails too
            raise OutOfBounds(name, value, low, high, unit, f"{self.name}: {source}")
        return value

    def wait_until(self, done: Callable[[], bool], seconds: float, doing: str) -> None:
        """Ask ``done`` over and over; raise InstrumentFault if it is not within ``seconds`` (plus the time-out)."""
        end = self.monotonic() + seconds + self.timeout
        while not done():
            if self.monotonic() > end:
                raise InstrumentFault(self.name, f"still {doing} after {seconds + self.timeout:.3g} s")
            pause(self._adapter, _BETWEEN_LOOKS)

    def monotonic(self) -> float:
        """Seconds on the monotonic clock, for what is waited for."""
        return monotonic(self._adapter)


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
