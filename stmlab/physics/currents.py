"""Rates, occupations and currents of many junctions on one bias axis, and their derivatives by the bias.

The junctions are a first axis of every array: a fit needs spectra at many conductances, and each of them once more for
every parameter that is varied (see `stmlab.physics.transport` for the equations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.physics.arguments import refuse
from stmlab.physics.junction import Occupation
from stmlab.physics.occupation import RateEquation, drift, thermal_occupation
from stmlab.physics.tunnelling import Tunnelling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stmlab.arrays import FloatArray
    from stmlab.physics.junction import Junction

_CHUNK = 4_000_000
"""Numbers in the largest array of one pass over the bias axis, for the memory's sake ..."""
_CACHED = 40_000
"""... and for the speed: arrays of 320 kB share a processor's cache, and smaller ones cost more calls ..."""
_CACHED_THIRD_ORDER = 60_000
"""... which counts less where more is computed with each."""
_SHORTEST_PART = 64
_LARGEST_NEGATIVE_RATE = 5e-3
"""Third order lacks the square of its own amplitude; a rate below minus this part of the largest shows that it
counts."""
_LARGEST_NEGATIVE = 1e-6
"""A steady occupation below minus this shows that third order has left the range of perturbation theory."""


class Currents:
    """B junctions on one bias axis.

    Args:
        junctions: of the same spins (whose Hamiltonians may differ) and options, alike but for numbers.

    Raises:
        PhysicsError: they are not alike; on evaluation with steady states, where these are not unique, or where third
            order makes a rate or an occupation negative.
    """

    def __init__(self, junctions: Sequence[Junction]) -> None:
        kind = _kind(junctions[0])
        for one in junctions:
            if _kind(one) != kind:
                raise refuse("junctions", one, "junctions of the same spins and options are needed")
        self._junctions, self._first = junctions, junctions[0]
        self._states = self._first.system.dimension
        self._conductances = np.array([one.conductance_S for one in junctions])[:, None, None, None]
        self._tunnelling = Tunnelling(junctions)
        self._last: tuple[tuple[int, bytes], tuple[FloatArray, FloatArray]] | None = None

    def derivative(self, bias_meV: FloatArray, order: int) -> FloatArray:
        """d^order I / d(eV)^order in S meV / meV^order, shape (B, V)."""
        found, room = self.derivative_and_room(bias_meV, order)
        self._check_room(slice(None), room)
        return found

    def derivative_and_room(self, bias_meV: FloatArray, order: int) -> tuple[FloatArray, FloatArray]:
        """The same, also of junctions some of whose rates third order makes too negative, and how far they are from it.

        Returns:
            Shape (B, V); and, shape (B,), 1 where no rate is negative, 0 where one is as negative as is allowed.
        """
        found, room = np.empty((len(self._junctions), len(bias_meV))), np.ones(len(self._junctions))
        for cases, points in self._parts(len(bias_meV)):
            found[cases, points], here = self._part_derivative(cases, bias_meV[points], order)
            room[cases] = np.minimum(room[cases], here)
        return found, room

    def occupations(self, bias_meV: FloatArray) -> FloatArray:
        """Occupation of each state, shape (B, V, n)."""
        found = np.empty((len(self._junctions), len(bias_meV), self._states))
        for cases, points in self._parts(len(bias_meV)):
            rates, _, room = self._rates(cases, bias_meV[points], 0)
            self._check_room(cases, room)
            found[cases, points] = self._occupied(cases, rates)[0].transpose(1, 2, 0)
        return found

    def rates(self, bias_meV: FloatArray) -> FloatArray:
        """Rates in S meV, shape (B, V, n, n), [f, i] from i to f; the diagonal means nothing."""
        found = np.empty((len(self._junctions), len(bias_meV), self._states, self._states))
        for cases, points in self._parts(len(bias_meV)):
            rates, _ = self._of_part(cases, bias_meV[points])
            found[cases, points] = rates.transpose(0, 3, 1, 2)
        return found

    def state_currents(self, bias_meV: FloatArray) -> FloatArray:
        """Current in S meV that flows while the system is in each state, shape (B, V, n)."""
        found = np.empty((len(self._junctions), len(bias_meV), self._states))
        for cases, points in self._parts(len(bias_meV)):
            _, currents = self._of_part(cases, bias_meV[points])
            found[cases, points] = currents.swapaxes(1, 2)
        return found

    def _of_part(self, cases: slice, bias_meV: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rates and state currents; the last are kept, for both are mostly asked for at the same biases."""
        key = cases.start, bias_meV.tobytes()
        if self._last is None or self._last[0] != key:
            rates, currents, room = self._rates(cases, bias_meV, 0)
            self._check_room(cases, room)
            self._last = key, (rates[0], currents[0])
        return self._last[1]

    def _parts(self, points: int) -> Iterator[tuple[slice, slice]]:
        """Junctions and biases whose arrays fit into cache or memory: whole axes of several, or one in parts."""
        transitions = self._states**2
        cached = _CACHED if self._first.order == 2 else _CACHED_THIRD_ORDER
        most = min(max(1, _CHUNK // transitions), max(_SHORTEST_PART, cached // transitions))
        together = max(1, most // max(1, points))
        for first in range(0, len(self._junctions), together):
            for start in range(0, max(1, points), most):
                yield slice(first, first + together), slice(start, start + most)

    def _rates(
        self, cases: slice, bias_meV: FloatArray, highest: int
    ) -> tuple[list[FloatArray], list[FloatArray], FloatArray]:
        """Rates (b, n, n, V) and state currents (b, n, V) in S meV, their derivatives by eV; and the room (b,)."""
        rates, currents = [], []
        conductances = self._conductances[cases]
        for there, back in self._tunnelling.channels(cases, bias_meV, highest):
            currents.append(conductances[..., 0] * (there.sum(axis=1) - back.sum(axis=1)))
            there += back
            there *= conductances
            rates.append(there)
        room = _room(rates[0]) if self._first.order == 3 else np.ones(len(rates[0]))
        rates[0] += self._tunnelling.bath_rates[cases, ..., None]
        return rates, currents, room

    def _occupied(self, cases: slice, rates: list[FloatArray]) -> list[FloatArray]:
        """Occupations (n, b, V) and their derivatives by eV; works in the memory of the rates."""
        if self._first.occupation is Occupation.THERMAL:
            thermal = np.array([_thermal(one) for one in self._junctions[cases]]).T
            steady = np.repeat(thermal[..., None], rates[0].shape[-1], axis=-1)
            return [steady, *(np.zeros_like(steady) for _ in rates[1:])]
        self._tunnelling.check_connected()
        at, *slopes = (rate.transpose(1, 2, 0, 3) for rate in rates)
        equation = RateEquation(at, overwrite=True)
        occupations = [equation.steady()]
        self._check_occupations(cases, occupations[0])
        if slopes:
            occupations.append(equation.response(-drift(slopes[0], occupations[0]), occupations[0]))
        if len(slopes) > 1:
            source = -2 * drift(slopes[0], occupations[1]) - drift(slopes[1], occupations[0])
            occupations.append(equation.response(source, occupations[0]))
        return occupations

    def _part_derivative(self, cases: slice, bias_meV: FloatArray, order: int) -> tuple[FloatArray, FloatArray]:
        rates, currents, room = self._rates(cases, bias_meV, order)
        occupations = self._occupied(cases, rates)
        binomial = ((1,), (1, 1), (1, 2, 1))[order]
        total = np.zeros((len(currents[0]), len(bias_meV)))
        for number, factor in enumerate(binomial):
            total += factor * (occupations[number].swapaxes(0, 1) * currents[order - number]).sum(axis=1)
        return total, room

    def _check_room(self, cases: slice, room: FloatArray) -> None:
        if room.min() < 0.0:
            worst = (1.0 - float(room.min())) * _LARGEST_NEGATIVE_RATE
            allowed = (
                f"third order makes a rate negative, {worst:.2g} of the largest: that is outside perturbation theory; "
                "a smaller |coupling| or a higher temperature is needed"
            )
            raise refuse("coupling", self._junctions[cases][int(room.argmin())].coupling, allowed)

    def _check_occupations(self, cases: slice, occupations: FloatArray) -> None:
        lowest = occupations.min(axis=(0, 2), initial=0.0)
        if not lowest.min() > -_LARGEST_NEGATIVE:
            allowed = "third order makes an occupation negative: a smaller |coupling| or thermal occupation is needed"
            raise refuse("coupling", self._junctions[cases][int(lowest.argmin())].coupling, allowed)


def _room(rates: FloatArray) -> FloatArray:
    """How far the most negative rate of each junction, of (b, n, n, V), is from what is allowed: 1 at 0, 0 there."""
    lowest, highest = (extreme(axis=(1, 2, 3), initial=0.0) for extreme in (rates.min, rates.max))
    share = -lowest / np.maximum(np.maximum(highest, -lowest), np.finfo(float).tiny)
    room: FloatArray = 1.0 - share / _LARGEST_NEGATIVE_RATE
    return room


def _kind(junction: Junction) -> tuple[Any, ...]:
    """All but the numbers."""
    return (
        junction.system.multiplicities,
        junction.system.quantisation_axis,
        junction.coupled_spin,
        junction.tip.spin,
        junction.sample.spin,
        tuple(bath.spin for bath in junction.baths or ()),
        junction.polarising_state,
        junction.occupation,
        junction.order,
        junction.bandwidth_meV,
        junction.broadening_meV,
        junction.pole,
    )


def _thermal(junction: Junction) -> FloatArray:
    return thermal_occupation(junction.system.eigensystem.energies_meV, junction.temperature_K)
