"""How what is sought becomes known while a run chooses its points: its density now and as it was; free of Qt."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_KEPT = 7  # earlier ones
_NOTHING = 50.0  # relative error that says nothing
_FALLEN = math.sqrt(0.5)  # of the error, until an earlier one is kept again


class Density(NamedTuple):
    """The density of a positive quantity: normal in its logarithm.

    That is the posterior of a rate or a time. The energy of a step has its error on an even scale: below a tenth, where
    a run spends nearly all of its time, the two are the same within the width of a pen.

    Attributes:
        value: the most probable one.
        error: relative.
    """

    value: float
    error: float

    def at(self, x: FloatArray) -> FloatArray:
        """Over its maximum, at values x, shape (n,)."""
        height: FloatArray = np.exp(-0.5 * (np.log(x / self.value) / self.error) ** 2)
        return height

    @property
    def is_known(self) -> bool:
        """Whether it can be drawn."""
        return 0 < self.value < math.inf and 0 < self.error < _NOTHING


class Narrowing:
    """Hears value and error of every reading in the order of the visits.

    Attributes:
        now: the density as last known; None before the first.
        earlier: as it was, each time its error had fallen by a factor of root two; oldest first.
        version: a number that grows with every change.
    """

    def __init__(self) -> None:
        self.now: Density | None = None
        self.earlier: deque[Density] = deque(maxlen=_KEPT)
        self.version = 0
        self._last = math.nan  # error when an earlier one was kept last

    def take(self, values: FloatArray, errors: FloatArray) -> None:
        """What was known when each of these readings was chosen, shape (n,)."""
        new = np.flatnonzero((np.diff(values, prepend=np.nan) != 0) | (np.diff(errors, prepend=np.nan) != 0))
        for value, error in zip(values[new].tolist(), errors[new].tolist(), strict=True):
            found = Density(value, error)
            if found.is_known and found != self.now:
                self._narrow(found)

    def _narrow(self, found: Density) -> None:
        if self.now is None:
            self._last = found.error
        elif found.error < _FALLEN * self._last:
            self.earlier.append(self.now)
            self._last = found.error
        self.now = found
        self.version += 1
