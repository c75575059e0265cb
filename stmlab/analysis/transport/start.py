"""Where the transport fit begins: anisotropy from the steps, the rest from a coarse scan of what the file leaves open.

The scan is in second order: it needs to come near the minimum, not into it. What passes without flipping a spin is a
constant in that order, 2 U^2 of the conductance, and is found by linear least squares.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.spin_levels import anisotropies
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.transport.candidates import apart, candidates, is_sampled
from stmlab.analysis.transport.data import axes
from stmlab.analysis.transport.model import Grid
from stmlab.errors import FitError, PhysicsError
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.transport import conductances

if TYPE_CHECKING:
    from stmlab.analysis.transport.data import SpectrumData
    from stmlab.arrays import FloatArray
    from stmlab.physics.transport import TunnelJunction
    from stmlab.systems import System

_POTENTIAL = 0.05  # U that a fit begins with at least: at 0 the spectrum has no slope by U
_FAR_BEHIND = 4.0  # times the squares of the best minimum, beyond which a scan in second order is sure
_VALLEYS = 8  # that are followed
_MOST = 6  # spectra that the scan looks at
_TOGETHER = 32  # trials between two looks at the clock, of a system of ...
_FEW_LEVELS = 32  # ... so many levels or fewer
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
    spectra: list[SpectrumData], system: System, seen: StepsSeen | None
) -> list[tuple[dict[str, float], FloatArray]]:
    """Values to begin with, and the conductance of each spectrum, shape (K,), S.

    The best candidate near each minimum, the best minima only: the file's own start is among them.

    Raises:
        FitEnded: the fit is to end early, and has nothing to show yet.
        FitError: no trial parameters are possible.
    """
    scanned = [spectra[k] for k in np.unique(np.linspace(0, len(spectra) - 1, _MOST).astype(int))]
    largest = max(float(one.conductance.max()) for one in spectra)
    trials = candidates(system, largest, _anisotropies(seen, system, spectra), _read_off(seen, system, spectra))
    found: list[tuple[float, int, dict[str, float]]] = []
    steps, together = iterations(), _together(system)
    for first in range(0, len(trials), together):
        steps.refuse_if_over()
        steps.done(math.nan)
        for squares, trial in _scanned(scanned, system, trials[first : first + together]):
            found.append((squares, len(found), trial))
    if not found:
        raise FitError(
            f"{system.label}: no trial parameters of the transport model are possible: is the temperature right?"
        )
    kept = sorted(_minima(system, sorted(found, key=itemgetter(0))), key=itemgetter(1))
    return [_begun(spectra, system, trial) for _, _, trial in kept]


def _together(system: System) -> int:
    """Trials between two looks at whether the fit is to end: their time grows with the cube of the number of levels."""
    levels = math.prod(round(2 * one.spin + 1) for one in system.table.spins.values())
    return max(1, min(_TOGETHER, int(_TOGETHER * (_FEW_LEVELS / levels) ** 3)))


def _minima(
    system: System, found: list[tuple[float, int, dict[str, float]]]
) -> list[tuple[float, int, dict[str, float]]]:
    """Of trials, the best first, the best near each minimum; not those that are sure to lead to nothing."""
    kept: list[tuple[float, int, dict[str, float]]] = []
    sure = math.inf if is_sampled(system) else _FAR_BEHIND * found[0][0]
    for one in found:
        if len(kept) == _VALLEYS or one[0] >= sure:
            break
        if all(apart(system, one[2], other) for _, _, other in kept):
            kept.append(one)
    return kept or found[:1]


def _scanned(
    spectra: list[SpectrumData], system: System, trials: list[dict[str, float]]
) -> list[tuple[float, dict[str, float]]]:
    """Relative squares that each trial leaves, without those for which the model is not defined."""
    try:
        squares = _scaled(spectra, system, trials)[2].sum(axis=1)
    except PhysicsError:
        if len(trials) == 1:
            return []
        middle = len(trials) // 2
        return _scanned(spectra, system, trials[:middle]) + _scanned(spectra, system, trials[middle:])
    return list(zip(squares.tolist(), trials, strict=True))


def _begun(spectra: list[SpectrumData], system: System, trial: dict[str, float]) -> tuple[dict[str, float], FloatArray]:
    """The trial with its potential scattering, and the conductances."""
    (scales,), (elastic,), _ = _scaled(spectra, system, [trial])
    potential = math.sqrt(max(float(np.median(elastic)) / 2, 0.0))
    for name in system.names_by_key["potential_scattering"]:
        one, sign = system.parameters[name], math.copysign(1.0, trial[name])
        trial = {**trial, name: float(np.clip(sign * max(potential, _POTENTIAL), one.low, one.high))}
    return trial, scales


def steps_seen(spectra: list[SpectrumData], *, singles: bool) -> StepsSeen:
    """The steps of the first spectrum that shows two pairs: the smaller the conductance, the less exchange shifts them.

    Args:
        spectra: in the order of their conductances.
        singles: whether to look for a single step too.

    Raises:
        FitError: none does.
    """
    reasons = []
    for one in spectra:
        temperature_K = one.temperature_K
        steps = partial(fit_steps, temperature_K=temperature_K, modulation_V=one.modulation_V)
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


def has_an_axis(system: System, spectra: list[SpectrumData]) -> bool:
    """Whether exchange or field single out the axis z: then D and E of one spectrum may have several values."""
    with_field = not system.wants_field or any(one.field_T for one in spectra)
    return len(system.table.spins) > 1 or with_field


def known_names(system: System, spectra: list[SpectrumData]) -> frozenset[str]:
    """Parameters that need no fit: the temperature, where the file leaves it to data that say it."""
    if not system.wants_temperature or any(one.temperature_K is None for one in spectra):
        return frozenset()
    return system.names_by_key.get("temperature_K", frozenset())


def _read_off(seen: StepsSeen | None, system: System, spectra: list[SpectrumData]) -> dict[str, float]:
    """Starts of temperature and offset, where the file leaves them to the data."""
    known = [one.temperature_K for one in spectra if one.temperature_K is not None]
    temperature = seen.temperature_K if seen is not None else float(np.mean(known)) if known else math.nan
    found = dict.fromkeys(system.names_by_key.get("temperature_K", ()), temperature)
    return found | dict.fromkeys(system.offset_names, 0.0 if seen is None else seen.bias_offset_V)


def _anisotropies(seen: StepsSeen | None, system: System, spectra: list[SpectrumData]) -> list[tuple[float, float]]:
    """D and E that a spin 1 with these steps may have.

    With a single step, D of either sign and a small E.
    """
    if seen is None:
        return []
    several = has_an_axis(system, spectra)
    pairs = anisotropies(seen.inner_meV, seen.outer_meV, fixed_axis=several)
    if several and seen.single_meV is not None:
        small = 0.5 * K_B_MEV_PER_K * seen.temperature_K
        pairs += [(-seen.single_meV, small), (seen.single_meV, small)]
    return pairs


def _scaled(
    spectra: list[SpectrumData], system: System, trials: list[dict[str, float]]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Conductance that fits each spectrum best, elastic part of it, and the squares left, over those of the data.

    In second order; each array of shape (trials, K).
    """
    beside = system.names_by_key["potential_scattering"]
    trials = [{**trial, **dict.fromkeys(beside, 0.0)} for trial in trials]
    offset = system.bias_offset(trials[0])
    coldest = min(system.temperature(trial, one.at(1.0)) for trial in trials for one in spectra)
    every = np.concatenate([one.bias for one in spectra]) - offset
    widest = max(one.modulation_V for one in spectra)
    grid = Grid.over(every.min(), every.max(), widest, coldest, per_kT=_PER_KT)
    scales = np.tile([float(one.conductance.max()) for one in spectra], (len(trials), 1))
    elastic, squares = np.zeros(scales.shape), np.zeros(scales.shape)
    for _ in range(2):
        junctions = [
            _second_order(system.junction(trial, one.at(g)))
            for trial, row in zip(trials, scales.tolist(), strict=True)
            for one, g in zip(spectra, row, strict=True)
        ]
        shapes = (conductances(junctions, grid.bias_V) / scales.reshape(-1, 1)).reshape(*scales.shape, -1)
        for bias, modulation, numbers in axes(spectra):
            seen = replace(grid, modulation_V=modulation)
            read = seen.read(shapes[:, numbers].reshape(-1, grid.bias_V.size), bias - offset)
            data = np.array([spectra[k].conductance for k in numbers])
            found = _linear(read.reshape(len(trials), len(numbers), -1), data, beside=bool(beside))
            scales[:, numbers], elastic[:, numbers], squares[:, numbers] = found
    return scales, elastic, squares


def _second_order(junction: TunnelJunction) -> TunnelJunction:
    return junction if junction.order == 2 else replace(junction, order=2, coupling=0.0, tip_coupling=0.0)


def _linear(model: FloatArray, data: FloatArray, *, beside: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scale and constant part of it by least squares of (..., n), neither below 0, and the relative squares left.

    ``beside``: whether electrons may pass beside the spin, a constant part.
    """
    mean_model, mean_data = model.mean(axis=-1), data.mean(axis=-1)
    variance = ((model - mean_model[..., None]) ** 2).sum(axis=-1)
    scale = ((model - mean_model[..., None]) * data).sum(axis=-1) / np.maximum(variance, np.finfo(float).tiny)
    constant = mean_data - scale * mean_model
    passing = (constant > 0) & (scale > 0) & beside
    scale = np.where(passing, scale, (model * data).sum(axis=-1) / (model * model).sum(axis=-1))
    scale = np.maximum(scale, 1e-15)
    elastic = np.where(passing, constant / scale, 0.0)
    left = scale[..., None] * (model + elastic[..., None]) - data
    return scale, elastic, (left**2).sum(axis=-1) / (data**2).sum(axis=-1)
