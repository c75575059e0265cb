"""One power law, or two that meet in a kink, through currents over conductances (Betz et al., figure S7)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.marquardt import inverse_normal, least_squares

if TYPE_CHECKING:
    from stmlab.analysis.bound_state.peaks import Peaks
    from stmlab.arrays import FloatArray

_BESIDE = 3  # points on either side of a kink
_BENT = 3.0  # standard errors by which the exponents differ
_SUBLINEAR = 0.05  # by which they do at least: less is the tip's density of states
_PLACES = 4  # tried between two neighbours
_STEPS = 40


@dataclass(frozen=True, eq=False)
class PowerLaws:
    """I = I_k (G / G_k)^p below the kink and the same with another p above; without a kink all of it is one.

    Attributes:
        exponents: one, or those below and above the kink.
        errors: of these.
        kink: ln G_k and ln I_k, in S and A, or None.
        covariance: of both.
    """

    exponents: tuple[float, ...]
    errors: tuple[float, ...]
    kink: tuple[float, float] | None = None
    covariance: FloatArray | None = None

    def __call__(self, conductance: FloatArray) -> FloatArray:
        """The current relative to that of the kink, or of 1 S where there is none, A."""
        if self.kink is None:
            powers: FloatArray = conductance ** self.exponents[0]
            return powers
        apart = np.log(conductance) - self.kink[0]
        below, above = self.exponents
        found: FloatArray = np.exp(self.kink[1] + np.where(apart < 0, below, above) * apart)
        return found


def power_laws(peaks: Peaks) -> PowerLaws:
    """Two power laws where the exponent falls by three errors and 0.05 at least, else one."""
    x, y, weight = np.log(peaks.conductance), np.log(peaks.current), peaks.current / peaks.error
    design = np.column_stack([np.ones(x.size), x]) * weight[:, None]
    line, squares = _linear(design, y * weight)
    one = PowerLaws((float(line[1]),), (_error(design, squares),))
    bent = _bent(x, y, weight)
    if bent is None:
        return one
    values, covariance = bent
    below, above = float(values[2]), float(values[3])
    spread = float(covariance[2, 2] + covariance[3, 3] - 2.0 * covariance[2, 3])
    if below - above < max(_SUBLINEAR, _BENT * math.sqrt(max(spread, 0.0))):
        return one
    errors = math.sqrt(covariance[2, 2]), math.sqrt(covariance[3, 3])
    return PowerLaws((below, above), errors, (float(values[0]), float(values[1])), covariance[:2, :2])


def _bent(x: FloatArray, y: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """ln G_k, ln I_k and both exponents with their covariance; None of too few points."""
    order = np.argsort(x)
    first, last = _BESIDE - 1, x.size - _BESIDE
    if last <= first:
        return None
    ends = x[order][first : last + 1]
    places = np.unique(np.interp(np.linspace(0, ends.size - 1, _PLACES * ends.size), np.arange(ends.size), ends))

    def design(place: float) -> FloatArray:
        apart = x - place
        found: FloatArray = np.column_stack([np.ones(x.size), np.minimum(apart, 0), np.maximum(apart, 0)])
        return found * weight[:, None]

    tried = [(_linear(design(place), y * weight), place) for place in places.tolist()]
    (line, _), place = min(tried, key=lambda one: one[0][1])

    def residual(at: FloatArray) -> FloatArray:
        left: FloatArray = design(at[0]) @ at[1:] - y * weight
        return left

    def jacobian(at: FloatArray) -> FloatArray:
        by_place = -np.where(x < at[0], at[2], at[3]) * weight
        return np.column_stack([by_place, design(at[0])])

    limits = {0: (float(ends[0]), float(ends[-1]))}
    found = least_squares(residual, jacobian, np.array([place, *line]), limits=limits, most=_STEPS)
    if found.covariance is None:
        return None
    return found.values, found.covariance


def _linear(design: FloatArray, values: FloatArray) -> tuple[FloatArray, float]:
    found: FloatArray = np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], dtype=float)
    left = design @ found - values
    return found, float(left @ left)


def _error(design: FloatArray, squares: float) -> float:
    """Of the exponent of one power law."""
    covariance = inverse_normal(design)
    if covariance is None:
        return math.inf
    return math.sqrt(float(covariance[1, 1]) * squares / max(len(design) - 2, 1))
