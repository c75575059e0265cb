"""The way through the points of a run: which target comes next, and moving only what must move."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stmlab.arrays import IntArray
    from stmlab.axes import Axis

Target = tuple[float, ...]
"""A value for each axis that software moves, outer to inner."""


class Path:
    """Every point of the axes that software moves, outer first.

    Args:
        movers: each axis with its ``move_<axis>``, which may return the value really reached (the frequency really
            played); None means as asked.
        order: from the number of a sweep along the innermost axis to the positions in the order of their visits; None:
            as they stand.
    """

    def __init__(
        self,
        movers: Sequence[tuple[Axis, Callable[[float], float | None]]],
        order: Callable[[int], IntArray] | None = None,
    ) -> None:
        self._order = order
        self._values = [axis.values.tolist() for axis, _ in movers]
        self._moves = [move for _, move in movers]
        self._asked: list[float | None] = [None] * len(movers)
        self._reached = [math.nan] * len(movers)
        self.shape = tuple(len(values) for values in self._values)

    def __len__(self) -> int:
        return math.prod(self.shape)

    def visits(self) -> Iterator[tuple[int, Target]]:
        """Every index with its target, in the order of the visits."""
        if self._order is None or not self._values:
            yield from enumerate(itertools.product(*self._values))
            return
        *outer, inner = self._values
        for sweep, target in enumerate(itertools.product(*outer)):
            for position in self._order(sweep).tolist():
                yield sweep * len(inner) + position, (*target, inner[position])

    def target(self, index: int) -> Target:
        """The target of one index."""
        places = np.unravel_index(index, self.shape) if self.shape else ()
        return tuple(values[int(k)] for values, k in zip(self._values, places, strict=True))

    def move_to(self, target: Target) -> tuple[float, ...]:
        """Move what differs from where things are, and every axis within it; returns where the point really is.

        A move further out may take away what the axes within it have set: a new sweep stabilises the tip at another
        bias, and may begin with the value with which the last one ended.
        """
        asked, reached, moving = self._asked, self._reached, False
        for k, value in enumerate(target):
            if moving or value != asked[k]:
                moving = True
                asked[k] = None  # unknown, should the move fail half way
                actual = self._moves[k](value)
                asked[k] = value
                reached[k] = value if actual is None else actual
        return tuple(reached)

    def forget(self) -> None:
        """Outputs have been taken away (a pause, a fault): the next target moves every axis."""
        self._asked = [None] * len(self._asked)
