"""Third order: tunnelling interferes with tunnelling plus one scattering in the sample (Muenks et al., eq. 7).

Added to the second-order strength of i -> f at the electron's energy E is

    2 J rho sum_m Re[N_m L(E - (e_m - e_i)) + R_m L(E - (e_f - e_m))]

N: the electron tunnels first (i -> m) and then scatters in the sample (m -> f); R: a sample electron scatters first
(i -> m) and the tunnelling electron fills its hole (m -> f), with the minus sign of exchanged electrons. From tip to
sample, E is the energy of the electron above the sample's Fermi level; from sample to tip, minus that energy. With
S_l = <i|S_l|f> and so on

    N_21 = +1/8 Tr[s_l r1 s_k r1 s_j r2] Y,   R_21 = -1/8 Tr[s_l r1 s_j r1 s_k r2] Y,
    N_12 = -1/8 Tr[s_j r1 s_k r1 s_l r2] Y,   R_12 = +1/8 Tr[s_k r1 s_j r1 s_l r2] Y,
    Y = <i|S_l|f> <f|S_k|m> <m|S_j|i>,

r = 2R = 1 + P.sigma of sample (1) and tip (2). Potential scattering enters the two tunnelling vertices as s_0 = 1,
S_0 = 2U. The published form (Ternes, New J. Phys. 17, 063016) has the pole of R at -(e_m - e_i). Both are offered;
only the exact one keeps detailed balance, hence I(0) = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.physics.scattering import components, pauli_trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stmlab.arrays import ComplexArray, FloatArray, IntArray
    from stmlab.physics.logarithm import BroadenedLogarithm

_NEAR = 0.1
"""Closer than this to the threshold, in kT, the mean over [eV, threshold] is taken by quadrature, not as a quotient."""
_NODES, _WEIGHTS = (0.5 * np.polynomial.legendre.leggauss(4)[0] + 0.5, 0.5 * np.polynomial.legendre.leggauss(4)[1])


class Pole(StrEnum):
    """Where the exchanged diagram has its logarithm."""

    EXACT = "exact"
    TERNES = "ternes"


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction of tunnelling.

    Attributes:
        to_sample: from tip to sample (21), or from sample to tip (12).
        tip, sample: components (1, P) of 2R for each transition [f, i], shape (4, n, n) or (4, 1, 1).
    """

    to_sample: bool
    tip: FloatArray
    sample: FloatArray


