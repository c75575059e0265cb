"""The master equation of `stmlab.physics.coherent`: jump operators, steady density matrices, currents, derivatives.

Everything is differentiated exactly, on a whole axis of biases at once: with L rho = 0, L rho' = -L' rho and
L rho'' = -2 L' rho' - L'' rho. Coherences are eliminated, rho_c = -L_cc^-1 L_cp p; what is left for the populations p
are rates, whose steady state follows without subtractions (`occupation.RateEquation`).
"""

from __future__ import annotations

from functools import cached_property
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import refuse
from stmlab.physics.broadening import windows
from stmlab.physics.constants import HBAR_MEV_S, K_B_MEV_PER_K
from stmlab.physics.electron_jumps import PER_SECOND, TOGETHER, bath_jumps, blocks_of, moments, tunnelling_jumps
from stmlab.physics.occupation import RateEquation

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import ComplexArray, FloatArray, IntArray
    from stmlab.physics.junction import Junction

_LARGEST_NEGATIVE = 1e-9
_CHUNK = 2_000_000
"""Numbers in the largest array of one pass over the bias axis."""


def coherent_states(junction: Junction, bias_meV: FloatArray) -> tuple[ComplexArray, FloatArray]:
    """Density matrices in the eigenstates, shape (V, n, n), and currents in S meV, shape (V,)."""
    found = [CoherentEquation(junction, part) for part in parts(junction, bias_meV)]
    return np.concatenate([one.density for one in found]), np.concatenate([one.derivative(0) for one in found])


def coherent_derivative(junction: Junction, bias_meV: FloatArray, order: int) -> FloatArray:
    """d^order I / d(eV)^order in S meV / meV^order, shape (V,); ``order`` is at most 2."""
    return np.concatenate([CoherentEquation(junction, part).derivative(order) for part in parts(junction, bias_meV)])


