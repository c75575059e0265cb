"""One solution of the transport fit: a kind of exchange, its parameters, the conductance of each spectrum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stmlab.analysis.transport.problem import SIZES
from stmlab.physics.coupled_tip import ExchangeKind

if TYPE_CHECKING:
    from stmlab.analysis.transport.model import SpinParameters, SpinSetting
    from stmlab.arrays import FloatArray

_SAME_PLACE = 0.02  # of the size of each parameter


@dataclass(frozen=True, eq=False)
class Solution:
    """A fit with one kind of exchange: parameters, conductances, covariance of both, weights of the spectra.

    ``left`` is what it leaves of each spectrum, model less data, S; ``steps`` that the last descent took.
    """

    setting: SpinSetting
    parameters: SpinParameters
    free: tuple[str, ...]
    conductances: FloatArray
    covariance: FloatArray
    noise: FloatArray  # of each spectrum, S
    aic: float
    left: tuple[FloatArray, ...] = ()
    converged: bool = False
    steps: int = 0


def as_usual(best: Solution) -> SpinParameters:
    """Of the signs that make no difference, those that are usual.

    E > 0; J > 0 of an Ising exchange without a field; U > 0 where nothing interferes with it.
    """
    spins = best.parameters
    spins = replace(spins, transverse_anisotropy_meV=abs(spins.transverse_anisotropy_meV))
    if best.setting.order == 2 and best.setting.exchange is ExchangeKind.NONE:
        spins = replace(spins, potential_scattering=abs(spins.potential_scattering))
    symmetric = best.setting.exchange is ExchangeKind.ISING and best.setting.field_T == 0
    if symmetric and spins.exchange_slope_meV_per_uS < 0:
        opposite = {"exchange_slope_meV_per_uS": -spins.exchange_slope_meV_per_uS, "correlation": -spins.correlation}
        spins = replace(spins, **opposite)
    return spins


def distinct(found: list[Solution]) -> list[Solution]:
    """Of solutions that have come to the same place only the best, in the order of the others."""
    best_first = sorted(found, key=lambda solution: solution.aic)
    kept: list[Solution] = []
    for solution in best_first:
        if not any(_same_place(solution, other) for other in kept):
            kept.append(solution)
    return [solution for solution in found if solution in kept]


def _same_place(one: Solution, other: Solution) -> bool:
    if one.setting.exchange is not other.setting.exchange:
        return False
    here, there = as_usual(one), as_usual(other)
    return all(
        abs(getattr(here, name) - getattr(there, name)) < _SAME_PLACE * SIZES.get(name, 1.0) for name in one.free
    )


def by_kind(found: list[Solution]) -> dict[ExchangeKind, list[Solution]]:
    """The solutions of each kind of exchange, in the order in which the kinds were begun."""
    groups: dict[ExchangeKind, list[Solution]] = {}
    for solution in found:
        groups.setdefault(solution.setting.exchange, []).append(solution)
    return groups
