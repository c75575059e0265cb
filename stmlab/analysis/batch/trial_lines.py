"""Resonance lines of trial rates, the same for all spectra, and how much of each spectrum they explain.

Trial rates are a third of an octave apart: the logarithm of the rate bends what they explain so little within that (a
line is one pole, pi/2 away in the complex plane) that nine of them tell the best rate between them to 1e-4 of a
standard error. Beside every one of them stands, three before it, the line of half its width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray

_HALF = 3  # trial rates in an octave
_SPACING = math.log(2.0) / _HALF
_BEYOND = math.log(1e3)  # a rate is looked for this far outside the band
_FLAT = 1e-20  # variance of a line that is constant to rounding
_ALIKE = 1e-10  # 1 - cosine^2 of two lines that can hardly be told apart
AROUND = 14  # trial rates among which those of two widths are looked for
_BELOW = 4  # of them
_SIDE = 4  # trial rates at either side that are interpolated
_PLACES = np.arange(-_SIDE, _SIDE + 1)
_POLYNOMIAL = np.linalg.inv(np.vander(_PLACES.astype(float), increasing=True))
_POWERS = np.arange(1.0, _PLACES.size)[:, None]
FINER = 4
_NEWTON = 3  # steps to the top of the polynomial


def rate_limits(x: FloatArray) -> tuple[float, float]:
    """Logarithms of the lowest and highest rate for angular frequencies x."""
    return math.log(x.min()) - _BEYOND, math.log(x.max()) + _BEYOND


@dataclass(frozen=True, eq=False)
class TrialLines:
    """Lines 1 / (1 + (x / rate)^2) of K trial rates about their means, each of unit length.

    Attributes:
        log_rates: evenly spaced, shape (K,).
        lines: times the weights, shape (n, K).
        overlaps: of each line with that of half its rate, shape (K - 3,), the first for the fourth.
    """

    log_rates: FloatArray
    lines: FloatArray
    overlaps: FloatArray

    @classmethod
    def over(cls, x: FloatArray, weight: FloatArray) -> TrialLines:
        """For angular frequencies x and weights 1 / sigma^2, each of shape (n,).

        Raises:
            FitError: the frequencies are so close together that hardly a line changes between them.
        """
        low, high = rate_limits(x)
        log_rates = np.arange(low, high, _SPACING)[1:]
        shapes = 1 / (1 + np.exp(-2 * log_rates)[:, None] * (x * x))
        centred = shapes - (shapes @ weight / weight.sum())[:, None]
        spread = centred**2 @ weight
        useful = spread > _FLAT * weight.sum()
        if np.count_nonzero(useful) < AROUND + _HALF:
            raise FitError("the frequencies are too close together to tell a rate")
        unit = centred[useful] / np.sqrt(spread[useful])[:, None]
        overlaps = ((unit[_HALF:] * unit[:-_HALF]) @ weight).clip(-1.0, 1.0)
        return cls(log_rates[useful], (unit * weight).T, overlaps)

    def at(self, number: FloatArray) -> FloatArray:
        """Logarithms of the rates between the trial rates with numbers below and above, shape (m,)."""
        rates: FloatArray = self.log_rates[0] + number * _SPACING
        return rates

    def number(self, log_rate: FloatArray) -> FloatArray:
        """Where rates lie between the trial rates: their numbers with fractions, shape (m,)."""
        numbers: FloatArray = (log_rate - self.log_rates[0]) / _SPACING
        return numbers

    def one_width(self, y: FloatArray) -> FloatArray:
        """By how much each line lowers the squares of spectra (m, n), shape (m, K)."""
        along = y @ self.lines
        explained: FloatArray = np.square(along, out=along)
        return explained

    def two_widths(self, y: FloatArray, near: IntArray) -> tuple[FloatArray, IntArray]:
        """The same for each line together with that of half its rate, around the numbers ``near``, shape (m,).

        Returns:
            Shape (m, w), of w trial rates each, and the number of the first of them, shape (m,).
        """
        first = np.minimum(np.maximum(near - _BELOW, _HALF), self.log_rates.size - AROUND)
        numbers = first[:, None] + np.arange(-_HALF, AROUND)
        along = np.take_along_axis(y @ self.lines, numbers, axis=1)
        overlaps = self.overlaps[numbers[:, :-_HALF]]
        half = along[:, :-_HALF]
        beyond = along[:, _HALF:] - overlaps * half  # what the other line has not explained
        explained: FloatArray = half**2 + beyond**2 / np.maximum(1 - overlaps**2, _ALIKE)
        return explained, first


def top_near(explained: FloatArray, start: IntArray) -> IntArray:
    """Numbers of the trial rates at the tops that are uphill from those, shape (m,), in ``explained`` (m, w)."""
    numbers, begin = np.arange(explained.shape[1]), start[:, None]
    rising = explained[:, 1:] > explained[:, :-1]
    end_above, end_below = np.ones(explained.shape, dtype=bool), np.ones(explained.shape, dtype=bool)
    np.logical_not(rising, out=end_above[:, :-1])
    end_below[:, 1:] = rising
    above = (end_above & (numbers >= begin)).argmax(axis=1)
    below = numbers[-1] - (end_below & (numbers <= begin))[:, ::-1].argmax(axis=1)
    found: IntArray = np.where(above > start, above, below)
    return found


def finer(explained: FloatArray) -> FloatArray:
    """What rates `FINER` times as close explain, from those around trial rates (m, w): (m, FINER (w - 1) + 1)."""
    last = explained.shape[1] - 1
    at = np.arange(FINER * last + 1) / FINER
    centre = np.clip(np.rint(at).astype(int), _SIDE, last - _SIDE)
    weights = np.zeros((at.size, last + 1))
    near = centre[:, None] + _PLACES
    np.put_along_axis(weights, near, np.vander(at - centre, _PLACES.size, increasing=True) @ _POLYNOMIAL, axis=1)
    found: FloatArray = explained @ weights.T
    return found


def between(explained: FloatArray, best: IntArray | FloatArray) -> FloatArray:
    """Where between the trial rates the tops lie: numbers with fractions, shape (m,), near those in ``best``."""
    last = explained.shape[1] - 1
    centre = np.minimum(np.maximum(np.rint(best).astype(int), _SIDE), last - _SIDE)
    terms = _POLYNOMIAL @ explained.T[centre + _PLACES[:, None], np.arange(len(explained))]
    slopes = terms[1:] * _POWERS
    bends = slopes[1:] * _POWERS[:-1]
    start = np.minimum(np.maximum(best - centre, -_SIDE), _SIDE)
    away = start
    for _ in range(_NEWTON):
        bend = _polynomial(bends, away)
        step = np.where(bend < 0, _polynomial(slopes, away), 0.0) / np.where(bend < 0, bend, -1.0)
        away = np.minimum(np.maximum(away - step, start - 1), start + 1)
    found: FloatArray = centre + away
    return found


def _polynomial(terms: FloatArray, at: FloatArray) -> FloatArray:
    """Values at (m,) of polynomials with rising terms (k, m)."""
    value: FloatArray = terms[-1] * at + terms[-2]
    for term in terms[-3::-1]:
        value *= at
        value += term
    return value
