"""Where the resonance lines of a batch should not be believed: what `fit_srs` says of one, for all side by side."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stmlab.analysis.batch.one_bend import Normal, minimised
from stmlab.analysis.batch.result import chunks
from stmlab.analysis.batch.trial_lines import AROUND, FINER, TrialLines, between, finer, rate_limits, top_near
from stmlab.analysis.lorentzian import BETTER, FAR_BETTER, ROUNDING, distorted_text, few_points_text, outside_band_text
from stmlab.analysis.residuals import STRUCTURED_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.analysis.batch.result import BatchFit
    from stmlab.arrays import BoolArray, FloatArray, IntArray

_WORTH_A_LOOK = 2.0  # drop of chi square at a trial rate that may become `BETTER` beside it
_CONVERGED = 3e-2  # of the standard error: enough for a doubt
_NO_NOISE, _NO_SPREAD = 1e-300, 1e-30  # squares, and a determinant, that stand for 0


def srs_doubts(frequency: FloatArray, currents: FloatArray, fit: BatchFit) -> list[tuple[int, str]]:
    """Number of the spectrum and warning, of those that were fitted; of each in the order in which `fit_srs` has them.

    Args:
        frequency: Hz, shape (n,).
        currents: A, shape (m, n).
        fit: of them, by `fit_srs_batch` without sigma.
    """
    fitted, at = np.flatnonzero(fit.ok), fit["frequency"][0]
    low, high = float(frequency.min()), float(frequency.max())
    outside = np.flatnonzero((at < math.sqrt(10) * low) | (at > high / math.sqrt(10))).tolist()
    found = [(k, outside_band_text(float(at[k]), low, high)) for k in outside]
    if few := few_points_text(frequency.size):
        found += [(k, few) for k in fitted.tolist()]
    if frequency.size > 4:
        found += _distorted(_TwoWidths(frequency), currents, fit, fitted)
        coloured = np.flatnonzero(fit.ok & fit.structured)
        found += [(k, STRUCTURED_TEXT) for k in coloured[_noisy(currents, fit, coloured)].tolist()]
    return sorted(found, key=lambda one: one[0])


def _noisy(currents: FloatArray, fit: BatchFit, rows: IntArray) -> BoolArray:
    """Which of those have a residual that is more than rounding."""
    noisy: BoolArray = fit.residual[rows] > ROUNDING * np.ptp(currents[rows], axis=1)
    return noisy


def _distorted(family: _TwoWidths, currents: FloatArray, fit: BatchFit, fitted: IntArray) -> Iterator[tuple[int, str]]:
    """Which of those that were fitted two widths together describe better and with a higher rate, or far better."""
    worth, starts = _starts(family, currents, fit, fitted)
    for part in chunks(worth.size, currents.shape[1]):
        rows = worth[part]
        y, squares, one_width = _scaled(currents[rows], fit, rows)
        rate, rate_error = (column[rows] for column in fit["rate"])
        log_rate, degrees = np.log(rate / family.unit), y.shape[1] - 4

        def normal(
            at: FloatArray, active: IntArray | slice, y: FloatArray = y, squares: FloatArray = squares
        ) -> Normal:
            return family.normal(at, y[active], squares[active])

        found = minimised(normal, starts[part], squares, family.limits, degrees, _CONVERGED)
        noise = np.maximum(found.there.squares / degrees, _NO_NOISE)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.sqrt(noise / found.there.information)
        higher = found.at - log_rate
        better = (one_width - found.there.squares) / noise
        too_low = (higher > 2 * np.hypot(error, rate_error / rate)) & (better > BETTER)
        low, high = family.limits
        # Where both heights can hardly be told apart, the rate's last digits converge slowly: late ones count as well.
        usable = (found.at > low + 1e-3) & (found.at < high - 1e-3) & np.isfinite(error) & _noisy(currents, fit, rows)
        for k in np.flatnonzero(usable & (too_low | (better > FAR_BETTER))).tolist():
            difference = float(higher[k])
            yield int(rows[k]), distorted_text(float(rate[k] * math.exp(difference)), float(error[k]), difference)


def _starts(family: _TwoWidths, currents: FloatArray, fit: BatchFit, fitted: IntArray) -> tuple[IntArray, FloatArray]:
    """Which may be better with two widths, a few; and where they are best, uphill from one width: log rates, (m,)."""
    log_rate = np.log(fit["rate"][0] / family.unit)
    found = [_Worth(fitted[:0], np.empty((0, AROUND)), fitted[:0])]
    for part in chunks(fitted.size, currents.shape[1]):
        found.append(_worth_a_look(family, currents[fitted[part]], fit, fitted[part], log_rate[fitted[part]]))
    rows, explained, first = (np.concatenate(of_all) for of_all in zip(*found, strict=True))
    # Of two tops close together that of a single fit is the nearer one, which the trial rates may step over.
    begin = np.rint(FINER * (family.trials.number(log_rate[rows]) - first)).astype(int)
    top = top_near(finer(explained), np.clip(begin, 0, FINER * (AROUND - 1))) / FINER
    return rows, family.trials.at(first + between(explained, top))


class _Worth(NamedTuple):
    """Spectra that a second width may describe better: numbers (m,), and as `TrialLines.two_widths` has them."""

    rows: IntArray
    explained: FloatArray
    first: IntArray


def _worth_a_look(
    family: _TwoWidths, currents: FloatArray, fit: BatchFit, rows: IntArray, log_rate: FloatArray
) -> _Worth:
    y, squares, one_width = _scaled(currents, fit, rows)
    begin = np.rint(family.trials.number(log_rate)).astype(int)
    explained, first = family.trials.two_widths(y, begin)
    top = top_near(explained, np.clip(begin - first, 0, AROUND - 1))
    left = squares - explained[np.arange(rows.size), top]
    worth = np.flatnonzero(one_width - left > _WORTH_A_LOOK * left / (y.shape[1] - 4))
    return _Worth(rows[worth], explained[worth], first[worth])


def _scaled(currents: FloatArray, fit: BatchFit, rows: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Spectra (m, n) about their means, over their steps; their squares, and those that one width leaves, (m,)."""
    step = fit["step"][0][rows]
    y = currents - (currents @ np.full(currents.shape[1], 1 / currents.shape[1]))[:, None]
    y /= step[:, None]
    return y, np.einsum("ij,ij->i", y, y), y.shape[1] * (fit.residual[rows] / step) ** 2


