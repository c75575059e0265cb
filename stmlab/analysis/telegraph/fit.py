"""Rates of telegraph switching from current against time.

By default the whole trace is fitted as a two-state Markov process seen through noise (`likelihood`): no
threshold is needed, and dwells that the sampling misses are part of the model. With a threshold or a dead time, dwells
are counted instead, and corrected for those that were missed (`dwells`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.telegraph.counting import by_dwells
from stmlab.analysis.telegraph.course import most_likely_states
from stmlab.analysis.telegraph.doubts import moving
from stmlab.analysis.telegraph.dwells import Dwells, dwells
from stmlab.analysis.telegraph.refusals import (
    refuse_one_level,
    refuse_one_moving_level,
    refuse_spikes,
    refuse_standstill,
)
from stmlab.analysis.telegraph.result import result
from stmlab.analysis.telegraph.search import curvature, most_likely
from stmlab.analysis.telegraph.switching import QUIETEST, Switching
from stmlab.analysis.telegraph.trace import FEWEST, NOISELESS, Trace, digits, filter_of, first_guess, robust
from stmlab.errors import FitEnded, FitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.analysis.telegraph.samples import Samples
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_KINDS = ((False, False), (True, True), (False, True))  # averaged, heavy: after (True, False)
_TAILED = 0.77
"""Scale of Student's t over the standard deviation: Gaussian noise asks for 0.83, its own tails for 0.71."""
_OUTSIDE = 4.0  # noises from a level: samples that show something else
_ROBUST = 1.36  # variance of a standard deviation by the median, times samples; 0.5 by the squares
_HIDDEN = 1.25  # dead time over a filter's time constant


def fit_telegraph(
    current: ArrayLike, sample_interval: float, *, threshold: float | None = None, dead_time: float | None = None
) -> FitResult:
    """Fit levels and rates of a current that switches between two levels.

    Args:
        current: A, shape (n,), evenly sampled; or (traces, n): several traces of one process.
        sample_interval: s.
        threshold: A; a transition is counted when the current passes it by the noise, or by more where noise would
            pass as well. None: the middle of the levels.
        dead_time: s; shorter dwells are not counted, and corrected for. None: one sample.
            Giving either counts dwells; without, the likelihood of the whole trace is maximised, unless a filter
            spreads jumps over several samples, or a coarse digitiser leaves no noise to speak of: then dwells are
            counted, with a dead time that suits the filter.

    Returns:
        Parameters "rate_up" and "rate_down" (1/s, of leaving the low and the high level), "low", "high" (A), "noise"
        (A, of a sample), and derived "rate" (their sum), "step" (A), "occupation" (of the high level). ``choices``
        holds the number of transitions.
        Curves "x" (s), "data", "fit" (the most likely course), "residual" (A) and "trace" (its number), of several
        traces one after another; "histogram_x" (A), "histogram", "histogram_fit" (samples in each bin).

    Raises:
        FitError: the trace does not show two levels, or hardly switches.
    """
    trace = Trace.checked(current, sample_interval)
    start = first_guess(trace)
    if threshold is None and dead_time is None:
        constant = filter_of(trace, start)
        if constant == 0:
            return by_dwells(trace, start, None, None) if digits(trace) else _by_likelihood(trace, start)
        return _behind_filter(replace(trace, filter=constant), start)
    return by_dwells(trace, start, threshold, dead_time)


# -- by likelihood -----------------------------------------------------------------------------------------------------


def _by_likelihood(trace: Trace, start: Switching) -> FitResult:
    """Samples that average over their interval or show a moment, Gaussian noise or heavy tails: the likeliest."""
    samples = trace.samples(start.scale)
    first = most_likely(samples, start)
    best, likelihood = first
    for averaged, heavy in _KINDS:
        noise = first[0].noise * (_TAILED if heavy else 1.0)
        begun = replace(first[0], averaged=averaged, heavy=heavy, noise=noise)
        found, its = most_likely(samples, begun, than=likelihood)
        if its > likelihood:
            best, likelihood = found, its
    refuse_one_level(best)
    refuse_spikes(trace, best, likelihood)
    counted = dwells(most_likely_states(samples, best), 0.0)
    refuse_one_moving_level(trace, best, counted.states)
    refuse_standstill(counted)
    return result(trace, *_quiet_levels(trace, best, _covariance(samples, best), counted), counted, "the whole trace")


def _covariance(samples: Samples, best: Switching) -> FloatArray:
    """By the curvature of the likelihood; nan where the fit is to end early."""
    try:
        second = curvature(samples, best)
    except FitEnded:
        return np.full((5, 5), np.nan)
    if not np.all(np.linalg.eigvalsh(second) > 0):
        raise FitError("the trace does not determine levels and rates together")
    return np.asarray(np.linalg.inv(second), dtype=float)


def _quiet_levels(
    trace: Trace, best: Switching, covariance: FloatArray, counted: Dwells
) -> tuple[Switching, FloatArray]:
    """Where noise is small against the step, levels and noise from the samples away from jumps.

    What a filter leaves of a jump in the samples after it would pull the levels together, and the likelihood takes no
    noise for smaller than `QUIETEST`.
    """
    quiet, high = ~moving(counted, trace), counted.states.astype(bool)
    parts = [trace.y[quiet & state] for state in (~high, high)]
    if best.deviation > QUIETEST * best.step or min(part.size for part in parts) < FEWEST:
        return best, covariance
    noise = max(robust(*(part - np.median(part) for part in parts)), NOISELESS * best.step)
    parts = [part[np.abs(part - np.median(part)) < _OUTSIDE * noise] for part in parts]  # without hidden dwells
    low, top = (float(part.mean()) for part in parts)
    step, (below, above) = top - low, (noise**2 / part.size for part in parts)
    errors = covariance.copy()
    errors[2:], errors[:, 2:] = 0.0, 0.0
    errors[2, 2], errors[3, 3], errors[4, 4] = below, (below + above) / step**2, _ROBUST / trace.y.size
    errors[2, 3] = errors[3, 2] = -below / step
    return replace(best, low=low, step=step, noise=noise, heavy=False), errors


def _behind_filter(trace: Trace, start: Switching) -> FitResult:
    """By dwells, with a dead time that suits the filter."""
    try:
        return by_dwells(trace, start, None, _HIDDEN * trace.filter * trace.interval)
    except FitError as error:
        raise FitError(
            f"samples lie between the two levels, as a filter of {trace.filter * trace.interval:.2g} s leaves them, or "
            f"a third level: {error}"
        ) from error
