"""Spectra of a spin under the tip, coupled to a spin on the tip or not, as a lock-in reads them (Muenks et al.).

The forward model of the transport fit: from spin Hamiltonian, correlation and conductance to dI/dV, in second or third
order, with the occupations pumped by the current (`stmlab.physics.transport`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.baths import DEFAULT_SCATTERING_S
from stmlab.physics.broadening import modulated
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.coupled_tip import ExchangeKind, coupled_junction
from stmlab.physics.spins import Spin

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.physics.transport import TunnelJunction

_PER_KT = 1.5  # points of the model's own bias axis within kT; a spline lies between them


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
    anisotropy = parameters.axial_anisotropy_meV, parameters.transverse_anisotropy_meV
    return coupled_junction(
        Spin(setting.spin, *anisotropy, setting.g_factor),
        Spin(setting.tip_spin, g=setting.g_factor),
        conductance_S,
        parameters.temperature_K,
        exchange=setting.exchange,
        exchange_slope_meV_per_uS=parameters.exchange_slope_meV_per_uS,
        correlation=parameters.correlation,
        field_T=(0.0, 0.0, setting.field_T),
        scattering_S=setting.scattering_S,
        potential_scattering=parameters.potential_scattering,
        order=setting.order,
        **({"coupling": parameters.kondo_coupling} if setting.order == 3 else {}),
    )


def spectrum(setting: SpinSetting, parameters: SpinParameters, conductance_S: float, bias_V: FloatArray) -> FloatArray:
    """dI/dV in S at ``bias_V`` (V), shape (n,): temperature and modulation included.

    Evaluated on an even axis finer than kT and interpolated: a modulated spectrum asks for 20 biases a point.
    """
    from scipy.interpolate import CubicSpline

    spacing = 1e-3 * K_B_MEV_PER_K * parameters.temperature_K / _PER_KT
    at_junction = bias_V - parameters.bias_offset
    low, high = at_junction.min() - setting.modulation_V, at_junction.max() + setting.modulation_V
    count = int(np.ceil((high - low) / spacing)) + 7
    margin = 0.5 * ((count - 1) * spacing - (high - low))  # a spline is poor at its ends
    axis = np.linspace(low - margin, high + margin, count)
    smooth = CubicSpline(axis, junction(setting, parameters, conductance_S).conductance(axis))
    return modulated(smooth, at_junction, setting.modulation_V, parameters.temperature_K)
