"""The guard of the controller's own sweeps of the bias."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from stmlab.station.guards.guard import Guard
from stmlab.station.outputs import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.station.instruments import BiasSpectroscope, BiasSweep
    from stmlab.station.limits import Limit
    from stmlab.station.outputs import Outputs


class GuardedSpectroscope(Guard):
    """A BiasSpectroscope with checked ends, whose steps are no larger and no faster than the station allows."""

    __slots__ = ("_bias",)

    _OUTPUTS: ClassVar[tuple[str, ...]] = ("bias",)

    def __init__(self, name: str, spectroscope: BiasSpectroscope, outputs: Outputs, *, bias: Limit) -> None:
        super().__init__(name, spectroscope, outputs)
        object.__setattr__(self, "_bias", bias)

    def sweep_bias(
        self,
        start: float,
        stop: float,
        points: int,
        *,
        settling: float,
        integration: float,
        slew: float = math.inf,
        backward: bool = False,
        tell: Callable[[BiasSweep], None] | None = None,
    ) -> BiasSweep:
        """See BiasSpectroscope; ``slew`` is at most the station's.

        Raises:
            OutOfBounds: an end lies outside limits.bias, or adds up to too much at the junction.
            SequenceError: the points lie farther apart than limits.bias.largest_step, or an interlock.
        """
        seen = {} if tell is None else {"tell": tell}
        before = self._outputs.present("bias")
        timing = {"settling": settling, "integration": integration, "slew": min(slew, self._bias.slew or math.inf)}
        for end in sorted((start, stop), key=abs):
            change = Change(self._name, "sweep_bias", end, "V", {"bias": end})
            self._outputs.allow(change, lambda: self._bias.check_sweep(start, stop, points))
        try:
            swept: BiasSweep = self._outputs.release(
                change, lambda: self._driver().sweep_bias(start, stop, points, **timing, backward=backward, **seen)
            )
        except BaseException:
            self._outputs.last_set.forget(self._name, "bias")  # it may have ended anywhere
            raise
        self._outputs.known(bias=before)
        return swept
