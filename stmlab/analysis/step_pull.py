"""How far steps read off a ramp's spectra lie off the levels, and what that does to anisotropy and exchange.

Third order and pumping bend dI/dV, and a fit of steps takes part of that for a shift. The pull is found as it comes
about: the model's spectra at the fitted anisotropy and exchange are read with the same fit as the measured ones. It
hardly depends on the correlation C; J rho is taken, not fitted, so that it is a systematic error and no correction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.exchange import slopes_of
from stmlab.analysis.spin_levels import SpinLevels
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.transport.model import SpinParameters, SpinSetting, spectra
from stmlab.errors import FitError, PhysicsError
from stmlab.physics.coupled_tip import ExchangeKind

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

KONDO_COUPLING = -0.05
"""J rho that is taken, as Muenks et al. have it (-0.05 ... -0.1)."""
_UNKNOWN = "how far third order and pumping pull the steps off the levels is not known, and not in the errors"


@dataclass(frozen=True, eq=False)
class StepReading:
    """How the steps of a ramp were read.

    Attributes:
        setpoint: of the spectra, S, shape (K,).
        errors: of inner and outer energies, meV, shape (2, K).
        bias: of a spectrum, V, shape (n,).
        temperature_K, modulation_V, field_T: that the fit of steps was given, and the field along z.
    """

    setpoint: FloatArray
    errors: FloatArray
    bias: FloatArray
    temperature_K: float
    modulation_V: float
    field_T: float


def with_pull(fit: FitResult, reading: StepReading) -> FitResult:
    """The result of `fit_exchange` with the pull's share of each parameter in its error, and a warning of its size."""
    levels = SpinLevels(ExchangeKind(fit.choices["exchange"]), reading.field_T, 0.5)
    values = np.array([fit[name].value for name in fit.free])
    pull = _read(values, levels, reading) - levels.steps(values, reading.setpoint)
    known = np.isfinite(pull).ravel()
    if np.count_nonzero(known) < values.size:
        return replace(fit, warnings=(_UNKNOWN, *fit.warnings))

    def model(several: FloatArray) -> FloatArray:
        weighted: FloatArray = levels.steps(several, reading.setpoint) / reading.errors
        return weighted.reshape(len(several), -1)

    slopes = slopes_of(model, values)[known]
    shift = np.linalg.lstsq(slopes, (pull / reading.errors).ravel()[known], rcond=None)[0]
    named = dict(zip(fit.free, shift.tolist(), strict=True))
    parameters = tuple(
        replace(parameter, error=math.hypot(parameter.error, named.get(parameter.name, 0.0)))
        for parameter in fit.parameters
    )
    covariance = fit.covariance + np.outer(shift, shift)
    return replace(fit, parameters=parameters, covariance=covariance, warnings=(_told(fit, pull, named), *fit.warnings))


def _read(values: FloatArray, levels: SpinLevels, reading: StepReading) -> FloatArray:
    """Inner and outer energies, meV, shape (2, K), that the fit finds in the model's spectra; nan where none."""
    spins = SpinParameters(
        float(values[0]),
        float(values[1]),
        temperature_K=reading.temperature_K,
        exchange_slope_meV_per_uS=float(values[2]) if levels.free == 3 else 0.0,
        kondo_coupling=KONDO_COUPLING,
    )
    setting = SpinSetting(levels.kind, field_T=reading.field_T, modulation_V=reading.modulation_V, order=3)
    energies = np.full((2, reading.setpoint.size), math.nan)
    try:
        modelled = spectra(setting, spins, reading.setpoint, reading.bias)
    except PhysicsError:
        return energies
    for k, spectrum in enumerate(modelled):
        try:
            fit = fit_steps(
                reading.bias, spectrum, temperature_K=reading.temperature_K, modulation_V=reading.modulation_V
            )
        except FitError:
            continue
        energies[:, k] = fit["inner_energy"].value, fit["outer_energy"].value
    return energies


def _told(fit: FitResult, pull: FloatArray, shift: dict[str, float]) -> str:
    ends = [f"{np.nanmin(row):+.2f} to {np.nanmax(row):+.2f} meV" for row in pull]
    moved = ", ".join(f"{name} {value:+.2g} {fit[name].unit}" for name, value in shift.items())
    return (
        f"energies read off spectra are not quite levels: third order (J rho = {KONDO_COUPLING:g} is taken) and "
        f"pumping pull the inner steps by {ends[0]} and the outer ones by {ends[1]}, and with them {moved}: in the "
        "errors, not in the values; the model transport has it, and by the junction's own conductance instead of the "
        "setpoint's I/V"
    )
