"""The two excitation steps of a spin 1, alone or coupled to the spin of the tip, as levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.physics.operators import spin_matrices
from stmlab.physics.spins import Exchange, Spin, SpinSystem

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

_UNREACHED = 1e-12  # of a strength that is 1 for a whole spin flip
_GROUND = 1e-6  # meV; states so close to the lowest are the ground level


def anisotropies(inner: float, outer: float, *, fixed_axis: bool) -> list[tuple[float, float]]:
    """D and E (meV) of a spin 1 whose steps are ``inner`` and ``outer`` (meV).

    Turning the axes gives the same steps other names; |E| <= |D| / 3 is the usual one. Where something else fixes the
    z axis (a field, an Ising exchange), D of the other sign is another system, and comes second.
    """
    easy_axis = (-(outer - inner / 2), inner / 2)
    easy_plane = ((inner + outer) / 2, (outer - inner) / 2)
    usual, other = (easy_axis, easy_plane) if outer >= 2 * inner else (easy_plane, easy_axis)
    return [usual, other] if fixed_axis else [usual]


@dataclass(frozen=True)
class SpinLevels:
    """Two steps of the coupled spins, as levels: each excited state of the spin 1 is a group of states of both."""

    kind: ExchangeKind
    field_T: float
    tip_spin: float

    @property
    def free(self) -> int:
        """Number of parameters: D, E and perhaps the slope."""
        return 2 if self.kind is ExchangeKind.NONE else 3

    @property
    def signed(self) -> bool:
        """Whether the sign of the exchange shows: without a field, an Ising exchange of either sign splits alike."""
        return self.free == 3 and not (self.kind is ExchangeKind.ISING and self.field_T == 0)

    def steps(self, values: FloatArray, conductance: FloatArray) -> FloatArray:
        """Mean energies of both groups, by their intensities.

        Args:
            values: D and E in meV, perhaps the slope of J in meV/uS; shape (..., 2 or 3).
            conductance: S, shape (n,).

        Returns:
            Inner first, shape (..., 2, n), in meV.
        """
        still, axial, transverse, exchange = self._parts
        each = values[..., None, None, None]
        hamiltonian = still + each[..., 0, :, :, :] * axial + each[..., 1, :, :, :] * transverse
        coupling = 1e6 * conductance if self.free == 3 else np.zeros_like(conductance)
        hamiltonian = hamiltonian + each[..., -1, :, :, :] * coupling[:, None, None] * exchange
        energies, states = np.linalg.eigh(hamiltonian)
        excitations = energies - energies[..., :1]
        ground = excitations < _GROUND
        turned = states.swapaxes(-1, -2)
        squares = sum((turned @ component @ states) ** 2 for component in self._spin)  # [..., n, f, i]
        strengths = (squares * ground[..., None, :]).sum(axis=-1)
        size = energies.shape[-1] // 3
        groups = [slice(k * size, (k + 1) * size) for k in (1, 2)]
        return np.stack([_mean(excitations[..., group], strengths[..., group]) for group in groups], axis=-2)

    @cached_property
    def _parts(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """The Hamiltonian without anisotropy and exchange, and what 1 meV of D, of E and of J adds to it."""
        still = self._hamiltonian(0.0, 0.0, 0.0)
        units = np.eye(3)
        return still, *(self._hamiltonian(*unit) - still for unit in units)  # type: ignore[return-value]

    @cached_property
    def _spin(self) -> list[FloatArray]:
        """S_x, S_y / i and S_z of the sample's spin, which are real, shape (n, n) each."""
        system = self._system(0.0, 0.0, 0.0)
        every = [system.operator({0: matrix}) for matrix in spin_matrices(1.0)]
        return [one.real + one.imag for one in every]

    def _hamiltonian(self, axial: float, transverse: float, exchange: float) -> FloatArray:
        """Real, with the field along z."""
        return self._system(axial, transverse, exchange).hamiltonian_meV().real

    def _system(self, axial: float, transverse: float, exchange: float) -> SpinSystem:
        below, field = Spin(1.0, axial, transverse), (0.0, 0.0, self.field_T)
        if self.kind is ExchangeKind.NONE:
            return SpinSystem((below,), (), field)
        couple = Exchange.ising if self.kind is ExchangeKind.ISING else Exchange.heisenberg
        return SpinSystem((below, Spin(self.tip_spin)), (couple(0, 1, exchange),), field)


def _mean(energies: FloatArray, strengths: FloatArray) -> FloatArray:
    """Along the last axis, by strength; of a group that no transition reaches (in a field), of all alike."""
    unreached = strengths.sum(axis=-1, keepdims=True) < _UNREACHED
    weights = np.where(unreached, 1.0, strengths)
    mean: FloatArray = (energies * weights).sum(axis=-1) / weights.sum(axis=-1)
    return mean
