"""The current through a bound state with a finite relaxation, at the tip's coherence peak (Ruby et al.).

Per polarity, with electrons entering an empty state at a G and leaving it, as the second electron of a pair, at b G:

    I = e a G (Gamma + 2 b G) / ((a + b) G + Gamma)

e a G while relaxation is faster than tunnelling, then less than proportional: below a G = Gamma electrons find the
state empty, above it they wait for it. At the opposite bias electron and hole part change places, with the tip's
density of states at its peak for the one and far from it for the other: a = (electron, hole) at peak, b = ratio (hole,
electron).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.marquardt import least_squares
from stmlab.physics.constants import ELEMENTARY_CHARGE_C

if TYPE_CHECKING:
    from stmlab.analysis.bound_state.peaks import Peaks
    from stmlab.arrays import FloatArray

_MICRO = 1e-6  # S in a uS
_STARTS = np.geomspace(0.1, 1e3, 9)  # relaxation over the middle tunnelling rate
_RATIO = 0.3  # of the tip's density of states far from its peak to that at it, to begin with
_DIFFERENCE = 1e-6


@dataclass(frozen=True, eq=False)
class RateLaw:
    """The fit to both polarities.

    Attributes:
        values: relaxation in 1/s, electron and hole rate at positive and negative bias in 1/s for each uS, ratio.
        covariance: of their logarithms, or None where one of them is not determined at all.
        left: ln of model less data over its error, of all points.
    """

    values: FloatArray
    covariance: FloatArray | None
    left: FloatArray


def current(conductance: FloatArray, enters: float, leaves: float, relaxation: float) -> FloatArray:
    """I in A; rates in 1/s for each uS, relaxation in 1/s, conductance in S."""
    into, out = enters * conductance / _MICRO, leaves * conductance / _MICRO
    found: FloatArray = ELEMENTARY_CHARGE_C * into * (relaxation + 2.0 * out) / (into + out + relaxation)
    return found


def both(values: FloatArray, positive: FloatArray, negative: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Currents of both polarities at their conductances, A."""
    relaxation, electron, hole, ratio = values.tolist()
    return (
        current(positive, electron, ratio * hole, relaxation),
        current(negative, hole, ratio * electron, relaxation),
    )


def rate_law(positive: Peaks, negative: Peaks) -> RateLaw:
    """Least squares of the logarithms of both polarities together, from several relaxations."""
    data = np.log(np.concatenate([positive.current, negative.current]))
    weight = np.concatenate([positive.current / positive.error, negative.current / negative.error])

    def residual(at: FloatArray) -> FloatArray:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            model = np.log(np.concatenate(both(np.exp(at), positive.conductance, negative.conductance)))
        left: FloatArray = (model - data) * weight
        return left

    def jacobian(at: FloatArray) -> FloatArray:
        moves = _DIFFERENCE * np.eye(at.size)
        return np.column_stack([(residual(at + move) - residual(at - move)) / (2 * _DIFFERENCE) for move in moves])

    electron, hole = (_at_first(peaks) for peaks in (positive, negative))
    middle = electron * math.sqrt(float(positive.conductance.min() * positive.conductance.max())) / _MICRO
    starts = (np.log([factor * middle, electron, hole, _RATIO]) for factor in _STARTS.tolist())
    found = min((least_squares(residual, jacobian, start) for start in starts), key=lambda one: one.chi_square)
    return RateLaw(np.exp(found.values), found.covariance, residual(found.values))


def _at_first(peaks: Peaks) -> float:
    """Rate for each uS at the lowest conductance, where relaxation is no matter."""
    lowest = peaks.conductance.argmin()
    return float(peaks.current[lowest] / ELEMENTARY_CHARGE_C / (peaks.conductance[lowest] / _MICRO))
