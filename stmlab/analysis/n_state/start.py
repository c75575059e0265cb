"""Where an n-state fit begins: by step and rate of every spectrum, as eq. 1 of Betz et al. finds them.

Both cost next to nothing to compute, so that the whole of what a file allows is looked through, and descents over them
alone come near the minima of the spectra themselves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.n_state.data import setpoints
from stmlab.analysis.n_state.problem import Problem
from stmlab.analysis.transport.candidates import apart, candidates
from stmlab.errors import FitError, PhysicsError
from stmlab.systems import Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.n_state.data import SrsSpectrum
    from stmlab.analysis.n_state.forward import Forward
    from stmlab.arrays import FloatArray
    from stmlab.systems import System

_BLURRED_STEP, _BLURRED_RATE = 0.03, 0.05  # of the largest step, of a rate: what eq. 1 misses of n states
_SET = math.log(3.0)  # between the model's current at a setpoint and the run's, of which some may pass beside the spin
_FAR = 10.0  # standard deviations beyond which a spectrum counts no more than so far off
_SCALED = 30.0  # largest factor by which conductances are put right at once
_ROUNDS = ((24, 3e-2, 4), (8, 1e-2, 10), (3, 1e-3, 40))
"""Of each round of descents: how many it begins with, promised gain over the squares at which one ends, and steps."""
_ENERGIES, _OF_EACH = 0.25, 2  # logarithm of a level within which so many starts are one energy's
_LOWEST_MEV = 1e-3
_SAME = 0.1  # of the size of each parameter, or of what is varied by its logarithm: ends of descents that are one
_WORSE = 4.0  # times the squares of the best: what steps and rates know is blurred


@dataclass(frozen=True, eq=False)
class Begun:
    """Values of all parameters, conductances in S, how far off it is (a sum of squares), its highest level in meV."""

    values: Mapping[str, float]
    conductances: FloatArray
    squares: float
    highest_meV: float


def begun(forward: Forward, free: tuple[str, ...], even: frozenset[str]) -> list[Begun]:
    """Starts, the nearest first; descended over steps and rates, without those that are far worse than the best.

    The bias has no offset here, which would make up for much. Where the fit is to end, those that it has come to.

    Raises:
        FitEnded: the fit is to end, and has nothing yet.
        FitError: a parameter has no start, or the model is defined at none.
    """
    _check(forward.system)
    free = tuple(name for name in free if name not in forward.system.offset_names)
    found = sorted(_tried(forward), key=lambda one: one.squares)
    if not found:
        raise FitError("the model is defined at no start: is the temperature right?")
    kept = _spread(forward.system, found)[: _ROUNDS[0][0]]
    for count, tolerance, most in _ROUNDS:
        ended = [_descended(forward, one, free, even, tolerance, most) for one in kept[:count]]
        kept = _several(forward, sorted(ended, key=lambda one: one.squares))
    worst = _WORSE * (kept[0].squares + len(forward.spectra))
    return [one for one in kept if one.squares <= worst]


def _tried(forward: Forward) -> list[Begun]:
    """All that the file allows at which the model is defined; once the fit is to end, those before."""
    tried: list[Begun] = []
    for values in candidates(forward.system, 1e-6, [], _nothing_read(forward.system)):
        if iterations().over:
            if not tried:
                raise iterations().nothing_yet()
            break
        one = _scaled(forward, values)
        tried += [] if one is None else [one]
    return tried


def _spread(system: System, found: list[Begun]) -> list[Begun]:
    """The nearest of every energy of the levels: a descent does not move thresholds across what was measured."""
    kept: list[Begun] = []
    of_energy: dict[int, int] = {}
    for one in found:
        energy = round(math.log(one.highest_meV) / _ENERGIES)
        if of_energy.get(energy, 0) < _OF_EACH and all(apart(system, one.values, other.values) for other in kept):
            kept.append(one)
            of_energy[energy] = of_energy.get(energy, 0) + 1
    return kept


def _several(forward: Forward, found: list[Begun]) -> list[Begun]:
    """Those that are apart, of each only the first."""
    several: list[Begun] = []
    for one in found:
        if not any(_same(forward.system, one, other) for other in several):
            several.append(one)
    return several


def _same(system: System, one: Begun, other: Begun) -> bool:
    for name, parameter in system.parameters.items():
        here, there = one.values[name], other.values[name]
        logarithmic = parameter.scale is Scale.LOGARITHMIC
        far = abs(math.log(here / there)) if logarithmic else abs(here - there) / parameter.size
        if far > _SAME:
            return False
    return True


def _check(system: System) -> None:
    for name, parameter in system.parameters.items():
        if not parameter.starts and name not in system.offset_names:
            raise FitError(f'{system.label}: {name}: a number to start from is needed: "steps" are those of dI/dV')


def _nothing_read(system: System) -> dict[str, float]:
    return dict.fromkeys(system.offset_names, 0.0)


def blurred(spectra: list[SrsSpectrum], steps: FloatArray, rates: FloatArray) -> FloatArray:
    """Steps and rates less those of the spectra, over what may part them; shape (n,)."""
    step, error, rate, rate_error = (
        np.array([getattr(one, name) for one in spectra]) for name in ("step", "step_error", "rate", "rate_error")
    )
    known = np.isfinite(rate)
    of_steps = (steps - step) / np.hypot(error, _BLURRED_STEP * np.abs(step).max())
    of_rates = np.log(rates[known] / rate[known]) / np.hypot(rate_error[known] / rate[known], _BLURRED_RATE)
    return np.concatenate([of_steps, of_rates])


def _squares(left: FloatArray) -> float:
    """Sum of squares in which no spectrum counts for all."""
    return float((left**2 / (1.0 + (left / _FAR) ** 2)).sum())


def _residuals(forward: Forward, values: Mapping[str, float], conductances: FloatArray) -> FloatArray:
    return _left(forward, values, conductances, *forward.steps_and_rates(values, conductances))


def _left(
    forward: Forward, values: Mapping[str, float], conductances: FloatArray, steps: FloatArray, rates: FloatArray
) -> FloatArray:
    of_spectra = blurred(forward.spectra, steps, rates)
    asked = np.array([abs(current) for _, current in setpoints(forward.spectra)])
    too_large = np.log(np.abs(forward.setpoint_currents(values, conductances)) / asked) / _SET
    return np.concatenate([of_spectra, too_large])


def _scaled(forward: Forward, values: Mapping[str, float]) -> Begun | None:
    """With the conductances that the setpoints ask for, then with those and the scattering that the spectra do."""
    spectra, system = forward.spectra, forward.system
    biases, currents = np.abs(np.array(setpoints(spectra))).T
    conductances = currents / biases
    try:
        conductances = conductances * currents / np.abs(forward.setpoint_currents(values, conductances))
        steps, rates = forward.steps_and_rates(values, conductances)
        levels = forward.junctions(values, conductances)[0].system.eigensystem.excitations_meV
        highest = max(float(levels[-1]), _LOWEST_MEV)
        best = Begun(values, conductances, _squares(_left(forward, values, conductances, steps, rates)), highest)
        put_right = _put_right(system, spectra, values, steps, rates)
        again = put_right[0], conductances * put_right[1]
        other = Begun(*again, _squares(_residuals(forward, *again)), highest)
    except PhysicsError:
        return None
    return min(best, other, key=lambda one: one.squares)


def _put_right(
    system: System, spectra: list[SrsSpectrum], values: Mapping[str, float], steps: FloatArray, rates: FloatArray
) -> tuple[Mapping[str, float], float]:
    """Values with the scattering that makes the rates right on average, and the factor that makes the steps so."""
    step, rate = (np.array([getattr(one, name) for one in spectra]) for name in ("step", "rate"))
    known = np.isfinite(rate)
    faster = math.exp(float(np.median(np.log(rate[known] / rates[known]))))
    factor = float(step @ steps) / max(float(steps @ steps), 1e-300)
    higher = min(max(factor, 1.0 / _SCALED), _SCALED) if factor > 0.0 else 1.0
    names = system.names_by_key.get(f"spins.{system.coupled_spin_name}.scattering_S", frozenset())
    changed = dict(values)
    for name in names & set(system.parameters):
        one = system.parameters[name]
        changed[name] = min(max(values[name] * faster, one.low), one.high)
    return changed, higher


def _descended(
    forward: Forward, one: Begun, free: tuple[str, ...], even: frozenset[str], tolerance: float, most: int
) -> Begun:
    problem = Problem(forward, partial(_residuals, forward), one.values, free, even & {*free})
    found = None if iterations().over else problem.solved(one.conductances, tolerance, most)
    if found is None:
        return one
    return replace(one, values=found.values, conductances=found.conductances, squares=_squares(found.residuals))
