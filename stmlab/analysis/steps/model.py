"""Steps in dI/dV as a model for least squares: values and analytic derivatives.

    G(V) = b + c eV + sum_k [n_k s(-e(V - V0) - E_k) + p_k s(e(V - V0) - E_k)]
             + r_n S(-e(V - V0) - E_K) + r_p S(e(V - V0) - E_K)

s is the thermally and modulation broadened step and S its integral: beyond the outermost step E_K each plateau may have
a slope of its own, as third-order scattering and pumping leave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.steps.shapes import StepShape

if TYPE_CHECKING:
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
        if self._fixed_shape is not None:
            return self._fixed_shape
        return _shape_of(float(np.exp(vector[len(self.shaping) - 1])), self.modulation_V)

    @cached_property
    def _fixed_shape(self) -> StepShape | None:
        return None if self.temperature_K is None else StepShape(self.temperature_K, self.modulation_V)

    def design(self, vector: FloatArray, x: FloatArray, shape: StepShape | None = None) -> FloatArray:
        """Value of each linear term at x = eV, meV; shape (n, linear terms). ``shape`` saves a look-up."""
        shape, distances = shape or self.shape(vector), self._distances(vector, x)
        columns = [*shape.step(distances)]
        if self.plateaus:
            columns += [*shape.ramp(distances[-2:])]
        columns.append(np.ones_like(x))
        return np.column_stack(columns + ([x] if self.slope else []))

    def value(self, vector: FloatArray, x: FloatArray) -> FloatArray:
        """G at x = eV, meV."""
        total: FloatArray = self.design(vector, x) @ vector[len(self.shaping) :]
        return total

    def jacobian(self, vector: FloatArray, x: FloatArray) -> FloatArray:
        """Derivative of G by each parameter; shape (n, parameters)."""
        shape, distances = self.shape(vector), self._distances(vector, x)
        weights = vector[len(self.shaping) :][:, None]
        heights, ramps = weights[: 2 * self.pairs], weights[2 * self.pairs : 2 * self.pairs + 2]
        rising = heights * shape.slope(distances)
        if self.plateaus:
            rising[-2:] += ramps * shape.step(distances[-2:])
        by_energy = -rising.sum(axis=0)
        columns = [by_energy] if self.pairs == 1 else [by_energy, -rising[2:].sum(axis=0)]
        if self.offset:
            columns.append(rising[::2].sum(axis=0) - rising[1::2].sum(axis=0))
        if self.temperature_K is None:
            warmer = (heights * shape.by_temperature(distances)).sum(axis=0)
            if self.plateaus:
                warmer += (ramps * shape.ramp_by_temperature(distances[-2:])).sum(axis=0)
            columns.append(warmer * shape.temperature_K)
        return np.column_stack([*columns, self.design(vector, x, shape)])

    def _distances(self, vector: FloatArray, x: FloatArray) -> FloatArray:
        """Energy above each threshold, negative bias first; shape (2 pairs, n)."""
        sides = np.tile([-1.0, 1.0], self.pairs)[:, None]
        return sides * (x - self.bias_offset(vector)) - np.repeat(self.energies(vector), 2)[:, None]


@lru_cache(maxsize=4)
def _shape_of(temperature_K: float, modulation_V: float) -> StepShape:
    """Value, derivatives and errors are asked for at the same parameters; the tables cost more than these."""
    return StepShape(temperature_K, modulation_V)
