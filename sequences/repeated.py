"""Repeated sweeps: many short ones instead of long averages, so that drift averages out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sequences.detection import LockInSequence
from stmlab.acquisition.parameters import IntegerParameter
from stmlab.axes import Axis

if TYPE_CHECKING:
    from collections.abc import Mapping


class RepeatedSweeps(LockInSequence):
    """An experiment whose sweep may be repeated within a run."""

    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {"advanced": ("sweeps",)}

    sweeps = IntegerParameter(
        "Sweeps",
        default=1,
        minimum=1,
        maximum=10_000,
        description="repetitions of the whole: many short sweeps instead of long averages let drift average out",
    )

    def repeated(self, axis: Axis) -> tuple[Axis, ...]:
        """The axis of the sweep, within that of its repetitions if there are any."""
        return (axis,) if self.sweeps == 1 else (Axis("sweep", "", np.arange(self.sweeps, dtype=float)), axis)

    def move_sweep(self, number: float) -> None:
        """A further repetition: nothing moves."""

    @property
    def shuffles_by_itself(self) -> bool:
        """See LockInSequence."""
        return bool(self.sweeps > 1)
