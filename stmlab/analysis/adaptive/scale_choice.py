"""Chooses the places of a line's readings until its scale is known as well as asked for, and checks the line meanwhile.

    twelve readings over the whole range
        |
    a batch of informative readings, a twentieth of those so far or as many as are missing, each followed by a check
        |
    known well enough (and the step significant, and at least thirty readings)? --- no --> another batch
        | yes
    the end; the value is the usual fit of all readings, and only if that has no doubt the target is reached

Half of the readings are checks of an SRS line, a third of a decay: chosen for information alone, readings all lie where
a wrong line cannot be told from a right one. The pattern of nine tells the SRS line from one of two widths (T-optimal);
it is spread, so that no two readings are at the same place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.adaptive.choice import least_variance, most_informative
from stmlab.analysis.adaptive.planned import PlannedPlaces, Why
from stmlab.analysis.adaptive.posterior import Posterior

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.analysis.adaptive.posterior import Line

FIRST = 12
"""Readings spread over the whole range at the start."""

LEAST = 30
"""Readings before the end: from fewer the noise is not known well enough."""

_WIDE = 0.15  # standard deviation of u beyond which the line at the mean does not stand for the posterior
_KNOWN = 0.5  # standard deviation of u below which checks lie where the line is, not anywhere
_SPREAD = 0.13  # of a check's place, to either side
_SIGNIFICANT = 5.0  # standard errors of the step
_ENOUGH = 60  # readings that can show that the scale lies outside
_IMPOSSIBLE = 1e-3
_HALF_A_DECADE = 0.5 * math.log(10)
_MARGIN = 2.3  # of u beyond the range a priori: a decade
_PLACES = 200  # among which the informative ones are chosen


@dataclass(frozen=True)
class Pattern:
    """Checks, as factors of the scale's own place; None: the low end, the high end, anywhere.

    Attributes:
        low, high, anywhere: how many of a round.
        factors: of the place at which x = u, each with how many.
        every: informative readings to a check.
        inside: how far u must lie within the range at its low and at its high end.
    """

    low: int
    high: int
    anywhere: int
    factors: tuple[tuple[float, int], ...] = ()
    every: int = 1
    inside: tuple[float, float] = (_HALF_A_DECADE, _HALF_A_DECADE)


class ScaleChoice(PlannedPlaces):
    """Places of readings, one after the other.

    Args:
        line: L(x, u).
        low, high: of x.
        target: standard error of u asked for: the relative error of the scale.
        pattern: of the checks.
        most: readings at most.
        seed: of the spread of checks.

    Attributes:
        posterior: of u.
        why, ended: see PlannedPlaces.
    """

    posterior: Posterior

    def __init__(
        self, line: Line, low: float, high: float, target: float, pattern: Pattern, most: int, seed: int = 0
    ) -> None:
        super().__init__(low, high, target, most, _PLACES)
        self._pattern, self._chance = pattern, np.random.default_rng(seed)
        self.posterior = Posterior(line, low - _MARGIN, high + _MARGIN)

    @property
    def value(self) -> float:
        """The scale."""
        return math.exp(self.posterior.mean)

    @property
    def relative_error(self) -> float:
        """Of the scale: the standard deviation of u."""
        return self.posterior.deviation

    @property
    def reached(self) -> bool:
        """Whether u is known as well as asked for."""
        known = self.posterior
        return len(known) >= LEAST and known.deviation <= self._target and self._stands_out()

    # -- the plan ----------------------------------------------------------------------------------------------------

    @property
    def first(self) -> int:
        """See PlannedPlaces."""
        return FIRST

    def _further(self) -> Iterator[tuple[float, Why]]:
        checks, informative = self._checks(), 0
        while not self._is_over():
            for x in self._informative():
                informative += 1
                yield x, Why.INFORMATION
                if informative % self._pattern.every == 0:
                    yield next(checks), Why.CHECK

    def _outside(self) -> str:
        if self._is_outside():
            return "what is sought lies too near an end of the range, or beyond it: widen the range"
        return ""

    def _is_outside(self) -> bool:
        """Whether the scale is not where the range would tell it, as good as certainly."""
        known, (low, high) = self.posterior, self._pattern.inside
        inside = (known.u >= self._low + low) & (known.u <= self._high - high)
        if self.reached:
            return not self._low + low <= known.mean <= self._high - high
        return len(known) >= _ENOUGH and float(known.weights @ inside) < _IMPOSSIBLE

    def _nothing(self) -> str:
        return f"no step stands out of the noise of {len(self.posterior)} readings"

    def _informative(self) -> list[float]:
        known = self.posterior
        if known.deviation > _WIDE or not self._stands_out():
            return [most_informative(known, self._x)]
        missing = len(known) * ((known.deviation / self._target) ** 2 - 1.0) / (1.0 + 1.0 / self._pattern.every)
        return least_variance(known, self._x, max(1, round(min(self._batch(), missing))))

    def _checks(self) -> Iterator[float]:
        """Round after round of the pattern, each in another order; anywhere while the line is not known."""
        pattern = self._pattern
        ends = {"low": pattern.low, "high": pattern.high, "anywhere": pattern.anywhere}
        places: list[float | str] = [end for end, number in ends.items() for _ in range(number)]
        places += [math.log(factor) for factor, number in pattern.factors for _ in range(number)]
        while True:
            for place in self._chance.permutation(np.array(places, dtype=object)):
                yield self._check(place)

    def _check(self, place: float | str) -> float:
        known, spread = self.posterior, float(self._chance.uniform(-_SPREAD, _SPREAD))
        if place == "low":
            return self._low + abs(spread)
        if place == "high":
            return self._high - abs(spread)
        if place == "anywhere" or known.deviation > _KNOWN:
            return float(self._chance.uniform(self._low, self._high))
        return float(np.clip(known.mean + float(place) + spread, self._low, self._high))

    def _stands_out(self) -> bool:
        known = self.posterior
        return abs(known.height) >= _SIGNIFICANT * known.height_error


RESONANCE_CHECKS = Pattern(low=2, high=1, anywhere=1, factors=((0.53, 3), (1.12, 2)))
"""Tells eq. 1 from a line distorted by strong modulation; as a part of the characteristic frequency.

T-optimal alone (0.43 and 1.35) is a tenth worse for the rate and sees little more: the best of both.
"""

DECAY_CHECKS = Pattern(low=2, high=1, anywhere=3, every=2, inside=(-1.0, 1.0))
"""Shows a decay that is none: at both ends and anywhere between. T1 may be shorter than the first delay."""
