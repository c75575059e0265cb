"""The bias output of the simulated Nanonis controller: ranges and pulses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stmlab.simulation.nanonis_settings import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.simulation.bench import Bench
    from stmlab.simulation.machine import Machine
    from stmlab.simulation.nanonis_tip import TipModule

_RANGES = (("10 V", 10.0), ("1 V", 1.0))


class BiasModule:
    """Sets the bias within the selected range."""

    def __init__(self, bench: Bench, tip: TipModule, machine: Machine) -> None:
        self._bench, self._tip, self._machine = bench, tip, machine
        self.power_on()

    def power_on(self) -> None:
        """As after switching on; the bias itself is the tip panel's."""
        self._range = 0
        self._pulse_hold, self._pulse_absolute = True, True

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """What carries out which command."""
        return {
            "Bias.Set": self._set,
            "Bias.Get": lambda: (self._bench.tip.bias,),
            "Bias.RangeSet": self._select_range,
            "Bias.RangeGet": lambda: (tuple(name for name, _ in _RANGES), self._range),
            "Bias.Pulse": self._pulse,
        }

    @property
    def limit(self) -> float:
        """Largest bias of the selected range, V."""
        return _RANGES[self._range][1]

    def _set(self, bias: float) -> None:
        self._check(bias)
        self._tip.change(bias=bias)
        self._tip.watch()

    def _check(self, bias: float) -> None:
        if not -self.limit <= bias <= self.limit:
            raise Refusal(f"bias = {bias:g} V is out of range, {-self.limit:g} to {self.limit:g} V is allowed")

    def _select_range(self, index: int) -> None:
        if index >= len(_RANGES):
            raise Refusal(f"bias range = {index} is out of range, 0 to {len(_RANGES) - 1} is allowed")
        if abs(self._bench.tip.bias) > _RANGES[index][1]:
            raise Refusal(f"the bias, {self._bench.tip.bias:g} V, does not fit the range {_RANGES[index][0]}")
        self._range = index

    def _pulse(self, wait: int, width: float, bias: float, hold: int, absolute: int) -> None:
        if not width > 0.0 or hold > 2 or absolute > 2:
            raise Refusal(f"no pulse: width = {width:g} s, hold = {hold}, absolute/relative = {absolute}")
        self._pulse_hold = hold == 1 if hold else self._pulse_hold
        self._pulse_absolute = absolute == 2 if absolute else self._pulse_absolute
        before = self._bench.tip.bias
        during = bias if self._pulse_absolute else before + bias
        self._check(during)
        if self._pulse_hold:
            self._tip.hold()
        self._tip.change(bias=during)
        self._tip.watch()
        restarts = self._machine.restarts
        self._machine.wait(width)  # whether or not the client waits
        if self._machine.restarts == restarts:
            self._tip.change(bias=before)
            self._tip.release()
