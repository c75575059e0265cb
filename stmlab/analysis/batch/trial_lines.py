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

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray

_HALF = 3  # trial rates in an octave
_SPACING = math.log(2.0) / _HALF
_BEYOND = math.log(1e3)  # a rate is looked for this far outside the band
_FLAT = 1e-20  # variance of a line that is constant to rounding
_ALIKE = 1e-10  # 1 - cosine^2 of two lines that can hardly be told apart
_BELOW, _AROUND = 4, 14  # trial rates in which those of two widths are looked for: first of them, and how many
_SIDE = 4  # trial rates at either side that are interpolated
_PLACES = np.arange(-_SIDE, _SIDE + 1)
_POLYNOMIAL = np.linalg.inv(np.vander(_PLACES.astype(float), increasing=True))
_POWERS = np.arange(1.0, _PLACES.size)[:, None]
_BESIDE = np.array([0, -1, 1])  # where two are as good, the climb ends
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
        """For angular frequencies x and weights 1 / sigma^2, each of shape (n,)."""
        low, high = rate_limits(x)
        log_rates = np.arange(low, high, _SPACING)[1:]
        shapes = 1 / (1 + np.exp(-2 * log_rates)[:, None] * (x * x))
        centred = shapes - (shapes @ weight / weight.sum())[:, None]
        spread = centred**2 @ weight
        useful = spread > _FLAT * weight.sum()
        unit = centred[useful] / np.sqrt(spread[useful])[:, None]
        overlaps = ((unit[_HALF:] * unit[:-_HALF]) @ weight).clip(-1.0, 1.0)
        return cls(log_rates[useful], (unit * weight).T, overlaps)

    def at(self, number: FloatArray) -> FloatArray:
        """Logarithms of the rates between the trial rates with numbers below and above, shape (m,)."""
        rates: FloatArray = self.log_rates[0] + number * _SPACING
        return rates

    def nearest(self, log_rate: FloatArray) -> IntArray:
        """Numbers of the trial rates next to those, shape (m,)."""
        numbers: IntArray = np.rint((log_rate - self.log_rates[0]) / _SPACING).astype(int)
        return numbers.clip(0, self.log_rates.size - 1)

    def one_width(self, y: FloatArray) -> FloatArray:
        """By how much each line lowers the squares of spectra (m, n), shape (m, K)."""
        along = y @ self.lines
        explained: FloatArray = np.square(along, out=along)
        return explained

    def two_widths(self, y: FloatArray, near: IntArray) -> tuple[FloatArray, IntArray]:
        """The same for each line together with that of half its rate, around the trial rates ``near``, shape (m,).

        Returns:
            Shape (m, w), of w trial rates each, and the number of the first of them, shape (m,).
        """
        first = np.minimum(np.maximum(near - _BELOW, _HALF), self.log_rates.size - _AROUND)
        numbers = first[:, None] + np.arange(-_HALF, _AROUND)
        along = np.take_along_axis(y @ self.lines, numbers, axis=1)
        overlaps = self.overlaps[numbers[:, :-_HALF]]
        half = along[:, :-_HALF]
        beyond = along[:, _HALF:] - overlaps * half  # what the other line has not explained
        explained: FloatArray = half**2 + beyond**2 / np.maximum(1 - overlaps**2, _ALIKE)
        return explained, first


def top_near(explained: FloatArray, start: IntArray) -> IntArray:
    """Numbers of the trial rates at the tops that are uphill from those, shape (m,), in ``explained`` (m, K)."""
    at, last = start.copy(), explained.shape[1] - 1
    climbing = np.arange(len(explained))
    for _ in range(last):
        here = at[climbing]
        beside = here[:, None] + _BESIDE
        best = explained[climbing[:, None], np.minimum(np.maximum(beside, 0), last)].argmax(axis=1)
        climbing, moved = climbing[best > 0], beside[best > 0, best[best > 0]]
        if not climbing.size:
            break
        at[climbing] = moved
    return at


def between(explained: FloatArray, best: IntArray) -> FloatArray:
    """Where between the trial rates the tops lie: numbers with fractions, shape (m,), near those in ``best``."""
    last = explained.shape[1] - 1
    centre = np.minimum(np.maximum(best, _SIDE), last - _SIDE)
    terms = _POLYNOMIAL @ explained.T[centre + _PLACES[:, None], np.arange(len(explained))]
    slopes = terms[1:] * _POWERS
    bends = slopes[1:] * _POWERS[:-1]
    start = np.minimum(np.maximum(best - centre, -_SIDE), _SIDE).astype(float)
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
