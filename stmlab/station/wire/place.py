"""What stands between a station and its drivers where the wire is recorded or replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymeasure.adapters import Adapter

    from stmlab.clock import Clock
    from stmlab.station.station import Station

    Connect = Callable[[str | Adapter], Adapter]


@dataclass(frozen=True)
class WirePlace:
    """What a driver is given instead of an address.

    Attributes:
        line: makes the connection: of what connects to the address, and what ends a message; see
            drivers.connection.connect.
    """

    line: Callable[[Connect, str], Adapter]


class Wire(Protocol):
    """Records or replays what passes between a station and its instruments.

    Attributes:
        replays: no instrument is reached, simulated or real: no lock, no audit log, no mark of the tip is touched.
    """

    replays: bool

    def begin(self, station: Station) -> None:
        """The station is about to connect to its instruments."""

    def clock(self, clock: Clock) -> Clock:
        """The clock that the run shall read."""

    def place(self, name: str, address: Callable[[], str | Adapter]) -> WirePlace:
        """What the driver of an instrument is given instead of ``address``."""
