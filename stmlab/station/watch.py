"""A look at the station at every point, always on: is everything as it was set, and is the tip where it was held?

One message to a lock-in amplifier or a generator, two questions to the STM controller; the other watched properties
when they are due (`look` of each driver), so that each is known to be right within the last second, at any pace of the
looks. A look is made right after a move, so that it hides in the settling time, and every 0.2 s of a longer wait; where
none follows, all properties are compared (`look_at_everything`). Expected is what the guards last set and confirmed; of
what nobody set, what was read when the set-up was complete. A difference beyond the property's resolution ends the run
and names it.

Watchers (from the station file) look at any other signal, such as a temperature, and pause, stop or abort a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stmlab.errors import ChangedByHand, ChangedByItself, GarbledAnswer, InstrumentFault, TipTripped, TipWithdrawn
from stmlab.station.instruments import LoopStatus
from stmlab.station.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.clock import Clock
    from stmlab.station.instruments import Look, Value
    from stmlab.station.last_set import LastSet
    from stmlab.station.watch_tables import WatchConfig
    from stmlab.station.watchers import Disturbance, Watchers

_SHORTEST = 2e-3  # s; points faster than this share a look
_LONGEST = 0.2  # s between looks in a wait
_EARLY = 0.95  # of the largest age: every watched property is read once in this time
_MEASURED = frozenset({"current", "height", "status"})  # not settings
_IN_BETWEEN = (LoopStatus.HOLD, LoopStatus.SWITCHING_OFF)  # the controller holds or opens the loop by itself


@dataclass
class Watch:
    """Looks at the instruments of one station.

    Args:
        devices: name in the station -> guarded driver, of those that are in use.
        tip: name of the STM controller, "" where there is none.
        lockins: names of the lock-in amplifiers: their overloads count when a reading is taken, not before.
        last_set: what was set.
        clock: of the station.
        config: allowances.
        watchers: of other signals.
    """

    devices: Mapping[str, Any]
    tip: str
    lockins: frozenset[str]
    last_set: LastSet
    clock: Clock
    config: WatchConfig
    watchers: Watchers
    _baseline: dict[str, dict[str, Value]] = field(default_factory=dict)
    _right: dict[tuple[str, str], float] = field(default_factory=dict)  # when each property was last seen right
    _turns: dict[str, Turns] = field(init=False)
    _confirming: frozenset[str] = field(init=False)  # those that say themselves what has been set
    _looked: float = -1.0
    _held: tuple[int, float, float] | None = None  # opening of the loop; when and where the tip was seen first
    looks: int = 0
    seen: dict[str, Mapping[str, Value]] = field(default_factory=dict)  # instrument -> what was read of it last
    before: float = -1.0  # when the look before the last one was made, s

    def __post_init__(self) -> None:
        self.interval = min(_LONGEST, self.config.largest_age / 5.0)
        """Seconds between looks in a wait."""
        self._turns = {name: Turns(device.BY_TURNS) for name, device in self.devices.items()}
        self._confirming = frozenset(name for name, device in self.devices.items() if hasattr(device, "confirmed"))

    def begin(self) -> None:
        """Note how everything is, now that the set-up is complete; after another set-up: whether all is as before.

        Raises:
            InstrumentFault: something is not as it was just set, or not as it was after the set-up before.
        """
        self._right, self._held = {}, None
        self.look_at_everything()

    def look_at_everything(self) -> None:
        """Compare every watched property, where no look will follow; raises as `look` does."""
        self.before, self._looked = self._looked, self.clock.now()
        for name, device in self.devices.items():
            self._look_at(name, device, device.BY_TURNS)
        self.before = self._looked

    def look(self) -> Disturbance | None:
        """One look; None if all is well, or what a watcher wants.

        Raises:
            TipTripped, TipWithdrawn: the tip is not where it was held.
            ChangedByHand, ChangedByItself: a setting is not what it was set to.
            InstrumentFault: an instrument reports something wrong.
            InstrumentLost: one does not answer.
        """
        now = self.clock.now()
        if 0.0 <= now - self._looked < _SHORTEST:
            return None
        self.before, self._looked = self._looked, now
        self.looks += 1
        share = self._share_of_a_round(now - self.before)
        for name, device in self.devices.items():
            self._look_at(name, device, self._turns[name].due(share))
        return self.watchers.look(now)

    @property
    def looked(self) -> float:
        """When the last look was made, s."""
        return self._looked

    @property
    def oldest(self) -> float:
        """When the property that was seen longest ago was seen right, s: what was measured before is not in doubt."""
        return min(self._right.values(), default=self._looked)

    def look_at_tip(self) -> None:
        """Look at the tip alone; raises as `look` does, and TipTripped or TipWithdrawn first of all."""
        if self.tip:
            self._compare_tip(self.tip, self.devices[self.tip], self.devices[self.tip].look())

    # -- details -----------------------------------------------------------------------------------------------------

    def _share_of_a_round(self, since: float) -> float:
        """Share of a round that has become due in the time since the look before, s.

        A property may become due just after a look, and is read by the next one: this may take as long again, or as
        long as a wait goes without a look.
        """
        round_ = _EARLY * self.config.largest_age - max(since, self.interval)
        return since / round_ if since < round_ else 1.0

    def _look_at(self, name: str, device: Any, due: tuple[str, ...]) -> None:
        """Look at one instrument; what is found counts when it is found twice: an answer may be a stale or a wrong one.

        Raises:
            GarbledAnswer: what was found first was not found again.
        """
        found = self._baseline.setdefault(name, {})
        before = frozenset(found)
        try:
            self._compare(name, device, device.look(due))
            if len(found) > len(before):
                self._compare(name, device, device.look(due))
        except ChangedByHand as changed:
            if changed.name not in before:
                found.pop(changed.name, None)
            self._compare(name, device, device.look(due))
            raise GarbledAnswer(name, changed.name, changed.read, "a moment later it was as it was set") from changed

    def _compare(self, name: str, device: Any, look: Look) -> None:
        self.seen[name] = {**self.seen.get(name, {}), **look.values}  # a new one: another thread may be reading it
        if name == self.tip:
            self._compare_tip(name, device, look)
        was_set, found, agrees = self._was_set(name, device), self._baseline[name], device.agrees
        for what, read in look.values.items():
            if what in _MEASURED:
                continue
            wanted = was_set[what] if what in was_set else found.setdefault(what, read)
            if not agrees(what, wanted, read):
                raise self._changed(name, what, wanted, read, look)
            self._right[name, what] = self._looked
        if look.reports and name not in self.lockins:
            raise InstrumentFault(name, "; ".join(look.reports))

    def _changed(self, name: str, what: str, wanted: Value, read: Value, look: Look) -> ChangedByHand:
        """The error that names a difference, and since when what was measured is in doubt."""
        why = look.changed_itself.get(what)
        fault = ChangedByItself(name, what, wanted, read, why) if why else ChangedByHand(name, what, wanted, read)
        fault.since = self._right.get((name, what))
        return fault

    def _was_set(self, name: str, device: Any) -> Mapping[str, Value]:
        was_set, found = self.last_set.of(name), self._baseline[name]
        if name in self._confirming:
            was_set = {**was_set, **device.confirmed}
        if not found.keys().isdisjoint(was_set):
            for what in found.keys() & was_set.keys():
                del found[what]  # what has been set is not as it was found, even when it is no longer known to be set
        return was_set

    def _compare_tip(self, name: str, device: Any, look: Look) -> None:
        status = LoopStatus(look.values["status"])
        if status is LoopStatus.TRIPPED:
            raise TipTripped(name, "SafeTip has tripped")
        if status is LoopStatus.WITHDRAWING:
            raise TipWithdrawn(name, "the tip is being withdrawn")
        closed = self.last_set.of(name).get("feedback")
        if closed is None:
            return
        if (status is LoopStatus.ON) is not bool(closed) and status not in _IN_BETWEEN:
            if closed and device.is_withdrawn(device.state):
                raise TipWithdrawn(name, "the tip has been withdrawn")
            raise ChangedByHand(name, "feedback", closed, status is LoopStatus.ON)
        if closed:
            self._held = None
        else:
            self._compare_height(name, device, float(look.values["height"]))

    def _compare_height(self, name: str, device: Any, height: float) -> None:
        """With the loop open the piezo stays where it is; a new opening of the loop is a new place."""
        now, opening = self.clock.now(), device.openings
        if self._held is None or self._held[0] != opening:
            if device.is_withdrawn(device.state):
                raise TipWithdrawn(name, "the tip has been withdrawn since the loop was opened")
            self._held = opening, now, height
            return
        _, since, where = self._held
        allowed = self.config.height_allowance + self.config.height_drift * (now - since)
        if abs(away := height - where) <= allowed:
            return
        if device.is_withdrawn(device.state):
            raise TipWithdrawn(name, f"the tip has been withdrawn by {away:.3g} m")
        raise InstrumentFault(
            name,
            f"the tip has moved by {away:.3g} m with the loop open: more than {allowed:.3g} m (watch.height_allowance)",
        )
