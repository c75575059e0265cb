"""The polygamma functions of complex arguments (of the derivatives scipy has those of real ones only)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray

_SHIFT = 8
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def polygamma(z: ComplexArray, highest: int) -> list[ComplexArray]:
    """psi(z) and its derivatives up to order ``highest``, for Re z >= 1/2, to about 1e-15.

    The argument is shifted by the recurrence to Re z >= 17/2, where the asymptotic series has converged.
    """
    far = z + _SHIFT
    inverse = 1.0 / far
    values = [_asymptotic(far, inverse, order) for order in range(highest + 1)]
    for step in range(_SHIFT):
        power = reciprocal = 1.0 / (z + step)
        for order in range(highest + 1):
            values[order] -= (-1) ** order * math.factorial(order) * power
            power = power * reciprocal
    return values


def _asymptotic(z: ComplexArray, inverse: ComplexArray, order: int) -> ComplexArray:
    """d^order/dz^order of ln z - 1/(2z) - sum_k B_2k / (2k z^2k)."""
    square = inverse * inverse
    series = np.zeros_like(z)
    for number in range(len(_BERNOULLI), 0, -1):
        falling = math.factorial(2 * number + order - 1) / math.factorial(2 * number)
        series = (series + _BERNOULLI[number - 1] * falling) * square
    if order == 0:
        return np.log(z) - inverse / 2 - series
    sign = (-1) ** (order - 1)
    leading = math.factorial(order - 1) + math.factorial(order) / 2 * inverse
    value: ComplexArray = sign * inverse**order * (leading + series)
    return value
