"""Switching by dwells: counted between two thresholds, and corrected for those that were missed (`dwells`).

Noise that crosses both thresholds makes dwells of its own. How many is seen on the far side of each level, where there
is nothing else: the trace, mirrored at the level, crosses the thresholds by noise alone. They are set as near to each
other as this allows, because wide ones miss short dwells.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.numbers import number
from stmlab.analysis.telegraph.doubts import matters, moving
from stmlab.analysis.telegraph.dwells import Dwells, corrected_rates, dwells, idealised
from stmlab.analysis.telegraph.refusals import refuse_one_level, refuse_one_moving_level, refuse_standstill
from stmlab.analysis.telegraph.result import result
from stmlab.analysis.telegraph.switching import Switching
from stmlab.analysis.telegraph.trace import NOISELESS, Trace, digits, robust
from stmlab.errors import FitError

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_WIDEST = 0.9  # of the way from a threshold to the nearer level
_WIDTHS = 8  # of the thresholds' distance that are tried
_ROBUST = 1.36  # variance of a standard deviation by the median, times samples; 0.5 by the squares
_MEDIAN = math.pi / 2  # variance of a median over that of a mean


def by_dwells(trace: Trace, start: Switching, threshold: float | None, dead_time: float | None) -> FitResult:
    """Rates from mean dwells; levels and noise from the samples away from jumps.

    Raises:
        FitError: one level, a threshold or a dead time that cannot be, or hardly a transition.
    """
    refuse_one_level(start)
    at = _threshold(trace, start, threshold)
    dead = _dead_time(trace, dead_time)
    counted, by_noise = _counted(trace, start, at, dead)
    refuse_standstill(counted)
    if not (counted.low.size and counted.high.size):
        raise FitError("no dwell with a beginning and an end in both states: a longer trace is needed")
    rates, rate_errors = _rates(counted, dead)
    found, level_errors = _levels(trace, counted, rates)
    refuse_one_level(found)
    refuse_one_moving_level(trace, found, counted.states)
    covariance = np.zeros((5, 5))
    covariance[:2, :2], covariance[2:, 2:] = rate_errors, level_errors
    method = f"dwells of at least {dead * trace.interval:.3g} s"
    return result(trace, found, covariance, counted, method, dead, by_noise)


def _threshold(trace: Trace, start: Switching, threshold: float | None) -> float:
    """In units of the trace."""
    if threshold is None:
        return start.low + 0.5 * start.step
    at = (number("threshold", threshold) - trace.middle) / trace.spread
    if not start.low < at < start.low + start.step:
        raise FitError(
            f"threshold = {threshold:.6g} A lies outside the two levels, {trace.middle + trace.spread * start.low:.6g} "
            f"and {trace.middle + trace.spread * (start.low + start.step):.6g} A"
        )
    return at


def _dead_time(trace: Trace, dead_time: float | None) -> float:
    """In samples."""
    dead = 1.0 if dead_time is None else number("dead_time", dead_time) / trace.interval
    if not dead >= 1 - 1e-9:
        raise FitError(
            f"dead_time = {dead_time!r} s: a sample, {trace.interval:.3g} s, or more is allowed: less is not seen"
        )
    return dead


def _counted(trace: Trace, start: Switching, at: float, dead: float) -> tuple[Dwells, int]:
    """Dwells between the nearest thresholds that noise hardly crosses, and the transitions that it makes."""
    widest = _WIDEST * min(at - start.low, start.low + start.step - at)
    nearest = min(max(start.noise, digits(trace) / 2), widest)
    tried = []
    for half in np.linspace(nearest, widest, _WIDTHS).tolist():
        thresholds = at - half, at + half
        counted = dwells(idealised(trace.rows, thresholds), dead)
        tried.append((counted, _by_noise(trace, start, counted, thresholds, dead)))
        if not matters(tried[-1][1], counted):
            break
    return min(tried, key=lambda one: one[1])


def _by_noise(trace: Trace, start: Switching, counted: Dwells, thresholds: tuple[float, float], dead: float) -> int:
    """Transitions of the trace mirrored at each of its levels."""
    made = 0
    for state, level in enumerate((start.low, start.low + start.step)):
        mirrored = 2 * level - trace.y[counted.states == state]
        made += dwells(idealised(np.concatenate([[level], mirrored]), thresholds), dead).transitions
    return made


def _rates(counted: Dwells, dead: float) -> tuple[tuple[float, float], FloatArray]:
    """Rates per sample, and the covariance of their logarithms from the number of dwells, shape (2, 2)."""
    means = float(counted.low.mean()), float(counted.high.mean())
    rates = corrected_rates(*means, dead)
    slope = np.empty((2, 2))
    for k in range(2):
        step = 1e-4 * (means[k] - dead)
        moved = corrected_rates(means[0] + step * (k == 0), means[1] + step * (k == 1), dead)
        slope[:, k] = np.log(np.divide(moved, rates)) / step
    spread = (np.array(means) - dead) ** 2 / [counted.low.size, counted.high.size]
    return rates, slope @ np.diag(spread) @ slope.T


def _levels(trace: Trace, counted: Dwells, rates: tuple[float, float]) -> tuple[Switching, FloatArray]:
    """With the covariance of low, ln step, ln noise, shape (3, 3)."""
    digit = digits(trace)
    states, quiet = counted.states.astype(bool), ~moving(counted, trace)
    if not (np.any(quiet & states) and np.any(quiet & ~states)):
        quiet = np.ones_like(states)
    middle = np.mean if digit else np.median  # hidden dwells pull a mean; a median knows the digitiser's values only
    levels = [float(middle(trace.y[quiet & where])) for where in (~states, states)]
    left = (trace.y - np.where(states, levels[1], levels[0]))[quiet]
    noise = float(left.std()) if digit else robust(left)
    found = Switching(*rates, levels[0], levels[1] - levels[0], max(noise, NOISELESS * (levels[1] - levels[0])))
    below, above = (
        _MEDIAN * found.noise**2 / np.count_nonzero(quiet & where) + digit**2 / 12 for where in (~states, states)
    )
    errors = np.diag([below, (below + above) / found.step**2, _ROBUST / np.count_nonzero(quiet)])
    errors[0, 1] = errors[1, 0] = -below / found.step
    return found, errors
