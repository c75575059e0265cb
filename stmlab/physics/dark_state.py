"""The dark state of two equally coupled spins: its family of steady states, and how measurements purify it.

At l1 = l2 and theta = phi = 0 the singlet |S> = (|ud> - |du>)/sqrt 2 decouples from the current (Horovitz and Henkel,
eq. 10). The steady states are p |S><S| + (1 - p) times a mixture of triplets; p is what the initial state brings along.
A measurement of tz1 tz2 with the result -1 removes |uu> and |dd>, so that the weight of the singlet grows each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import finite, real_array, refuse
from stmlab.physics.lindblad import density_matrix, hermitian

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.physics.lindblad import Lindbladian

SINGLET = np.array([0.0, 1.0, -1.0, 0.0], dtype=complex) / np.sqrt(2.0)
"""|S> in the basis |uu>, |ud>, |du>, |dd>."""
ANTIPARALLEL = np.diag([0.0, 1.0, 1.0, 0.0]).astype(complex)
"""Projector on tz1 tz2 = -1."""


def dark_state() -> ComplexArray:
    """|S><S|, shape (4, 4) (eq. 10)."""
    return np.outer(SINGLET, SINGLET.conj())


def bright_state(polarisation: float) -> ComplexArray:
    """The mixture of triplets that the current sustains, shape (4, 4).

    Args:
        polarisation: nu / V, from -1 to 1; the weights of T1, T2, T3 are (1-n)^2, 1-n^2, (1+n)^2 over 3+n^2.
    """
    n = _polarisation(polarisation)
    up, middle, down = np.array([(1.0 - n) ** 2, 1.0 - n * n, (1.0 + n) ** 2]) / (3.0 + n * n)
    state = np.diag([up, 0.5 * middle, 0.5 * middle, down]).astype(complex)
    state[1, 2] = state[2, 1] = 0.5 * middle
    return state


def steady_family(polarisation: float, dark_weight: float) -> ComplexArray:
    """The steady state with weight p of the dark state, p from 0 to 1 (eq. 11); shape (4, 4)."""
    weight = finite("dark_weight", dark_weight)
    if not 0.0 <= weight <= 1.0:
        raise refuse("dark_weight", weight, "a weight from 0 to 1 is needed")
    return weight * dark_state() + (1.0 - weight) * bright_state(polarisation)


def critical_weight(polarisation: float) -> float:
    """p_c = (1 - n^2) / (2 - 2 n^2 / 3): with more weight of the dark state the steady state is entangled."""
    n = _polarisation(polarisation)
    return 0.5 * (1.0 - n * n) / (1.0 - n * n / 3.0)


@dataclass(frozen=True, eq=False)
class Transient:
    """States on the way to equilibrium, with measurements that all gave the wanted result.

    Attributes:
        times: shape (T,); at the instant of a measurement the state is the one after it.
        states: shape (T, d, d).
        measurements: shape (M,), times of the measurements.
        probabilities: shape (M,), how likely each result was, given the ones before.
    """

    times: FloatArray
    states: ComplexArray
    measurements: FloatArray
    probabilities: FloatArray


def transient(
    generator: Lindbladian,
    initial: ComplexArray,
    times: FloatArray,
    *,
    measurements: FloatArray | tuple[float, ...] = (),
    projector: ComplexArray = ANTIPARALLEL,
) -> Transient:
    """Evolution from ``initial``, interrupted by projective measurements (Horovitz and Henkel, Fig. 3 right).

    Args:
        generator: the master equation.
        initial: shape (d, d), state at time 0.
        times: shape (T,), rising, 0 or more.
        measurements: shape (M,), rising, 0 or more.
        projector: shape (d, d), the result that is kept.

    Raises:
        PhysicsError: times do not rise, ``initial`` is no state, ``projector`` none, or a result has probability 0.
    """
    moments, instants = _rising("times", times), _rising("measurements", measurements)
    doubled = float(np.abs(projector @ hermitian("projector", projector) - projector).max())
    if doubled > 1e-9:
        raise refuse("largest element of projector^2 - projector", doubled, "0 is needed")
    edges = np.concatenate([[0.0], instants, [np.inf]])
    state = density_matrix("initial", initial, generator.dimension)
    states, probabilities = [], []
    for begin, end in pairwise(edges):
        within = moments[(moments >= begin) & (moments < end)] - begin
        states.append(generator.evolve(state, within))
        if np.isfinite(end):
            state, probability = _measured(generator.evolve(state, np.array([end - begin]))[0], projector, end)
            probabilities.append(probability)
    return Transient(moments, np.concatenate(states), instants, np.array(probabilities))


def _measured(state: ComplexArray, projector: ComplexArray, time: float) -> tuple[ComplexArray, float]:
    """State after the result of ``projector``, and the probability of that result."""
    kept = projector @ state @ projector
    probability = float(np.trace(kept).real)
    if probability <= 1e-12:
        raise refuse("probability of the result at the measurement at " + f"{time:g}", probability, "above 0 is needed")
    return kept / probability, probability


def _rising(name: str, times: FloatArray | tuple[float, ...]) -> FloatArray:
    values = np.atleast_1d(real_array(name, np.asarray(times, dtype=float)))
    if values.size and (values[0] < 0.0 or (np.diff(values) < 0.0).any()):
        raise refuse(name, values.tolist(), "times of 0 or more in rising order are needed")
    return values


def _polarisation(value: float) -> float:
    n = finite("polarisation", value)
    if abs(n) > 1.0:
        raise refuse("polarisation", n, "nu / V from -1 to 1 is needed")
    return n
