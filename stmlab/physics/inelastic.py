"""Rates and currents of spins under a spin-polarised tip: what a driven rate equation needs (Betz et al., S3).

R_ts = (C_ST/e) X_ts zeta(E_fi - eV), R_st = (C_ST/e) X_st zeta(E_fi + eV), R_ss = (C_SS/e) X_ss zeta(E_fi), with X_ts
= sum_ss' (1 + eta s) |<f,s'| sigma.S/2 + u |i,s>|^2, X_st its transpose and X_ss the same with eta = 0. Energies are
those of `SpinSystem` (its field points against that of Betz et al., who write s_B = -1). The printed C_ST = 0.500 uS
of the supplement's table 1 gives slopes ten times those of the paper; 0.050 uS reproduces them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.occupation import generator
from stmlab.physics.transport import TunnelJunction

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.physics.arguments import Vector
    from stmlab.physics.spins import SpinSystem


@dataclass(frozen=True, eq=False)
class InelasticRates:
    """Transitions and currents at V biases.

    Attributes:
        bias_V: shape (V,), in V; positive from tip to sample.
        energies_meV: shape (n,), above the ground state.
        rates: shape (V, n, n), in 1/s, [v, f, i] from i to f; the diagonal is zero.
        currents: shape (V, n), in A, that flow while the system is in each state; elastic tunnelling is included.
    """

    bias_V: FloatArray
    energies_meV: FloatArray
    rates: FloatArray
    currents: FloatArray

    @property
    def generators(self) -> FloatArray:
        """W of dp/dt = W p, shape (V, n, n): the rates with columns that sum to zero."""
        return generator(self.rates)


def inelastic_rates(
    system: SpinSystem,
    bias_V: FloatArray,
    *,
    temperature_K: float,
    tunnel_conductance_S: float,
    sample_conductance_S: float,
    polarisation: Vector = (0.0, 0.0, 0.0),
    potential_scattering: float = 0.0,
    coupled_spin: int = 0,
) -> InelasticRates:
    """Transition rates and state currents of spins below a spin-polarised tip.

    Args:
        system: the spins, for instance one Fe atom: ``SpinSystem((Spin(2, -1.557, 0.248, 2.15),), (), (0, 0, -2))``.
        bias_V: shape (V,), in V.
        temperature_K: of the electrons.
        tunnel_conductance_S: C_ST, between tip and sample through the coupled spin.
        sample_conductance_S: C_SS, scattering of the sample's electrons from each spin.
        polarisation: of the tip's electrons: (0, 0, eta).
        potential_scattering: u.
        coupled_spin: number of the spin below the tip.

    Raises:
        PhysicsError: an argument lies outside what the model is defined for.
    """
    junction = TunnelJunction(
        system,
        temperature_K,
        tunnel_conductance_S,
        coupled_spin=coupled_spin,
        tip=Electrode(polarisation),
        baths=tuple(Bath(spin, sample_conductance_S) for spin in range(len(system.spins))),
        potential_scattering=potential_scattering,
    )
    currents = junction.state_currents(bias_V)
    return InelasticRates(bias_V, system.eigensystem.excitations_meV, junction.rates(bias_V), currents)
