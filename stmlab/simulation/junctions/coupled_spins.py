"""A spin below the tip, and perhaps one on the tip coupled to it (Muenks et al.; `stmlab.physics.transport`).

The exchange between both spins is proportional to the conductance, so that the spectrum changes its shape with the
tip's height. Current against voltage is tabulated at fixed heights, once each, and interpolated between them: a sweep
under drift meets another height at every point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import Vector, positive
from stmlab.physics.baths import DEFAULT_RELAXATION_S, DEFAULT_SCATTERING_S
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.coupled_tip import ExchangeKind, coupled_junction
from stmlab.physics.spins import Spin
from stmlab.simulation.junctions.driven import mean_current

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.physics.transport import TunnelJunction
    from stmlab.simulation.junctions import Drive

_PER_KT = 4.0  # points of a table within kT, and tables while the exchange grows by kT
_LARGEST_SPACING = 0.1  # of tables, in scale
_PUMPING = 0.005  # of the sample's scattering: the conductance grows by this from table to table
_FAR = 1e-9  # scale of the table that stands for 0
_RANGE = 20e-3  # V; tables reach so far, or twice, four times ... as far


@dataclass(frozen=True)
class CoupledSpins:
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

    def __post_init__(self) -> None:
        positive("conductance_S", self.conductance_S, "S")
        if self.tip_spin == 0 and (self.exchange_slope_meV_per_uS or self.correlation):
            raise PhysicsError("tip_spin = 0: a tip without a spin has neither exchange nor correlation")
        self.at(1.0)  # refuses now what it would refuse under the tip

    @property
    def reference_conductance(self) -> float:
        """See Junction."""
        return self.conductance_S

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """See Junction."""
        reach = float(np.abs(voltage).max(initial=0.0))
        table = self._table_at(scale, _range_for(reach))
        current: FloatArray = scale * table(voltage)
        return current

    def mean_current(self, drive: Drive, scale: float) -> float:
        """See Junction."""
        return mean_current(self.at(scale), drive)

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
        return coupled_junction(
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
        )

    # -- tables ----------------------------------------------------------------------------------------------------

    @cached_property
    def _tables(self) -> dict[tuple[int, float], FloatArray]:
        """Number of a height, range in V -> current over scale at the biases of that range."""
        return {}

    @cached_property
    def _recent(self) -> dict[tuple[float, float], _Interpolated]:
        """The table used last: 64 voltages of a modulation and many readings share one height."""
        return {}

    @cached_property
    def _spacing(self) -> float:
        """Of the tables, in scale: the levels move by less than the thermal width, occupations hardly."""
        spacing = _LARGEST_SPACING
        if self.exchange_slope_meV_per_uS:
            exchange = abs(self.exchange_slope_meV_per_uS) * 1e6 * self.conductance_S
            spacing = min(spacing, K_B_MEV_PER_K * self.temperature_K / (_PER_KT * exchange))
        if self.sample_scattering_S:
            spacing = min(spacing, _PUMPING * self.sample_scattering_S / self.conductance_S)
        return spacing

    def _table_at(self, scale: float, reach: float) -> _Interpolated:
        if (scale, reach) not in self._recent:
            position = scale / self._spacing
            first = max(math.floor(position) - 1, 0)
            weights = _cubic(position - first)
            currents = sum(w * self._table(first + k, reach) for k, w in enumerate(weights))
            self._recent.clear()
            self._recent[scale, reach] = _Interpolated(self._biases(reach), np.asarray(currents))
        return self._recent[scale, reach]

    def _table(self, number: int, reach: float) -> FloatArray:
        if (number, reach) not in self._tables:
            scale = max(number * self._spacing, _FAR)
            self._tables[number, reach] = self.at(scale).current(self._biases(reach)) / scale
        return self._tables[number, reach]

    def _biases(self, reach: float) -> FloatArray:
        spacing = 1e-3 * K_B_MEV_PER_K * self.temperature_K / _PER_KT
        count = math.ceil(reach / spacing)
        return np.linspace(-reach, reach, 2 * count + 1)


class _Interpolated:
    """A cubic spline through values at evenly spaced places."""

    def __init__(self, places: FloatArray, values: FloatArray) -> None:
        from scipy.interpolate import CubicSpline

        self._spline = CubicSpline(places, values, extrapolate=False)

    def __call__(self, place: FloatArray) -> FloatArray:
        found: FloatArray = self._spline(place)
        return found


def _range_for(reach: float) -> float:
    return _RANGE * 2.0 ** max(0, math.ceil(math.log2(reach / _RANGE))) if reach > 0 else _RANGE


def _cubic(place: float) -> tuple[float, float, float, float]:
    """Weights of the values at 0, 1, 2, 3 for the value at ``place``, best from 1 to 2 (Lagrange)."""
    a, b, c, d = place, place - 1, place - 2, place - 3
    return -b * c * d / 6, a * c * d / 2, -a * b * d / 2, a * b * c / 6
