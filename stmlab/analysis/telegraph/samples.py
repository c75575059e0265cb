"""A trace as its likelihood reads it: every sample is one of some thousand values, and segments lie side by side.

The likelihood is a product over all samples of matrices that depend on the value alone. So the matrices are made once
for each value, and the products of all segments are formed in step. Values are rounded to a `_FINE` part of what the
densities can tell apart: a converter with more digits than that would change no rate by a thousandth of its error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stmlab.arrays import FloatArray, IntArray

_FINE = 1500  # values in the noise, or in the narrowest transition
_MOST = 1 << 17  # values; a trace with a farther outlier keeps its own
_SEGMENTS, _SHORTEST = 4096, 16  # side by side in all; samples in each


@dataclass(frozen=True, eq=False)
class Samples:
    """A trace, or several of equal length, as places in a list of values.

    Attributes:
        values: shape (values,), rising.
        counts: how many samples have each, shape (values,).
        steps: place of every sample, shape (samples of a segment, segments); the segments of a trace follow each
            other, and end with `padding`.
        traces, length: number of traces, and samples in each.
    """

    values: FloatArray
    counts: IntArray
    steps: IntArray
    traces: int
    length: int

    @classmethod
    def of(cls, trace: FloatArray, scale: float) -> Samples:
        """Of a trace, shape (n,), or of several, shape (traces, n), whose densities vary over ``scale`` and more."""
        rows = np.atleast_2d(trace)
        values, place = _rounded(rows.ravel(), scale / _FINE)
        traces, length = rows.shape
        segments = max(1, min(_SEGMENTS // traces, -(-length // _SHORTEST)))
        steps = -(-length // segments)
        padded = np.full((traces, segments * steps), values.size)
        padded[:, :length] = place.reshape(traces, length)
        counts = np.bincount(place, minlength=values.size)
        return cls(values, counts, np.ascontiguousarray(padded.reshape(-1, steps).T), traces, length)

    @property
    def size(self) -> int:
        """Number of samples."""
        return self.traces * self.length

    def blocks(self, table: FloatArray, identity: FloatArray, most: int) -> Iterator[FloatArray]:
        """The matrices of all segments, shape (2, 2, steps, segments), at most so many steps at once.

        Args:
            table: matrix of each value, shape (2, 2, values).
            identity: matrix that changes nothing, for the steps after the end of a trace.
            most: steps.
        """
        matrices = np.concatenate([table, identity[..., None]], axis=-1)
        for first in range(0, len(self.steps), most):
            yield matrices.take(self.steps[first : first + most], axis=-1, mode="clip")

    def each(self, table: FloatArray, identity: FloatArray) -> Iterator[FloatArray]:
        """The same, step by step: shape (2, 2, segments)."""
        for block in self.blocks(table, identity, _SHORTEST):
            yield from np.moveaxis(block, 2, 0)

    def summed(self, of_blocks: Iterable[FloatArray]) -> FloatArray:
        """Something of every sample, in the `blocks` of the matrices, summed over the samples of each value.

        Returns:
            Shape (2, 2, values).
        """
        number, first = self.values.size, 0
        sums = np.zeros((4, number + 1))
        for block in of_blocks:
            places = self.steps[first : first + block.shape[2]].ravel()
            first += block.shape[2]
            for total, part in zip(sums, block.reshape(4, -1), strict=True):
                total += np.bincount(places, weights=part, minlength=number + 1)
        return sums[:, :number].reshape(2, 2, -1)

    def in_order(self, of_steps: FloatArray) -> FloatArray:
        """Back in the order of time: from the shape of ``steps`` to (traces, n)."""
        return of_steps.T.reshape(self.traces, -1)[:, : self.length]


def _rounded(trace: FloatArray, resolution: float) -> tuple[FloatArray, IntArray]:
    """Values, rising, and the place of each sample among them; samples that share a value have it as their mean."""
    low, high = float(trace.min()), float(trace.max())
    if not high - low < _MOST * resolution:
        return np.unique(trace, return_inverse=True)
    cell = np.rint((trace - low) * (1 / resolution)).astype(np.intp)
    counts = np.bincount(cell)
    there = counts > 0
    values = np.bincount(cell, weights=trace)[there] / counts[there]
    return values, (np.cumsum(there) - 1)[cell]
