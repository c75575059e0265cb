"""Chooses the biases of a dI/dV spectrum until the energies of its steps are known as well as asked for.

    readings spread over the whole range, three a parameter
        |
    a batch of informative readings, a twentieth of those so far, and checks: a third of all readings are spread
        |
    known well enough (and the steps significant)? --- no --> another batch
        | yes
    the end; the value is the usual fit of all readings, and only if that has no doubt the target is reached

Until the steps have been found, the informative reading is the one that tells most of where they lie; then those that
lower the error of the energy that is known least; but the width of the steps first, while they may be wider than they
seem, because a step that seems sharp has an energy that seems to be known well. A batch is visited in one crossing of
its range, and is as large as makes the crossings cheap beside the readings.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stmlab.analysis.adaptive.choice import least_variance, most_informative
from stmlab.analysis.adaptive.planned import PlannedPlaces, Why
from stmlab.analysis.adaptive.step_posterior import StepPosterior
from stmlab.physics.constants import MEV_PER_V

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.analysis.steps.model import StepModel
    from stmlab.arrays import FloatArray

LEAST = 60
"""Readings before the end: from fewer the noise around a step is not known well enough."""

TRAVEL = 0.3
"""Of the time of the readings, that the travel of the bias may take at most, once the steps have been found."""

_FIRST = 3  # readings a parameter, spread at the start
_CHECKS = 1 / 3  # of all readings
_GOLDEN = (math.sqrt(5) - 1) / 2  # steps by it fill a range evenly, whenever they end
_LARGEST = 100  # informative readings of a batch
_PLACES = 300  # among which the informative ones are chosen


def energy(bias: FloatArray) -> FloatArray:
    """The energy eV, meV, of a bias in V."""
    scaled: FloatArray = MEV_PER_V * bias
    return scaled


class StepChoice(PlannedPlaces):
    """Places of readings, in meV, one after the other.

    Args:
        model: of the steps.
        low, high: of the energies eV that can be visited, meV; of both signs.
        target: relative error asked for of every energy.
        most: readings at most.
        crossing: time that the bias takes for the whole range over that of a reading.
        seed: where the checks begin.

    Attributes:
        posterior: of the energies.
        why, ended: see PlannedPlaces.
    """

    posterior: StepPosterior

    def __init__(
        self, model: StepModel, low: float, high: float, target: float, most: int, crossing: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__(low, high, target, most, _PLACES)
        self._crossing = crossing
        self._fraction = (seed * _GOLDEN**2) % 1.0
        self.posterior = StepPosterior(model, low, high)

    @property
    def value(self) -> float:
        """The inner energy, meV."""
        return float(self.posterior.energies[0])

    @property
    def relative_error(self) -> float:
        """The largest relative error of an energy."""
        return float(self.posterior.relative_errors.max())

    @property
    def reached(self) -> bool:
        """Whether every energy is known as well as asked for."""
        known = self.posterior
        enough = known.width_is_known and len(known) >= LEAST and not known.lacking()
        return enough and self.relative_error <= self._target

    # -- the plan ----------------------------------------------------------------------------------------------------

    @property
    def first(self) -> int:
        """See PlannedPlaces."""
        return _FIRST * len(self.posterior.model.names)

    def _further(self) -> Iterator[tuple[float, Why]]:
        spread = max(self.first, round(_CHECKS * len(self.posterior)))
        while not self._is_over():
            batch = [(x, Why.INFORMATION) for x in self._informative()]
            after = len(self.posterior) + len(batch)
            checks = max(0, math.ceil((_CHECKS * after - spread) / (1 - _CHECKS)))
            spread += checks
            batch += [(self._anywhere(), Why.CHECK) for _ in range(checks)]
            yield from self._on_the_way(batch)

    def _informative(self) -> list[float]:
        known = self.posterior
        if lacking := known.lacking():
            return lacking
        if not known.found:
            travel = self._crossing * abs(self._x - self._last) / (self._high - self._low)
            return [most_informative(known, self._x, 1.0 + travel)]
        enough = self._crossing / TRAVEL * (1 - _CHECKS)
        number = max(self._batch(), min(enough, len(known) / 2))
        return least_variance(known, self._x, max(1, min(round(number), _LARGEST)))

    def _anywhere(self) -> float:
        """The next check: they fill the range evenly."""
        self._fraction = (self._fraction + _GOLDEN) % 1.0
        return self._low + self._fraction * (self._high - self._low)

    def _on_the_way(self, batch: list[tuple[float, Why]]) -> list[tuple[float, Why]]:
        """In the order of one crossing that begins at the nearer end."""
        batch.sort()
        if abs(batch[-1][0] - self._last) < abs(batch[0][0] - self._last):
            batch.reverse()
        return batch

    def _take_into_account(self) -> None:
        super()._take_into_account()
        if self.reached:
            self.posterior.confirm()

    def _stands_out(self) -> bool:
        return self.posterior.found

    def _outside(self) -> str:
        """Whether a step is nearer than its width to the end of the range."""
        known = self.posterior
        if known.found and len(known) >= LEAST and known.energies[-1] > known.reach - known.width_meV:
            return "a step lies too near an end of the range, or beyond it: widen the range"
        return ""

    def _nothing(self) -> str:
        known = self.posterior
        many = "pair of steps stands" if known.model.pairs == 1 else "two pairs of steps stand"
        fewer = "" if known.model.pairs == 1 else "; for a single pair set pairs to 1"
        return f"no {many} out of the noise of {len(known)} readings in this range{fewer}"
