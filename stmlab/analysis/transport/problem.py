"""Least squares of the transport model: residuals of all spectra, their derivatives, and the solution."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.descent import descend
from stmlab.analysis.descent_step import Place, Slopes
from stmlab.analysis.residuals import uneven_covariance
from stmlab.analysis.transport.model import FINE, Grid, SpinParameters, SpinSetting, junction
from stmlab.errors import PhysicsError
from stmlab.physics.junction import largest_couplings
from stmlab.physics.transport import TunnelJunction, conductances_and_room

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray

BOUNDS = {"temperature_K": (0.05, 300.0), "correlation": (-1.0, 1.0), "kondo_coupling": (-0.3, 0.3)}
SIZES = {"kondo_coupling": 0.1, "bias_offset": 1e-3}
"""By how much a parameter counts as changed; 1 for those that are not named."""
SMALLEST_NOISE = 1e-6  # of a spectrum's span; less is rounding
_STEP, _STEP_SQUARED = 1e-5, 1e-6  # of a finite difference, in the size of each parameter; of E^2, meV^2
_OFFSET, _EXCHANGE = "bias_offset", "exchange_slope_meV_per_uS"
_TEMPERATURE = "temperature_K"
"""Varied as its logarithm: it is no less than 0."""
_SQUARED = "transverse_anisotropy_meV"
"""Varied as its square: the spectra do not depend on its sign, so that they have no slope by it at 0."""
_SHARED = "kondo_coupling"
"""Varied as its share of the largest one at the temperature: a bound that moved with another parameter would hold it
up."""
_INSIDE = 1.0 - 1e-9  # of the largest Kondo coupling
_WEAKER = 0.95  # of the Kondo coupling, where the model refuses the start


@dataclass(frozen=True, eq=False)
class SpectrumData:
    """One spectrum: bias in V and dI/dV in S, shape (n,), and the setpoint that it was taken at, S."""

    bias: FloatArray
    conductance: FloatArray
    setpoint: float


def axes(spectra: list[SpectrumData]) -> list[tuple[FloatArray, list[int]]]:
    """The bias axes that occur, and the numbers of the spectra on each."""
    found: dict[bytes, tuple[FloatArray, list[int]]] = {}
    for k, one in enumerate(spectra):
        found.setdefault(one.bias.tobytes(), (one.bias, []))[1].append(k)
    return list(found.values())


@dataclass(frozen=True, eq=False)
class Solved:
    """Parameters, conductances in S and the covariance of both; the residuals there, over the noise."""

    parameters: SpinParameters
    conductances: FloatArray
    covariance: FloatArray
    residuals: list[FloatArray]
    converged: bool
    steps: int


@dataclass(frozen=True, eq=False)
class Problem:
    """Least squares of one kind of exchange, with given noise of each spectrum."""

    spectra: list[SpectrumData]
    setting: SpinSetting
    start: SpinParameters
    free: tuple[str, ...]
    noise: FloatArray
    per_kT: float = FINE

    def solved(self, conductances: FloatArray, tolerance: float, most: int) -> Solved | None:
        """From the start and ``conductances``; None if the model is not defined there.

        Args:
            conductances: of each spectrum, S.
            tolerance: gain of a further step over the sum of squares, at which it ends.
            most: steps.
        """
        varied = [self._varied(name) for name in self.free]
        start = np.concatenate([varied, np.log(conductances)])
        go = partial(descend, self._placed, self._slopes, bounds=self._bounds, reach=self._reach)
        found = go(start, tolerance=tolerance, most=most)
        if found is None and _SHARED in self.free:  # third order outside perturbation theory
            start[self.free.index(_SHARED)] *= _WEAKER
            found = go(start, tolerance=tolerance, most=most)
        if found is None:
            return None
        spins, at = self._split(found.parameters)
        covariance = self._covariance(
            uneven_covariance(found.slopes[self._order], found.residuals[self._order]), spins, at
        )
        parts = np.split(found.residuals, self._ends)
        return Solved(spins, at, covariance, parts, found.converged, found.steps)

    # -- what is varied ------------------------------------------------------------------------------------------------

    def _varied(self, name: str) -> float:
        value = float(getattr(self.start, name))
        if name == _SHARED:
            return value / _largest_coupling(self.start.temperature_K)
        if name == _TEMPERATURE:
            return math.log(value)
        return value**2 if name == _SQUARED else value

    def _split(self, at: FloatArray) -> tuple[SpinParameters, FloatArray]:
        values = dict(zip(self.free, at[: len(self.free)].tolist(), strict=True))
        if _SQUARED in values:
            values[_SQUARED] = math.sqrt(values[_SQUARED])
        if _TEMPERATURE in values:
            values[_TEMPERATURE] = math.exp(values[_TEMPERATURE])
        if _SHARED in values:
            values[_SHARED] *= _largest_coupling(values.get(_TEMPERATURE, self.start.temperature_K))
        return replace(self.start, **values), np.exp(at[len(self.free) :])

    @cached_property
    def _bounds(self) -> tuple[FloatArray, FloatArray]:
        coldest, hottest = BOUNDS[_TEMPERATURE]
        beside = {
            _SQUARED: (0.0, math.inf),
            _SHARED: (-1.0, 1.0),
            _TEMPERATURE: (math.log(coldest), math.log(hottest)),
        }
        bounds = [beside.get(name, BOUNDS.get(name, (-math.inf, math.inf))) for name in self.free]
        low, high = np.array(bounds + [(-math.inf, math.inf)] * len(self.spectra)).T
        return low, high

    @cached_property
    def _reach(self) -> FloatArray:
        """A temperature that is far too low hides all that would bring it back."""
        reach = np.full(len(self.free) + len(self.spectra), np.inf)
        if _TEMPERATURE in self.free:
            reach[self.free.index(_TEMPERATURE)] = math.log(2.0)
        return reach

    def _covariance(self, covariance: FloatArray, spins: SpinParameters, conductances: FloatArray) -> FloatArray:
        """Of the parameters and conductances themselves."""
        by_varied = np.diag(np.concatenate([np.ones(len(self.free)), conductances]))
        if _SQUARED in self.free:  # E is known within the root of what E^2 is known within, where it may as well be 0
            k = self.free.index(_SQUARED)
            by_varied[k, k] = 1.0 / max(2.0 * getattr(spins, _SQUARED), covariance[k, k] ** 0.25)
        if _TEMPERATURE in self.free:
            t = self.free.index(_TEMPERATURE)
            by_varied[t, t] = spins.temperature_K
        if _SHARED in self.free:
            k, largest = self.free.index(_SHARED), _largest_coupling(spins.temperature_K)
            by_varied[k, k] = largest
            if _TEMPERATURE in self.free:
                slope = (_largest_coupling(spins.temperature_K * math.exp(_STEP)) - largest) / _STEP
                by_varied[k, t] = spins.kondo_coupling / largest * slope
        return by_varied @ covariance @ by_varied.T

    # -- spectra -------------------------------------------------------------------------------------------------------

    @cached_property
    def _order(self) -> IntArray:
        """Of all points: spectrum by spectrum, and in each by the bias, along which the noise changes slowly."""
        bias = np.concatenate([one.bias for one in self.spectra])
        spectrum = np.repeat(np.arange(len(self.spectra)), [one.bias.size for one in self.spectra])
        return np.lexsort((bias, spectrum))

    @cached_property
    def _ends(self) -> IntArray:
        return np.cumsum([one.bias.size for one in self.spectra])[:-1]

    @cached_property
    def _axes(self) -> list[tuple[FloatArray, list[int]]]:
        return axes(self.spectra)

    def _grid(self, spins: SpinParameters) -> Grid:
        ends = np.array([(bias.min(), bias.max()) for bias, _ in self._axes]) - spins.bias_offset
        return Grid.over(ends.min(), ends.max(), self.setting.modulation_V, spins.temperature_K, per_kT=self.per_kT)

    def _placed(self, at: FloatArray) -> Place | None:
        """Model less data over the noise, spectrum by spectrum; None where the model refuses the parameters."""
        at = np.clip(at, *self._bounds)
        spins, gs = self._split(at)
        grid = self._grid(spins)
        try:
            spectra, room = conductances_and_room([junction(self.setting, spins, g) for g in gs.tolist()], grid.bias_V)
        except PhysicsError:
            return None
        left = [np.empty(0)] * len(gs)
        for bias, numbers in self._axes:
            read = grid.read(spectra[numbers], bias - spins.bias_offset)
            for k, values in zip(numbers, read, strict=True):
                left[k] = (values - self.spectra[k].conductance) / self.noise[k]
        return Place(at, np.concatenate(left), float(room.min()))

    def _slopes(self, at: FloatArray) -> Slopes | None:
        """By all parameters and the logarithms of the conductances; None where the model ends beside them."""
        spins, gs = self._split(at)
        grid, own = self._grid(spins), len(self.free)
        try:
            spectra, slopes, edge = self._differences(at, grid.bias_V)
        except PhysicsError:
            return None
        columns = np.zeros((sum(one.bias.size for one in self.spectra), own + len(gs)))
        parts = np.split(columns, self._ends)
        offset, varied = self.free.index(_OFFSET), [k for k, name in enumerate(self.free) if name != _OFFSET]
        for bias, numbers in self._axes:
            at_junction = bias - spins.bias_offset
            read = grid.read(slopes[numbers].reshape(-1, slopes.shape[-1]), at_junction)
            by_bias = grid.read(spectra[numbers], at_junction, slope=True)
            for k, rows, slope in zip(numbers, read.reshape(len(numbers), -1, bias.size), by_bias, strict=True):
                parts[k][:, [*varied, own + k]] = rows.T / self.noise[k]
                parts[k][:, offset] = -slope / self.noise[k]
        return Slopes(columns, self._edge(edge, varied))

    def _edge(self, slopes: FloatArray, varied: list[int]) -> FloatArray:
        """Slope of the least room by all parameters, from those of every spectrum's by what is varied."""
        edge = np.zeros(len(self.free) + len(slopes))
        nearest = int(slopes[:, 0].argmin())
        edge[varied], edge[len(self.free) + nearest] = slopes[nearest, 1:-1], slopes[nearest, -1]
        return edge

    def _differences(self, at: FloatArray, bias_V: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Spectra on the grid, and differences over the step of what is varied; all junctions in one pass.

        Returns:
            Spectra (K, m), their slopes (K, varied, m), and the room of each with its slopes (K, 1 + varied). The
            offset of the bias is not among what is varied, each conductance is the last.
        """
        names = [name for name in self.free if name != _OFFSET]
        spins, gs = self._split(at)
        steps = np.array([self._step(at, name) for name in names])
        moved = [self._moved(at, name, step) for name, step in zip(names, steps.tolist(), strict=True)]
        junctions = list[TunnelJunction]()
        for g in gs.tolist():
            here = junction(self.setting, spins, g)
            junctions += [here, *(junction(self.setting, beside, g) for beside in moved)]
            junctions.append(replace(here, conductance_S=g * (1.0 + _STEP)))
        spectra, room = conductances_and_room(junctions, bias_V)
        found = np.column_stack([spectra, room]).reshape(len(gs), -1, bias_V.size + 1)
        slopes = (found[:, 1:] - found[:, :1]) / np.append(steps, _STEP)[:, None]
        if _EXCHANGE in names:  # which grows with the conductance
            slopes[:, -1] += spins.exchange_slope_meV_per_uS * slopes[:, names.index(_EXCHANGE)]
        return found[:, 0, :-1], slopes[..., :-1], np.column_stack([found[:, 0, -1], slopes[..., -1]])

    def _step(self, at: FloatArray, name: str) -> float:
        """To the side on which the model is surely defined."""
        if name == _SQUARED:
            return _STEP_SQUARED
        step = _STEP * SIZES.get(name, 1.0)
        return -step if name in ("correlation", _SHARED) and at[self.free.index(name)] > 0 else step

    def _moved(self, at: FloatArray, name: str, step: float) -> SpinParameters:
        moved = at.copy()
        moved[self.free.index(name)] += step
        return self._split(moved)[0]


def _largest_coupling(temperature_K: float) -> float:
    """|J rho| up to which the model may be defined: an antiferromagnetic one's limit, and the bound."""
    return min(BOUNDS[_SHARED][1], _INSIDE * abs(largest_couplings(temperature_K)[0]))
