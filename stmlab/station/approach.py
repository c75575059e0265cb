"""A person frees a tip that has tripped or was withdrawn: the only way in which its loop is closed again.

RF, modulation, the controller's own modulator off, read back
|
the loop is open; bias and setpoint are those of the safe state, read back
|
SafeTip on, without recovery by itself
|
loop closed, seen closed; only then is the mark removed
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stmlab.errors import SequenceError
from stmlab.station.safe_report import Ending, Loop, SafeReport

if TYPE_CHECKING:
    from stmlab.station.instruments import TipState
    from stmlab.station.station import Station

_PATIENCE = 30.0  # s for the loop to find the surface
_LOOK = 0.1  # s between looks whether it has
_FOUND = 0.5  # of the setpoint: so much current shows that the tip is at the surface


@dataclass(frozen=True)
class Approached:
    """Where the tip came to.

    Attributes:
        state: of tip and loop.
        at_surface: whether the current has come near the setpoint; otherwise the surface is out of the piezo's reach,
            or on its way.
    """

    state: TipState
    at_surface: bool


def tip_state(station: Station) -> TipState:
    """Where the tip is, for the person who decides."""
    state: TipState = _tip(station).state
    return state


def approach(station: Station) -> Approached:
    """Close the loop of ``station`` at its safe bias and setpoint, whatever happened to its tip, and forget that.

    Raises:
        SequenceError: the loop is closed already, or something forbids to close it.
        StmlabError: a step was not confirmed; the mark stays, and the tip has been withdrawn.
    """
    if _tip(station).state.loop:
        if station.tip_mark.read() is None:
            raise SequenceError("the loop is closed, and nothing is noted of the tip: there is nothing to free")
        how = "the loop had been closed by hand"
    else:
        how = "by a person"
        try:
            _close(station)
        except BaseException:
            station.make_safe(Ending.FAULT)
            raise
        station.leave(SafeReport(Loop.CLOSED))
    mark = station.tip_mark.read()
    station.tip_mark.clear()
    station.audit.note("approach", mark="" if mark is None else str(mark), how=how)
    return _find_surface(station)


def _close(station: Station) -> None:
    tip, safe = _tip(station), station.config.safe
    _switch_off(station)
    station.bias.bias = safe.bias
    tip.setpoint = math.copysign(safe.setpoint, tip.state.setpoint)
    tip.set_safe_guard()
    tip.approach()
    if not tip.state.loop:
        raise SequenceError("the loop did not close")


def _find_surface(station: Station) -> Approached:
    """Wait until the current has come near the setpoint, or no longer."""
    end = station.clock.now() + _PATIENCE
    while not _at_surface(state := tip_state(station)) and state.loop and station.clock.now() < end:
        station.clock.sleep(_LOOK)
    return Approached(state, at_surface=_at_surface(state))


def _tip(station: Station) -> Any:
    return station.tip


def _switch_off(station: Station) -> None:
    roles = {role for instrument in station.config.instruments.values() for role in instrument.roles}
    if "generator" in roles:
        station.generator.off()
    if "lockin" in roles:
        station.lockin.outputs_off()
    _tip(station).modulation_off()


def _at_surface(state: TipState) -> bool:
    return abs(state.current) >= _FOUND * abs(state.setpoint)
