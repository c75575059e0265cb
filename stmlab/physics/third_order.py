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

r = 2R = 1 + P.sigma of sample (1) and tip (2). Scattering in the tip is the same with both exchanged. Potential
scattering enters the two tunnelling vertices as s_0 = 1, S_0 = 2U. The published form (Ternes, New J. Phys. 17, 063016)
has the pole of R at -(e_m - e_i). Both are offered; only the exact one keeps detailed balance, hence I(0) = 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.scattering import components, pauli_trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.arrays import ComplexArray, FloatArray, IntArray

NEAR = 0.05
"""Closer than this to the threshold, in kT, the mean over [eV, threshold] is a Taylor series, not a quotient ..."""
TERMS = 8
"""... of so many terms: they fall off as the distance over 2 pi kT."""


class Pole(StrEnum):
    """Where the exchanged diagram has its logarithm."""

    EXACT = "exact"
    TERNES = "ternes"


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction of tunnelling in B junctions.

    Attributes:
        to_sample: from tip to sample (21), or from sample to tip (12).
        tip, sample: components (1, P) of 2R for each transition [f, i], shape (4, B, n, n) or (4, B, 1, 1).
    """

    to_sample: bool
    tip: FloatArray
    sample: FloatArray

    @property
    def mirrored(self) -> Direction:
        """Tip and sample exchanged: the same electron where the third-order scattering happens in the tip."""
        return Direction(not self.to_sample, self.sample, self.tip)


class ThirdOrder:
    """The third-order part of one direction of tunnelling in B junctions.

    Args:
        vertex: shape (4, u, n, n), see ``scattering.vertices``; many junctions may share one.
        owner: number of the vertex of each junction, shape (B,).
        scattering: which way the electron goes and how both electrodes are polarised, with J rho of the sample, shape
            (B,), negative where antiferromagnetic; and the same again, mirrored, with J rho of the tip.
        firsts: number of the first state of each level: intermediate states of one level share their logarithm.
        exact: whether the exchanged diagram has its logarithm where it belongs (`Pole`).
    """

    def __init__(
        self,
        vertex: ComplexArray,
        owner: IntArray,
        scattering: Sequence[tuple[Direction, FloatArray]],
        firsts: IntArray,
        exact: bool,
    ) -> None:
        both = [np.zeros((len(owner), *vertex.shape[-2:], len(firsts))) for _ in range(2)]
        for direction, coupling in scattering:
            for total, found in zip(both, diagrams(vertex, owner, direction), strict=True):
                total += 2 * coupling[:, None, None, None] * np.add.reduceat(found, firsts, axis=-1)
        self._direct, self._exchanged = both
        self._direct_rows = np.ascontiguousarray(self._direct.swapaxes(1, 2))
        self._exchanged_rows = self._exchanged if exact else np.ascontiguousarray(self._exchanged.swapaxes(1, 2))
        self._exact = exact

    def at_threshold(self, direct: FloatArray, exchanged: FloatArray) -> FloatArray:
        """Strength c and its derivatives at the threshold of each transition, from those of L there.

        Args:
            direct: shape (K, B, f, 1, level): L at threshold less the pole of the direct diagram.
            exchanged: shape (K, B, 1 or f, i, level): likewise.

        Returns:
            Shape (K, B, n, n).
        """
        strengths: FloatArray = (self._direct * direct).sum(axis=-1) + (self._exchanged * exchanged).sum(axis=-1)
        return strengths

    def means(
        self,
        cases: slice,
        distance: FloatArray,
        near: FloatArray,
        tables: list[tuple[FloatArray, FloatArray]],
        at: FloatArray,
    ) -> list[FloatArray]:
        """Mean third-order strength between bias and threshold, and its derivatives by the bias.

        Args:
            cases: of the B junctions, b of them.
            distance: threshold less u, shape (b, n, n, V), where u is eV (tip to sample) or -eV (sample to tip).
            near: the distance below which a quotient loses digits, shape (b, 1, 1, 1).
            tables: derivatives -1 ... of L at u less the poles of the direct diagram, shape (b, i, level, V), and of
                the exchanged one, (b, f, level, V), or Ternes' (b, i, level, V).
            at: derivatives -1 ... of c at the thresholds, shape (TERMS + 1, b, n, n).

        Returns:
            As many arrays (b, f, i, v): M^(k) = int_0^1 (1 - t)^k c^(k)(u + t x) dt, x the distance; derivatives are
            those by u.
        """
        close = np.flatnonzero(np.abs(distance) < near)
        beyond = -distance.ravel()[close]
        distance.ravel()[close] = 1.0
        means: list[FloatArray] = []
        for order, (direct, exchanged) in enumerate(tables):
            mean = self._exchanged_rows[cases] @ exchanged
            if not self._exact:
                mean = np.ascontiguousarray(mean.swapaxes(1, 2))
            mean += (self._direct_rows[cases] @ direct).swapaxes(1, 2)
            np.subtract(order * means[-1] if means else at[0][..., None], mean, out=mean)
            mean /= distance
            means.append(mean)
        derivatives = at.reshape(len(at), -1)[:, close // distance.shape[-1]]
        for order, mean in enumerate(means):
            mean.ravel()[close] = sum(
                derivatives[term + 1] * beyond ** (term - order) / ((term + 1) * math.factorial(term - order))
                for term in range(order, TERMS)
            )
        return means


def diagrams(vertex: ComplexArray, owner: IntArray, direction: Direction) -> tuple[FloatArray, FloatArray]:
    """Re N and Re R of the module's formula, each of shape (B, n, n, n) as [b, f, i, m]."""
    shape = (len(owner), *(vertex.shape[-1],) * 3)
    direct, exchanged = np.zeros(shape), np.zeros(shape)
    sign = 1 if direction.to_sample else -1
    for (a, b, c), weight in _weights(direction):
        trace = pauli_trace(6)
        if direction.to_sample:
            first, second = trace[:, a, :, b, :, c], trace[:, a, :, b, :, c].transpose(0, 2, 1)
        else:
            first, second = trace[:, b, :, a, :, c].transpose(2, 1, 0), trace[:, b, :, a, :, c].transpose(2, 0, 1)
        direct += sign * weight[..., None] * _contract(first, vertex, scattering_second=True)[owner]
        exchanged -= sign * weight[..., None] * _contract(second, vertex, scattering_second=False)[owner]
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
    outer = np.moveaxis(np.tensordot(trace, vertex, axes=(0, 0)), (0, 1, 4, 3), (4, 0, 2, 3))  # [j, b, f, i, k]
    middle = outer @ np.moveaxis(second, 0, 2)
    total: FloatArray = (middle * first.swapaxes(-1, -2)[:, :, None]).real.sum(axis=0)
    return total / 8
