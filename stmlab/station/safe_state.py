"""The safe state: what is switched off, and where the tip goes, decided by what has been read back.

    RF, pulses, modulation off: each instrument by itself, through a fresh connection where the old one failed
        |
    has the tip tripped or been withdrawn? ---------------- yes --> the loop stays open; bias stepped home
        | no
    is everything off, confirmed, and may the loop close? --- no --> tip withdrawn, confirmed by its height; bias home
        | yes
    loop closed? then the low setpoint first, time to follow it, and only then open
    bias stepped to its value with the loop open; setpoint; both read back
        |
    not tripped, not withdrawn, bias large enough and of the setpoint's sign, the tip no closer than it was
        | yes                                                 any no, any fault --> tip withdrawn
    loop closed, read back

With RF or modulation still on, the loop regulates on the sum of the DC and the rectified current: where they cancel,
it drives the tip in. So it is closed only when both have been seen off; a withdrawal needs no trusted current. After a
trip or a withdrawal nothing but a person closes the loop. Every step is bounded: nothing here waits for ever.
"""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stmlab.errors import SequenceError, StmlabError, TipTripped, TipWithdrawn
from stmlab.station.instruments import LoopStatus, Setpoint
from stmlab.station.safe_report import Loop, Problem, SafeReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.clock import Clock
    from stmlab.station.instruments import TipState

_PAUSES = (0.2, 0.6, 1.5, 3.0)
"""Seconds before each further try: a controller that takes one client must notice that the last is gone, and an answer
that was late must have gone too."""
_READINGS = 10
_FOLLOWED = 2.0  # of the low setpoint: a current below it shows that the loop has followed
_PATIENCE = 2.0  # s for the loop to follow
_LOOK = 0.05  # s between looks at whether it has


