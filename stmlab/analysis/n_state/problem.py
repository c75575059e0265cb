"""Least squares of an n-state fit: parameters of a spin system, and the conductance of each setpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.descent import descend
from stmlab.analysis.descent_step import SINGULAR, Place, Slopes, scaled
from stmlab.analysis.transport.varying import Solved, Varying
from stmlab.errors import PhysicsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.analysis.n_state.forward import Forward
    from stmlab.arrays import FloatArray

_WIDER = 30.0  # than the step of a difference where nothing is truncated: harmonics are, at 1e-6
_STEP = 3e-4  # of the logarithm of a conductance
_REACH = math.log(2.0)  # of a conductance in one step


@dataclass(frozen=True, eq=False)
class Problem:
    """Least squares with one way to compute what is compared.

    Attributes:
        forward: the system and the spectra.
        residuals: of values and conductances: model less data over the noise, shape (n,).
        start: value of every parameter.
        free: names of those that are fitted.
        even: parameters on whose sign nothing depends.
    """

    forward: Forward
    residuals: Callable[[Mapping[str, float], FloatArray], FloatArray]
    start: Mapping[str, float]
    free: tuple[str, ...]
    even: frozenset[str] = frozenset()

    def solved(self, conductances: FloatArray, tolerance: float, most: int) -> Solved | None:
        """From the start and ``conductances``; None if the model is not defined there, or the fit is over.

        The covariance is for noise of 1; enormous for what the spectra do not determine.

        Args:
            conductances: of each setpoint, S.
            tolerance: gain of a further step over the sum of squares, at which it ends.
            most: steps.
        """
        start, setpoints = self._varying.place(conductances), conductances.size
        low, high = self._varying.bounds
        ends = np.full(setpoints, np.inf)
        bounds = np.concatenate([low, -ends]), np.concatenate([high, ends])
        reach = np.concatenate([self._varying.reach, np.full(setpoints, _REACH)])
        found = descend(self._placed, self._slopes, start, bounds, reach, tolerance=tolerance, most=most)
        if found is None:
            return None
        return self._varying.solved(found, _covariance(found.slopes))

    @cached_property
    def _varying(self) -> Varying:
        conditions = tuple(one.at(1.0) for one in self.forward.spectra)
        return Varying(self.forward.system, self.start, self.free, self.even, conditions)

    def _placed(self, at: FloatArray) -> Place | None:
        low, high = self._varying.bounds
        own = len(self.free)
        at = np.concatenate([np.clip(at[:own], low, high), at[own:]])
        try:
            left = self.residuals(*self._varying.split(at))
        except PhysicsError:
            return None
        return Place(at, left) if np.isfinite(left).all() else None

    def _slopes(self, at: FloatArray) -> Slopes | None:
        here = self._placed(at)
        if here is None:
            return None
        columns = []
        for k in range(at.size):
            moved = at.copy()
            step = _WIDER * self._varying.step(at[: len(self.free)], self.free[k]) if k < len(self.free) else _STEP
            moved[k] += step
            there = self._placed(moved)
            if there is None:
                return None
            columns.append((there.residuals - here.residuals) / step)
        return Slopes(np.column_stack(columns))


def _covariance(slopes: FloatArray) -> FloatArray:
    """Of least squares with noise of 1, shape (p, p)."""
    normal, sizes = scaled(slopes)
    values, vectors = np.linalg.eigh(normal)
    least = SINGULAR * len(values)
    found: FloatArray = (vectors / np.maximum(values, least)) @ vectors.T / np.outer(sizes, sizes)
    return found
