"""Spins with anisotropy, in a field, coupled pairwise: what a spin Hamiltonian is made of (Muenks et al., eq. 1).

H = sum_j [D_j S_jz^2 + E_j (S_jx^2 - S_jy^2) + mu_B B.g_j.S_j] + sum_(j<k) S_j.T_jk.S_k, in meV, with S in units of
hbar; x, y and z of the anisotropy are each spin's own axes. A positive Heisenberg T = J 1 is antiferromagnetic. The
Zeeman term has a plus sign: in a field along +z the lowest state of a free spin with g > 0 has <S_z> < 0 (a model
written with the opposite sign takes the opposite field).

Product states are numbered with the first spin slowest and m = S, S-1 ... -S.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import Tensor, Vector, direction, finite, refuse, tensor, vector, whole
from stmlab.physics.constants import MU_B_MEV_PER_T
from stmlab.physics.eigensystem import Eigensystem, diagonalise
from stmlab.physics.operators import spin_matrices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stmlab.arrays import ComplexArray, FloatArray

LARGEST_DIMENSION = 2048
"""States beyond which a dense Hamiltonian is refused."""
_ALONG_X, _ALONG_Y = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
_PARALLEL = 1e-9


@dataclass(frozen=True)
class Spin:
    """One spin on its own.

    Attributes:
        size: spin quantum number S = 1/2, 1, 3/2 ...
        axial_anisotropy_meV: D of D S_z^2; negative is an easy axis.
        transverse_anisotropy_meV: E of E (S_x^2 - S_y^2).
        g: one number, or a 3x3 tensor g_ab in mu_B B_a g_ab S_b.
        axis: z of the anisotropy, a direction in the laboratory.
        transverse_axis: x of the anisotropy, made perpendicular to ``axis``; None is the laboratory's x, or its y where
            the axis lies along x.

    Raises:
        PhysicsError: ``size`` is no multiple of 1/2, a number is not finite, or the axes are none.
    """

    size: float
    axial_anisotropy_meV: float = 0.0
    transverse_anisotropy_meV: float = 0.0
    g: float | Tensor = 2.0
    axis: Vector = (0.0, 0.0, 1.0)
    transverse_axis: Vector | None = None

    def __post_init__(self) -> None:
        size = finite("size", self.size)
        if size <= 0 or 2 * size != round(2 * size):
            raise refuse("size", size, "a spin is 1/2, 1, 3/2, 2 ... (a multiple of 1/2 above 0)")
        finite("axial_anisotropy_meV", self.axial_anisotropy_meV, "meV")
        finite("transverse_anisotropy_meV", self.transverse_anisotropy_meV, "meV")
        if np.ndim(self.g) == 0:
            finite("g", self.g)  # type: ignore[arg-type]
        else:
            object.__setattr__(self, "g", tensor("g", self.g))  # type: ignore[arg-type]
        object.__setattr__(self, "axis", direction("axis", self.axis))
        if self.transverse_axis is not None:
            object.__setattr__(self, "transverse_axis", direction("transverse_axis", self.transverse_axis))
            if np.linalg.norm(np.cross(self.axis, self.transverse_axis)) < _PARALLEL:
                raise refuse("transverse_axis", self.transverse_axis, "a direction other than the axis is needed")

    @property
    def multiplicity(self) -> int:
        """Number of states, 2S + 1."""
        return round(2 * self.size) + 1

    @property
    def axes(self) -> FloatArray:
        """x, y and z of the anisotropy as rows, shape (3, 3)."""
        z, wanted = np.array(self.axis), np.array(self._wanted_x)
        across = wanted - (z @ wanted) * z
        x = across / np.linalg.norm(across)
        return np.array([x, np.cross(z, x), z])

    @property
    def _wanted_x(self) -> Vector:
        if self.transverse_axis is not None:
            return self.transverse_axis
        return _ALONG_X if abs(self.axis[0]) < 1.0 - _PARALLEL else _ALONG_Y

    @property
    def g_tensor(self) -> FloatArray:
        """g as a 3x3 tensor."""
        return np.asarray(self.g) * np.eye(3) if np.ndim(self.g) == 0 else np.asarray(self.g)


@dataclass(frozen=True)
class Exchange:
    """Coupling S_first.T.S_second of two spins; several couplings of one pair add up.

    Attributes:
        first, second: numbers of the spins in their system.
        tensor_meV: T, real 3x3, rows belong to ``first``.

    Raises:
        PhysicsError: the spins are the same, or the tensor is not real, finite and 3x3.
    """

    first: int
    second: int
    tensor_meV: Tensor

    def __post_init__(self) -> None:
        whole("first", self.first, 0, LARGEST_DIMENSION)
        whole("second", self.second, 0, LARGEST_DIMENSION)
        if self.first == self.second:
            raise refuse("second", self.second, "a spin other than first is needed; anisotropy belongs to the Spin")
        object.__setattr__(self, "tensor_meV", tensor("tensor_meV", self.tensor_meV, "meV"))

    @classmethod
    def heisenberg(cls, first: int, second: int, j_meV: float) -> Exchange:
        """J S_first.S_second; J > 0 is antiferromagnetic."""
        return cls.anisotropic(first, second, (j_meV, j_meV, j_meV))

    @classmethod
    def ising(cls, first: int, second: int, j_meV: float, axis: Sequence[float] = (0.0, 0.0, 1.0)) -> Exchange:
        """J (n.S_first)(n.S_second) along the unit vector n of ``axis``."""
        unit = np.array(direction("axis", axis))
        return cls(first, second, finite("j_meV", j_meV, "meV") * np.outer(unit, unit))  # type: ignore[arg-type]

    @classmethod
    def anisotropic(cls, first: int, second: int, j_meV: Sequence[float]) -> Exchange:
        """J_x S_x S_x + J_y S_y S_y + J_z S_z S_z."""
        x, y, z = vector("j_meV", j_meV, "meV")
        return cls(first, second, ((x, 0.0, 0.0), (0.0, y, 0.0), (0.0, 0.0, z)))

    @classmethod
    def dzyaloshinskii_moriya(cls, first: int, second: int, d_meV: Sequence[float]) -> Exchange:
        """D.(S_first x S_second)."""
        x, y, z = vector("d_meV", d_meV, "meV")
        return cls(first, second, ((0.0, z, -y), (-z, 0.0, x), (y, -x, 0.0)))


@dataclass(frozen=True)
class SpinSystem:
    """Spins, their couplings and the field they are in.

    Attributes:
        spins: at least one.
        exchanges: pairwise couplings.
        field_T: magnetic field vector in T.
        quantisation_axis: along which degenerate states are sorted out (see `eigensystem`): the z axis of Muenks et
            al., or the direction of the tip's polarisation if that is another.

    Raises:
        PhysicsError: no spin, a coupling to a spin that is not there, more than 2048 states, or numbers that are not
            finite.
    """

    spins: tuple[Spin, ...]
    exchanges: tuple[Exchange, ...] = ()
    field_T: Vector = (0.0, 0.0, 0.0)
    quantisation_axis: Vector = (0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", tuple(self.spins))
        object.__setattr__(self, "exchanges", tuple(self.exchanges))
        object.__setattr__(self, "field_T", vector("field_T", self.field_T, "T"))
        object.__setattr__(self, "quantisation_axis", direction("quantisation_axis", self.quantisation_axis))
        if not self.spins:
            raise refuse("spins", self.spins, "at least one Spin is needed")
        for exchange in self.exchanges:
            self.check_spin("exchanges: first", exchange.first)
            self.check_spin("exchanges: second", exchange.second)
        if self.dimension > LARGEST_DIMENSION:
            raise refuse("spins", f"{self.dimension} states", f"at most {LARGEST_DIMENSION} states are diagonalised")

    def check_spin(self, name: str, spin: int) -> int:
        """The number of a spin; raises PhysicsError in the name of the argument ``name`` unless it exists."""
        return whole(name, spin, 0, len(self.spins) - 1)

    @cached_property
    def dimension(self) -> int:
        """Number of states."""
        return math.prod(spin.multiplicity for spin in self.spins)

    @cached_property
    def multiplicities(self) -> tuple[int, ...]:
        """2S + 1 of each spin."""
        return tuple(spin.multiplicity for spin in self.spins)

    @cached_property
    def eigensystem(self) -> Eigensystem:
        """Energies and states, computed once."""
        matrix = self.hamiltonian_meV()[None]
        return diagonalise(matrix, self.multiplicities, np.array(self.quantisation_axis)).take(0)

    def operator(self, factors: dict[int, ComplexArray]) -> ComplexArray:
        """The product of one-spin matrices, given by the number of their spin, on the space of all; shape (n, n)."""
        several = [
            factors[number] if number in factors else np.eye(multiplicity)
            for number, multiplicity in enumerate(self.multiplicities)
        ]
        product = np.array(several[0], dtype=complex)
        for factor in several[1:]:
            size = len(product) * len(factor)
            product = (product[:, None, :, None] * factor[:, None]).reshape(size, size)
        return product

    def hamiltonian_meV(self) -> ComplexArray:
        """H in the product basis, shape (n, n), in meV."""
        hamiltonian = np.zeros((self.dimension, self.dimension), dtype=complex)
        field_T = np.array(self.field_T)
        for number, spin in enumerate(self.spins):
            _of_one_spin(hamiltonian, self.multiplicities, number)[:] += _one_spin_hamiltonian(spin, field_T)
        for exchange in self.exchanges:
            pair, tensor = (exchange.first, exchange.second), np.array(exchange.tensor_meV)
            if exchange.first > exchange.second:
                pair, tensor = pair[::-1], tensor.T
            sizes = self.spins[pair[0]].size, self.spins[pair[1]].size
            _of_two_spins(hamiltonian, self.multiplicities, *pair)[:] += _coupled(*sizes, tensor)
        return hamiltonian


def _of_one_spin(matrix: ComplexArray, multiplicities: tuple[int, ...], spin: int) -> ComplexArray:
    """Elements in which the others do not change, a view of shape (before, after, own, own)."""
    before, after = math.prod(multiplicities[:spin]), math.prod(multiplicities[spin + 1 :])
    shape = (before, multiplicities[spin], after)
    view: ComplexArray = np.einsum("iajibj->ijab", matrix.reshape(*shape, *shape))
    return view


def _of_two_spins(matrix: ComplexArray, multiplicities: tuple[int, ...], first: int, second: int) -> ComplexArray:
    """The same of two, the first one before the second; shape (before, between, after, own, other, own, other)."""
    before, between = math.prod(multiplicities[:first]), math.prod(multiplicities[first + 1 : second])
    shape = (before, multiplicities[first], between, multiplicities[second], math.prod(multiplicities[second + 1 :]))
    view: ComplexArray = np.einsum("iajbkicjdk->ijkabcd", matrix.reshape(*shape, *shape))
    return view


def _coupled(first: float, second: float, tensor: FloatArray) -> ComplexArray:
    """S_first.T.S_second of two spins of these sizes, shape (n, m, n, m)."""
    one, other = spin_matrices(first), spin_matrices(second)
    coupled = tensor @ other.reshape(3, -1)
    product = one.reshape(3, -1).T @ coupled
    found: ComplexArray = product.reshape(*one.shape[1:], *other.shape[1:]).swapaxes(1, 2)
    return found


def diagonalised(systems: Sequence[SpinSystem]) -> Eigensystem:
    """Energies and states of B systems of the same spins and quantisation axis, side by side along a first axis."""
    first = systems[0]
    if len(systems) == 1:
        return first.eigensystem.take(None)
    hamiltonians = np.array([system.hamiltonian_meV() for system in systems])
    return diagonalise(hamiltonians, first.multiplicities, np.array(first.quantisation_axis))


def _one_spin_hamiltonian(spin: Spin, field_T: FloatArray) -> ComplexArray:
    axial, transverse = _anisotropies(spin.size, spin.axis, spin.transverse_axis)
    moment = field_T @ spin.g_tensor if np.ndim(spin.g) else field_T * spin.g
    total: ComplexArray = spin.axial_anisotropy_meV * axial + spin.transverse_anisotropy_meV * transverse
    if field_T.any():
        total = total + MU_B_MEV_PER_T * (moment @ spin_matrices(spin.size).reshape(3, -1)).reshape(total.shape)
    return total


@lru_cache(maxsize=256)
def _anisotropies(size: float, axis: Vector, transverse_axis: Vector | None) -> tuple[ComplexArray, ComplexArray]:
    """S_z^2 and S_x^2 - S_y^2 by a spin's own axes."""
    axes = Spin(size, axis=axis, transverse_axis=transverse_axis).axes
    x, y, z = np.tensordot(axes, spin_matrices(size), axes=1)
    return z @ z, x @ x - y @ y


def step_energies(
    build: Callable[[float], SpinSystem], values: Sequence[float] | FloatArray, *, spin: int = 0, count: int = 2
) -> FloatArray:
    """Energies of the first excitation steps as a function of a parameter.

    Args:
        build: the system at one value of the parameter, for instance of a field or a coupling.
        values: shape (P,), the parameter's values.
        spin: the spin that the electrons scatter from.
        count: number of steps.

    Returns:
        Shape (P, count), in meV, from the ground level; levels without a spin matrix element are no steps.

    Raises:
        PhysicsError: fewer than ``count`` steps at one of the values.
    """
    rows = []
    for value in values:
        system = build(float(value))
        energies, _ = system.eigensystem.steps(system.check_spin("spin", spin))
        if len(energies) < count:
            raise refuse("count", count, f"at {float(value):.9g} the ground level has only {len(energies)} steps")
        rows.append(energies[:count])
    return np.array(rows).reshape(len(rows), count)
