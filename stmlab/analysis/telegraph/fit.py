"""Rates of telegraph switching from current against time.

By default the whole trace is fitted as a two-state Markov process seen through noise (`likelihood`): no
threshold is needed, and dwells that the sampling misses are part of the model. With a threshold or a dead time, dwells
are counted instead, and corrected for those that were missed (`dwells`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.telegraph.counting import by_dwells
from stmlab.analysis.telegraph.doubts import moving
from stmlab.analysis.telegraph.dwells import Dwells, dwells
from stmlab.analysis.telegraph.likelihood import Switching, curvature, most_likely, most_likely_states
from stmlab.analysis.telegraph.refusals import refuse_noise, refuse_one_level, refuse_spikes, refuse_standstill
from stmlab.analysis.telegraph.result import result
from stmlab.analysis.telegraph.trace import FEWEST, NOISELESS, Trace, digits, filter_of, first_guess
from stmlab.errors import FitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_KINDS = ((False, False), (True, True), (False, True))  # averaged, heavy: after (True, False)
_SMALL = 0.1  # noise over step: a filter's tails count for more
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
    first = most_likely(trace.rows, start)
    fits = [most_likely(trace.rows, replace(first[0], averaged=averaged, heavy=heavy)) for averaged, heavy in _KINDS]
    best, likelihood = max(first, *fits, key=lambda fit: fit[1])
    refuse_one_level(best)
    refuse_noise(trace, best, likelihood)
    refuse_spikes(trace, best, likelihood)
    counted = dwells(most_likely_states(trace.rows, best), 0.0)
    refuse_standstill(counted)
    second = curvature(trace.rows, best)
    try:
        covariance = np.asarray(np.linalg.inv(second), dtype=float)
    except np.linalg.LinAlgError:
        covariance = np.full((5, 5), math.nan)
    if not np.all(np.diag(covariance) > 0):
        raise FitError("the trace does not determine levels and rates together")
    return result(trace, *_quiet_levels(trace, best, covariance, counted), counted, "the whole trace")


def _quiet_levels(
    trace: Trace, best: Switching, covariance: FloatArray, counted: Dwells
) -> tuple[Switching, FloatArray]:
    """Where noise is small against the step, levels and noise from the samples away from jumps.

    What a filter leaves of a jump in the samples after it would pull the levels together.
    """
    quiet, high = ~moving(counted, trace), counted.states.astype(bool)
    parts = trace.y[quiet & ~high], trace.y[quiet & high]
    if best.deviation > _SMALL * best.step or min(part.size for part in parts) < FEWEST:
        return best, covariance
    low, top = (float(part.mean()) for part in parts)
    noise = max(_robust(parts[0] - low, parts[1] - top), NOISELESS * (top - low))
    step, (below, above) = top - low, (float(part.var()) / part.size for part in parts)
    errors = covariance.copy()
    errors[2:], errors[:, 2:] = 0.0, 0.0
    errors[2, 2], errors[3, 3], errors[4, 4] = below, (below + above) / step**2, _ROBUST / trace.y.size
    errors[2, 3] = errors[3, 2] = -below / step
    return replace(best, low=low, step=step, noise=noise, heavy=False), errors


def _robust(*left: FloatArray) -> float:
    """Standard deviation by the median: what short dwells leave in a few samples does not count."""
    return 1.4826 * float(np.median(np.abs(np.concatenate(left))))


def _behind_filter(trace: Trace, start: Switching) -> FitResult:
    """By dwells, with a dead time that suits the filter."""
    try:
        return by_dwells(trace, start, None, _HIDDEN * trace.filter * trace.interval)
    except FitError as error:
        raise FitError(
            f"samples lie between the two levels, as a filter of {trace.filter * trace.interval:.2g} s leaves them, or "
            f"a third level: {error}"
        ) from error
