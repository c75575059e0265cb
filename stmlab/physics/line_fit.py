"""The rate that Betz et al., eq. 1, gives for a computed spectrum: what a fit of noiseless data would find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.stochastic_resonance import line_shape

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.physics.stochastic_resonance import StochasticResonance

_FEWEST = 5  # frequencies above 0
_NO_SIGNAL_A = 1e-18  # at V = 0 the two directions cancel
_LARGEST_MISFIT = 0.1
"""Of the span of the signal; beyond it eq. 1 is no description."""


def line_rate(spectrum: StochasticResonance, frequencies_Hz: FloatArray) -> float:
    """Gamma of eq. 1 in 1/s, fitted at these frequencies: other ones give another rate where a line is no Lorentzian.

    nan where there is no signal, too few frequencies, or eq. 1 misses a tenth of the line.
    """
    signal = spectrum.signal_A
    if np.count_nonzero(frequencies_Hz > 0.0) < _FEWEST or abs(spectrum.step_A) < _NO_SIGNAL_A or not np.ptp(signal):
        return float("nan")
    rate, misfit = fitted_rate(frequencies_Hz, signal)
    return rate if misfit < _LARGEST_MISFIT else float("nan")


def fitted_rate(frequencies_Hz: FloatArray, signal: FloatArray) -> tuple[float, float]:
    """Gamma of eq. 1 by least squares without noise, and the largest misfit over the span of the signal."""
    from scipy.optimize import minimize_scalar

    moving = (signal - signal.mean()) / np.ptp(signal)

    def residual(logarithm: float) -> FloatArray:
        """With the step and the offset that suit this rate best."""
        line = line_shape(frequencies_Hz, np.exp(logarithm), 1.0, 0.0)
        line -= line.mean()
        left: FloatArray = line * (line @ moving / max(line @ line, np.finfo(float).tiny)) - moving
        return left

    def squares(logarithm: float) -> float:
        left = residual(logarithm)
        return float(left @ left)

    trials = np.log(2 * np.pi * np.unique(frequencies_Hz[frequencies_Hz > 0.0]))
    start = trials[np.argmin([squares(trial) for trial in trials])]
    span = float(np.diff(trials).max())
    bounds = start - span, start + span
    best = minimize_scalar(squares, bounds=bounds, method="bounded", options={"xatol": 1e-10}).x
    return float(np.exp(best)), float(np.abs(residual(best)).max())
