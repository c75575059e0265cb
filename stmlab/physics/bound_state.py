"""A Yu-Shiba-Rusinov bound state under a superconducting tip, as a junction with two states (Betz et al., section V).

The bound state at energy epsilon inside the gap of the sample is empty (state 0) or occupied by a quasiparticle
(state 1). Single electrons tunnel into and out of its electron part (rate constant gamma_e) and its hole part
(gamma_h), in proportion to the tip's density of states and its filling at the energy they need; a relaxation to the
bath returns it to equilibrium. V > 0 moves electrons from tip to sample. The four processes, with the tip's density of
states rho and Fermi function f at the energy of the electron in the tip:

    empty    -> occupied   gamma_e rho f       at  epsilon - eV    an electron enters from the tip
    empty    -> occupied   gamma_h rho (1 - f) at -epsilon - eV    an electron leaves, a quasiparticle stays
    occupied -> empty      gamma_h rho f       at -epsilon - eV    an electron enters and pairs with the quasiparticle
    occupied -> empty      gamma_e rho (1 - f) at  epsilon - eV    the quasiparticle leaves as an electron

This is the rate model of Ruby et al. (Phys. Rev. Lett. 115, 087001), which Betz et al. cite. The gap of the tip makes
it a threshold: the state is driven where |eV| passes tip gap + epsilon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import not_negative, positive, real_array
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, K_B_MEV_PER_K, MEV_PER_V
from stmlab.physics.two_level import two_level_generators

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray


@dataclass(frozen=True)
class BoundState:
    """A bound state in a superconductor, seen by a superconducting tip.

    Attributes:
        energy_meV: epsilon, distance of the bound state from the Fermi energy, above 0.
        tip_gap_meV: half width of the tip's gap; 0 is a normal tip.
        tip_broadening_meV: Dynes parameter of the tip's density of states, above 0 if the tip has a gap.
        electron_rate_per_s: gamma_e, where the tip's density of states has its normal value.
        hole_rate_per_s: gamma_h, likewise.
        relaxation_rate_per_s: rate at which an occupied state empties into the bath.
        temperature_K: of tip and bath.
    """

    energy_meV: float
    tip_gap_meV: float
    tip_broadening_meV: float
    electron_rate_per_s: float
    hole_rate_per_s: float
    relaxation_rate_per_s: float
    temperature_K: float

    def __post_init__(self) -> None:
        """Raise PhysicsError unless every quantity is in its range."""
        positive("energy_meV", self.energy_meV, "meV")
        if not_negative("tip_gap_meV", self.tip_gap_meV, "meV") > 0.0:
            positive("tip_broadening_meV", self.tip_broadening_meV, "meV")
        not_negative("tip_broadening_meV", self.tip_broadening_meV, "meV")
        not_negative("electron_rate_per_s", self.electron_rate_per_s, "1/s")
        not_negative("hole_rate_per_s", self.hole_rate_per_s, "1/s")
        positive("relaxation_rate_per_s", self.relaxation_rate_per_s, "1/s")
        positive("temperature_K", self.temperature_K, "K")

    @property
    def threshold_V(self) -> float:
        """|V| at which the tip's coherence peak meets the bound state."""
        return (self.tip_gap_meV + self.energy_meV) / MEV_PER_V

    def rates(self, bias_V: FloatArray) -> FloatArray:
        """Rate matrices, shape (V, 2, 2) in 1/s; see `driven.DrivenStates`."""
        electron_in, electron_out, hole_in, hole_out = self._tunnelling(bias_V)
        thermal = np.exp(-self.energy_meV / (K_B_MEV_PER_K * self.temperature_K))
        excitation = electron_in + hole_out + self.relaxation_rate_per_s * thermal
        return two_level_generators(excitation, hole_in + electron_out + self.relaxation_rate_per_s)

    def state_currents(self, bias_V: FloatArray) -> FloatArray:
        """Current while the state is empty and while it is occupied, shape (V, 2) in A."""
        electron_in, electron_out, hole_in, hole_out = self._tunnelling(bias_V)
        return ELEMENTARY_CHARGE_C * np.stack([electron_in - hole_out, hole_in - electron_out], axis=1)

    def _tunnelling(self, bias_V: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Rates of electrons into and out of the electron part, into and out of the hole part; 1/s."""
        shift = MEV_PER_V * np.atleast_1d(real_array("bias_V", bias_V, unit="V"))
        at_electron, at_hole = self.energy_meV - shift, -self.energy_meV - shift
        electron = self.electron_rate_per_s * self._tip_density(at_electron)
        hole = self.hole_rate_per_s * self._tip_density(at_hole)
        filled_electron, filled_hole = self._filling(at_electron), self._filling(at_hole)
        empty_electron, empty_hole = self._filling(-at_electron), self._filling(-at_hole)
        return electron * filled_electron, electron * empty_electron, hole * filled_hole, hole * empty_hole

    def _tip_density(self, energies_meV: FloatArray) -> FloatArray:
        """Density of states of the tip over its normal value (Dynes)."""
        if self.tip_gap_meV == 0.0:
            return np.ones_like(energies_meV)
        energy = np.abs(energies_meV) + 1j * self.tip_broadening_meV
        density: FloatArray = (energy / np.sqrt(energy**2 - self.tip_gap_meV**2)).real
        return np.maximum(density, 0.0)

    def _filling(self, energies_meV: FloatArray) -> FloatArray:
        """Fermi function; 1 - f(x) is taken as f(-x), which loses no digits."""
        filling: FloatArray = np.exp(-np.logaddexp(0.0, energies_meV / (K_B_MEV_PER_K * self.temperature_K)))
        return filling
