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
from stmlab.analysis.transport.data import axes
from stmlab.analysis.transport.model import FINE, Grid
from stmlab.analysis.transport.varying import STEP, Solved, Varying
from stmlab.errors import PhysicsError
from stmlab.physics.transport import conductances_and_room
from stmlab.systems import Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.transport.data import SpectrumData
    from stmlab.arrays import FloatArray, IntArray
    from stmlab.physics.transport import TunnelJunction
    from stmlab.systems import System

_CONDUCTANCES_S = 1e-18, 1.0  # of a spectrum: beyond them there is no junction, and their logarithm ends
_WEAKER = 0.95  # of the Kondo coupling, where the model refuses the start


@dataclass(frozen=True, eq=False)
class Problem:
    """Least squares of one system, with given noise of each spectrum.

    Attributes:
        spectra: the data.
        system: whose parameters are fitted.
        start: value of every parameter.
        free: names of those that are fitted.
        noise: of each spectrum, S, shape (K,).
        even: parameters on whose sign nothing depends.
        per_kT: points of the model's bias axis.
    """

    spectra: list[SpectrumData]
    system: System
    start: Mapping[str, float]
    free: tuple[str, ...]
    noise: FloatArray
    even: frozenset[str] = frozenset()
    per_kT: float = FINE

    def solved(self, conductances: FloatArray, tolerance: float, most: int) -> Solved | None:
        """From the start and ``conductances``; None if the model is not defined there.

        Args:
            conductances: of each spectrum, S.
            tolerance: gain of a further step over the sum of squares, at which it ends.
            most: steps.
        """
        start = self._varying.place(conductances)
        go = partial(descend, self._placed, self._slopes, bounds=self._bounds, reach=self._reach)
        found = go(start, tolerance=tolerance, most=most)
        couplings = [self.system.parameters[name].scale is Scale.COUPLING for name in self.free]
        if found is None and any(couplings):  # third order outside perturbation theory
            start[: len(self.free)][couplings] *= _WEAKER
            found = go(start, tolerance=tolerance, most=most)
        if found is None:
            return None
        return self._varying.solved(found, uneven_covariance(found.slopes[self._order], found.residuals[self._order]))

    # -- what is varied ------------------------------------------------------------------------------------------------

    @cached_property
    def _varying(self) -> Varying:
        conditions = tuple(one.at(1.0) for one in self.spectra)
        return Varying(self.system, self.start, self.free, self.even, conditions)

    @cached_property
    def _bounds(self) -> tuple[FloatArray, FloatArray]:
        low, high = self._varying.bounds
        least, most = (np.full(len(self.spectra), math.log(end)) for end in _CONDUCTANCES_S)
        return np.concatenate([low, least]), np.concatenate([high, most])

    @cached_property
    def _reach(self) -> FloatArray:
        return np.concatenate([self._varying.reach, np.full(len(self.spectra), np.inf)])

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
    def _axes(self) -> list[tuple[FloatArray, float, list[int]]]:
        return axes(self.spectra)

    def _grid(self, values: Mapping[str, float]) -> Grid:
        ends = np.array([(bias.min(), bias.max()) for bias, _, _ in self._axes]) - self.system.bias_offset(values)
        coldest = min(self.system.temperature(values, one.at(1.0)) for one in self.spectra)
        widest = max(modulation for _, modulation, _ in self._axes)
        return Grid.over(ends.min(), ends.max(), widest, coldest, per_kT=self.per_kT)

    def _junctions(self, values: Mapping[str, float], conductances: FloatArray) -> list[TunnelJunction]:
        """One for each spectrum."""
        pairs = zip(self.spectra, conductances.tolist(), strict=True)
        return [self.system.junction(values, one.at(g)) for one, g in pairs]

    def _placed(self, at: FloatArray) -> Place | None:
        """Model less data over the noise, spectrum by spectrum; None where the model refuses the parameters."""
        at = np.clip(at, *self._bounds)
        values, gs = self._varying.split(at)
        grid = self._grid(values)
        try:
            spectra, room = conductances_and_room(self._junctions(values, gs), grid.bias_V)
        except PhysicsError:
            return None
        left = [np.empty(0)] * len(gs)
        for bias, modulation, numbers in self._axes:
            seen = replace(grid, modulation_V=modulation)
            read = seen.read(spectra[numbers], bias - self.system.bias_offset(values))
            for k, model in zip(numbers, read, strict=True):
                left[k] = (model - self.spectra[k].conductance) / self.noise[k]
        return Place(at, np.concatenate(left), float(room.min()))

    def _slopes(self, at: FloatArray) -> Slopes | None:
        """By all parameters and the logarithms of the conductances; None where the model ends beside them."""
        values, gs = self._varying.split(at)
        grid, own = self._grid(values), len(self.free)
        try:
            spectra, slopes, edge = self._differences(at, grid.bias_V)
        except PhysicsError:
            return None
        columns = np.zeros((sum(one.bias.size for one in self.spectra), own + len(gs)))
        parts = np.split(columns, self._ends)
        offsets = [k for k, name in enumerate(self.free) if name in self.system.offset_names]
        varied = [k for k in range(own) if k not in offsets]
        for bias, modulation, numbers in self._axes:
            at_junction, seen = bias - self.system.bias_offset(values), replace(grid, modulation_V=modulation)
            read = seen.read(slopes[numbers].reshape(-1, slopes.shape[-1]), at_junction)
            for k, rows in zip(numbers, read.reshape(len(numbers), -1, bias.size), strict=True):
                parts[k][:, [*varied, own + k]] = rows.T / self.noise[k]
            if offsets:
                for k, slope in zip(numbers, seen.read(spectra[numbers], at_junction, slope=True), strict=True):
                    parts[k][:, offsets] = -slope[:, None] / self.noise[k]
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
        names = [name for name in self.free if name not in self.system.offset_names]
        values, gs = self._varying.split(at)
        steps = [self._varying.step(at, name) for name in names]
        columns = [self._junctions(values, gs)]
        columns += [self._junctions(self._moved(at, name, step), gs) for name, step in zip(names, steps, strict=True)]
        columns.append(self._with_more_conductance(columns[0], values, gs))
        junctions = [one for spectrum in zip(*columns, strict=True) for one in spectrum]
        spectra, room = conductances_and_room(junctions, bias_V)
        found = np.column_stack([spectra, room]).reshape(len(gs), -1, bias_V.size + 1)
        slopes = (found[:, 1:] - found[:, :1]) / np.array([*steps, STEP])[:, None]
        for name in self._growing or ():
            slopes[:, -1] += values[name] * slopes[:, names.index(name)]
        return found[:, 0, :-1], slopes[..., :-1], np.column_stack([found[:, 0, -1], slopes[..., -1]])

    @cached_property
    def _growing(self) -> frozenset[str] | None:
        """Parameters through which alone the spins depend on the conductance, if they are free; None if on others."""
        slopes = self.system.slopes_by_conductance
        return slopes if slopes is not None and slopes <= set(self.free) else None

    def _with_more_conductance(
        self, here: list[TunnelJunction], values: Mapping[str, float], conductances: FloatArray
    ) -> list[TunnelJunction]:
        """By the step of a difference; with the same spins, which is faster, where their change is known without."""
        if self._growing is None:
            return self._junctions(values, conductances * (1.0 + STEP))
        return [replace(one, conductance_S=one.conductance_S * (1.0 + STEP)) for one in here]

    def _moved(self, at: FloatArray, name: str, step: float) -> dict[str, float]:
        moved = at.copy()
        moved[self.free.index(name)] += step
        return self._varying.split(moved)[0]
