"""SafeTip: the guard of a Nanonis controller itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from drivers.nanonis_protocol import flag
from stmlab.station.instruments import SafeGuard

if TYPE_CHECKING:
    from drivers.nanonis_protocol import NanonisLine


class SafeTip:
    """The guard that withdraws the tip when a signal, as a rule the current, exceeds a threshold."""

    def __init__(self, line: NanonisLine) -> None:
        self._line = line

    @property
    def on(self) -> bool:
        """Whether it watches."""
        return self._line.switch("SafeTip.OnOffGet")

    @on.setter
    def on(self, value: bool) -> None:
        self._line.ask("SafeTip.OnOffSet", flag(value))
        self._line.confirm("SafeTip", bool(value), self.on)

    @property
    def signal(self) -> float:
        """What it watches, A for the current."""
        return self._line.number("SafeTip.SignalGet")

    @property
    def threshold(self) -> float:
        """Magnitude of the signal beyond which it trips."""
        return self._properties()[2]

    @property
    def auto_recovery(self) -> bool:
        """Whether the loop closes again some time after a trip."""
        return self._properties()[0]

    @property
    def auto_pause(self) -> bool:
        """Whether a trip pauses a scan."""
        return self._properties()[1]

    @property
    def state(self) -> SafeGuard:
        """All of it, read now."""
        recovery, _, threshold = self._properties()
        return SafeGuard(self.on, recovery, threshold, self.signal)

    def configure(
        self, threshold: float | None = None, *, auto_recovery: bool | None = None, auto_pause: bool | None = None
    ) -> None:
        """Set what is given and keep the rest; raises ValueNotTaken if the controller does not take it.

        The command has no word for "no change" in its flags (0 is off), so all three are sent, and read back.
        """
        before = self._properties()
        if threshold is not None:
            self._line.bounded("SafeTip threshold", threshold, 0.0, math.inf, "A")
        given = (auto_recovery, auto_pause, threshold)
        wanted = [old if new is None else new for old, new in zip(before, given, strict=True)]
        self._line.ask("SafeTip.PropsSet", int(wanted[0]), int(wanted[1]), wanted[2])
        names = ("SafeTip auto-recovery", "SafeTip auto-pause", "SafeTip threshold")
        for name, value, read in zip(names, wanted, self._properties(), strict=True):
            self._line.confirm(name, value, read)

    def _properties(self) -> tuple[bool, bool, float]:
        command = "SafeTip.PropsGet"
        recovery, pause, threshold = self._line.ask(command)
        check = self._line.checked
        return bool(check(command, recovery, 0, 1)), bool(check(command, pause, 0, 1)), check(command, threshold, 0.0)
