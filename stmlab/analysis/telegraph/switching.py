"""Two states that are switched between at random, and what a sample of them shows.

Between samples the system goes from state i to j with P = exp(Q dt). A sample is Gaussian around the level of the state
it ends in, or, where the instrument averages over the interval, around the mean over it: with rates a, b (per interval)
of leaving the low and the high state, and x the part of the interval in the high one,

    p(x, low  | low) = e^(-a) delta(x) + sqrt(a b (1-x)/x) I1(2 sqrt(a b x (1-x))) e^(-a (1-x) - b x)
    p(x, high | low) = a I0(2 sqrt(a b x (1-x))) e^(-a (1-x) - b x)

(the paths with an even and an odd number of switches, summed), and the same from the high state with a, b and x, 1-x
exchanged. Noise is Gaussian, or has the heavier tails of Student's t with four degrees of freedom, as where it drifts
or rings; it counts as at least a twentieth of the step, because a filter leaves as much of a jump in the samples after
it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

QUIETEST = 0.05
"""Of the step: smaller noise counts as this, since a filter leaves as much of a jump in the next samples."""
_FLOOR = 1e-5  # of a density: no single sample, however far off, makes two transitions of its own
_FARTHEST = 1e6  # noises from a level: beyond, squares would overflow where a search strays
_LARGEST_LOGARITHM = 30.0  # of step and noise in units of the trace's spread, where a search strays
_LEAST, _MOST = 1e-9, 20.0  # transitions per sample that a search may try
_SMALL = 1e-6  # of the rates, over which the slopes of what they alone decide are differences
# Gauss-Legendre on 0..1, near enough to each other for noise of QUIETEST.
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(16))
_NODES = _NODES + 0.5
_PLACES = np.concatenate([[0.0], _NODES, [1.0]])


@dataclass(frozen=True)
class Switching:
    """Two states and what is seen of them.

    Attributes:
        up, down: probabilities per sample interval of leaving the low and the high state.
        low, step, noise: level, height and scale of the noise (its standard deviation if Gaussian), in one unit.
        averaged: samples are means over their interval.
        heavy: the noise has heavy tails.
    """

    up: float
    down: float
    low: float
    step: float
    noise: float
    averaged: bool = True
    heavy: bool = False

    @property
    def scale(self) -> float:
        """Over less than this no density varies."""
        return max(self.noise, QUIETEST * self.step)

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise."""
        return self.noise * (math.sqrt(2.0) if self.heavy else 1.0)

    def vector(self) -> FloatArray:
        """ln up, ln down, low, ln step, ln noise."""
        rates = math.log(self.up), math.log(self.down)
        return np.array([*rates, self.low, math.log(self.step), math.log(self.noise)])

    def moved(self, vector: FloatArray) -> Switching:
        """The same kind with other numbers, given as ``vector``."""
        up, down, low, step, noise = vector.tolist()
        up, down = (min(max(rate, math.log(_LEAST)), math.log(_MOST)) for rate in (up, down))
        step, noise = (min(max(size, -_LARGEST_LOGARITHM), _LARGEST_LOGARITHM) for size in (step, noise))
        return Switching(math.exp(up), math.exp(down), low, math.exp(step), math.exp(noise), self.averaged, self.heavy)

    def expected_errors(self, samples: int) -> FloatArray:
        """Of ``vector`` from a trace of so many samples, if each showed its state; shape (5,)."""
        low, high = samples * self.stationary() + 1.0
        rates = 1 / math.sqrt(low * self.up + 1.0), 1 / math.sqrt(high * self.down + 1.0)
        level, step = self.noise / math.sqrt(low), self.noise / self.step * math.sqrt(1 / low + 1 / high)
        return np.array([*rates, level, step, 1 / math.sqrt(2.0 * samples)])

    def transitions(self) -> FloatArray:
        """P[i, j] over one interval, low state first."""
        total = self.up + self.down
        moved = -math.expm1(-total) / total
        up, down = self.up * moved, self.down * moved
        return np.array([[1 - up, up], [down, 1 - down]])

    def stationary(self) -> FloatArray:
        """Occupations, low state first."""
        return np.array([self.down, self.up]) / (self.up + self.down)

    def joint(self, values: FloatArray) -> FloatArray:
        """P_ij p(y_t | i, j), shape (2, 2, n) for values of shape (n,)."""
        return self.seen(values).joint

    def seen(self, values: FloatArray) -> Seen:
        """What samples of some values, shape (n,), say of the states."""
        away = np.clip((values - self.low) / self.scale, -_FARTHEST, _FARTHEST)
        places, shares = self.shares()
        from_places = away - (self.step / self.scale * places)[:, None]
        return Seen(self, places, shares, from_places, (_student if self.heavy else _normal)(from_places))

    def shares(self) -> tuple[FloatArray, FloatArray]:
        """Parts of an interval in the high state, shape (k,), and how probable they are from i to j: (2, 2, k)."""
        if self.averaged:
            return _PLACES, _averages(self.up, self.down)
        return _PLACES[[0, -1]], self.transitions()[..., None] * np.eye(2)


