"""What stands at every output now, and whether it may change: the sum at the junction, and the station's interlocks.

Every guard asks here before it lets its driver change an output, and says here what its driver has confirmed. What was
never set in this session is read; what was set and not confirmed is read again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from stmlab.errors import OutOfBounds, SequenceError, StmlabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from stmlab.arrays import FloatArray
    from stmlab.station.audit import Audit
    from stmlab.station.last_set import LastSet
    from stmlab.station.limits_tables import InterlockConfig

    Demands = Mapping[str, float | FloatArray]

T = TypeVar("T")
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True)
class Change:
    """A change of one instrument's outputs.

    Attributes:
        instrument: its name in the station.
        name: property or method of the driver.
        value: for the audit log, and what ``last_set`` notes.
        unit: of it.
        outputs: output -> what it will be: ``bias`` (V), ``setpoint`` (A), ``feedback`` (0 or 1), ``modulation`` (V rms
            at the sine output), ``modulation_offset`` (V there), ``rf_amplitude`` (V peak at the connector),
            ``rf_frequency`` (Hz), ``rf_at_junction`` (V peak).
    """

    instrument: str
    name: str
    value: float | bool | str
    unit: str = ""
    outputs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Junction:
    """How outputs add up at the junction.

    Attributes:
        largest: V peak in all.
        source: file and key in which that is set.
        divider: volts at the sine output per volt at the junction; None: the lock-in is not connected to it.
    """

    largest: float
    source: str
    divider: float | None

    def volts(self, output: str, value: float) -> float | None:
        """What ``value`` of an output adds at the junction, V peak; None: this output adds nothing."""
        if output in ("bias", "rf_at_junction"):
            return abs(value)
        if self.divider is None or output not in ("modulation", "modulation_offset"):
            return None
        return abs(value) * (math.sqrt(2) if output == "modulation" else 1.0) / self.divider

    def check(self, parts: Mapping[str, float]) -> None:
        """Raise OutOfBounds if ``parts`` (output -> V peak at the junction) add up to more than is allowed."""
        total = sum(parts.values())
        if not total <= self.largest * _ROUNDING:
            listed = " + ".join(f"{name} {volts:.6g}" for name, volts in parts.items() if volts)
            raise OutOfBounds(f"junction_total ({listed})", total, 0.0, self.largest, "V", self.source)


class Outputs:
    """Outputs of one station.

    Args:
        junction: how they add up.
        interlocks: of the station file.
        path: of that file, for messages.
        last_set, audit: what is told of every change.
    """

    def __init__(
        self,
        junction: Junction,
        interlocks: Iterable[InterlockConfig],
        path: object,
        last_set: LastSet,
        audit: Audit,
    ) -> None:
        self.junction, self.last_set, self.audit = junction, last_set, audit
        self._interlocks, self._path = tuple(interlocks), path
        self._known: dict[str, float] = {}
        self._readers: dict[str, Callable[[], float]] = {}
        self._quiet: list[tuple[str, str, Callable[[], bool]]] = []

    # -- what the guards say of themselves ---------------------------------------------------------------------------

    def readable(self, **readers: Callable[[], float]) -> None:
        """How an output is read when nothing is known of it: output -> reader."""
        self._readers |= readers

    def silent(self, instrument: str, what: str, is_off: Callable[[], bool]) -> None:
        """Before the loop is closed ``is_off`` must read true; ``what`` is on if it does not."""
        self._quiet.append((instrument, what, is_off))

    def known(self, **values: float) -> None:
        """These outputs are at these values, as was read or confirmed."""
        self._known |= values

    def forget(self, outputs: Iterable[str]) -> None:
        """Nothing is known of these outputs any more."""
        for output in outputs:
            self._known.pop(output, None)

    def present(self, output: str) -> float:
        """What an output is now; 0 if the station does not have it.

        Raises:
            StmlabError: it cannot be read, or is something that this session did not set.
        """
        if output not in self._known:
            reader = self._readers.get(output)
            self._known[output] = reader() if reader is not None else 0.0
        return self._known[output]

    # -- changes -----------------------------------------------------------------------------------------------------

    def change(self, change: Change, send: Callable[[], T], *checks: Callable[[], None]) -> T:
        """Check, send, note and log one change of outputs.

        Args:
            change: what will be.
            send: makes the driver do it; returns when the instrument has confirmed it.
            checks: come before the sum at the junction and the interlocks; each raises what it refuses.

        Raises:
            StmlabError: refused, and nothing was sent; or whatever ``send`` raised.
        """
        self.allow(change, *checks)
        return self.release(change, send)

    def release(self, change: Change, send: Callable[[], T]) -> T:
        """Send, note and log what is never refused: outputs off, the tip withdrawn; raises whatever ``send`` raises."""
        if change.outputs:
            self.last_set.moving(change.instrument)
        try:
            done = send()
        except OutOfBounds as refusal:  # the driver's own bounds: nothing was sent
            self.audit.refusal(change.instrument, change.name, change.value, refusal)
            raise
        except BaseException as error:
            self.forget(change.outputs)
            self.last_set.forget(change.instrument, change.name)
            self.audit.failure(change.instrument, change.name, change.value, error)
            raise
        self._known |= change.outputs
        self.audit.change(change.instrument, change.name, change.value, change.unit)
        return done

    def allow(self, change: Change, *checks: Callable[[], None]) -> None:
        """Raise StmlabError, after a line in the audit log, if a change is not allowed now."""
        try:
            for check in checks:
                check()
            self._check_total(change.outputs)
            self._check_interlocks(change.outputs)
        except StmlabError as refusal:
            self.audit.refusal(change.instrument, change.name, change.value, refusal)
            raise

    def check_quiet(self) -> None:
        """Raise SequenceError unless RF and modulation are off, as read back now: the loop would regulate on them."""
        for instrument, what, is_off in self._quiet:
            if not is_off():
                raise SequenceError(
                    f"{instrument}: {what} is on: with it the feedback would regulate on the rectified current, and "
                    "may drive the tip into the sample: switch it off first"
                )

    def check_together(self, demands: Demands) -> None:
        """Refuse, before anything moves, values that could stand at the outputs at the same time.

        Args:
            demands: output -> every value that it will be given; ``junction_amplitude`` is V peak of the RF at the
                junction, ``setpoint_bias`` the bias while RF and modulation are off.

        Raises:
            OutOfBounds: their largest add up to more than is allowed at the junction.
            SequenceError: an interlock.
        """
        values = _values(demands)
        self.junction.check(self.at_junction(demands))
        self.junction.check({"bias": _largest(values.get("setpoint_bias", np.zeros(1)))})
        for interlock in self._interlocks:
            if all(any(map(c.holds, values.get(c.output, np.empty(0)).tolist())) for c in interlock.never):
                raise SequenceError(self._refused(interlock))

    def at_junction(self, demands: Demands) -> dict[str, float]:
        """What each output adds at the junction at most, V peak: all of it may stand there at the same time."""
        parts = {name: self.junction.volts(name, _largest(values)) for name, values in _values(demands).items()}
        return {name: volts for name, volts in parts.items() if volts is not None}

    def _check_total(self, becomes: Mapping[str, float]) -> None:
        rising = [
            output
            for output, value in becomes.items()
            if self.junction.volts(output, value) and not abs(value) <= abs(self._known.get(output, 0.0))
        ]
        if not rising:
            return  # what only falls is never refused: it is the way to the safe state
        parts = {}
        for output in ("bias", "modulation", "modulation_offset", "rf_at_junction"):
            if (volts := self.junction.volts(output, 0.0)) is not None:
                value = becomes[output] if output in becomes else self.present(output)
                volts = self.junction.volts(output, value)
                parts[output] = volts or 0.0
        self.junction.check(parts)

    def _check_interlocks(self, becomes: Mapping[str, float]) -> None:
        for interlock in self._interlocks:
            changed = [condition for condition in interlock.never if condition.output in becomes]
            others = [condition for condition in interlock.never if condition.output not in becomes]
            if (
                changed
                and all(condition.holds(becomes[condition.output]) for condition in changed)
                and all(condition.holds(self.present(condition.output)) for condition in others)
            ):
                raise SequenceError(self._refused(interlock))

    def _refused(self, interlock: InterlockConfig) -> str:
        conditions = " with ".join(map(str, interlock.never))
        return f"refused by the interlock {interlock.name!r}: never {conditions} ({self._path}: interlock)"


def _values(demands: Demands) -> dict[str, FloatArray]:
    """Every value of every output; the amplitude at the junction by the name of its output."""
    values = {name: np.atleast_1d(np.asarray(v, dtype=float)).ravel() for name, v in demands.items()}
    return values | {"rf_at_junction": values.pop("junction_amplitude", np.zeros(1))}


def _largest(values: FloatArray) -> float:
    return float(np.abs(values).max(initial=0.0))
