"""How many readings a value will take: on a grid, at the bound of Cramer and Rao, and chosen one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stmlab.analysis.adaptive.design import least_variance_of_all, variances
from stmlab.analysis.adaptive.scale_choice import LEAST, ScaleChoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.analysis.adaptive.planned import PlannedPlaces
    from stmlab.analysis.adaptive.posterior import Line
    from stmlab.analysis.adaptive.scale_choice import Pattern
    from stmlab.arrays import FloatArray

_PLACES = 400  # among which the readings of the best design are chosen
_TRIALS = 9  # runs with chosen points, of which the median counts
_VISITS = 60  # of chosen points: enough for choices and checks; more only cost uploads and settling
_STEP = 1e-4  # of u, for derivatives


class Expected(Protocol):
    """What is expected to be read, in standard deviations of a reading, over places on a scale.

    Attributes:
        value: what is sought.
        signal: size of the steps over the standard deviation of a reading.
    """

    @property
    def value(self) -> float:
        """See above."""

    @property
    def signal(self) -> float:
        """See above."""

    def grid_readings(self, x: FloatArray, target: float, points: int) -> float:
        """Readings on a grid, every point as often as the others, until what is sought is known to ``target``.

        Args:
            x: places of the grid that are fitted, shape (n,).
            target: relative error.
            points: of the grid in all.

        Returns:
            Number of readings, at least one a point; inf where the grid cannot tell.
        """

    def fewest_readings(self, low: float, high: float, target: float) -> float:
        """Readings that no unbiased estimate can do with less of (Cramer-Rao), all placed with everything known.

        Args:
            low: end of the places.
            high: their other end.
            target: relative error.
        """

    def chosen_readings(
        self, low: float, high: float, target: float, most: int, *, averages: int = 1, crossing: float = 0.0
    ) -> float:
        """Visits that are chosen one by one, checks included: the median of trials; inf where most end without a value.

        Args:
            low: end of the places.
            high: their other end.
            target: relative error.
            most: visits of a trial.
            averages: readings of each visit.
            crossing: time for the way through the whole range over that of a visit.
        """


@dataclass(frozen=True)
class ExpectedLine:
    """A line c + a L(x, u) whose scale exp(u) is sought; see `Expected`.

    Attributes:
        line: L.
        value: the scale.
        signal: a over the standard deviation of a reading.
        pattern: of the checks of chosen points.
    """

    line: Line
    value: float
    signal: float
    pattern: Pattern

    def grid_readings(self, x: FloatArray, target: float, points: int) -> float:
        """See Expected."""
        return readings_to(float(variances(self._rows(x), _SCALE)[0]), target, points)

    def fewest_readings(self, low: float, high: float, target: float) -> float:
        """See Expected."""
        return least_variance_of_all(self._rows(np.linspace(low, high, _PLACES)), _SCALE) / target**2

    def chosen_readings(
        self, low: float, high: float, target: float, most: int, *, averages: int = 1, crossing: float = 0.0
    ) -> float:
        """See Expected; jumping costs nothing here."""
        signal, u = self.signal * math.sqrt(averages), np.array(math.log(self.value))
        return median_of_trials(
            lambda seed: ScaleChoice(self.line, low, high, target, self.pattern, most, seed),
            lambda x: signal * float(self.line(np.array(x), u)),
            least=LEAST,
        )

    def _rows(self, x: FloatArray) -> FloatArray:
        u = math.log(self.value)
        slope = (self.line(x, np.array(u + _STEP)) - self.line(x, np.array(u - _STEP))) / (2 * _STEP)
        return np.stack([np.ones_like(x), self.line(x, np.array(u)), self.signal * slope], axis=1)


_SCALE = np.array([[0.0, 0.0, 1.0]])


def readings_to(variance: float, target: float, points: int) -> float:
    """Readings on a grid that has this relative variance after each of its points was read once."""
    return points * max(1.0, variance / target**2)


def median_of_trials(
    choice_of: Callable[[int], PlannedPlaces], expected: Callable[[float], float], *, least: int, trials: int = _TRIALS
) -> float:
    """Readings of runs that choose their points: the median; inf where most end without a value.

    Args:
        choice_of: from the number of a trial to what chooses its points.
        expected: from a place to what is read there without noise, in standard deviations of a reading.
        least: readings of a run.
        trials: their number.
    """
    numbers = []
    for seed in range(trials):
        chance, number, choice = np.random.default_rng(seed), 0, choice_of(seed)
        while (x := choice.choose()) is not None:
            choice.learn(number, x, expected(x) + chance.normal())
            number += 1
        numbers.append(number if choice.reached and not choice.ended else math.inf)
    return max(float(np.median(numbers)), float(least))


def suiting_averages(readings: float) -> int:
    """Readings for each visit of a chosen point, so that settling is no large part of the time.

    Args:
        readings: of a whole run, if each visit has one.
    """
    return max(1, round(readings / _VISITS)) if math.isfinite(readings) else 1
