"""A trace as one level that moves: a smooth trend, settling or creep, with noise of any spectrum upon it.

Such a trace stays on one side for long, and noise carries it to and fro between two levels that are not there.
Switching is accepted only where it describes the trace better: two levels, with noise of any spectrum about the
likeliest course between them, or the whole process with white noise.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.telegraph.likelihood import log_likelihood
from stmlab.analysis.telegraph.noise import likelihood_of_noise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.analysis.telegraph.switching import Switching
    from stmlab.analysis.telegraph.trace import Trace
    from stmlab.arrays import FloatArray

_BLOCK = 1 << 14  # samples, whose shapes are made at once
_BLOCKS = 1000  # of a trace, whose means choose the trend
_SETTLING = np.geomspace(3e-3, 1.0, 9)  # time constants, over the trace's length
_CREEP = (1e-3, 1e-2, 1e-1)  # where logarithmic creep begins, likewise
_SMOOTH = 5  # order of the polynomial
_DELAYS = 9  # by which a filter may lag that are tried
_LEVELS = 3  # parameters of the two levels and their noise


def likelihood_of_trend(trace: Trace, *, heavy: bool) -> float:
    """ln likelihood of one level, moving or not, in noise of the best order, less Akaike's penalty."""
    total = 0.0
    for row in trace.rows:
        moving, parameters = without_trend(row)
        total += max(likelihood_of_noise(row, heavy=heavy), likelihood_of_noise(moving, heavy=heavy) - parameters)
    return total


def likelihood_of_levels(trace: Trace, found: Switching, states: FloatArray) -> float:
    """ln likelihood of two levels, as `likelihood_of_trend` has it, or of the process in white noise, if larger.

    Args:
        trace: as it was fitted.
        found: rates and levels.
        states: the course of the system, shape (samples,), 0 and 1.
    """
    jumps = np.diff(states.reshape(trace.traces, -1), axis=1) != 0
    share = min(max(float(jumps.mean()), 0.5 / jumps.size), 0.5)
    path = np.count_nonzero(jumps) * math.log(share) + np.count_nonzero(~jumps) * math.log(1 - share)
    course = max(_about(trace, seen) for seen in _courses(states.reshape(trace.traces, -1), trace.filter))
    return max(course + path - _LEVELS, log_likelihood(trace.samples(found.scale), found))


def without_trend(y: FloatArray) -> tuple[FloatArray, int]:
    """The trace less its best trend, shape (n,), and how many parameters that has."""
    times = (np.arange(y.size) + 0.5) / y.size
    width = -(-y.size // _BLOCKS)
    starts = np.arange(0, y.size, width)
    counts = np.diff(starts, append=y.size)
    means, middles = (np.add.reduceat(values, starts) / counts for values in (y, times))
    best: tuple[float, int, FloatArray] = (math.inf, 0, np.empty(0))
    for kind, shapes in enumerate(_trends(middles)):
        weights = np.linalg.lstsq(shapes, means, rcond=None)[0]
        left = means - shapes @ weights
        if (squares := float(left @ left)) < best[0]:
            best = squares, kind, np.asarray(weights, dtype=float)
    _, chosen, weights = best
    blocks = range(0, y.size, _BLOCK)
    trend = [next(islice(_trends(times[first : first + _BLOCK]), chosen, None)) @ weights for first in blocks]
    return y - np.concatenate(trend), weights.size + 1


def _trends(t: FloatArray) -> Iterator[FloatArray]:
    """Families of shapes over 0..1: each shape (n, parameters)."""
    smooth = np.asarray(np.polynomial.legendre.legvander(2 * t - 1, _SMOOTH), dtype=float)
    yield smooth
    for constant in _SETTLING:
        yield np.column_stack([smooth[:, :3], np.exp(-t / constant)])
    for begin in _CREEP:
        yield np.column_stack([smooth[:, :3], np.log1p(t / begin)])


def _courses(states: FloatArray, constant: float) -> Iterator[FloatArray]:
    """The current between levels 0 and 1, shape (traces, n): with sudden jumps, and as a filter spreads them."""
    yield states
    if not constant:
        return
    from scipy.signal import lfilter

    keep = math.exp(-1 / constant)
    for delay in sorted({round(part) for part in np.linspace(0, 2 * constant, _DELAYS).tolist()}):
        earlier = np.concatenate([states[:, delay:], np.repeat(states[:, -1:], delay, axis=1)], axis=1)
        first = earlier[:, :1]
        yield np.asarray(lfilter([1 - keep], [1, -keep], earlier - first, axis=1) + first, dtype=float)


def _about(trace: Trace, course: FloatArray) -> float:
    """ln likelihood of noise about the course, between the two levels that fit it best."""
    shapes = np.column_stack([np.ones(trace.y.size), course.ravel()])
    left = trace.y - shapes @ np.linalg.lstsq(shapes, trace.y, rcond=None)[0]
    return likelihood_of_noise(left.reshape(trace.traces, -1))
