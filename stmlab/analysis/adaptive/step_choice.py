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

import numpy as np

from stmlab.analysis.adaptive.choice import least_variance, most_informative
from stmlab.analysis.adaptive.scale_choice import Why
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
_BATCH = 0.05  # of the readings so far
_LARGEST = 100  # informative readings of a batch
_PLACES = 300  # among which the informative ones are chosen
_HOPELESS = 400  # readings in which a pair does not stand out of the noise
_SMALLEST = 1e-3  # relative error that can be asked for


def energy(bias: FloatArray) -> FloatArray:
    """The energy eV, meV, of a bias in V."""
    scaled: FloatArray = MEV_PER_V * bias
    return scaled


class StepChoice:
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
        why: the last place was chosen.
        ended: why it ended without having reached the target; "" otherwise.
    """

    def __init__(
        self, model: StepModel, low: float, high: float, target: float, most: int, crossing: float = 0.0, seed: int = 0
    ) -> None:
        self._low, self._high, self._most = low, high, most
        self._target, self._crossing = max(target, _SMALLEST), crossing
        self._x = np.linspace(low, high, _PLACES)
        self._fraction = (seed * _GOLDEN**2) % 1.0
        self._last = low
        self.posterior = StepPosterior(model, low, high)
        self.why, self.ended = Why.START, ""
        self._places = self._plan()
        self._next: tuple[float, Why] | None = None
        self._done = False

    def learn(self, key: int, x: float, y: float) -> None:
        """A reading was taken at x, wherever that was asked for; one of the same key is replaced."""
        self.posterior.add(key, x, y)

    def think(self) -> None:
        """Prepare the next place."""
        if self._next is None and not self._done:
            self._next = next(self._places, None)
            self._done = self._next is None

    def choose(self) -> float | None:
        """The next place; None when there is nothing more to be known, or no more readings."""
        self.think()
        if self._next is None:
            return None
        (x, self.why), self._next = self._next, None
        self._last = x
        return x

    def known(self) -> dict[str, float]:
        """The inner energy (meV), the largest relative error of an energy, and why the last place was chosen."""
        known = self.posterior
        return {
            "value": float(known.energies[0]),
            "relative_error": float(known.relative_errors.max()),
            "chosen": float(self.why),
        }

    @property
    def reached(self) -> bool:
        """Whether every energy is known as well as asked for."""
        known = self.posterior
        enough = known.width_is_known and len(known) >= LEAST and not known.lacking()
        return enough and bool(known.relative_errors.max() <= self._target)

    # -- the plan ----------------------------------------------------------------------------------------------------

    def _plan(self) -> Iterator[tuple[float, Why]]:
        """Every place, chosen from what has been learnt when it is asked for."""
        first = _FIRST * len(self.posterior.model.names)
        spread = max(first, round(_CHECKS * len(self.posterior)))
        if len(self.posterior) < first:  # a run that is resumed knows something already
            for x in np.linspace(self._low, self._high, first):
                yield float(x), Why.START
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
        number = max(_BATCH * len(known), min(enough, len(known) / 2))
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

    def _is_over(self) -> bool:
        known = self.posterior
        known.solve()
        if self.reached:
            known.confirm()
        if self._is_outside():
            self.ended = "a step lies too near an end of the range, or beyond it: widen the range"
        elif self.reached:
            return True
        elif len(known) >= self._most:
            self.ended = self._why_not()
        elif len(known) >= _HOPELESS and not known.found:
            self.ended = self._nothing()
        return bool(self.ended)

    def _is_outside(self) -> bool:
        """Whether a step is nearer than its width to the end of the range."""
        known = self.posterior
        return known.found and len(known) >= LEAST and bool(known.energies[-1] > known.reach - known.width_meV)

    def _why_not(self) -> str:
        known = self.posterior
        if not known.found:
            return self._nothing()
        return (
            f"after {len(known)} readings, as many as were allowed, the error is "
            f"{100 * known.relative_errors.max():.2g} %: {100 * self._target:.2g} % was asked for"
        )

    def _nothing(self) -> str:
        known = self.posterior
        many = "pair of steps stands" if known.model.pairs == 1 else "two pairs of steps stand"
        fewer = "" if known.model.pairs == 1 else "; for a single pair set pairs to 1"
        return f"no {many} out of the noise of {len(known)} readings in this range{fewer}"
