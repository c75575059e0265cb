"""Rates of the electrons that tunnel through the spins, before anything is said about how the spins are occupied."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import refuse
from stmlab.physics.broadening import windows
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.junction import PolarisingState
from stmlab.physics.logarithm import BroadenedLogarithm
from stmlab.physics.occupation import groups
from stmlab.physics.scattering import density, strengths, vertices
from stmlab.physics.third_order import Direction, ThirdOrder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.arrays import FloatArray
    from stmlab.physics.junction import Junction

_LARGEST_THIRD_ORDER = 200
"""States beyond which third order, a sum over initial, final and intermediate states, is refused."""


class Tunnelling:
    """Strengths and rates of a junction, all that does not depend on the bias computed once.

    Args:
        junction: what to compute.
    """

    def __init__(self, junction: Junction) -> None:
        self._junction = junction
        self._kT = K_B_MEV_PER_K * junction.temperature_K
        eigensystem = junction.system.eigensystem
        self._vertex = vertices(eigensystem.spin_elements(junction.coupled_spin), junction.potential_scattering)
        self._to_sample, self._to_tip = self._directions()
        self._w21 = strengths(self._vertex, self._to_sample.tip, self._to_sample.sample)
        self._w12 = strengths(self._vertex, self._to_tip.sample, self._to_tip.tip)
        self._differences, self._index = eigensystem.differences()
        self._mirrored = np.ascontiguousarray(self._index.T)
        self._third = self._third_order() if junction.order == 3 else None

    def channels(self, bias_meV: FloatArray, highest: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        """K21 and K12 in meV, then their derivatives by eV up to ``highest`` (at most 2), each of shape (n, n, V)."""
        at_x, at_minus_x = windows((self._differences[:, None] - bias_meV) / self._kT, highest)
        # Seen from the sample the bias is -eV: zeta(D + eV) = zeta(-x) at the opposite difference.
        if self._third is None:
            for order, (plus, minus) in enumerate(zip(at_x, at_minus_x, strict=True)):
                there, back = plus[self._index], minus[self._mirrored]
                there *= (self._kT * (-1 / self._kT) ** order * self._w21)[..., None]
                back *= (self._kT * (1 / self._kT) ** order * self._w12)[..., None]
                yield there, back
            return
        logarithm, (third21, third12) = self._third
        tables = logarithm.orders(bias_meV - self._differences[:, None], -1, max(highest - 1, -1))
        to_sample = third21.means(bias_meV, tables, self._index, self._kT, highest)
        to_tip = third12.means(bias_meV, tables, self._index, self._kT, highest)
        to_sample[0] += self._w21[..., None]
        to_tip[0] += self._w12[..., None]
        there_zeta = [window[self._index] for window in at_x]
        back_zeta = [window[self._mirrored] for window in at_minus_x]
        for order in range(highest + 1):
            there, back = (_product(*pair, self._kT, order) for pair in ((there_zeta, to_sample), (back_zeta, to_tip)))
            yield there, back if order % 2 == 0 else -back

    @cached_property
    def bath_rates(self) -> FloatArray:
        """Rates of all baths together in S meV, shape (n, n)."""
        thermal = windows(self._differences / self._kT)[0][0][self._index] * self._kT
        return self._bath_strengths * thermal

    @cached_property
    def _bath_strengths(self) -> FloatArray:
        system = self._junction.system
        total = np.zeros(self._w21.shape)
        for bath in self._junction.baths or ():
            vertex = vertices(system.eigensystem.spin_elements(bath.spin), 0.0)
            spins = density(np.array(bath.polarisation))[:, None, None]
            total += bath.conductance_S * strengths(vertex, spins, spins)
        return total

    def check_connected(self) -> None:
        """Raises PhysicsError unless scattering leads from every state to every other."""
        if self._groups > 1:
            allowed = (
                f"the states fall into {self._groups} groups that no scattering connects, so that the steady state is "
                "not unique; a bath of more than 0 S on each spin (or thermal occupation) is needed"
            )
            raise refuse("baths", self._junction.baths, allowed)

    @cached_property
    def _groups(self) -> int:
        return groups((self._w21 > 0) | (self._w12 > 0) | (self._bath_strengths > 0))

    def _directions(self) -> tuple[Direction, Direction]:
        """How tip and sample are polarised for each transition [f, i], from tip to sample and back."""
        junction = self._junction
        tip = junction.tip.polarisations("tip", junction.system)
        sample = junction.sample.polarisations("sample", junction.system)
        which = junction.polarising_state
        return (
            Direction(True, _seen(tip, which, leaves=True), _seen(sample, which, leaves=False)),
            Direction(False, _seen(tip, which, leaves=False), _seen(sample, which, leaves=True)),
        )

    def _third_order(self) -> tuple[BroadenedLogarithm, tuple[ThirdOrder, ThirdOrder]]:
        junction = self._junction
        if junction.system.dimension > _LARGEST_THIRD_ORDER:
            states = f"3 with {junction.system.dimension} states"
            raise refuse("order", states, f"third order is computed for at most {_LARGEST_THIRD_ORDER} states")
        logarithm = BroadenedLogarithm(self._kT, junction.bandwidth_meV, junction.broadening_meV)
        energies = junction.system.eigensystem.energies_meV
        there, back = (
            ThirdOrder(self._vertex, energies, direction, junction.coupling, logarithm, junction.pole)
            for direction in (self._to_sample, self._to_tip)
        )
        return logarithm, (there, back)


def _seen(polarisations: FloatArray, which: PolarisingState, *, leaves: bool) -> FloatArray:
    """(1, P) of an electrode for each [f, i] from P of each state, (n, 3); ``leaves``: the electron comes from it."""
    if (polarisations == polarisations[0]).all():
        return density(polarisations[:1, None])
    final, initial = polarisations[:, None], polarisations[None, :]
    zero = np.zeros((len(polarisations),) * 2 + (1,))
    if which is PolarisingState.AVERAGE:
        return density((final + initial) / 2)
    if which is PolarisingState.INITIAL or leaves:
        return density(initial + zero)
    return density(final + zero)


def _product(zeta: list[FloatArray], strength: list[FloatArray], kT: float, order: int) -> FloatArray:
    """Derivative ``order`` by u of kT zeta(x) W, from those of zeta by x = (D - u)/kT and those of W by u."""
    if order == 0:
        return kT * zeta[0] * strength[0]
    if order == 1:
        return kT * zeta[0] * strength[1] - zeta[1] * strength[0]
    return kT * zeta[0] * strength[2] - 2 * zeta[1] * strength[1] + zeta[2] / kT * strength[0]
