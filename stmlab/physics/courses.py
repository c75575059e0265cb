"""What states and current do in the course of a period: of a drive, or of a train of pulses, in the steady state.

Where the voltage rests, the evolution from one time that is asked for to the next is exact. Elsewhere the states are
polynomials on panels of time (`stmlab.physics.radau`), which are halved until the answer does not change. Close levels
have their density matrix (`stmlab.physics.coherent_drive`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import finite, not_negative, positive, real_array
from stmlab.physics.coherent_drive import around, coherent_drive, held
from stmlab.physics.occupation import generator
from stmlab.physics.radau import radau
from stmlab.physics.rate_equations import checked_generators, cycle_start, held_steps, probabilities
from stmlab.physics.stiff_drive import NODES, panel_responses, without_diagonal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stmlab.arrays import FloatArray
    from stmlab.physics.coherent_drive import CoherentDrive
    from stmlab.physics.driven import DrivenStates
    from stmlab.physics.pulses import PulseTrain

    Voltage = Callable[[FloatArray], FloatArray]
    Pieces = Sequence[tuple[float, float, bool]]

_PANELS = (8, 16, 32, 64, 128, 256)
"""Of a piece of the period in which the voltage moves, in turn."""
_TOLERANCE = 1e-7
"""Change of a state from one number of panels to the next that ends it."""
_ROUNDING = 1e-12  # of the period; shorter steps are none


@dataclass(frozen=True, eq=False)
class Course:
    """At T times of a period.

    Attributes:
        voltages_V: shape (T,).
        occupations: shape (T, n).
        currents_A: shape (T,).
    """

    voltages_V: FloatArray
    occupations: FloatArray
    currents_A: FloatArray


def drive_course(
    states: DrivenStates, times_s: FloatArray, *, frequency_Hz: float, offset_V: float, amplitude_V: float
) -> Course:
    """Under V(t) = offset + amplitude cos(2 pi f t).

    Args:
        states: rates and currents as functions of the voltage.
        times_s: shape (T,), in any order; after a period all repeats.
        frequency_Hz: f, above 0.
        offset_V: of the drive.
        amplitude_V: of the drive, 0 or more.

    Raises:
        PhysicsError: an argument is out of its range, the rates are none, the steady state is not unique, or the drive
            is too sharp.
    """
    period = 1.0 / positive("frequency_Hz", frequency_Hz, "Hz")
    offset, amplitude = finite("offset_V", offset_V, "V"), not_negative("amplitude_V", amplitude_V, "V")

    def voltage(times: FloatArray) -> FloatArray:
        return offset + amplitude * np.cos(2.0 * np.pi * times / period)

    return _course(states, voltage, [(0.0, period, True)], real_array("times_s", times_s, unit="s"))


def pulse_course(states: DrivenStates, train: PulseTrain, times_s: FloatArray) -> Course:
    """Under a train of pulses; arguments as `drive_course`.

    Raises:
        PhysicsError: as `drive_course`.
    """
    durations, starts, ends = train.pieces()
    swing = abs(train.base_V) + sum(abs(pulse.amplitude_V) for pulse in train.pulses)
    moves = np.abs(ends - starts) > _ROUNDING * swing
    edges = np.concatenate([[0.0], np.cumsum(durations)])
    pieces = list(zip(edges[:-1].tolist(), edges[1:].tolist(), moves.tolist(), strict=True))
    return _course(states, train.at, pieces, real_array("times_s", times_s, unit="s"))


def _course(states: DrivenStates, voltage: Voltage, pieces: Pieces, times: FloatArray) -> Course:
    """At times, of a period in pieces in which the voltage moves or rests."""
    period = pieces[-1][1]
    within = np.mod(times, period)
    within[within >= period] = 0.0  # what is below 0 by rounding only
    asked, place = np.unique(within, return_inverse=True)
    edges = [(start + _ROUNDING * period, end - _ROUNDING * period) for start, end, _ in pieces]
    passed = np.concatenate([voltage(np.linspace(0.0, period, 257)), voltage(np.ravel(edges)), voltage(asked)])
    coherent = coherent_drive(states, passed)
    evolution: _Evolution = _Rates(states) if coherent is None else _Density(coherent)
    before = None
    for panels in _PANELS:
        found = _states(evolution, voltage, pieces, asked, panels)
        if before is not None and np.abs(found - before).max(initial=0.0) <= _TOLERANCE:
            return evolution.course(voltage(times), found[place.ravel()])
        before = found
    raise PhysicsError(
        f"drive: {_PANELS[-1]} panels of time do not resolve how the states change where the voltage moves"
    )


def _states(evolution: _Evolution, voltage: Voltage, pieces: Pieces, asked: FloatArray, panels: int) -> FloatArray:
    """States at the times that are asked for, in rising order, shape (T, m)."""
    steps = [_piece(evolution, voltage, piece, asked, panels) for piece in pieces]
    state = evolution.start(np.concatenate([maps for maps, _, _ in steps]))
    found = np.full((asked.size, state.size), np.nan)
    for maps, numbers, answers in steps:
        for map_, own, answer in zip(maps, numbers, answers, strict=True):
            found[own] = answer @ state
            state = map_ @ state
            state /= evolution.weights @ state
    return found


def _piece(
    evolution: _Evolution, voltage: Voltage, piece: tuple[float, float, bool], asked: FloatArray, panels: int
) -> tuple[FloatArray, list[FloatArray], list[FloatArray]]:
    """Of each step of a piece what it makes of the state at its beginning: at its end, and at the times within it.

    Returns:
        Shape (S, m, m); numbers of the times in each step; the matrices there, (k, m, m) of each.
    """
    start, end, moves = piece
    inside = np.flatnonzero((asked >= start) & (asked < end))
    if not moves:
        cuts = np.concatenate([[start], asked[inside][asked[inside] > start], [end]])
        middle = np.full(cuts.size - 1, (start + end) / 2)
        maps = evolution.held(voltage(middle), np.diff(cuts))
        own = [inside[asked[inside] == cut] for cut in cuts[:-1]]  # at the beginning of a step
        unit = np.eye(maps.shape[-1])[None]
        return maps, own, [np.repeat(unit, numbers.size, axis=0) for numbers in own]
    edges = np.linspace(start, end, panels + 1)
    nodes = edges[:-1, None] + np.diff(edges)[:, None] * radau(NODES).nodes
    responses = evolution.moved(voltage(nodes.ravel()).reshape(nodes.shape), np.diff(edges))
    which = np.minimum(np.searchsorted(edges, asked[inside], side="right") - 1, panels - 1)
    own = [inside[which == panel] for panel in range(panels)]
    answers = [
        _between((asked[numbers] - edges[panel]) / (edges[panel + 1] - edges[panel]), responses[panel])
        for panel, numbers in enumerate(own)
    ]
    return responses[:, -1], own, answers


def _between(fractions: FloatArray, responses: FloatArray) -> FloatArray:
    """What a panel makes of the state at its beginning, at fractions of it, from what it does at its nodes."""
    places = np.concatenate([[0.0], radau(NODES).nodes])
    values = np.concatenate([np.eye(responses.shape[-1])[None], responses])
    apart = places[:, None] - places
    np.fill_diagonal(apart, 1.0)
    shares = fractions[:, None] - places
    products = np.array([np.delete(shares, k, axis=1).prod(axis=1) for k in range(len(places))]).T
    found: FloatArray = np.tensordot(products / apart.prod(axis=1), values, axes=1)
    return found


class _Evolution(Protocol):
    """How the states evolve, in m numbers."""

    weights: FloatArray

    def held(self, voltages: FloatArray, durations: FloatArray) -> FloatArray:
        """Maps over steps in which the voltage is held, shape (S, m, m)."""
        ...

    def moved(self, voltages: FloatArray, durations: FloatArray) -> FloatArray:
        """Maps from the beginning of panels to each of their nodes, shape (P, s, m, m), of voltages (P, s) there."""
        ...

    def start(self, maps: FloatArray) -> FloatArray:
        """The state at the beginning of an endless cycle, shape (m,)."""
        ...

    def course(self, voltages: FloatArray, states: FloatArray) -> Course:
        """What states of shape (T, m) stand for at voltages of shape (T,)."""
        ...


class _Rates:
    """By the rate equation."""

    def __init__(self, states: DrivenStates) -> None:
        self._states = states
        self.weights = np.ones(states.rates(np.zeros(1)).shape[-1])

    def held(self, voltages: FloatArray, durations: FloatArray) -> FloatArray:
        """See _Evolution."""
        generators = checked_generators("states.rates", generator(self._states.rates(voltages)))
        return held_steps(generators, durations)[0]

    def moved(self, voltages: FloatArray, durations: FloatArray) -> FloatArray:
        """See _Evolution."""
        rates = without_diagonal(self._states.rates(voltages.ravel()))
        return panel_responses(rates.reshape(*voltages.shape, *rates.shape[1:]), durations)

    def start(self, maps: FloatArray) -> FloatArray:
        """See _Evolution."""
        return cycle_start(probabilities(np.maximum(maps, 0.0)))

    def course(self, voltages: FloatArray, states: FloatArray) -> Course:
        """See _Evolution."""
        return Course(voltages, states, (self._states.state_currents(voltages) * states).sum(axis=1))


class _Density:
    """By the density matrix."""

    def __init__(self, drive: CoherentDrive) -> None:
        self._drive, self.weights = drive, drive.weights

    def held(self, voltages: FloatArray, durations: FloatArray) -> FloatArray:
        """See _Evolution."""
        return held(self._drive.at(voltages)[0], durations)[0]

    def moved(self, voltages: FloatArray, durations: FloatArray) -> FloatArray:
        """See _Evolution: dx/dt = L x at every node of a panel, where x is a polynomial."""
        rule, size = radau(NODES), len(self.weights)
        generators = self._drive.at(voltages.ravel())[0].reshape(*voltages.shape, size, size)
        source = np.kron(-rule.start[:, None], np.eye(size))
        found = []
        for along, duration in zip(generators, durations.tolist(), strict=True):
            system = np.kron(rule.derivative, np.eye(size))
            for node in range(NODES):
                own = slice(node * size, (node + 1) * size)
                system[own, own] -= duration * along[node]
            scale = 1.0 / np.abs(system).max(axis=1, keepdims=True)
            found.append(np.linalg.solve(system * scale, source * scale).reshape(NODES, size, size))
        return np.array(found)

    def start(self, maps: FloatArray) -> FloatArray:
        """See _Evolution."""
        return around(maps, self.weights)

    def course(self, voltages: FloatArray, states: FloatArray) -> Course:
        """See _Evolution."""
        currents = (self._drive.at(voltages)[1] * states).sum(axis=1)
        return Course(voltages, np.asarray(self._drive.occupations(states)), currents)
