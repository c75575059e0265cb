"""Signs on which no spectrum depends: found by computing one, at parameters that are special in no way."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.transport import conductances
from stmlab.systems import Scale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stmlab.analysis.transport.data import SpectrumData
    from stmlab.systems import Parameter, System

_ALIKE = 1e-9  # of a spectrum
_BESIDE = 0.1371  # of a parameter's size, away from where it begins
_GOLDEN = 0.618034
_REACH = 30.0  # kT


@dataclass(frozen=True)
class Signs:
    """Of one system, in the conditions of its spectra.

    Attributes:
        even: parameters that may each change their sign by themselves.
        pairs: those that may do so together.
    """

    even: frozenset[str] = frozenset()
    pairs: tuple[tuple[str, str], ...] = ()

    def as_usual(self, values: Mapping[str, float]) -> dict[str, float]:
        """Of the signs that make no difference, those above 0: of a pair, that of the first."""
        found = {name: abs(value) if name in self.even else value for name, value in values.items()}
        for one, other in self.pairs:
            if found[one] < 0:
                found |= {one: -found[one], other: -found[other]}
        return found


def signs(system: System, spectra: list[SpectrumData]) -> Signs:
    """The signs that make no difference in any of the spectra."""
    names = [name for name, one in system.parameters.items() if _may_turn(one) and name not in system.offset_names]
    at = _beside_the_start(system)
    single = [(name,) for name in names]
    even = frozenset(name for (name,) in _alike(system, spectra, at, single))
    pairs = list(itertools.combinations([name for name in names if name not in even], 2))
    return Signs(even, tuple((one, other) for one, other in _alike(system, spectra, at, pairs)))


def _may_turn(one: Parameter) -> bool:
    return one.scale is not Scale.LOGARITHMIC and one.low < 0.0 < one.high


def _beside_the_start(system: System) -> dict[str, float]:
    """Values that are special in no way."""
    found = {}
    for k, (name, one) in enumerate(system.parameters.items()):
        begun = one.starts[0] if one.starts else 1.0
        aside = _BESIDE * one.size * (1.0 + (k * _GOLDEN) % 1.0)
        value = begun * math.exp(0.1 * aside) if one.scale is Scale.LOGARITHMIC else begun + aside
        found[name] = min(max(value, one.low), one.high)
    return found


def _alike(
    system: System, spectra: list[SpectrumData], at: Mapping[str, float], turns: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Which turns of signs leave the spectra as they are; none where the model is not defined at the parameters."""
    strongest = max(spectra, key=lambda one: abs(one.field_T or 0.0))
    conditions = strongest.at(float(np.median(strongest.conductance)))
    changed = [{**at, **{name: -at[name] for name in names}} for names in turns]
    try:
        junctions = [system.junction(values, conditions) for values in (at, *changed)]
        kT_V = 1e-3 * K_B_MEV_PER_K * junctions[0].temperature_K
        bias = max(_REACH * kT_V, float(np.abs(strongest.bias).max())) * np.array(
            [-1.0, -0.61, -0.29, -0.1, 0.17, 0.43, 0.83]
        )
        found = conductances(junctions, bias)
    except PhysicsError:
        return []
    apart = np.abs(found[1:] - found[0]).max(axis=1)
    return [names for names, far in zip(turns, apart.tolist(), strict=True) if far < _ALIKE * np.abs(found[0]).max()]
