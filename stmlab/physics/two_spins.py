"""Two spins 1/2 under a tunnel current (Horovitz and Henkel, Phys. Rev. B 104, L081405).

hbar = k_B = e = 1: energies, rates and the bias share one unit, times are in its inverse. Basis |uu>, |ud>, |du>, |dd>.

    H = nu/2 (tz1 + tz2) - J_ex t1.t2 + J_DM (tx1 ty2 - ty1 tx2)                                      (eq. 7)

The paper names dipolar coupling and leaves unequal spins to others; here both are terms of H,

    + (nu1 - nu2)/4 (tz1 - tz2) + b/4 [t1.t2 - 3 (t1.n)(t2.n)],  b = mu0 g1 g2 mu_B^2 / (4 pi r^3),

n being the direction from one spin to the other, in the xz plane.

Tunnelling electrons flip the spins one by one and together: with q = sqrt(l1 l2) cos(theta/2) the coupling matrices
are [[l1, q exp(-i phi)], [q exp(i phi), l2]] for (t-1, t-2), its conjugate for (t+1, t+2) and [[l1, q cos phi],
[q cos phi, l2]] for (tz1, tz2). Their rates are the noise of the current at the energy that the spins give away.

The printed dissipator ignores J_ex and J_DM: every flip is taken to exchange the Larmor energy, here of the spin that
flips; flips of unequal spins together have the geometric mean of their rates, which is positive. That local master
equation is the default; the global one takes the energies of the coupled pair, and drops what turns between them. It is
wrong, and warns, where lines lie closer than they are wide (4 J_ex or nu1 - nu2 below the linewidth): it has no
coherence between levels that the electrons cannot tell apart. The unified one keeps it, with the geometric mean of the
rates at both energies (Davidovic, Quantum 4, 326 (2020); Nathan and Rudner, Phys. Rev. B 102, 115109 (2020)): positive
always, local for J_ex -> 0, global where lines are far apart. They give the same lines with different weights, so every
system says which one it uses. Line shifts are absorbed in the Larmor energy, as in the paper's Fig. 2 (sign and size of
the shift printed in eq. 6 are wrong, and it cancels in eq. 7).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsWarning
from stmlab.physics.arguments import finite, not_negative, positive, real_array, refuse
from stmlab.physics.lindblad import Dissipator, Lindbladian

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stmlab.arrays import ComplexArray, FloatArray

_RESOLVED = 1e-9
"""Energies closer than this, relative to the largest, are one."""
_UP = np.array([[0, 1], [0, 0]], dtype=complex)
_Z = np.diag([1.0, -1.0]).astype(complex)
_UNIT = np.eye(2, dtype=complex)
RAISING = np.stack([np.kron(_UP, _UNIT), np.kron(_UNIT, _UP)])
"""tau+ of spin 1 and of spin 2; shape (2, 4, 4)."""
LOWERING = RAISING.conj().transpose(0, 2, 1)
"""tau- of spin 1 and of spin 2."""
ALONG = np.stack([np.kron(_Z, _UNIT), np.kron(_UNIT, _Z)])
"""tau_z of spin 1 and of spin 2."""
_OF_UNEQUAL = ("larmor_difference", "dipolar", "dipolar_angle")


class MasterEquation(StrEnum):
    """Which energies the dissipator knows."""

    LOCAL = "local"
    GLOBAL = "global"
    UNIFIED = "unified"


@dataclass(frozen=True)
class TwoSpins:
    """Two spins between two electrodes.

    Attributes:
        larmor: nu, common Larmor energy, with the shift by the baths.
        bias: V; only its magnitude matters.
        coupling_1: l1 = 16 pi J_1^2 N^2, dimensionless coupling of spin 1 to the current.
        coupling_2: l2, of spin 2.
        exchange: J_ex of eq. 7, positive favours parallel spins.
        dzyaloshinskii_moriya: J_DM of eq. 7.
        theta: spin-orbit angle of spin 2's tunnelling, in radians.
        phi: spin-orbit phase, in radians.
        thermal_energy: k_B T; None is the printed limit exp(-(V - |nu|)/kT) -> 0, for which V >= |nu| is needed.
        master_equation: local (as printed), global or unified.
        larmor_difference: nu1 - nu2; nu is their mean.
        dipolar: b.
        dipolar_angle: of n from the field, in radians.
    """

    larmor: float
    bias: float
    coupling_1: float
    coupling_2: float
    exchange: float = 0.0
    dzyaloshinskii_moriya: float = 0.0
    theta: float = 0.0
    phi: float = 0.0
    thermal_energy: float | None = None
    master_equation: MasterEquation = MasterEquation.LOCAL
    larmor_difference: float = 0.0
    dipolar: float = 0.0
    dipolar_angle: float = 0.0

    def __post_init__(self) -> None:
        """Raise PhysicsError unless the model is defined for these arguments."""
        for name in ("larmor", "bias", "exchange", "dzyaloshinskii_moriya", "theta", "phi", *_OF_UNEQUAL):
            finite(name, getattr(self, name))
        not_negative("coupling_1", self.coupling_1)
        not_negative("coupling_2", self.coupling_2)
        if self.master_equation not in list(MasterEquation):
            raise refuse("master_equation", self.master_equation, f"one of {', '.join(MasterEquation)} is needed")
        object.__setattr__(self, "master_equation", MasterEquation(self.master_equation))
        if self.thermal_energy is not None:
            positive("thermal_energy", self.thermal_energy)
        elif abs(self.bias) < (largest := float(np.abs(self.larmors).max())):
            allowed = f"|bias| of at least |larmor| = {largest:.9g} is needed, or a thermal_energy"
            raise refuse("bias", float(self.bias), allowed)

    @property
    def larmors(self) -> FloatArray:
        """Larmor energy of each spin, shape (2,)."""
        return self.larmor + 0.5 * self.larmor_difference * np.array([1.0, -1.0])

    @property
    def hamiltonian(self) -> ComplexArray:
        """H with the interactions of eq. 7, unequal spins and dipolar coupling; shape (4, 4)."""
        flip_flop = RAISING[0] @ LOWERING[1]
        along = np.sin(self.dipolar_angle) * (RAISING + LOWERING) + np.cos(self.dipolar_angle) * ALONG
        together = ALONG[0] @ ALONG[1] + 2.0 * (flip_flop + flip_flop.conj().T)
        matrix: ComplexArray = (
            0.5 * self.larmor * (ALONG[0] + ALONG[1])
            - self.exchange * together
            + 2j * self.dzyaloshinskii_moriya * (flip_flop - flip_flop.conj().T)
            + 0.25 * self.larmor_difference * (ALONG[0] - ALONG[1])
            + 0.25 * self.dipolar * (together - 3.0 * along[0] @ along[1])
        )
        return matrix

    @property
    def levels(self) -> dict[str, float]:
        """Energies of the states called S, T1, T2 and T3 (eq. 9).

        Where the dipolar coupling mixes all four, T1 is the one most like |uu>, T3 of the others that most like |dd>.
        """
        energies, states = np.linalg.eigh(self.hamiltonian)
        first = int(np.argmax(np.abs(states[0])))
        last = max((k for k in range(4) if k != first), key=lambda k: abs(states[3, k]))
        lower, upper = (float(energies[k]) for k in range(4) if k not in (first, last))
        return {"S": upper, "T1": float(energies[first]), "T2": lower, "T3": float(energies[last])}

    def noise(self, energy: float) -> float:
        """Noise of the tunnel current that takes ``energy`` from the spins: F(V + e) + F(e - V), as printed V + e."""
        bias = abs(self.bias)
        return _absorbed(bias + energy, self.thermal_energy) + _absorbed(energy - bias, self.thermal_energy)

    @property
    def dissipators(self) -> tuple[Dissipator, ...]:
        """Couplings to the current, each block with its rate matrix."""
        together = np.sqrt(self.coupling_1 * self.coupling_2) * np.cos(0.5 * self.theta)
        down = _pair(self.coupling_1, self.coupling_2, together * np.exp(-1j * self.phi))
        along = _pair(self.coupling_1, self.coupling_2, together * np.cos(self.phi))
        kinds = (
            ("t-", LOWERING, 0.5 * down, self.larmors),
            ("t+", RAISING, 0.5 * down.conj(), -self.larmors),
            ("tz", ALONG, 0.25 * along, np.zeros(2)),
        )
        parts = []
        for name, operators, couplings, taken in kinds:
            if self.master_equation is MasterEquation.UNIFIED:
                parts.append(Dissipator(self._weighted(operators), couplings, name))
            elif self.master_equation is MasterEquation.LOCAL:
                noise = np.array([self.noise(float(energy)) for energy in taken])
                parts.append(Dissipator(operators, couplings * np.sqrt(np.outer(noise, noise)), name))
            else:
                shares = self._by_energy(operators)
                parts += [Dissipator(share, couplings * self.noise(energy), name) for energy, share in shares]
        return tuple(parts)

    def _weighted(self, operators: ComplexArray) -> ComplexArray:
        """Operators with each element in the pair's states times the root of the noise at the energy that it takes."""
        levels, states = np.linalg.eigh(self.hamiltonian)
        noise = np.array([[self.noise(float(start - end)) for start in levels] for end in levels])
        inside = (states.conj().T @ operators @ states) * np.sqrt(noise)
        weighted: ComplexArray = states @ inside @ states.conj().T
        return weighted

    @property
    def linewidth(self) -> float:
        """Largest rate at which the electrons leave a state, which is about the width of the lines."""
        rates = [np.einsum("mn,mji,njk->ik", p.rates, p.operators.conj(), p.operators) for p in self.dissipators]
        return float(np.linalg.eigvalsh(sum(rates))[-1])

    def _by_energy(self, operators: ComplexArray) -> list[tuple[float, ComplexArray]]:
        """Operators sorted by the energy they take from the pair."""
        levels, states = np.linalg.eigh(self.hamiltonian)
        taken = levels[None, :] - levels[:, None]
        inside = states.conj().T @ operators @ states
        shares = []
        for energy, chosen in _alike(taken, _RESOLVED * max(float(levels[-1] - levels[0]), abs(self.bias))):
            share = np.where(chosen, inside, 0.0)
            if np.abs(share).max() > 1e-12:
                shares.append((energy, states @ share @ states.conj().T))
        return shares

    def _warn_of_close_lines(self) -> None:
        """Lines of one kind of flip that the dissipators keep apart, closer than they are wide."""
        lines = [np.sort([energy for energy, _ in self._by_energy(kind)]) for kind in (LOWERING, RAISING, ALONG)]
        closest = min(float(np.diff(line).min(initial=np.inf)) for line in lines)
        if closest < self.linewidth:
            warnings.warn(
                f"master_equation = global: lines {closest:.3g} apart are closer than their width of "
                f"{self.linewidth:.3g}, so that its coherences are wrong; 'unified' is right there",
                PhysicsWarning,
                stacklevel=3,
            )

    @cached_property
    def generator(self) -> Lindbladian:
        """The master equation; warns (PhysicsWarning) where the global one does not hold."""
        if self.master_equation is MasterEquation.GLOBAL:
            self._warn_of_close_lines()
        return Lindbladian(self.hamiltonian, self.dissipators)


