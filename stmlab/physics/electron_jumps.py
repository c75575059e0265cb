"""What an electron that meets the spins does to them: jump operators without the energy that it needs.

An electron comes with spin s from an electrode whose density matrix is R and ends with s' in one with R': its operators
are sqrt(4 G) <s'| sqrt(R') (sigma.S/2 + U) sqrt(R) |s>, whose squares are the strengths of `stmlab.physics.scattering`.

Electrons that follow a spin have an R of their own for each state p in which they see it (Muenks et al., eq. 2, whose p
are eigenstates): sqrt(R) is sum_p sqrt(R_p) |p><p|, on the side of the state that polarises them. What they see is what
lasts: eigenstates where these are far apart beside the width that the rates give them, moments along the quantisation
axis where nothing resolves the levels, and on the way from one to the other the eigenstates of

    H / width + m_ij / (1 + ((e_i - e_j) / width)^2)^2,

m being the moment. The paper says nothing of that way; at its ends this is its equation, and what lies between depends
on every number smoothly.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import refuse
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, HBAR_MEV_S, MEV_PER_V
from stmlab.physics.currents import Currents
from stmlab.physics.junction import PolarisingState
from stmlab.physics.operators import pauli_matrices
from stmlab.physics.scattering import vertices

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray, IntArray
    from stmlab.physics.arguments import Vector
    from stmlab.physics.baths import Bath, Electrode
    from stmlab.physics.junction import Junction

PER_SECOND = 1.0 / (MEV_PER_V * ELEMENTARY_CHARGE_C)
"""Rates in 1/s from S meV."""
TOGETHER = 1e3
"""Widths beyond which two levels have nothing to do with each other's moments."""
_TELLS_APART = 1e-3
"""Weight of each spin's moment beside that of the next, see `eigensystem`."""
_LARGEST_POLARISATION = 1.0 + 1e-9


def tunnelling_jumps(junction: Junction, way: int) -> ComplexArray:
    """Operators of electrons to the sample (way 1) or back (-1) in the eigenstates, shape (K, n, n), in sqrt(S).

    Raises:
        PhysicsError: electrons that follow a spin would be polarised by more than 1.
    """
    elements = junction.system.eigensystem.spin_elements(junction.coupled_spin)
    vertex = vertices(elements, junction.potential_scattering)
    before, after = (junction.tip, junction.sample)[::way]
    if not (before.correlation or after.correlation):
        return _plain_jumps(vertex, before.polarisation, after.polarisation, junction.conductance_S)
    seen = seen_states(junction)
    scattering = np.einsum("mst,mfi->stfi", pauli_matrices(), seen.conj().T @ vertex @ seen) / 2
    leaving, entering = (_roots(junction, one, seen) for one in (before, after))
    found = [
        np.einsum(f"{end}at,tufi,{start}ub->abfi", entering, scattering, leaving)
        for start, end in itertools.product(_sides(junction, before, "i"), _sides(junction, after, "f"))
    ]
    size = np.sqrt(4.0 * junction.conductance_S / len(found))
    every = np.array(found).reshape(-1, *scattering.shape[2:])
    jumps: ComplexArray = size * (seen @ every @ seen.conj().T)
    return jumps


def bath_jumps(junction: Junction, bath: Bath) -> ComplexArray:
    """Operators of electrons that scatter from a spin and stay in their electrode, shape (K, n, n), in sqrt(S)."""
    vertex = vertices(junction.system.eigensystem.spin_elements(bath.spin), 0.0)
    return _plain_jumps(vertex, bath.polarisation, bath.polarisation, bath.conductance_S)


def moments(junction: Junction) -> ComplexArray:
    """The moment along the quantisation axis in the eigenstates, spins told apart by their weight; shape (n, n)."""
    eigensystem = junction.system.eigensystem
    axis = np.array(junction.system.quantisation_axis)
    weights = _TELLS_APART ** np.arange(len(junction.system.spins))[::-1]
    every = [np.tensordot(axis, eigensystem.spin_elements(spin), axes=1) for spin in range(len(weights))]
    found: ComplexArray = np.asarray(sum(weight * one for weight, one in zip(weights, every, strict=True)))
    return found


