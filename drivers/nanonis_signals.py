"""The signals of a Nanonis controller: its inputs, outputs and internal channels, called by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.nanonis_protocol import NanonisLine
    from stmlab.arrays import FloatArray


class Signals:
    """Every signal by its name, unit in brackets, such as ``Current (A)``."""

    def __init__(self, line: NanonisLine) -> None:
        self._line = line
        self._names: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the controller's order (asked once)."""
        if self._names is None:
            self._names = self._line.get("Signals.NamesGet")
        return self._names

    def index(self, name: str) -> int:
        """The controller's number of a signal.

        Raises:
            SequenceError: it has no signal of this name.
        """
        try:
            return self.names.index(name)
        except ValueError:
            some = ", ".join(self.names[:3])
            raise SequenceError(f"{self._line.name} has no signal {name!r}; it has {some} ...") from None

    def value(self, name: str, *, newest: bool = True) -> float:
        """The signal averaged over one acquisition period; ``newest``: over one that began after the question."""
        return float(self._line.get("Signals.ValGet", self.index(name), int(newest)))

    def values(self, names: Sequence[str], *, newest: bool = True) -> FloatArray:
        """Several signals over the same acquisition period, shape (len(names),)."""
        indexes = [self.index(name) for name in names]
        return np.asarray(self._line.get("Signals.ValsGet", indexes, int(newest)), dtype=np.float64)

    def range(self, name: str) -> tuple[float, float]:
        """Smallest and largest value that the signal can have, in its unit."""
        maximum, minimum = self._line.ask("Signals.RangeGet", self.index(name))
        return float(min(minimum, maximum)), float(max(minimum, maximum))

    def calibration(self, name: str) -> tuple[float, float]:
        """Its unit per volt, and offset in its unit."""
        per_volt, offset = self._line.ask("Signals.CalibrGet", self.index(name))
        return float(per_volt), float(offset)