@dataclass(frozen=True, eq=False)
class CorrelationSpectra:
    """C1, C2 and C3 of eq. 8, without the parts that never decay.

    Attributes:
        angular: shape (W,), angular frequencies in the unit of the energies.
        both_spins: C1, both spins probed equally.
        one_spin: C2, spin 1 flipped beside spin 2.
        double_flip: C3, both spins flipped against each other.
        static: for C1, C2, C3 the weight of 4 pi delta(w), in the order of the spectra.
        master_equation: the one that was used.
    """

    angular: FloatArray
    both_spins: FloatArray
    one_spin: FloatArray
    double_flip: FloatArray
    static: tuple[float, float, float]
    master_equation: MasterEquation


def correlation_spectra(
    spins: TwoSpins, angular: FloatArray, *, initial: ComplexArray | None = None
) -> CorrelationSpectra:
    """Spectra C1, C2, C3 of eq. 8 in the steady state, each added to its mirror image at -w.

    Args:
        spins: the system.
        angular: shape (W,), angular frequencies.
        initial: state that selects the steady state, needed only where that is not unique.

    Raises:
        PhysicsError: the steady state is not unique and ``initial`` is not given.
    """
    generator = spins.generator
    state = generator.steady_state(initial)
    beside_1, beside_2 = LOWERING[0] @ ALONG[1], ALONG[0] @ LOWERING[1]
    probes = np.stack([beside_1 + beside_2, beside_1, LOWERING[0] @ RAISING[1]])
    angular = np.atleast_1d(real_array("angular", angular))
    mirror = probes.conj().transpose(0, 2, 1)
    both, one, flip = generator.spectrum(probes, mirror, state, angular, mirrored=True)
    still = generator.static_weight(probes, mirror, state).real
    static = (float(still[0]), float(still[1]), float(still[2]))
    return CorrelationSpectra(angular, both, one, flip, static, spins.master_equation)


