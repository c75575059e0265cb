"""The shape of a run's data in its file: n-d along the axes, in C order, without those of length 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.axes import Axis
    from stmlab.events import RunStarted

    Piece = tuple[tuple[int, ...], tuple[int, ...]]  # start and count of a hyperslab, along the axes of ``outer``

_ROWS = 4096  # largest number of points in one chunk
_CHUNK_CELLS = 1 << 17  # of 8 bytes: a chunk is no larger than 1 MB
_EARLY_CELLS = 1 << 23  # of all columns together, 64 MB: a larger run takes its space chunk by chunk


@dataclass(frozen=True)
class Shape:
    """Dimensions of the data of one run.

    Attributes:
        axes: names of the axes that are dimensions, outer to inner.
        outer: lengths of those that software moves.
        inner: lengths of those that an instrument sweeps by itself.
        hardware: lengths of all axes that an instrument sweeps, those of length 1 too: shape of a value.
        places: number of points in the plan.
        cells: numbers in all n-d datasets together.
    """

    axes: tuple[str, ...]
    outer: tuple[int, ...]
    inner: tuple[int, ...]
    hardware: tuple[int, ...]
    places: int
    cells: int

    @classmethod
    def of(cls, started: RunStarted) -> Shape:
        """The shape of a run that goes through all its axes."""
        kept = _dimensions(started.axes)
        hardware = tuple(len(axis) for axis in started.axes if axis.hardware)
        moved = [len(axis) for axis in started.axes if not axis.hardware]
        places = math.prod(moved)
        return cls(
            tuple(axis.name for axis in kept),
            tuple(len(axis) for axis in kept if not axis.hardware),
            tuple(len(axis) for axis in kept if axis.hardware),
            hardware,
            places,
            places * (1 + len(moved) + len(started.channels) * math.prod(hardware)),
        )

    @property
    def early(self) -> bool:
        """Whether the file takes the space of the whole plan at once."""
        return self.cells <= _EARLY_CELLS

    def chunk(self, inner: tuple[int, ...]) -> tuple[int, ...]:
        """Chunk of a dataset of shape (outer, inner): a block in C order."""
        block: list[int] = []
        left = _CHUNK_CELLS
        for length in reversed(inner):
            left = _take(block, length, left)
        left = min(left, _ROWS)
        for length in reversed(self.outer):
            left = _take(block, length, left)
        return tuple(reversed(block))

    def corner(self, place: int) -> tuple[int, ...]:
        """Position of one point along ``outer``."""
        position: list[int] = []
        for length in reversed(self.outer):
            place, rest = divmod(place, length)
            position.append(rest)
        return tuple(reversed(position))

    def pieces(self, start: int, stop: int) -> list[Piece]:
        """The points from ``start`` to before ``stop`` in C order, as hyperslabs in C order."""
        return list(_pieces(start, stop, self.outer))

    def end_of_chunk(self, place: int) -> int:
        """First point after ``place`` that lies in another chunk of any dataset."""
        return min(_end_of_chunk(place, self.outer, self.chunk(())), self._end_in_arrays(place))

    def _end_in_arrays(self, place: int) -> int:
        return _end_of_chunk(place, self.outer, self.chunk(self.inner)[: len(self.outer)])


def _dimensions(axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """Axes longer than 1; the innermost one if there is none."""
    return tuple(axis for axis in axes if len(axis) > 1) or axes[-1:]


def _take(block: list[int], length: int, left: int) -> int:
    """One more dimension of a block of at most ``left`` cells; what is left for the dimensions outside it."""
    taken = max(1, min(length, left))
    block.append(taken)
    return left // taken if taken == length else 1


def _pieces(start: int, stop: int, shape: tuple[int, ...]) -> Iterator[Piece]:
    if len(shape) <= 1:
        yield ((start,), (stop - start,)) if shape else ((), ())
        return
    row, inner = math.prod(shape[1:]), shape[1:]
    first, head = divmod(start, row)
    last, tail = divmod(stop, row)
    if first == last:
        yield from _inside(first, _pieces(head, tail, inner))
        return
    if head:
        yield from _inside(first, _pieces(head, row, inner))
        first += 1
    if last > first:
        yield (first, *(0,) * len(inner)), (last - first, *inner)
    if tail:
        yield from _inside(last, _pieces(0, tail, inner))


def _inside(outer: int, pieces: Iterator[Piece]) -> Iterator[Piece]:
    for start, count in pieces:
        yield (outer, *start), (1, *count)


def _end_of_chunk(place: int, shape: tuple[int, ...], chunk: tuple[int, ...]) -> int:
    """Chunks are blocks in C order: cut along one axis, whole inside it, single outside it."""
    cut = next((k for k, (length, taken) in enumerate(zip(shape, chunk, strict=True)) if 1 < taken < length), None)
    if cut is None:
        cut = next((k for k, taken in enumerate(chunk) if taken > 1), len(chunk))
        step = math.prod(shape[cut:])
        return (place // step + 1) * step
    inside = math.prod(shape[cut + 1 :])
    block = math.prod(shape[cut:])
    before = place // block * block
    step = chunk[cut] * inside
    return before + min(((place - before) // step + 1) * step, block)
