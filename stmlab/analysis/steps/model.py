"""Steps in dI/dV as a model for least squares: values and analytic derivatives.

    G(V) = b + c eV + sum_k [n_k s(-e(V - V0) - E_k) + p_k s(e(V - V0) - E_k)]
             + r_n S(-e(V - V0) - E_K) + r_p S(e(V - V0) - E_K)

s is the thermally and modulation broadened step and S its integral: beyond the outermost step E_K each plateau may have
a slope of its own, as third-order scattering and pumping leave it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.steps.shapes import StepShape

if TYPE_CHECKING:
    from stmlab.analysis.steps.shapes import StepsAt
    from stmlab.arrays import FloatArray


@dataclass(frozen=True)
class StepModel:
    """Which terms the model has.

    Attributes:
        pairs: 1 or 2 pairs of steps.
        temperature_K: fixed, or None for one that is fitted.
        modulation_V: peak amplitude of the lock-in's sine.
        offset: whether V0 is fitted; else it is 0.
        slope: whether c is fitted; else it is 0.
        plateaus: whether r_n and r_p are fitted; else they are 0.
    """

    pairs: int
    temperature_K: float | None
    modulation_V: float
    offset: bool
    slope: bool
    plateaus: bool

    @property
    def shaping(self) -> tuple[str, ...]:
        """Names of what the model is not linear in: E_1, E_2 - E_1, eV0 (meV), ln(T / K)."""
        names = ["energy", "gap"][: self.pairs]
        names += ["offset"] if self.offset else []
        return tuple(names + (["log_temperature"] if self.temperature_K is None else []))

    @property
    def linear(self) -> tuple[str, ...]:
        """Names of the heights (inner first, negative bias first), plateau slopes, background and its slope."""
        names = [f"{pair}_{side}" for pair in ("inner", "outer")[: self.pairs] for side in ("negative", "positive")]
        names += ["plateau_negative", "plateau_positive"] if self.plateaus else []
        return (*names, "background", *(("slope",) if self.slope else ()))

    @property
    def names(self) -> tuple[str, ...]:
        """Of all parameters, in the order of the vectors."""
        return self.shaping + self.linear

    def energies(self, vector: FloatArray) -> FloatArray:
        """E_1 and E_2, meV, rising."""
        return np.cumsum(vector[: self.pairs])

    def bias_offset(self, vector: FloatArray) -> float:
        """The energy e V0, meV."""
        return float(vector[self.pairs]) if self.offset else 0.0

    def shape(self, vector: FloatArray) -> StepShape:
        """The broadened step."""
        if self.temperature_K is not None:
            return StepShape(self.temperature_K, self.modulation_V)
        return StepShape(math.exp(vector[len(self.shaping) - 1]), self.modulation_V)

    def at(self, vector: FloatArray, x: FloatArray) -> ModelAt:
        """Values and derivatives at x = eV, meV."""
        return ModelAt(self, vector, x, self.shape(vector).at(self._distances(vector, x)))

    def value(self, vector: FloatArray, x: FloatArray) -> FloatArray:
        """G at x = eV, meV."""
        return self.at(vector, x).value

    def jacobian(self, vector: FloatArray, x: FloatArray) -> FloatArray:
        """Derivative of G by each parameter; shape (n, parameters)."""
        return self.at(vector, x).jacobian

    def _distances(self, vector: FloatArray, x: FloatArray) -> FloatArray:
        """Energy above each threshold, negative bias first; shape (2 pairs, n)."""
        up = x - self.bias_offset(vector)
        return np.array([side * up - energy for energy in self.energies(vector) for side in (-1.0, 1.0)])


@dataclass(frozen=True, eq=False)
class ModelAt:
    """The model at some energies: what value and derivatives share is made once."""

    model: StepModel
    vector: FloatArray
    x: FloatArray
    steps: StepsAt

    @cached_property
    def design(self) -> FloatArray:
        """Value of each linear term; shape (n, linear terms)."""
        columns = [*self._rises]
        if self.model.plateaus:
            columns += [*self.steps[-2:].ramp()]
        columns.append(np.ones_like(self.x))
        return np.column_stack(columns + ([self.x] if self.model.slope else []))

    @cached_property
    def value(self) -> FloatArray:
        """G, shape (n,)."""
        total: FloatArray = self.design @ self.vector[len(self.model.shaping) :]
        return total

    @cached_property
    def jacobian(self) -> FloatArray:
        """Derivative of G by each parameter; shape (n, parameters)."""
        model, steps = self.model, self.steps
        weights = self.vector[len(model.shaping) :][:, None]
        heights, ramps = weights[: 2 * model.pairs], weights[2 * model.pairs : 2 * model.pairs + 2]
        rising = heights * steps.slope()
        if model.plateaus:
            rising[-2:] += ramps * self._rises[-2:]
        by_energy = -rising.sum(axis=0)
        columns = [by_energy] if model.pairs == 1 else [by_energy, -rising[2:].sum(axis=0)]
        if model.offset:
            columns.append(rising[::2].sum(axis=0) - rising[1::2].sum(axis=0))
        if model.temperature_K is None:
            warmer = (heights * steps.by_temperature()).sum(axis=0)
            if model.plateaus:
                warmer += (ramps * steps[-2:].ramp_by_temperature()).sum(axis=0)
            columns.append(warmer * steps.shape.temperature_K)
        return np.column_stack([*columns, self.design])

    @cached_property
    def _rises(self) -> FloatArray:
        """Each step, shape (2 pairs, n)."""
        return self.steps.step()
