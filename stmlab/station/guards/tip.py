"""The guard of the tip controller: bounds of the setpoint, and what must hold before the loop is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stmlab.errors import ChangedByHand, SequenceError, TipTripped, TipWithdrawn
from stmlab.station.guards.guard import Guard, NotAllowed
from stmlab.station.instruments import LoopStatus, Setpoint
from stmlab.station.outputs import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.station.instruments import BiasSource, TipController, TipState
    from stmlab.station.limits import Limit
    from stmlab.station.outputs import Outputs


class GuardedTip(Guard):
    """A TipController whose setpoint is checked, and whose loop is closed only where that cannot crash the tip.

    Args:
        name: of the instrument in the station.
        tip: the driver.
        outputs: of the station.
        setpoint: bounds of its magnitude, A.
        source: name and driver of the bias source; None: the station has none.
        smallest_with_feedback: least magnitude of the bias with feedback on, V.
        before_closing: raises StmlabError if the loop may not be closed for a reason that is known outside.

    Attributes:
        closed_at: bias (V) and setpoint (A) at which this session has closed the loop last; None before it has.
        openings: how often it has opened the loop: each time the tip is held at a new place.
    """

    closed_at: Setpoint | None
    openings: int

    __slots__ = ("_before_closing", "_limit", "_smallest", "_source", "closed_at", "openings")

    _PASSED: ClassVar[tuple[str, ...]] = (
        *("current", "height", "state", "is_withdrawn", "is_safe", "safe_guard", "active_loop"),
        "modulation_is_off",
    )
    _OUTPUTS: ClassVar[tuple[str, ...]] = ("setpoint", "feedback")

    def __init__(
        self,
        name: str,
        tip: TipController,
        outputs: Outputs,
        *,
        setpoint: Limit,
        source: tuple[str, BiasSource] | None,
        smallest_with_feedback: float,
        before_closing: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name, tip, outputs)
        for attribute, value in (
            ("_limit", setpoint),
            ("_source", source),
            ("_smallest", smallest_with_feedback),
            ("_before_closing", before_closing),
            ("closed_at", None),
            ("openings", 0),
        ):
            object.__setattr__(self, attribute, value)
        outputs.readable(setpoint=lambda: float(tip.setpoint), feedback=lambda: float(tip.feedback))
        outputs.silent(name, "the controller's own modulation", tip.modulation_is_off)

    @property
    def setpoint(self) -> float:
        """A; its magnitude lies within limits.setpoint."""
        return float(self._driver().setpoint)

    @setpoint.setter
    def setpoint(self, value: float) -> None:
        value, driver = float(value), self._driver()

        def send() -> None:
            driver.setpoint = value
            self._note(setpoint=value)

        change = Change(self._name, "setpoint", value, "A", {"setpoint": value})
        self._outputs.change(change, send, lambda: self._limit.check(abs(value)))

    @property
    def feedback(self) -> bool:
        """Whether the loop holds the current.

        Raises on closing:
            TipTripped, TipWithdrawn: only a person may close it then.
            SequenceError: bias too small or of the wrong sign, RF or modulation on, a loop on another signal, or an
                interlock.
            OutOfBounds: the setpoint that is set lies outside limits.setpoint.
            ChangedByHand: bias or setpoint is not what was last set.
        """
        return bool(self._driver().feedback)

    @feedback.setter
    def feedback(self, on: bool) -> None:
        on, driver = bool(on), self._driver()
        closed: list[bool] = []

        def send() -> None:
            if not (on and closed[-1]):  # to close it once more could undo a trip that has come since
                driver.feedback = on
            self._note(feedback=on)
            if on:
                self._remember_closing()
            else:
                self._remember_opening()

        checks = (lambda: closed.append(self._check_closing()),) if on else ()
        self._outputs.change(Change(self._name, "feedback", on, "", {"feedback": float(on)}), send, *checks)

    def approach(self) -> None:
        """Close the loop of a tip that has tripped or is withdrawn: a person has looked at it and says so.

        Raises:
            StmlabError: as on closing, but for the trip and the withdrawal.
        """
        driver = self._driver()

        def send() -> None:
            driver.feedback = True
            self._note(feedback=True)
            self._remember_closing()

        change = Change(self._name, "approach", True, "", {"feedback": 1.0})
        self._outputs.change(change, send, lambda: self._check_place(driver.state))

    def withdraw(self) -> None:
        """See TipController; never refused."""

        def send() -> None:
            self._driver().withdraw()
            self._note(feedback=False)
            self._remember_opening()

        self._outputs.release(Change(self._name, "withdraw", True, "", {"feedback": 0.0}), send)

    def modulation_off(self) -> None:
        """See TipController; never refused."""

        def send() -> None:
            self._driver().modulation_off()
            self._note(modulation=False)

        self._outputs.release(Change(self._name, "modulation_off", True), send)

    def set_safe_guard(self, *, on: bool = True, auto_recovery: bool = False, threshold: float | None = None) -> None:
        """See TipController; it can only be switched on, and without recovery by itself.

        Raises:
            NotAllowed: the opposite.
            ValueNotTaken: it reads back as something else.
        """

        def allowed() -> None:
            if auto_recovery or not on:
                raise NotAllowed(f"{self._name}: SafeTip stays on, and does not close the loop by itself after a trip")

        def send() -> None:
            self._driver().set_safe_guard(on=True, auto_recovery=False, threshold=threshold)
            self._note(safe_tip=True, safe_tip_auto_recovery=False)

        value = "off or recovering" if auto_recovery or not on else "on" if threshold is None else threshold
        self._outputs.change(Change(self._name, "safe_guard", value, "A"), send, allowed)

    @property
    def height_limits(self) -> tuple[float, float]:
        """Lowest and highest Z that the controller itself allows, m; raises ValueNotTaken if it does not take them."""
        low, high = self._driver().height_limits
        return float(low), float(high)

    @height_limits.setter
    def height_limits(self, limits: tuple[float, float]) -> None:
        low, high = map(float, limits)

        def send() -> None:
            self._driver().height_limits = (low, high)
            self._note(z_high_limit=high)

        self._outputs.change(Change(self._name, "height_limits", f"{low:g} to {high:g}", "m"), send)

    def _remember_closing(self) -> None:
        """Where this session has closed the loop last."""
        state = self._driver().state
        object.__setattr__(self, "closed_at", Setpoint(state.bias, state.setpoint))

    def _remember_opening(self) -> None:
        """The tip is held at a new place from now on."""
        object.__setattr__(self, "openings", self.openings + 1)

    def _check_closing(self) -> bool:
        """Whether the loop is closed already; raises what forbids to close it."""
        state: TipState = self._driver().state
        if state.loop and state.status is LoopStatus.ON:
            return True
        self._refuse_retreat(state)
        self._before_closing()
        self._check_place(state)
        self._refuse_retreat(self._driver().state)  # last: a hand may have withdrawn the tip meanwhile
        return False

    def _refuse_retreat(self, state: TipState) -> None:
        """Raise TipTripped or TipWithdrawn for a tip that is away from the surface."""
        if state.status is LoopStatus.TRIPPED:
            raise TipTripped(self._name, "SafeTip has tripped: `stmlab approach`, by a person, frees the feedback")
        if state.status is LoopStatus.WITHDRAWING or self._driver().is_withdrawn(state):
            raise TipWithdrawn(self._name, "the tip is withdrawn: `stmlab approach`, by a person, closes the feedback")

    def _check_place(self, state: TipState) -> None:
        """Raise unless bias, setpoint, Z-controller, RF and modulation are such that the loop may be closed."""
        bias = self._check_bias(state)
        self._limit.check(abs(state.setpoint))
        self._check_confirmed(self._name, self._driver(), "setpoint", state.setpoint)
        loop = self._driver().active_loop
        if not loop.of_current:
            raise SequenceError(
                f"{self._name}: its Z-controller {loop.name!r} regulates {loop.signal}, not the current"
            )
        if loop.signed and state.setpoint * bias < 0:
            raise SequenceError(
                f"{self._name}: its Z-controller {loop.name!r} is signed: a setpoint of {state.setpoint:g} A at a bias "
                f"of {bias:g} V would drive the tip into the sample"
            )
        self._outputs.check_quiet()

    def _check_bias(self, state: TipState) -> float:
        """The bias at which the loop would be closed, V: as the controller and its source say."""
        if self._source is None:
            return state.bias
        name, source = self._source
        bias = float(source.bias)
        for read in (bias, state.bias) if source is self._driver() else (bias,):
            if not abs(read) >= self._smallest:
                raise SequenceError(
                    f"feedback on at a bias of {read:g} V, below {self._smallest:g} V, would drive the tip into the "
                    "sample"
                )
            self._check_confirmed(name, source, "bias", read)
        return bias

    def _check_confirmed(self, instrument: str, driver: BiasSource | TipController, name: str, read: float) -> None:
        wanted = self._outputs.last_set.of(instrument).get(name)
        if wanted is not None and not driver.agrees(name, wanted, read):
            raise ChangedByHand(instrument, name, wanted, read)
