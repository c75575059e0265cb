"""The result of a fit of switching: errors that allow for correlated noise, curves to draw, in 1/s and A."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.telegraph.doubts import Counting, moving, warnings
from stmlab.analysis.telegraph.noise import spread_of_correlation
from stmlab.analysis.telegraph.trace import FEWEST, NOISELESS
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from stmlab.analysis.telegraph.dwells import Dwells
    from stmlab.analysis.telegraph.switching import Switching
    from stmlab.analysis.telegraph.trace import Trace
    from stmlab.arrays import FloatArray

_STRAYS = 4.0  # noises from its level, where a sample is no longer taken for noise
_FEWEST_BINS, _MOST_BINS = 20, 400
_FREE = ("rate_up", "rate_down", "low", "high", "noise")
_HIGH = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1.0]])
"""From low and step to low and high."""


def result(
    trace: Trace,
    found: Switching,
    covariance: FloatArray,
    counted: Dwells,
    method: str,
    dead: float = 0.0,
    by_noise: float = 0.0,
) -> FitResult:
    """The result, from logarithms and units of the trace to 1/s and A.

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
    seen = _Seen.of(trace, found)
    covariance = seen.covariance(covariance, np.sqrt([1.0, 1.0, level, level, width]))
    fit = seen.low + seen.step * counted.states
    data = trace.middle + trace.spread * trace.y
    return FitResult(
        model="telegraph",
        parameters=(*_fitted(seen, covariance), *_derived(seen, covariance)),
        free=_FREE,
        covariance=_HIGH @ covariance @ _HIGH.T,
        points=data.size,
        residual=float(np.sqrt(np.mean((data - fit) ** 2))),
        warnings=warnings(trace, found, counted, Counting(dead, by_noise, shared)),
        curves={
            "x": np.asarray(trace.interval * np.arange(data.size), dtype=float),
            "trace": np.repeat(np.arange(float(trace.traces)), data.size // trace.traces),
            "data": data,
            "fit": fit,
            "residual": data - fit,
            **_histogram(data, seen, float(counted.states.mean())),
        },
        labels={"x": "time", "x_unit": "s", "y": "current", "y_unit": "A"},
        choices={"from": method, "transitions": str(counted.transitions)},
    )


@dataclass(frozen=True)
class _Seen:
    """Switching in 1/s and A."""

    up: float
    down: float
    low: float
    step: float
    noise: float
    unit: float

    @classmethod
    def of(cls, trace: Trace, found: Switching) -> _Seen:
        return cls(
            found.up / trace.interval,
            found.down / trace.interval,
            trace.middle + trace.spread * found.low,
            trace.spread * found.step,
            trace.spread * found.deviation,
            trace.spread,
        )

    def covariance(self, covariance: FloatArray, wider: FloatArray) -> FloatArray:
        """Of up, down, low, step, noise, from that of `Switching.vector`; errors ``wider`` by so much, shape (5,)."""
        widened = np.diag(wider) @ covariance @ np.diag(wider)
        scale = np.diag([self.up, self.down, self.unit, self.step, self.noise])
        return np.asarray(scale @ widened @ scale, dtype=float)


def _fitted(seen: _Seen, covariance: FloatArray) -> list[FitParameter]:
    values = (seen.up, seen.down, seen.low, seen.low + seen.step, seen.noise)
    errors = np.sqrt(np.diag(_HIGH @ covariance @ _HIGH.T))
    return [
        FitParameter(name, value, float(error), unit)
        for name, value, error, unit in zip(_FREE, values, errors, ("1/s", "1/s", "A", "A", "A"), strict=True)
    ]


def _derived(seen: _Seen, covariance: FloatArray) -> list[FitParameter]:
    total = seen.up + seen.down
    both = np.array([1.0, 1.0, 0, 0, 0])
    shift = np.array([seen.down, -seen.up, 0, 0, 0]) / total**2  # d occupation / d (up, down)
    return [
        FitParameter("rate", total, math.sqrt(both @ covariance @ both), "1/s"),
        FitParameter("step", seen.step, math.sqrt(covariance[3, 3]), "A"),
        FitParameter("occupation", seen.up / total, math.sqrt(shift @ covariance @ shift)),
    ]


def _shared_noise(trace: Trace, found: Switching, counted: Dwells) -> tuple[float, float, float]:
    """`spread_of_correlation` of the noise away from jumps; what is left without noise is rounding."""
    left = trace.y - found.low - found.step * counted.states
    quiet = ~moving(counted, trace) & (np.abs(left) < _STRAYS * found.deviation)
    if found.deviation < 2 * NOISELESS * found.step or np.count_nonzero(quiet) < FEWEST:
        return 0.0, 1.0, 1.0
    return spread_of_correlation(left, quiet)


def _histogram(data: FloatArray, seen: _Seen, occupation: float) -> dict[str, FloatArray]:
    """How often a current was seen, in bins of half the noise if they are not too many, and how often it should be."""
    from scipy.special import ndtr

    low, step, noise = seen.low, seen.step, seen.noise
    bins = np.clip(2 * np.ptp(data) / noise, _FEWEST_BINS, _MOST_BINS)
    counts, edges = np.histogram(np.asarray(data, dtype=float), bins=int(bins))
    below = (1 - occupation) * ndtr((edges - low) / noise) + occupation * ndtr((edges - low - step) / noise)
    return {
        "histogram_x": np.asarray(0.5 * (edges[1:] + edges[:-1]), dtype=float),
        "histogram": np.asarray(counts, dtype=float),
        "histogram_fit": np.asarray(data.size * np.diff(below), dtype=float),
    }
