"""Transport through spins whose levels lie closer than hbar times their rates: the density matrix, coherences included.

The rate equation of `transport` is secular: it keeps the occupations of the eigenstates and drops the coherences
between them, which is wrong where two levels are closer than the width that the rates give them. A doublet split by
1e-13 meV would be two superpositions without a moment, though nothing that happens within 1e-9 s can tell them from the
two moments.

Here every way in which an electron (spin s before, s' after) meets the spins is one jump operator for all transitions,

    L = sum_fi sqrt(4 G p_s p_s' zeta(e_f - e_i - eV)) |f> <f, s'| sigma.S/2 + U |i, s> <i|,

p being the weights of the electron's spin in its electrode: rates of different transitions enter with their geometric
mean (the coarse-grained or universal Lindblad equation: Davidovic, Quantum 4, 326 (2020); Nathan and Rudner, Phys. Rev.
B 102, 115109 (2020)). The density matrix stays positive, its populations alone obey the rate equation of `transport`,
and the coherences that it adds to them fade as hbar times the rate over the level distance. Shifts of levels by the
electrons are left out, as they are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import real_array, refuse
from stmlab.physics.broadening import windows
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, HBAR_MEV_S, K_B_MEV_PER_K, MEV_PER_V
from stmlab.physics.junction import Occupation
from stmlab.physics.occupation import RateEquation
from stmlab.physics.operators import pauli_matrices
from stmlab.physics.scattering import vertices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.physics.arguments import Vector
    from stmlab.physics.transport import TunnelJunction

_LARGEST = 36
"""States beyond which the equation, quadratic in their number, is refused."""
_SECULAR_ABOVE = 1e4
"""Level distance over hbar times the rates, above which the secular equation is right to about its inverse squared."""
_TOGETHER = 1e3
"""Levels closer than this many times their width are turned into moments before the equation is solved."""
_TELLS_APART = 1e-3
"""Weight of each spin's moment beside that of the next, see `eigensystem`."""
_LARGEST_NEGATIVE = 1e-9
_PER_SECOND = 1.0 / (MEV_PER_V * ELEMENTARY_CHARGE_C)
"""Rates in 1/s from S meV."""


class Equation(StrEnum):
    """Which equation gives the state of the spins; AUTOMATIC takes the secular one wherever that is right."""

    AUTOMATIC = "automatic"
    SECULAR = "secular"
    COHERENT = "coherent"


@dataclass(frozen=True, eq=False)
class SpinState:
    """Steady states and currents at V biases.

    Attributes:
        bias_V: shape (V,).
        current_A: shape (V,).
        density: shape (V, n, n), density matrix in the eigenstates of the spins.
        spins: shape (V, spins, 3), <S> of each spin.
        equation: the one that was used.
        closeness: shape (V,), smallest level distance over hbar times the rates of its states; 0 if degenerate.
    """

    bias_V: FloatArray
    current_A: FloatArray
    density: ComplexArray
    spins: FloatArray
    equation: Equation
    closeness: FloatArray


def spin_state(junction: TunnelJunction, bias_V: FloatArray, equation: Equation = Equation.AUTOMATIC) -> SpinState:
    """The steady state of the spins of ``junction`` and the current through it.

    Args:
        junction: of second order, with steady occupation; its electrodes' polarisations are fixed.
        bias_V: shape (V,).
        equation: AUTOMATIC is secular if at every bias all levels are far enough apart, else coherent.

    Raises:
        PhysicsError: third order, thermal occupation, electrons that follow a spin, too many states, or no unique
            steady state.
    """
    equation = Equation(equation)
    _check(junction)
    bias = np.atleast_1d(real_array("bias_V", bias_V, unit="V"))
    closeness = _closeness(junction, bias)
    if equation is Equation.AUTOMATIC:
        equation = Equation.SECULAR if closeness.min(initial=np.inf) > _SECULAR_ABOVE else Equation.COHERENT
    if equation is Equation.SECULAR:
        occupations = junction.occupations(bias)
        density = (occupations[:, :, None] * np.eye(occupations.shape[1])).astype(complex)
        current = junction.current(bias)
    else:
        both = [_steady(junction, MEV_PER_V * float(one)) for one in bias]
        density = np.array([state for state, _ in both])
        current = np.array([amperes for _, amperes in both])
    eigensystem = junction.system.eigensystem
    elements = np.array([eigensystem.spin_elements(spin) for spin in range(len(junction.system.spins))])
    spins = np.einsum("safi,vif->vsa", elements, density).real
    return SpinState(bias, current, density, spins, equation, closeness)


