"""What a spin system makes of the spectra of a map: all of it, and quickly what eq. 1 of Betz et al. would find.

Each spectrum is that of all states under the drive (`stmlab.physics.stochastic_resonance`). Its step is known without
it, by the limits of slow and fast drive; its rate nearly, as the slowest rate of the mean over the drive.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.n_state.data import setpoints
from stmlab.physics.coherent_drive import coherent_drive
from stmlab.physics.driven import adiabatic_occupation
from stmlab.physics.occupation import generator
from stmlab.physics.rate_equations import settled_occupation
from stmlab.physics.stochastic_resonance import static_current, stochastic_resonance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.n_state.data import SrsSpectrum
    from stmlab.arrays import FloatArray, IntArray
    from stmlab.physics.transport import TunnelJunction
    from stmlab.systems import System

_TOLERANCE = 1e-6  # of the occupations
_SLOWEST = 1e-3  # 1/s; less is rounding of an eigenvalue
_PHASES = 32  # of half a period, over which limits are averaged: every drive here is even


@dataclass(frozen=True, eq=False)
class Forward:
    """Spectra of one system, for values of its parameters and the conductance of each setpoint."""

    system: System
    spectra: list[SrsSpectrum]

    @cached_property
    def owner(self) -> IntArray:
        """Number of the setpoint of each spectrum, shape (K,)."""
        number = {setpoint: k for k, setpoint in enumerate(setpoints(self.spectra))}
        return np.array([number[one.setpoint] for one in self.spectra])

    def junctions(self, values: Mapping[str, float], conductances: FloatArray) -> list[TunnelJunction]:
        """Of each spectrum, one object where they are the same.

        Raises:
            PhysicsError: the model is not defined there.
            FitError: temperature or field are nowhere.
        """
        made: dict[tuple[float, float | None, float | None], TunnelJunction] = {}
        found = []
        for one, conductance in zip(self.spectra, conductances[self.owner].tolist(), strict=True):
            key = conductance, one.field_T, one.temperature_K
            if key not in made:
                made[key] = self.system.junction(values, one.at(conductance))
            found.append(made[key])
        return found

    def signals(self, values: Mapping[str, float], conductances: FloatArray) -> list[FloatArray]:
        """The SRS current of each spectrum, I_rec included, A.

        Raises:
            PhysicsError, FitError: as `junctions`.
        """
        offset = self.system.bias_offset(values)
        return [
            stochastic_resonance(
                junction,
                one.frequency,
                offset_V=one.bias - offset,
                amplitude_V=one.amplitude,
                tolerance=_TOLERANCE,
            ).signal_A
            for one, junction in zip(self.spectra, self.junctions(values, conductances), strict=True)
        ]

    def steps_and_rates(self, values: Mapping[str, float], conductances: FloatArray) -> tuple[FloatArray, FloatArray]:
        """I_SR in A, exact, and nearly Gamma in 1/s, of each spectrum; shape (K,) each.

        Raises:
            PhysicsError, FitError: as `junctions`.
        """
        steps, rates = np.empty(len(self.spectra)), np.empty(len(self.spectra))
        junctions = self.junctions(values, conductances)
        voltages = self._voltages - self.system.bias_offset(values)
        for junction in dict.fromkeys(junctions):
            own = np.array([k for k, other in enumerate(junctions) if other is junction])
            steps[own], rates[own] = _limits(junction, voltages[own])
        return steps, rates

    def setpoint_currents(self, values: Mapping[str, float], conductances: FloatArray) -> FloatArray:
        """The model's current at the bias of each setpoint, A.

        Raises:
            PhysicsError, FitError: as `junctions`.
        """
        junctions, offset = self.junctions(values, conductances), self.system.bias_offset(values)
        first = [int(np.flatnonzero(self.owner == k)[0]) for k in range(len(conductances))]
        biases = [np.array([self.spectra[k].setpoint_bias - offset]) for k in first]
        return np.array([static_current(junctions[k], bias)[0] for k, bias in zip(first, biases, strict=True)])

    @cached_property
    def _voltages(self) -> FloatArray:
        """Shape (K, P), over half a period."""
        swing = np.cos(np.pi * (np.arange(_PHASES) + 0.5) / _PHASES)
        bias, amplitude = (np.array([getattr(one, name) for one in self.spectra]) for name in ("bias", "amplitude"))
        voltages: FloatArray = bias[:, None] + amplitude[:, None] * swing
        return voltages


def _limits(junction: TunnelJunction, voltages: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Step and slowest mean rate for drives over these voltages, shape (k, P); shape (k,) each."""
    if (coherent := coherent_drive(junction, voltages)) is not None:
        steps, rates = coherent.limits(voltages)
        return steps, np.maximum(rates, _SLOWEST)
    generators = generator(junction.rates(voltages.ravel()))
    currents = junction.state_currents(voltages.ravel())
    shape = voltages.shape
    slow = (adiabatic_occupation(generators) * currents).sum(axis=1).reshape(shape).mean(axis=1)
    generators = generators.reshape(*shape, *generators.shape[1:])
    means = currents.reshape(*shape, -1).mean(axis=1)
    mean = generators.mean(axis=1)
    rates = np.sort(-np.linalg.eigvals(mean).real, axis=1)[:, 1]
    return slow - (means * settled_occupation(mean)).sum(axis=1), np.maximum(rates, _SLOWEST)
