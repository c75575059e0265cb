"""Rates of telegraph switching from current against time.

By default the whole trace is fitted as a two-state Markov process seen through noise (`telegraph_likelihood`): no
threshold is needed, and dwells that the sampling misses are part of the model. With a threshold or a dead time, dwells
are counted instead, and corrected for those that were missed (`telegraph_dwells`).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.telegraph_dwells import Dwells, corrected_rates, dwells, idealised
from stmlab.analysis.telegraph_likelihood import Switching, curvature, most_likely, most_likely_states
from stmlab.errors import FitError
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

_FEWEST = 50  # samples
_APART = 2.0  # noise between the levels, below which two states cannot be told from one
_HYSTERESIS = 1.0  # noise on either side of a threshold
_SMALL = 0.1  # noise over step: a filter's tails count for more
_FEW_DWELLS = 10
_FAST = 0.3  # transitions per sample of a state: beyond, dwells are hardly sampled
_LEVELS_MOVED = 5.0  # standard errors
_BETTER = 10.0  # ln likelihood that two states must gain over one
_BINS = 120
_ODD = 1e-3  # probability below which dwell times are no longer called exponential


def fit_telegraph(
    current: ArrayLike, sample_interval: float, *, threshold: float | None = None, dead_time: float | None = None
) -> FitResult:
    """Fit levels and rates of a current that switches between two levels.

    Args:
        current: A, shape (n,), evenly sampled.
        sample_interval: s.
        threshold: A; a transition is counted when the current passes it by the noise. None: the middle of the levels.
        dead_time: s; shorter dwells are not counted, and corrected for. None: one sample.
            Giving either counts dwells; without, the likelihood of the whole trace is maximised.

    Returns:
        Parameters "rate_up" and "rate_down" (1/s, of leaving the low and the high level), "low", "high" (A), "noise"
        (A, of a sample), and derived "rate" (their sum), "step" (A), "occupation" (of the high level). ``choices``
        holds the number of transitions.
        Curves "x" (s), "data", "fit" (the most likely course), "residual", "histogram_x" (A), "histogram",
        "histogram_fit" (samples).

    Raises:
        FitError: the trace does not show two levels, or hardly switches.
    """
    trace = _Trace.checked(current, sample_interval)
    start = _start(trace)
    if threshold is None and dead_time is None:
        return _by_likelihood(trace, start)
    return _by_dwells(trace, start, threshold, dead_time)


@dataclass(frozen=True, eq=False)
class _Trace:
    """Checked data in units of its spread: y = (current - middle) / spread."""

    y: FloatArray
    interval: float  # s
    middle: float  # A
    spread: float  # A

    @classmethod
    def checked(cls, current: ArrayLike, sample_interval: float) -> _Trace:
        try:
            values = np.asarray(current, dtype=float)
        except (TypeError, ValueError):
            raise FitError("current: a row of numbers is needed") from None
        if values.ndim != 1 or values.size < _FEWEST:
            raise FitError(f"current has shape {values.shape}: a row of at least {_FEWEST} samples is needed")
        if not np.all(np.isfinite(values)):
            raise FitError(f"current: {np.count_nonzero(~np.isfinite(values))} of {values.size} values are not finite")
        if not (math.isfinite(sample_interval) and sample_interval > 0):
            raise FitError(f"sample_interval = {sample_interval!r} s: a value above 0 is needed")
        spread = float(values.std())
        if not spread > 1e-12 * float(np.abs(values).max()):
            raise FitError(f"current = {values[0]:.6g} A all the time: there is nothing that switches")
        middle = float(values.mean())
        return cls((values - middle) / spread, float(sample_interval), middle, spread)


def _start(trace: _Trace) -> Switching:
    """Levels that split the samples best (Otsu), and rates by counting; refuses a trace with one level."""
    ordered = np.sort(trace.y)
    count = np.arange(1, ordered.size)
    below = np.cumsum(ordered)[:-1]
    between = (below / count - (ordered.sum() - below) / (ordered.size - count)) ** 2 * count * (ordered.size - count)
    split = 0.5 * (ordered[between.argmax()] + ordered[between.argmax() + 1])
    parts = trace.y[trace.y < split], trace.y[trace.y >= split]
    low, high = (float(np.median(part)) for part in parts)
    noise = max(min(_robust(part) for part in parts), 1e-6 * (high - low))
    states = idealised(trace.y, (split - 0.2 * (high - low), split + 0.2 * (high - low)))
    rises, falls = (int(np.count_nonzero(np.diff(states) == sign)) for sign in (1, -1))
    lows = max(float(np.count_nonzero(states == 0)), 1.0)
    highs = max(float(np.count_nonzero(states == 1)), 1.0)
    return Switching((rises + 0.5) / lows, (falls + 0.5) / highs, low, high - low, noise, averaged=True)


def _robust(values: FloatArray) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


# -- by likelihood -----------------------------------------------------------------------------------------------------


def _by_likelihood(trace: _Trace, start: Switching) -> FitResult:
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
    trace: _Trace, best: Switching, covariance: FloatArray, counted: Dwells
) -> tuple[Switching, FloatArray]:
    """Where noise is small against the step, levels and noise from the samples away from jumps.

    What a filter leaves of a jump in the samples after it would pull the levels together.
    """
    quiet, high = ~_moving(counted), counted.states.astype(bool)
    parts = trace.y[quiet & ~high], trace.y[quiet & high]
    if best.deviation > _SMALL * best.step or min(part.size for part in parts) < _FEWEST:
        return best, covariance
    low, top = (float(part.mean()) for part in parts)
    noise = math.sqrt(0.5 * sum(float(part.var()) for part in parts))
    step, (below, above) = top - low, (float(part.var()) / part.size for part in parts)
    errors = covariance.copy()
    errors[2:], errors[:, 2:] = 0.0, 0.0
    errors[2, 2], errors[3, 3], errors[4, 4] = below, (below + above) / step**2, 0.5 / trace.y.size
    errors[2, 3] = errors[3, 2] = -below / step
    return replace(best, low=low, step=step, noise=noise, heavy=False), errors


def _refuse_one_level(trace: _Trace, best: Switching, likelihood: float) -> None:
    single = -0.5 * trace.y.size * (math.log(2 * math.pi) + 1)  # of a Gaussian with the trace's own spread, 1
    apart = best.step / best.deviation
    if apart < _APART or likelihood - single < _BETTER:
        raise FitError(
            f"the trace shows one level with noise: two would lie {apart:.2g} times the noise apart, at least "
            f"{_APART:g} is needed"
        )


def _refuse_standstill(counted: Dwells) -> None:
    if counted.transitions < 2:
        seen = f"{counted.transitions} transition{'' if counted.transitions == 1 else 's'} in the whole trace"
        raise FitError(f"{seen}: no rate can be had from it; a longer trace is needed")


# -- by dwells ---------------------------------------------------------------------------------------------------------


def _by_dwells(trace: _Trace, start: Switching, threshold: float | None, dead_time: float | None) -> FitResult:
    """Counted between thresholds; errors from the number of dwells, through the correction for missed ones."""
    _refuse_one_level(trace, start, math.inf)
    at = start.low + 0.5 * start.step if threshold is None else (threshold - trace.middle) / trace.spread
    if not start.low < at < start.low + start.step:
        raise FitError(
            f"threshold = {threshold:.6g} A lies outside the two levels, {trace.middle + trace.spread * start.low:.6g} "
            f"and {trace.middle + trace.spread * (start.low + start.step):.6g} A"
        )
    dead = 1.0 if dead_time is None else dead_time / trace.interval
    if not (math.isfinite(dead) and dead >= 0):
        raise FitError(f"dead_time = {dead_time!r} s: 0 or more is allowed")
    hysteresis = min(_HYSTERESIS * start.noise, 0.9 * min(at - start.low, start.low + start.step - at))
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
    states = counted.states.astype(bool)
    levels = [float(trace.y[~states].mean()), float(trace.y[states].mean())]
    noise = float(np.sqrt(np.mean((trace.y - np.where(states, levels[1], levels[0])) ** 2)))
    found = Switching(rates[0], rates[1], levels[0], levels[1] - levels[0], noise)
    covariance = np.zeros((5, 5))
    covariance[:2, :2] = slope @ np.diag(spread) @ slope.T
    below, above = noise**2 / np.count_nonzero(~states), noise**2 / np.count_nonzero(states)
    covariance[2, 2], covariance[3, 3] = below, (below + above) / found.step**2
    covariance[2, 3] = covariance[3, 2] = -below / found.step
    covariance[4, 4] = 0.5 / trace.y.size
    return _result(trace, found, covariance, counted, f"dwells of at least {dead * trace.interval:.3g} s")


# -- the result --------------------------------------------------------------------------------------------------------


def _result(trace: _Trace, found: Switching, covariance: FloatArray, counted: Dwells, method: str) -> FitResult:
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
        warnings=_warnings(trace, found, counted),
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


# -- what should not be believed ---------------------------------------------------------------------------------------


def _warnings(trace: _Trace, found: Switching, counted: Dwells) -> tuple[str, ...]:
    checks = [_few(counted), _close(found), _too_fast(found), _drifting(trace, found, counted)]
    checks += [_coloured(trace, found, counted), _more_levels(trace, found, counted), _not_exponential(counted)]
    return tuple(text for text in checks if text)


def _few(counted: Dwells) -> str:
    fewest = min(counted.low.size, counted.high.size)
    if fewest >= _FEW_DWELLS:
        return ""
    return f"only {counted.transitions} transitions: the rates are uncertain by more than their errors may say"


def _close(found: Switching) -> str:
    apart = found.step / found.deviation
    return "" if apart >= 3 else f"the levels lie only {apart:.1f} times the noise apart"


def _too_fast(found: Switching) -> str:
    fastest = max(found.up, found.down)
    return "" if fastest < _FAST else f"the fastest dwell lasts only {1 / fastest:.1f} samples: sample faster"


def _drifting(trace: _Trace, found: Switching, counted: Dwells) -> str:
    """Compare the levels of both halves."""
    left = trace.y - found.low - found.step * counted.states
    half = left.size // 2
    first, second = left[:half], left[half:]
    error = found.deviation * math.sqrt(1 / first.size + 1 / second.size)
    moved = float(second.mean() - first.mean())
    if abs(moved) < max(_LEVELS_MOVED * error, 0.1 * found.step):
        return ""
    return f"the levels drift by {moved * trace.spread:.3g} A from the first to the second half of the trace"


def _coloured(trace: _Trace, found: Switching, counted: Dwells) -> str:
    """Correlation of the noise of neighbouring samples, away from jumps."""
    left = trace.y - found.low - found.step * counted.states
    quiet = ~_moving(counted)
    pairs = quiet[1:] & quiet[:-1] & (np.maximum(np.abs(left[1:]), np.abs(left[:-1])) < 4 * found.deviation)
    if np.count_nonzero(pairs) < _FEWEST:
        return ""
    correlation = float(np.mean((left[1:] * left[:-1])[pairs]) / np.mean((left[1:] ** 2)[pairs]))
    if correlation < 0.1 + 3 / math.sqrt(np.count_nonzero(pairs)):
        return ""
    return f"neighbouring samples share their noise (correlation {correlation:.2f}): errors of the levels are too small"


def _moving(counted: Dwells) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Samples within or next to a jump, and the two after it, in which a filter may still show it."""
    jumps = np.flatnonzero(np.diff(counted.states))
    moving = np.zeros(counted.states.size, dtype=bool)
    for after in range(-1, 4):
        moving[np.clip(jumps + after, 0, moving.size - 1)] = True
    return moving


