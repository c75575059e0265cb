"""Rates of telegraph switching from current against time.

By default the whole trace is fitted as a two-state Markov process seen through noise (`likelihood`): no
threshold is needed, and dwells that the sampling misses are part of the model. With a threshold or a dead time, dwells
are counted instead, and corrected for those that were missed (`dwells`).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.telegraph.doubts import moving, warnings
from stmlab.analysis.telegraph.dwells import Dwells, corrected_rates, dwells, idealised
from stmlab.analysis.telegraph.likelihood import Switching, curvature, most_likely, most_likely_states
from stmlab.analysis.telegraph.noise import likelihood_of_noise
from stmlab.analysis.telegraph.trace import FEWEST, NOISELESS, Trace, digits, filter_of, first_guess
from stmlab.errors import FitError
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

_APART = 2.0  # noise between the levels, below which two states cannot be told from one
_HYSTERESIS = 1.0  # noise on either side of a threshold
_SMALL = 0.1  # noise over step: a filter's tails count for more
_PLAIN = 4.0  # noise between the levels, from which no noise looks like them
_BETTER = 10.0  # ln likelihood that two states must gain over noise alone
_ROBUST = 1.36  # variance of a standard deviation by the median, times samples; 0.5 by the squares
_MEDIAN = math.pi / 2  # variance of a median over that of a mean
_BINS = 120
_HIDDEN = 1.25  # dead time over a filter's time constant


def fit_telegraph(
    current: ArrayLike, sample_interval: float, *, threshold: float | None = None, dead_time: float | None = None
) -> FitResult:
    """Fit levels and rates of a current that switches between two levels.

    Args:
        current: A, shape (n,), evenly sampled.
        sample_interval: s.
        threshold: A; a transition is counted when the current passes it by the noise. None: the middle of the levels.
        dead_time: s; shorter dwells are not counted, and corrected for. None: one sample.
            Giving either counts dwells; without, the likelihood of the whole trace is maximised, unless a filter
            spreads jumps over several samples, or a coarse digitiser leaves no noise to speak of: then dwells are
            counted, with a dead time that suits the filter.

    Returns:
        Parameters "rate_up" and "rate_down" (1/s, of leaving the low and the high level), "low", "high" (A), "noise"
        (A, of a sample), and derived "rate" (their sum), "step" (A), "occupation" (of the high level). ``choices``
        holds the number of transitions.
        Curves "x" (s), "data", "fit" (the most likely course), "residual", "histogram_x" (A), "histogram",
        "histogram_fit" (samples).

    Raises:
        FitError: the trace does not show two levels, or hardly switches.
    """
    trace = Trace.checked(current, sample_interval)
    start = first_guess(trace)
    if threshold is None and dead_time is None:
        constant = filter_of(trace, start)
        if constant == 0:
            return _by_dwells(trace, start, None, None) if digits(trace) else _by_likelihood(trace, start)
        return _behind_filter(replace(trace, filter=constant), start)
    return _by_dwells(trace, start, threshold, dead_time)


# -- by likelihood -----------------------------------------------------------------------------------------------------


def _by_likelihood(trace: Trace, start: Switching) -> FitResult:
    """Samples that average over their interval or show a moment, Gaussian noise or heavy tails: the likeliest."""
    kinds = itertools.product((True, False), (True, False))
    fits = [most_likely(trace.y, replace(start, averaged=averaged, heavy=heavy)) for averaged, heavy in kinds]
    best, likelihood = max(fits, key=lambda fit: fit[1])
    _refuse_one_level(trace, best, likelihood)
    counted = dwells(most_likely_states(trace.y, best), 0.0)
    _refuse_standstill(counted)
    second = curvature(trace.y, best)
    try:
        covariance = np.asarray(np.linalg.inv(second), dtype=float)
    except np.linalg.LinAlgError:
        covariance = np.full((5, 5), math.nan)
    if not np.all(np.diag(covariance) > 0):
        raise FitError("the trace does not determine levels and rates together")
    return _result(trace, *_quiet_levels(trace, best, covariance, counted), counted, "the whole trace")


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


def _refuse_one_level(trace: Trace, best: Switching, likelihood: float) -> None:
    apart = best.step / best.deviation
    if apart < _APART:
        raise FitError(
            f"the trace does not show two levels: they would lie {apart:.2g} times the noise apart, at least "
            f"{_APART:g} is needed"
        )
    if apart < _PLAIN and likelihood - likelihood_of_noise(trace.y) < _BETTER:
        raise FitError(
            "the trace does not show two levels: noise whose samples depend on each other, as a filter leaves it, "
            f"describes it as well as levels {apart:.2g} times the noise apart"
        )


def _refuse_standstill(counted: Dwells) -> None:
    if counted.transitions < 2:
        seen = f"{counted.transitions} transition{'' if counted.transitions == 1 else 's'} in the whole trace"
        raise FitError(f"{seen}: no rate can be had from it; a longer trace is needed")


def _behind_filter(trace: Trace, start: Switching) -> FitResult:
    """By dwells, with a dead time that suits the filter."""
    try:
        return _by_dwells(trace, start, None, _HIDDEN * trace.filter * trace.interval)
    except FitError as error:
        raise FitError(
            f"samples lie between the two levels, as a filter of {trace.filter * trace.interval:.2g} s leaves them, or "
            f"a third level: {error}"
        ) from error


# -- by dwells ---------------------------------------------------------------------------------------------------------


def _by_dwells(trace: Trace, start: Switching, threshold: float | None, dead_time: float | None) -> FitResult:
    """Counted between thresholds; errors from the number of dwells, through the correction for missed ones."""
    _refuse_one_level(trace, start, math.inf)
    at = start.low + 0.5 * start.step if threshold is None else (threshold - trace.middle) / trace.spread
    if not start.low < at < start.low + start.step:
        raise FitError(
            f"threshold = {threshold:.6g} A lies outside the two levels, {trace.middle + trace.spread * start.low:.6g} "
            f"and {trace.middle + trace.spread * (start.low + start.step):.6g} A"
        )
    digit = digits(trace)
    dead = 1.0 if dead_time is None else dead_time / trace.interval
    if not (math.isfinite(dead) and dead >= 1 - 1e-9):
        raise FitError(
            f"dead_time = {dead_time!r} s: a sample, {trace.interval:.3g} s, or more is allowed: less is not seen"
        )
    widest = 0.9 * min(at - start.low, start.low + start.step - at)
    hysteresis = min(_HYSTERESIS * max(start.noise, digit / 2), widest)
    counted = dwells(idealised(trace.y, (at - hysteresis, at + hysteresis)), dead)
    _refuse_standstill(counted)
    if not (counted.low.size and counted.high.size):
        raise FitError("no dwell with a beginning and an end in both states: a longer trace is needed")
    means = float(counted.low.mean()), float(counted.high.mean())
    rates = corrected_rates(*means, dead)
    slope = np.empty((2, 2))
    for k in range(2):
        step = 1e-4 * (means[k] - dead)
        moved = corrected_rates(means[0] + step * (k == 0), means[1] + step * (k == 1), dead)
        slope[:, k] = np.log(np.divide(moved, rates)) / step
    spread = (np.array(means) - dead) ** 2 / [counted.low.size, counted.high.size]
    states, quiet = counted.states.astype(bool), ~moving(counted, trace)
    if not (np.any(quiet & states) and np.any(quiet & ~states)):
        quiet = np.ones_like(states)
    middle = np.mean if digit else np.median  # hidden dwells pull a mean; a median knows the digitiser's values only
    levels = [float(middle(trace.y[quiet & where])) for where in (~states, states)]
    left = (trace.y - np.where(states, levels[1], levels[0]))[quiet]
    noise = max(float(left.std()) if digit else _robust(left), NOISELESS * (levels[1] - levels[0]))
    found = Switching(rates[0], rates[1], levels[0], levels[1] - levels[0], noise)
    _refuse_one_level(trace, found, math.inf)
    covariance = np.zeros((5, 5))
    covariance[:2, :2] = slope @ np.diag(spread) @ slope.T
    below, above = (_MEDIAN * noise**2 / np.count_nonzero(quiet & where) + digit**2 / 12 for where in (~states, states))
    covariance[2, 2], covariance[3, 3] = below, (below + above) / found.step**2
    covariance[2, 3] = covariance[3, 2] = -below / found.step
    covariance[4, 4] = _ROBUST / np.count_nonzero(quiet)
    return _result(trace, found, covariance, counted, f"dwells of at least {dead * trace.interval:.3g} s", dead)


# -- the result --------------------------------------------------------------------------------------------------------


def _result(
    trace: Trace, found: Switching, covariance: FloatArray, counted: Dwells, method: str, dead: float = 0.0
) -> FitResult:
    """From logarithms and units of the trace to 1/s and A."""
    up, down = found.up / trace.interval, found.down / trace.interval
    scale = np.diag([up, down, trace.spread, found.step * trace.spread, found.deviation * trace.spread])
    covariance = scale @ covariance @ scale
    turn = np.eye(5)
    turn[3, 2] = 1.0  # high = low + step
    free = turn @ covariance @ turn.T
    low = trace.middle + trace.spread * found.low
    step, noise = trace.spread * found.step, trace.spread * found.deviation
    errors = np.sqrt(np.diag(free))
    both = np.array([1.0, 1.0, 0, 0, 0])
    shift = np.array([down, -up, 0, 0, 0]) / (up + down) ** 2
    values = (("rate_up", up, "1/s"), ("rate_down", down, "1/s"), ("low", low, "A"), ("high", low + step, "A"))
    parameters = [
        FitParameter(name, value, float(error), unit)
        for (name, value, unit), error in zip((*values, ("noise", noise, "A")), errors, strict=True)
    ]
    parameters += [
        FitParameter("rate", up + down, math.sqrt(both @ covariance @ both), "1/s"),
        FitParameter("step", step, math.sqrt(covariance[3, 3]), "A"),
        FitParameter("occupation", up / (up + down), math.sqrt(shift @ covariance @ shift)),
    ]
    fit = low + step * counted.states
    data = trace.middle + trace.spread * trace.y
    return FitResult(
        model="telegraph",
        parameters=tuple(parameters),
        free=("rate_up", "rate_down", "low", "high", "noise"),
        covariance=free,
        points=data.size,
        residual=float(np.sqrt(np.mean((data - fit) ** 2))),
        warnings=warnings(trace, found, counted, dead),
        curves={
            "x": np.asarray(trace.interval * np.arange(data.size), dtype=float),
            "data": data,
            "fit": fit,
            "residual": data - fit,
            **_histogram(data, low, step, noise, float(counted.states.mean())),
        },
        labels={"x": "time", "x_unit": "s", "y": "current", "y_unit": "A"},
        choices={"from": method, "transitions": str(counted.transitions)},
    )


def _histogram(data: FloatArray, low: float, step: float, noise: float, occupation: float) -> dict[str, FloatArray]:
    counts, edges = np.histogram(np.asarray(data, dtype=float), bins=min(_BINS, max(20, data.size // 20)))
    centres = np.asarray(0.5 * (edges[1:] + edges[:-1]), dtype=float)
    size = data.size * (edges[1] - edges[0]) / (noise * math.sqrt(2 * math.pi))
    drawn = (1 - occupation) * np.exp(-0.5 * ((centres - low) / noise) ** 2)
    drawn = drawn + occupation * np.exp(-0.5 * ((centres - low - step) / noise) ** 2)
    fitted, seen = np.asarray(size * drawn, dtype=float), np.asarray(counts, dtype=float)
    return {"histogram_x": centres, "histogram": seen, "histogram_fit": fitted}
