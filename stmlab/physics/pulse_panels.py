"""The mean current of trains of pulses with ramps, however slow the slowest of their rates is (see `stiff_drive`).

Where the voltage rests the propagator is exact; ramps are cut into panels of time that are halved until rates and
occupations are smooth on each. Rest or ramp, a piece is a matrix of probabilities, and their product over the period
has the occupations at its start as steady state. Trains that differ in when their pulses come have the same ramps: of
those that are alike to 1e-10 the response is computed once, and what one train needs cut is cut for those after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.occupation import generator
from stmlab.physics.radau import radau
from stmlab.physics.rate_equations import checked_generators, cycle_start, held_steps
from stmlab.physics.stiff_drive import MOST_PANELS, NARROWEST, NODES, coarse_panels, panel_responses, without_diagonal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stmlab.arrays import FloatArray
    from stmlab.physics.driven import DrivenStates


_ALIKE = 1e-10  # of the duration and of the largest voltage: such ramps are one
_MOST_HELD = 10_000_000  # rates; responses are as many


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces of one period in order of time: durations in s, voltages at start and end in V, which are ramps."""

    durations: FloatArray
    starts: FloatArray
    ends: FloatArray
    ramps: NDArray[np.bool_]

    def halved(self, which: NDArray[np.bool_]) -> _Pieces:
        """The same with some pieces cut into halves."""
        if len(which) > MOST_PANELS or self.durations[which].min() < NARROWEST * self.durations.sum():
            raise PhysicsError(
                f"rise_s: {len(which)} pieces, the shortest {self.durations.min():.1e} s long, do not resolve how the "
                "rates change along the ramps; longer rise times, or none, are needed"
            )
        middle = (self.starts + self.ends) / 2
        times = np.where(which, 2, 1)
        second = np.repeat(which, times)
        second[np.cumsum(times) - times] = False
        first = np.repeat(which, times) & ~second
        starts, ends, between = (np.repeat(values, times) for values in (self.starts, self.ends, middle))
        return _Pieces(
            np.repeat(self.durations / times, times),
            np.where(second, between, starts),
            np.where(first, between, ends),
            np.repeat(self.ramps, times),
        )


class _Ramps:
    """Rates, currents and responses along the ramps of many trains; each different ramp has a number.

    Args:
        states: rates and currents as functions of the voltage.
        swing: largest voltage of all trains, V.
    """

    def __init__(self, states: DrivenStates, swing: float) -> None:
        self._states, self._swing = states, swing
        self._numbers: dict[tuple[float, ...], int] = {}
        self._voltages: list[FloatArray] = []  # (s,)
        self._durations: list[float] = []
        self._rates: list[FloatArray] = []  # (s, n, n)
        self._cut: set[int] = set()
        self._along: dict[int, tuple[FloatArray, FloatArray]] = {}  # responses (s, n, n), currents (s, n)

    @property
    def full(self) -> bool:
        """Whether the rates are more than memory should hold."""
        return sum(rates.size for rates in self._rates) > _MOST_HELD

    def numbers(self, pieces: _Pieces) -> list[int]:
        """Of the ramps among the pieces."""
        durations, starts, ends = (of[pieces.ramps] for of in (pieces.durations, pieces.starts, pieces.ends))
        mantissa, exponent = np.frexp(durations)
        alike = np.rint(np.array([mantissa, starts / self._swing, ends / self._swing]) / _ALIKE)
        keys = list(zip(*alike.tolist(), exponent.tolist(), strict=True))
        fresh = {key: place for place, key in enumerate(keys) if key not in self._numbers}
        if fresh:
            places = list(fresh.values())
            voltages = starts[places, None] + np.multiply.outer((ends - starts)[places], radau(NODES).nodes)
            rates = without_diagonal(self._states.rates(voltages.ravel()))
            self._numbers |= {key: len(self._rates) + k for k, key in enumerate(fresh)}
            self._voltages += list(voltages)
            self._durations += durations[places].tolist()
            self._rates += list(rates.reshape(-1, NODES, *rates.shape[1:]))
        return [self._numbers[key] for key in keys]

    def cut(self, numbers: list[int], coarse: NDArray[np.bool_]) -> None:
        """Those of the ramps that are coarse, shape (R,), are from now on."""
        self._cut.update(number for number, one in zip(numbers, coarse.tolist(), strict=True) if one)

    def are_cut(self, numbers: list[int]) -> NDArray[np.bool_]:
        """Which have been coarse, shape (R,)."""
        return np.array([number in self._cut for number in numbers], dtype=bool)

    def rates(self, numbers: list[int]) -> FloatArray:
        """At the nodes of ramps, shape (R, s, n, n)."""
        return np.array([self._rates[number] for number in numbers])

    def along(self, numbers: list[int]) -> tuple[FloatArray, FloatArray]:
        """What becomes of each state on ramps, as `panel_responses`, (R, s, n, n); currents of each, A, (R, s, n)."""
        fresh = sorted(set(numbers) - self._along.keys())
        if fresh:
            responses = panel_responses(self.rates(fresh), np.array([self._durations[number] for number in fresh]))
            voltages = np.array([self._voltages[number] for number in fresh])
            currents = self._states.state_currents(voltages.ravel()).reshape(*voltages.shape, -1)
            self._along |= dict(zip(fresh, zip(responses, currents, strict=True), strict=True))
        known = [self._along[number] for number in numbers]
        return np.array([responses for responses, _ in known]), np.array([currents for _, currents in known])


