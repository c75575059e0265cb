"""The order in which the points of a sweep are visited: drift then is noise of the points, not a shape of the curve.

The data in the file stay sorted along the axis; the log of visits has the order. Only the innermost axis is visited in
another order, and only one that costs little to jump along: a frequency, a delay, a bias (within its slew, which the
estimate counts). Each repetition of a sweep has an order of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from stmlab.arrays import IntArray

ORDERS = ("automatic", "sweep", "shuffled", "interleaved")
"""automatic: shuffled where a sweep is repeated and jumping costs nothing, else sweep."""

JUMPED = ("frequency", "delay", "bias")
"""Axes whose points may be visited in another order: never a setpoint, a height, a temperature or a field."""

_STRIDE = 4


def order_of(name: str, axis: str, points: int, repetition: int) -> IntArray:
    """Positions along an axis, in the order in which they are visited.

    Args:
        name: one of "sweep", "shuffled", "interleaved" (every fourth point, four times).
        axis: its name.
        points: along it.
        repetition: number of the sweep; each is shuffled in another way, the same in each run.

    Returns:
        Shape (points,): each position once.

    Raises:
        SequenceError: this axis is not one of `JUMPED`.
    """
    positions: IntArray = np.arange(points)
    if name == "sweep":
        return positions
    if axis not in JUMPED:
        raise SequenceError(f"order = {name}: the points of the axis {axis} are visited in their order")
    if name == "shuffled":
        shuffled: IntArray = np.random.default_rng([points, repetition]).permutation(points)
        return shuffled
    starts = [(start + repetition) % _STRIDE for start in range(_STRIDE)]
    interleaved: IntArray = np.concatenate([positions[start::_STRIDE] for start in starts])
    return interleaved
