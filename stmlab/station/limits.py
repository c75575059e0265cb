"""Bounds, largest step and slew of one output. Nothing is ever truncated into range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import OutOfBounds, SequenceError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Limit:
    """The bounds of one output.

    Attributes:
        name: of the output, as the user knows it.
        low, high: bounds in ``unit``, both allowed.
        source: file and key in which they are set.
        largest_step: of the output between two moments, or None.
        slew: in ``unit`` per second, or None.
    """

    name: str
    unit: str
    low: float
    high: float
    source: str
    largest_step: float | None = None
    slew: float | None = None

    def check(self, values: float | Iterable[float]) -> None:
        """Raise OutOfBounds for the first of ``values`` that is not within the bounds (nan never is)."""
        if isinstance(values, float | int):
            if not self.low <= values <= self.high:
                raise OutOfBounds(self.name, values, self.low, self.high, self.unit, self.source)
            return
        array = np.asarray(values, dtype=float).ravel()
        inside = (array >= self.low) & (array <= self.high)
        if not inside.all():
            self.check(float(array[~inside][0]))

    def check_sweep(self, start: float, stop: float, points: int) -> None:
        """Raise for an end outside the bounds (OutOfBounds) or steps beyond the largest (SequenceError)."""
        self.check([start, stop])
        step = abs(stop - start) / max(points - 1, 1)
        if self.largest_step is not None and step > self.largest_step * (1 + 1e-9):
            raise SequenceError(
                f"{self.name}: a sweep in steps of {step:.4g} {self.unit}: at most {self.largest_step:g} {self.unit} "
                f"is allowed ({self.source}.largest_step): more points are needed"
            )

    def ramp(self, start: float, end: float) -> tuple[list[float], float]:
        """Values from ``start`` (not included) to ``end``, none farther apart than the largest step; seconds each."""
        distance = abs(end - start)
        steps = max(1, math.ceil(distance / self.largest_step * (1 - 1e-12))) if self.largest_step else 1
        seconds = distance / steps / self.slew if self.slew else 0.0
        return [start + (end - start) * k / steps for k in range(1, steps)] + [end], seconds

    def seconds(self, values: Iterable[float]) -> float:
        """How long the ramps through ``values``, one after the other, last at least."""
        path = np.asarray(list(values), dtype=float)
        return float(np.abs(np.diff(path)).sum() / self.slew) if self.slew else 0.0