@dataclass(frozen=True, eq=False)
class _Rest:
    """Pieces where the voltage rests: durations in s, currents (R, n) in A; whole and mean evolution (R, n, n)."""

    durations: FloatArray
    currents: FloatArray
    steps: FloatArray
    means: FloatArray


def mean_currents(
    states: DrivenStates, trains: Sequence[tuple[FloatArray, FloatArray, FloatArray]], *, tail: float
) -> FloatArray:
    """Currents averaged over the periods of trains, in A, shape (T,).

    Args:
        states: rates and currents as functions of the voltage.
        trains: of each its pieces, linear in time: durations in s, shape (K,), and voltages at start and end; equal
            where the voltage rests.
        tail: see `stiff_drive.coarse_panels`.

    Raises:
        PhysicsError: the rates are none, the steady state is not unique, or ramps are too sharp.
    """
    swing = max((float(np.abs(voltages).max()) for _, *voltages in trains), default=0.0) or 1.0
    ramps, currents = _Ramps(states, swing), np.empty(len(trains))
    for number, (durations, starts, ends) in enumerate(trains):
        if ramps.full:
            ramps = _Ramps(states, swing)
        currents[number] = _mean_current(states, ramps, _Pieces(durations, starts, ends, starts != ends), tail)
    return currents


def _mean_current(states: DrivenStates, ramps: _Ramps, pieces: _Pieces, tail: float) -> float:
    resting = ~pieces.ramps
    held = checked_generators("states.rates", generator(states.rates(pieces.starts)))  # of ramps, too: to check them
    steps, means = held_steps(held[resting], pieces.durations[resting]) if resting.any() else (held[:0], held[:0])
    rest = _Rest(pieces.durations[resting], states.state_currents(pieces.starts[resting]), steps, means)
    count = held.shape[-1]
    while True:
        numbers = ramps.numbers(pieces)
        coarse = ramps.are_cut(numbers)
        if not coarse.any():
            flat = ramps.rates(numbers).reshape(1, -1, count * count)
            coarse = coarse_panels(flat, flat.max(axis=1, initial=0.0)[:, None], tail)
        if not coarse.any():
            responses, currents = ramps.along(numbers)
            at_nodes, at_starts = _around(pieces.ramps, responses.reshape(-1, NODES, count, count), rest.steps)
            coarse = coarse_panels(at_nodes[None], tail=tail)
            if not coarse.any():
                at_rest = np.einsum("kij,kj->ki", rest.means, at_starts[~pieces.ramps])
                return _mean(rest, at_rest, pieces.durations[pieces.ramps], currents.reshape(-1, count), at_nodes)
        ramps.cut(numbers, coarse)
        which = pieces.ramps.copy()
        which[pieces.ramps] = coarse
        pieces = pieces.halved(which)


def _around(ramps: NDArray[np.bool_], responses: FloatArray, steps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Occupations that return after a period: at the nodes of all ramps (R s, n), at the start of all pieces (K, n).

    Args:
        ramps: which pieces are ramps, shape (K,).
        responses: of those, shape (R, s, n, n).
        steps: of the others, shape (K - R, n, n).
    """
    count = responses.shape[-1]
    maps = np.empty((len(ramps), count, count))
    maps[~ramps], maps[ramps] = steps, responses[:, -1]
    occupation = cycle_start(np.maximum(maps, 0.0))
    at_starts, ones = np.empty((len(maps), count)), np.ones(count)
    for number, one in enumerate(maps):
        at_starts[number] = occupation
        occupation = one @ occupation
        occupation /= occupation @ ones
    at_nodes = np.einsum("rsij,rj->rsi", responses, at_starts[ramps])
    return at_nodes.reshape(-1, count), at_starts


def _mean(rest: _Rest, at_rest: FloatArray, durations: FloatArray, along: FloatArray, at_nodes: FloatArray) -> float:
    """Charge over the period; the current of the fullest state is summed apart from how the others differ from it.

    Args:
        rest: where the voltage rests.
        at_rest: occupations there, averaged over each piece, shape (K - R, n).
        durations: of the ramps, s, shape (R,).
        along: currents at their nodes, A, shape (R s, n).
        at_nodes: occupations there, shape (R s, n).
    """
    weights = np.concatenate([(durations[:, None] * radau(NODES).weights).ravel(), rest.durations])
    currents = np.concatenate([along, rest.currents])
    occupations = np.concatenate([at_nodes, at_rest])
    fullest = int(occupations.mean(axis=0).argmax())
    common = currents[:, [fullest]]
    differing = ((currents - common) * occupations).sum(axis=1)
    period = float(durations.sum() + rest.durations.sum())
    return (math.fsum(weights * common[:, 0]) + math.fsum(weights * differing)) / period
