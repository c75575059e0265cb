"""Rate equations dp/dt = W p of n states: generators, their steady states and their propagators.

W[f, i] is the rate from state i to state f in 1/s and every column sums to zero. Rates of one system may span many
orders of magnitude, so nothing here subtracts numbers that nearly cancel: steady states come from `occupation`, with
the states in an order that suits it, and propagators are kept as their difference from 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import real_array, refuse
from stmlab.physics.occupation import steady_occupation

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray

_TAYLOR_TERMS = 9
_TAYLOR_RANGE = 1.0 / 16.0
"""A step this small has its exponential series exact to rounding after _TAYLOR_TERMS terms."""


def checked_generators(name: str, generators: Any) -> FloatArray:
    """``generators`` as floats of shape (T, n, n); raises PhysicsError unless each is a rate matrix."""
    matrices = real_array(name, generators, unit="1/s")
    if matrices.ndim != 3 or matrices.shape[1] != matrices.shape[2] or matrices.shape[1] < 2 or not len(matrices):
        raise refuse(f"shape of {name}", matrices.shape, "(samples, n, n) with n >= 2 states is needed")
    largest = float(np.abs(matrices).max())
    columns = matrices.sum(axis=1)
    worst = float(columns.flat[np.abs(columns).argmax()])
    if abs(worst) > 1e-9 * largest:
        raise refuse(f"column sum of {name}", worst, "0 /s is needed: W[f, i] is the rate from i to f")
    lowest = matrices.min(axis=0)
    np.fill_diagonal(lowest, 0.0)
    if lowest.min() < -1e-12 * largest:
        raise refuse(name, float(lowest.min()), "rates of 0 /s or more are needed off the diagonal")
    return matrices


def settled_occupation(generators: FloatArray) -> FloatArray:
    """Occupations p with W p = 0, each to full relative precision, also where states are left for good.

    Args:
        generators: shape (..., n, n), rate matrices.

    Returns:
        Shape (..., n), each row sums to one.

    Raises:
        PhysicsError: a matrix has more than one steady state.
    """
    states = generators.shape[-1]
    stack = generators.reshape(-1, states, states)
    order = rooted_order(stack)
    stack = np.take_along_axis(np.take_along_axis(stack, order[:, :, None], 1), order[:, None, :], 2)
    occupations = np.empty(stack.shape[:2])
    np.put_along_axis(occupations, order, steady_occupation(stack), 1)
    return occupations.reshape(generators.shape[:-1])


def rooted_order(generators: FloatArray) -> IntArray:
    """For each rate matrix an order of its states that begins with one that all others reach.

    Args:
        generators: shape (T, n, n).

    Returns:
        Shape (T, n), a permutation of the states for each matrix.

    Raises:
        PhysicsError: there is no such state, so that the steady state is not unique.
    """
    count, states = len(generators), generators.shape[-1]
    order = np.tile(np.arange(states), (count, 1))
    linked = generators > 0.0
    if np.count_nonzero(linked) == count * states * (states - 1):
        return order
    reached = (linked | np.eye(states, dtype=bool)).astype(np.float32)
    for _ in range((states - 1).bit_length()):
        reached = np.minimum(reached @ reached, 1.0)
    roots = np.all(reached > 0.0, axis=2)
    if not np.all(np.any(roots, axis=1)):
        raise PhysicsError(
            "rates: the steady state is not unique, because no state is reached from all others; "
            "a rate above 0 /s between the separate groups of states is needed"
        )
    root = roots.argmax(axis=1)
    order[np.arange(count), root] = 0
    order[:, 0] = root
    return order


def held_steps(generators: FloatArray, durations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Exact evolution while each rate matrix is held constant.

    Args:
        generators: shape (T, n, n) in 1/s.
        durations: shape (T,) in s.

    Returns:
        exp(W t) - 1, and the time average (1/t) int_0^t exp(W s) ds; both of shape (T, n, n).
    """
    scaled = generators * np.asarray(durations, dtype=float)[:, None, None]
    largest = float(np.abs(scaled).max())
    halvings = max(0, int(np.ceil(np.log2(largest / _TAYLOR_RANGE)))) if largest > 0.0 else 0
    scaled /= 2.0**halvings
    unit = np.eye(generators.shape[-1])
    mean = unit + scaled / (_TAYLOR_TERMS + 1)
    for term in range(_TAYLOR_TERMS, 1, -1):
        mean = unit + scaled @ mean / term
    change = scaled @ mean
    for _ in range(halvings):
        mean = mean + 0.5 * change @ mean
        change = following(change, change)
    return change, mean


def following(later: FloatArray, earlier: FloatArray) -> FloatArray:
    """exp(B) exp(A) - 1 from exp(B) - 1 and exp(A) - 1, with columns that sum to zero exactly."""
    change = later + earlier + later @ earlier
    diagonal = np.arange(change.shape[-1])
    change[..., diagonal, diagonal] = 0.0
    change[..., diagonal, diagonal] = -change.sum(axis=-2)
    return change


def cycle_start(changes: FloatArray) -> FloatArray:
    """Occupation, shape (n,), at the start of an endless cycle of steps, given as exp - 1, shape (T, n, n)."""
    while len(changes) > 1:
        odd = changes[-1:] if len(changes) % 2 else changes[:0]
        pairs = changes[: len(changes) - len(odd)]
        changes = np.concatenate([following(pairs[1::2], pairs[::2]), odd])
    return settled_occupation(np.maximum(changes[0], 0.0))
