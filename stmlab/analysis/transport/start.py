"""Where the transport fit begins: anisotropy from the steps, exchange and correlation from a coarse scan.

The scan is in second order: it needs to find the valley, not its floor.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.spin_levels import anisotropies
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.transport.model import SpinParameters, spectrum
from stmlab.errors import FitError, PhysicsError
from stmlab.physics.coupled_tip import ExchangeKind

if TYPE_CHECKING:
    from stmlab.analysis.transport.model import SpinSetting
    from stmlab.analysis.transport.problem import SpectrumData
    from stmlab.arrays import FloatArray

_LARGEST_EXCHANGES = (0.3, 0.8, 1.6, 3.0)  # meV at the largest conductance
_CORRELATIONS = (-0.5, 0.0, 0.5)
_KONDO = -0.03
_MOST = 6  # spectra that the scan looks at


def starts(
    spectra: list[SpectrumData], setting: SpinSetting, temperature_K: float | None
) -> list[tuple[SpinParameters, FloatArray]]:
    """Parameters to begin with, and the conductance of each spectrum, shape (K,), S.

    One start for each sign of the exchange that makes a difference: the valleys lie apart.
    """
    anisotropies, effective = _anisotropies(spectra, setting, temperature_K)
    temperature = effective if temperature_K is None else temperature_K
    scanned = [spectra[k] for k in np.unique(np.linspace(0, len(spectra) - 1, _MOST).astype(int))]
    second = replace(setting, order=2)
    found: dict[bool, tuple[float, SpinParameters]] = {}
    for (axial, transverse), slope, correlation in itertools.product(anisotropies, *_exchanges(spectra, setting)):
        trial = SpinParameters(axial, transverse, temperature, slope, correlation)
        try:
            squares = sum(_scaled(one, second, trial)[1] for one in scanned)
        except PhysicsError:
            continue
        if squares < found.get(slope < 0, (np.inf,))[0]:
            found[slope < 0] = squares, trial
    if not found:
        raise FitError("no trial parameters of the transport model are possible: is the temperature right?")
    return [
        (
            replace(trial, kondo_coupling=_KONDO if setting.order == 3 else 0.0),
            np.array([_scaled(one, second, trial)[0] for one in spectra]),
        )
        for _, trial in found.values()
    ]


def _exchanges(spectra: list[SpectrumData], setting: SpinSetting) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if setting.exchange is ExchangeKind.NONE:
        return (0.0,), (0.0,)
    largest = 1e6 * max(float(one.conductance.max()) for one in spectra)
    slopes = tuple(exchange / largest for exchange in _LARGEST_EXCHANGES)
    if setting.exchange is ExchangeKind.HEISENBERG or setting.field_T:
        slopes += tuple(-slope for slope in slopes)
    return slopes, _CORRELATIONS


def _anisotropies(
    spectra: list[SpectrumData], setting: SpinSetting, temperature_K: float | None
) -> tuple[list[tuple[float, float]], float]:
    """D and E that a spin 1 with these steps may have, and the effective temperature."""
    if setting.spin != 1.0:
        raise FitError(f"spin = {setting.spin:g}: the transport fit begins from the two steps of a spin 1")
    reasons = []
    for one in spectra:  # the exchange shifts the steps: the smaller the conductance, the better
        try:
            fit = fit_steps(
                one.bias, one.conductance, temperature_K=temperature_K, modulation_V=setting.modulation_V, pairs=2
            )
        except FitError as error:
            reasons.append(str(error))
            continue
        inner, outer = fit["inner_energy"].value, fit["outer_energy"].value
        temperature = temperature_K if temperature_K is not None else fit["temperature"].value
        fixed = setting.exchange is not ExchangeKind.NONE or setting.field_T != 0
        return anisotropies(inner, outer, fixed_axis=fixed), temperature
    raise FitError(f"no spectrum shows two pairs of steps to begin with; the first: {reasons[0]}")


def _scaled(one: SpectrumData, setting: SpinSetting, trial: SpinParameters) -> tuple[float, float]:
    """Conductance that fits the spectrum best, and the squares that are left, over those of the data."""
    conductance = float(one.conductance.max())
    for _ in range(2):
        model = spectrum(setting, trial, conductance, one.bias) / conductance
        conductance = max(float(model @ one.conductance) / float(model @ model), 1e-15)
    left = conductance * model - one.conductance
    return conductance, float(left @ left) / float(one.conductance @ one.conductance)
