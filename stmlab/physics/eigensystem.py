"""Energies and states of coupled spins, with degenerate levels sorted out.

Rates between eigenstates depend on the basis that is chosen inside a degenerate level. An infinitely small field
makes that choice in the laboratory, so each degenerate block is diagonalised in S_last.n + 1e-3 S_(last-1).n + ...,
along the quantisation axis n. For the doublets of Muenks et al. this agrees with a field of 1e-6 T to 1e-13.
Averaging over a doublet instead would make every asymmetry zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.operators import spin_matrices

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, ComplexArray, FloatArray, IntArray

_DEGENERATE = 64 * float(np.finfo(float).eps)
"""Levels closer than this times the number of states times the largest energy differ by rounding only: they are one."""
_PERTURBATION_RATIO = 1e-3
"""Weight of each spin in the perturbation, relative to the one after it."""
_VISIBLE = 1e-9
"""Steps weaker than this part of the strongest are rounding."""


@dataclass(frozen=True, eq=False)
class Eigensystem:
    """Energies and states of n = prod(2S + 1) coupled states, of one system or of many alike (``...``).

    Attributes:
        multiplicities: 2S + 1 of each spin.
        energies_meV: shape (..., n), ascending; degenerate levels are exactly equal.
        states: shape (..., n, n), states[..., :, i] is eigenstate i in the product basis.
    """

    multiplicities: tuple[int, ...]
    energies_meV: FloatArray
    states: ComplexArray

    def take(self, numbers: IntArray | int | None) -> Eigensystem:
        """Some of the systems, or one several times, by their numbers along the first axis; None adds that axis."""
        return Eigensystem(self.multiplicities, self.energies_meV[numbers], self.states[numbers])

    @property
    def excitations_meV(self) -> FloatArray:
        """Energies above the ground state, shape (n,)."""
        excitations: FloatArray = self.energies_meV - self.energies_meV[0]
        return excitations

    def expectation(self, operator: ComplexArray) -> FloatArray:
        """<i|operator|i> of a Hermitian operator, (n, n) in the product basis, for each eigenstate; shape (n,)."""
        values: FloatArray = (self.states.conj() * (operator @ self.states)).sum(axis=0).real
        return values

    def spin_elements(self, spin: int) -> ComplexArray:
        """<f|S_a|i> of one spin, shape (3, ..., n, n) as [a, ..., f, i]."""
        kets = _spin_on_states(self.states, self.multiplicities, spin)
        elements: ComplexArray = self.states.conj().swapaxes(-1, -2) @ kets
        return elements

    def spin_expectations(self, spin: int) -> FloatArray:
        """<i|S_a|i> of one spin, shape (..., n, 3)."""
        kets = _spin_on_states(self.states, self.multiplicities, spin)
        values: FloatArray = np.moveaxis((self.states.conj() * kets).sum(axis=-2).real, 0, -1)
        return values

    def differences(self) -> tuple[FloatArray, IntArray, IntArray]:
        """Energy differences between levels, which are one where they are degenerate in every system.

        Returns:
            The differences that occur, in meV, shape (..., Q); for each [f, i] the number of e_f - e_i among them,
            shape (n, n), the same for all systems; and the first state of each level.
        """
        energies = self.energies_meV.reshape(-1, self.energies_meV.shape[-1])
        apart: BoolArray = np.any(energies[:, 1:] > energies[:, :-1], axis=0)
        final, initial, index, firsts = _pairs_of_levels(tuple(apart.tolist()))
        values: FloatArray = self.energies_meV[..., final] - self.energies_meV[..., initial]
        return values, index, firsts

    def steps(self, spin: int) -> tuple[FloatArray, FloatArray]:
        """Excitations out of the ground level that electrons scattering from ``spin`` can make.

        Returns:
            Energies above the ground level in meV, and intensities sum_f |<f|S|i>|^2 averaged over the ground level.
        """
        elements = self.spin_elements(spin)
        starts = np.flatnonzero(np.diff(self.energies_meV, prepend=-np.inf))
        ground = starts[1] if len(starts) > 1 else len(self.energies_meV)
        strength = (np.abs(elements[:, :, :ground]) ** 2).sum(axis=(0, 2)) / ground
        intensities = np.add.reduceat(strength, starts)[1:]
        visible = intensities > _VISIBLE * strength.sum()
        return self.excitations_meV[starts[1:]][visible], intensities[visible]


@lru_cache(maxsize=64)
def _pairs_of_levels(apart: tuple[bool, ...]) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Of states, some of which are apart from the next: two of each pair of levels, the pair of each [f, i], ...

    ... and the first of each level; a level and itself are one pair, whichever it is. Not to be written to.
    """
    level = np.concatenate([[0], np.cumsum(apart, dtype=np.intp)])
    firsts = np.concatenate([[0], 1 + np.flatnonzero(apart)])
    final, initial = np.meshgrid(level, level, indexing="ij")
    pair = np.where(final == initial, -1, final * len(level) + initial)
    _, first, index = np.unique(pair, return_index=True, return_inverse=True)
    one, other = np.unravel_index(first, final.shape)
    index = index.reshape(final.shape)
    for each in (one, other, index, firsts):
        each.flags.writeable = False
    return one, other, index, firsts