def blocks_of(junction: Junction, together_meV: float) -> list[IntArray]:
    """Numbers of the levels that follow each other more closely than that."""
    breaks = np.flatnonzero(np.diff(junction.system.eigensystem.energies_meV) > together_meV) + 1
    return np.split(np.arange(junction.system.dimension), breaks)


def seen_states(junction: Junction) -> ComplexArray:
    """States in which electrons see the spin that they follow, in columns, in the eigenstates; shape (n, n)."""
    energies, moment = junction.system.eigensystem.energies_meV, moments(junction)
    width = _width_meV(junction)
    basis = np.eye(len(energies), dtype=complex)
    for block in blocks_of(junction, TOGETHER * width):
        apart = (energies[block, None] - energies[block]) / width
        levels = np.diag(energies[block] - energies[block[0]]) / width
        competing = levels + moment[np.ix_(block, block)] / (1.0 + apart**2) ** 2
        basis[np.ix_(block, block)] = np.linalg.eigh(competing)[1]
    return basis


def _width_meV(junction: Junction) -> float:
    """Of the level that is left fastest, at a bias at which the highest excitation is open."""
    highest = float(junction.system.eigensystem.excitations_meV[-1])
    rates = Currents((junction,)).rates(np.array([-highest, highest]))[0]
    states = np.arange(junction.system.dimension)
    exits = rates.sum(axis=1) - rates[:, states, states]
    return HBAR_MEV_S * PER_SECOND * max(float(exits.max()), np.finfo(float).tiny)


def _sides(junction: Junction, electrode: Electrode, own: str) -> tuple[str, ...]:
    """Which states of a transition polarise the electrons of an electrode: the initial (i) one, the final (f) one.

    ``own``: the one that the spins are in while the electron is in the electrode.
    """
    if not electrode.correlation or junction.polarising_state is PolarisingState.INITIAL:
        return ("i",)
    return (own,) if junction.polarising_state is PolarisingState.DETAILED else ("i", "f")


def _roots(junction: Junction, electrode: Electrode, seen: ComplexArray) -> ComplexArray:
    """sqrt(R_p) of an electrode for each state p, shape (n, 2, 2)."""
    polarisations = np.array(electrode.polarisation) + np.zeros((len(seen), 1))
    if electrode.spin is not None and electrode.correlation:
        elements = junction.system.eigensystem.spin_elements(electrode.spin)
        expected = np.einsum("fp,afi,ip->pa", seen.conj(), elements, seen).real
        polarisations = polarisations + 2.0 * electrode.correlation * expected
    largest = float(np.linalg.norm(polarisations, axis=1).max())
    if largest > _LARGEST_POLARISATION:
        allowed = f"gives a moment of the spin the polarisation {largest:.4g}; at most 1 is possible"
        raise refuse("correlation", electrode.correlation, allowed)
    return np.array([_root((x, y, z)) for x, y, z in polarisations.tolist()])


def _root(polarisation: Vector) -> ComplexArray:
    weights, states = _spins(polarisation)
    root: ComplexArray = (states * np.sqrt(weights)) @ states.conj().T
    return root


def _plain_jumps(vertex: ComplexArray, before: Vector, after: Vector, conductance_S: float) -> ComplexArray:
    """Of electrons with a fixed polarisation, whose spins are those of their electrodes' own axes."""
    scattering = np.einsum("mst,mfi->stfi", pauli_matrices(), vertex) / 2
    (enters, incoming), (leaves, outgoing) = _spins(before), _spins(after)
    sizes = np.sqrt(4.0 * conductance_S * enters[:, None] * leaves)
    found: ComplexArray = np.einsum("ab,sb,stfi,ta->abfi", sizes, outgoing.conj(), scattering, incoming)
    return found.reshape(-1, *found.shape[2:])


@lru_cache(maxsize=256)
def _spins(polarisation: Vector) -> tuple[FloatArray, ComplexArray]:
    """Weights and states (in columns) of an electron's spin in its electrode, not to be written to."""
    matrix = (np.eye(2) + np.tensordot(polarisation, pauli_matrices()[1:], axes=1)) / 2
    weights, states = np.linalg.eigh(matrix)
    weights = np.maximum(weights, 0.0)
    weights.flags.writeable = states.flags.writeable = False
    return weights, states
