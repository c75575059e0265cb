"""Spectra of a spin under the tip, coupled to a spin on the tip or not, as a lock-in reads them (Muenks et al.).

From spin Hamiltonian, correlation and conductance to dI/dV, in second or third order, with the occupations pumped by
the current (`stmlab.physics.transport`). The spins are those of ``config/systems/coupled_tip.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.physics.baths import DEFAULT_SCATTERING_S
from stmlab.physics.broadening import modulated
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.physics.transport import conductances
from stmlab.systems import Conditions, built_in

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.physics.transport import TunnelJunction
    from stmlab.systems import System

FINE, COARSE = 1.5, 0.8
"""Points of the model's own bias axis within kT, for 1e-8 and 1e-5 of a spectrum's span."""
_DEGREE = 7  # of the spline between them: the model is smooth on the scale of 2 pi kT


@dataclass(frozen=True)
class SpinParameters:
    """What a fit varies.

    Attributes:
        axial_anisotropy_meV, transverse_anisotropy_meV: D and E.
        temperature_K: of electrons and spins.
        exchange_slope_meV_per_uS: exchange J over the conductance of the junction.
        correlation: C between the tip's spin and its electrons.
        kondo_coupling: J rho of the sample; 0 is second order.
        potential_scattering: U; electrons that pass without flipping a spin, 2 U^2 of the conductance.
        bias_offset: V at the junction is the bias less this, V.
    """

    axial_anisotropy_meV: float
    transverse_anisotropy_meV: float
    temperature_K: float
    exchange_slope_meV_per_uS: float = 0.0
    correlation: float = 0.0
    kondo_coupling: float = 0.0
    potential_scattering: float = 0.0
    bias_offset: float = 0.0


@dataclass(frozen=True)
class SpinSetting:
    """What is known beforehand.

    Attributes:
        exchange: between both spins; NONE is a tip without a spin.
        spin, tip_spin: sizes.
        g_factor: of both.
        field_T: along z.
        modulation_V: peak amplitude of the lock-in's modulation at the junction.
        scattering_S: of the sample's electrons from the spin, which relaxes it against the pumping.
        order: 2 or 3.
    """

    exchange: ExchangeKind = ExchangeKind.NONE
    spin: float = 1.0
    tip_spin: float = 0.5
    g_factor: float = 2.0
    field_T: float = 0.0
    modulation_V: float = 0.0
    scattering_S: float = DEFAULT_SCATTERING_S
    order: int = 2


def junction(setting: SpinSetting, parameters: SpinParameters, conductance_S: float) -> TunnelJunction:
    """The junction at one conductance; raises PhysicsError for parameters outside the model."""
    conditions = Conditions(conductance_S, field_T=setting.field_T)
    return system_of(setting).junction(vars(parameters), conditions)


def system_of(setting: SpinSetting) -> System:
    """The system that comes with stmlab, with these numbers."""
    return _changed(replace(setting, field_T=0.0, modulation_V=0.0))


@lru_cache(maxsize=64)
def _changed(setting: SpinSetting) -> System:
    changes: dict[str, Any] = {
        "spins.sample.spin": setting.spin,
        "spins.sample.g": setting.g_factor,
        "spins.sample.scattering_S": setting.scattering_S,
        "spins.tip.spin": setting.tip_spin,
        "spins.tip.g": setting.g_factor,
        "order": setting.order,
    }
    if setting.order == 2:
        changes["sample.coupling"] = 0.0
    return built_in("coupled_tip", str(setting.exchange), changes)


@dataclass(frozen=True, eq=False)
class Grid:
    """An even axis, finer than kT, on which spectra are computed: a modulated one asks for 20 biases a point.

    Attributes:
        bias_V: at the junction, shape (m,).
        modulation_V: peak amplitude.
        temperature_K: for which the axis is fine enough.
    """

    bias_V: FloatArray
    modulation_V: float
    temperature_K: float

    @classmethod
    def over(
        cls, low_V: float, high_V: float, modulation_V: float, temperature_K: float, *, per_kT: float = FINE
    ) -> Grid:
        """The grid for spectra between two biases at the junction."""
        spacing = 1e-3 * K_B_MEV_PER_K * temperature_K / per_kT
        low, high = low_V - modulation_V, high_V + modulation_V
        count = int(np.ceil((high - low) / spacing)) + 2 * _DEGREE
        margin = 0.5 * ((count - 1) * spacing - (high - low))  # a spline is poor at its ends
        return cls(np.linspace(low - margin, high + margin, count), modulation_V, temperature_K)

    def read(self, spectra: FloatArray, bias_V: FloatArray, *, slope: bool = False) -> FloatArray:
        """What a lock-in reads, from dI/dV of shape (B, m) on the grid, at biases at the junction of shape (n,).

        Returns:
            Shape (B, n), in the unit of the spectra, or of their slope by the bias.
        """
        from scipy.interpolate import make_interp_spline

        smooth = make_interp_spline(self.bias_V, spectra, _DEGREE, axis=1)
        smooth = smooth.derivative() if slope else smooth
        return modulated(smooth, bias_V, self.modulation_V, self.temperature_K)


def spectra(
    setting: SpinSetting, parameters: SpinParameters, conductances_S: FloatArray, bias_V: FloatArray
) -> FloatArray:
    """dI/dV in S at ``bias_V`` (V), shape (n,), of junctions with these conductances, shape (B,): shape (B, n).

    Temperature and modulation included.
    """
    at_junction = bias_V - parameters.bias_offset
    grid = Grid.over(at_junction.min(), at_junction.max(), setting.modulation_V, parameters.temperature_K)
    junctions = [junction(setting, parameters, float(g)) for g in conductances_S]
    return grid.read(conductances(junctions, grid.bias_V), at_junction)
