"""What follows from the numbers of an n-state fit: levels, rate and lifetime at zero bias, the states' conductances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.coherent_drive import coherent_drive
from stmlab.physics.occupation import generator
from stmlab.results import FitParameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.n_state.forward import Forward
    from stmlab.analysis.transport.solution import Solution
    from stmlab.arrays import FloatArray

_LOW_V = 1e-3
"""Bias over which state currents are averaged to conductances, as of the supplement's table 1."""
_DIFFERENCE = 1e-3  # of a standard error
_OPEN = 1.0  # relative error of a quantity that the map does not say


def derived(forward: Forward, best: Solution) -> list[FitParameter]:
    """In the first spectrum's conditions, each with its error; those that the map leaves open are left out."""
    values, slopes = _figures(forward, best.values, best.conductances), []
    errors = np.sqrt(np.diag(best.covariance))
    for k, error in enumerate(errors.tolist()):
        slopes.append(_slope(forward, best, k, _DIFFERENCE * error, values))
    jacobian = np.array(slopes)
    spread = np.sqrt(np.maximum(np.einsum("ik,ij,jk->k", jacobian, best.covariance, jacobian), 0.0))
    names = [(f"level_{k}", "meV") for k in range(1, values.size - 1)]
    units = [*names, ("rate", "1/s"), ("conductance_difference", "S")]
    found = [FitParameter(*of(name, unit, values[k], spread[k])) for k, (name, unit) in enumerate(units)]
    rate = found[-2]
    lifetime = FitParameter("lifetime", 1.0 / rate.value, rate.error / rate.value**2, "s")
    every = [*found[:-1], lifetime, found[-1]]
    return [one for one in every if math.isfinite(one.value) and one.error < _OPEN * abs(one.value)]


def of(name: str, unit: str, value: float, error: float) -> tuple[str, float, float, str]:
    """Arguments of a parameter, as plain numbers."""
    return name, float(value), float(error), unit


def _slope(forward: Forward, best: Solution, number: int, step: float, here: FloatArray) -> FloatArray:
    """Derivatives by one parameter or conductance; towards the other side where the model ends."""
    if not 0.0 < step < math.inf:
        return np.zeros(here.shape)
    for signed in (step, -step):
        values, conductances = dict(best.values), best.conductances.copy()
        if number < len(best.free):
            values[best.free[number]] += signed
        else:
            conductances[number - len(best.free)] += signed
        try:
            found: FloatArray = (_figures(forward, values, conductances) - here) / signed
        except PhysicsError:
            continue
        return found
    return np.zeros(here.shape)


def _figures(forward: Forward, values: Mapping[str, float], conductances: FloatArray) -> FloatArray:
    """Levels above the ground state in meV, rate in 1/s, difference of conductance in S; shape (n + 1,)."""
    junction = forward.junctions(values, conductances)[0]
    levels = junction.system.eigensystem.excitations_meV[1:]
    if (coherent := coherent_drive(junction, np.zeros(1))) is not None:
        rate = coherent.slowest_rate(np.zeros(1))
    else:
        still = generator(junction.rates(np.zeros(1)))[0]
        rate = float(np.sort(-np.linalg.eigvals(still).real)[1])
    bias = np.array([-_LOW_V, _LOW_V])
    currents = junction.state_currents(bias)
    return np.concatenate([levels, [rate, float(((currents[:, 1] - currents[:, 0]) / bias).mean())]])