def flat_band_integral(bandwidth: float, bias: float) -> float:
    """Delta of eq. 6, exact for flat bands from -bandwidth to bandwidth with the two Fermi energies ``bias`` apart."""
    wide, apart = positive("bandwidth", bandwidth), abs(finite("bias", bias))
    if apart >= wide:
        raise refuse("bias", float(bias), f"|bias| below the bandwidth of {wide:.9g} is needed")
    ratio = apart / wide
    return wide * float(np.log(16.0 / (1.0 - ratio**2)) - ratio * np.log((1.0 + ratio) / (1.0 - ratio)))


def induced_interactions(
    coupling_1: float, coupling_2: float, *, bandwidth: float, bias: float, theta: float = 0.0, phi: float = 0.0
) -> tuple[float, float]:
    """J_ex and J_DM that the electrodes induce (eq. 7): sqrt(l1 l2)/(4 pi) Delta cos(theta/2) {cos phi, sin phi}."""
    together = np.sqrt(not_negative("coupling_1", coupling_1) * not_negative("coupling_2", coupling_2)) / (4.0 * np.pi)
    size = float(together) * flat_band_integral(bandwidth, bias) * float(np.cos(0.5 * finite("theta", theta)))
    return size * float(np.cos(finite("phi", phi))), size * float(np.sin(phi))


def _pair(first: float, second: float, mixed: complex) -> ComplexArray:
    return np.array([[first, mixed], [np.conj(mixed), second]], dtype=complex)


def _alike(energies: FloatArray, width: float) -> list[tuple[float, NDArray[np.bool_]]]:
    """Groups of energies that differ by no more than ``width`` from their neighbours: mean, and where they are."""
    ordered = np.sort(energies, axis=None)
    starts = np.concatenate([[True], np.diff(ordered) > width])
    group = np.searchsorted(ordered[starts], energies, side="right")
    return [(float(energies[group == label].mean()), group == label) for label in np.unique(group)]


def _absorbed(energy: float, thermal: float | None) -> float:
    """F(x) = x / (1 - exp(-x/kT)); its limit max(x, 0) without ``thermal``."""
    if thermal is None or energy / thermal < -700.0:
        return max(energy, 0.0)
    ratio = energy / thermal
    return float(energy / -np.expm1(-ratio)) if abs(ratio) > 1e-8 else thermal * (1.0 + 0.5 * ratio)