def _more_levels(trace: _Trace, found: Switching, counted: Dwells) -> str:
    """Samples that neither level explains, beyond those of intervals in which the system switched."""
    left = np.abs(trace.y - found.low - found.step * counted.states)
    moving = _moving(counted)
    noise = max(found.deviation, 0.05 * found.step)
    odd = float(np.mean(left[~moving] > 6 * noise)) if np.any(~moving) else 0.0
    return "" if odd < 0.005 else f"{odd:.1%} of the samples lie off both levels: there may be more than two states"


def _not_exponential(counted: Dwells) -> str:
    """Kolmogorov and Smirnov's distance from an exponential with the same mean (as Lilliefors has it)."""
    for name, lengths in (("low", counted.low), ("high", counted.high)):
        seen = lengths[lengths > 1] - 1.5  # whole samples: the first is blurred
        if seen.size < 30:
            continue
        ordered = np.sort(seen + 0.5)
        model = 1 - np.exp(-ordered / ordered.mean())
        rank = np.arange(ordered.size + 1) / ordered.size
        distance = max(float(np.abs(model - rank[1:]).max()), float(np.abs(model - rank[:-1]).max()))
        grain = 1 - math.exp(-1 / ordered.mean())  # dwells come in whole samples
        if (distance - grain) * math.sqrt(ordered.size) > math.sqrt(-0.5 * math.log(_ODD / 2)):
            return f"the dwells in the {name} state are not exponentially distributed: more than two states, or a drift"
    return ""
