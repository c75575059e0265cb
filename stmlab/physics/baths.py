"""Electrons that meet the spins: the two electrodes of the junction and the baths that relax each spin.

An electrode is the density matrix of its electrons' spins, R_i = 1/2 + 1/2 P_i.sigma, one for each eigenstate i of the
spins: P_i = P + 2 C <S>_i has a fixed part (a magnetic tip) and a part that follows a spin (Muenks et al., eq. 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import Vector, finite, not_negative, refuse, vector, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.arrays import FloatArray
    from stmlab.physics.eigensystem import Eigensystem
    from stmlab.physics.spins import SpinSystem

DEFAULT_SCATTERING_S = 2e-6
"""Scattering of the sample's electrons from the spin below the tip: G11 of Muenks et al."""
DEFAULT_RELAXATION_S = 1e-9
"""Relaxation of every other spin: so small that it only makes the steady state unique (G22)."""
_LARGEST_POLARISATION = 1.0 + 1e-9
_ROUNDING = 1e-14
"""Components of a polarisation below this are rounding."""


@dataclass(frozen=True)
class Electrode:
    """Spin polarisation of the electrons of the tip or of the sample.

    Attributes:
        polarisation: fixed polarisation vector P = Tr(R sigma), length at most 1.
        correlation: C of Muenks et al., eq. 2, between the electrons and ``spin``; negative is antiferromagnetic.
        spin: number of the spin that the electrons follow; needed with a correlation.

    Raises:
        PhysicsError: a number is not finite, |P| or |C| exceeds 1, or the spin is missing.
    """

    polarisation: Vector = (0.0, 0.0, 0.0)
    correlation: float = 0.0
    spin: int | None = None

    def __post_init__(self) -> None:
        _checked_polarisation(self)
        if abs(finite("correlation", self.correlation)) > 1:
            raise refuse("correlation", self.correlation, "a value from -1 to 1 is needed")
        if self.correlation and self.spin is None:
            raise refuse("spin", None, "a correlation needs the number of the spin that the electrons follow")


@dataclass(frozen=True)
class Bath:
    """Electrons that scatter from one spin and stay in their electrode: they carry no current and relax the spin.

    Attributes:
        spin: number of the spin.
        conductance_S: strength, as the conductance that the same scattering would give a junction.
        polarisation: fixed polarisation vector of these electrons.

    Raises:
        PhysicsError: the conductance is negative, |P| exceeds 1, or a number is not finite.
    """

    spin: int
    conductance_S: float
    polarisation: Vector = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        not_negative("conductance_S", self.conductance_S, "S")
        _checked_polarisation(self)


def polarisations(name: str, electrodes: Sequence[Electrode], eigensystem: Eigensystem) -> FloatArray:
    """P_i of each eigenstate, shape (B, n, 3), of B electrodes, each with its own of the B spin systems.

    Raises:
        PhysicsError: in the name of the electrode, where the spin does not exist or some |P_i| exceeds 1.
    """
    fixed = np.array([one.polarisation for one in electrodes])
    followed = fixed[:, None] + np.zeros((*eigensystem.energies_meV.shape, 1))
    if (spin := electrodes[0].spin) is not None:
        whole(f"{name}: spin", spin, 0, len(eigensystem.multiplicities) - 1)
        correlations = np.array([one.correlation for one in electrodes])
        followed += 2 * correlations[:, None, None] * eigensystem.spin_expectations(spin)
    largest = np.linalg.norm(followed, axis=-1).max(axis=-1)
    worst = int(largest.argmax())
    if largest[worst] > _LARGEST_POLARISATION:
        allowed = f"gives an eigenstate the polarisation {largest[worst]:.4g}; at most 1 is possible"
        raise refuse(f"{name}: correlation", electrodes[worst].correlation, allowed)
    return np.where(np.abs(followed) > _ROUNDING, followed, 0.0)


def default_baths(system: SpinSystem, coupled_spin: int) -> tuple[Bath, ...]:
    """2 uS of scattering for the spin that is tunnelled through, 1 nS for every other."""
    return tuple(
        Bath(spin, DEFAULT_SCATTERING_S if spin == coupled_spin else DEFAULT_RELAXATION_S)
        for spin in range(len(system.spins))
    )


def _checked_polarisation(owner: Electrode | Bath) -> None:
    polarisation = vector("polarisation", owner.polarisation)
    if math.hypot(*polarisation) > _LARGEST_POLARISATION:
        raise refuse("polarisation", polarisation, "a vector of length 1 or less is needed")
    object.__setattr__(owner, "polarisation", polarisation)


UNPOLARISED = Electrode()
"""An electrode of a normal metal."""
