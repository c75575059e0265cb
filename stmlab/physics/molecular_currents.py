"""Currents through two molecules in a junction: charge, spin and thermopower (Landauer), at second order nothing else.

With the electrons of Fransson, Ren and Zhu (`stmlab.physics.molecular_dimer`), which do not interact, each spin is
transmitted by itself,

    T_s(eps) = G_s^L G_s^R T_c^2 / |D_s(eps)|^2,    I_s = (e/h) int T_s (f_L - f_R) d eps,

so that a positive current is one of electrons from the left to the right lead. The Seebeck coefficient is
S = (dI/dT_R)/(dI/dV) at V = (mu_L - mu_R)/e: the voltage that keeps the current as it is when the right lead is heated,
without bias and temperature difference S = -int (-f')(eps - mu) T d eps / (e T int (-f') T d eps), negative where
electrons above the chemical potential carry the heat. Integrals are exact (`stmlab.physics.fermi_integrals`). The
moments' back-action on the electrons, of second order in J_n, is left out, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.constants import CONDUCTANCE_QUANTUM_S, K_B_MEV_PER_K, MEV_PER_V
from stmlab.physics.fermi_integrals import Contour, fermi_derivatives, fermi_integrals
from stmlab.physics.molecular_dimer import Dimer, Electrons, Leads, broadcast_shape

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

_PER_SPIN_S = CONDUCTANCE_QUANTUM_S / 2


@dataclass(frozen=True, eq=False)
class MolecularCurrents:
    """Currents in the broadcast shape of all arguments; the first axis is spin up and down where there are two.

    Attributes:
        spin_resolved_A: I_up and I_down, shape (2, ...).
        conductance_S: dI_s/dV, shape (2, ...).
        thermal_A_per_K: dI_s/dT_R, shape (2, ...).
    """

    spin_resolved_A: FloatArray
    conductance_S: FloatArray
    thermal_A_per_K: FloatArray

    @property
    def charge_A(self) -> FloatArray:
        """I_up + I_down."""
        charge: FloatArray = self.spin_resolved_A.sum(axis=0)
        return charge

    @property
    def spin_A(self) -> FloatArray:
        """I_up - I_down, the spin current times 2e/hbar."""
        spin: FloatArray = self.spin_resolved_A[0] - self.spin_resolved_A[1]
        return spin

    @property
    def seebeck_V_per_K(self) -> FloatArray:
        """S, at constant charge current."""
        seebeck: FloatArray = self.thermal_A_per_K.sum(axis=0) / self.conductance_S.sum(axis=0)
        return seebeck

    @property
    def spin_seebeck_V_per_K(self) -> FloatArray:
        """(S_up G_up - S_down G_down)/(G_up + G_down): the spin current of a heated lead over the conductance."""
        heated = self.thermal_A_per_K[0] - self.thermal_A_per_K[1]
        seebeck: FloatArray = heated / self.conductance_S.sum(axis=0)
        return seebeck


def molecular_currents(dimer: Dimer, leads: Leads) -> MolecularCurrents:
    """Currents through two molecules, for all combinations that the arguments broadcast to.

    Args:
        dimer: levels, couplings and polarisations; the spin couplings have no effect.
        leads: chemical potentials and temperatures.

    Raises:
        PhysicsError: the shapes of ``dimer`` and ``leads`` do not broadcast.
    """
    shape = broadcast_shape(dimer.arguments | leads.arguments)
    electrons = Electrons(**{name: np.broadcast_to(array, shape).ravel() for name, array in dimer.arguments.items()})
    potentials = np.broadcast_to(leads.chemical_potentials_meV, (*shape, 2)).reshape(-1, 2)
    thermal = np.broadcast_to(leads.thermal_energies_meV, (*shape, 2)).reshape(-1, 2)
    share = np.broadcast_to(leads.arguments["left_share"], shape).ravel()

    def integrand(contour: Contour) -> ComplexArray:
        return _transmissions(electrons, contour)

    arguments = electrons.poles, potentials, thermal
    filled = fermi_integrals(integrand, *arguments)
    by_potential, by_thermal_energy = fermi_derivatives(integrand, *arguments)
    current = (filled[..., 0] - filled[..., 1]).T / MEV_PER_V
    conductance = (share[:, None] * by_potential[..., 0] + (1.0 - share[:, None]) * by_potential[..., 1]).T
    heated = -K_B_MEV_PER_K * by_thermal_energy[..., 1].T / MEV_PER_V
    told = (_PER_SPIN_S * each.reshape(2, *shape) for each in (current, conductance, heated))
    return MolecularCurrents(*told)


def _transmissions(electrons: Electrons, contour: Contour) -> ComplexArray:
    """T_up and T_down for either lead, shape (2, 2, C, N)."""
    left, right = electrons.left[:, contour.point, None], electrons.right[:, contour.point, None]
    factors = contour.below * contour.above
    through = left * right * electrons.tunnelling_squared[contour.point, None] / (factors[0::2] * factors[1::2])
    both: ComplexArray = np.stack([through, through], axis=1)
    return both