class ThirdOrder:
    """The third-order part of one direction of tunnelling.

    Args:
        vertex: shape (4, n, n), see ``scattering.vertices``.
        energies_meV: shape (n,).
        direction: which way the electron goes, and how both electrodes are polarised.
        coupling: J rho of the sample, without dimension; negative is antiferromagnetic.
        logarithm: L, broadened.
        pole: where the exchanged diagram has its logarithm.
    """

    def __init__(
        self,
        vertex: ComplexArray,
        energies_meV: FloatArray,
        direction: Direction,
        coupling: float,
        logarithm: BroadenedLogarithm,
        pole: Pole,
    ) -> None:
        self._direct, self._exchanged = diagrams(vertex, direction)
        self._direct *= 2 * coupling
        self._exchanged *= 2 * coupling
        self._to_sample, self._exact, self._logarithm = direction.to_sample, pole is Pole.EXACT, logarithm
        energy = energies_meV
        self._threshold = energy[:, None] - energy
        # Poles as [f, i, m].
        self._direct_pole = (energy - energy[:, None])[None]
        self._exchanged_pole = (energy[:, None] - energy)[:, None] if self._exact else -self._direct_pole
        # Both diagrams side by side, [f, i, m]: they share every evaluation of the logarithm.
        poles = (np.broadcast_to(pole, self._direct.shape) for pole in (self._direct_pole, self._exchanged_pole))
        self._poles = np.concatenate([*poles], axis=-1)
        self._strengths = np.concatenate([self._direct, self._exchanged], axis=-1)
        self._integral_at_threshold = self._spectral(self._threshold[..., None], np.s_[:, :], -1, -1)[0][..., 0]

    def means(
        self, bias_meV: FloatArray, tables: list[FloatArray], index: IntArray, kT_meV: float, highest: int
    ) -> list[FloatArray]:
        """Mean third-order strength between bias and threshold, and its derivatives by the bias.

        Args:
            bias_meV: shape (V,), eV.
            tables: derivatives -1 ... of L at eV minus each distinct energy difference, each of shape (Q, V).
            index: shape (n, n), number of e_f - e_i among the differences.
            kT_meV: temperature.
            highest: highest derivative.

        Returns:
            ``highest`` + 1 arrays [f, i, v]: M^(k) = int_0^1 (1 - t)^k c^(k)(u + t x) dt, x = threshold - u, where u is
            eV (tip to sample) or -eV (sample to tip), c the third-order strength; derivatives are those by u.
        """
        u = bias_meV if self._to_sample else -bias_meV
        distance = self._threshold[..., None] - u
        near = np.abs(distance) < _NEAR * kT_meV
        quotient = 1.0 / np.where(near, 1.0, distance)
        means = [(self._integral_at_threshold[..., None] - self._on_grid(tables[0], index, -1)) * quotient]
        for order in range(1, highest + 1):
            means.append((order * means[-1] - self._on_grid(tables[order], index, order - 1)) * quotient)
        self._replace_near(means, near, distance, u)
        return means

    def _on_grid(self, table: FloatArray, index: IntArray, order: int) -> FloatArray:
        """sum_m N L^(order) + R L^(order) at u, shape (n, n, V): L is even, so that -eV needs no table of its own."""
        at = table[index] if self._to_sample else (-1) ** order * table[index.T]
        direct = self._direct.transpose(1, 0, 2) @ at.transpose(1, 0, 2)
        if self._exact:
            return direct.transpose(1, 0, 2) + self._exchanged @ at
        return (direct + self._exchanged.transpose(1, 0, 2) @ at).transpose(1, 0, 2)

    def _replace_near(
        self, means: list[FloatArray], near: NDArray[np.bool_], distance: FloatArray, u: FloatArray
    ) -> None:
        finals, initials, points = np.nonzero(near)
        if not len(points):
            return
        at = finals, initials
        energy = u[points, None] + _NODES * distance[finals, initials, points, None]
        strength = self._spectral(energy, at, 0, len(means) - 1)
        for order, mean in enumerate(means):
            mean[finals, initials, points] = strength[order] @ (_WEIGHTS * (1 - _NODES) ** order)

    def _spectral(self, energy: FloatArray, at: tuple[Any, ...], lowest: int, highest: int) -> list[FloatArray]:
        """Derivatives of c at energies [..., k] for the transitions ``at``; each of the shape of ``energy``."""
        distance = energy[..., None] - self._poles[at][..., None, :]
        strength = self._strengths[at][..., None]
        return [(logarithm @ strength)[..., 0] for logarithm in self._logarithm.orders(distance, lowest, highest)]


def diagrams(vertex: ComplexArray, direction: Direction) -> tuple[FloatArray, FloatArray]:
    """Re N and Re R of the module's formula, each of shape (n, n, n) as [f, i, m]."""
    states = vertex.shape[1]
    direct, exchanged = np.zeros((states,) * 3), np.zeros((states,) * 3)
    sign = 1 if direction.to_sample else -1
    for (a, b, c), weight in _weights(direction):
        trace = pauli_trace(6)
        if direction.to_sample:
            first, second = trace[:, a, :, b, :, c], trace[:, a, :, b, :, c].transpose(0, 2, 1)
        else:
            first, second = trace[:, b, :, a, :, c].transpose(2, 1, 0), trace[:, b, :, a, :, c].transpose(2, 0, 1)
        direct += sign * weight[..., None] * _contract(first, vertex, scattering_second=True)
        exchanged -= sign * weight[..., None] * _contract(second, vertex, scattering_second=False)
    return direct, exchanged


def _weights(direction: Direction) -> list[tuple[tuple[int, int, int], FloatArray]]:
    """Components (a, b of the sample, c of the tip) that are not zero, with their product for [f, i]."""
    tip, sample = components(direction.tip), components(direction.sample)
    return [
        ((a, b, c), final * between * electron) for a, final in sample for b, between in sample for c, electron in tip
    ]


def _contract(trace: ComplexArray, vertex: ComplexArray, *, scattering_second: bool) -> FloatArray:
    """1/8 Re sum_lkj trace[l, k, j] <i|S_l|f> <f|S_k|m> <m|S_j|i>, without potential scattering inside the sample."""
    second, first = (vertex[1:], vertex) if scattering_second else (vertex, vertex[1:])
    trace = trace[:, 4 - len(second) :, 4 - len(first) :]
    outer = np.einsum("lkj,lif->kjfi", trace, vertex)
    total = np.zeros((vertex.shape[1],) * 3)
    for j, into in enumerate(first):
        middle = np.einsum("kfi,kfm->fim", outer[:, j], second)
        total += (middle * into.T).real
    return total / 8
