"""What a descent varies in the place of the parameters themselves, and the way back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.junction import largest_couplings
from stmlab.systems import Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.descent import Descent
    from stmlab.arrays import FloatArray
    from stmlab.systems import Conditions, Parameter, System

STEP = 1e-5  # of a finite difference, in the size of each parameter
_STEP_SQUARED = 1e-6  # of one that is varied as its square
_LARGEST_COUPLING = 0.3
_INSIDE = 1.0 - 1e-9  # of the largest Kondo coupling


@dataclass(frozen=True, eq=False)
class Solved:
    """The end of a descent.

    Attributes:
        values: of all parameters.
        conductances: S.
        covariance: of the free parameters and the conductances.
        residuals: of all points, model less data over the noise.
        converged: whether it came to its end.
        steps: that it took.
    """

    values: dict[str, float]
    conductances: FloatArray
    covariance: FloatArray
    residuals: FloatArray
    converged: bool
    steps: int


@dataclass(frozen=True, eq=False)
class Varying:
    """The free parameters of a system.

    A parameter on whose sign nothing depends is varied as its square: the spectra have no slope by it at 0. One that is
    above 0 is varied as its logarithm. A Kondo coupling is varied as its share of the largest one at the temperature: a
    bound that moved with another parameter would hold it up.

    Attributes:
        system: of the parameters.
        start: of all parameters.
        free: names of those that are varied.
        even: of those on whose sign nothing depends.
        conditions: of the spectra; their temperatures say how large a coupling may be.
    """

    system: System
    start: Mapping[str, float]
    free: tuple[str, ...]
    even: frozenset[str]
    conditions: tuple[Conditions, ...]

    def begun(self) -> FloatArray:
        """Where the start lies, shape (p,)."""
        return np.array([self.varied(name) for name in self.free])

    def place(self, conductances: FloatArray) -> FloatArray:
        """Where the start lies, then the logarithms of the conductances, shape (p + n,)."""
        return np.concatenate([self.begun(), np.log(conductances)])

    def split(self, at: FloatArray) -> tuple[dict[str, float], FloatArray]:
        """Values of all parameters and conductances in S, at a place of shape (p + n,)."""
        own = len(self.free)
        return self.values(at[:own]), np.exp(at[own:])

    def solved(self, descent: Descent, covariance: FloatArray) -> Solved:
        """The end of a descent, where the places have the covariance, shape (p + n, p + n)."""
        at, own = descent.parameters, len(self.free)
        values, conductances = self.split(at)
        by_varied = np.diag(np.concatenate([np.ones(own), conductances]))
        by_varied[:own, :own] = self.slopes(at[:own], covariance)
        covariance = by_varied @ covariance @ by_varied.T
        return Solved(values, conductances, covariance, descent.residuals, descent.converged, descent.steps)

    def varied(self, name: str) -> float:
        """The place of one parameter at the start."""
        value, scale = float(self.start[name]), self._parameter(name).scale
        if name in self.even:
            return value**2
        if scale is Scale.LOGARITHMIC:
            return math.log(value)
        return value / self._largest(self.start) if scale is Scale.COUPLING else value

    def values(self, at: FloatArray) -> dict[str, float]:
        """Of all parameters, at a place of shape (p,)."""
        found, shares = dict(self.start), dict[str, float]()
        for name, place in zip(self.free, at.tolist(), strict=False):
            scale = self._parameter(name).scale
            if name in self.even:
                found[name] = math.sqrt(max(place, 0.0))
            elif scale is Scale.LOGARITHMIC:
                found[name] = math.exp(place)
            elif scale is Scale.COUPLING:
                shares[name] = place
            else:
                found[name] = place
        if shares:
            largest = self._largest(found)
            found |= {name: share * largest for name, share in shares.items()}
        return found

    @cached_property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest places, shape (p,) each."""
        low, high = np.array([self._ends(name) for name in self.free]).reshape(-1, 2).T
        return low, high

    @cached_property
    def reach(self) -> FloatArray:
        """Of one step: what is far too low, a temperature above all, hides all that would bring it back."""
        logarithmic = [self._parameter(name).scale is Scale.LOGARITHMIC for name in self.free]
        return np.where(logarithmic, math.log(2.0), np.inf)

    def step(self, at: FloatArray, name: str) -> float:
        """Of a finite difference, to the side on which the model is surely defined."""
        parameter, k = self._parameter(name), self.free.index(name)
        if name in self.even:
            return _STEP_SQUARED * parameter.size**2
        step = STEP * parameter.size if parameter.scale is Scale.LINEAR else STEP
        if parameter.scale is Scale.COUPLING:
            step *= parameter.size
        low, high = self.bounds[0][k], self.bounds[1][k]
        return -step if high - at[k] < at[k] - low else step

    def slopes(self, at: FloatArray, covariance: FloatArray) -> FloatArray:
        """Derivatives of the free parameters by the places, shape (p, p), where these have the covariance."""
        here, found = self.values(at), np.zeros((len(self.free), len(self.free)))
        for k, name in enumerate(self.free):
            if name in self.even:  # known within the root of what its square is known within, where it may as well be 0
                found[k, k] = 1.0 / max(2.0 * here[name], covariance[k, k] ** 0.25)
                continue
            moved = at.copy()
            moved[k] += (step := self.step(at, name))
            there = self.values(moved)
            found[:, k] = [(there[other] - here[other]) / step for other in self.free]
        return found

    def _parameter(self, name: str) -> Parameter:
        return self.system.parameters[name]

    def _ends(self, name: str) -> tuple[float, float]:
        parameter = self._parameter(name)
        low, high = parameter.low, parameter.high
        if name in self.even:
            return max(low, 0.0) ** 2, max(abs(low), abs(high)) ** 2
        if parameter.scale is Scale.LOGARITHMIC:
            return (math.log(low) if low > 0 else -math.inf), (math.log(high) if high > 0 else -math.inf)
        if parameter.scale is Scale.COUPLING:
            largest = self._largest(self.start)
            return max(low / largest, -1.0), min(high / largest, 1.0)
        return low, high

    def _largest(self, values: Mapping[str, float]) -> float:
        """|J rho| up to which the model may be defined: an antiferromagnetic one's limit, and the bound."""
        table = self.system.table
        coldest = min(self.system.temperature(values, at) for at in self.conditions)
        limit = abs(largest_couplings(coldest, table.bandwidth_meV, table.broadening_meV)[0])
        return min(_LARGEST_COUPLING, _INSIDE * limit)
