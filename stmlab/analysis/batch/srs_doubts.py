"""Where the resonance lines of a batch should not be believed: what `fit_srs` says of one, for all side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.batch.result import chunks
from stmlab.analysis.batch.separable import Solved, least_squares, solve
from stmlab.analysis.lorentzian import FAR_BETTER, ROUNDING, distorted_text, few_points_text, outside_band_text
from stmlab.analysis.residuals import STRUCTURED_TEXT

if TYPE_CHECKING:
    from stmlab.analysis.batch.result import BatchFit
    from stmlab.arrays import BoolArray, FloatArray, IntArray

_BEYOND = math.log(1e3)  # a rate is looked for this far outside the band
_WORTH_A_LOOK = 1.0  # drop of chi square to first order: less, and the rate is not moved by twice its error
_CONVERGED = 1e-2  # of the standard error: enough for a doubt
_LARGEST_MOVE = 0.5  # of the logarithm of the rate


def srs_doubts(frequency: FloatArray, currents: FloatArray, fit: BatchFit) -> list[list[str]]:
    """Warnings of each spectrum that was fitted; none of the others.

    Args:
        frequency: Hz, shape (n,).
        currents: A, shape (m, n).
        fit: of them, by `fit_srs_batch` without sigma.
    """
    found: list[list[str]] = [[] for _ in fit.reasons]
    fitted = np.flatnonzero(fit.ok)
    low, high = float(frequency.min()), float(frequency.max())
    few = few_points_text(frequency.size)
    for k, at in zip(fitted.tolist(), fit["frequency"][0][fitted].tolist(), strict=True):
        found[k] += [text for text in (outside_band_text(at, low, high), few) if text]
    if frequency.size <= 4:
        return found
    for part in chunks(fitted.size, frequency.size):
        rows = fitted[part]
        rows = rows[_may_be_distorted(frequency, currents[rows], fit, rows)]
        for k, text in zip(rows.tolist(), _distorted(frequency, currents[rows], fit, rows), strict=True):
            found[k] += [text] if text else []
    noisy = fit.residual > ROUNDING * np.ptp(currents, axis=1)
    for k in np.flatnonzero(fit.ok & fit.structured & noisy).tolist():
        found[k].append(STRUCTURED_TEXT)
    return found


def _may_be_distorted(frequency: FloatArray, currents: FloatArray, fit: BatchFit, rows: IntArray) -> BoolArray:
    """Of which a second width would, to first order, lower chi square at all: few, and only those are fitted again."""
    span = np.ptp(currents, axis=1)
    rate, step, offset = (fit[name][0][rows] for name in ("rate", "step", "offset"))
    family, log_rate = _family(frequency, rate)
    shapes, slopes = family.design(log_rate)
    heights = np.column_stack([step, np.zeros_like(step), offset]) / span[:, None]
    left = currents / span[:, None] - (heights[:, None, :] @ shapes)[:, 0]
    design = np.concatenate([family.columns(slopes, heights), shapes], axis=1)
    more, _ = least_squares(design, left)
    after = ((left - (more[:, None, :] @ design)[:, 0]) ** 2).sum(axis=1)
    drop = (left**2).sum(axis=1) - after
    may_be: BoolArray = drop > _WORTH_A_LOOK * after / (frequency.size - 4)
    return may_be


def _family(frequency: FloatArray, rate: FloatArray) -> tuple[_TwoWidths, FloatArray]:
    """The lines in units of the band's middle, and the logarithms of the rates in them, (m, 1)."""
    unit = math.sqrt(frequency.min()) * math.sqrt(frequency.max())
    return _TwoWidths(2 * np.pi * frequency / unit), np.log(rate / unit)[:, None]


def _distorted(frequency: FloatArray, currents: FloatArray, fit: BatchFit, rows: IntArray) -> list[str]:
    """Of each whether two widths together give a higher rate, or describe it far better; "" where not."""
    span = np.ptp(currents, axis=1)
    (rate, rate_error), residual = (column[rows] for column in fit["rate"]), fit.residual[rows] / span
    family, log_rate = _family(frequency, rate)
    both = solve(family, currents / span[:, None], log_rate, _CONVERGED)
    noise = np.maximum(both.squares / (frequency.size - 4), 1e-300)
    error = np.sqrt(np.maximum(both.inverse[:, 0, 0], 0.0) * noise)
    difference = (both.bent - log_rate)[:, 0]
    better = (frequency.size * residual**2 - both.squares) / noise
    too_low = difference > 2 * np.hypot(error, rate_error / rate)
    odd = _usable(family, both) & (residual > ROUNDING) & (too_low | (better > FAR_BETTER))
    return [
        distorted_text(float(rate[k] * math.exp(difference[k])), float(error[k]), float(difference[k]))
        if odd[k]
        else ""
        for k in range(len(rows))
    ]


# Where both heights can hardly be told apart, the last digits of the rate converge slowly: late ones count as well.
def _usable(family: _TwoWidths, both: Solved) -> BoolArray:
    inside = (both.bent[:, 0] > family.limits[0] + 1e-3) & (both.bent[:, 0] < family.limits[1] - 1e-3)
    usable: BoolArray = inside & np.isfinite(both.inverse).all(axis=(1, 2))
    return usable


class _TwoWidths:
    """Lines of widths Gamma and Gamma / 2 and an offset, bent by ln Gamma."""

    def __init__(self, x: FloatArray) -> None:
        self.square = x * x
        self.limits = math.log(x.min()) - _BEYOND, math.log(x.max()) + _BEYOND
        self.largest_move = np.array([_LARGEST_MOVE])

    def clipped(self, bent: FloatArray) -> FloatArray:
        """Rates in or near the band."""
        found: FloatArray = np.clip(bent, *self.limits)
        return found

    def design(self, bent: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both lines and the offset (m, 3, n), and the lines' derivatives by ln Gamma."""
        scaled = np.exp(-2 * bent) * self.square
        lines = 1 / (1 + np.stack([scaled, 4 * scaled], axis=1))
        constant = np.ones((len(bent), 1, self.square.size))
        return np.concatenate([lines, constant], axis=1), 2 * lines * (1 - lines)

    def columns(self, slopes: FloatArray, heights: FloatArray) -> FloatArray:
        """Derivative by ln Gamma, (m, 1, n)."""
        turned: FloatArray = (slopes * heights[:, :2, None]).sum(axis=1, keepdims=True)
        return turned
