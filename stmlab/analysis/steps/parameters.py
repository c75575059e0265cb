"""Parameters of a fit of steps with their errors, whichever method found them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.constants import MEV_PER_V
from stmlab.results import FitParameter

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_OPEN = 10.0  # of what a parameter can be at most: an error beyond says that the data leave it open


@dataclass(frozen=True, eq=False)
class Estimates:
    """Fitted values with their covariance: the source of everything derived.

    Attributes:
        names: of the free parameters.
        values: in the units of ``units``.
        covariance: shape (k, k).
        units: of each.
    """

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    units: tuple[str, ...]

    def parameters(self) -> list[FitParameter]:
        """The free ones."""
        errors = np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        rows = zip(self.names, self.values.tolist(), errors.tolist(), self.units, strict=True)
        return [FitParameter(*row) for row in rows]

    def settled(self, reach: float, span: float) -> list[FitParameter]:
        """The free ones; those that the data leave open have an infinite error.

        Args:
            reach: of the spectrum, meV.
            span: of the conductance, in its unit.
        """
        limits = {"meV": reach, "V": reach / MEV_PER_V, "": span, "1/V": span * MEV_PER_V / reach}
        return [
            replace(p, error=math.inf) if p.error > _OPEN * limits.get(p.unit, abs(p.value)) else p
            for p in self.parameters()
        ]

    def value(self, name: str) -> float:
        """Of a free parameter."""
        return float(self.values[self.names.index(name)])

    def derived(self, name: str, value: float, gradient: dict[str, float], unit: str = "") -> FitParameter:
        """A function of the free parameters, from its derivatives by them."""
        slope = np.array([gradient.get(free, 0.0) for free in self.names])
        return FitParameter(name, value, math.sqrt(max(float(slope @ self.covariance @ slope), 0.0)), unit)

    def asymmetry(self, pair: str) -> FitParameter:
        """eta = (h_n - h_p) / (h_n + h_p) of the "inner" or "outer" pair (Muenks et al.)."""
        names = f"{pair}_height_negative", f"{pair}_height_positive"
        negative, positive = (self.value(name) for name in names)
        total = negative + positive
        if total == 0:
            return FitParameter(f"eta_{pair}", math.nan, math.inf)
        gradient = dict(zip(names, (2 * positive / total**2, -2 * negative / total**2), strict=True))
        found = self.derived(f"eta_{pair}", (negative - positive) / total, gradient)
        return replace(found, error=math.inf) if found.error > _OPEN else found
