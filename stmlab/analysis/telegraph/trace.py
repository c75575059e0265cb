"""A current trace as the fit takes it: checked, in units of its spread, with a first guess at what it shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.numbers import finite, number
from stmlab.analysis.telegraph.dwells import idealised
from stmlab.analysis.telegraph.likelihood import log_likelihood
from stmlab.analysis.telegraph.samples import Samples
from stmlab.analysis.telegraph.switching import Switching
from stmlab.errors import FitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

FEWEST = 50  # samples
NOISELESS = 1e-6  # of the step: taken where there is no noise at all
_REPEATED = 10  # times that each value is there, on average, in a digitised trace
_COARSE = 0.2  # of the spread, two or three of which are a jump: finer steps of a digitiser do not matter
RARE = 0.05  # share of the samples in a state that looks like the tail of the noise
_STANDS_OUT = (3.0, 4.5, 7.0)  # noises from most samples, where a rare state is looked for
_QUIET = 0.15  # noise over step, beyond which a filter's slopes drown


@dataclass(frozen=True, eq=False)
class Trace:
    """Checked data in units of its spread: y = (current - middle) / spread, of several traces one after another."""

    y: FloatArray
    interval: float  # s
    middle: float  # A
    spread: float  # A
    traces: int = 1  # of equal length
    filter: float = 0.0  # time constant that spreads jumps, in samples

    @property
    def rows(self) -> FloatArray:
        """The traces beside each other, shape (traces, n)."""
        return self.y.reshape(self.traces, -1)

    def samples(self, scale: float) -> Samples:
        """As a likelihood reads them whose densities vary over ``scale`` and more."""
        return Samples.of(self.rows, scale)

    @classmethod
    def checked(cls, current: ArrayLike, sample_interval: float) -> Trace:
        """A, shape (n,) or (traces, n), evenly sampled; s. Raises FitError for what is no trace, or stands still."""
        values = finite("current", current)
        if values.ndim not in (1, 2) or values.size == 0 or values.shape[-1] < FEWEST:
            raise FitError(
                f"current has shape {values.shape}: a row of at least {FEWEST} samples is needed, or several"
            )
        interval = number("sample_interval", sample_interval)
        if not 0 < interval < math.inf:
            raise FitError(f"sample_interval = {sample_interval!r} s: a value above 0 is needed")
        spread = float(values.std())
        if not spread > 1e-12 * float(np.abs(values).max()):
            raise FitError(f"current = {values.flat[0]:.6g} A all the time: there is nothing that switches")
        middle = float(values.mean())
        return cls((values.ravel() - middle) / spread, interval, middle, spread, values.size // values.shape[-1])


def digits(trace: Trace) -> float:
    """The step of the digitiser, in units of the spread; 0 where it is too fine to matter.

    Few values with nothing between them are no Gaussian noise: a likelihood takes the rarer ones for jumps.
    """
    values = np.unique(trace.y)
    if values.size > trace.y.size / _REPEATED or values.size < 2:
        return 0.0
    step = float(np.diff(values).min())
    return step if step > _COARSE else 0.0


def first_guess(trace: Trace) -> Switching:
    """Levels and rates to begin from: of all splits of the samples that suggest themselves, the likeliest.

    Otsu's split divides the noise of a trace that is hardly ever in one of its states; what stands out of the noise to
    one side shows such a state.
    """
    guesses = [_guess(trace, split) for split in (_best_split(trace.y), *_outstanding(trace.y))]
    samples = trace.samples(min(guess.scale for guess in guesses))
    return max(guesses, key=lambda guess: log_likelihood(samples, guess))


def _best_split(y: FloatArray) -> float:
    """Between two parts that are as different as can be (Otsu)."""
    ordered = np.sort(y)
    count = np.arange(1, ordered.size)
    below = np.cumsum(ordered)[:-1]
    between = (below / count - (ordered.sum() - below) / (ordered.size - count)) ** 2 * count * (ordered.size - count)
    return float(0.5 * (ordered[between.argmax()] + ordered[between.argmax() + 1]))


def _outstanding(y: FloatArray) -> list[float]:
    """Splits so far above or below the noise of most samples that few of them are noise."""
    middle = float(np.median(y))
    noise = robust(y - middle)
    splits = [middle + side * far * noise for side in (-1, 1) for far in _STANDS_OUT]
    return [split for split in splits if np.count_nonzero((y > split) == (split > middle)) > 1 and noise > 0]


def _guess(trace: Trace, split: float) -> Switching:
    """Levels of both parts, and rates by counting."""
    parts = trace.y[trace.y < split], trace.y[trace.y >= split]
    low, high = (float(np.median(part)) for part in parts)
    noise = min(robust(part - np.median(part)) for part in parts)
    if min(part.size for part in parts) < RARE * trace.y.size:  # the few beyond the split do not show all their noise
        larger = max(parts, key=len)
        noise = robust(larger - np.median(larger))
    noise = max(noise, NOISELESS * (high - low))
    states = idealised(trace.rows, (split - 0.2 * (high - low), split + 0.2 * (high - low)))
    rises, falls = (int(np.count_nonzero(np.diff(states) == sign)) for sign in (1, -1))
    lows = max(float(np.count_nonzero(states == 0)), 1.0)
    highs = max(float(np.count_nonzero(states == 1)), 1.0)
    return Switching((rises + 0.5) / lows, (falls + 0.5) / highs, low, high - low, noise, averaged=True)


def robust(*left: FloatArray) -> float:
    """Standard deviation about 0 by the median: what short dwells leave in a few samples does not count."""
    return 1.4826 * float(np.median(np.abs(np.concatenate(left))))


def filter_of(trace: Trace, start: Switching) -> float:
    """Time constant, in samples, of a filter that spreads jumps over several samples; 0 where there is none to see.

    Of the exponential that a filter of time constant tau makes of a jump, ln 2 tau lies in the middle third of the
    step. A sample that averages over a jump within its interval lies there once in three jumps, or more often where
    jumps follow each other within a few samples; that is no filter.
    """
    thirds = start.low + start.step / 3, start.low + 2 * start.step / 3
    jumps = int(np.count_nonzero(np.diff(idealised(trace.rows, thirds))))
    on_the_way = int(np.count_nonzero((trace.y > thirds[0]) & (trace.y < thirds[1])))
    by_noise = trace.y.size * (_beyond(start.step / 3 / start.noise) - _beyond(2 * start.step / 3 / start.noise))
    expected = by_noise + jumps * (1 / 3 + max(start.up, start.down))
    if jumps == 0 or start.noise > _QUIET * start.step or on_the_way <= expected + 3 * math.sqrt(expected):
        return 0.0
    return (on_the_way - by_noise) / jumps / math.log(2.0)


def _beyond(deviations: float) -> float:
    """Share of a normal distribution that lies more than so many deviations above its mean."""
    return 0.5 * math.erfc(deviations / math.sqrt(2.0))
