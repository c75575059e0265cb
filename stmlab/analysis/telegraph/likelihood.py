"""Likelihood of a trace that switches between two levels: a Markov process seen through noise.

Between samples the system goes from state i to j with P = exp(Q dt); a sample is Gaussian around the level of the state
it ends in, or, where the instrument averages over the interval, anything between both levels if the system switched
within it. Noise is Gaussian, or has the heavier tails of Student's t with four degrees of freedom, as where it drifts
or rings; it counts as at least a twentieth of the step, because a filter leaves as much of a jump in the samples after
it. The likelihood is the product of 2 x 2 matrices M_t[i, j] = P_ij p(y_t | i, j), multiplied pairwise, so that a trace
costs as many passes as its length has binary digits. Short dwells that no sample shows are accounted for, and so are
the first and the last: there is nothing to correct afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_FLOOR = 1e-5  # of a density: no single sample, however far off, makes two transitions of its own
_QUIETEST = 0.05  # of the step: what a filter leaves of a jump in the next samples is no other jump
_FARTHEST = 1e6  # noises from a level: beyond, squares would overflow where a search strays
_LARGEST_LOGARITHM = 30.0  # of step and noise in units of the trace's spread, where a search strays
_STEP = 0.03  # of the rates' logarithms, for the curvature; the others by their own errors


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
    def deviation(self) -> float:
        """Standard deviation of the noise."""
        return self.noise * (math.sqrt(2.0) if self.heavy else 1.0)

    def vector(self) -> FloatArray:
        """ln up, ln down, low, ln step, ln noise."""
        rates = math.log(self.up), math.log(self.down)
        return np.array([*rates, self.low, math.log(self.step), math.log(self.noise)])

    def moved(self, vector: FloatArray) -> Switching:
        """The same kind with other numbers, given as ``vector``."""
        up, down, low = vector[:3].tolist()
        step, noise = np.clip(vector[3:], -_LARGEST_LOGARITHM, _LARGEST_LOGARITHM).tolist()
        return Switching(math.exp(up), math.exp(down), low, math.exp(step), math.exp(noise), self.averaged, self.heavy)

    def transitions(self) -> FloatArray:
        """P[i, j] over one interval, low state first."""
        total = self.up + self.down
        moved = -math.expm1(-total) / total
        up, down = self.up * moved, self.down * moved
        return np.array([[1 - up, up], [down, 1 - down]])

    def stationary(self) -> FloatArray:
        """Occupations, low state first."""
        return np.array([self.down, self.up]) / (self.up + self.down)

    def densities(self, values: FloatArray) -> FloatArray:
        """p(y_t | i, j), shape (n, 2, 2)."""
        density, between = (_student, _between_student) if self.heavy else (_normal, _between)
        noise = max(self.noise, _QUIETEST * self.step)
        away = np.clip((values - self.low) / noise, -_FARTHEST, _FARTHEST)
        found = np.empty((values.size, 2, 2))
        found[:, 0, 0] = found[:, 1, 0] = density(away) / noise
        found[:, 1, 1] = found[:, 0, 1] = density(away - self.step / noise) / noise
        if self.averaged:
            found[:, 0, 1] = found[:, 1, 0] = between(away, self.step / noise) / self.step
        found += _FLOOR / noise
        return found


def log_likelihood(values: FloatArray, switching: Switching) -> float:
    """ln of the probability density of the trace, shape (n,)."""
    matrices = switching.transitions() * switching.densities(values)
    logarithm = 0.0
    while len(matrices) > 1:
        odd = len(matrices) % 2
        last = matrices[-1:] if odd else None
        matrices = matrices[0 : len(matrices) - odd : 2] @ matrices[1 : len(matrices) - odd : 2]
        if last is not None:
            matrices = np.concatenate([matrices, last])
        size = matrices.max(axis=(1, 2))
        logarithm += float(np.log(size).sum())
        matrices = matrices / size[:, None, None]
    return logarithm + math.log(float(switching.stationary() @ matrices[0] @ np.ones(2)))


def most_likely(values: FloatArray, start: Switching) -> tuple[Switching, float]:
    """The parameters of largest likelihood near ``start``, and its logarithm."""
    import lmfit

    names = ("up", "down", "low", "step", "noise")
    parameters = lmfit.Parameters()
    for name, value in zip(names, start.vector().tolist(), strict=True):
        parameters.add(name, value=value)
    parameters["up"].set(min=math.log(1e-9), max=math.log(20.0))
    parameters["down"].set(min=math.log(1e-9), max=math.log(20.0))

    def negative(p: lmfit.Parameters) -> float:
        vector = np.array([p[name].value for name in names])
        return -log_likelihood(values, start.moved(vector)) / values.size

    minimizer = lmfit.Minimizer(negative, parameters, calc_covar=False)
    found = minimizer.scalar_minimize(method="BFGS", options={"gtol": 1e-6 / math.sqrt(values.size)})
    vector = np.array([found.params[name].value for name in names])
    best = start.moved(vector)
    return best, log_likelihood(values, best)


def curvature(values: FloatArray, switching: Switching) -> FloatArray:
    """Second derivatives of -ln likelihood by ``switching.vector()``, shape (5, 5)."""
    centre = switching.vector()
    levels = max(switching.noise, _QUIETEST * switching.step) / math.sqrt(values.size)
    small = 0.3 / math.sqrt(values.size)
    steps = np.array([_STEP, _STEP, 0.3 * levels, 0.3 * levels / switching.step, small])

    def at(*moves: tuple[int, float]) -> float:
        vector = centre.copy()
        for k, sign in moves:
            vector[k] += sign * steps[k]
        return -log_likelihood(values, switching.moved(vector))

    here = at()
    second = np.empty((5, 5))
    for i in range(5):
        second[i, i] = (at((i, 1)) - 2 * here + at((i, -1))) / steps[i] ** 2
        for j in range(i):
            mixed = at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))
            second[i, j] = second[j, i] = mixed / (4 * steps[i] * steps[j])
    if second[4, 4] < _STEP * values.size:  # the noise is below the least that is told from the filter's
        second[4], second[:, 4] = 0.0, 0.0
        second[4, 4] = 2.0 * values.size
    return second


def most_likely_states(values: FloatArray, switching: Switching) -> FloatArray:
    """The single most likely course of states (Viterbi), 0 low and 1 high, shape (n,)."""
    with np.errstate(divide="ignore"):
        scores = np.log(switching.transitions() * switching.densities(values)).reshape(-1, 4).tolist()
    low, high = (math.log(part) for part in switching.stationary().tolist())
    came_low, came_high = [], []
    for stay_low, rise, fall, stay_high in scores:
        from_low, from_high = low + stay_low, high + fall
        to_low, to_high = low + rise, high + stay_high
        came_low.append(from_high > from_low)
        came_high.append(to_high > to_low)
        low, high = max(from_low, from_high), max(to_low, to_high)
    states = np.empty(values.size)
    state = high > low
    for k in range(values.size - 1, -1, -1):
        states[k] = state
        state = came_high[k] if state else came_low[k]
    return states


def _normal(u: FloatArray) -> FloatArray:
    density: FloatArray = np.exp(-0.5 * u * u) / math.sqrt(2 * math.pi)
    return density


def _between(u: FloatArray, height: float) -> FloatArray:
    """Phi(u) - Phi(u - height): a Gaussian spread evenly over ``height``, times that height."""
    from scipy.special import ndtr

    spread: FloatArray = ndtr(u) - ndtr(u - height)
    return spread


def _student(t: FloatArray) -> FloatArray:
    """Student's t with four degrees of freedom."""
    density: FloatArray = 0.375 * (1 + 0.25 * t * t) ** -2.5
    return density


def _between_student(t: FloatArray, height: float) -> FloatArray:
    """As `_between`, for Student's t."""

    def below(x: FloatArray) -> FloatArray:
        sine = x / np.sqrt(x * x + 4)
        share: FloatArray = 0.5 + 0.75 * sine * (1 - sine * sine / 3)
        return share

    return below(t) - below(t - height)
