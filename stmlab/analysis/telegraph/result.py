"""The result of a fit of switching: errors that know of the noise's memory, curves to draw, in 1/s and A."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.telegraph.doubts import Counting, moving, warnings
from stmlab.analysis.telegraph.noise import spread_of_correlation
from stmlab.analysis.telegraph.trace import FEWEST, NOISELESS
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from stmlab.analysis.telegraph.dwells import Dwells
    from stmlab.analysis.telegraph.likelihood import Switching
    from stmlab.analysis.telegraph.trace import Trace
    from stmlab.arrays import FloatArray

_STRAYS = 4.0  # noises from its level, where a sample is no longer taken for noise
_FEWEST_BINS, _MOST_BINS = 20, 400


def result(
    trace: Trace,
    found: Switching,
    covariance: FloatArray,
    counted: Dwells,
    method: str,
    dead: float = 0.0,
    by_noise: float = 0.0,
) -> FitResult:
    """From logarithms and units of the trace to 1/s and A.

    Args:
        trace: as it was fitted.
        found: in samples and units of the trace.
        counted: the dwells of its course.
        covariance: of ``found.vector()`` if the noise of every sample is its own, shape (5, 5).
        method: where the rates come from.
        dead: time below which dwells were not counted, in samples.
        by_noise: transitions that noise makes, among those that were counted.
    """
    shared, level, width = _shared_noise(trace, found, counted)
    wider = np.diag(np.sqrt([1.0, 1.0, level, level, width]))
    covariance = wider @ covariance @ wider
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
        warnings=warnings(trace, found, counted, Counting(dead, by_noise, shared)),
        curves={
            "x": np.asarray(trace.interval * np.arange(data.size), dtype=float),
            "trace": np.repeat(np.arange(float(trace.traces)), data.size // trace.traces),
            "data": data,
            "fit": fit,
            "residual": data - fit,
            **_histogram(data, low, step, noise, float(counted.states.mean())),
        },
        labels={"x": "time", "x_unit": "s", "y": "current", "y_unit": "A"},
        choices={"from": method, "transitions": str(counted.transitions)},
    )


def _shared_noise(trace: Trace, found: Switching, counted: Dwells) -> tuple[float, float, float]:
    """`spread_of_correlation` of the noise away from jumps; what is left without noise is rounding."""
    left = trace.y - found.low - found.step * counted.states
    quiet = ~moving(counted, trace) & (np.abs(left) < _STRAYS * found.deviation)
    if found.deviation < 2 * NOISELESS * found.step or np.count_nonzero(quiet) < FEWEST:
        return 0.0, 1.0, 1.0
    return spread_of_correlation(left, quiet)


def _histogram(data: FloatArray, low: float, step: float, noise: float, occupation: float) -> dict[str, FloatArray]:
    """How often a current was seen, in bins of half the noise if they are not too many, and how often it should be."""
    from scipy.special import ndtr

    bins = np.clip(2 * np.ptp(data) / noise, _FEWEST_BINS, _MOST_BINS)
    counts, edges = np.histogram(np.asarray(data, dtype=float), bins=int(bins))
    below = (1 - occupation) * ndtr((edges - low) / noise) + occupation * ndtr((edges - low - step) / noise)
    return {
        "histogram_x": np.asarray(0.5 * (edges[1:] + edges[:-1]), dtype=float),
        "histogram": np.asarray(counts, dtype=float),
        "histogram_fit": np.asarray(data.size * np.diff(below), dtype=float),
    }
