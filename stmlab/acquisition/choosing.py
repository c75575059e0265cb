"""A run that chooses its next point by itself, and visits only those of an axis that reduce the error most.

The axis is a fine grid over the whole range, like any axis: preflight checks all of it, the file has its data sorted,
a run is paused, stopped and resumed as ever. What is visited, and when to end, says a Chooser that hears each reading.
What it knew when it chose a point, and why it did, are channels of the run.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from stmlab.axes import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import FloatArray
    from stmlab.events import RunStarted

RELATIVE_ERROR = "relative_error"
TARGET = "target_error"

FINE = 65_536
"""Points of an axis from which places are chosen. Each is visited once, so that a place which is wanted again and again
takes up its surroundings: a thousand readings wanted at one place lie within 0.8 % of the range about it."""

_FORESEEN = 0.5  # relative error below which it falls with the root of the number of readings

CHANNELS = (  # they stand behind the channel of what is sought
    Channel(RELATIVE_ERROR, "", "standard error over value of what is sought, as known when the point was chosen"),
    Channel("chosen", "", "why the point was chosen; 0: start, 1: it lowers the error most, 2: to check the model"),
)


class Chooser(Protocol):
    """Chooses the points of one axis, the only one that software moves."""

    def learn(self, index: int, coordinate: float, values: Mapping[str, float | FloatArray]) -> None:
        """A reading was taken: point of the axis, where it really was, channel -> value. A later one replaces it."""

    def think(self) -> None:
        """Prepare the next choice; called while the present point settles."""

    def choose(self) -> int | None:
        """The next point, by its number on the axis; None: the run ends."""

    @property
    def ended(self) -> str:
        """Why the run ends without what was asked for, one line; "" otherwise."""


class Places(Protocol):
    """Chooses places on a continuous scale, as `stmlab.analysis.adaptive.scale_choice.ScaleChoice` does."""

    ended: str

    @property
    def first(self) -> int:
        """Places spread over the whole range at the start."""

    def learn(self, key: int, x: float, y: float) -> None:
        """A reading; one of the same key replaces it."""

    def think(self) -> None:
        """Prepare the next place."""

    def choose(self) -> float | None:
        """The next place; None at the end."""

    def known(self) -> Mapping[str, float]:
        """Channel -> what was known when the last place was chosen, and why it was."""


class AxisChooser:
    """Puts chosen places on the points of an axis: the nearest one that has not been visited.

    Args:
        places: chooses them.
        values: of the axis, shape (n,), rising.
        scale: from coordinates to places.
        channel: that tells.
    """

    def __init__(
        self, places: Places, values: FloatArray, scale: Callable[[FloatArray], FloatArray], channel: str
    ) -> None:
        self._places, self._scale, self._channel = places, scale, channel
        self._x = scale(values)
        self._free = np.ones(len(values), dtype=bool)

    def learn(self, index: int, coordinate: float, values: Mapping[str, float | FloatArray]) -> None:
        """See Chooser."""
        self._free[index] = False
        self._places.learn(index, float(self._scale(np.array(coordinate))), float(np.asarray(values[self._channel])))

    def think(self) -> None:
        """See Chooser."""
        self._places.think()

    def choose(self) -> int | None:
        """See Chooser; also when every point was visited."""
        x = self._places.choose()
        if x is None or not self._free.any():
            return None
        index = self._nearest(x)
        self._free[index] = False
        return index

    def known(self) -> Mapping[str, float]:
        """See Places."""
        return self._places.known()

    @property
    def first(self) -> int:
        """See Places."""
        return self._places.first

    @property
    def ended(self) -> str:
        """See Chooser."""
        return self._places.ended

    def _nearest(self, x: float) -> int:
        at = int(np.searchsorted(self._x, x))
        above, below = np.flatnonzero(self._free[at:]), np.flatnonzero(self._free[:at])
        found = [at + int(above[0])] if above.size else []
        found += [int(below[-1])] if below.size else []
        return min(found, key=lambda k: abs(self._x[k] - x))


class Sought(NamedTuple):
    """What a run that chooses its points seeks.

    Attributes:
        value: place of the channel of the value so far.
        error: place of the channel of its relative error.
        target: of that error.
    """

    value: int
    error: int
    target: float


def sought(started: RunStarted) -> Sought | None:
    """Of a run that chooses its points; None of one that visits all."""
    names = [channel.name for channel in started.channels]
    if RELATIVE_ERROR not in names or TARGET not in started.parameters:
        return None
    error = names.index(RELATIVE_ERROR)
    return Sought(error - 1, error, float(started.parameters[TARGET].value))


def readings_needed(readings: int, error: float, target: float) -> float:
    """About how many readings in all bring the error to the target: it falls with the root of their number.

    Args:
        readings: so far.
        error: relative, as known now.
        target: relative.

    Returns:
        At least ``readings``; nan while too little is known for a forecast.
    """
    if not error < _FORESEEN:
        return math.nan
    return readings * max(error / target, 1.0) ** 2
