"""Likelihood of a trace that switches between two levels: a Markov process seen through noise.

It is the product of 2 x 2 matrices M_t[i, j] = P_ij p(y_t | i, j) (`switching`), made once for each value and
multiplied in step for all segments of the trace (`samples`, `products`). Short dwells that no sample shows are
accounted for, and so are the first and the last: there is nothing to correct afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.telegraph.products import LEVELS, Products

if TYPE_CHECKING:
    from stmlab.analysis.telegraph.samples import Samples
    from stmlab.analysis.telegraph.switching import Switching
    from stmlab.arrays import FloatArray


def log_likelihood(samples: Samples, switching: Switching) -> float:
    """ln of the probability density of a trace, or of the product of those of several."""
    matrices = switching.joint(samples.values)
    parts, logarithm = [], 0.0
    for block in samples.blocks(matrices, np.eye(2), 2**LEVELS):
        part = Products.of(block)
        parts.append(part.whole)
        logarithm += part.logarithm
    of_segments = Products.of(np.stack(parts, axis=2))
    of_traces = Products.of(_side_by_side(of_segments.whole, samples.traces))
    ends = np.einsum("i,ij...->...", switching.stationary(), of_traces.whole)
    return logarithm + of_segments.logarithm + of_traces.logarithm + float(np.log(ends).sum())


def with_slopes(samples: Samples, switching: Switching) -> tuple[float, FloatArray]:
    """`log_likelihood`, and its derivatives by ``switching.vector()``, shape (5,)."""
    seen = switching.seen(samples.values)
    parts = [Products.of(block) for block in samples.blocks(seen.joint, np.eye(2), 2**LEVELS)]
    of_segments = Products.of(np.stack([part.whole for part in parts], axis=2))
    of_traces = Products.of(_side_by_side(of_segments.whole, samples.traces))
    begin = switching.stationary()
    ends = np.einsum("i,ij...->...", begin, of_traces.whole)
    logarithm = sum(part.logarithm for part in (*parts, of_segments, of_traces)) + float(np.log(ends).sum())
    by_begin = (of_traces.whole.sum(axis=1) / ends).sum(axis=1)
    by_segments = of_traces.slopes(np.broadcast_to(begin[:, None, None] / ends, of_traces.whole.shape))
    by_parts = of_segments.slopes(np.moveaxis(by_segments, 3, 2).reshape(of_segments.whole.shape))
    by_matrices = (part.slopes(by_parts[:, :, k]) for k, part in enumerate(parts))
    return logarithm, seen.slopes(samples.summed(by_matrices), by_begin)


def _side_by_side(segments: FloatArray, traces: int) -> FloatArray:
    """Of all traces, shape (2, 2, segments of a trace, traces)."""
    return np.moveaxis(segments.reshape(2, 2, traces, -1), 3, 2)


def without_memory(samples: Samples, switching: Switching) -> float:
    """ln likelihood of the same levels and occupations if every sample were independent of the one before."""
    matrices = switching.joint(samples.values)
    return float(np.log(np.einsum("i,ij...->...", switching.stationary(), matrices)) @ samples.counts)
