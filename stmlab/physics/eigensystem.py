"""Energies and states of coupled spins, with degenerate levels sorted out.

Rates between eigenstates depend on the basis that is chosen inside a degenerate level. An infinitely small field
makes that choice in the laboratory, so each degenerate block is diagonalised in S_last.n + 1e-3 S_(last-1).n + ...,
along the quantisation axis n. For the doublets of Muenks et al. this agrees with a field of 1e-6 T to 1e-13.
Averaging over a doublet instead would make every asymmetry zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.operators import spin_matrices

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray, IntArray

_DEGENERATE = 64 * float(np.finfo(float).eps)
"""Levels closer than this times the number of states times the largest energy differ by rounding only: they are one."""
_PERTURBATION_RATIO = 1e-3
"""Weight of each spin in the perturbation, relative to the one after it."""
_VISIBLE = 1e-9
"""Steps weaker than this part of the strongest are rounding."""


@dataclass(frozen=True, eq=False)
class Eigensystem:
    """Energies and states of n = prod(2S + 1) coupled states.

    Attributes:
        multiplicities: 2S + 1 of each spin.
        energies_meV: shape (n,), ascending; degenerate levels are exactly equal.
        states: shape (n, n), states[:, i] is eigenstate i in the product basis.
    """

    multiplicities: tuple[int, ...]
    energies_meV: FloatArray
    states: ComplexArray

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
        """<f|S_a|i> of one spin, shape (3, n, n) as [a, f, i]."""
        elements: ComplexArray = self.states.conj().T @ _spin_on_states(self.states, self.multiplicities, spin)
        return elements

    def spin_expectations(self, spin: int) -> FloatArray:
        """<i|S_a|i> of one spin, shape (n, 3)."""
        kets = _spin_on_states(self.states, self.multiplicities, spin)
        values: FloatArray = (self.states.conj() * kets).sum(axis=1).real.T
        return values

    def differences(self) -> tuple[FloatArray, IntArray]:
        """The distinct energy differences in meV, ascending, and for each [f, i] the number of e_f - e_i among them."""
        every = self.energies_meV[:, None] - self.energies_meV
        values, index = np.unique(every, return_inverse=True)
        return values, index.reshape(every.shape)

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


def diagonalise(hamiltonian: ComplexArray, multiplicities: tuple[int, ...], axis: FloatArray) -> Eigensystem:
    """Energies and states of a Hermitian matrix in meV, degenerate levels sorted out along the unit vector ``axis``."""
    matrix = hamiltonian if hamiltonian.imag.any() else hamiltonian.real
    energies, vectors = np.linalg.eigh(matrix)
    states = vectors.astype(complex)
    blocks = _degenerate_blocks(energies)
    if blocks:
        perturbed = _perturbation_on_states(states, multiplicities, axis)
    for block in blocks:
        energies[block] = energies[block].mean()
        inside = states[:, block].conj().T @ perturbed[:, block]
        states[:, block] = states[:, block] @ np.linalg.eigh(inside)[1]
    return Eigensystem(multiplicities, energies, states)


def _degenerate_blocks(energies: FloatArray) -> list[slice]:
    rounding = _DEGENERATE * len(energies) * np.abs(energies).max()
    breaks = np.flatnonzero(np.diff(energies) > rounding) + 1
    edges = [0, *breaks.tolist(), len(energies)]
    return [slice(low, high) for low, high in pairwise(edges) if high - low > 1]


def _perturbation_on_states(states: ComplexArray, multiplicities: tuple[int, ...], axis: FloatArray) -> ComplexArray:
    """S_last.n + 1e-3 S_(last-1).n + ... applied to each column of ``states``."""
    total = np.zeros_like(states)
    for before, spin in enumerate(reversed(range(len(multiplicities)))):
        total += np.tensordot(_PERTURBATION_RATIO**before * axis, _spin_on_states(states, multiplicities, spin), axes=1)
    return total


def _spin_on_states(states: ComplexArray, multiplicities: tuple[int, ...], spin: int) -> ComplexArray:
    """S_a of one spin applied to each column of ``states``; shape (3, n, columns)."""
    multiplicity = multiplicities[spin]
    before = math.prod(multiplicities[:spin])
    applied = spin_matrices((multiplicity - 1) / 2)[:, None] @ states.reshape(before, multiplicity, -1)
    return applied.reshape(3, *states.shape)
