"""Radau collocation on one panel of time: nodes, derivatives and weights (Hairer and Wanner, Solving ODEs II, IV.5).

Rates may be any number of times faster than a panel is long: the rule is stiffly accurate, so that what relaxes fast
follows what it relaxes to, and averages converge with the order 2s - 1 of s nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Radau:
    """s nodes on a panel from 0 to 1, the last of them at its end.

    Attributes:
        nodes: shape (s,).
        derivative: shape (s, s); at the nodes dp/dx = derivative @ p + start p(0).
        start: shape (s,), minus the row sums of ``derivative``.
        weights: shape (s,), the integral over the panel is weights @ p.
        series: shape (s, s), from values at the nodes to Legendre coefficients.
    """

    nodes: FloatArray
    derivative: FloatArray
    start: FloatArray
    weights: FloatArray
    series: FloatArray


@lru_cache
def radau(nodes: int) -> Radau:
    """The rule with so many nodes."""
    polynomial = np.zeros(nodes + 1)
    polynomial[-2:] = -1.0, 1.0
    x = np.sort(legendre.legroots(polynomial).real)
    for _ in range(3):  # Newton: the companion matrix leaves 1e-14
        x = x - legendre.legval(x, polynomial) / legendre.legval(x, legendre.legder(polynomial))
    x[-1] = 1.0
    places = np.concatenate([[-1.0], x])
    apart = places[:, None] - places
    np.fill_diagonal(apart, 1.0)
    barycentric = 1.0 / apart.prod(axis=1)
    derivative = barycentric / barycentric[:, None] / apart
    np.fill_diagonal(derivative, 0.0)
    np.fill_diagonal(derivative, -derivative.sum(axis=1))
    series = np.asarray(np.linalg.inv(legendre.legvander(x, nodes - 1)), dtype=float)
    return Radau((x + 1.0) / 2.0, 2.0 * derivative[1:, 1:], 2.0 * derivative[1:, 0], series[0].copy(), series)
