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
_WORST_INVERSE = 1e7
"""Condition above which the sines of an even drive are not eliminated."""


class HarmonicBalance:
    """The linear system of one drive, truncated at ``harmonics`` = K.

    Args:
        matrix: shape (2K+1, m, m), Fourier coefficients 0 ... 2K of M(t).
        source: shape (K+1, m), Fourier coefficients 0 ... K of b(t).
        even: the drive is even in time: all coefficients are real.
    """

    def __init__(self, matrix: ComplexArray, source: ComplexArray, *, even: bool) -> None:
        self.harmonics, self.states = source.shape[0] - 1, source.shape[1]
        order = np.arange(self.harmonics + 1)
        self._matrix, self._minus, self._plus = matrix, order[:, None] - order[None, :], order[:, None] + order[None, :]
        minus, plus = -matrix.real[np.abs(self._minus)], -matrix.real[self._plus]
        plus[:, 0] = 0.0  # harmonic 0 is its own mirror image: count it once
        self._t_cc = _as_matrix(minus + plus)
        self._t_ss = _as_matrix((minus - plus)[1:, 1:])
        self._source = np.concatenate([source.real.reshape(-1), source.imag[1:].reshape(-1)])
        self._number = np.repeat(order[1:].astype(float), self.states)
        self._sines_of_cosines = _well_conditioned_inverse(self._t_ss) if even else None

    @property
    def unknowns(self) -> int:
        """Of one solution."""
        general = self._sines_of_cosines is None
        return len(self._t_cc) + (len(self._t_ss) if general else 0)

    def solve_each(self, angular: FloatArray) -> ComplexArray:
        """Solve at each angular frequency by itself; shape (F, K+1, m). Raises LinAlgError if there is no solution."""
        if self._sines_of_cosines is None:
            static, rotation = self._general()
            answers = [np.linalg.solve(static + w * rotation, self._source) for w in angular]
            return self._complex(np.stack(answers, axis=1))
        rotation, source = self._even(self._sines_of_cosines)
        answers = [np.linalg.solve(self._t_cc + w * w * rotation, source) for w in angular]
        return self._with_sines(np.stack(answers, axis=1), angular, self._sines_of_cosines)

    def solve_all(self, angular: FloatArray) -> ComplexArray:
        """Solve at all angular frequencies with one eigendecomposition; shape (F, K+1, m)."""
        if self._sines_of_cosines is None:
            static, rotation = self._general()
            centre = float(np.median(angular))
            answers = _pencil(static + centre * rotation, rotation, self._source, angular - centre, self.states)
            return self._complex(answers)
        rotation, source = self._even(self._sines_of_cosines)
        answers = _pencil(self._t_cc, rotation, source, angular * angular, self.states)
        return self._with_sines(answers, angular, self._sines_of_cosines)

    def _general(self) -> tuple[FloatArray, FloatArray]:
        """The matrices without and with a factor w, for all unknowns."""
        sign = np.sign(self._minus)[..., None, None]  # negative orders are conjugates
        minus, plus = -sign * self._matrix.imag[np.abs(self._minus)], -self._matrix.imag[self._plus]
        plus[:, 0] = 0.0
        t_cs, t_sc = _as_matrix((plus - minus)[:, 1:]), _as_matrix((minus + plus)[1:])
        static = np.block([[self._t_cc, t_cs], [t_sc, self._t_ss]])
        rotation = np.zeros_like(static)
        sines = np.arange(len(self._t_cc), len(static))
        cosines = sines - self._number.size
        rotation[cosines, sines], rotation[sines, cosines] = -self._number, self._number
        return static, rotation

    def _even(self, inverse: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The matrix with a factor w^2 and the right side, for the cosines of an even drive."""
        rotation = np.zeros_like(self._t_cc)
        rotation[self.states :, self.states :] = self._number[:, None] * inverse * self._number
        return rotation, self._source[: len(self._t_cc)]

    def _with_sines(self, cosines: FloatArray, angular: FloatArray, inverse: FloatArray) -> ComplexArray:
        sines = -angular * (inverse @ (self._number[:, None] * cosines[self.states :]))
        return self._complex(np.concatenate([cosines, sines]))

    def _complex(self, stacked: FloatArray) -> ComplexArray:
        answer = stacked[: len(self._t_cc)].astype(complex)
        answer[self.states :] += 1j * stacked[len(self._t_cc) :]
        return answer.T.reshape(-1, self.harmonics + 1, self.states)


def _as_matrix(blocks: FloatArray) -> FloatArray:
    rows, columns, states, _ = blocks.shape
    return blocks.transpose(0, 2, 1, 3).reshape(rows * states, columns * states)


def _well_conditioned_inverse(matrix: FloatArray) -> FloatArray | None:
    """The inverse, or None where rates that nearly vanish for part of the period would spoil it."""
    try:
        inverse = np.asarray(np.linalg.inv(matrix), dtype=float)
    except np.linalg.LinAlgError:
        return None
    return inverse if np.abs(matrix).max() * np.abs(inverse).max() < _WORST_INVERSE else None


def _pencil(static: FloatArray, rotation: FloatArray, source: FloatArray, scale: FloatArray, idle: int) -> FloatArray:
    """Solve (static + scale_f rotation) x_f = source for every f at once; shape (N, F).

    The first ``idle`` rows and columns of ``rotation`` are zero: they are kept out of the eigenproblem. One step of
    refinement with the same decomposition repairs what badly conditioned eigenvectors spoil.
    """
    folded = np.asarray(np.linalg.solve(static, np.column_stack([rotation[:, idle:], source])), dtype=float)
    above, square = folded[:idle, :-1], folded[idle:, :-1]
    values, vectors = np.linalg.eig(square)
    damped = 1.0 + np.multiply.outer(values, scale)
    if not damped.all():
        raise np.linalg.LinAlgError("singular at one of the frequencies")
    damping = 1.0 / damped

    def respond(right: FloatArray) -> FloatArray:
        moving = (vectors @ (damping * np.linalg.solve(vectors, right[idle:]))).real
        return np.concatenate([right[:idle] - scale * (above @ moving), moving])

    right = folded[:, -1:]
    answer = respond(right)
    return answer + respond(right - answer - scale * (folded[:, :-1] @ answer[idle:]))


def shifted_to_even(coefficients: ComplexArray) -> tuple[ComplexArray, float, bool]:
    """Shift time so that the lowest harmonic of the drive is a cosine.

    Args:
        coefficients: shape (H, n, n), harmonics 0 ... H-1 of a real periodic matrix.

    Returns:
        The shifted coefficients, the shift as a phase of the fundamental, and whether the drive is even after it.
    """
    strength = np.abs(coefficients).reshape(coefficients.shape[0], -1)
    moving = strength.max(axis=1)[1:]
    present = np.flatnonzero(moving > max(1e-9 * moving.max(initial=0.0), 1e-15 * strength.max()))
    if present.size == 0:
        return coefficients, 0.0, True
    lowest = int(present[0]) + 1
    phase = float(np.angle(coefficients[lowest].reshape(-1)[strength[lowest].argmax()])) / lowest
    shifted = coefficients * np.exp(-1j * phase * np.arange(coefficients.shape[0]))[:, None, None]
    even = float(np.abs(shifted.imag).max()) <= _ROUNDING * float(strength.max())
    return shifted, phase, even
