"""One solution of the transport fit: a kind of exchange, its parameters, the conductance of each spectrum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stmlab.physics.coupled_tip import ExchangeKind

if TYPE_CHECKING:
    from stmlab.analysis.transport.model import SpinParameters, SpinSetting
    from stmlab.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Solution:
    """A fit with one kind of exchange: parameters, conductances, covariance of both, weights of the spectra."""

    setting: SpinSetting
    parameters: SpinParameters
    free: tuple[str, ...]
    conductances: FloatArray
    covariance: FloatArray
    noise: FloatArray  # of each spectrum, S
    aic: float


def as_usual(best: Solution) -> SpinParameters:
    """Of the signs that make no difference, those that are usual: E > 0; J > 0 of an Ising exchange without a field."""
    spins = best.parameters
    spins = replace(spins, transverse_anisotropy_meV=abs(spins.transverse_anisotropy_meV))
    symmetric = best.setting.exchange is ExchangeKind.ISING and best.setting.field_T == 0
    if symmetric and spins.exchange_slope_meV_per_uS < 0:
        opposite = {"exchange_slope_meV_per_uS": -spins.exchange_slope_meV_per_uS, "correlation": -spins.correlation}
        spins = replace(spins, **opposite)
    return spins


def by_kind(found: list[Solution]) -> dict[ExchangeKind, list[Solution]]:
    """The solutions of each kind of exchange, in the order in which the kinds were begun."""
    groups: dict[ExchangeKind, list[Solution]] = {}
    for solution in found:
        groups.setdefault(solution.setting.exchange, []).append(solution)
    return groups
