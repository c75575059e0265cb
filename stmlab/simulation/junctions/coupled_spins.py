"""A spin below the tip, and perhaps one on the tip coupled to it (Muenks et al.; `stmlab.physics.transport`).

The exchange between both spins is proportional to the conductance, so that the spectrum changes its shape with the
tip's height.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import Vector, positive
from stmlab.physics.baths import DEFAULT_RELAXATION_S, DEFAULT_SCATTERING_S
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.coupled_tip import ExchangeKind, coupled_junction
from stmlab.physics.junction import Equation
from stmlab.physics.spins import Spin
from stmlab.simulation.junctions.height_tables import LARGEST_SPACING, PER_KT, PUMPING, HeightTables

if TYPE_CHECKING:
    from stmlab.physics.transport import TunnelJunction


@dataclass(frozen=True)
class CoupledSpins(HeightTables):
    """One spin on the sample, electrons tunnelling through it, and the spin of the tip's apex.

    Attributes:
        spin, axial_anisotropy_meV, transverse_anisotropy_meV, g_factor: of the spin on the sample.
        tip_spin: 0 for a tip without one.
        tip_g_factor: of the tip's spin.
        exchange: how the two spins couple.
        exchange_slope_meV_per_uS: coupling J over the conductance.
        correlation: C between the tip's spin and its electrons.
        field_T: magnetic field.
        temperature_K: of electrons and spins.
        conductance_S: at the reference height; of the junction at high bias (see TunnelJunction).
        sample_scattering_S, tip_relaxation_S: of the sample's electrons from the spin, of the tip's from theirs.
        potential_scattering: U.
        order: 2 or 3 (Kondo-like logarithms).
        coupling: J rho of the sample, in third order.
        tip_polarisation: of the tip's electrons, beside what they follow of its spin.
        equation: of the spins' state: automatic has coherences where levels are close and there are any.

    Raises:
        PhysicsError: a value outside what the model is defined for.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    spin: float
    axial_anisotropy_meV: float
    transverse_anisotropy_meV: float
    temperature_K: float
    conductance_S: float
    g_factor: float = 2.0
    tip_spin: float = 0.0
    tip_g_factor: float = 2.0
    exchange: Literal["heisenberg", "ising"] = "heisenberg"
    exchange_slope_meV_per_uS: float = 0.0
    correlation: float = 0.0
    field_T: Vector = (0.0, 0.0, 0.0)
    sample_scattering_S: float = DEFAULT_SCATTERING_S
    tip_relaxation_S: float = DEFAULT_RELAXATION_S
    potential_scattering: float = 0.0
    order: int = 2
    coupling: float = 0.0
    tip_polarisation: Vector = (0.0, 0.0, 0.0)
    equation: Literal["automatic", "secular", "coherent"] = "automatic"

    def __post_init__(self) -> None:
        positive("conductance_S", self.conductance_S, "S")
        if self.tip_spin == 0 and (self.exchange_slope_meV_per_uS or self.correlation):
            raise PhysicsError("tip_spin = 0: a tip without a spin has neither exchange nor correlation")
        self.at(1.0)  # refuses now what it would refuse under the tip

    @property
    def reference_conductance(self) -> float:
        """See Junction."""
        return self.conductance_S

    def true_values(self, v_dc: float, v_ac: float) -> dict[str, float | str]:
        """See Junction: the parameters themselves; drive and bias do not change them."""
        del v_dc, v_ac
        truth: dict[str, float | str] = {
            "axial_anisotropy_meV": self.axial_anisotropy_meV,
            "transverse_anisotropy_meV": self.transverse_anisotropy_meV,
            "temperature_K": self.temperature_K,
            "exchange": self.exchange if self.tip_spin else "none",
        }
        if self.tip_spin:
            truth["exchange_slope_meV_per_uS"] = self.exchange_slope_meV_per_uS
            truth["correlation"] = self.correlation
        return truth

    def at(self, scale: float) -> TunnelJunction:
        """The junction where the conductance is ``scale`` times the reference."""
        found = coupled_junction(
            Spin(self.spin, self.axial_anisotropy_meV, self.transverse_anisotropy_meV, self.g_factor),
            Spin(self.tip_spin or 0.5, g=self.tip_g_factor),
            scale * self.conductance_S,
            self.temperature_K,
            exchange=ExchangeKind(self.exchange) if self.tip_spin else ExchangeKind.NONE,
            exchange_slope_meV_per_uS=self.exchange_slope_meV_per_uS,
            correlation=self.correlation,
            field_T=self.field_T,
            scattering_S=self.sample_scattering_S,
            tip_relaxation_S=self.tip_relaxation_S,
            potential_scattering=self.potential_scattering,
            order=self.order,
            coupling=self.coupling,
            equation=Equation(self.equation),
        )
        return replace(found, tip=replace(found.tip, polarisation=self.tip_polarisation))

    @cached_property
    def spacing(self) -> float:
        """See HeightTables."""
        spacing = LARGEST_SPACING
        if self.exchange_slope_meV_per_uS:
            exchange = abs(self.exchange_slope_meV_per_uS) * 1e6 * self.conductance_S
            spacing = min(spacing, K_B_MEV_PER_K * self.temperature_K / (PER_KT * exchange))
        if self.sample_scattering_S:
            spacing = min(spacing, PUMPING * self.sample_scattering_S / self.conductance_S)
        return spacing
