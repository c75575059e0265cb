"""The guard of the DC bias: bounds, ramps, and no way through zero with the feedback on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stmlab.errors import ChangedByHand, GarbledAnswer, SequenceError
from stmlab.station.guards.guard import Guard
from stmlab.station.outputs import Change

if TYPE_CHECKING:
    from stmlab.clock import Clock
    from stmlab.station.instruments import BiasSource, TipController
    from stmlab.station.limits import Limit
    from stmlab.station.outputs import Outputs


class GuardedBias(Guard):
    """A BiasSource that ramps: no step larger and no faster than the station allows.

    A ramp starts from what was last set and confirmed. Where that is not known (or is not what reads back), two
    readings must agree.

    Args:
        name: of the instrument in the station.
        source: the driver.
        outputs: of the station.
        limit: bounds, step and slew, V and V/s.
        clock: what the ramp waits on.
        tip: driver that is asked for the feedback's state: a bias that passes zero with feedback on drives the tip in.
        smallest_with_feedback: least magnitude of the bias with feedback on, V.
    """

    __slots__ = ("_clock", "_limit", "_smallest", "_tip")

    _PASSED: ClassVar[tuple[str, ...]] = ("bias_limits",)
    _OUTPUTS: ClassVar[tuple[str, ...]] = ("bias",)

    def __init__(
        self,
        name: str,
        source: BiasSource,
        outputs: Outputs,
        *,
        limit: Limit,
        clock: Clock,
        tip: TipController | None,
        smallest_with_feedback: float,
    ) -> None:
        super().__init__(name, source, outputs)
        for attribute, value in (
            ("_limit", limit),
            ("_clock", clock),
            ("_tip", tip),
            ("_smallest", smallest_with_feedback),
        ):
            object.__setattr__(self, attribute, value)
        outputs.readable(bias=self._start)

    @property
    def bias(self) -> float:
        """V.

        Raises on setting:
            OutOfBounds: outside limits.bias, or too much at the junction in all.
            SequenceError: it would come too close to zero with feedback on, or an interlock.
            ChangedByHand: it is not what was last set; the next setting starts from what is read.
        """
        return float(self._driver().bias)

    @bias.setter
    def bias(self, value: float) -> None:
        value = float(value)
        self._outputs.allow(Change(self._name, "bias", value, "V"), lambda: self._limit.check(value))
        start = self._start()
        self._outputs.known(bias=start)  # before the sum at the junction is looked at: a bias that falls is not refused
        change = Change(self._name, "bias", value, "V", {"bias": value})
        if value == start:
            self._note(bias=value)
            return
        self._outputs.change(change, lambda: self._ramp(start, value), lambda: self._keep_the_tip_off(start, value))

    def _ramp(self, start: float, end: float) -> None:
        driver, note = self._driver(), self._outputs.last_set.note
        steps, seconds = self._limit.ramp(start, end)
        for step in steps:
            driver.bias = step
            note(self._name, "bias", step)
            if seconds:
                self._clock.sleep(seconds)

    def _start(self) -> float:
        """Where the bias is, V: as it was last set, or as two readings say.

        Raises:
            ChangedByHand: both say something else than was last set.
            GarbledAnswer: they differ.
        """
        driver, last_set = self._driver(), self._outputs.last_set
        last = last_set.of(self._name).get("bias")
        read = driver.bias
        if last is not None and driver.agrees("bias", last, read):
            return float(last)
        again = driver.bias
        if last is not None and driver.agrees("bias", last, again):
            return float(last)
        if not driver.agrees("bias", read, again):
            raise GarbledAnswer(self._name, "bias", again, f"a moment before it was {read!r}")
        if last is not None:
            last_set.forget(self._name, "bias")
            self._outputs.forget(self._OUTPUTS)
            raise ChangedByHand(self._name, "bias", last, again)
        return float(again)

    def _keep_the_tip_off(self, start: float, value: float) -> None:
        too_small = abs(value) < self._smallest or start * value < 0
        if too_small and self._tip is not None and self._tip.feedback:
            raise SequenceError(
                f"bias from {start:g} V to {value:g} V with feedback on comes below {self._smallest:g} V and would "
                "drive the tip into the sample: switch feedback off first"
            )