def diagonalise(hamiltonians: ComplexArray, multiplicities: tuple[int, ...], axis: FloatArray) -> Eigensystem:
    """Energies and states of Hermitian matrices in meV, shape (B, n, n).

    Degenerate levels are sorted out along the unit vector ``axis``.
    """
    matrices = hamiltonians if hamiltonians.imag.any() else hamiltonians.real
    energies, vectors = np.linalg.eigh(matrices)
    states = vectors.astype(complex)
    rounding = _DEGENERATE * energies.shape[-1] * np.abs(energies).max(axis=-1, keepdims=True)
    apart = np.diff(energies) > rounding
    if apart.all():
        return Eigensystem(multiplicities, energies, states)
    perturbed = _perturbation_on_states(states, multiplicities, axis)
    for pattern in np.unique(apart, axis=0):
        alike = (apart == pattern).all(axis=1)
        edges = [0, *(np.flatnonzero(pattern) + 1).tolist(), energies.shape[-1]]
        for low, high in pairwise(edges):
            if high - low > 1:
                block = states[alike, :, low:high]
                inside = block.conj().swapaxes(-1, -2) @ perturbed[alike, :, low:high]
                energies[alike, low:high] = energies[alike, low:high].mean(axis=-1, keepdims=True)
                states[alike, :, low:high] = block @ np.linalg.eigh(inside)[1]
    return Eigensystem(multiplicities, energies, states)


def _perturbation_on_states(states: ComplexArray, multiplicities: tuple[int, ...], axis: FloatArray) -> ComplexArray:
    """S_last.n + 1e-3 S_(last-1).n + ... applied to each column of ``states``."""
    total = np.zeros_like(states)
    for before, spin in enumerate(reversed(range(len(multiplicities)))):
        total += np.tensordot(_PERTURBATION_RATIO**before * axis, _spin_on_states(states, multiplicities, spin), axes=1)
    return total


def _spin_on_states(states: ComplexArray, multiplicities: tuple[int, ...], spin: int) -> ComplexArray:
    """S_a of one spin applied to each column of ``states``, shape (..., n, columns); shape (3, ..., n, columns)."""
    multiplicity = multiplicities[spin]
    systems, before = states.shape[:-2], math.prod(multiplicities[:spin])
    matrices = spin_matrices((multiplicity - 1) / 2).reshape(3, *(1,) * (len(systems) + 1), multiplicity, multiplicity)
    return (matrices @ states.reshape(*systems, before, multiplicity, -1)).reshape(3, *states.shape)
