"""Where the transport fit begins: anisotropy from the steps, exchange and correlation from a coarse scan.

The scan is in second order: it needs to find the valley, not its floor. What passes without flipping a spin is a
constant in that order, 2 U^2 of the conductance, and is found by linear least squares.
"""

from __future__ import annotations

import itertools
import math
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.spin_levels import anisotropies
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.transport.model import Grid, SpinParameters, junction
from stmlab.analysis.transport.problem import axes
from stmlab.errors import FitError, PhysicsError
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.physics.transport import conductances

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
_PER_KT = 0.5  # points of its grid: 1e-3 of the steps


@dataclass(frozen=True, eq=False)
class StepsSeen:
    """What the steps of one spectrum say: energies in meV, temperature in K (effective if not given), offset in V.

    ``single`` is the energy of a single step, where two that are read off the spectrum may mean nothing.
    """

    inner_meV: float
    outer_meV: float
    temperature_K: float
    bias_offset_V: float
    single_meV: float | None


def starts(
    spectra: list[SpectrumData], setting: SpinSetting, seen: StepsSeen
) -> list[tuple[SpinParameters, FloatArray]]:
    """Parameters to begin with, and the conductance of each spectrum, shape (K,), S.

    One start for each sign of the exchange and each pair of anisotropies that make a difference, unless the scan leaves
    it far behind: the valleys lie apart.

    Raises:
        FitEnded: the fit is to end early, and has nothing to show yet.
        FitError: no trial parameters are possible.
    """
    pairs, temperature, offset = _anisotropies(seen, setting), seen.temperature_K, seen.bias_offset_V
    scanned = [spectra[k] for k in np.unique(np.linspace(0, len(spectra) - 1, _MOST).astype(int))]
    second, kondo = replace(setting, order=2), _KONDO if setting.order == 3 else 0.0
    found: dict[tuple[bool, float, float], tuple[float, SpinParameters]] = {}
    slopes, correlations = _exchanges(spectra, setting)
    steps = iterations()
    for (axial, transverse), slope in itertools.product(pairs, slopes):
        steps.refuse_if_over()
        steps.done(math.nan)
        trials = [SpinParameters(axial, transverse, temperature, slope, c, bias_offset=offset) for c in correlations]
        try:
            squares = _scaled(scanned, second, trials)[2].sum(axis=1)
        except PhysicsError:
            continue
        valley, best = (slope < 0, axial, transverse), int(squares.argmin())
        if squares[best] < found.get(valley, (np.inf,))[0]:
            found[valley] = float(squares[best]), trials[best]
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
    (scales,), (elastic,), _ = _scaled(spectra, second, [trial])
    potential = math.sqrt(max(float(np.median(elastic)) / 2, 0.0))
    return replace(trial, potential_scattering=max(potential, _POTENTIAL)), scales


def _exchanges(spectra: list[SpectrumData], setting: SpinSetting) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if setting.exchange is ExchangeKind.NONE:
        return (0.0,), (0.0,)
    largest = 1e6 * max(float(one.conductance.max()) for one in spectra)
    slopes = tuple(exchange / largest for exchange in _LARGEST_EXCHANGES)
    if setting.exchange is ExchangeKind.HEISENBERG or setting.field_T:
        slopes += tuple(-slope for slope in slopes)
    return slopes, _CORRELATIONS


def steps_seen(
    spectra: list[SpectrumData], modulation_V: float, temperature_K: float | None, *, singles: bool
) -> StepsSeen:
    """The steps of the first spectrum that shows two pairs: the smaller the conductance, the less exchange shifts them.

    Args:
        spectra: in the order of their conductances.
        modulation_V: peak amplitude at the junction.
        temperature_K: of the sample, or None.
        singles: whether to look for a single step too.

    Raises:
        FitError: none does.
    """
    reasons = []
    steps = partial(fit_steps, temperature_K=temperature_K, modulation_V=modulation_V)
    for one in spectra:
        try:
            fit = steps(one.bias, one.conductance, pairs=2)
        except FitError as error:
            reasons.append(str(error))
            continue
        single = None
        if singles:
            with suppress(FitError):
                single = steps(one.bias, one.conductance, pairs=1)["inner_energy"].value
        temperature = temperature_K if temperature_K is not None else fit["temperature"].value
        energies = fit["inner_energy"].value, fit["outer_energy"].value
        return StepsSeen(*energies, temperature, fit["bias_offset"].value, single)
    raise FitError(f"no spectrum shows two pairs of steps to begin with; the first: {reasons[0]}")


def has_an_axis(setting: SpinSetting) -> bool:
    """Whether exchange or field single out the axis z: then D and E of one spectrum may have several values."""
    return setting.exchange is not ExchangeKind.NONE or setting.field_T != 0


def _anisotropies(seen: StepsSeen, setting: SpinSetting) -> list[tuple[float, float]]:
    """D and E that a spin 1 with these steps may have.

    With a single step, D of either sign and a small E.
    """
    pairs = anisotropies(seen.inner_meV, seen.outer_meV, fixed_axis=has_an_axis(setting))
    if has_an_axis(setting) and seen.single_meV is not None:
        small = 0.5 * K_B_MEV_PER_K * seen.temperature_K
        pairs += [(-seen.single_meV, small), (seen.single_meV, small)]
    return pairs


def _scaled(
    spectra: list[SpectrumData], setting: SpinSetting, trials: list[SpinParameters]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Conductance that fits each spectrum best, elastic part of it, and the squares left, over those of the data.

    Trials at the same temperature and offset; each array of shape (trials, K).
    """
    temperature, offset = trials[0].temperature_K, trials[0].bias_offset
    every = np.concatenate([one.bias for one in spectra]) - offset
    grid = Grid.over(every.min(), every.max(), setting.modulation_V, temperature, per_kT=_PER_KT)
    scales = np.tile([float(one.conductance.max()) for one in spectra], (len(trials), 1))
    elastic, squares = np.zeros(scales.shape), np.zeros(scales.shape)
    for _ in range(2):
        junctions = [
            junction(setting, trial, g) for trial, row in zip(trials, scales.tolist(), strict=True) for g in row
        ]
        shapes = (conductances(junctions, grid.bias_V) / scales.reshape(-1, 1)).reshape(*scales.shape, -1)
        for bias, numbers in axes(spectra):
            read = grid.read(shapes[:, numbers].reshape(-1, grid.bias_V.size), bias - offset)
            data = np.array([spectra[k].conductance for k in numbers])
            found = _linear(read.reshape(len(trials), len(numbers), -1), data)
            scales[:, numbers], elastic[:, numbers], squares[:, numbers] = found
    return scales, elastic, squares


def _linear(model: FloatArray, data: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scale and constant part of it by least squares of (..., n), neither below 0, and the relative squares left."""
    mean_model, mean_data = model.mean(axis=-1), data.mean(axis=-1)
    variance = ((model - mean_model[..., None]) ** 2).sum(axis=-1)
    scale = ((model - mean_model[..., None]) * data).sum(axis=-1) / np.maximum(variance, np.finfo(float).tiny)
    constant = mean_data - scale * mean_model
    beside = (constant > 0) & (scale > 0)  # else nothing passes beside the spin
    scale = np.where(beside, scale, (model * data).sum(axis=-1) / (model * model).sum(axis=-1))
    scale = np.maximum(scale, 1e-15)
    elastic = np.where(beside, constant / scale, 0.0)
    left = scale[..., None] * (model + elastic[..., None]) - data
    return scale, elastic, (left**2).sum(axis=-1) / (data**2).sum(axis=-1)
