"""Faults at work: which are armed, when each happens, and what it does on the wire or to the microscope.

Every message of a virtual instrument passes ``exchange`` while anything is armed, and goes straight to the instrument
otherwise. A fault is decided before the message is carried out, and by nothing but its own count, so the same messages
meet the same faults.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from stmlab.errors import StationError
from stmlab.simulation.faulty_wire import FaultyWire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.clock import Clock
    from stmlab.simulation.bench import TipPanel
    from stmlab.simulation.faults import Fault

_TIP_JUMP = 1e-10  # m, without a value
_ON_ANSWERS = ("garble", "half", "double", "swap", "wrong_value")  # nothing to do where there is no answer


class Microscope(Protocol):
    """What faults do to the microscope."""

    clock: Clock
    tip: TipPanel

    def instrument(self, name: str) -> Any:
        """A virtual instrument."""

    def jump(self, distance: float) -> None:
        """Let the tip change (m, closer)."""

    def drift(self, rate: float) -> None:
        """Let the surface drift towards the tip (m/s)."""

    def overload(self, seconds: float) -> None:
        """Let the lock-in's input exceed its range."""


@dataclass(frozen=True)
class Occurrence:
    """A fault happened.

    Attributes:
        time: on the microscope's clock, s.
        id: of the fault.
        kind: of the fault.
        instrument: at whose message, "" for none.
        message: its label, "" for none.
        client: who had sent it.
    """

    time: float
    id: int
    kind: str
    instrument: str = ""
    message: str = ""
    client: str = ""


@dataclass
class Armed:
    """A fault that waits or acts.

    Attributes:
        id, fault: which.
        since: when messages begin to count, or when it happens by itself, s.
        random: of its garbage and wrong values.
        matches: messages counted so far.
        over: it has happened as often as it may.
        ends_at: when a drift is over by itself.
    """

    id: int
    fault: Fault
    since: float
    random: np.random.Generator
    pattern: re.Pattern[str] = field(init=False)
    matches: int = 0
    over: bool = False
    ends_at: float | None = None

    def __post_init__(self) -> None:
        self.pattern = re.compile(self.fault.match)

    def is_hit(self, label: str) -> bool:
        """Count a message; whether the fault strikes at it."""
        first, times = max(self.fault.message, 1), self.fault.times
        if self.fault.kind == "mute" and self.matches >= first:
            return True
        if self.over or not self.pattern.search(label):
            return False
        self.matches += 1
        if self.fault.kind != "mute" and times and self.matches >= first + times - 1:
            self.over = True
        return self.matches >= first


class Faults:
    """The faults of one microscope; may be called from any thread."""

    def __init__(self, microscope: Microscope) -> None:
        self._microscope = microscope
        self._lock = threading.Lock()  # guards what follows; nothing else is asked for while it is held
        self._armed: dict[int, Armed] = {}
        self._last_id = 0
        self.happened: list[Occurrence] = []

    def arm(self, fault: Fault) -> int:
        """Let it happen as it says, counted from now; returns its id."""
        now = self._microscope.clock.now()
        with self._lock:
            self._last_id += 1
            armed = Armed(self._last_id, fault, now + fault.after, np.random.default_rng(fault.seed))
            self._armed[armed.id] = armed
        self.live()
        return armed.id

    def disarm(self, id_: int | None = None) -> None:
        """End this fault, or all.

        Raises:
            StationError: there is none of this id.
        """
        with self._lock:
            if id_ is not None and id_ not in self._armed:
                raise StationError(f"no fault {id_} is armed; there are {sorted(self._armed)}")
            ended = [self._armed.pop(key) for key in ([id_] if id_ is not None else list(self._armed))]
        for armed in ended:
            self._end(armed.fault)

    def armed(self) -> Mapping[int, Fault]:
        """Every fault that was armed and not disarmed, by id."""
        with self._lock:
            return {key: armed.fault for key, armed in self._armed.items()}

    def live(self) -> None:
        """Let happen what is due without a message."""
        if not self._armed:
            return
        now = self._microscope.clock.now()
        with self._lock:
            due = [a for a in self._armed.values() if _by_itself(a.fault) and not a.over and now >= a.since]
            ending = [a for a in self._armed.values() if a.ends_at is not None and now >= a.ends_at]
            for armed in due:
                armed.over = True
            for armed in ending:
                armed.ends_at = None
        for armed in due:
            self._act(armed)
            self._note(armed)
        for armed in ending:
            self._end(armed.fault)

    def on_wire(self, instrument: str) -> FaultyWire:
        """What stands on the wire of an instrument."""
        return FaultyWire(self, instrument)

    def interfering(self) -> bool:
        """Whether anything is armed."""
        return bool(self._armed)

    def hits(self, instrument: str, label: str, *, answered: bool) -> list[Armed]:
        """Count a message for the faults that need its answer (``answered``) or do not; those that strike at it."""
        now = self._microscope.clock.now()
        with self._lock:
            counted = [
                armed
                for armed in self._armed.values()
                if armed.fault.instrument == instrument
                and not _by_itself(armed.fault)
                and now >= armed.since
                and (armed.fault.kind in _ON_ANSWERS) is answered
            ]
            return [armed for armed in counted if armed.is_hit(label)]

    def strike(self, armed: Armed, instrument: str, label: str, client: str) -> None:
        """A fault strikes at a message: note it, and do what it does to instrument or junction."""
        if not armed.fault.on_wire:
            self._act(armed)
        self._note(armed, instrument, label, client)

    def _note(self, armed: Armed, instrument: str = "", label: str = "", client: str = "") -> None:
        now = self._microscope.clock.now()
        self.happened.append(Occurrence(now, armed.id, armed.fault.kind, instrument, label, client))

    def _act(self, armed: Armed) -> None:
        """What a fault does to an instrument or the junction."""
        fault, microscope = armed.fault, self._microscope
        if fault.kind == "reset":
            instrument = microscope.instrument(fault.instrument)
            with instrument.machine:
                instrument.power_on()
        elif fault.kind == "overload":
            microscope.overload(fault.seconds)
        elif fault.kind == "tip_jump":
            microscope.jump(_TIP_JUMP if fault.value is None else fault.value)
        elif fault.kind == "trip":
            microscope.instrument("nanonis").trip()
        elif fault.kind == "withdrawn":
            microscope.instrument("nanonis").withdraw_by_hand()
        elif fault.kind == "drift":
            microscope.drift(fault.value or 0.0)
            armed.ends_at = microscope.clock.now() + fault.seconds if fault.seconds else None
        else:
            microscope.tip.stuck = "closed" if fault.kind == "stuck_closed" else "open"

    def _end(self, fault: Fault) -> None:
        """Undo what lasts."""
        if fault.kind == "drift":
            self._microscope.drift(0.0)
        elif fault.kind in ("stuck_closed", "stuck_open"):
            self._microscope.tip.stuck = ""


def _by_itself(fault: Fault) -> bool:
    """Whether it waits for no message."""
    return not fault.on_wire and not fault.message and not fault.match
