"""The descents of the transport fit: many starts at first, the best few to the end."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.transport.data import SMALLEST_NOISE
from stmlab.analysis.transport.doubts import DECIDED
from stmlab.analysis.transport.model import COARSE, FINE
from stmlab.analysis.transport.problem import Problem
from stmlab.analysis.transport.solution import Solution, by_system, distinct, settled
from stmlab.analysis.transport.start import has_an_axis, known_names, starts, steps_seen
from stmlab.analysis.transport.symmetry import signs
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.analysis.transport.data import SpectrumData
    from stmlab.analysis.transport.start import StepsSeen
    from stmlab.systems import System

_MOST = 60  # steps
_ROUNDS = ((3e-2, 4, 4.0, 4), (3e-2, _MOST, 2.0, 3), (1e-3, _MOST, 0.0, 2), (1e-4, _MOST, 0.0, 2))
"""Of each round: promised gain over the squares at which it ends, steps, the difference of AIC, a point, beyond which a
solution is given up after it, and how many of one system go on."""
_DECIDING, _CONVERGED = 1e-4, 1e-8  # the same where an optional parameter is decided on, and at the end
_HOPELESS = 200.0  # difference of AIC; fewer are no reason to give up
_STEADY, _REWEIGHTED = 1e-3, 6  # relative change of the noise, and how often it is taken anew
_CLOSE = 2 * DECIDED  # of AIC: whose order may turn when all of them have settled


def solutions(spectra: list[SpectrumData], systems: Sequence[System]) -> list[Solution]:
    """All that was found with each of the systems; the best have come to their end.

    Raises:
        FitEnded: the fit is to end early, and has nothing to show yet.
        FitError: no start of any system is possible.
    """
    asked = [one for one in systems if _is_read_off(one, spectra)]
    seen = steps_seen(spectra, singles=any(has_an_axis(one, spectra) for one in asked)) if asked else None
    found = [start for one in systems for start in _begun(spectra, one, seen if one in asked else None)]
    beaten, points = math.inf, sum(one.bias.size for one in spectra)
    for tolerance, most, behind, kept in _ROUNDS:
        found = _best_of_each(distinct(_round(spectra, found, beaten, tolerance, most)), kept)
        lowest = min(solution.aic for solution in found)
        if math.isinf(lowest):
            raise FitError("the transport model is defined at no start: is the temperature right?")
        beaten = lowest + max(behind * points, _HOPELESS)
        left = [solution for solution in found if solution.aic < beaten]
        if len(left) == 1 and left[0].converged:
            break
    lowest = min(solution.aic for solution in found)
    return [_settled(spectra, one) if one.aic < lowest + _CLOSE else one for one in found]


def _best_of_each(found: list[Solution], kept: int) -> list[Solution]:
    """So many of every system."""
    groups = by_system(sorted(found, key=lambda solution: solution.aic)).values()
    best = [solution for group in groups for solution in group[:kept]]
    return [solution for solution in found if solution in best]


def _is_read_off(system: System, spectra: list[SpectrumData]) -> bool:
    """Whether only the steps of the spectra say where some parameter begins."""
    known = {*system.offset_names, *known_names(system, spectra)}
    named = (one for name, one in system.parameters.items() if name not in known)
    return any(not one.starts and not one.at_largest for one in named)


def _begun(spectra: list[SpectrumData], system: System, seen: StepsSeen | None) -> list[Solution]:
    """The starts of one system, each spectrum weighted by its size."""
    noise = np.array([math.sqrt(one.conductance.max()) for one in spectra])
    noise *= float(np.ptp(spectra[0].conductance)) / noise[0]
    known, turned = known_names(system, spectra), signs(system, spectra)
    free = tuple(name for name in system.parameters if name not in known)
    return [
        Solution(system, values, free, conductances, np.empty(0), noise, -math.inf, signs=turned)
        for values, conductances in starts(spectra, system, seen)
    ]


def _round(
    spectra: list[SpectrumData], found: list[Solution], beaten: float, tolerance: float, most: int
) -> list[Solution]:
    """Each that is not beaten goes on; where the fit is to end early, those that have made a step are all there are."""
    gone_on = [_improved(spectra, one, tolerance, most, COARSE) if one.aic < beaten else one for one in found]
    if not iterations().over:
        return gone_on
    begun = [one for one in gone_on if one.left]
    if not begun:
        iterations().refuse_if_over()
    return begun


def _improved(
    spectra: list[SpectrumData], solution: Solution, tolerance: float, most: int, per_kT: float = FINE
) -> Solution:
    """Least squares from the solution, with the noise of each spectrum that it leaves; itself if the fit is over."""
    free = solution.free
    problem = Problem(spectra, solution.system, solution.values, free, solution.noise, solution.signs.even, per_kT)
    found = None if iterations().over else problem.solved(solution.conductances, tolerance, most)
    if found is None:  # or the model is not defined there
        return solution if solution.left else replace(solution, aic=math.inf)
    parts = np.split(found.residuals, np.cumsum([one.bias.size for one in spectra])[:-1])
    rms = np.array([math.sqrt(np.mean(part**2)) for part in parts])
    noise = np.maximum(solution.noise * rms, SMALLEST_NOISE * np.array([np.ptp(one.conductance) for one in spectra]))
    likelihood = sum(one.bias.size * math.log(n**2) for one, n in zip(spectra, noise, strict=True))
    aic = likelihood + 2 * (len(free) + 2 * len(spectra))
    return replace(
        solution,
        values=found.values,
        conductances=found.conductances,
        covariance=found.covariance,
        noise=noise,
        aic=aic,
        left=tuple(part * n for part, n in zip(parts, solution.noise, strict=True)),
        converged=found.converged,
        steps=found.steps,
    )


def _settled(spectra: list[SpectrumData], solution: Solution) -> Solution:
    """Converged; without each optional parameter that the spectra do not ask for, else with its better sign."""
    for name, one in solution.system.parameters.items():
        if one.optional and name in solution.free:
            solution = _decided(spectra, solution, name)
    return settled(partial(_improved, spectra, tolerance=_CONVERGED, most=_MOST), solution, _STEADY, _REWEIGHTED)


def _decided(spectra: list[SpectrumData], solution: Solution, name: str) -> Solution:
    with_it = _improved(spectra, solution, _DECIDING, _MOST, COARSE)
    free = tuple(other for other in with_it.free if other != name)
    without = _improved(spectra, _begun_anew(with_it, name, 0.0, free), _DECIDING, _MOST, COARSE)
    if without.aic <= with_it.aic + DECIDED:
        return without
    turned = -with_it.values[name]
    other = _improved(spectra, _begun_anew(with_it, name, turned, with_it.free), _DECIDING, _MOST, COARSE)
    return min(with_it, other, key=lambda one: one.aic)


def _begun_anew(solution: Solution, name: str, value: float, free: tuple[str, ...]) -> Solution:
    """From another value of a parameter, where nothing is known of what it leaves of the spectra."""
    values = {**solution.values, name: value}
    return replace(solution, values=values, free=free, left=(), aic=-math.inf)