def _check(junction: TunnelJunction) -> None:
    if junction.order != 2:
        raise refuse("order", junction.order, "coherences are computed in second order")
    if junction.occupation is not Occupation.STEADY:
        raise refuse("occupation", junction.occupation, "coherences belong to the steady state")
    for name in ("tip", "sample"):
        if getattr(junction, name).correlation:
            allowed = "coherences are computed for electrons with a fixed polarisation"
            raise refuse(f"{name}: correlation", getattr(junction, name).correlation, allowed)
    if junction.system.dimension > _LARGEST:
        states = f"{junction.system.dimension} states"
        raise refuse("system", states, f"coherences are computed for at most {_LARGEST} states")


def _closeness(junction: TunnelJunction, bias_V: FloatArray) -> FloatArray:
    """Smallest distance of two levels over hbar times the mean of their exit rates; shape (V,)."""
    exits = junction.rates(bias_V).sum(axis=1)
    energies = junction.system.eigensystem.energies_meV
    first, second = np.triu_indices(len(energies), 1)
    width = HBAR_MEV_S * np.maximum((exits[:, first] + exits[:, second]) / 2, np.finfo(float).tiny)
    closest: FloatArray = (np.abs(energies[first] - energies[second]) / width).min(axis=1, initial=np.inf)
    return closest


def _steady(junction: TunnelJunction, bias_meV: float) -> tuple[ComplexArray, float]:
    """Density matrix in the eigenstates, and current in A, at one bias."""
    energies = junction.system.eigensystem.energies_meV
    there, back, rest = _all_jumps(junction, bias_meV)
    width = HBAR_MEV_S * _PER_SECOND * sum(float((np.abs(part) ** 2).sum(axis=(0, 1)).max()) for part in (there, back))
    basis = _pointers(junction, _TOGETHER * width)
    there, back, rest = (basis.conj().T @ part @ basis for part in (there, back, rest))
    hamiltonian = basis.conj().T @ np.diag(energies - energies[0]) @ basis / (HBAR_MEV_S * _PER_SECOND)
    state = _state(hamiltonian, np.concatenate([there, back, rest]))
    forth, reverse = (np.einsum("kfi,ij,kfj->", part, state, part.conj()).real for part in (there, back))
    return basis @ state @ basis.conj().T, float(forth - reverse) / MEV_PER_V


def _pointers(junction: TunnelJunction, together_meV: float) -> ComplexArray:
    """Superpositions of levels closer than ``together_meV`` that are moments along the quantisation axis.

    Any basis gives the same state; in this one the slow exchange between two moments is no difference of fast rates.
    """
    eigensystem = junction.system.eigensystem
    axis = np.array(junction.system.quantisation_axis)
    weights = _TELLS_APART ** np.arange(len(junction.system.spins))[::-1]
    moment = sum(
        weight * np.tensordot(axis, eigensystem.spin_elements(spin), axes=1) for spin, weight in enumerate(weights)
    )
    basis = np.eye(len(eigensystem.energies_meV), dtype=complex)
    breaks = np.flatnonzero(np.diff(eigensystem.energies_meV) > together_meV) + 1
    for block in np.split(np.arange(len(basis)), breaks):
        basis[np.ix_(block, block)] = np.linalg.eigh(moment[np.ix_(block, block)])[1]
    return basis


