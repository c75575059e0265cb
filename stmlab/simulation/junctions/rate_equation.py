"""A spin whose states exchange by inelastic scattering under the tip (Betz et al., supplement S3, table 1).

All states of one spin, the rates between them and the current in each (`stmlab.physics.inelastic`). Tunnelling rates
follow the tip's height as the conductance does; scattering of the sample's own electrons does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from stmlab.physics.arguments import Vector, not_negative, positive
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.junction import Equation
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import static_current
from stmlab.physics.transport import TunnelJunction
from stmlab.simulation.junctions import doubt_of_close_levels
from stmlab.simulation.junctions.driven import mean_current, slow_rate

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.simulation.junctions import Drive

_LOW_BIAS = 1e-3  # V, at which the conductance of the silent junction is taken


@dataclass(frozen=True)
class RateEquation:
    """The n = 2S + 1 states of one spin.

    Attributes:
        spin, axial_anisotropy_meV, transverse_anisotropy_meV, g_factor, field_T: see `stmlab.physics.spins`.
        temperature_K: of the electrons.
        tunnel_conductance_S, sample_conductance_S: C_ST and C_SS.
        tip_polarisation: of the tip's electrons: (0, 0, eta).
        potential_scattering: u.
        equation: secular, the rates of the paper; automatic has coherences where levels are close, coherent always.

    Raises:
        PhysicsError: a value outside what the model is defined for.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    spin: float
    axial_anisotropy_meV: float
    transverse_anisotropy_meV: float
    g_factor: float
    field_T: Vector
    temperature_K: float
    tunnel_conductance_S: float
    sample_conductance_S: float
    tip_polarisation: Vector = (0.0, 0.0, 0.0)
    potential_scattering: float = 0.0
    equation: Literal["secular", "automatic", "coherent"] = "secular"

    def __post_init__(self) -> None:
        positive("tunnel_conductance_S", self.tunnel_conductance_S, "S")
        not_negative("sample_conductance_S", self.sample_conductance_S, "S")
        _ = self._tunnelling, self._scattering  # refuses now what it would refuse under the tip

    @property
    def reference_conductance(self) -> float:
        """See Junction; at 1 mV, below the first excitation."""
        return float(self.static_current(np.array([_LOW_BIAS]), 1.0)[0]) / _LOW_BIAS

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """See Junction."""
        return static_current(self.at(scale), voltage)

    def mean_current(self, drive: Drive, scale: float) -> float:
        """See Junction."""
        return mean_current(self.at(scale), drive)

    def true_values(self, v_dc: float, v_ac: float) -> dict[str, float]:
        """See Junction: ``rate_per_s`` is the slow rate of all states, averaged over the drive."""
        return {"rate_per_s": slow_rate(self.at(1.0), v_dc, v_ac)}

    def doubts(self, bias_V: float) -> tuple[str, ...]:
        """See HasDoubts; at the reference height."""
        return doubt_of_close_levels(self._whole(1.0), bias_V)

    def at(self, scale: float) -> ScaledStates | TunnelJunction:
        """The states with the tip where the conductance is ``scale`` times the reference."""
        if self.equation != "secular":
            return self._whole(scale)
        return ScaledStates(self._tunnelling, self._scattering, scale)

    def _whole(self, scale: float) -> TunnelJunction:
        junction = self._junction((Bath(0, self.sample_conductance_S),))
        conductance = scale * self.tunnel_conductance_S
        return replace(junction, conductance_S=conductance, equation=Equation(self.equation))

    @cached_property
    def _tunnelling(self) -> TunnelJunction:
        """Tunnelling alone."""
        return self._junction(())

    @cached_property
    def _scattering(self) -> FloatArray:
        """Rates of the sample's electrons alone, shape (n, n) in 1/s; they do not depend on the bias."""
        both = self._junction((Bath(0, self.sample_conductance_S),))
        rates: FloatArray = (both.rates(np.zeros(1)) - self._tunnelling.rates(np.zeros(1)))[0]
        return np.maximum(rates, 0.0)

    def _junction(self, baths: tuple[Bath, ...]) -> TunnelJunction:
        atom = Spin(self.spin, self.axial_anisotropy_meV, self.transverse_anisotropy_meV, self.g_factor)
        return TunnelJunction(
            SpinSystem((atom,), field_T=self.field_T),
            self.temperature_K,
            self.tunnel_conductance_S,
            tip=Electrode(self.tip_polarisation),
            baths=baths,
            potential_scattering=self.potential_scattering,
        )


@dataclass(frozen=True, eq=False)
class ScaledStates:
    """DrivenStates whose tunnelling is ``scale`` times that of the reference."""

    tunnelling: TunnelJunction
    scattering: FloatArray
    scale: float

    def rates(self, bias_V: FloatArray) -> FloatArray:
        """Shape (V, n, n), 1/s."""
        return self.scale * self.tunnelling.rates(bias_V) + self.scattering

    def state_currents(self, bias_V: FloatArray) -> FloatArray:
        """Shape (V, n), A."""
        return self.scale * self.tunnelling.state_currents(bias_V)
