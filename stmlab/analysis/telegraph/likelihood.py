"""Likelihood of a trace that switches between two levels: a Markov process seen through noise.

Between samples the system goes from state i to j with P = exp(Q dt). A sample is Gaussian around the level of the state
it ends in, or, where the instrument averages over the interval, around the mean over it: with rates a, b (per interval)
of leaving the low and the high state, and x the part of the interval in the high one,

    p(x, low  | low) = e^(-a) delta(x) + sqrt(a b (1-x)/x) I1(2 sqrt(a b x (1-x))) e^(-a (1-x) - b x)
    p(x, high | low) = a I0(2 sqrt(a b x (1-x))) e^(-a (1-x) - b x)

(the paths with an even and an odd number of switches, summed), and the same from the high state with a, b and x, 1-x
exchanged. Noise is Gaussian, or has the heavier tails of Student's t with four degrees of freedom, as where it drifts
or rings; it counts as at least a twentieth of the step, because a filter leaves as much of a jump in the samples after
it. The likelihood is the product of 2 x 2 matrices M_t[i, j] = P_ij p(y_t | i, j), made once for each value and
multiplied in step for all segments of the trace (`samples`). Short dwells that no sample shows are accounted for, and
so are the first and the last: there is nothing to correct afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations

if TYPE_CHECKING:
    from stmlab.analysis.telegraph.samples import Samples
    from stmlab.arrays import FloatArray

_FLOOR = 1e-5  # of a density: no single sample, however far off, makes two transitions of its own
QUIETEST = (
    0.05  # of the step: smaller noise counts as this, since a filter leaves as much of a jump in the next samples
)
_FARTHEST = 1e6  # noises from a level: beyond, squares would overflow where a search strays
_LARGEST_LOGARITHM = 30.0  # of step and noise in units of the trace's spread, where a search strays
_LEAST, _MOST = 1e-9, 20.0  # transitions per sample that a search may try
_NEAR = 0.02  # expected errors from the maximum, within which a search may end
_BESIDE = 2e-3  # expected errors, over which the slope is a difference
_HILLS, _MOST_FROM_FLAT = (
    10.0,
    30.0,
)  # times the rise that the slope says, and so much more: no search rises by more
_LEVELS = 4  # of products of two, and of these again, between two scalings: fewer than would underflow
_STEP = 0.03  # of the rates' logarithms, for the curvature; the others by their own errors
# Gauss-Legendre on 0..1, near enough to each other for noise of QUIETEST.
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(16))
_NODES = _NODES + 0.5
_PLACES = np.concatenate([[0.0], _NODES, [1.0]])


class _Ended(Exception):
    """The search ends where it is."""


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
        noise = self.scale
        places, shares = self._shares()
        away = np.clip((values - self.low) / noise, -_FARTHEST, _FARTHEST)
        shape, top = (_student, 0.375) if self.heavy else (_normal, 1 / math.sqrt(2 * math.pi))
        densities = shape(away - (self.step / noise * places)[:, None])
        found = (shares.reshape(4, -1) * (top / noise) @ densities).reshape(2, 2, -1)
        found += (_FLOOR / noise * self.transitions())[..., None]
        return found

    def _shares(self) -> tuple[FloatArray, FloatArray]:
        """Parts of an interval in the high state, shape (k,), and how probable they are from i to j: (2, 2, k)."""
        if self.averaged:
            return _PLACES, _averages(self.up, self.down)
        return _PLACES[[0, -1]], self.transitions()[..., None] * np.eye(2)


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


def log_likelihood(samples: Samples, switching: Switching) -> float:
    """ln of the probability density of a trace, or of the product of those of several."""
    product, logarithm = np.eye(2)[..., None], 0.0
    for block in samples.blocks(switching.joint(samples.values), np.eye(2), 2**_LEVELS):
        part, divided = _multiplied(block)
        product = _times(product, part)
        logarithm += divided + _scaled(product)
    whole, divided = _multiplied(np.moveaxis(product.reshape(2, 2, samples.traces, -1), 3, 2))
    ends = np.einsum("i,ij...->...", switching.stationary(), whole)
    return logarithm + divided + float(np.log(ends).sum())


def _multiplied(matrices: FloatArray) -> tuple[FloatArray, float]:
    """Their products in order along the third axis, which is left out, and ln of all that these were divided by."""
    logarithm, level = 0.0, 0
    while (length := matrices.shape[2]) > 1:
        left, right = matrices[:, :, : length - 1 : 2], matrices[:, :, 1::2]
        pairs = _times(left, right)
        matrices = np.concatenate([pairs, matrices[:, :, -1:]], axis=2) if length % 2 else pairs
        level += 1
        if level % _LEVELS == 0:
            logarithm += _scaled(matrices)
    return matrices[:, :, 0], logarithm


def _times(left: FloatArray, right: FloatArray) -> FloatArray:
    """Products of matrices, shape (2, 2, ...)."""
    product = left[:, :1] * right[:1]
    product += left[:, 1:] * right[1:]
    return product


def _scaled(matrices: FloatArray) -> float:
    """Divide every matrix by its largest element; ln of their product."""
    size = matrices.max(axis=(0, 1))
    matrices /= size
    return float(np.log(size).sum())


def most_likely(samples: Samples, start: Switching, *, than: float = -math.inf) -> tuple[Switching, float]:
    """The parameters of largest likelihood near ``start``, and its logarithm; of a fit that ends early the best so far.

    Sought in units of the expected errors, in which the likelihood is nearly an isotropic paraboloid: its slope says
    how high it may rise. A search that cannot come near ``than`` is given up.
    """
    from scipy.optimize import minimize

    origin, unit, steps = start.vector(), start.expected_errors(samples.size), iterations()
    lowest, place = math.inf, np.zeros(origin.size)

    def negative(moves: FloatArray) -> float:
        nonlocal lowest, place
        if steps.over:
            raise _Ended
        found = -log_likelihood(samples, start.moved(origin + unit * moves))
        if found < lowest:
            lowest, place = found, moves.copy()
        steps.done(2 * found, "-2 ln L")
        return found

    def with_slopes(moves: FloatArray) -> tuple[float, FloatArray]:
        here = negative(moves)
        slopes = np.array([negative(moves + beside) - here for beside in _BESIDE * np.eye(moves.size)]) / _BESIDE
        if -here + _HILLS * float(slopes @ slopes) / 2 + _MOST_FROM_FLAT < than:
            raise _Ended
        return here, slopes

    try:
        found = minimize(with_slopes, place, jac=True, method="BFGS", options={"gtol": _NEAR})
    except _Ended:
        return start.moved(origin + unit * place), -lowest
    return start.moved(origin + unit * found.x), -float(found.fun)


def curvature(samples: Samples, switching: Switching) -> FloatArray:
    """Second derivatives of -ln likelihood by ``switching.vector()``, shape (5, 5).

    Raises:
        FitEnded: the fit is to end early.
    """
    steps_made = iterations()
    centre = switching.vector()
    levels = switching.scale / math.sqrt(samples.size)
    small = 0.3 / math.sqrt(samples.size)
    steps = np.array([_STEP, _STEP, 0.3 * levels, 0.3 * levels / switching.step, small])

    def at(*moves: tuple[int, float]) -> float:
        steps_made.refuse_if_over()
        vector = centre.copy()
        for k, sign in moves:
            vector[k] += sign * steps[k]
        return -log_likelihood(samples, switching.moved(vector))

    here, ahead, back = at(), [at((k, 1)) for k in range(5)], [at((k, -1)) for k in range(5)]
    second = np.empty((5, 5))
    for i in range(5):
        second[i, i] = (ahead[i] - 2 * here + back[i]) / steps[i] ** 2
        for j in range(i):  # along the diagonal, less the change along either axis
            both = at((i, 1), (j, 1)) + at((i, -1), (j, -1)) - 2 * here
            mixed = both - (ahead[i] + back[i] - 2 * here) - (ahead[j] + back[j] - 2 * here)
            second[i, j] = second[j, i] = mixed / (2 * steps[i] * steps[j])
    if second[4, 4] < _STEP * samples.size:  # the noise is below the least that counts, see QUIETEST
        second[4], second[:, 4] = 0.0, 0.0
        second[4, 4] = 2.0 * samples.size
    return second


def without_memory(samples: Samples, switching: Switching) -> float:
    """ln likelihood of the same levels and occupations if every sample were independent of the one before."""
    matrices = switching.joint(samples.values)
    return float(np.log(np.einsum("i,ij...->...", switching.stationary(), matrices)) @ samples.counts)


def _normal(u: FloatArray) -> FloatArray:
    """Over its highest value, in the place of ``u``: new arrays of that size would take longer than the exponential."""
    np.square(u, out=u)
    u *= -0.5
    np.exp(u, out=u)
    return u


def _student(t: FloatArray) -> FloatArray:
    """Student's t with four degrees of freedom, over its highest value, in the place of ``t``."""
    np.square(t, out=t)
    t *= 0.25
    t += 1.0
    root = np.sqrt(t)
    np.square(t, out=t)
    t *= root
    np.reciprocal(t, out=t)
    return t
