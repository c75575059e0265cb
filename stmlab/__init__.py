"""Instrument control, acquisition and analysis for spin-sensitive scanning tunnelling microscopy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stmlab.station import Station
    from stmlab.storage import open_run

__all__ = ["Station", "__version__", "open_run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the public face only when it is asked for: a fit needs no instruments, a run no reader."""
    if name == "Station":
        from stmlab.station import Station

        return Station
    if name == "open_run":
        from stmlab.storage import open_run

        return open_run
    raise AttributeError(f"module 'stmlab' has no attribute {name!r}")
