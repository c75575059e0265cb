"""What a lab has: instruments by role, the limits of their outputs, the hold state and the safe state.

`Station` is loaded when it is asked for, so that a driver may import `stmlab.station.instruments` and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stmlab.station.station import Station

__all__ = ["Station"]


def __getattr__(name: str) -> Any:
    """`Station`, when it is first asked for."""
    if name == "Station":
        from stmlab.station.station import Station

        return Station
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
