"""Least squares of the transport model: residuals of all spectra, their derivatives, and the solution."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.transport.descent import descend
from stmlab.analysis.transport.model import FINE, Grid, SpinParameters, SpinSetting, junction
from stmlab.errors import PhysicsError
from stmlab.physics.transport import TunnelJunction, conductances

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray

BOUNDS = {"temperature_K": (0.05, 300.0), "correlation": (-1.0, 1.0), "kondo_coupling": (-0.3, 0.3)}
SIZES = {"kondo_coupling": 0.1, "bias_offset": 1e-3}
"""By how much a parameter counts as changed; 1 for those that are not named."""
SMALLEST_NOISE = 1e-6  # of a spectrum's span; less is rounding
_STEP = 1e-5  # of a finite difference, in the size of each parameter
_STEP_SQUARED = 1e-6  # meV^2
_OFFSET, _EXCHANGE = "bias_offset", "exchange_slope_meV_per_uS"
_SQUARED = "transverse_anisotropy_meV"
"""Varied as its square: the spectra do not depend on its sign, so that they have no slope by it at 0."""


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
    """Parameters, conductances in S and the covariance of both, for noise as it was given; the residuals there."""

    parameters: SpinParameters
    conductances: FloatArray
    covariance: FloatArray
    residuals: list[FloatArray]
    converged: bool


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
        varied = [getattr(self.start, name) for name in self.free]
        varied = [value**2 if name == _SQUARED else value for name, value in zip(self.free, varied, strict=True)]
        bounds = [(0.0, math.inf) if name == _SQUARED else BOUNDS.get(name, (-math.inf, math.inf)) for name in self.free]
        bounds += [(-math.inf, math.inf)] * len(self.spectra)
        low, high = np.array(bounds).T
        start = np.clip(np.concatenate([varied, np.log(conductances)]), low, high)
        found = descend(self._residuals, self._jacobian, start, (low, high), tolerance=tolerance, most=most)
        if found is None:
            return None
        spins, at = self._split(found.parameters)
        parts = np.split(found.residuals, self._ends)
        return Solved(spins, at, self._covariance(found.covariance, spins, at), parts, found.converged)

    def _covariance(self, covariance: FloatArray, spins: SpinParameters, conductances: FloatArray) -> FloatArray:
        """Of the parameters and conductances themselves."""
        scale = np.concatenate([np.ones(len(self.free)), conductances])
        if _SQUARED in self.free:  # E is known within the root of what E^2 is known within, where it may as well be 0
            k = self.free.index(_SQUARED)
            scale[k] = 1.0 / max(2.0 * getattr(spins, _SQUARED), covariance[k, k] ** 0.25)
        return covariance * np.outer(scale, scale)

    def _split(self, at: FloatArray) -> tuple[SpinParameters, FloatArray]:
        values = {
            name: math.sqrt(value) if name == _SQUARED else value
            for name, value in zip(self.free, at[: len(self.free)].tolist(), strict=True)
        }
        return replace(self.start, **values), np.exp(at[len(self.free) :])

    @cached_property
    def _ends(self) -> IntArray:
        return np.cumsum([one.bias.size for one in self.spectra])[:-1]

    @cached_property
    def _axes(self) -> list[tuple[FloatArray, list[int]]]:
        return axes(self.spectra)

    def _grid(self, spins: SpinParameters) -> Grid:
        ends = np.array([(bias.min(), bias.max()) for bias, _ in self._axes]) - spins.bias_offset
        return Grid.over(ends.min(), ends.max(), self.setting.modulation_V, spins.temperature_K, per_kT=self.per_kT)

    def _residuals(self, at: FloatArray) -> FloatArray | None:
        """Model less data over the noise, spectrum by spectrum; None where the model refuses the parameters."""
        spins, gs = self._split(at)
        grid = self._grid(spins)
        try:
            spectra = conductances([junction(self.setting, spins, g) for g in gs.tolist()], grid.bias_V)
        except PhysicsError:
            return None
        left = [np.empty(0)] * len(gs)
        for bias, numbers in self._axes:
            read = grid.read(spectra[numbers], bias - spins.bias_offset)
            for k, values in zip(numbers, read, strict=True):
                left[k] = (values - self.spectra[k].conductance) / self.noise[k]
        return np.concatenate(left)

    def _jacobian(self, at: FloatArray) -> FloatArray | None:
        """By all parameters and the logarithms of the conductances; None where the model ends beside them."""
        spins, gs = self._split(at)
        grid, own = self._grid(spins), len(self.free)
        try:
            spectra, slopes = self._slopes(spins, gs, grid.bias_V)
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
        return columns

    def _slopes(self, spins: SpinParameters, gs: FloatArray, bias_V: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Spectra on the grid, (K, m), and their differences over the step of what is varied, (K, varied, m).

        All junctions in one pass; the offset of the bias is not among what is varied, each conductance is the last.
        """
        names = [name for name in self.free if name != _OFFSET]
        moved = [_moved(spins, name) for name in names]
        junctions = list[TunnelJunction]()
        for g in gs.tolist():
            here = junction(self.setting, spins, g)
            junctions += [here, *(junction(self.setting, beside, g) for beside, _ in moved)]
            junctions.append(replace(here, conductance_S=g * (1.0 + _STEP)))
        found = conductances(junctions, bias_V).reshape(len(gs), -1, bias_V.size)
        steps = np.array([*(step for _, step in moved), _STEP])
        slopes = (found[:, 1:] - found[:, :1]) / steps[:, None]
        if _EXCHANGE in names:  # which grows with the conductance
            slopes[:, -1] += spins.exchange_slope_meV_per_uS * slopes[:, names.index(_EXCHANGE)]
        return found[:, 0], slopes


def _moved(spins: SpinParameters, name: str) -> tuple[SpinParameters, float]:
    """One parameter changed a little, and by how much: to the side on which the model is surely defined."""
    value, step = getattr(spins, name), _STEP * SIZES.get(name, 1.0)
    if name == _SQUARED:
        return replace(spins, **{name: math.hypot(value, math.sqrt(_STEP_SQUARED))}), _STEP_SQUARED
    if name in ("correlation", "kondo_coupling") and value > 0:
        step = -step
    return replace(spins, **{name: value + step}), step
