"""Spin-dependent strength of electron scattering, second order in the interaction sigma.S/2 + U (Muenks et al., eq. 5).

An electron that comes from an electrode with density matrix R_from and ends in one with R_to takes the spins from
state i to state f with the strength w = 4 Tr[R_to M R_from M*], M = sigma.<f|S|i>/2 + U delta_fi. For R_to = 1/2 and
R_from = (1 + P.sigma)/2 that is 1/2 [|S|^2 - i P.(S x S*)] for f != i. Summed over f it is S(S+1)/2 + 2 U^2 (plus 2 U
P.<S>), so that for S = 1 a junction's conductance at high bias is its G12.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.operators import pauli_matrices

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

_ROUNDING = 1e-10
"""Matrix elements below this part of the largest cannot be told from rounding and are zero."""


def vertices(elements: ComplexArray, potential: float | FloatArray) -> ComplexArray:
    """The interaction as sum_mu sigma_mu S_mu / 2, S_0 = 2 U, then the spin.

    Args:
        elements: shape (3, ..., n, n), <f|S_a|i>.
        potential: U, shape (...).

    Returns:
        Shape (4, ..., n, n) as [mu, ..., f, i].
    """
    size = np.abs(elements)
    found = np.zeros((4, *elements.shape[1:]), dtype=complex)
    found[0] = 2 * np.asarray(potential)[..., None, None] * np.eye(elements.shape[-1])
    np.copyto(found[1:], elements, where=size > _ROUNDING * size.max(axis=(0, -2, -1), keepdims=True))
    return found


def density(polarisations: FloatArray) -> FloatArray:
    """Components (1, P) of 2R = 1 + P.sigma, shape (4, ...) from polarisations of shape (..., 3)."""
    spins = np.ones((4, *polarisations.shape[:-1]))
    for axis in range(3):
        spins[1 + axis] = polarisations[..., axis]
    return spins


def components(spins: FloatArray) -> list[tuple[int, FloatArray]]:
    """Those of the four components of a `density` that are not zero everywhere, with their numbers."""
    present = spins.reshape(4, -1).any(axis=1)
    return [(int(number), spins[number]) for number in np.flatnonzero(present)]


@lru_cache
def pauli_trace(factors: int) -> ComplexArray:
    """Tr[sigma_a sigma_b ...] for every choice of ``factors`` matrices out of 1, x, y, z; shape (4,) * factors."""
    sigma = pauli_matrices()
    product = sigma
    for _ in range(factors - 1):
        product = np.einsum("...ij,ajk->...aik", product, sigma)
    trace: ComplexArray = np.einsum("...ii->...", product)
    trace.flags.writeable = False
    return trace


def strengths(vertex: ComplexArray, from_density: FloatArray, to_density: FloatArray) -> FloatArray:
    """Second-order strength w of every transition.

    Args:
        vertex: shape (4, ..., n, n), see ``vertices``.
        from_density: shape (4, ..., n, n) or (4, ..., 1, 1), components of 2R where the electron comes from, for each
            [f, i].
        to_density: the same where it ends.

    Returns:
        Shape (..., n, n), [..., f, i], real and not negative.
    """
    trace, total = pauli_trace(4), np.zeros(vertex.shape[1:])
    rows, conjugate = vertex.reshape(4, -1), vertex.conj()
    for ends, to_part in components(to_density):
        for starts, from_part in components(from_density):
            pair = (trace[ends, :, starts, :].T @ rows).reshape(vertex.shape)
            pair *= conjugate
            total += to_part * from_part * pair.sum(axis=0).real / 4
    return np.maximum(total, 0.0)
