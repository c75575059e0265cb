"""Rates of the electrons that tunnel through the spins, before anything is said about how the spins are occupied.

Of many junctions at once: what differs between them is a first axis of every array. Junctions of the same spins, at the
same temperature and with the same potential scattering, share the functions of the energy and the interaction.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import refuse
from stmlab.physics.baths import polarisations
from stmlab.physics.broadening import windows
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.junction import PolarisingState
from stmlab.physics.logarithm import BroadenedLogarithm
from stmlab.physics.occupation import groups
from stmlab.physics.scattering import density, strengths, vertices
from stmlab.physics.spins import diagonalised
from stmlab.physics.third_order import NEAR, TERMS, Direction, Pole, ThirdOrder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.physics.junction import Junction

_LARGEST_THIRD_ORDER = 200
"""States beyond which third order, a sum over initial, final and intermediate states, is refused."""


class Tunnelling:
    """Strengths and rates of B junctions, all that does not depend on the bias computed once.

    Args:
        junctions: alike but for numbers, see `stmlab.physics.currents`.
    """

    def __init__(self, junctions: Sequence[Junction]) -> None:
        self._junctions, self._kind = junctions, junctions[0]
        every = [(id(one.system), one.temperature_K, one.potential_scattering) for one in junctions]
        distinct = dict(zip(every, junctions, strict=True))
        number = {key: place for place, key in enumerate(distinct)}
        self._owner: IntArray = np.array([number[key] for key in every])
        self._kT = K_B_MEV_PER_K * np.array([one.temperature_K for one in distinct.values()])
        self._levels = diagonalised([one.system for one in distinct.values()])
        self._differences, self._index, self._firsts = self._levels.differences()
        potential = np.array([one.potential_scattering for one in distinct.values()])
        self._vertex = vertices(self._levels.spin_elements(self._kind.coupled_spin), potential)
        self._to_sample, self._to_tip = self._directions()
        vertex = self._vertex[:, self._owner]
        self._w21 = strengths(vertex, self._to_sample.tip, self._to_sample.sample)
        self._w12 = strengths(vertex, self._to_tip.sample, self._to_tip.tip)
        self._third = self._third_order() if self._kind.order == 3 else None

    def channels(self, cases: slice, bias_meV: FloatArray, highest: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        """K21 and K12 in meV of some junctions, then their derivatives by eV up to ``highest`` (at most 2).

        Args:
            cases: of the B junctions, b of them.
            bias_meV: shape (V,).
            highest: derivative.

        Returns:
            Each of shape (b, n, n, V).
        """
        owners, place = np.unique(self._owner[cases], return_inverse=True)
        kT, differences = self._kT[owners, None, None], self._differences[owners, :, None]
        at_x, at_minus_x = windows((differences - bias_meV) / kT, highest)
        # Seen from the sample the bias is -eV: zeta(D + eV) = zeta(-x) at the opposite difference.
        there_zeta = [window[place[:, None, None], self._index] for window in at_x]
        back_zeta = [window[place[:, None, None], self._index.T] for window in at_minus_x]
        kT = kT[place][..., None]
        if self._third is None:
            for order, (there, back) in enumerate(zip(there_zeta, back_zeta, strict=True)):
                there *= kT * (-1 / kT) ** order * self._w21[cases, ..., None]
                back *= kT * (1 / kT) ** order * self._w12[cases, ..., None]
                yield there, back
            return
        tables = self._logarithms(owners, bias_meV - differences, -1, max(highest - 1, -1))
        strengths21, strengths12 = self._strengths(cases, place, bias_meV, tables)
        for order in range(highest + 1):
            yield (
                _product(there_zeta, strengths21, kT, order),
                (-1) ** order * _product(back_zeta, strengths12, kT, order),
            )

    @cached_property
    def bath_rates(self) -> FloatArray:
        """Rates of all baths together in S meV, shape (B, n, n)."""
        thermal = windows(self._differences / self._kT[:, None])[0][0][:, self._index] * self._kT[:, None, None]
        return self._bath_strengths * thermal[self._owner]

    @cached_property
    def _bath_strengths(self) -> FloatArray:
        total = np.zeros(self._w21.shape)
        for baths in zip(*(one.baths or () for one in self._junctions), strict=True):
            elements = self._levels.spin_elements(baths[0].spin)
            vertex = vertices(elements, np.zeros(len(self._kT)))[:, self._owner]
            spins = density(np.array([bath.polarisation for bath in baths]))[..., None, None]
            conductances = np.array([bath.conductance_S for bath in baths])
            total += conductances[:, None, None] * strengths(vertex, spins, spins)
        return total

    def check_connected(self) -> None:
        """Raises PhysicsError unless scattering leads from every state to every other."""
        if self._groups > 1:
            allowed = (
                f"the states fall into {self._groups} groups that no scattering connects, so that the steady state is "
                "not unique; a bath of more than 0 S on each spin (or thermal occupation) is needed"
            )
            raise refuse("baths", self._kind.baths, allowed)

    @cached_property
    def _groups(self) -> int:
        return int(groups((self._w21 > 0) | (self._w12 > 0) | (self._bath_strengths > 0)).max())

    def _directions(self) -> tuple[Direction, Direction]:
        """How tip and sample are polarised for each transition [f, i], from tip to sample and back."""
        system = self._levels.take(self._owner)
        tip = polarisations("tip", [one.tip for one in self._junctions], system)
        sample = polarisations("sample", [one.sample for one in self._junctions], system)
        which = self._kind.polarising_state
        return (
            Direction(True, _seen(tip, which, leaves=True), _seen(sample, which, leaves=False)),
            Direction(False, _seen(tip, which, leaves=False), _seen(sample, which, leaves=True)),
        )

    # -- third order ---------------------------------------------------------------------------------------------------

    def _third_order(self) -> tuple[tuple[ThirdOrder, FloatArray], tuple[ThirdOrder, FloatArray]]:
        """Both directions, each with its strength and derivatives at threshold, shape (TERMS + 1, B, n, n)."""
        if (states := self._kind.system.dimension) > _LARGEST_THIRD_ORDER:
            allowed = f"third order is computed for at most {_LARGEST_THIRD_ORDER} states"
            raise refuse("order", f"3 with {states} states", allowed)
        exact = self._kind.pole is Pole.EXACT
        # Threshold less pole is e_f - e_m in the direct diagram, and e_m - e_i in the exact exchanged one.
        every = np.arange(len(self._kT))
        between = np.array(self._logarithms(every, self._differences, -1, TERMS - 1))[:, self._owner]
        direct = between[:, :, self._index[:, None, self._firsts]]
        if exact:
            exchanged = between[:, :, self._index[self._firsts].T[None]]
        else:
            distance = self._differences[:, self._index]
            apart = distance[..., None] + distance[:, self._firsts].swapaxes(-1, -2)[:, None]
            exchanged = np.array(self._logarithms(every, apart, -1, TERMS - 1))[:, self._owner]
        found = (
            ThirdOrder(self._vertex, self._owner, self._scattering(way), self._firsts, exact)
            for way in (self._to_sample, self._to_tip)
        )
        there, back = ((one, one.at_threshold(direct, exchanged)) for one in found)
        return there, back

    def _scattering(self, way: Direction) -> list[tuple[Direction, FloatArray]]:
        """Of one direction of tunnelling: scattering in the sample and in the tip, with J rho of each."""
        sample, tip = (np.array([getattr(one, c) for one in self._junctions]) for c in ("coupling", "tip_coupling"))
        return [(way, sample), (way.mirrored, tip)] if tip.any() else [(way, sample)]

    def _logarithms(self, owners: IntArray, y: FloatArray, lowest: int, highest: int) -> list[FloatArray]:
        """Derivatives of L at y of shape (len(owners), ...), each row at its own temperature."""
        values = [np.empty(y.shape) for _ in range(lowest, highest + 1)]
        for kT in np.unique(self._kT[owners]):
            rows = self._kT[owners] == kT
            logarithm = BroadenedLogarithm(float(kT), self._kind.bandwidth_meV, self._kind.broadening_meV)
            for value, found in zip(values, logarithm.orders(y[rows], lowest, highest), strict=True):
                value[rows] = found
        return values

    def _strengths(
        self, cases: slice, place: IntArray, bias_meV: FloatArray, tables: list[FloatArray]
    ) -> tuple[list[FloatArray], list[FloatArray]]:
        """W of second and third order in both directions, with its derivatives; each (b, n, n, V)."""
        assert self._third is not None
        (third21, at21), (third12, at12) = self._third
        owner, near = self._owner[cases], NEAR * self._kT[self._owner[cases], None, None, None]
        threshold = self._differences[owner[:, None, None], self._index][..., None]
        # Poles: e_m - e_i of the direct diagram, as [i, m]; e_f - e_m of the exchanged one, as [f, m], or Ternes'
        # e_i - e_m, as [i, m].
        direct, exchanged = self._index[self._firsts].T, self._index[:, self._firsts]
        place = place[:, None, None]
        ahead = [(table[place, direct], table[place, exchanged]) for table in tables]
        # L is even: -eV needs no table of its own.
        odd = [(-1) ** (order - 1) * table for order, table in enumerate(tables)]
        behind = [(table[place, exchanged], table[place, direct]) for table in odd]
        to_sample = third21.means(cases, threshold - bias_meV, near, ahead, at21[:, cases])
        to_tip = third12.means(cases, threshold + bias_meV, near, behind, at12[:, cases])
        to_sample[0] += self._w21[cases, ..., None]
        to_tip[0] += self._w12[cases, ..., None]
        return to_sample, to_tip


def _seen(polarisations: FloatArray, which: PolarisingState, *, leaves: bool) -> FloatArray:
    """(1, P) of an electrode for each [f, i] from P of each state, (B, n, 3).

    ``leaves``: the electron comes from it.
    """
    if (polarisations == polarisations[:, :1]).all():
        return density(polarisations[:, :1, None])
    final, initial = polarisations[:, :, None], polarisations[:, None]
    zero = np.zeros((*final.shape[:2], final.shape[1], 1))
    if which is PolarisingState.AVERAGE:
        return density((final + initial) / 2)
    if which is PolarisingState.INITIAL or leaves:
        return density(initial + zero)
    return density(final + zero)


def _product(zeta: list[FloatArray], strength: list[FloatArray], kT: FloatArray, order: int) -> FloatArray:
    """Derivative ``order`` by u of kT zeta(x) W, from those of zeta by x = (D - u)/kT and those of W by u."""
    if order == 0:
        return kT * zeta[0] * strength[0]
    if order == 1:
        return kT * zeta[0] * strength[1] - zeta[1] * strength[0]
    return kT * zeta[0] * strength[2] - 2 * zeta[1] * strength[1] + zeta[2] / kT * strength[0]
