"""Stochastic resonance spectra in batches: I(f) = I_SR / (1 + (2 pi f / Gamma)^2) + I_rec (Betz et al., eq. 1).

Only the rate enters nonlinearly. Trial rates, the same for all spectra, are one matrix product; from the best between
them, steps of Gauss and Newton with step and offset eliminated, for all spectra side by side.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.batch.one_bend import Normal, minimised
from stmlab.analysis.batch.result import BatchFit, checked, in_parts
from stmlab.analysis.batch.trial_lines import TrialLines, between, rate_limits
from stmlab.analysis.lorentzian import SIGNIFICANT
from stmlab.analysis.residuals import are_structured
from stmlab.errors import FitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import BoolArray, FloatArray, IntArray

_NAMES = ("rate", "step", "offset", "frequency")
_UNITS = ("1/s", "A", "A", "Hz")
_CONVERGED = 3e-4  # of the standard error
_NEVER = 0.8  # of a significant step: what the best of the trial rates explains is not far from the best of all
_SMALLEST = 1e-250  # squared norm of a column that is there
_SINGULAR = 1e-13  # of the determinant for columns of length 1
_NO_SPREAD = 1e-16  # of a line's square: less cannot be told from none
_ROUNDING = 1e-12  # of a spectrum's span


def fit_srs_batch(frequency: ArrayLike, currents: ArrayLike, *, sigma: ArrayLike | None = None) -> BatchFit:
    """Fit eq. 1 to every spectrum.

    Args:
        frequency: Hz, shape (n,), of all spectra.
        currents: A, shape (m, n).
        sigma: standard deviation of the noise, A, one number or shape (n,). Without it the errors are scaled by the
            residual of each spectrum.

    Returns:
        Parameters "rate" (1/s), "step", "offset" (A) and derived "frequency" (Hz). A spectrum without a significant
        step, or with values that are not finite, has nan and a reason.

    Raises:
        FitError: the arrays do not match, or the frequencies do not suffice for the fit.
    """
    f, y, weight = checked(frequency, currents, sigma)
    if f.size < 4 or f.min() <= 0 or len(np.unique(f)) < 3:
        raise FitError("at least 4 positive frequencies, 3 of them different, are needed")
    if not len(y):
        raise FitError("no spectra: there is nothing to fit")
    if (np.diff(f) < 0).any():
        order = np.argsort(f, kind="stable")
        f, y, weight = f[order], y[:, order], weight[order]
    unit = math.sqrt(f[0]) * math.sqrt(f[-1])
    lines = _Lines(2 * np.pi * f / unit, weight)
    return in_parts(y, f.size, partial(_fitted, lines, unit=unit, known=sigma is not None))


class _Lines:
    """Weighted sums over the frequencies that all spectra share, rising."""

    def __init__(self, x: FloatArray, weight: FloatArray) -> None:
        self.square, self.sqrt_weight, self.weight = x * x, weight, weight**2
        self.total = float(self.weight.sum())
        self.limits = rate_limits(x)
        self.trials = TrialLines.over(x, self.weight)

    def shape(self, log_rate: FloatArray) -> FloatArray:
        """1 / (1 + x^2 / rate^2), shape (m, n)."""
        shape: FloatArray = np.exp(-2 * log_rate)[:, None] * self.square
        shape += 1.0
        return np.reciprocal(shape, out=shape)

    def moments(self, line: FloatArray, square: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Weighted sums of the first four powers of lines (m, n), which are given with their squares; each (m,)."""
        higher, w = square * line, self.weight
        third = higher @ w
        return line @ w, square @ w, third, np.multiply(square, square, out=higher) @ w

    def spread(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """Of lines about their means, from their first two moments, (m,); above 0 where rounding has left nothing."""
        spread: FloatArray = np.maximum(second - first**2 / self.total, _NO_SPREAD * second)
        return spread

    def best_trial(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The rate that explains most of each spectrum, between the trial rates: its logarithm; and that part, (m,)."""
        explained = self.trials.one_width(y)
        best = explained.argmax(axis=1)
        return self.trials.at(between(explained, best)), explained[np.arange(len(y)), best]

    def normal(self, log_rate: FloatArray, weighted: FloatArray, sum_: FloatArray, squares: FloatArray) -> Normal:
        """With step and offset eliminated, of spectra times the weights (m, n), with their sums and squares (m,)."""
        line = self.shape(log_rate)
        square = line * line
        s1, s2, s3, s4 = self.moments(line, square)
        y1, y2 = np.einsum("ij,ij->i", weighted, line), np.einsum("ij,ij->i", weighted, square)
        spread = self.spread(s1, s2)
        along_line = y1 - s1 * sum_ / self.total
        step = along_line / spread
        offset = (sum_ - step * s1) / self.total
        # the slope 2 L (1 - L), off the line and the constant
        slope_one, slope_line, slope_slope = 2 * (s1 - s2), 2 * (s2 - s3), 4 * (s2 - 2 * s3 + s4)
        along = (slope_line - s1 * slope_one / self.total) / spread
        left = slope_slope - slope_one**2 / self.total - along**2 * spread
        gradient = 2 * (y1 - y2) - offset * slope_one - step * slope_line
        left_over = np.maximum(squares - step * along_line, 0.0)
        return Normal(step * gradient, step**2 * left, left_over, np.column_stack([step, offset]))


def _fitted(lines: _Lines, given: FloatArray, unit: float, *, known: bool) -> BatchFit:
    span = np.ptp(given, axis=1)
    reasons = np.full(len(given), "", dtype=object)
    reasons[~np.isfinite(span)] = "values that are not finite"
    reasons[span == 0] = "the same current at every frequency"
    usable = reasons == ""
    scale = np.where(usable, span, 1.0)
    y = given / scale[:, None]
    y[~usable] = 0.0
    log_rate, linear, late, hopeless = _solved(lines, y, None if not known else scale**-2)
    line = lines.shape(log_rate)
    left = y - linear[:, 1:]
    left -= linear[:, :1] * line
    weighted = left * lines.sqrt_weight
    squares = np.einsum("ij,ij->i", weighted, weighted)
    degrees = y.shape[1] - 3
    # sigma is in A: the weights belong to the data as they were given
    noise = np.ones(len(y)) / scale**2 if known else np.maximum(squares / degrees, (_ROUNDING**2) * lines.total)
    covariance = _covariance(lines, line, linear[:, 0]) * noise[:, None, None]
    errors = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))
    low, high = lines.limits
    outside = (log_rate < low + 1e-3) | (log_rate > high - 1e-3) | ~np.isfinite(errors).all(axis=1)
    reasons[(reasons == "") & (outside | hopeless)] = "no step from which a rate could be read"
    reasons[(reasons == "") & (np.abs(linear[:, 0]) < SIGNIFICANT * errors[:, 1])] = "the step is not significant"
    reasons[(reasons == "") & late] = "the fit does not converge"
    rate = np.exp(log_rate) * unit
    units = np.column_stack([rate, scale, scale])
    values = np.column_stack([rate, linear * scale[:, None], rate / (2 * np.pi)])
    spread = np.column_stack([errors * units, errors[:, 0] * rate / (2 * np.pi)])
    ok = np.asarray(reasons == "", dtype=bool)
    return BatchFit(
        "srs",
        _NAMES,
        _UNITS,
        np.where(ok[:, None], values, np.nan),
        np.where(ok[:, None], spread, np.nan),
        np.where(ok[:, None, None], covariance * units[:, :, None] * units[:, None, :], np.nan),
        np.where(ok, np.sqrt(np.einsum("ij,ij->i", left, left) / y.shape[1]) * scale, np.nan),
        ok & are_structured(weighted, fitted=3),
        ok,
        tuple(reasons.tolist()),
    )


def _solved(
    lines: _Lines, y: FloatArray, noise: FloatArray | None
) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray]:
    """Logarithms of the rates, step and offset (m, 2), which have not converged, and which need not.

    Where no rate explains enough, the step is not significant at any; such spectra have many minima, and are slow.
    """
    weighted = y * lines.weight
    sums = weighted.sum(axis=1)
    squares = np.maximum(np.einsum("ij,ij->i", weighted, y) - sums**2 / lines.total, 0.0)
    degrees = max(y.shape[1] - 3, 1)
    log_rate, explained = lines.best_trial(y)
    left = np.maximum(squares - explained, 0.0) / degrees if noise is None else noise
    hopeless = explained < (_NEVER * SIGNIFICANT) ** 2 * left
    late, rows = np.zeros(len(y), dtype=bool), np.flatnonzero(~hopeless)
    weighted_rows, sums_rows, squares_rows = weighted[rows], sums[rows], squares[rows]

    def normal(at: FloatArray, active: IntArray | slice) -> Normal:
        return lines.normal(at, weighted_rows[active], sums_rows[active], squares_rows[active])

    found = minimised(normal, log_rate[rows], squares_rows, lines.limits, degrees, _CONVERGED)
    log_rate[rows], late[rows] = found.at, found.late
    linear = np.zeros((len(y), 2))
    linear[rows] = found.there.linear
    return log_rate, linear, late, hopeless


def _covariance(lines: _Lines, line: FloatArray, step: FloatArray) -> FloatArray:
    """Inverse normal matrix of log rate, step and offset for unit noise, shape (m, 3, 3); nan where it is singular."""
    s1, s2, s3, s4 = lines.moments(line, line * line)
    total, spread = lines.total, lines.spread(s1, s2)
    # The slope 2 I_SR L (1 - L) is along L and along the constant by so much; what is left of it tells the rate.
    own, with_line, with_one = 4 * step**2 * (s2 - 2 * s3 + s4), 2 * step * (s2 - s3), 2 * step * (s1 - s2)
    along_line = (with_line - s1 * with_one / total) / spread
    along_one = (with_one - s1 * along_line) / total
    left = own - along_line * with_line - along_one * with_one
    regular = spread * left > _SINGULAR * s2 * np.maximum(own, _SMALLEST)
    variance = 1 / np.where(regular, left, np.nan)
    inverse = np.empty((step.size, 3, 3))
    inverse[:, 0, 0] = variance
    inverse[:, 0, 1] = inverse[:, 1, 0] = -along_line * variance
    inverse[:, 0, 2] = inverse[:, 2, 0] = -along_one * variance
    inverse[:, 1, 1] = 1 / spread + along_line**2 * variance
    inverse[:, 1, 2] = inverse[:, 2, 1] = along_line * along_one * variance - s1 / (total * spread)
    inverse[:, 2, 2] = 1 / total + s1**2 / (total**2 * spread) + along_one**2 * variance
    return inverse