@dataclass
class SafeState:
    """Brings the instruments of one station to the safe state or the hold state.

    Args:
        generator, lockin, bias, tip: name in the station and guarded driver; None where the station has none.
        home: the station's safe bias (V) and setpoint (A).
        withdraw_always: the station's safe state is a withdrawn tip.
        least_setpoint: smallest setpoint that the loop can hold, A.
        least_bias: smallest magnitude of the bias with the loop closed, V.
        clock: what waits pass on.
        parallel: whether RF and modulation may be switched off at the same time (not in one simulated process).
        quiet: called when RF and modulation have been seen off, before the tip is looked after.
    """

    generator: tuple[str, Any] | None
    lockin: tuple[str, Any] | None
    bias: tuple[str, Any] | None
    tip: tuple[str, Any] | None
    home: Setpoint
    withdraw_always: bool
    least_setpoint: float
    least_bias: float
    clock: Clock
    parallel: bool
    quiet: Callable[[], None]
    _problems: list[Problem] = field(default_factory=list)
    _why: str = ""
    _lost: set[str] = field(default_factory=set)
    """Instruments that have not answered in all tries: they are asked once more only."""

    def reach(self, moved: frozenset[str] | None, target: Setpoint | None, *, withdraw: bool) -> SafeReport:
        """The safe state.

        Args:
            moved: names of the instruments that have been moved; None: nobody knows, so all of them.
            target: where the loop shall be closed; None: at ``home``, no closer than the tip is.
            withdraw: rather than close the loop.
        """
        self._problems, self._why, self._lost = [], "", set()
        quiet = self._switch_off(moved)
        if quiet:
            self.quiet()
        if self.tip is None or (quiet and moved is not None and not self._controller() & moved):
            return SafeReport(Loop.UNTOUCHED, tuple(self._problems))
        loop = self._retire(target, quiet=quiet, withdraw=withdraw or self.withdraw_always)
        return SafeReport(loop, tuple(self._problems), self._why if loop is Loop.WITHDRAWN else "")

    def hold(self, at: Setpoint) -> None:
        """The hold state: RF and modulation off, bias back at the setpoint's with the loop open, then closed.

        Raises:
            StmlabError: a step was not confirmed; the loop has not been closed then.
        """
        self._problems, self._lost = [], set()
        if not self._switch_off(None):
            raise SequenceError("the hold state was not reached: " + "; ".join(map(str, self._problems)))
        if self.tip is not None and self.bias is not None:
            state = self.tip[1].state
            if state.loop and self._is_at(state, at):
                return
            self._close_at(at)

    # -- off -------------------------------------------------------------------------------------------------------

    def _switch_off(self, moved: frozenset[str] | None) -> bool:
        """RF and modulation off, each instrument by itself; whether all was confirmed."""
        steps = [
            (name, device, action)
            for (name, device), action in (
                (self.generator or ("", None), _generator_off),
                (self.lockin or ("", None), _lockin_off),
                (self.tip or ("", None), _controller_modulation_off),
            )
            if device is not None and (moved is None or bool(moved & {name, *self._controller()}))
        ]
        if self.parallel and len(steps) > 1:
            with ThreadPoolExecutor(len(steps)) as pool:
                done = list(pool.map(self._insist_alone, steps))
        else:
            done = [self._insist(*step) for step in steps]
        return all(done)

    def _insist_alone(self, step: tuple[str, Any, Callable[[Any], None]]) -> bool:
        threading.current_thread().name = step[0]  # which one it is, in a recording of the wire too
        return self._insist(*step)

    # -- the tip ---------------------------------------------------------------------------------------------------

    def _retire(self, target: Setpoint | None, *, quiet: bool, withdraw: bool) -> Loop:
        assert self.tip is not None
        name, tip = self.tip
        found: list[TipState] = []
        if not self._insist(name, tip, lambda device: found.append(device.state)):
            return Loop.UNKNOWN
        state = found[-1]
        if (retreat := _retreat(tip, state)) is not None:
            self._bias_home(quiet=quiet)
            return retreat
        if quiet and not withdraw and self._closes(target):
            return Loop.CLOSED
        if not self._insist(name, tip, lambda device: device.withdraw()):
            return Loop.UNKNOWN
        self._bias_home(quiet=quiet)
        return Loop.WITHDRAWN

    def _closes(self, target: Setpoint | None) -> bool:
        """Close the loop, through fresh connections after a transient fault; whether it was seen closed.

        Whatever forbids it: the tip is not left open to drift, nor closed on a guess; the caller withdraws it.
        """
        for pause in (*_PAUSES, None):
            try:
                self._close_at(target) if target is not None else self._close_no_closer()
            except (StmlabError, OSError) as error:
                self._why = str(error)
                if pause is None or not getattr(error, "transient", True):
                    return False
                self.clock.sleep(pause)
                for part in (self.tip, self.bias):
                    if part is not None:
                        _reconnect(part[1])
            else:
                return True
        return False

    def _close_at(self, at: Setpoint) -> None:
        """Open the loop where the bias must move, step it, set the setpoint, close; each confirmed.

        Raises:
            StmlabError: something was not confirmed, or forbids to close the loop; it is not closed then.
        """
        tip, source = self._loop_parts()
        state = tip.state
        if state.loop:
            if self._is_at(state, at):
                return
            self._let_go(state)
        source.bias = at.bias
        tip.setpoint = at.current
        self._close(at)

    def _close_no_closer(self) -> None:
        """Close the loop at ``home``, at no more current than flows there: the tip comes no closer than it is."""
        tip, source = self._loop_parts()
        state = tip.state
        if state.loop:
            self._let_go(state)
        source.bias = self.home.bias
        flows = sum(abs(tip.current) for _ in range(_READINGS)) / _READINGS
        current = min(abs(self.home.current), flows)
        if current < self.least_setpoint:
            raise SequenceError(f"{flows:.3g} A flow at {self.home.bias:g} V: less than the loop can hold")
        at = Setpoint(self.home.bias, math.copysign(current, self.home.current))
        tip.setpoint = at.current
        self._close(at)

    def _let_go(self, state: TipState) -> None:
        """Open a loop that regulates: the low setpoint first, and time to follow it, where it is healthy."""
        tip, _ = self._loop_parts()
        low = min(abs(state.setpoint), abs(self.home.current))
        if abs(state.bias) >= self.least_bias and low < abs(state.setpoint):
            tip.setpoint = math.copysign(low, state.setpoint)
            end = self.clock.now() + _PATIENCE
            while abs(tip.current) > _FOLLOWED * low and self.clock.now() < end:
                self.clock.sleep(_LOOK)
        tip.feedback = False

    def _close(self, at: Setpoint) -> None:
        """Close the loop, if everything that was read back allows it."""
        name, tip = self._required()
        state = tip.state
        if (retreat := _retreat(tip, state)) is not None:
            if retreat is Loop.TRIPPED:
                raise TipTripped(name, "SafeTip has tripped: `stmlab approach`, by a person, frees the loop")
            raise TipWithdrawn(name, "the tip is withdrawn: `stmlab approach`, by a person, frees the loop")
        if abs(state.bias) < self.least_bias:
            raise SequenceError(f"{name}: a bias of {state.bias:g} V is too small to close the loop")
        if not self._is_at(state, at):
            raise SequenceError(
                f"{name}: bias {state.bias:g} V and setpoint {state.setpoint:g} A are read back, "
                f"{at.bias:g} V and {at.current:g} A were set"
            )
        tip.feedback = True
        if not tip.state.loop:
            raise SequenceError(f"{name}: the loop did not close")

    def _bias_home(self, *, quiet: bool) -> None:
        """Step the bias to its safe value, with the tip away; it stays where it is beside an RF nobody knows of."""
        if self.bias is not None and quiet:
            self._insist(*self.bias, self._step_home)

    def _step_home(self, source: Any) -> None:
        source.bias = self.home.bias

    def _is_at(self, state: TipState, at: Setpoint) -> bool:
        _, tip = self._required()
        assert self.bias is not None
        same_bias = self.bias[1].agrees("bias", at.bias, state.bias)
        return bool(same_bias and tip.agrees("setpoint", at.current, state.setpoint))

    # -- details ---------------------------------------------------------------------------------------------------

    def _insist(self, name: str, device: Any, action: Callable[[Any], None]) -> bool:
        """Do ``action``, through a fresh connection where one fails; note a problem after the last try."""
        for pause in (*(() if name in self._lost else _PAUSES), None):
            try:
                action(device)
            except (StmlabError, OSError) as error:
                if pause is None:
                    if name not in self._lost:
                        self._problems.append(Problem(name, str(error)))
                    self._lost.add(name)
                    return False
                self.clock.sleep(pause)
                _reconnect(device)
            else:
                return True
        return False

    def _controller(self) -> frozenset[str]:
        return frozenset(part[0] for part in (self.bias, self.tip) if part is not None)

    def _required(self) -> tuple[str, Any]:
        assert self.tip is not None
        return self.tip

    def _loop_parts(self) -> tuple[Any, Any]:
        assert self.tip is not None
        if self.bias is None:
            raise SequenceError("no bias source: the loop cannot be closed at a known bias")
        return self.tip[1], self.bias[1]


