"""How often each state is occupied: in thermal equilibrium, or in the steady state of the rate equation.

The rate equation dp_f/dt = sum_i (R_fi p_i - R_if p_f) (Muenks et al., eq. 8, whose loss sum runs over states other
than f) is solved by eliminating one state after another, from the top. Exits are summed, never subtracted from a
diagonal (Grassmann, Taksar and Heyman), so that populations of 1e-30 are as exact as those of order one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import positive, real_array, refuse
from stmlab.physics.constants import K_B_MEV_PER_K

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stmlab.arrays import FloatArray, IntArray


def thermal_occupation(energies_meV: FloatArray, temperature_K: float) -> FloatArray:
    """Boltzmann occupations, shape (n,), of states with ``energies_meV``; raises PhysicsError unless T > 0."""
    energies = real_array("energies_meV", energies_meV, unit="meV")
    weights = np.exp(-(energies - energies.min()) / (K_B_MEV_PER_K * positive("temperature_K", temperature_K, "K")))
    occupations: FloatArray = weights / weights.sum()
    return occupations


def generator(rates: FloatArray) -> FloatArray:
    """W of dp/dt = W p from transition rates: columns sum to zero; shape (..., n, n), [f, i] from i to f."""
    matrix = np.array(rates, dtype=float)
    states = np.arange(matrix.shape[-1])
    matrix[..., states, states] = 0.0
    matrix[..., states, states] = -matrix.sum(axis=-2)
    return matrix


def steady_occupation(rates: FloatArray) -> FloatArray:
    """Occupations that no longer change under transition rates.

    Args:
        rates: shape (..., n, n), [f, i] is the rate from i to f, in any one unit; the diagonal plays no part.

    Returns:
        Shape (..., n), each row sums to one.

    Raises:
        PhysicsError: a rate is negative or not finite, or the steady state is not unique.
    """
    matrix = real_array("rates", rates)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise refuse("rates", f"shape {matrix.shape}", "shape (..., n, n) is needed")
    off_diagonal = np.where(np.eye(matrix.shape[-1], dtype=bool), 0.0, matrix)
    if (off_diagonal < 0).any():
        raise refuse("rates", float(off_diagonal.min()), "rates of 0 or more are needed off the diagonal")
    stack = np.moveaxis(matrix.reshape(-1, *matrix.shape[-2:]), 0, -1)
    occupations: FloatArray = RateEquation(stack).steady().T.reshape(matrix.shape[:-1])
    return occupations


class RateEquation:
    """A stack of rate equations, eliminated once and solved for many right-hand sides.

    Args:
        rates: shape (n, n, ...), [f, i, ...] is the rate from i to f; the diagonal plays no part.
        overwrite: work in the memory of ``rates``.

    Raises:
        PhysicsError: from some state none of those below can be reached: the steady state is not unique.
    """

    def __init__(self, rates: FloatArray, *, overwrite: bool = False) -> None:
        self._rates = rates if overwrite else np.array(rates, dtype=float)
        self._exits = np.ones(self._rates.shape[1:])
        for state in range(self._rates.shape[0] - 1, 0, -1):
            self._eliminate(state)

    def _eliminate(self, state: int) -> None:
        rates = self._rates
        exits = rates[:state, state].sum(axis=0)
        if not exits.all():
            raise PhysicsError(
                f"rates: the steady state is not unique, state {state} and those above it do not decay into the lower "
                "ones; give the spins that are not tunnelled through a bath (Bath(spin, conductance_S > 0))"
            )
        self._exits[state] = exits
        rates[:state, state] /= exits
        rates[:state, :state] += rates[:state, state, None] * rates[state, :state]

    def steady(self) -> FloatArray:
        """Steady occupations, shape (n, ...)."""
        occupations = np.empty(self._exits.shape)
        occupations[0] = 1.0
        for state in range(1, len(occupations)):
            inflow = (self._rates[state, :state] * occupations[:state]).sum(axis=0)
            occupations[state] = inflow / self._exits[state]
        total: FloatArray = occupations / occupations.sum(axis=0)
        return total

    def response(self, source: FloatArray, steady: FloatArray) -> FloatArray:
        """x with W x = source and sum(x) = 0, W being the generator; ``source`` sums to zero; all shapes (n, ...)."""
        reduced = np.array(source)
        for state in range(len(reduced) - 1, 0, -1):
            reduced[:state] += self._rates[:state, state] * reduced[state]
        answer = np.zeros(reduced.shape)
        for state in range(1, len(reduced)):
            inflow = (self._rates[state, :state] * answer[:state]).sum(axis=0)
            answer[state] = (inflow - reduced[state]) / self._exits[state]
        balanced: FloatArray = answer - steady * answer.sum(axis=0)
        return balanced


def groups(joined: NDArray[np.bool_]) -> IntArray:
    """Number of sets of states with no way from one to another, shape (...).

    Args:
        joined: shape (..., n, n), [..., f, i] says that i -> f or f -> i is possible.
    """
    states = joined.shape[-1]
    joined = joined | joined.swapaxes(-1, -2) | np.eye(states, dtype=bool)
    lowest = np.broadcast_to(np.arange(states), joined.shape[:-1])  # state known to be in the same set
    while True:
        lower = np.where(joined, lowest[..., None, :], states).min(axis=-1)
        if (lower == lowest).all():
            return np.asarray((lowest == np.arange(states)).sum(axis=-1))
        lowest = lower


def drift(rates: FloatArray, occupations: FloatArray) -> FloatArray:
    """dp/dt at ``occupations`` of shape (n, ...) under ``rates`` of shape (n, n, ...)."""
    change: FloatArray = (rates * occupations).sum(axis=1) - rates.sum(axis=0) * occupations
    return change
