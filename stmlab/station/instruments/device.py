"""What every instrument can do, and what one look at it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Value = float | bool | str | int
"""Of a property, as an instrument is read."""


@dataclass(frozen=True)
class Look:
    """What one look at an instrument showed.

    Attributes:
        values: property -> value, of those that were read this time.
        reports: what the instrument says is wrong since the last look, in words.
        changed_itself: property -> why the instrument may have changed it by itself since the last look.
    """

    values: Mapping[str, Value]
    reports: tuple[str, ...] = ()
    changed_itself: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@runtime_checkable
class Device(Protocol):
    """What every instrument can do.

    Class attributes:
        WATCHED: properties that ``look`` reads, always or when they are due.
        BY_TURNS: those of them that it reads only when they are due.
    """

    WATCHED: ClassVar[tuple[str, ...]]
    BY_TURNS: ClassVar[tuple[str, ...]]

    def snapshot(self) -> Mapping[str, Any]:
        """Every setting worth keeping beside data, read from the instrument: property -> value."""

    def check_status(self) -> None:
        """Read status and error queue; raise InstrumentFault if the instrument reports anything wrong."""

    def look(self, due: Sequence[str] = ()) -> Look:
        """Read what must be known at every point, and those of ``BY_TURNS`` that are ``due``.

        One message to a lock-in or generator; two questions to an STM controller, and one for each that is due. It
        never waits for new data and leaves the events that it reads to ``check_status``, which tells them once more.
        """

    def agrees(self, name: str, wanted: Value, read: Value) -> bool:
        """Whether ``read`` is what the property ``name`` reads after ``wanted`` was set, within its resolution."""

    def reconnect(self) -> None:
        """Close the connection and make a new one to the same address; no setting is touched.

        Raises InstrumentLost if nothing answers there.
        """

    def close(self) -> None:
        """Let go of the connection; outputs stay as they are."""
