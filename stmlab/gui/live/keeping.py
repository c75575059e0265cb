"""Which sweeps of a run are kept for drawing: all of them, or of a very large run the last ones.

Ten thousand traces of a hundred thousand samples are eight gigabytes: no plot shows them, and a window that took the
memory would take it from the run.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from stmlab.axes import Axis
from stmlab.gui.live.lines import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.arrays import IntArray

MOST_CELLS = 40_000_000  # of all channels together, 320 MB


class Keeping:
    """Places of the points of a run among what is kept.

    Args:
        axes: of the run, outer to inner.
        channels: how many there are.
        most: cells of all channels together.

    Attributes:
        layout: of what is kept.
        whole: whether that is all of the run.
        places: points in the plan.
    """

    def __init__(self, axes: tuple[Axis, ...], channels: int, most: int = MOST_CELLS) -> None:
        planned = Layout(axes)
        self.places = planned.places
        software = bool(axes) and not axes[-1].hardware
        self._unit = len(planned.values) if software else 1  # points of a sweep
        sweeps = max(most // max(planned.width * self._unit * channels, 1), 1)
        self.whole = sweeps >= planned.places // self._unit
        self.layout = planned
        if not self.whole:
            inner = axes[-1:] if software else tuple(axis for axis in axes if axis.hardware)
            kept = Axis("sweep", "", np.arange(sweeps, dtype=float), "sweep among those that are kept")
            self.layout = Layout((kept, *inner), mixed=bool(planned.varied))
        self._owner = np.full(0 if self.whole else sweeps, -1)

    def parts(self, index: IntArray) -> Iterator[tuple[slice, IntArray, IntArray]]:
        """Points in their order, in parts that are kept together.

        Yields:
            Which of the points; their places; the places that held another sweep before, to be emptied first.
        """
        nothing = np.empty(0, dtype=np.int64)
        if self.whole:
            yield slice(0, len(index)), self.layout.slots(index), nothing
            return
        sweep = index // self._unit
        turn = sweep // len(self._owner)
        bounds = [0, *(np.flatnonzero(np.diff(turn)) + 1).tolist(), len(index)]
        for first, stop in itertools.pairwise(bounds):
            here = sweep[first:stop] % len(self._owner)
            old = np.unique(here[(self._owner[here] != sweep[first:stop])])
            stale = (old[:, None] * self._unit + np.arange(self._unit)).ravel()
            self._owner[here] = sweep[first:stop]
            slots = here * self._unit + index[first:stop] % self._unit
            yield slice(first, stop), self.layout.slots(slots), stale

    def slots(self, index: IntArray) -> IntArray:
        """Places of those of the points that are kept now."""
        if self.whole:
            return self.layout.slots(index)
        sweep = index // self._unit
        kept = self._owner[sweep % len(self._owner)] == sweep
        slots = sweep[kept] % len(self._owner) * self._unit + index[kept] % self._unit
        return self.layout.slots(slots)
