"""One solution of the transport fit: a system, its parameters, the conductance of each spectrum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.transport.symmetry import Signs
from stmlab.systems import Scale

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import FloatArray
    from stmlab.systems import Parameter, System

_SAME_PLACE = 0.02  # of the size of each parameter, or of the value of one above 0


@dataclass(frozen=True, eq=False)
class Solution:
    """A fit with one system: parameters, conductances, covariance of both, weights of the spectra.

    ``left`` is what it leaves of each spectrum, model less data, S; ``steps`` that the last descent took.
    """

    system: System
    values: Mapping[str, float]
    free: tuple[str, ...]
    conductances: FloatArray
    covariance: FloatArray
    noise: FloatArray  # of each spectrum, S
    aic: float
    left: tuple[FloatArray, ...] = ()
    converged: bool = False
    steps: int = 0
    signs: Signs = field(default_factory=Signs)

    @property
    def usual(self) -> dict[str, float]:
        """The values, with the usual ones of the signs that make no difference."""
        return self.signs.as_usual(self.values)


def settled(improved: Callable[[Solution], Solution], solution: Solution, steady: float, most: int) -> Solution:
    """To the end, and again while that changes the noise: the covariance is for the noise that one begins with.

    Args:
        improved: goes down to the end with the noise of a solution.
        solution: to begin with.
        steady: relative change of the noise that is none.
        most: how often, at least once.
    """
    for _ in range(most):
        found = improved(solution)
        if np.allclose(found.noise, solution.noise, rtol=steady, atol=0.0):
            break
        solution = found
    return found


def compared(best: Solution, found: list[Solution]) -> tuple[FloatArray, dict[str, str]]:
    """The lowest AIC of each system, and how far each lies above the best one, as ``choices`` of a result say it."""
    lowest = {system: min(one.aic for one in group) for system, group in by_system(found).items()}
    ranked = sorted(lowest, key=lambda system: lowest[system])
    said = ", ".join(f"{one.label} +{lowest[one] - best.aic:.1f}" for one in ranked)
    return np.array(list(lowest.values())), {"AIC": said} if len(ranked) > 1 else {}


def distinct(found: list[Solution]) -> list[Solution]:
    """Of solutions that have come to the same place only the best, in the order of the others."""
    best_first = sorted(found, key=lambda solution: solution.aic)
    kept: list[Solution] = []
    for solution in best_first:
        if not any(_same_place(solution, other) for other in kept):
            kept.append(solution)
    return [solution for solution in found if solution in kept]


def _same_place(one: Solution, other: Solution) -> bool:
    if one.system is not other.system:
        return False
    here, there, parameters = one.usual, other.usual, one.system.parameters
    return all(abs(here[name] - there[name]) < _SAME_PLACE * _size(parameters[name], here[name]) for name in one.free)


def _size(parameter: Parameter, value: float) -> float:
    return abs(value) if parameter.scale is Scale.LOGARITHMIC else parameter.size


def by_system(found: list[Solution]) -> dict[System, list[Solution]]:
    """The solutions of each system, in the order in which they were begun."""
    groups: dict[System, list[Solution]] = {}
    for solution in found:
        groups.setdefault(solution.system, []).append(solution)
    return groups