def _state(hamiltonian: ComplexArray, jumps: ComplexArray) -> ComplexArray:
    """The steady state under -i [H, rho] and the jumps.

    Coherences are eliminated, rho_c = -L_cc^-1 L_cp p; what is left for the populations p are rates, whose steady state
    follows without subtractions (`occupation.RateEquation`).
    """
    count = len(hamiltonian)
    unit = np.eye(count)
    loss = np.einsum("kfi,kfj->ij", jumps.conj(), jumps)
    damped = -1j * hamiltonian - 0.5 * loss
    matrix = np.kron(damped, unit) + np.kron(unit, damped.conj())
    matrix += np.einsum("kab,kcd->acbd", jumps, jumps.conj()).reshape(matrix.shape)
    own = np.arange(count) * (count + 1)
    between = np.setdiff1d(np.arange(count * count), own)
    flat = np.empty(count * count, dtype=complex)
    try:
        follow = -np.linalg.solve(matrix[np.ix_(between, between)], matrix[np.ix_(between, own)])
        rates = (matrix[np.ix_(own, own)] + matrix[np.ix_(own, between)] @ follow).real
        flat[own] = RateEquation(rates[..., None]).steady()[:, 0]
    except np.linalg.LinAlgError:
        raise refuse("baths", None, "the steady state is not unique: Bath(spin, conductance_S > 0) is needed") from None
    flat[between] = follow @ flat[own]
    state = flat.reshape(count, count)
    lowest = float(np.linalg.eigvalsh(state)[0])
    if not lowest > -_LARGEST_NEGATIVE:
        raise refuse("lowest weight of the steady state", lowest, "0 or more is needed: a stronger bath is needed")
    return state


def _all_jumps(junction: TunnelJunction, bias_meV: float) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
    """Jump operators from tip to sample, back, and of the baths, shape (..., n, n) in the eigenstates."""
    count = junction.system.dimension
    there, back = (np.array(list(_jumps(junction, bias_meV, way))) for way in (1, -1))
    return there, back, np.array(list(_bath_jumps(junction)), dtype=complex).reshape(-1, count, count)


def _jumps(junction: TunnelJunction, bias_meV: float, way: int) -> Iterator[ComplexArray]:
    """Jump operators in sqrt(S meV) of electrons from tip to sample (``way`` 1) or back (-1)."""
    tip, sample = junction.tip.polarisation, junction.sample.polarisation
    before, after = (tip, sample) if way == 1 else (sample, tip)
    elements = junction.system.eigensystem.spin_elements(junction.coupled_spin)
    vertex = vertices(elements, junction.potential_scattering)
    yield from _operators(junction, vertex, before, after, junction.conductance_S, way * bias_meV)


def _bath_jumps(junction: TunnelJunction) -> Iterator[ComplexArray]:
    """Jump operators of electrons that stay in their electrode."""
    for bath in junction.baths or ():
        vertex = vertices(junction.system.eigensystem.spin_elements(bath.spin), 0.0)
        yield from _operators(junction, vertex, bath.polarisation, bath.polarisation, bath.conductance_S, 0.0)


def _operators(
    junction: TunnelJunction, vertex: ComplexArray, before: Vector, after: Vector, conductance_S: float, gained: float
) -> Iterator[ComplexArray]:
    """One operator for each spin of the electron before and after, for electrons that gain the energy ``gained``."""
    energies = junction.system.eigensystem.energies_meV
    kT = K_B_MEV_PER_K * junction.temperature_K
    passing = np.sqrt(kT * windows((energies[:, None] - energies - gained) / kT)[0][0])
    scattering = np.einsum("mst,mfi->stfi", pauli_matrices(), vertex) / 2
    for enters, spin in _spins(before):
        for leaves, final in _spins(after):
            amplitude = np.einsum("s,stfi,t->fi", final.conj(), scattering, spin)
            yield np.sqrt(4.0 * conductance_S * enters * leaves) * passing * amplitude


def _spins(polarisation: Vector) -> Iterator[tuple[float, ComplexArray]]:
    """Weights and states of an electron's spin in its electrode."""
    matrix = (np.eye(2) + np.tensordot(np.array(polarisation), pauli_matrices()[1:], axes=1)) / 2
    weights, states = np.linalg.eigh(matrix)
    for number in (0, 1):
        yield max(float(weights[number]), 0.0), states[:, number]
