"""Watchers of any signal that a driver reads (temperature, field, pressure): they pause, stop or abort a run.

within bounds --> beyond a bound --> action: pause, stop or abort
^                                  | pause
+-- cleared for `clearing_time` <--+
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stmlab.clock import Clock
    from stmlab.station.watch_tables import WatcherConfig

_EVERY = 1.0  # s, between two readings of one signal


@dataclass(frozen=True)
class Disturbance:
    """A watcher has tripped.

    Attributes:
        action: "pause", "stop" or "abort".
        message: signal, value, bound and reason, one line.
        cleared: asked during a pause: whether the signal has been back long enough.
        since: when the signal was last seen within its bounds, s on the station's clock; None: never.
    """

    action: str
    message: str
    cleared: Callable[[], bool]
    since: float | None = None

    def __str__(self) -> str:
        return self.message


@dataclass
class _Watched:
    config: WatcherConfig
    device: Any
    due: float = 0.0
    cleared_since: float | None = None
    good: float | None = None

    def read(self) -> float:
        return float(attrgetter(self.config.property_name)(self.device))


@dataclass
class Watchers:
    """All watchers of a station; each signal is read about once a second, one of them a look.

    Args:
        configs: from the station file.
        devices: name -> driver.
        clock: of the station.
    """

    configs: Sequence[WatcherConfig]
    devices: Mapping[str, Any]
    clock: Clock
    _watched: list[_Watched] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._watched = [_Watched(config, self.devices[config.instrument]) for config in self.configs]

    def look(self, now: float) -> Disturbance | None:
        """Read the signal that is due; what it wants, if it is beyond a bound."""
        watched = next((each for each in self._watched if now >= each.due), None)
        if watched is None:
            return None
        watched.due = now + _EVERY
        value = watched.read()
        if not watched.config.trips(value):
            watched.good = now
            return None
        watched.cleared_since = None
        words = _words(watched.config, value)
        return Disturbance(watched.config.action, words, lambda: self._cleared(watched), watched.good)

    def _cleared(self, watched: _Watched) -> bool:
        """Whether the signal has been within its bounds for clearing for as long as is asked."""
        now = self.clock.now()
        if now < watched.due:
            return False
        watched.due = now + _EVERY
        if not watched.config.clears(watched.read()):
            watched.cleared_since = None
            return False
        if watched.cleared_since is None:
            watched.cleared_since = now
        return now - watched.cleared_since >= watched.config.clearing_time


def _words(config: WatcherConfig, value: float) -> str:
    bounds = [f"above {config.above:g}" if config.above is not None else ""]
    bounds += [f"below {config.below:g}" if config.below is not None else ""]
    reason = f": {config.reason}" if config.reason else ""
    return f"{config.signal} = {value:.6g} ({config.action} if {' or '.join(filter(None, bounds))}){reason}"
