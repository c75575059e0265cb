"""Rate equations dp/dt = W p of n states: generators, their steady states and their propagators.

W[f, i] is the rate from state i to state f in 1/s and every column sums to zero. Rates of one system may span many
orders of magnitude, so nothing here subtracts numbers that nearly cancel: steady states come from `occupation`, with
the states in an order that suits it, and propagators are sums and products of probabilities.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import real_array, refuse
from stmlab.physics.occupation import RateEquation, steady_occupation

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
    if np.array_equal(order, np.broadcast_to(np.arange(states), order.shape)):
        return steady_occupation(generators)
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


def slowest_times(generators: FloatArray) -> FloatArray:
    """For each rate matrix about the time in s that its slowest relaxation takes, exact to rounding; shape (T,).

    It is the largest element of the group inverse, by elimination without subtractions.

    Raises:
        PhysicsError: a matrix has more than one steady state.
    """
    count, states = generators.shape[:2]
    order = rooted_order(generators)
    stack = np.take_along_axis(np.take_along_axis(generators, order[:, :, None], 1), order[:, None, :], 2)
    repeated = np.repeat(np.moveaxis(stack, 0, -1), states, axis=-1)
    equation = RateEquation(repeated, overwrite=True)
    steady = equation.steady()
    response = equation.response(np.tile(np.eye(states), count) - steady, steady)
    times: FloatArray = np.abs(response).max(axis=0).reshape(count, states).max(axis=1)
    return times


def held_steps(generators: FloatArray, durations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Exact evolution while each rate matrix is held constant, to full relative precision of every element.

    With q the fastest exit, exp(W t) = exp(-q t) exp((W + q) t), where no element of W + q is negative: the series and
    its squares are sums of positive numbers, and columns are brought back to the sum 1 after each squaring, so that
    rounding neither grows nor leaks from fast rates into slow ones.

    Args:
        generators: shape (T, n, n) in 1/s.
        durations: shape (T,) in s.

    Returns:
        exp(W t), and the time average (1/t) int_0^t exp(W s) ds; both of shape (T, n, n), no element negative.
    """
    scaled = generators * np.asarray(durations, dtype=float)[:, None, None]
    largest = float(np.abs(scaled).max())
    halvings = max(0, int(np.ceil(np.log2(largest / _TAYLOR_RANGE)))) if largest > 0.0 else 0
    scaled /= 2.0**halvings
    state = np.arange(generators.shape[-1])
    fastest = -scaled[:, state, state].min(axis=1)
    scaled[:, state, state] += fastest[:, None]
    scaled = np.maximum(scaled, 0.0)
    step, mean = _short_step(scaled, fastest[:, None, None])
    for _ in range(halvings):
        mean = 0.5 * (mean + step @ mean)
        step = probabilities(step @ step)
    return step, probabilities(mean)


def _short_step(raised: FloatArray, fastest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """exp(A - q), and its average over the step: sum_k A^k/k! times E_k = int_0^1 s^k exp(-q s) ds; A not negative."""
    order = np.arange(_TAYLOR_TERMS + 1)[:, None, None, None]
    # E_k = exp(-q) sum_m q^m k! / (k + m + 1)!: all terms positive
    factorials = np.array([math.factorial(number) for number in range(2 * _TAYLOR_TERMS + 2)], dtype=float)
    moments = sum(fastest**m * (factorials[order] / factorials[order + m + 1]) for m in range(_TAYLOR_TERMS + 1))
    power = np.broadcast_to(np.eye(raised.shape[-1]), raised.shape)
    step, mean = np.zeros_like(raised), np.zeros_like(raised)
    for number in range(_TAYLOR_TERMS + 1):
        step = step + power
        mean = mean + power * moments[number]
        power = raised @ power / (number + 1)
    return probabilities(step), probabilities(mean)


def probabilities(matrices: FloatArray) -> FloatArray:
    """The same with columns that sum to one."""
    normal: FloatArray = matrices / matrices.sum(axis=-2, keepdims=True)
    return normal


def cycle_start(steps: FloatArray) -> FloatArray:
    """Occupation, shape (n,), at the start of an endless cycle of steps exp(W t), shape (T, n, n)."""
    while len(steps) > 1:
        odd = steps[-1:] if len(steps) % 2 else steps[:0]
        pairs = steps[: len(steps) - len(odd)]
        steps = np.concatenate([probabilities(pairs[1::2] @ pairs[::2]), odd])
    return settled_occupation(steps[0])