class _TwoWidths:
    """Lines of widths Gamma and Gamma / 2 and an offset, bent by ln Gamma; spectra (m, n) about their means."""

    def __init__(self, frequency: FloatArray) -> None:
        self.unit = math.sqrt(frequency.min()) * math.sqrt(frequency.max())
        x = 2 * np.pi * frequency / self.unit
        self.limits, self.trials = rate_limits(x), TrialLines.over(x, np.ones(x.size))
        self._square = x * x

    def _sums(self, log_rate: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of both lines L and both L (1 - L): products with each other about their means (4, 4, m), with y (4, m)."""
        shapes = np.empty((4, *y.shape))
        scaled = np.exp(-2 * log_rate)[:, None] * self._square
        for line, curved, factor in ((shapes[0], shapes[2], 1.0), (shapes[1], shapes[3], 4.0)):
            np.multiply(scaled, factor, out=line)
            np.reciprocal(np.add(line, 1.0, out=line), out=line)
            np.subtract(line, np.multiply(line, line, out=curved), out=curved)
        totals = shapes @ np.ones(y.shape[1])
        products = np.empty((4, 4, len(y)))
        for k, j in itertools.combinations_with_replacement(range(4), 2):
            products[k, j] = np.einsum("ij,ij->i", shapes[k], shapes[j]) - totals[k] * totals[j] / y.shape[1]
            products[j, k] = products[k, j]
        return products, np.einsum("kij,ij->ki", shapes, y)

    def normal(self, log_rate: FloatArray, y: FloatArray, squares: FloatArray) -> Normal:
        """With both heights and the offset eliminated."""
        products, with_y = self._sums(log_rate, y)
        lines = products[0, 0], products[0, 1], products[1, 1]
        heights = _solved(*lines, with_y[0], with_y[1])
        first, second = 2 * heights  # the slope by ln Gamma is first L1 (1 - L1) + second L2 (1 - L2)
        along = first * products[2, :2] + second * products[3, :2]
        own = first**2 * products[2, 2] + 2 * first * second * products[2, 3] + second**2 * products[3, 3]
        covered = _solved(*lines, *along)
        return Normal(
            first * with_y[2] + second * with_y[3] - (heights * along).sum(axis=0),
            own - (covered * along).sum(axis=0),
            np.maximum(squares - (heights * with_y[:2]).sum(axis=0), 0.0),
            heights.T,
        )


def _solved(a: FloatArray, b: FloatArray, c: FloatArray, p: FloatArray, q: FloatArray) -> FloatArray:
    """x, y of a x + b y = p, b x + c y = q, (2, m)."""
    determinant = np.maximum(a * c - b * b, _NO_SPREAD)
    return np.stack([c * p - b * q, a * q - b * p]) / determinant
