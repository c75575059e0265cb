"""What is known so far of the energies of steps in dI/dV: of one or two pairs, with offset and width (temperature).

    readings --> placements on a coarse grid, until the steps have been found
             --> the minimum of the step fit next to them, with its errors

Once found, the energies are known much better than a step is wide, and their posterior is the normal one around that
minimum: all parameters are left free there, so that heights, background, offset and width are allowed for exactly as
the fit of the whole run will allow for them. Many readings are put together to a few hundred, each the mean of
neighbours, which keeps the cost of a decision.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.adaptive.placements import Placements
from stmlab.analysis.steps.shapes import StepShape
from stmlab.analysis.steps.solution import solve_near
from stmlab.analysis.steps.spectrum import StepSpectrum
from stmlab.analysis.steps.starts import Start

if TYPE_CHECKING:
    from stmlab.analysis.steps.model import StepModel
    from stmlab.analysis.steps.solution import StepSolution
    from stmlab.arrays import FloatArray, IntArray

_GROUPS = 200  # readings, or means of neighbouring ones, that are fitted
_EVALUATIONS = 3  # of one look for the minimum: the next one goes on from there
_FIRST_EVALUATIONS = 6  # from a placement on the coarse grid: with its width, then with any
_NARROW = 0.3  # standard deviation of an energy over a step's width, below which the minimum stands for the posterior
_FOUND = 1.0  # the same of the placements, from which a minimum is looked for
_SIGNIFICANT = 5.0  # standard errors of a pair's higher step
_WIDER = 0.1  # by how much a step may be wider than it seems, one standard error
RESOLVED = 6
"""Readings within the width of each step, without which a step between two readings could pass for a sharp one."""


class StepPosterior:
    """After the readings so far.

    Args:
        model: of the steps.
        low, high: of the energies eV that can be visited, meV; of both signs.

    Attributes:
        weights: probabilities of the placements on the coarse grid.
        energies, errors: mean and standard deviation of each energy, meV, shape (pairs,).
    """

    def __init__(self, model: StepModel, low: float, high: float) -> None:
        self.model, self.reach = model, min(-low, high)
        self._placements = Placements(model, self.reach)
        self._x: list[float] = []
        self._y: list[float] = []
        self._place: dict[int, int] = {}  # key of a reading -> where it stands
        self._found: StepSolution | None = None
        self._placed = False  # whether a minimum may be looked for next to the most probable placement
        self._see_placements()

    def __len__(self) -> int:
        return len(self._x)

    def add(self, key: int, x: float, y: float) -> None:
        """A reading of y at x (meV); one of the same key, as of a point that was disturbed, is replaced."""
        if (place := self._place.get(key)) is not None:
            self._placements.add(self._x[place], self._y[place], sign=-1)
            self._x[place], self._y[place] = x, y
        else:
            self._place[key] = len(self._x)
            self._x.append(x)
            self._y.append(y)
        self._placements.add(x, y)

    def solve(self) -> None:
        """Take the readings since the last time into account."""
        if self._placements.flat:
            return
        data = self._spectrum()
        if self._found is not None:
            found = solve_near(data, self.model, _flat(self._found, self.model), _EVALUATIONS)
            self._found = found if found is not None and self._stands(found) else None
            if self._found is None:
                self._place_again()
        elif self._placed:  # one or the other each time: both would take longer than a reading should wait
            self._found, self._placed = self._look(data), False
        else:
            self._place_again()
        if self._found is None:
            self._see_placements()
        else:
            self._see_minimum(data, self._found)

    def confirm(self) -> None:
        """Energies and errors by every reading for itself, as the fit of the whole run will give them.

        Means of neighbours are quicker, but near a threshold of the fit they may fall on its other side.
        """
        if self._found is None or len(self) <= _GROUPS:
            return
        data = self._spectrum(len(self))
        found = solve_near(data, self.model, _flat(self._found, self.model), _FIRST_EVALUATIONS)
        self._found = found if found is not None and self._stands(found) else None
        if self._found is None:
            self._see_placements()
        else:
            self._see_minimum(data, self._found)

    @property
    def found(self) -> bool:
        """Whether the steps have been found, so that energies and errors are those of the fit."""
        return self._found is not None

    @property
    def relative_errors(self) -> FloatArray:
        """Standard deviation of each energy over its mean."""
        relative: FloatArray = self.errors / self.energies
        return relative

    def lacking(self) -> list[float]:
        """Places (meV) within a step's width of which too few readings lie to tell how wide it is; each as it lacks."""
        x, inside = np.array(self._x), np.linspace(-0.4, 0.4, RESOLVED)
        found: list[float] = []
        for centre, width in self._steps():
            number = int(np.count_nonzero(np.abs(x - centre) < width / 2))
            found += (centre + width * inside[number:]).tolist() if number < RESOLVED else []
        return found

    @property
    def width_meV(self) -> float:
        """Full width of a step at half its slope's height; nan before the steps have been found."""
        return math.nan if self._found is None else self.model.shape(self._found.vector).width_meV

    def predicted(self, x: FloatArray, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """See Placements."""
        return self._placements.predicted(x, chosen)

    @property
    def width_is_known(self) -> bool:
        """Whether the step is as wide as it seems: one that seems sharp has an energy that seems to be known well."""
        if self._found is None or self.model.temperature_K is not None:
            return self._found is not None
        at = self.model.shaping.index("log_temperature")
        error = math.sqrt(float(self._found.covariance[at, at]))
        warm = self.model.shape(self._found.vector).temperature_K * math.exp(min(error, 5.0))
        return StepShape(warm, self.model.modulation_V).width_meV < (1 + _WIDER) * self.width_meV

    @property
    def direction(self) -> FloatArray:
        """Derivative of what is sought by the parameters, shape (k,).

        That is the energy that is known least, but the temperature while the steps might be wider by a part.
        """
        assert self._found is not None
        direction = np.zeros(len(self._found.vector))
        if self.width_is_known:
            direction[: int(np.argmax(self.relative_errors)) + 1] = 1.0
        else:
            direction[self.model.shaping.index("log_temperature")] = 1.0
        return direction

    def gradient(self, x: FloatArray) -> FloatArray:
        """Of a reading at x (meV) by the parameters of the model, in units of the noise; shape (x, k)."""
        assert self._found is not None
        slopes: FloatArray = self._found.model.jacobian(self._found.vector, x) / self._relative_noise
        return slopes

    def information(self) -> FloatArray:
        """Fisher information of the readings so far, shape (k, k)."""
        x, _, counts = self._groups()
        slopes = self.gradient(x)
        matrix: FloatArray = (slopes.T * counts) @ slopes
        return matrix

    # -- details -----------------------------------------------------------------------------------------------------

    def _groups(self, most: int = _GROUPS) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean place, mean value and number of neighbouring readings."""
        x, y = np.array(self._x), np.array(self._y)
        order = np.argsort(x, kind="stable")
        first = np.arange(0, len(x), math.ceil(len(x) / most))
        counts = np.diff(first, append=len(x)).astype(float)
        return np.add.reduceat(x[order], first) / counts, np.add.reduceat(y[order], first) / counts, counts

    def _spectrum(self, most: int = _GROUPS) -> StepSpectrum:
        x, y, counts = self._groups(most)
        unit = float(np.ptp(y)) or 1.0
        return StepSpectrum(x, y / unit, counts**-0.5, False, unit)

    def _steps(self) -> tuple[tuple[float, float], ...]:
        """Centre and width of each step, meV, as far as they can be told."""
        if self._found is not None:
            return self._found.places()
        energies, offset, shape = self._placements.likeliest()
        if np.any(self.errors > _FOUND * shape.width_meV):
            return ()
        return tuple((offset + side * float(energy), shape.width_meV) for energy in energies for side in (-1, 1))

    def _place_again(self) -> None:
        self._placements.solve()
        self._placed = True

    def _look(self, data: StepSpectrum) -> StepSolution | None:
        """The minimum next to the most probable placement, if that is one."""
        energies, offset, shape = self._placements.likeliest()
        if np.any(self._of_placements()[1] > _FOUND * shape.width_meV):
            return None
        start = Start(energies, offset, shape, math.nan)
        narrow = replace(self.model, temperature_K=shape.temperature_K)
        first = solve_near(data, narrow, start.vector(data, narrow), _FIRST_EVALUATIONS, bending=False)
        if first is None or self.model.temperature_K is not None:
            return first if first is not None and self._stands(first) else None
        vector = np.insert(_flat(first, narrow), len(narrow.shaping), math.log(shape.temperature_K))
        found = solve_near(data, self.model, vector, _FIRST_EVALUATIONS, bending=False)
        return found if found is not None and self._stands(found) else None

    def _stands(self, found: StepSolution) -> bool:
        """Whether the minimum stands for the posterior."""
        return self._is_significant(found) and bool(
            np.all(_energy_errors(found) < _NARROW * found.model.shape(found.vector).width_meV)
        )

    def _is_significant(self, found: StepSolution) -> bool:
        first, pairs = len(self.model.shaping), self.model.pairs
        heights = found.vector[first : first + 2 * pairs]
        errors = np.sqrt(np.diag(found.covariance))[first : first + 2 * pairs]
        return bool(np.all((np.abs(heights) / errors).reshape(-1, 2).max(axis=1) >= _SIGNIFICANT))

    def _see_placements(self) -> None:
        self.weights = self._placements.weights
        self.energies, self.errors = self._of_placements()

    def _of_placements(self) -> tuple[FloatArray, FloatArray]:
        energies, weights = self._placements.energies, self._placements.weights
        mean = weights @ energies
        return mean, np.sqrt(weights @ (energies - mean) ** 2 + self._placements.spacing**2 / 12)

    def _see_minimum(self, data: StepSpectrum, found: StepSolution) -> None:
        """The larger of the errors for even and for uneven noise: a run must not end by an error that is too small."""
        self.energies = self.model.energies(found.vector)
        self._relative_noise = math.sqrt(found.squares / max(len(data.x) - len(found.vector), 1))
        even = replace(found, covariance=np.asarray(np.linalg.pinv(self.information()), dtype=float))
        self.errors = np.maximum(_energy_errors(found), _energy_errors(even))


def _energy_errors(found: StepSolution) -> FloatArray:
    """Standard errors of the energies, meV: those of E_1 and of E_1 + (E_2 - E_1)."""
    pairs = found.model.pairs
    sums = np.tril(np.ones((pairs, pairs)))
    errors: FloatArray = np.sqrt(np.diag(sums @ found.covariance[:pairs, :pairs] @ sums.T))
    return errors


def _flat(found: StepSolution, model: StepModel) -> FloatArray:
    """Its parameters that the model without plateau slopes has."""
    names = found.model.names
    vector: FloatArray = found.vector[[names.index(name) for name in model.names]]
    return vector
