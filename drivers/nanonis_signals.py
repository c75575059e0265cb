"""The signals of a Nanonis controller: its inputs, outputs and internal channels, called by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import GarbledAnswer, SequenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.nanonis_protocol import NanonisLine
    from stmlab.arrays import FloatArray


class Signals:
    """Every signal by its name, unit in brackets, such as ``Current (A)``."""

    def __init__(self, line: NanonisLine) -> None:
        self._line = line
        self._names: tuple[str, ...] | None = None
        self._indexes: dict[str, int] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the controller's order (asked once)."""
        if self._names is None:
            self._names = names = self._line.get("Signals.NamesGet")
            self._indexes = {name: index for index, name in reversed(list(enumerate(names)))}
        return self._names

    def forget(self) -> None:
        """Ask for the names anew when they are needed next: the controller may be another one."""
        self._names = None

    def index(self, name: str) -> int:
        """The controller's number of a signal.

        Raises:
            SequenceError: it has no signal of this name.
        """
        names = self.names
        if name not in self._indexes:
            raise SequenceError(f"{self._line.name} has no signal {name!r}; it has {', '.join(names[:3])} ...")
        return self._indexes[name]

    def value(self, name: str, *, newest: bool = True) -> float:
        """The signal averaged over one acquisition period; ``newest``: over one that began after the question."""
        return self._line.number("Signals.ValGet", self.index(name), int(newest))

    def values(self, names: Sequence[str], *, newest: bool = True) -> FloatArray:
        """Several signals over the same acquisition period, shape (len(names),)."""
        indexes = tuple(self.index(name) for name in names)
        values: FloatArray = np.asarray(self._line.get("Signals.ValsGet", indexes, int(newest)), dtype=np.float64)
        if len(values) != len(indexes) or not np.isfinite(values).all():
            raise GarbledAnswer(self._line.name, "Signals.ValsGet", values, f"not {len(indexes)} finite numbers")
        return values

    def range(self, name: str) -> tuple[float, float]:
        """Smallest and largest value that the signal can have, in its unit."""
        ends = [
            self._line.checked("Signals.RangeGet", end) for end in self._line.ask("Signals.RangeGet", self.index(name))
        ]
        if ends[0] == ends[1]:
            raise GarbledAnswer(self._line.name, "Signals.RangeGet", ends, "an empty range")
        return float(min(ends)), float(max(ends))

    def calibration(self, name: str) -> tuple[float, float]:
        """Its unit per volt, and offset in its unit."""
        values = self._line.ask("Signals.CalibrGet", self.index(name))
        per_volt, offset = (self._line.checked("Signals.CalibrGet", value) for value in values)
        return float(per_volt), float(offset)