@dataclass(frozen=True, eq=False)
class Seen:
    """Values, n of them, at a distance from the levels between which a sample may lie, k of them.

    Attributes:
        switching: what is known.
        places: of the levels, parts of the step, shape (k,).
        shares: how probable they are from i to j, shape (2, 2, k).
        away: distances in units of the noise, shape (k, n).
        densities: of the noise there, over its highest one, shape (k, n).
    """

    switching: Switching
    places: FloatArray
    shares: FloatArray
    away: FloatArray
    densities: FloatArray

    @property
    def top(self) -> float:
        """Highest density of the noise."""
        return (0.375 if self.switching.heavy else 1 / math.sqrt(2 * math.pi)) / self.switching.scale

    @cached_property
    def joint(self) -> FloatArray:
        """P_ij p(y | i, j), shape (2, 2, n)."""
        found = (self.shares.reshape(4, -1) * self.top @ self.densities).reshape(2, 2, -1)
        found += (_FLOOR / self.switching.scale * self.switching.transitions())[..., None]
        return found

    def slopes(self, by_joint: FloatArray, by_begin: FloatArray) -> FloatArray:
        """From derivatives by `joint` and by the stationary occupations to those by ``switching.vector()``: (5,)."""
        switching, scale = self.switching, self.switching.scale
        weights, flat = by_joint.reshape(4, -1), self.shares.reshape(4, -1) * self.top
        steep = (_student_slope if switching.heavy else _normal_slope)(self.away)
        steep *= self.densities
        shifted = (flat * (weights @ steep.T)).sum(axis=0)  # by the distance from each place
        steep *= self.away
        by_scale = -float((by_joint * self.joint).sum()) - float((flat * (weights @ steep.T)).sum())
        by_low, by_step = -float(shifted.sum()) / scale, -float(self.places @ shifted) * switching.step / scale
        by_shares, by_chances = weights @ self.densities.T * self.top, weights.sum(axis=1) * _FLOOR / scale

        def of_rates(moved: Switching) -> float:
            shares, chances = moved.shares()[1].ravel(), moved.transitions().ravel()
            return float(by_shares.ravel() @ shares + by_chances @ chances + by_begin @ moved.stationary())

        here, more = of_rates(switching), 1 + _SMALL
        up = (of_rates(replace(switching, up=switching.up * more)) - here) / _SMALL
        down = (of_rates(replace(switching, down=switching.down * more)) - here) / _SMALL
        if switching.scale > switching.noise:  # that of the step counts
            by_step, by_scale = by_step + by_scale, 0.0
        return np.array([up, down, by_low, by_step, by_scale])


def _averages(up: float, down: float) -> FloatArray:
    """Weights of the `_PLACES` for each i, j: shape (2, 2, places)."""
    from scipy.special import i0, i1

    x = _NODES
    around = 2 * np.sqrt(up * down * x * (1 - x))
    passing = _WEIGHTS * np.exp(-up * (1 - x) - down * x)
    back, once = math.sqrt(up * down) * i1(around), i0(around)
    shares = np.zeros((2, 2, _PLACES.size))
    shares[..., 1:-1] = [[back * np.sqrt((1 - x) / x), up * once], [down * once, back * np.sqrt(x / (1 - x))]]
    shares[..., 1:-1] *= passing
    shares[0, 0, 0], shares[1, 1, -1] = math.exp(-up), math.exp(-down)  # no switch
    return shares


def _normal(away: FloatArray) -> FloatArray:
    """Over its highest value; in one array, since new ones of that size would take longer than the exponential."""
    u = np.square(away)
    u *= -0.5
    np.exp(u, out=u)
    return u


def _normal_slope(u: FloatArray) -> FloatArray:
    """Derivative over the density."""
    return -u


def _student_slope(t: FloatArray) -> FloatArray:
    """Derivative over the density."""
    slope = np.square(t)
    slope += 4.0
    np.divide(t, slope, out=slope)
    slope *= -5.0
    return slope


def _student(away: FloatArray) -> FloatArray:
    """Student's t with four degrees of freedom, over its highest value."""
    t = np.square(away)
    t *= 0.25
    t += 1.0
    root = np.sqrt(t)
    np.square(t, out=t)
    t *= root
    np.reciprocal(t, out=t)
    return t
