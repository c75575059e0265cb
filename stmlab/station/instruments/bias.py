"""The DC bias of the junction: what sets it, and what sweeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from stmlab.station.instruments.device import Device

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray


@runtime_checkable
class BiasSource(Device, Protocol):
    """What sets the DC bias of the junction."""

    bias: float  # V (an output: guarded by limits)

    @property
    def bias_limits(self) -> tuple[float, float]:
        """Lowest and highest bias that the instrument itself allows now, V."""


@dataclass(frozen=True, eq=False)
class BiasSweep:
    """What a controller read while it swept the bias itself; each shape (n,), in the order of visit.

    Attributes:
        bias: V.
        current: A.
        x, y: the lock-in's outputs as the controller reads them, V rms.
    """

    bias: FloatArray
    current: FloatArray
    x: FloatArray
    y: FloatArray


@runtime_checkable
class BiasSpectroscope(Device, Protocol):
    """A controller that sweeps the bias by itself, at an even pace, with the feedback open."""

    def sweep_bias(
        self,
        start: float,
        stop: float,
        points: int,
        *,
        settling: float,
        integration: float,
        slew: float,
        backward: bool,
        tell: Callable[[BiasSweep], None] | None = None,
    ) -> BiasSweep:
        """Sweep from ``start`` to ``stop`` (V) and, ``backward``, back again; returns when that is done.

        Equal ends record the current against time. The bias ends where it was, the feedback as it was.

        Args:
            start: first bias, V.
            stop: last bias, V.
            points: in one direction.
            settling: s at each point before it is read.
            integration: s over which each point is averaged.
            slew: of the bias between points, V/s.
            backward: sweep back too.
            tell: called from another thread with what can be seen of the sweep so far, where the station has a
                ``live_address`` for that: for viewers, not the data.
        """
