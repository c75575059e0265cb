"""The single most likely course of states of a trace (Viterbi), for all segments of it in step.

What is known of the past is one number: d, the score of being high less that of being low. A sample with the scores
s[i, j] of coming from i to j turns it into

    max(s[0, 1], d + s[1, 1]) - max(s[0, 0], d + s[1, 0]),

a line of slope 1 or -1 between two bounds, and such lines make one again when they follow each other. So each segment
is first made into one of them; then d is known where each begins; then all segments are followed from there, and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from stmlab.analysis.telegraph.samples import Samples
    from stmlab.analysis.telegraph.switching import Switching
    from stmlab.arrays import BoolArray, FloatArray

_STAYS = np.where(np.eye(2) == 1, 0.0, -1e300)  # the step after the end of a trace


class _Lines(NamedTuple):
    """d -> slope d + offset, between low and high; one for each segment."""

    slope: FloatArray
    offset: FloatArray
    low: FloatArray
    high: FloatArray

    def at(self, d: FloatArray) -> FloatArray:
        """Values at ``d``."""
        return np.clip(self.slope * d + self.offset, self.low, self.high)

    def then(self, after: _Lines) -> _Lines:
        """This one, and ``after`` upon what comes of it."""
        ends = after.at(self.low), after.at(self.high)
        offset = after.slope * self.offset + after.offset
        return _Lines(self.slope * after.slope, offset, np.minimum(*ends), np.maximum(*ends))


def most_likely_states(samples: Samples, switching: Switching) -> FloatArray:
    """The single most likely course of states, 0 low and 1 high; shape (traces, n)."""
    with np.errstate(divide="ignore"):
        table = np.log(switching.joint(samples.values))
        low, high = np.log(switching.stationary()).tolist()
    begins = _begins(samples, table, high - low)
    from_high, end = _forward(samples, table, begins)
    return samples.in_order(_back(samples, from_high, end).astype(float))


def _begins(samples: Samples, table: FloatArray, first: float) -> FloatArray:
    """d where each segment begins, shape (segments,)."""
    lines: _Lines | None = None
    for scores in samples.each(table, _STAYS):
        line = _line(scores)
        lines = line if lines is None else lines.then(line)
    assert lines is not None
    of_traces = [column.reshape(samples.traces, -1).T for column in lines]
    d = np.full(samples.traces, first)
    found = np.empty(of_traces[0].shape)
    for k, parts in enumerate(zip(*of_traces, strict=True)):
        found[k] = d
        d = _Lines(*parts).at(d)
    return found.T.ravel()


def _line(scores: FloatArray) -> _Lines:
    """One sample as a line."""
    (stay_low, rise), (fall, stay_high) = scores
    ends = rise - stay_low, stay_high - fall
    rising = stay_high + stay_low >= rise + fall
    slope = np.where(rising, 1.0, -1.0)
    offset = np.where(rising, stay_high - stay_low, rise - fall)
    return _Lines(slope, offset, np.minimum(*ends), np.maximum(*ends))


def _forward(samples: Samples, table: FloatArray, d: FloatArray) -> tuple[BoolArray, FloatArray]:
    """For each step and state, whether the likeliest way into it comes from the high one; d at the ends."""
    from_high = np.empty((len(samples.steps), 2, len(d)), dtype=bool)
    for k, ((stay_low, rise), (fall, stay_high)) in enumerate(samples.each(table, _STAYS)):
        low, high = d + fall, d + stay_high
        np.greater(low, stay_low, out=from_high[k, 0])
        np.greater(high, rise, out=from_high[k, 1])
        d = np.maximum(high, rise) - np.maximum(low, stay_low)
    return from_high, d


def _back(samples: Samples, from_high: BoolArray, d: FloatArray) -> BoolArray:
    """States, in the shape of the samples' steps."""
    before = np.array([[False], [True]]) & np.ones(len(d), dtype=bool)  # for both states at the end
    for low, high in from_high[::-1]:
        before = np.where(before, high, low)
    to_low, to_high = before.reshape(2, samples.traces, -1)
    ends = _ends(to_low, to_high, d.reshape(samples.traces, -1)[:, -1] > 0)
    states = np.empty((len(from_high), len(d)), dtype=bool)
    for k in range(len(from_high) - 1, -1, -1):
        states[k] = ends
        ends = np.where(ends, from_high[k, 1], from_high[k, 0])
    return states


def _ends(to_low: BoolArray, to_high: BoolArray, last: BoolArray) -> BoolArray:
    """State at the end of each segment, from the last one of each trace backwards."""
    found = np.empty(to_low.shape, dtype=bool)
    for k in reversed(range(len(found[0]))):
        found[:, k] = last
        last = np.where(last, to_high[:, k], to_low[:, k])
    return found.ravel()