def parts(junction: Junction, bias_meV: FloatArray) -> list[FloatArray]:
    """Biases of which the equation fits into memory at once."""
    most = max(1, _CHUNK // junction.system.dimension**4)
    return np.split(bias_meV, range(most, len(bias_meV), most))


class CoherentEquation:
    """The equation of one junction at V biases.

    Args:
        junction: see `stmlab.physics.coherent.spin_state`.
        bias_meV: shape (V,).
        basis: of the equation, states in columns, in the eigenstates; None: moments of levels that are close here.

    Raises:
        PhysicsError: on evaluation, where the steady state is not unique.
    """

    def __init__(self, junction: Junction, bias_meV: FloatArray, basis: ComplexArray | None = None) -> None:
        self._junction, self._bias = junction, bias_meV
        self._energies = junction.system.eigensystem.energies_meV
        self._kT = K_B_MEV_PER_K * junction.temperature_K
        self._amplitudes = {way: tunnelling_jumps(junction, way) for way in (1, -1)}
        self._basis = self._moments if basis is None else basis

    @property
    def basis(self) -> ComplexArray:
        """States in which the equation is written, in columns, in the eigenstates; shape (n, n)."""
        return self._basis

    @property
    def density(self) -> ComplexArray:
        """Steady state in the eigenstates, shape (V, n, n)."""
        found: ComplexArray = self._basis @ self._state(0) @ self._basis.conj().T
        return found

    def derivative(self, order: int) -> FloatArray:
        """d^order I / d(eV)^order in S meV / meV^order, shape (V,)."""
        total = np.zeros(len(self._bias))
        for number in range(order + 1):
            state = self._state(order - number)
            total += comb(order, number) * np.einsum("vij,vij->v", self.measured(number), state).real
        return total

    def measured(self, order: int = 0) -> ComplexArray:
        """w with I = sum_ij w_ij rho_ij in S meV, or its derivative by eV; shape (V, n, n)."""
        found: ComplexArray = self._weights(1, order) - self._weights(-1, order)
        return found

    # -- the state -----------------------------------------------------------------------------------------------------

    def _state(self, order: int) -> ComplexArray:
        """The steady state, or its derivative by eV, in the basis of the equation; shape (V, n, n)."""
        return {0: lambda: self._steady, 1: lambda: self._moved, 2: lambda: self._curved}[order]()

    @cached_property
    def _steady(self) -> ComplexArray:
        populations = self._equation.steady().T
        state = self._whole(populations, np.zeros((len(self._bias), len(self._between)), dtype=complex))
        lowest = float(np.linalg.eigvalsh(state)[:, 0].min(initial=0.0))
        if not lowest > -_LARGEST_NEGATIVE:
            raise refuse("lowest weight of the steady state", lowest, "0 or more is needed: a stronger bath is needed")
        return state

    @cached_property
    def _moved(self) -> ComplexArray:
        return self._response(-self._applied(1, self._steady))

    @cached_property
    def _curved(self) -> ComplexArray:
        return self._response(-2.0 * self._applied(1, self._moved) - self._applied(2, self._steady))

    def _applied(self, order: int, state: ComplexArray) -> ComplexArray:
        """The derivative of L, applied to a state; shape (V, n n)."""
        gained = sum(_gained(self._jumps(way, order), order, state) for way in (1, -1))
        lost = (self._weights(1, order) + self._weights(-1, order)).swapaxes(1, 2) @ state
        found = gained - 0.5 * (lost + lost.conj().swapaxes(1, 2))  # a state is Hermitian
        return found.reshape(len(state), -1)

    def _response(self, source: ComplexArray) -> ComplexArray:
        """x with L x = source and no trace."""
        solved = np.linalg.solve(self._inner, source[:, self._between, None])
        coherences = np.asarray(solved[..., 0], dtype=complex)
        rest = source[:, self._own] - np.einsum("vab,vb->va", self._outward, coherences)
        populations = self._equation.response(rest.real.T, self._equation.steady()).T
        return self._whole(populations, coherences)

    def _whole(self, populations: FloatArray, coherences: ComplexArray) -> ComplexArray:
        """A matrix from its diagonal and what its coherences are beyond those that follow it."""
        flat = np.empty((len(populations), self._energies.size**2), dtype=complex)
        flat[:, self._own] = populations
        flat[:, self._between] = coherences + np.einsum("vab,vb->va", self._follow, populations)
        return flat.reshape(len(flat), self._energies.size, -1)

    # -- the equation --------------------------------------------------------------------------------------------------

    @cached_property
    def _own(self) -> IntArray:
        return np.arange(self._energies.size) * (self._energies.size + 1)

    @cached_property
    def _between(self) -> IntArray:
        return np.flatnonzero(~np.eye(self._energies.size, dtype=bool))

    @property
    def _moments(self) -> ComplexArray:
        rates = sum(float((np.abs(self._plain(way, 0)) ** 2).sum(axis=(1, 2)).max(initial=0.0)) for way in (1, -1))
        return _pointers(self._junction, TOGETHER * HBAR_MEV_S * PER_SECOND * rates)

    @cached_property
    def matrix(self) -> ComplexArray:
        """L in S meV as a matrix on flattened states, shape (V, n n, n n)."""
        hamiltonian = self._basis.conj().T @ np.diag(self._energies - self._energies[0]) @ self._basis
        turning = -1j * hamiltonian[None] / (HBAR_MEV_S * PER_SECOND)
        baths = self._turned(_bath_jumps(self._junction, self._kT)[None])
        tunnelling = np.concatenate([self._jumps(way, 0)[0] for way in (1, -1)], axis=1)
        weights = self._weights(1, 0) + self._weights(-1, 0) + _products([baths], 0)
        matrix = _both_sides(turning - 0.5 * weights.swapaxes(1, 2))
        matrix += _gains(tunnelling)
        matrix += _gains(baths)
        return matrix

    @cached_property
    def _inner(self) -> ComplexArray:
        return self.matrix[:, self._between[:, None], self._between]

    @cached_property
    def _outward(self) -> ComplexArray:
        return self.matrix[:, self._own[:, None], self._between]

    @cached_property
    def _follow(self) -> ComplexArray:
        """Coherences that follow the populations, shape (V, n n - n, n)."""
        try:
            follow = np.linalg.solve(self._inner, -self.matrix[:, self._between[:, None], self._own])
        except np.linalg.LinAlgError:
            raise refuse(
                "baths", None, "the steady state is not unique: Bath(spin, conductance_S > 0) is needed"
            ) from None
        return np.asarray(follow, dtype=complex)

    @cached_property
    def _equation(self) -> RateEquation:
        rates = (self.matrix[:, self._own[:, None], self._own] + self._outward @ self._follow).real
        return RateEquation(np.moveaxis(rates, 0, -1))

    # -- jump operators ------------------------------------------------------------------------------------------------

    def _jumps(self, way: int, highest: int) -> list[ComplexArray]:
        """Of electrons to the sample (1) or back (-1): operators and their derivatives by eV, shape (V, K, n, n)."""
        known = self._known_jumps[way]
        known.extend(self._turned(self._plain(way, order)) for order in range(len(known), highest + 1))
        return known

    def _weights(self, way: int, order: int) -> ComplexArray:
        """w_ij of `_products` of electrons that go one way."""
        if (way, order) not in self._known_weights:
            self._known_weights[way, order] = _products(self._jumps(way, order), order)
        return self._known_weights[way, order]

    @cached_property
    def _known_weights(self) -> dict[tuple[int, int], ComplexArray]:
        """Those that were asked for."""
        return {}

    @cached_property
    def _known_jumps(self) -> dict[int, list[ComplexArray]]:
        """As many derivatives as were asked for."""
        return {1: [], -1: []}

    def _turned(self, operators: ComplexArray) -> ComplexArray:
        """In the basis of the equation, shape (..., n, n); as few large products as there are sides."""
        right = operators.reshape(-1, len(self._basis)) @ self._basis
        flipped = right.reshape(operators.shape).swapaxes(-1, -2)
        both: ComplexArray = (flipped.reshape(right.shape) @ self._basis.conj()).reshape(operators.shape)
        return np.ascontiguousarray(both.swapaxes(-1, -2))

    def _plain(self, way: int, order: int) -> ComplexArray:
        """In the eigenstates, in sqrt(S meV)."""
        gained = way * self._bias[:, None, None]
        window = _passing((self._energies[:, None] - self._energies - gained) / self._kT, self._kT, order)
        plain: ComplexArray = way**order * self._amplitudes[way] * window[:, None]
        return plain


def _pointers(junction: Junction, together_meV: float) -> ComplexArray:
    """Superpositions of levels closer than ``together_meV`` that are moments along the quantisation axis.

    Any basis gives the same state; in this one the slow exchange between two moments is no difference of fast rates.
    """
    moment, basis = moments(junction), np.eye(junction.system.dimension, dtype=complex)
    for block in blocks_of(junction, together_meV):
        basis[np.ix_(block, block)] = np.linalg.eigh(moment[np.ix_(block, block)])[1]
    return basis


def _gains(jumps: ComplexArray) -> ComplexArray:
    """sum_k J rho J+ as a matrix on flattened states, of J of shape (V, K, n, n); (V, n n, n n)."""
    size = jumps.shape[-1]
    rows = jumps.reshape(*jumps.shape[:2], -1)  # vkab -> vk(ab)
    both = rows.swapaxes(1, 2) @ rows.conj()  # v(ab)(cd), from here on v(ac)(bd)
    found: ComplexArray = both.reshape(-1, size, size, size, size).swapaxes(2, 3).reshape(-1, size**2, size**2)
    return found


def _gained(jumps: list[ComplexArray], order: int, state: ComplexArray) -> ComplexArray:
    """The derivative of sum_k J rho J+ at a state that stays as it is; shape (V, n, n)."""

    def term(a: int) -> ComplexArray:
        rows = jumps[a].reshape(len(state), -1, state.shape[-1]) @ state
        before, after = rows.reshape(jumps[a].shape), jumps[order - a].conj()
        flat = before.swapaxes(1, 2).reshape(*state.shape[:2], -1)  # vkij -> vi(kj)
        found: ComplexArray = flat @ after.swapaxes(2, 3).reshape(len(state), -1, state.shape[-1])
        return found

    return _derived(order, term)


def _products(jumps: list[ComplexArray], order: int) -> ComplexArray:
    """w_ij = sum_kf J_fi J*_fj, with which a state has sum_ij w_ij rho_ij jumps; or its derivative; shape (V, n, n)."""
    rows = [jump.reshape(len(jump), -1, jump.shape[-1]) for jump in jumps]  # vkfi -> v(kf)i
    return _derived(order, lambda a: rows[a].swapaxes(1, 2) @ rows[order - a].conj())


def _derived(order: int, term: Callable[[int], ComplexArray]) -> ComplexArray:
    """A derivative of a product by its terms, of which the last are the first ones' adjoints; shape (V, n, n)."""
    found = comb(order, order // 2) * term(order // 2)
    if order % 2:
        found = found + found.conj().swapaxes(1, 2)
    for a in range(order // 2):
        one = comb(order, a) * term(a)
        found += one + one.conj().swapaxes(1, 2)
    return found


def _both_sides(operator: ComplexArray) -> ComplexArray:
    """A rho + rho A+ as a matrix on flattened states, of A of shape (V, n, n)."""
    size = operator.shape[-1]
    found = np.zeros((len(operator), size, size, size, size), dtype=complex)
    for state in range(size):
        found[:, :, state, :, state] += operator
        found[:, state, :, state, :] += operator.conj()
    return found.reshape(-1, size**2, size**2)


def _passing(x: FloatArray, kT: float, order: int) -> FloatArray:
    """sqrt(kT zeta(x)), or its derivative by the energy that an electron gains (x falls by that over kT)."""
    zeta = windows(x, order)[0]
    root = np.sqrt(kT * zeta[0])
    if order == 0:
        return root
    shares = [np.divide(each, zeta[0], out=np.zeros_like(each), where=zeta[0] > 0) for each in zeta[1:]]
    if order == 1:
        return -root * shares[0] / (2.0 * kT)
    found: FloatArray = root * (shares[1] / 2.0 - shares[0] ** 2 / 4.0) / kT**2
    return found


def _bath_jumps(junction: Junction, kT: float) -> ComplexArray:
    """Jump operators of electrons that stay in their electrode, shape (K, n, n)."""
    eigensystem, count = junction.system.eigensystem, junction.system.dimension
    energies = eigensystem.energies_meV
    passing = _passing((energies[:, None] - energies) / kT, kT, 0)
    found = [passing * bath_jumps(junction, bath) for bath in junction.baths or ()]
    return np.array(found, dtype=complex).reshape(-1, count, count)
