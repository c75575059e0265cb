"""How much two spins 1/2 know of each other: measures of a 4x4 density matrix, in the basis |uu>, |ud>, |du>, |dd>.

Entropies and negativity are in bits (logarithms to base 2). Every measure takes one state, shape (4, 4), or a stack of
states, shape (..., 4, 4), and returns shape (...).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.physics.arguments import refuse

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

_FLIP = np.array([[0, 0, 0, -1], [0, 0, 1, 0], [0, 1, 0, 0], [-1, 0, 0, 0]], dtype=float)
"""tau_y (x) tau_y, which turns both spins over."""


def concurrence(states: Any) -> FloatArray:
    """C of Wootters (Phys. Rev. Lett. 80, 2245): 0 for separable states, 1 for maximally entangled ones.

    With rho = w w^+ the four numbers of Wootters are the singular values of w^T (tau_y tau_y) w, which keeps the digits
    that the square roots of eigenvalues would lose.
    """
    weights, vectors = np.linalg.eigh(_states(states))
    roots = vectors * np.sqrt(np.maximum(weights, 0.0))[..., None, :]
    sizes = np.linalg.svd(np.swapaxes(roots, -1, -2) @ _FLIP @ roots, compute_uv=False)
    answer: FloatArray = np.maximum(2.0 * sizes[..., 0] - sizes.sum(axis=-1), 0.0)
    return answer


def entanglement_of_formation(states: Any) -> FloatArray:
    """E_F in ebits, a function of the concurrence alone (Wootters)."""
    squared = concurrence(states) ** 2
    smaller = 0.5 * squared / (1.0 + np.sqrt(np.maximum(1.0 - squared, 0.0)))
    return _entropy(np.stack([smaller, 1.0 - smaller], axis=-1))


def logarithmic_negativity(states: Any) -> FloatArray:
    """E_N = log2 of the trace norm of the partial transpose (Vidal and Werner), in ebits."""
    split = _states(states).reshape(*np.shape(states)[:-2], 2, 2, 2, 2)
    transposed = np.swapaxes(split, -1, -3).reshape(np.shape(states))
    negative = np.minimum(np.linalg.eigvalsh(transposed), 0.0).sum(axis=-1)
    answer: FloatArray = np.log2(1.0 - 2.0 * negative)
    return answer


def mutual_information(states: Any) -> FloatArray:
    """S(rho_1) + S(rho_2) - S(rho) in bits; also classical correlation counts."""
    whole = _states(states)
    split = whole.reshape(*whole.shape[:-2], 2, 2, 2, 2)
    first, second = np.trace(split, axis1=-3, axis2=-1), np.trace(split, axis1=-4, axis2=-2)
    entropies = [_entropy(np.linalg.eigvalsh(state).astype(float)) for state in (first, second, whole)]
    return entropies[0] + entropies[1] - entropies[2]


def _entropy(probabilities: FloatArray) -> FloatArray:
    """-sum p log2 p over the last axis."""
    kept = np.maximum(probabilities, 0.0)
    logarithms = np.log2(kept, out=np.zeros_like(kept), where=kept > 0.0)
    answer: FloatArray = np.maximum(-(kept * logarithms).sum(axis=-1), 0.0)
    return answer


def _states(states: Any) -> ComplexArray:
    """``states`` as complex arrays; raises PhysicsError unless each is a density matrix of two spins 1/2."""
    stack = np.asarray(states, dtype=complex)
    if stack.ndim < 2 or stack.shape[-2:] != (4, 4):
        raise refuse("shape of states", stack.shape, "(..., 4, 4) is needed")
    if not np.isfinite(stack).all():
        raise refuse("states", stack[~np.isfinite(stack)][0], "finite numbers are needed")
    skew = float(np.abs(stack - np.swapaxes(stack, -1, -2).conj()).max(initial=0.0))
    if skew > 1e-9:
        raise refuse("anti-Hermitian part of states", skew, "0 is needed")
    trace = np.trace(stack, axis1=-2, axis2=-1).real
    if np.abs(trace - 1.0).max(initial=0.0) > 1e-9:
        raise refuse("trace of states", float(np.ravel(trace)[np.abs(np.ravel(trace) - 1.0).argmax()]), "1 is needed")
    lowest = float(np.linalg.eigvalsh(stack).min(initial=0.0))
    if lowest < -1e-9:
        raise refuse("lowest eigenvalue of states", lowest, "0 or more is needed")
    return stack