def _generator_off(generator: Any) -> None:
    generator.off()
    if not generator.is_off():
        raise SequenceError("an output is still on after it was switched off")


def _lockin_off(lockin: Any) -> None:
    lockin.outputs_off()
    if not lockin.quiet():
        raise SequenceError("the sine output is still on after it was switched off")


def _controller_modulation_off(tip: Any) -> None:
    tip.modulation_off()
    if not tip.modulation_is_off():
        raise SequenceError("the controller still modulates the bias after it was switched off")


def _retreat(tip: Any, state: TipState) -> Loop | None:
    """Tripped, or withdrawn (as a run that failed before may have left it); None if the tip is at the surface."""
    if state.status is LoopStatus.TRIPPED:
        return Loop.TRIPPED
    if state.status is LoopStatus.WITHDRAWING or tip.is_withdrawn(state):
        return Loop.WITHDRAWN
    return None


def reconnected(device: Any, clock: Clock, checkpoint: Callable[[], None]) -> None:
    """A fresh connection, tried again a few times: a controller of one client must notice that the last one is gone.

    Args:
        device: guarded driver.
        clock: what waits pass on.
        checkpoint: called before each try; what it raises ends them.

    Raises:
        InstrumentLost: nothing answers.
    """
    for pause in _PAUSES:
        checkpoint()
        try:
            device.reconnect()
        except (StmlabError, OSError):
            clock.sleep(pause)
        else:
            return
    checkpoint()
    device.reconnect()


def _reconnect(device: Any) -> None:
    """A fresh connection; where that fails, the next try says why."""
    try:
        device.reconnect()
    except (StmlabError, OSError):
        return
