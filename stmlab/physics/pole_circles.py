"""Circles around the poles of a rational function, drawn so that residues stay exact where poles coincide.

The sum of residues over a group of poles is a contour integral, and the trapezoidal rule on a circle converges
geometrically: with N nodes the error is (spread / radius)^N + (radius / distance)^N, where ``spread`` is how far the
enclosed poles lie from the centre and ``distance`` how far the nearest singularity that stays outside. Poles that lie
close together must share a circle (their residues grow without bound and cancel), poles far apart must not. Of all ways
to group the few poles of a model the one with the smallest predicted error is taken, point by point; no threshold
decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.arrays import ComplexArray, FloatArray, IntArray

_FEW_NODES, _MANY_NODES = 12, 32
"""Nodes on a circle around coincident poles, and around poles with a spread."""
_SMALLEST_RATIO = 0.05
"""Radius over distance of the first kind: (1/20)^12 is below the rounding error; smaller circles only lose digits."""
_ORDER = 3
"""Order of the strongest singularity that poles close together add up to, beyond a simple pole."""
_CLOSEST = 1e-60
"""Relative distance between poles that already counts as none; keeps its cube within floating point."""
_GOOD_ENOUGH = 1e-14
"""Predicted relative error below which no other grouping is looked for."""

Grouping = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Circles:
    """Circles around the poles of many points, C in all.

    Attributes:
        point: shape (C,), index of the point that a circle belongs to.
        centre: shape (C,), complex.
        radius: shape (C,).
        nodes: number of nodes on each.
    """

    point: IntArray
    centre: ComplexArray
    radius: FloatArray
    nodes: int

    def steps(self) -> ComplexArray:
        """From the centre to the nodes, shape (C, nodes)."""
        turn: ComplexArray = np.exp(2j * np.pi * (np.arange(self.nodes) + 0.5) / self.nodes)
        return self.radius[:, None] * turn


def circles_around(poles: ComplexArray) -> list[Circles]:
    """Circles that together enclose every pole once, as families with the same number of nodes.

    Args:
        poles: shape (P, K), K poles in the lower half-plane at each of P points, K <= 5. What lies on or above
            the real axis stays outside every circle.
    """
    point, centre, spread, distance = _drawn(poles, _best_groupings(poles))
    tight = spread <= _SMALLEST_RATIO**2 * distance
    radius = _radius(spread, distance)
    families = ((tight, _FEW_NODES), (~tight, _MANY_NODES))
    return [Circles(point[own], centre[own], radius[own], nodes) for own, nodes in families if own.any()]


def _best_groupings(poles: ComplexArray) -> IntArray:
    """For each point the index into `_groupings` with the smallest predicted error."""
    chosen = np.zeros(len(poles), dtype=np.int64)
    singles, *_ = groupings = _groupings(poles.shape[1])
    hard = np.flatnonzero(_predicted_error(poles, singles) > _GOOD_ENOUGH)
    if hard.size:
        errors = np.stack([_predicted_error(poles[hard], grouping) for grouping in groupings])
        chosen[hard] = np.argmin(errors, axis=0)
    return chosen


def _drawn(poles: ComplexArray, chosen: IntArray) -> tuple[IntArray, ComplexArray, FloatArray, FloatArray]:
    """Point, centre, spread and distance of every group."""
    circles = []
    for index, grouping in enumerate(_groupings(poles.shape[1])):
        own = np.flatnonzero(chosen == index)
        circles += [(own, *_geometry(poles[own], group)) for group in grouping] if own.size else []
    point, centre, spread, distance = zip(*circles, strict=True)
    return np.concatenate(point), np.concatenate(centre), np.concatenate(spread), np.concatenate(distance)


def _geometry(poles: ComplexArray, group: tuple[int, ...]) -> tuple[ComplexArray, FloatArray, FloatArray]:
    """Centre of a group, its spread, and the distance to the next pole outside or to the real axis."""
    centre = poles[:, group].mean(axis=1)
    away = np.abs(poles - centre[:, None])
    others = [k for k in range(poles.shape[1]) if k not in group]
    distance = np.minimum(away[:, others].min(axis=1, initial=np.inf), -centre.imag)
    return centre, away[:, group].max(axis=1), distance


def _radius(spread: FloatArray, distance: FloatArray) -> FloatArray:
    """The radius with the smallest error, or the smallest that keeps the digits."""
    return np.maximum(np.sqrt(spread * distance), _SMALLEST_RATIO * distance)


def _predicted_error(poles: ComplexArray, grouping: Grouping) -> FloatArray:
    """Relative error of the sum over all circles of one grouping, shape (P,)."""
    error = np.zeros(len(poles))
    for group in grouping:
        centre, spread, distance = _geometry(poles, group)
        apart = np.maximum(distance, -_CLOSEST * centre.imag)
        tight = spread <= _SMALLEST_RATIO**2 * apart
        truncation = np.where(tight, 0.0, _MANY_NODES**_ORDER * (spread / apart) ** (_MANY_NODES / 2))
        cancellation = np.finfo(float).eps * (-centre.imag / apart) ** _ORDER
        error = np.maximum(error, np.maximum(truncation, cancellation))
    return error


@cache
def _groupings(count: int) -> tuple[Grouping, ...]:
    """All ways to divide ``count`` poles into groups; the first leaves each pole on its own."""
    return tuple(sorted(_partitions(count), key=len, reverse=True))


def _partitions(count: int) -> Iterator[Grouping]:
    if count == 0:
        yield ()
        return
    for smaller in _partitions(count - 1):
        yield (*smaller, (count - 1,))
        for place, group in enumerate(smaller):
            yield (*smaller[:place], (*group, count - 1), *smaller[place + 1 :])
