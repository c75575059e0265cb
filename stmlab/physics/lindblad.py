"""Lindblad master equations of small systems: steady states, evolution and correlation spectra.

d rho/dt = -i [H, rho] + sum_mn gamma_mn (A_n rho A_m^+ - 1/2 {A_m^+ A_n, rho}) with hbar = 1: energies and rates share
one unit. Density matrices are flattened row by row, so that A rho B becomes (A (x) B^T) rho.

A generator may conserve more than the trace: then it has a family of steady states, and general solvers return
matrices that are no states. The dimension of the kernel is therefore found first; modes slower than `SLOWEST` times
the fastest count as part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import real_array, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.arrays import ComplexArray, FloatArray

SLOWEST = 1e-12
"""Modes slower than this share of the fastest count as steady."""
_UNSEEN = 1e-17
"""Peaks below this share of the highest are left out of a spectrum."""
_WORST_MODES = 1e7
"""Condition of the eigenvectors above which they are not used."""


@dataclass(frozen=True, eq=False)
class Dissipator:
    """sum_mn rates[m, n] (A_n rho A_m^+ - 1/2 {A_m^+ A_n, rho}).

    Attributes:
        operators: shape (M, d, d).
        rates: shape (M, M), Hermitian and without negative eigenvalues.
        name: for messages.
    """

    operators: ComplexArray
    rates: ComplexArray
    name: str = "dissipator"

    def __post_init__(self) -> None:
        """Raise PhysicsError unless the rates keep every state positive."""
        hermitian(f"rates of {self.name}", self.rates)
        lowest = float(np.linalg.eigvalsh(self.rates)[0])
        if lowest < -1e-12 * float(np.abs(self.rates).max()):
            raise refuse(f"lowest eigenvalue of the rates of {self.name}", lowest, "0 or more is needed")


class Lindbladian:
    """The generator of a master equation, with what follows from it.

    Args:
        hamiltonian: shape (d, d).
        dissipators: the couplings to the baths.

    Raises:
        PhysicsError: the Hamiltonian is not Hermitian.
    """

    def __init__(self, hamiltonian: ComplexArray, dissipators: Sequence[Dissipator]) -> None:
        self.hamiltonian = hermitian("hamiltonian", hamiltonian)
        self.dimension = d = self.hamiltonian.shape[0]
        damped = -1j * self.hamiltonian
        jumps = np.zeros((d, d, d, d), dtype=complex)
        for part in dissipators:
            weighted = np.einsum("mn,nij->mij", part.rates, part.operators)
            damped = damped - 0.5 * np.einsum("mji,mjk->ik", part.operators.conj(), weighted)
            jumps += np.einsum("mij,mkl->ikjl", weighted, part.operators.conj())
        unit = np.eye(d)
        self.matrix: ComplexArray = np.kron(damped, unit) + np.kron(unit, damped.conj()) + jumps.reshape(d * d, d * d)

    @cached_property
    def _modes(self) -> tuple[ComplexArray, ComplexArray, ComplexArray] | None:
        """Decay rates with minus sign, right vectors, left vectors; None where they are too nearly parallel."""
        values, right = np.linalg.eig(self.matrix)
        try:
            left = np.linalg.inv(right)
        except np.linalg.LinAlgError:
            return None
        if np.linalg.norm(right) * np.linalg.norm(left) > _WORST_MODES:
            return None
        return values.astype(complex), right.astype(complex), left.astype(complex)

    @cached_property
    def _kernel(self) -> tuple[ComplexArray, ComplexArray]:
        """Right and left null vectors with left^+ right = 1; each of shape (d*d, k)."""
        if self._modes is not None:
            values, right, left = self._modes
            still = np.abs(values) <= max(SLOWEST * np.abs(values).max(), np.abs(values).min())
            return right[:, still], left[still].conj().T
        outward, sizes, inward = np.linalg.svd(self.matrix)
        count = max(1, int(np.count_nonzero(sizes <= SLOWEST * sizes[0])))
        null, dual = inward[-count:].conj().T, outward[:, -count:]
        return null, dual @ np.linalg.inv(null.conj().T @ dual)

    @property
    def steady_dimension(self) -> int:
        """Number of independent steady states: 1 if the steady state is unique."""
        return int(self._kernel[0].shape[1])

    def steady_state(self, initial: ComplexArray | None = None) -> ComplexArray:
        """The steady state, shape (d, d); where there is a family, the one that ``initial`` ends in.

        Raises:
            PhysicsError: the steady state is not unique and ``initial`` is not given.
        """
        if initial is None:
            if self.steady_dimension > 1:
                raise refuse(
                    "initial",
                    None,
                    f"an initial state is needed: the steady states span {self.steady_dimension} dimensions",
                )
            initial = np.eye(self.dimension, dtype=complex) / self.dimension
        right, left = self._kernel
        flat = right @ (left.conj().T @ density_matrix("initial", initial, self.dimension).reshape(-1))
        state = flat.reshape(self.dimension, self.dimension)
        state = 0.5 * (state + state.conj().T)
        normalised: ComplexArray = state / np.trace(state).real
        return normalised

    def steady_segment(self) -> tuple[ComplexArray, ComplexArray]:
        """The two ends of a one-parameter family of steady states, the purer first; all others are mixtures of them.

        Raises:
            PhysicsError: the kernel is not two-dimensional.
        """
        if self.steady_dimension != 2:
            raise PhysicsError(f"steady_dimension = {self.steady_dimension}: a family between two states needs 2")
        middle = self.steady_state(np.eye(self.dimension, dtype=complex) / self.dimension)
        direction = self._traceless_steady(middle)
        weights, basis = np.linalg.eigh(middle)
        held = weights > 1e-12
        root = basis[:, held] / np.sqrt(weights[held])
        slopes = np.linalg.eigvalsh(root.conj().T @ direction @ root)
        ends = [middle - direction / slope for slope in (slopes[0], slopes[-1])]
        first, second = sorted(ends, key=lambda state: -float(np.linalg.norm(state)))
        return first, second

    def _traceless_steady(self, middle: ComplexArray) -> ComplexArray:
        """The Hermitian direction within the kernel along which the trace does not change."""
        best = np.zeros_like(middle)
        for column in self._kernel[0].T:
            square = column.reshape(self.dimension, self.dimension)
            for part in (square + square.conj().T, 1j * (square - square.conj().T)):
                along = part - np.trace(part).real * middle
                best = along if np.linalg.norm(along) > np.linalg.norm(best) else best
        return best

    def evolve(self, initial: ComplexArray, times: FloatArray) -> ComplexArray:
        """States at ``times`` (shape (T,), 0 or more) after ``initial``; shape (T, d, d)."""
        moments = np.atleast_1d(real_array("times", times))
        if moments.size and moments.min() < 0.0:
            raise refuse("times", float(moments.min()), "0 or more is needed")
        flat = density_matrix("initial", initial, self.dimension).reshape(-1)
        if self._modes is None:
            from scipy.linalg import expm

            states = np.array([expm(self.matrix * time) @ flat for time in moments])
        else:
            values, right, left = self._modes
            states = (
                np.exp(np.multiply.outer(moments, np.minimum(values.real, 0.0) + 1j * values.imag)) * (left @ flat)
            ) @ right.T
        states = states.reshape(-1, self.dimension, self.dimension)
        hermitian_part: ComplexArray = 0.5 * (states + states.conj().transpose(0, 2, 1))
        return hermitian_part

    def spectrum(
        self,
        first: ComplexArray,
        second: ComplexArray,
        state: ComplexArray,
        angular: FloatArray,
        *,
        mirrored: bool = False,
    ) -> FloatArray:
        """S(w) = 2 Re int_0^inf exp(i w t) <first(t) second(0)> dt, by the quantum regression formula.

        What does not decay would be a delta function at w = 0; it is left out here, see `static_weight`.

        Args:
            first: shape (..., d, d), one operator or a stack.
            second: likewise.
            state: shape (d, d), a steady state.
            angular: shape (W,), w.
            mirrored: return S(w) + S(-w).

        Returns:
            Shape (..., W).
        """
        readout, source = self._flat(first, second, state)
        if self._modes is None:
            return self._spectrum_point_by_point(readout, source, angular, mirrored)
        values, vectors, inverse = self._modes
        weights = (readout @ vectors) * (source @ inverse.T)
        lively = np.abs(values) > max(SLOWEST * np.abs(values).max(), np.abs(values).min())
        width = np.maximum(np.abs(values[lively].real), SLOWEST * np.abs(values).max())
        heights = np.abs(weights).reshape(-1, len(values)).max(axis=0)[lively] / width
        seen = np.flatnonzero(lively)[heights > _UNSEEN * heights.max(initial=0.0)]
        weights, decays, turn = weights[..., seen], values[seen], 1j * angular[:, None]
        response = 2.0 * decays / (decays**2 - turn**2) if mirrored else 1.0 / (decays + turn)
        summed = np.einsum("...k,wk->...w", weights, response)  # not @: threads would only wait for each other
        answer: FloatArray = -2.0 * summed.real
        return answer

    def _spectrum_point_by_point(
        self, readout: ComplexArray, source: ComplexArray, angular: FloatArray, mirrored: bool
    ) -> FloatArray:
        """The same without eigenvectors, for a generator that has too few of them."""
        right, left = self._kernel
        moving = (source - (source @ left.conj()) @ right.T)[..., None]
        lifted, unit = self.matrix - right @ left.conj().T, np.eye(len(self.matrix))
        points = []
        for w in angular:
            for turn in (1j * w, -1j * w)[: 2 if mirrored else 1]:
                response = np.linalg.solve(lifted + turn * unit, moving)[..., 0]
                points.append(-2.0 * (readout * response).sum(axis=-1).real)
        split = np.stack(points, axis=-1)
        answer: FloatArray = split.reshape(*split.shape[:-1], angular.size, -1).sum(axis=-1)
        return answer

    def static_weight(self, first: ComplexArray, second: ComplexArray, state: ComplexArray) -> ComplexArray:
        """The part of <first(t) second(0)> that never decays, shape (...); S(w) has 2 pi delta(w) times it."""
        readout, source = self._flat(first, second, state)
        right, left = self._kernel
        weight: ComplexArray = ((source @ left.conj()) * (readout @ right)).sum(axis=-1)
        return weight

    def _flat(
        self, first: ComplexArray, second: ComplexArray, state: ComplexArray
    ) -> tuple[ComplexArray, ComplexArray]:
        """Tr[first .] and second rho, flattened."""
        size = len(self.matrix)
        readout: ComplexArray = np.swapaxes(first, -1, -2).reshape(*np.shape(first)[:-2], size)
        source: ComplexArray = (second @ state).reshape(*np.shape(second)[:-2], size)
        return readout, source


def hermitian(name: str, matrix: ComplexArray) -> ComplexArray:
    """``matrix`` as a complex array; raises PhysicsError unless it is square, finite and Hermitian."""
    square = np.asarray(matrix, dtype=complex)
    if square.ndim != 2 or square.shape[0] != square.shape[1]:
        raise refuse(f"shape of {name}", square.shape, "a square matrix is needed")
    if not np.isfinite(square).all():
        raise refuse(name, square[~np.isfinite(square)][0], "finite numbers are needed")
    skew = float(np.abs(square - square.conj().T).max())
    if skew > 1e-9 * max(1.0, float(np.abs(square).max())):
        raise refuse(f"anti-Hermitian part of {name}", skew, "0 is needed")
    return square


def density_matrix(name: str, state: ComplexArray, dimension: int) -> ComplexArray:
    """``state`` as a complex array; raises PhysicsError unless it is a density matrix of ``dimension``."""
    square = hermitian(name, state)
    if square.shape[0] != dimension:
        raise refuse(f"shape of {name}", square.shape, f"({dimension}, {dimension}) is needed")
    trace, lowest = float(np.trace(square).real), float(np.linalg.eigvalsh(square)[0])
    if abs(trace - 1.0) > 1e-9:
        raise refuse(f"trace of {name}", trace, "1 is needed")
    if lowest < -1e-9:
        raise refuse(f"lowest eigenvalue of {name}", lowest, "0 or more is needed")
    return square
