"""How the axes of a run are cut into lines: one sweep along the innermost axis in one direction."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray
    from stmlab.axes import Axis

FORWARD, BACKWARD = "forward", "backward"
_MOST_PIECES = 4  # turns of an axis that is swept there and back; one with more is visited in no order


@dataclass(frozen=True)
class Line:
    """One sweep: a stretch of cells.

    Attributes:
        number: of the line, in the order of the cells.
        start, stop: its cells.
        outer: where it lies along the axes outside the innermost, as positions on them.
        way: "forward", "backward", or "" where the axis is swept one way only.
    """

    number: int
    start: int
    stop: int
    outer: tuple[int, ...]
    way: str = ""


class Layout:
    """The axes of a run as cells in C order, and the lines among them.

    An axis whose values are visited in no order (shuffled) is laid out by rising value.

    Args:
        axes: outer to inner.
        mixed: the outer axis counts sweeps of different quantities: they are no repetitions.

    Attributes:
        axes: outer to inner.
        sweep: the innermost one, None in a run without axes.
        values: of the innermost axis as it is laid out.
        places: points in the plan; ``width``: cells of a point, more than 1 if an instrument sweeps.
        cells: places times width.
        outer: lengths of the axes outside the innermost.
        pieces: the stretches of the innermost axis that go one way.
        ordered: whether the innermost axis is laid out as it is visited.
    """

    def __init__(self, axes: tuple[Axis, ...], *, mixed: bool = False) -> None:
        self.axes = axes
        self._mixed = mixed
        self.sweep: Axis | None = axes[-1] if axes else None
        self.places = math.prod(len(axis) for axis in axes if not axis.hardware)
        self.width = math.prod(len(axis) for axis in axes if axis.hardware)
        self.cells = self.places * self.width
        self.outer = tuple(len(axis) for axis in axes[:-1])
        planned = self.sweep.values if self.sweep is not None else np.zeros(1)
        self.pieces = _pieces(planned)
        self.ordered = len(self.pieces) <= _MOST_PIECES
        self.values: FloatArray = planned
        self._order = self._rank = np.empty(0, dtype=np.int64)
        if not self.ordered:
            self._order = np.argsort(planned, kind="stable")
            self._rank = np.argsort(self._order)
            self.pieces, self.values = [slice(0, len(planned))], planned[self._order]

    # -- places ------------------------------------------------------------------------------------------------------

    def slots(self, index: IntArray) -> IntArray:
        """Places of points by their index in the plan."""
        if self.ordered or self.sweep is None or self.sweep.hardware:
            return index
        length = len(self.values)
        return index // length * length + self._rank[index % length]

    def rows(self, values: FloatArray) -> FloatArray:
        """What was read along hardware-swept axes, as it is laid out; shape (points, width) or (points, 1)."""
        if self.ordered or self.sweep is None or not self.sweep.hardware or values.shape[1] == 1:
            return values
        return values.reshape(len(values), -1, len(self.values))[:, :, self._order].reshape(values.shape)

    # -- lines -------------------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Number of lines."""
        return self.cells // len(self.values) * len(self.pieces)

    def line(self, number: int) -> Line:
        """One of the lines."""
        sweep, piece = divmod(number, len(self.pieces))
        first, part = sweep * len(self.values), self.pieces[piece]
        outer = tuple(int(k) for k in np.unravel_index(sweep, self.outer)) if self.outer else ()
        return Line(number, first + part.start, first + part.stop, outer, self.way(piece))

    def line_at(self, cell: int) -> Line:
        """The line in which a cell lies."""
        sweep, rest = divmod(cell, len(self.values))
        piece = next(k for k, part in enumerate(self.pieces) if rest < part.stop)
        return self.line(sweep * len(self.pieces) + piece)

    def way(self, piece: int) -> str:
        """Direction of one of the pieces, told by its place: the first one is the way forward."""
        if len(self.pieces) == 1:
            return ""
        return FORWARD if piece % 2 == 0 else BACKWARD

    @property
    def repeated(self) -> tuple[int, ...]:
        """Which of the outer axes only count repetitions (sweeps, traces): over them a mean has a meaning."""
        if self._mixed:
            return ()
        return tuple(k for k, axis in enumerate(self.axes[:-1]) if axis.unit == "" and len(axis) > 1)

    @property
    def varied(self) -> tuple[int, ...]:
        """Which of the outer axes take several values of a quantity."""
        return tuple(k for k, axis in enumerate(self.axes[:-1]) if len(axis) > 1 and (axis.unit or self._mixed))


def _pieces(values: FloatArray) -> list[slice]:
    """Stretches that rise or fall; the point at a turn ends the stretch before it."""
    if np.all(values[1:] >= values[:-1]):  # as most are, however long
        return [slice(0, len(values))]
    way = np.sign(np.diff(values))
    moving = np.flatnonzero(way)
    turns = moving[:-1][way[moving[:-1]] != way[moving[1:]]]
    bounds = [0, *(turns + 2).tolist(), len(values)]
    return [slice(a, b) for a, b in itertools.pairwise(bounds)]
