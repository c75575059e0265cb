"""Where the transport fit begins: anisotropy from the steps, exchange and correlation from a coarse scan.

The scan is in second order: it needs to find the valley, not its floor. What passes without flipping a spin is a
constant in that order, 2 U^2 of the conductance, and is found by linear least squares.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.spin_levels import anisotropies
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.transport.model import SpinParameters, spectrum
from stmlab.errors import FitError, PhysicsError
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.coupled_tip import ExchangeKind

if TYPE_CHECKING:
    from stmlab.analysis.transport.model import SpinSetting
    from stmlab.analysis.transport.problem import SpectrumData
    from stmlab.arrays import FloatArray

_LARGEST_EXCHANGES = (0.3, 0.8, 1.6, 3.0)  # meV at the largest conductance
_CORRELATIONS = (-0.5, 0.0, 0.5)
_KONDO = -0.03
_POTENTIAL = 0.05  # U that a fit begins with at least: at 0 the spectrum has no slope by U
_FAR_BEHIND = 4.0  # times the squares of the best valley, beyond which a scan in second order is sure
_MOST = 6  # spectra that the scan looks at


def starts(
    spectra: list[SpectrumData], setting: SpinSetting, temperature_K: float | None
) -> list[tuple[SpinParameters, FloatArray]]:
    """Parameters to begin with, and the conductance of each spectrum, shape (K,), S.

    One start for each sign of the exchange and each pair of anisotropies that make a difference, unless the scan leaves
    it far behind: the valleys lie apart.

    Raises:
        FitError: no spectrum shows two pairs of steps.
    """
    anisotropies, temperature, offset = _from_steps(spectra, setting, temperature_K)
    scanned = [spectra[k] for k in np.unique(np.linspace(0, len(spectra) - 1, _MOST).astype(int))]
    second, kondo = replace(setting, order=2), _KONDO if setting.order == 3 else 0.0
    found: dict[tuple[bool, float, float], tuple[float, SpinParameters]] = {}
    for (axial, transverse), slope, correlation in itertools.product(anisotropies, *_exchanges(spectra, setting)):
        trial = SpinParameters(axial, transverse, temperature, slope, correlation, bias_offset=offset)
        try:
            squares = sum(_scaled(one, second, trial)[2] for one in scanned)
        except PhysicsError:
            continue
        valley = slope < 0, axial, transverse
        if squares < found.get(valley, (np.inf,))[0]:
            found[valley] = squares, trial
    if not found:
        raise FitError("no trial parameters of the transport model are possible: is the temperature right?")
    nearest = min(squares for squares, _ in found.values())
    return [
        _begun(spectra, second, replace(trial, kondo_coupling=kondo))
        for squares, trial in found.values()
        if squares < _FAR_BEHIND * nearest
    ]


def _begun(
    spectra: list[SpectrumData], second: SpinSetting, trial: SpinParameters
) -> tuple[SpinParameters, FloatArray]:
    """The trial with its potential scattering, and the conductances."""
    conductances, elastic = np.array([_scaled(one, second, trial)[:2] for one in spectra]).T
    potential = math.sqrt(max(float(np.median(elastic)) / 2, 0.0))
    return replace(trial, potential_scattering=max(potential, _POTENTIAL)), conductances


def _exchanges(spectra: list[SpectrumData], setting: SpinSetting) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if setting.exchange is ExchangeKind.NONE:
        return (0.0,), (0.0,)
    largest = 1e6 * max(float(one.conductance.max()) for one in spectra)
    slopes = tuple(exchange / largest for exchange in _LARGEST_EXCHANGES)
    if setting.exchange is ExchangeKind.HEISENBERG or setting.field_T:
        slopes += tuple(-slope for slope in slopes)
    return slopes, _CORRELATIONS


def _from_steps(
    spectra: list[SpectrumData], setting: SpinSetting, temperature_K: float | None
) -> tuple[list[tuple[float, float]], float, float]:
    """D and E that a spin 1 with these steps may have, the temperature (effective if not given) and the bias offset."""
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
        pairs = anisotropies(inner, outer, fixed_axis=fixed)
        if fixed:
            pairs += _of_one_step(one, setting, temperature)
        return pairs, temperature, fit["bias_offset"].value
    raise FitError(f"no spectrum shows two pairs of steps to begin with; the first: {reasons[0]}")


def _of_one_step(one: SpectrumData, setting: SpinSetting, temperature_K: float) -> list[tuple[float, float]]:
    """D of either sign that a spin 1 with a single step has, and a small E: two steps read off it mean nothing."""
    try:
        fit = fit_steps(
            one.bias, one.conductance, temperature_K=temperature_K, modulation_V=setting.modulation_V, pairs=1
        )
    except FitError:
        return []
    energy, transverse = fit["inner_energy"].value, 0.5 * K_B_MEV_PER_K * temperature_K
    return [(-energy, transverse), (energy, transverse)]


def _scaled(one: SpectrumData, setting: SpinSetting, trial: SpinParameters) -> tuple[float, float, float]:
    """Conductance that fits the spectrum best, elastic part of it, and the squares left, over those of the data."""
    conductance, elastic, size = float(one.conductance.max()), 0.0, float(one.conductance @ one.conductance)
    for _ in range(2):
        model = spectrum(setting, trial, conductance, one.bias) / conductance
        design = np.column_stack([model, np.ones_like(model)])
        conductance, constant = np.linalg.lstsq(design, one.conductance, rcond=None)[0].tolist()
        if constant <= 0 or conductance <= 0:  # nothing passes beside the spin
            conductance, constant = float(model @ one.conductance) / float(model @ model), 0.0
        conductance = max(conductance, 1e-15)
        elastic = constant / conductance
    left = conductance * (model + elastic) - one.conductance
    return conductance, elastic, float(left @ left) / size
