"""The models of Muenks et al.: CoH (S = 1) on the sample, a Co atom (S = 1/2) on the tip, and the analysis of steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stmlab.models import known, transport
from stmlab.models.files import case as case_of
from stmlab.models.model import number
from stmlab.physics.baths import Bath
from stmlab.physics.coupled_tip import ExchangeKind, coupled_spins
from stmlab.physics.junction import Occupation, PolarisingState
from stmlab.physics.spins import Spin

if TYPE_CHECKING:
    from stmlab.physics.spins import SpinSystem
    from stmlab.physics.transport import TunnelJunction

PAPER = "muenks"
TEMPERATURE_K = 2.0
MODULATION_V = 0.2e-3


@dataclass(frozen=True)
class FunctionalTip:
    """One of the Co-functionalised tips, with the fitted parameters of the paper.

    Attributes:
        name: as in figures.
        axial_meV, transverse_meV: D and E of the CoH complex below it.
        slope_meV_per_uS: J12 / Gs.
        ising: Ising instead of Heisenberg exchange.
        correlation: C of eq. 2.
        field_T: along the surface normal.
    """

    name: str
    axial_meV: float
    transverse_meV: float
    slope_meV_per_uS: float
    ising: bool
    correlation: float
    field_T: float = 0.0

    def system(self, exchange_meV: float, tip_spin: float = 0.5, *, ising: bool | None = None) -> SpinSystem:
        """Both spins, coupled by J12."""
        kind = ExchangeKind.ISING if (self.ising if ising is None else ising) else ExchangeKind.HEISENBERG
        return coupled_spins(
            Spin(1, self.axial_meV, self.transverse_meV),
            Spin(tip_spin),
            kind,
            exchange_meV,
            (0.0, 0.0, self.field_T),
        )

    def junction(self, conductance_uS: float, exchange_meV: float | None = None) -> TunnelJunction:
        """Second order, thermal occupation, tip polarised by the initial state: the model of the asymmetries."""
        slope = self.slope_meV_per_uS if exchange_meV is None else exchange_meV / conductance_uS
        told = {
            "axial_anisotropy_meV": self.axial_meV,
            "transverse_anisotropy_meV": self.transverse_meV,
            "exchange": "ising" if self.ising else "heisenberg",
            "exchange_slope_meV_per_uS": slope,
            "correlation": self.correlation,
            "field": self.field_T,
            "conductance": 1e-6 * conductance_uS,
        }
        kind, case = case_of(_CASE)
        return transport.junction(known(kind).values(case | told))


def _tip(name: str, case: str) -> FunctionalTip:
    kind, given = case_of(case)
    values = known(kind).values(given)
    return FunctionalTip(
        name,
        number(values, "axial_anisotropy_meV"),
        number(values, "transverse_anisotropy_meV"),
        number(values, "exchange_slope_meV_per_uS"),
        values["exchange"] == "ising",
        number(values, "correlation"),
        number(values, "field"),
    )


_CASE = "coh_afm_tip"
ANTIFERROMAGNETIC = _tip("AFM correlation", _CASE)
"""Figs. 1g, 1i, 2c, 2d."""
FERROMAGNETIC = _tip("FM correlation", "coh_fm_tip")
"""Figs. 1h, 1j, 2e, 2f."""
TIPS = (ANTIFERROMAGNETIC, FERROMAGNETIC)
IN_FIELD = _tip("5 T", "coh_5t")
"""Fig. 4."""


def steady(junction: TunnelJunction, scattering_S: float = 2e-6) -> TunnelJunction:
    """The same junction with occupations from the master equation and electrons that keep detailed balance."""
    return replace(
        junction,
        occupation=Occupation.STEADY,
        polarising_state=PolarisingState.DETAILED,
        baths=(Bath(0, scattering_S), Bath(1, 1e-9)),
    )
