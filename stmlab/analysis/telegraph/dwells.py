"""Dwell times of a trace between two thresholds, and the rates that they mean when short ones are not seen.

A trace is idealised with two thresholds (noise between them makes no transition), dwells shorter than the dead time are
joined to their neighbours, and the mean dwells that remain are those of apparent dwells: several true ones with missed
ones in between. For dead time d and rates a, b of leaving the two states, an apparent dwell of the first lasts

    d + 1/a + (e^(b d) - 1) (m_b + 1/a),        m_b = 1/b - d / (e^(b d) - 1)

on average; both equations together give a and b.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray

_ROUNDS = 500
_CONVERGED = 1e-12
_ALL_MISSED = 100.0  # dwells shorter than the dead time: no mean is that long


@dataclass(frozen=True, eq=False)
class Dwells:
    """Finished dwells of idealised traces, in samples; the first and the last of a trace are cut off by its ends.

    Attributes:
        low, high: lengths of the dwells in each state.
        states: shape (samples,), 0 low and 1 high; of several traces one after another.
        jumps: where the state changes from one sample to the next, shape (transitions,): index of the first of the two.
    """

    low: FloatArray
    high: FloatArray
    states: FloatArray
    jumps: IntArray

    @property
    def transitions(self) -> int:
        """Changes of state within a trace."""
        return int(self.jumps.size)


def idealised(values: FloatArray, thresholds: tuple[float, float]) -> FloatArray:
    """States of traces: high once above the upper threshold, low once below the lower one; shape as ``values``."""
    if values.ndim > 1:
        return np.array([idealised(trace, thresholds) for trace in values])
    lower, upper = thresholds
    said = np.where(values > upper, 1.0, np.where(values < lower, 0.0, np.nan))
    known = np.flatnonzero(np.isfinite(said))
    if known.size == 0:
        raise FitError("no sample lies beyond a threshold: the trace does not switch between them")
    last = np.maximum.accumulate(np.where(np.isfinite(said), np.arange(values.size), 0))
    states = said[last]
    states[: known[0]] = said[known[0]]
    return states


def dwells(states: FloatArray, dead_time: float) -> Dwells:
    """Dwells of at least ``dead_time`` (in samples); shorter ones belong to their neighbours.

    Args:
        states: shape (n,) or (traces, n).
        dead_time: in samples.
    """
    traces = np.atleast_2d(states)
    joined = np.array([_joined(trace, dead_time) for trace in traces])
    low, high, jumps = [], [], []
    for k, trace in enumerate(joined):
        edges = np.flatnonzero(np.diff(trace)) + 1
        inner, lengths = trace[edges[:-1]], np.diff(edges).astype(float)
        low.append(lengths[inner == 0])
        high.append(lengths[inner == 1])
        jumps.append(edges - 1 + k * trace.size)
    return Dwells(np.concatenate(low), np.concatenate(high), joined.ravel(), np.concatenate(jumps))


def _joined(states: FloatArray, dead_time: float) -> FloatArray:
    """States without the dwells that are too short; shape (n,)."""
    begins = np.concatenate([[0], np.flatnonzero(np.diff(states)) + 1])
    long = np.diff(begins, append=states.size) >= dead_time
    long[0] = True  # it began before the trace
    last = np.maximum.accumulate(np.where(long, np.arange(begins.size), 0))
    return np.repeat(states[begins[last]], np.diff(begins, append=states.size))


def corrected_rates(mean_low: float, mean_high: float, dead_time: float) -> tuple[float, float]:
    """Rates of leaving the low and the high state, from the mean apparent dwells; all in samples.

    Raises:
        FitError: the dead time is too long for these dwells: no rates have such means.
    """
    a, b = 1 / max(mean_low - dead_time, 1e-9), 1 / max(mean_high - dead_time, 1e-9)
    if dead_time == 0:
        return a, b
    for _ in range(_ROUNDS):
        before = a, b
        a, b = _rate(mean_low, b, dead_time), _rate(mean_high, a, dead_time)
        if not (0 < a < math.inf and 0 < b < math.inf):
            break
        if max(abs(a / before[0] - 1), abs(b / before[1] - 1)) < _CONVERGED:
            return a, b
    raise FitError(
        f"dead_time: {dead_time:.3g} samples are too long for mean dwells of {mean_low:.3g} and {mean_high:.3g} samples"
    )


def _rate(mean: float, other: float, dead_time: float) -> float:
    """Of leaving a state with this mean apparent dwell, when the ``other`` rate is known."""
    missed = math.expm1(min(other * dead_time, _ALL_MISSED))
    if missed == 0:
        return 1 / (mean - dead_time)
    between = 1 / other - dead_time / missed
    left = mean - dead_time - missed * between
    return (1 + missed) / left if left > 0 else math.nan
