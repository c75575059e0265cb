"""How many readings a rate will take: on a grid, at the bound of Cramer and Rao, and chosen one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.adaptive.choice import least_variance
from stmlab.analysis.adaptive.posterior import Posterior, resonance
from stmlab.analysis.adaptive.scale_choice import FIRST, LEAST, RESONANCE_CHECKS, ScaleChoice
from stmlab.analysis.lorentzian import rate_error_bound

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_DESIGN = 400  # readings of the design with the rate known
_PLACES = 400  # among which they are chosen
_TRIALS = 9  # runs with chosen points, of which the median counts
_VISITS = 60  # of chosen points: enough for choices and checks; more only cost uploads and settling


def grid_readings(frequency: FloatArray, rate: float, signal: float, target: float) -> float:
    """Readings on a grid, every frequency as often as the others, until the rate is known to ``target``.

    Args:
        frequency: of the grid, Hz, shape (n,).
        rate: Gamma, 1/s.
        signal: step over the standard deviation of a reading.
        target: relative error.

    Returns:
        Number of readings, at least one a frequency; inf where the grid cannot tell the rate.
    """
    error = rate_error_bound(frequency, rate, signal, 1.0) / rate
    return len(frequency) * max(1.0, (error / target) ** 2)


def fewest_readings(low: float, high: float, rate: float, signal: float, target: float) -> float:
    """Readings that no unbiased estimate can do with less of (Cramer-Rao), all placed with the rate known.

    Args:
        low: end of the band, Hz.
        high: its other end, Hz.
        rate: Gamma, 1/s.
        signal: step over the standard deviation of a reading.
        target: relative error.
    """
    x, u = np.linspace(math.log(2 * math.pi * low), math.log(2 * math.pi * high), _PLACES), math.log(rate)
    posterior = Posterior(resonance, u - 1.0, u + 1.0)
    for key, place in enumerate(np.linspace(x[0], x[-1], FIRST)):
        posterior.add(key, float(place), signal * float(resonance(np.array(place), np.array(u))))
    posterior.mean, posterior.height, posterior.noise = u, signal, 1.0
    rows = posterior.gradient(np.array(least_variance(posterior, x, _DESIGN)))
    return float(np.linalg.inv(rows.T @ rows)[2, 2]) * _DESIGN / target**2


def chosen_readings(low: float, high: float, rate: float, signal: float, target: float, most: int) -> float:
    """Readings that are chosen one by one, checks included: the median of trials.

    Args:
        low: end of the band, Hz.
        high: its other end, Hz.
        rate: Gamma, 1/s.
        signal: step over the standard deviation of a reading.
        target: relative error.
        most: readings of a trial.
    """
    ends, u = np.log(2 * math.pi * np.array([low, high])).tolist(), np.array(math.log(rate))
    numbers = []
    for seed in range(_TRIALS):
        chance, number = np.random.default_rng(seed), 0
        choice = ScaleChoice(resonance, ends[0], ends[1], target, RESONANCE_CHECKS, most, seed)
        while (x := choice.choose()) is not None:
            choice.learn(number, x, signal * float(resonance(np.array(x), u)) + chance.normal())
            number += 1
        numbers.append(number if choice.reached and not choice.ended else math.inf)
    return max(float(np.median(numbers)), float(LEAST))


def suiting_averages(readings: float) -> int:
    """Readings for each visit of a chosen point, so that settling is no large part of the time.

    Args:
        readings: of a whole run, if each visit has one.
    """
    return max(1, round(readings / _VISITS)) if math.isfinite(readings) else 1
