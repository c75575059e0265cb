"""The steps of Muenks et al.: their energies, and the asymmetries that four Gaussians in d2I/dV2 give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.physics.spins import SpinSystem
    from stmlab.physics.transport import TunnelJunction

BIAS_V: FloatArray = np.linspace(-10e-3, 10e-3, 601)
"""Window of the fits; a wider one moves the asymmetries by up to 0.04."""
_FARTHEST_MEV, _WIDEST_MEV = 0.7, 1.2
"""A Gaussian farther from its step, or wider (at 2 K and 0.2 mV a step has 0.41 meV), describes something else."""


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


def fitted_steps(junction: TunnelJunction, modulation_V: float = 0.0) -> Steps:
    """Four Gaussians and a constant, fitted to d2I/dV2 within +-10 mV; the areas are the heights of the steps.

    Raises:
        FitError: the fit does not converge, or a Gaussian has left its step.
    """
    from scipy.optimize import curve_fit

    steps = junction.system.eigensystem.steps(0)[0]
    if len(steps) < 2 or 1e-3 * steps[-1] >= BIAS_V[-1]:
        raise FitError("four Gaussians do not fit the steps: two steps within 10 meV are needed")
    low, high = steps[[0, -1]]
    centres = np.array([-high, -low, low, high])

    def gaussians(bias: FloatArray, constant: float, *parameters: float) -> FloatArray:
        areas, shifts, widths = np.reshape(parameters, (3, 4))
        distances = (bias[:, None] - centres - shifts) / widths
        total: FloatArray = constant + (areas / np.abs(widths) * np.exp(-(distances**2) / 2)).sum(axis=1)
        return total

    slope = 1e-3 * junction.conductance_slope(BIAS_V, modulation_V) / junction.conductance_S
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
    """Energies of the ``count`` strongest steps in meV, inner first; fewer where there are fewer."""
    energies, strengths = system.eigensystem.steps(0)
    strongest = np.sort(np.argsort(strengths)[::-1][:count])
    chosen: FloatArray = energies[strongest]
    return chosen
