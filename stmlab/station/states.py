"""Where a station is left: hold state, safe state, and whether the tip is still where it was.

What is done, and in which order, stands in `safe_state`. Here is decided towards what: after a normal end the run's own
setpoint (or the station's safe one), after a fault a withdrawn tip (or the safe setpoint), as ``[safe]`` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stmlab.station.instruments import Setpoint
from stmlab.station.safe_report import Ending, Loop, SafeReport
from stmlab.station.safe_state import SafeState
from stmlab.station.tip_mark import Retreat

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.clock import Clock
    from stmlab.station.configuration import StationConfig
    from stmlab.station.last_set import LastSet
    from stmlab.station.tip_mark import TipMark

_FLOOR = 0.05  # of the setpoint: differences of the current below it are noise


@dataclass(frozen=True)
class Place:
    """Where the tip was: height (m) with the loop open, and the current (A) at that bias (V)."""

    height: float
    bias: float
    current: float
    setpoint: float
    time: float


@dataclass
class States:
    """Hold and safe state of one station.

    Args:
        config: ``[safe]``, ``[watch]`` and limits.
        roles: role -> name and guarded driver, of those that the station has.
        last_set: what this session has moved.
        tip_mark: set when the tip has tripped or was withdrawn.
        clock: of the station.
        simulated: all instruments live in this process.
        quiet: called when the safe state has seen RF and modulation off.
    """

    config: StationConfig
    roles: dict[str, tuple[str, Any]]
    last_set: LastSet
    tip_mark: TipMark
    clock: Clock
    simulated: bool
    quiet: Callable[[], None]

    def make_safe(self, ending: Ending, *, everything: bool) -> SafeReport:
        """The safe state; see `Station.make_safe`."""
        safe = self.config.safe
        withdraw = ending is Ending.FAULT and safe.on_fault == "withdraw"
        own = ending is Ending.NORMAL and safe.on_end == "setpoint"
        report = self._safe_state().reach(
            None if everything else self.last_set.moved, self._own_setpoint() if own else None, withdraw=withdraw
        )
        if report.loop in (Loop.WITHDRAWN, Loop.TRIPPED):
            retreat = Retreat.TRIPPED if report.loop is Loop.TRIPPED else Retreat.WITHDRAWN
            self.tip_mark.set(retreat, f"by the safe state after a {'fault' if withdraw else 'run'}")
        return report

    def hold(self) -> None:
        """RF and modulation off; the loop closed where it was closed last.

        Raises:
            StmlabError: a step was not confirmed; the loop was not closed then.
        """
        own = self._own_setpoint()
        self._safe_state().hold(own if own is not None else self._home())

    def place(self) -> Place | None:
        """Where the tip is now; None where the station has none."""
        if "tip" not in self.roles:
            return None
        state = self.roles["tip"][1].state
        return Place(state.height, state.bias, state.current, state.setpoint, self.clock.now())

    def moved_from(self, place: Place | None) -> str:
        """How the tip is no longer at ``place``, in words; "" if it is."""
        now = self.place()
        if place is None or now is None:
            return ""
        watch = self.config.watch
        allowed = watch.height_allowance + watch.height_drift * (now.time - place.time)
        away = now.height - place.height
        if abs(away) > allowed:
            return f"Z differs by {away:.3g} m, {allowed:.3g} m is allowed (watch.height_allowance, height_drift)"
        change = abs(now.current - place.current)
        share = watch.conductance_allowance
        if change > share * abs(place.current) + _FLOOR * abs(place.setpoint):
            return (
                f"the current at {now.bias:g} V is {now.current:.3g} A, {place.current:.3g} A before: more than "
                f"{100 * share:g} % (watch.conductance_allowance)"
            )
        return ""

    def _own_setpoint(self) -> Setpoint | None:
        """Where this session has closed the loop last; None if it never has."""
        if "tip" not in self.roles:
            return None
        closed: Setpoint | None = self.roles["tip"][1].closed_at
        return closed

    def _home(self) -> Setpoint:
        return Setpoint(self.config.safe.bias, self.config.safe.setpoint)

    def _safe_state(self) -> SafeState:
        limits = self.config.limits
        return SafeState(
            generator=self.roles.get("generator"),
            lockin=self.roles.get("lockin") if limits.modulation is not None else None,
            bias=self.roles.get("bias"),
            tip=self.roles.get("tip"),
            home=self._home(),
            withdraw_always=self.config.safe.feedback == "withdraw",
            least_setpoint=limits.setpoint.low,
            least_bias=limits.bias.smallest_with_feedback,
            clock=self.clock,
            parallel=not self.simulated,
            quiet=self.quiet,
        )
