"""Least squares of the stochastic resonance line, with one width or two.

Frequencies are in units of the band's middle, currents in units of their span, and the rate is fitted by its
logarithm: Gamma may lie anywhere in ten decades, and I_SR is some 1e-12 A.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.marquardt import least_squares
from stmlab.analysis.numbers import deviations, finite
from stmlab.errors import FitError
from stmlab.physics.stochastic_resonance import line_shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

STEPS = {1: ("step",), 2: ("step", "half_width_step")}
"""Number of widths -> names of the heights, of width Gamma first."""

_BEYOND = math.log(1e3)  # a rate is looked for this far outside the measured band
_PER_DECADE = 8  # trial rates, much closer than the line is wide
_MOST_STEPS = 400  # a line that is there is found in some ten


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Checked data in the units of the fit: f = frequency / ``frequency_unit``, y = current / ``current_unit``."""

    f: FloatArray  # rising
    y: FloatArray
    weight: FloatArray  # 1 / sigma in units of y; ones if the noise is not known
    noise_known: bool
    frequency_unit: float  # Hz; rates are in the same unit
    current_unit: float  # A

    @classmethod
    def checked(cls, frequency: ArrayLike, current: ArrayLike, sigma: ArrayLike | None, *, parameters: int) -> Spectrum:
        """Sort and scale the data; raises FitError for what does not suffice for so many parameters."""
        f, y = finite("frequency", frequency), finite("current", current)
        if f.ndim != 1 or f.shape != y.shape:
            raise FitError(f"frequency has shape {f.shape}, current {y.shape}: one current each is needed")
        if len(f) < parameters + 1:
            raise FitError(f"{len(f)} points are too few for {parameters} parameters: at least {parameters + 1} needed")
        if f.min() <= 0:
            raise FitError(f"frequency = {f.min():.6g} Hz: positive frequencies are allowed")
        if len(np.unique(f)) < parameters:
            raise FitError(f"{len(np.unique(f))} different frequencies cannot tell {parameters} parameters apart")
        if np.ptp(y) == 0:
            raise FitError(f"current = {y[0]:.6g} A at every frequency: there is no step to fit")
        order = np.argsort(f, kind="stable")
        f, y = f[order], y[order]
        frequency_unit, current_unit = math.sqrt(f[0]) * math.sqrt(f[-1]), float(np.ptp(y))
        weight = np.ones_like(y)
        if sigma is not None:
            weight = current_unit / deviations(sigma, y)[order]
        return cls(f / frequency_unit, y / current_unit, weight, sigma is not None, frequency_unit, current_unit)

    @property
    def frequency(self) -> FloatArray:
        """Hz."""
        return self.f * self.frequency_unit


@dataclass(frozen=True, eq=False)
class Solution:
    """A fit in the units of the spectrum: logarithm of the rate, heights of the steps, offset; and their covariance."""

    values: FloatArray
    covariance: FloatArray

    @property
    def harmonics(self) -> int:
        """Number of widths."""
        return len(self.values) - 2

    @property
    def log_error(self) -> float:
        """Relative error of the rate."""
        return math.sqrt(self.covariance[0, 0])

    def model(self, f: FloatArray) -> FloatArray:
        """Current at ``f``, both in units of the spectrum."""
        current: FloatArray = _design(_lines(f, self.values[0], self.harmonics)) @ self.values[1:]
        return current


def fit_one_width(data: Spectrum) -> Solution | None:
    """Eq. 1, from the best of many trial rates; None if the data do not determine every parameter."""
    return _solve(data, _best_trial(data))


def fit_two_widths(data: Spectrum, solution: Solution) -> Solution | None:
    """Widths Gamma and Gamma / 2 together, next to the ``solution`` with a single width.

    It must start there: a line of width Gamma is as well one of width (2 Gamma) / 2, so that there is a second minimum
    at twice the rate.
    """
    log_rate, step, offset = solution.values
    return _solve(data, np.array([log_rate, step, 0.0, offset]))


def _solve(data: Spectrum, start: FloatArray) -> Solution | None:
    """Least squares from ``start``; None if the data do not determine every parameter."""
    harmonics, seen = len(start) - 2, (math.nan, np.empty((0, 0)))

    def lines(log_rate: float) -> FloatArray:
        """Slopes are asked for where the residual was just seen."""
        nonlocal seen
        if seen[0] != log_rate:
            seen = log_rate, _lines(data.f, log_rate, harmonics)
        return seen[1]

    def residual(v: FloatArray) -> FloatArray:
        return data.weight * (_design(lines(v[0])) @ v[1:] - data.y)

    def jacobian(v: FloatArray) -> FloatArray:
        of_rate = v[1:-1] @ line_slope(lines(v[0]))
        return data.weight[:, None] * np.column_stack([of_rate, _design(lines(v[0]))])

    # Each residual is already over its sigma; without sigma the covariance is scaled by the residual.
    found = least_squares(
        residual,
        jacobian,
        start,
        limits={0: _rate_limits(data)},
        noise_known=data.noise_known,
        most=_MOST_STEPS,
    )
    covariance = found.covariance
    if not found.converged or covariance is None or covariance[0, 0] <= 0:
        return None
    return Solution(found.values, covariance)


def _best_trial(data: Spectrum) -> FloatArray:
    """Of many trial rates the best, with the heights that linear least squares gives for it (variable projection)."""
    low, high = _rate_limits(data)
    square = data.weight**2 / np.sum(data.weight**2)
    mean = float(square @ data.y)
    deviation = square * (data.y - mean)
    log_rates = np.linspace(low, high, math.ceil(_PER_DECADE * (high - low) / math.log(10)))[1:-1]
    trials = line_shape(data.f / np.exp(log_rates)[:, None], 1.0, 1.0, 0.0)
    overlaps, centres = trials @ deviation, trials @ square
    spreads = (trials - centres[:, None]) ** 2 @ square
    explained = np.divide(overlaps**2, spreads, out=np.full(spreads.shape, -math.inf), where=spreads > 0)
    best = int(np.argmax(explained))
    step = overlaps[best] / spreads[best]
    return np.array([log_rates[best], step, mean - step * centres[best]])


def _rate_limits(data: Spectrum) -> tuple[float, float]:
    return math.log(2 * np.pi * data.f[0]) - _BEYOND, math.log(2 * np.pi * data.f[-1]) + _BEYOND


def _design(lines: FloatArray) -> FloatArray:
    """Shapes whose heights are fitted, the offset's last; shape (n, harmonics + 1)."""
    return np.vstack([lines, np.ones(lines.shape[1])]).T


def _lines(f: FloatArray, log_rate: float, harmonics: int) -> FloatArray:
    """Lines of width Gamma / q, shape (harmonics, n)."""
    return np.array([line_shape(f, math.exp(log_rate) / q, 1.0, 0.0) for q in range(1, harmonics + 1)])


def line_slope(line: FloatArray) -> FloatArray:
    """Derivative of 1 / (1 + x^2), x = 2 pi f / Gamma, by the logarithm of Gamma."""
    return 2 * line * (1 - line)


def sum_of_squares(data: Spectrum, solution: Solution) -> float:
    """Sum of squared residuals, in units of sigma if it is known."""
    return float(np.sum((data.weight * (data.y - solution.model(data.f))) ** 2))
