"""The mean current of a train of pulses with ramps, however slow the slowest of its rates is (see `stiff_drive`).

Where the voltage rests the propagator is exact; ramps are cut into panels of time that are halved until rates and
occupations are smooth on each. Rest or ramp, a piece is a matrix of probabilities, and their product over the period
has the occupations at its start as steady state.
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
    from numpy.typing import NDArray

    from stmlab.arrays import FloatArray
    from stmlab.physics.driven import DrivenStates


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


def mean_current(
    states: DrivenStates, durations: FloatArray, starts: FloatArray, ends: FloatArray, *, tail: float
) -> float:
    """Current averaged over a period of pieces that are linear in time, in A.

    Args:
        states: rates and currents as functions of the voltage.
        durations: shape (K,), in s.
        starts: shape (K,), voltage at the start of each piece.
        ends: shape (K,), voltage at its end; equal to that at its start where the voltage rests.
        tail: see `stiff_drive.coarse_panels`.

    Raises:
        PhysicsError: the rates are none, the steady state is not unique, or ramps are too sharp.
    """
    pieces = _Pieces(durations, starts, ends, starts != ends)
    resting = ~pieces.ramps
    held = checked_generators("states.rates", generator(states.rates(starts)))  # of ramps, too: for the check alone
    steps, means = held_steps(held[resting], durations[resting]) if resting.any() else (held[:0], held[:0])
    while True:
        slopes = (pieces.ends - pieces.starts)[pieces.ramps]
        voltages = pieces.starts[pieces.ramps, None] + np.multiply.outer(slopes, radau(NODES).nodes)
        rates = without_diagonal(states.rates(voltages.ravel())) if slopes.size else held[:0]
        flat = rates.reshape(1, len(rates), held[0].size)
        coarse = coarse_panels(flat, flat.max(axis=1, initial=0.0)[:, None], tail)
        if not coarse.any():
            at_nodes, at_starts = _around(pieces, rates, steps)
            coarse = coarse_panels(at_nodes[None], tail=tail)
            if not coarse.any():
                resting_occupations = np.einsum("kij,kj->ki", means, at_starts[~pieces.ramps])
                return _mean(states, pieces, voltages, at_nodes, resting_occupations)
        which = pieces.ramps.copy()
        which[pieces.ramps] = coarse
        pieces = pieces.halved(which)


def _around(pieces: _Pieces, rates: FloatArray, steps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Occupations that return after a period: at the nodes of all ramps (R s, n), at the start of all pieces (K, n)."""
    count = rates.shape[-1]
    maps = np.empty((len(pieces.durations), count, count))
    maps[~pieces.ramps] = steps
    responses = panel_responses(rates.reshape(-1, NODES, count, count), pieces.durations[pieces.ramps])
    maps[pieces.ramps] = responses[:, -1]
    occupation = cycle_start(np.maximum(maps, 0.0))
    at_starts = np.empty((len(maps), count))
    for number, one in enumerate(maps):
        at_starts[number] = occupation
        occupation = one @ occupation
        occupation = occupation / occupation.sum()
    at_nodes = np.einsum("rsij,rj->rsi", responses, at_starts[pieces.ramps])
    return at_nodes.reshape(-1, count), at_starts


def _mean(
    states: DrivenStates, pieces: _Pieces, voltages: FloatArray, at_nodes: FloatArray, resting: FloatArray
) -> float:
    """Charge over the period; the current of the fullest state is summed apart from how the others differ from it."""
    still = ~pieces.ramps
    along = (pieces.durations[pieces.ramps, None] * radau(NODES).weights).ravel()
    weights = np.concatenate([along, pieces.durations[still]])
    currents = states.state_currents(np.concatenate([voltages.ravel(), pieces.starts[still]]))
    occupations = np.concatenate([at_nodes, resting])
    fullest = int(occupations.mean(axis=0).argmax())
    common = currents[:, [fullest]]
    differing = ((currents - common) * occupations).sum(axis=1)
    return (math.fsum(weights * common[:, 0]) + math.fsum(weights * differing)) / float(pieces.durations.sum())
