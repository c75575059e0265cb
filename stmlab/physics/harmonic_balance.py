"""Harmonic balance of a driven rate equation, in real arithmetic.

With one state eliminated the driven rate equation reads dx/dt = M(t) x + b(t). In Fourier coefficients it becomes
(i w Q + T) x = b, where Q holds the harmonic numbers and T is minus the block Toeplitz matrix of M. Real signals have
x_-k = conj(x_k), so the unknowns here are c_k = Re x_k (k = 0 ... K) and s_k = Im x_k (k = 1 ... K):

    T_cc c + T_cs s - w D s = Re b,     T_sc c + T_ss s + w D c = Im b,     D = diag(k).

A drive that is even in time (after a shift; every sine is) has T_cs = T_sc = 0. Then s is eliminated as well, and
what is left, (T_cc + w^2 D T_ss^-1 D) c = Re b, is half the size and real: that is where the speed comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

_ROUNDING = 1e-13
"""Relative size below which the odd part of a drive counts as rounding."""


class HarmonicBalance:
    """The linear system of one drive, truncated at ``harmonics`` = K.

    Args:
        matrix: shape (2K+1, m, m), Fourier coefficients 0 ... 2K of M(t).
        source: shape (K+1, m), Fourier coefficients 0 ... K of b(t).
        even: the drive is even in time: all coefficients are real.
    """

    def __init__(self, matrix: ComplexArray, source: ComplexArray, *, even: bool) -> None:
        self.harmonics, self.states, self.even = source.shape[0] - 1, source.shape[1], even
        order = np.arange(self.harmonics + 1)
        apart = order[:, None] - order[None, :]
        minus = -_with_conjugates(matrix, apart)
        plus = -matrix[order[:, None] + order[None, :]]
        plus[:, 0] = 0.0  # harmonic 0 is its own mirror image: count it once
        self._t_cc = self._as_matrix((minus + plus).real)
        self._t_ss = self._as_matrix((minus - plus).real[1:, 1:])
        self._source_c, self._source_s = source.real.reshape(-1), source.imag[1:].reshape(-1)
        self._number = np.repeat(order.astype(float), self.states)
        if even:
            odd = self._number[self.states :]
            self._kinetic = odd[:, None] * np.linalg.solve(self._t_ss, np.diag(odd))
        else:
            self._t_cs = self._as_matrix((plus - minus).imag[:, 1:])
            self._t_sc = self._as_matrix((minus + plus).imag[1:])

    @staticmethod
    def _as_matrix(blocks: FloatArray) -> FloatArray:
        rows, columns, states, _ = blocks.shape
        return blocks.transpose(0, 2, 1, 3).reshape(rows * states, columns * states)

    def solve_each(self, angular: FloatArray) -> ComplexArray:
        """Solve at each angular frequency by itself; shape (F, K+1, m)."""
        return np.concatenate([self._solve_even_once(w) if self.even else self._solve_general_once(w) for w in angular])

    def solve_all(self, angular: FloatArray) -> ComplexArray:
        """Solve at all angular frequencies with one eigendecomposition; shape (F, K+1, m).

        One step of refinement with the same decomposition repairs badly conditioned eigenvectors.
        """
        return self._solve_even(angular) if self.even else self._solve_general(angular)

    def _solve_even_once(self, w: float) -> ComplexArray:
        full = self._t_cc.copy()
        full[self.states :, self.states :] += w * w * self._kinetic
        cosines: FloatArray = np.linalg.solve(full, self._source_c)[:, None]
        return self._from_even(cosines, np.array([w]))

    def _solve_general_once(self, w: float) -> ComplexArray:
        static, rotation, source = self._general_system()
        stacked: FloatArray = np.linalg.solve(static + w * rotation, source)[:, None]
        return self._from_general(stacked)

    def _solve_even(self, angular: FloatArray) -> ComplexArray:
        m, squared = self.states, angular * angular
        rotation = np.zeros_like(self._t_cc)
        rotation[m:, m:] = self._kinetic
        return self._from_even(_pencil(self._t_cc, rotation, self._source_c, squared, idle=m), angular)

    def _solve_general(self, angular: FloatArray) -> ComplexArray:
        static, rotation, source = self._general_system()
        return self._from_general(_pencil(static, rotation, source, angular, idle=self.states))

    def _general_system(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        m, cosines = self.states, self._t_cc.shape[0]
        static = np.block([[self._t_cc, self._t_cs], [self._t_sc, self._t_ss]])
        rotation = np.zeros_like(static)
        index = np.arange(cosines - m)
        rotation[m + index, cosines + index] = -self._number[m:]
        rotation[cosines + index, m + index] = self._number[m:]
        return static, rotation, np.concatenate([self._source_c, self._source_s])

    def _from_even(self, cosines: FloatArray, angular: FloatArray) -> ComplexArray:
        odd = self._number[self.states :, None]
        sines = -angular * np.linalg.solve(self._t_ss, odd * cosines[self.states :])
        return self._from_general(np.concatenate([cosines, sines]))

    def _from_general(self, stacked: FloatArray) -> ComplexArray:
        split = self._t_cc.shape[0]
        answer = stacked[:split].astype(complex)
        answer[self.states :] += 1j * stacked[split:]
        shaped: ComplexArray = answer.T.reshape(-1, self.harmonics + 1, self.states)
        return shaped


def _with_conjugates(coefficients: ComplexArray, order: np.ndarray) -> ComplexArray:
    """Coefficients of a real signal at any order, negative ones as conjugates."""
    chosen = coefficients[np.abs(order)]
    return np.where((order < 0)[..., None, None], chosen.conj(), chosen)


def _pencil(
    static: FloatArray, rotation: FloatArray, source: FloatArray, scale: FloatArray, *, idle: int
) -> FloatArray:
    """Solve (static + scale_f rotation) x_f = source for every f at once; shape (N, F).

    The first ``idle`` rows and columns of ``rotation`` are zero: they are kept out of the eigenproblem.
    """
    folded = np.linalg.solve(static, np.column_stack([rotation[:, idle:], source]))
    values, vectors = np.linalg.eig(folded[idle:, :-1])
    inverse = np.linalg.inv(vectors)
    damping = 1.0 / (1.0 + np.multiply.outer(values, scale))

    def respond(right: FloatArray) -> FloatArray:
        moving = ((vectors @ (damping * (inverse @ right[idle:]))).real).astype(float)
        return np.concatenate([right[:idle] - scale * (folded[:idle, :-1] @ moving), moving])

    right = np.repeat(folded[:, -1:], scale.size, axis=1)
    answer = respond(right)
    missing = right - answer - scale * (folded[:, :-1] @ answer[idle:])
    return answer + respond(missing)


def shifted_to_even(coefficients: ComplexArray) -> tuple[ComplexArray, float, bool]:
    """Shift time so that the lowest harmonic of the drive is a cosine.

    Args:
        coefficients: shape (H, n, n), harmonics 0 ... H-1 of a real periodic matrix.

    Returns:
        The shifted coefficients, the shift as a phase of the fundamental, and whether the drive is even after it.
    """
    strength = np.abs(coefficients).reshape(coefficients.shape[0], -1)
    present = np.flatnonzero(strength.max(axis=1)[1:] > 1e-9 * strength.max())
    if present.size == 0:
        return coefficients, 0.0, True
    lowest = int(present[0]) + 1
    phase = float(np.angle(coefficients[lowest].reshape(-1)[strength[lowest].argmax()])) / lowest
    shifted = coefficients * np.exp(-1j * phase * np.arange(coefficients.shape[0]))[:, None, None]
    even = float(np.abs(shifted.imag).max()) <= _ROUNDING * float(strength.max())
    return shifted, phase, even
