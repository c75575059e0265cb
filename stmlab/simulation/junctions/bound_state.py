"""A Yu-Shiba-Rusinov bound state under a superconducting tip (Betz et al., section V; `stmlab.physics.bound_state`).

Beside the bound state, electrons tunnel between the continua of tip and sample, beyond the sum of their gaps, as
G sign(V) sqrt(V**2 - (sum of gaps / e)**2). Tunnelling follows the tip's height as the conductance does; relaxation
into the bath does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stmlab.physics.arguments import not_negative, positive
from stmlab.physics.bound_state import BoundState
from stmlab.physics.constants import MEV_PER_V
from stmlab.physics.stochastic_resonance import static_current
from stmlab.simulation.junctions.driven import mean_current, slow_rate

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.simulation.junctions import Drive


@dataclass(frozen=True)
class BoundStateJunction(BoundState):
    """A bound state, and the continuum beyond the gaps.

    Attributes:
        continuum_conductance_S: G, above 0; the conductance far beyond the gaps.
        continuum_gap_meV: sum of the gaps of tip and sample.
        (and those of BoundState)

    Raises:
        PhysicsError: a value outside what the model is defined for.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    continuum_conductance_S: float
    continuum_gap_meV: float

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("continuum_conductance_S", self.continuum_conductance_S, "S")
        not_negative("continuum_gap_meV", self.continuum_gap_meV, "meV")

    @property
    def reference_conductance(self) -> float:
        """See Junction."""
        return self.continuum_conductance_S

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """See Junction."""
        return static_current(self.at(scale), voltage)

    def mean_current(self, drive: Drive, scale: float) -> float:
        """See Junction."""
        return mean_current(self.at(scale), drive)

    def true_values(self, v_dc: float, v_ac: float) -> dict[str, float]:
        """See Junction: ``rate_per_s`` is the sum of both rates, averaged over the drive."""
        return {"rate_per_s": slow_rate(self, v_dc, v_ac)}

    def at(self, scale: float) -> BoundStateJunction:
        """The same with the tip where the conductance is ``scale`` times the reference."""
        return BoundStateJunction(
            self.energy_meV,
            self.tip_gap_meV,
            self.tip_broadening_meV,
            scale * self.electron_rate_per_s,
            scale * self.hole_rate_per_s,
            self.relaxation_rate_per_s,
            self.temperature_K,
            scale * self.continuum_conductance_S,
            self.continuum_gap_meV,
        )

    def state_currents(self, bias_V: FloatArray) -> FloatArray:
        """Current while the state is empty and while it is occupied, the continuum's in both; shape (V, 2) in A."""
        gap = self.continuum_gap_meV / MEV_PER_V
        continuum = np.sign(bias_V) * np.sqrt(np.maximum(bias_V**2 - gap**2, 0.0))
        return super().state_currents(bias_V) + self.continuum_conductance_S * continuum[:, None]
