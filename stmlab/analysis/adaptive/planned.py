"""Readings that are planned while they are taken, until what is sought is known as well as asked for.

    choose --> reading --> learn --> ... ; after each batch: known well enough? outside the range? no more readings?

Which places come next, and what is known, says a choice of one kind: scale_choice.py, step_choice.py.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH = 0.05  # of the readings so far
_HOPELESS = 400  # readings in which nothing stands out of the noise
_SMALLEST = 1e-3  # relative error that can be asked for


class Why(IntEnum):
    """Why a point was chosen, as it stands in the file."""

    START = 0
    INFORMATION = 1
    CHECK = 2


class Known(Protocol):
    """What the readings so far tell."""

    def __len__(self) -> int:
        """Number of readings."""

    def add(self, key: int, x: float, y: float) -> None:
        """A reading; one of the same key is replaced."""

    def solve(self) -> None:
        """Take the readings since the last time into account."""


class PlannedPlaces:
    """Places of readings, one after the other.

    Args:
        low, high: of the places.
        target: relative error asked for.
        most: readings at most.
        places: number of those among which the informative ones are chosen.

    Attributes:
        why: the last place was chosen.
        ended: why it ended without having reached the target; "" otherwise.
    """

    posterior: Known

    def __init__(self, low: float, high: float, target: float, most: int, places: int) -> None:
        self._low, self._high, self._most = low, high, most
        self._target = max(target, _SMALLEST)
        self._x = np.linspace(low, high, places)
        self._last = low  # the place before the next one
        self._is_awaited = False  # whether its reading has not come yet
        self.why, self.ended = Why.START, ""
        self._plan = self._planned()
        self._next: tuple[float, Why] | None = None
        self._done = False

    def learn(self, key: int, x: float, y: float) -> None:
        """A reading was taken at x, wherever that was asked for; one of the same key is replaced."""
        self.posterior.add(key, x, y)
        self._is_awaited = False

    def think(self) -> None:
        """Prepare the next place."""
        if self._next is None and not self._done:
            self._next = next(self._plan, None)
            self._done = self._next is None

    def choose(self) -> float | None:
        """The next place; None when there is nothing more to be known, or no more readings."""
        self.think()
        if self._next is None:
            return None
        (self._last, self.why), self._next = self._next, None
        self._is_awaited = True
        return self._last

    def known(self) -> dict[str, float]:
        """What is sought and its relative error, as known when the last place was chosen, and why it was."""
        return {"value": self.value, "relative_error": self.relative_error, "chosen": float(self.why)}

    # -- what a choice of one kind says ------------------------------------------------------------------------------

    @property
    def value(self) -> float:
        """What is sought, as known now."""
        raise NotImplementedError

    @property
    def relative_error(self) -> float:
        """Standard deviation over value of what is sought, as known now; the largest of several."""
        raise NotImplementedError

    @property
    def reached(self) -> bool:
        """Whether what is sought is known as well as asked for."""
        raise NotImplementedError

    @property
    def first(self) -> int:
        """Readings spread over the whole range at the start."""
        raise NotImplementedError

    def _further(self) -> Iterator[tuple[float, Why]]:
        """The places after those, chosen from what has been learnt when they are asked for, until it is over."""
        raise NotImplementedError

    def _stands_out(self) -> bool:
        """Whether what is sought is seen at all."""
        raise NotImplementedError

    def _outside(self) -> str:
        """Why the range does not suit what is sought; "" if it does."""
        raise NotImplementedError

    def _nothing(self) -> str:
        """What is said where nothing is seen."""
        raise NotImplementedError

    # -- the plan ----------------------------------------------------------------------------------------------------

    def _planned(self) -> Iterator[tuple[float, Why]]:
        if len(self.posterior) < self.first:  # a run that is resumed knows something already
            for x in np.linspace(self._low, self._high, self.first):
                yield float(x), Why.START
        for place in self._further():
            yield place
            if self._readings >= self._most:  # within a batch
                self._is_over()
                return

    @property
    def _readings(self) -> int:
        """Those that were taken, and the one that is being taken."""
        return len(self.posterior) + self._is_awaited

    def _batch(self) -> float:
        """Informative readings until what they tell is looked at again."""
        return _BATCH * len(self.posterior)

    def _take_into_account(self) -> None:
        """The readings since the last time."""
        self.posterior.solve()

    def _is_over(self) -> bool:
        self._take_into_account()
        self.ended = self._outside()
        if self.ended or self.reached:
            return True
        if self._readings >= (self._most if self._stands_out() else min(self._most, _HOPELESS)):
            self.ended = self._not_reached() if self._stands_out() else self._nothing()
        return bool(self.ended)

    def _not_reached(self) -> str:
        return (
            f"after {self._readings} readings, as many as were allowed, the error is "
            f"{100 * self.relative_error:.2g} %: {100 * self._target:.2g} % was asked for"
        )
