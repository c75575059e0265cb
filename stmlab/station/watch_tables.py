"""What the station file says of looking: ``[watch]`` (at every point, always on) and ``[[watcher]]`` (any signal)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from stmlab.station.tables import Metre, MetrePerSecond, Number, Second, Table


class WatchConfig(Table):
    """How far things may be from where they were before a run takes notice.

    Attributes:
        height_allowance: from where the tip was held, m; beyond it the tip has jumped.
        height_drift: what this allowance grows by while the loop is open, m/s.
        conductance_allowance: relative change of the lock-in's conductance after a pause that is the same place.
        largest_age: of what was last read of any watched property, s.
        attempts: at one point, the first included; after them a transient fault ends the run.
    """

    height_allowance: Metre = Field(default=20e-12, gt=0)
    height_drift: MetrePerSecond = Field(default=0.0, ge=0)
    conductance_allowance: Number = Field(default=0.2, gt=0, le=1)
    largest_age: Second = Field(default=1.0, gt=0, le=60)
    attempts: int = Field(default=4, ge=1, le=100, strict=True)


class WatcherConfig(Table):
    """A signal that pauses, stops or aborts a run (Bluesky's suspender).

    Attributes:
        signal: ``instrument.property``: any number that a driver reads.
        action: pause until it has cleared, stop after the point, or abort at once.
        above, below: in the property's unit; at least one. The watcher trips beyond it.
        clear_above: for a trip below ``below``, the value that it must rise to (default: ``below``).
        clear_below: for a trip above ``above``, the value that it must fall to (default: ``above``).
        clearing_time: for which it must have cleared before a paused run goes on, s.
        reason: what a person is told.
    """

    signal: str = Field(pattern=r"^[\w-]+\.\w+(\.\w+)*$")
    action: Literal["pause", "stop", "abort"]
    above: Number | None = None
    below: Number | None = None
    clear_below: Number | None = None
    clear_above: Number | None = None
    clearing_time: Second = Field(default=0.0, ge=0)
    reason: str = ""

    @property
    def instrument(self) -> str:
        """Of the signal."""
        return self.signal.partition(".")[0]

    @property
    def property_name(self) -> str:
        """Of the signal: what the driver calls it."""
        return self.signal.partition(".")[2]

    @model_validator(mode="after")
    def _meaningful(self) -> WatcherConfig:
        if self.above is None and self.below is None:
            raise ValueError("above or below is needed")
        if self.above is not None and self.below is not None and not self.below < self.above:
            raise ValueError(f"below = {self.below:g} must be less than above = {self.above:g}")
        _check_hysteresis("above", self.above, "clear_below", self.clear_below)
        _check_hysteresis("below", self.below, "clear_above", self.clear_above)
        low = self.below if self.clear_above is None else self.clear_above
        high = self.above if self.clear_below is None else self.clear_below
        if low is not None and high is not None and not low <= high:
            raise ValueError(f"clear_above = {low:g} is beyond clear_below = {high:g}: it could never clear")
        if self.action != "pause" and (self.clearing_time or self.clear_above or self.clear_below):
            raise ValueError(f'clear_above, clear_below and clearing_time belong to "pause", not to {self.action!r}')
        return self

    def trips(self, value: float) -> bool:
        """Whether ``value`` is beyond a bound; nan always is, because nothing is known of the signal then."""
        if not value == value:  # nan
            return True
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)

    def clears(self, value: float) -> bool:
        """Whether ``value`` lies within the bounds for clearing."""
        low = self.below if self.clear_above is None else self.clear_above
        high = self.above if self.clear_below is None else self.clear_below
        return (high is None or value <= high) and (low is None or value >= low) and value == value


def _check_hysteresis(bound_name: str, bound: float | None, clear_name: str, clear: float | None) -> None:
    if clear is None:
        return
    if bound is None:
        raise ValueError(f"{clear_name} = {clear:g} needs {bound_name}")
    if (clear > bound) if bound_name == "above" else (clear < bound):
        raise ValueError(f"{clear_name} = {clear:g} lies beyond {bound_name} = {bound:g}: it would clear while tripped")
