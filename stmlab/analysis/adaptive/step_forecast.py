"""How many readings the energies of steps will take; see forecast.py."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.adaptive.design import least_variance_of_all, variances
from stmlab.analysis.adaptive.forecast import median_of_trials, readings_to
from stmlab.analysis.adaptive.step_choice import LEAST, StepChoice
from stmlab.physics.constants import MEV_PER_V

if TYPE_CHECKING:
    from stmlab.analysis.steps.model import StepModel
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_PLACES = 400  # among which the readings of the best design are chosen
_TRIALS = 5  # runs with chosen points, of which the median counts: each takes a second


@dataclass(frozen=True, eq=False)
class ExpectedSteps:
    """Steps in dI/dV, read in standard deviations of a reading over energies eV in meV; see `Expected`.

    Attributes:
        model: of the fit: everything in it is left free.
        vector: its parameters; heights, background and slopes in standard deviations of a reading.
    """

    model: StepModel
    vector: FloatArray

    @classmethod
    def of(cls, fit: FitResult, model: StepModel, noise: float) -> ExpectedSteps:
        """As a spectrum was fitted.

        Args:
            fit: of steps, with as many pairs as the model.
            model: of a run that chooses its points; slopes of the plateaus are added if the fit has them.
            noise: standard deviation of a reading, in the unit of the fit.
        """
        model = replace(model, plateaus="plateau_slope_negative" in fit.free)
        return cls(model, np.array([_parameter(fit, name, noise) for name in model.names]))

    @property
    def value(self) -> float:
        """The inner energy, meV."""
        return float(self.vector[0])

    @property
    def signal(self) -> float:
        """Mean height of the steps."""
        first = len(self.model.shaping)
        return float(np.abs(self.vector[first : first + 2 * self.model.pairs]).mean())

    def grid_readings(self, x: FloatArray, target: float, points: int) -> float:
        """See Expected; until each energy is known to ``target``."""
        variance = variances(self.model.jacobian(self.vector, x), self._sought())
        return readings_to(float(variance.max()), target, points)

    def fewest_readings(self, low: float, high: float, target: float) -> float:
        """See Expected."""
        rows = self.model.jacobian(self.vector, np.linspace(low, high, _PLACES))
        return least_variance_of_all(rows, self._sought()) / target**2

    def chosen_readings(
        self, low: float, high: float, target: float, most: int, *, averages: int = 1, crossing: float = 0.0
    ) -> float:
        """See Expected."""
        chooses, better = replace(self.model, plateaus=False), math.sqrt(averages)
        return median_of_trials(
            lambda seed: StepChoice(chooses, low, high, target, most, crossing, seed),
            lambda x: better * float(self.model.value(self.vector, np.array([x]))[0]),
            least=LEAST,
            trials=_TRIALS,
        )

    def _sought(self) -> FloatArray:
        """Derivatives of the logarithm of each energy by the parameters."""
        rows = np.zeros((self.model.pairs, len(self.vector)))
        rows[:, : self.model.pairs] = np.tril(np.ones((self.model.pairs, self.model.pairs)))
        relative: FloatArray = rows / self.model.energies(self.vector)[:, None]
        return relative


def _parameter(fit: FitResult, name: str, noise: float) -> float:
    """Of the model's vector; 0 of a slope or an offset that was not fitted."""
    known = {parameter.name: parameter.value for parameter in fit.parameters}
    if name == "energy":
        return known["inner_energy"]
    if name == "gap":
        return known["outer_energy"] - known["inner_energy"]
    if name == "offset":
        return MEV_PER_V * known.get("bias_offset", 0.0)
    if name == "log_temperature":
        return math.log(known["temperature"])
    if name == "background":
        return known["background"] / noise
    if name == "slope":
        return known.get("background_slope", 0.0) / MEV_PER_V / noise
    kind, side = name.split("_")
    if kind == "plateau":
        return known[f"plateau_slope_{side}"] / MEV_PER_V / noise
    return known[f"{kind}_height_{side}"] / noise
