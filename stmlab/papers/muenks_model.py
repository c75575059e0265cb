"""The models of Muenks et al.: CoH (S = 1) on the sample, a Co atom (S = 1/2) on the tip, and the analysis of steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.junction import Occupation, PolarisingState
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

PAPER = "muenks"
TEMPERATURE_K = 2.0
MODULATION_V = 0.2e-3
BIAS_V: FloatArray = np.linspace(-10e-3, 10e-3, 601)
"""Window of the step fits; a wider one moves the asymmetries by up to 0.04."""
_FARTHEST_MEV, _WIDEST_MEV = 0.7, 1.2
"""A Gaussian farther from its step, or wider (at 2 K and 0.2 mV a step has 0.41 meV), describes something else."""


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
        couple = Exchange.ising if (self.ising if ising is None else ising) else Exchange.heisenberg
        spins = (Spin(1, self.axial_meV, self.transverse_meV), Spin(tip_spin))
        return SpinSystem(spins, (couple(0, 1, exchange_meV),), (0.0, 0.0, self.field_T))

    def junction(self, conductance_uS: float, exchange_meV: float | None = None) -> TunnelJunction:
        """Second order, thermal occupation, tip polarised by the initial state: the model of the asymmetries."""
        exchange = self.slope_meV_per_uS * conductance_uS if exchange_meV is None else exchange_meV
        return TunnelJunction(
            self.system(exchange),
            TEMPERATURE_K,
            1e-6 * conductance_uS,
            tip=Electrode(correlation=self.correlation, spin=1),
            polarising_state=PolarisingState.INITIAL,
            occupation=Occupation.THERMAL,
        )


ANTIFERROMAGNETIC = FunctionalTip("AFM correlation", -4.2, 0.87, 3.6, False, -0.5)
"""Figs. 1g, 1i, 2c, 2d."""
FERROMAGNETIC = FunctionalTip("FM correlation", -3.23, 0.58, 5.9, True, 0.35)
"""Figs. 1h, 1j, 2e, 2f."""
TIPS = (ANTIFERROMAGNETIC, FERROMAGNETIC)
IN_FIELD = FunctionalTip("5 T", -4.05, 0.65, 1.1, True, 0.6, 5.0)
"""Fig. 4."""


def steady(junction: TunnelJunction, scattering_S: float = 2e-6) -> TunnelJunction:
    """The same junction with occupations from the master equation and electrons that keep detailed balance."""
    return replace(
        junction,
        occupation=Occupation.STEADY,
        polarising_state=PolarisingState.DETAILED,
        baths=(Bath(0, scattering_S), Bath(1, 1e-9)),
    )


@dataclass(frozen=True)
class Steps:
    """Four Gaussians in d2I/dV2.

    Attributes:
        inner, outer: asymmetries eta = (h_n - h_p) / (h_n + h_p) of the steps' heights.
        inner_meV, outer_meV: mean centres; third order pulls the outer ones below the levels.
    """

    inner: float
    outer: float
    inner_meV: float
    outer_meV: float


def fitted_steps(junction: TunnelJunction) -> Steps:
    """Four Gaussians and a constant, fitted to d2I/dV2 within +-10 mV; the areas are the heights of the steps.

    Raises:
        FitError: the fit does not converge, or a Gaussian has left its step.
    """
    from scipy.optimize import curve_fit

    low, high = junction.system.eigensystem.steps(0)[0][[0, -1]]
    centres = np.array([-high, -low, low, high])

    def gaussians(bias: FloatArray, constant: float, *parameters: float) -> FloatArray:
        areas, shifts, widths = np.reshape(parameters, (3, 4))
        distances = (bias[:, None] - centres - shifts) / widths
        total: FloatArray = constant + (areas / np.abs(widths) * np.exp(-(distances**2) / 2)).sum(axis=1)
        return total

    slope = 1e-3 * junction.conductance_slope(BIAS_V) / junction.conductance_S
    start = [0.0, *(0.1 * np.sign(centres)), *np.zeros(4), *np.full(4, 0.4)]
    try:
        fitted, _ = curve_fit(gaussians, 1e3 * BIAS_V, slope, start, maxfev=20_000)
    except RuntimeError as error:
        raise FitError(f"four Gaussians do not fit the steps: {error}") from error
    if np.abs(fitted[5:9]).max() > _FARTHEST_MEV or np.abs(fitted[9:]).max() > _WIDEST_MEV:
        raise FitError("four Gaussians do not fit the steps: one of them is too wide or not at its step")
    heights, found = np.abs(fitted[1:5]), np.abs(centres + fitted[5:9])
    return Steps(
        inner=float((heights[1] - heights[2]) / (heights[1] + heights[2])),
        outer=float((heights[0] - heights[3]) / (heights[0] + heights[3])),
        inner_meV=float(found[1:3].mean()),
        outer_meV=float(found[[0, 3]].mean()),
    )


def level_steps(system: SpinSystem, count: int = 2) -> FloatArray:
    """Energies of the inner and outer step from the levels, in meV."""
    energies, strengths = system.eigensystem.steps(0)
    strongest = np.sort(np.argsort(strengths)[::-1][:count])
    chosen: FloatArray = energies[strongest]
    return chosen
