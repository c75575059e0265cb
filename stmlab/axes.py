"""The shape of a run: what is moved (axes) and what is read (channels)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a run, outer axes first.

    Attributes:
        name: as in ``move_<name>`` of the sequence and in the file.
        unit: SI unit of the values ("" for a count).
        values: shape (n,), in the order in which they are visited.
        label: what a plot writes along it.
        hardware: the instrument sweeps this axis by itself; ``measure()`` then returns arrays along it.
        logarithmic: a plot draws it on a logarithmic scale.
    """

    name: str
    unit: str
    values: FloatArray
    label: str = ""
    hardware: bool = False
    logarithmic: bool = False

    def __post_init__(self) -> None:
        values = np.atleast_1d(np.asarray(self.values, dtype=float))
        if values.ndim != 1 or values.size == 0 or not np.all(np.isfinite(values)):
            raise ValueError(
                f"axis {self.name}: values must be a non-empty list of finite numbers, not {self.values!r}"
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Channel:
    """One quantity that is read at every point.

    Attributes:
        name: as in the mapping that ``measure()`` returns and in the file.
        unit: SI unit.
        meaning: one line for the file and the plot's tooltip.
    """

    name: str
    unit: str
    meaning: str
