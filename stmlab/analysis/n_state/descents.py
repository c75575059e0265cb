"""The descents of an n-state fit, over every point of every spectrum."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.n_state.forward import Forward
from stmlab.analysis.n_state.problem import Problem
from stmlab.analysis.n_state.start import begun
from stmlab.analysis.transport.data import SMALLEST_NOISE, SpectrumData
from stmlab.analysis.transport.doubts import DECIDED
from stmlab.analysis.transport.solution import Solution, distinct, settled
from stmlab.analysis.transport.symmetry import signs
from stmlab.analysis.transport.varying import Solved
from stmlab.errors import FitError, PhysicsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stmlab.analysis.n_state.data import SrsSpectrum
    from stmlab.arrays import FloatArray
    from stmlab.systems import System

_ROUNDS = ((3e-2, 4, 4), (1e-3, 40, 3), (1e-5, 40, 2))
"""Of each round: promised gain over the squares at which it ends, steps, and how many of one system it begins with."""
_CONVERGED, _MOST, _REWEIGHTED, _STEADY = 1e-7, 40, 4, 1e-2
_FEW_SPECTRA = 4  # whose scatter says nothing of how even the noise is
_HOPELESS = 200.0  # difference of AIC


def solutions(spectra: list[SrsSpectrum], systems: Sequence[System], *, offsets: bool) -> list[Solution]:
    """All that was found with each of the systems; the best have come to their end.

    Args:
        spectra: at least one with a step.
        systems: to be compared.
        offsets: each spectrum has an offset of its own; else that of the model, I_rec.

    Raises:
        FitEnded: the fit is to end early, and has nothing to show yet.
        FitError: no start of any system is possible.
    """
    found = _starts(spectra, systems)
    residuals = {one: SpectraLeft(Forward(one, spectra), offsets) for one in systems}
    for tolerance, most, kept in _ROUNDS:
        lowest = min((one.aic for one in found if one.left), default=math.inf)
        going = [one for one in _best_of_each(found, kept) if not one.left or one.aic < lowest + _HOPELESS]
        gone_on = [improved(residuals[one.system], one, tolerance, most) for one in going]
        found = distinct([one for one in gone_on if one.left] or found)
    if not found[0].left and iterations().over:
        return [_as_it_began(residuals, found)]
    if not found[0].left:
        raise FitError("the model is defined at no start: is the temperature right?")
    lowest = min(one.aic for one in found)
    return [_settled(residuals[one.system], one) if one.aic < lowest + 2 * DECIDED else one for one in found]


def _starts(spectra: list[SrsSpectrum], systems: Sequence[System]) -> list[Solution]:
    """Of every system; where the fit is to end, of those that were come to."""
    found: list[Solution] = []
    for one in systems:
        if found and iterations().over:
            break
        found += _begun(spectra, one)
    return found


def _as_it_began(residuals: Mapping[System, SpectraLeft], found: list[Solution]) -> Solution:
    """The nearest start, with what it leaves of the spectra: no step was made before the fit was to end."""
    for nearest in sorted(found, key=lambda one: one.aic):
        left = residuals[nearest.system]
        size = len(nearest.free) + nearest.conductances.size
        try:
            parts = left.weighted(nearest)(nearest.values, nearest.conductances)
        except PhysicsError:
            continue
        nothing = np.full((size, size), math.nan)
        begun = Solved(dict(nearest.values), nearest.conductances, nothing, parts, converged=False, steps=0)
        return _weighed(left, nearest, begun)
    raise iterations().nothing_yet()


def _settled(left: SpectraLeft, solution: Solution) -> Solution:
    return settled(partial(improved, left, tolerance=_CONVERGED, most=_MOST), solution, _STEADY, _REWEIGHTED)


@dataclass(frozen=True, eq=False)
class SpectraLeft:
    """What a system leaves of every spectrum."""

    forward: Forward
    offsets: bool

    def of(self, values: Mapping[str, float], conductances: FloatArray) -> list[FloatArray]:
        """Model less data in A, of each spectrum; less its mean, where the offset is the spectrum's own.

        Raises:
            PhysicsError, FitError: as `Forward.junctions`.
        """
        signals = self.forward.signals(values, conductances)
        left = [signal - one.current for signal, one in zip(signals, self.forward.spectra, strict=True)]
        return [part - part.mean() for part in left] if self.offsets else left

    def weighted(self, solution: Solution) -> Callable[[Mapping[str, float], FloatArray], FloatArray]:
        """The same of all spectra, over the noise of each in the solution."""

        def residuals(values: Mapping[str, float], conductances: FloatArray) -> FloatArray:
            parts = self.of(values, conductances)
            return np.concatenate([part / noise for part, noise in zip(parts, solution.noise, strict=True)])

        return residuals


def improved(left: SpectraLeft, solution: Solution, tolerance: float, most: int) -> Solution:
    """Least squares from the solution, with its noise of each spectrum; itself if the fit is over."""
    if iterations().over:
        return solution
    problem = Problem(left.forward, left.weighted(solution), solution.values, solution.free, solution.signs.even)
    found = problem.solved(solution.conductances, tolerance, most)
    return solution if found is None else _weighed(left, solution, found)


def _weighed(left: SpectraLeft, solution: Solution, found: Solved) -> Solution:
    """The end of a descent from the solution, with the noise that it leaves of each spectrum, and its AIC."""
    spectra = left.forward.spectra
    sizes = [one.frequency.size for one in spectra]
    parts = np.split(found.residuals, np.cumsum(sizes)[:-1])
    shared = (len(solution.free) + found.conductances.size) / sum(sizes)
    own = 1.0 if left.offsets else 0.0  # parameters of each spectrum
    used = np.array([size * (1.0 - shared) - own for size in sizes])
    noise = evened(solution.noise * np.sqrt([float(part @ part) for part in parts] / used), used)
    noise = np.maximum(noise, SMALLEST_NOISE * np.array([np.ptp(one.current) for one in spectra]))
    likelihood = sum(size * math.log(one**2) for size, one in zip(sizes, noise.tolist(), strict=True))
    return replace(
        solution,
        values=found.values,
        conductances=found.conductances,
        covariance=found.covariance * float(found.residuals @ found.residuals) / float(used.sum()),
        noise=noise,
        aic=likelihood + 2 * (len(solution.free) + found.conductances.size + (1 + own) * len(spectra)),
        left=tuple(part * scale for part, scale in zip(parts, solution.noise, strict=True)),
        converged=found.converged,
        steps=found.steps,
    )


def evened(noise: FloatArray, degrees: FloatArray) -> FloatArray:
    """Noise of spectra, each known by few points, drawn to their common one as far as these explain the scatter.

    A variance known by k degrees of freedom scatters by 2 / k in its logarithm. Spectra weighted by noise that is small
    by chance would be fitted too closely, and errors be too small.

    Args:
        noise: rms of each spectrum, shape (K,).
        degrees: of freedom of each, shape (K,).
    """
    if noise.size < _FEW_SPECTRA:
        return np.full(noise.shape, math.sqrt(float(degrees @ noise**2) / float(degrees.sum())))
    own, common = np.log(noise**2), math.log(float(degrees @ noise**2) / float(degrees.sum()))
    chance = 2.0 / degrees
    real = max(float(np.mean((own - own.mean()) ** 2 * noise.size / (noise.size - 1) - chance)), 0.0)
    found: FloatArray = np.exp(0.5 * (common + real / (real + chance) * (own - common)))
    return found


def _best_of_each(found: list[Solution], kept: int) -> list[Solution]:
    """So many of every system; those that have not been descended stay in their order."""
    best: list[Solution] = []
    for one in sorted(found, key=lambda solution: solution.aic):
        if sum(other.system is one.system for other in best) < kept:
            best.append(one)
    return best


def _begun(spectra: list[SrsSpectrum], system: System) -> list[Solution]:
    forward, turned = Forward(system, spectra), signs(system, [_as_swept(one) for one in spectra])
    free = tuple(system.parameters)
    noise = np.array([one.noise for one in spectra])
    return [
        Solution(system, one.values, free, one.conductances, np.empty(0), noise, one.squares, signs=turned)
        for one in begun(forward, free, turned.even)
    ]


def _as_swept(one: SrsSpectrum) -> SpectrumData:
    """The voltages that the drive passes: a sign on which no conductance there depends makes no difference here."""
    bias = one.bias + one.amplitude * np.array([-1.0, 1.0])
    conductance = np.full(2, abs(one.setpoint_current / one.setpoint_bias))
    return SpectrumData(bias, conductance, conductance[0], one.field_T, one.temperature_K)
