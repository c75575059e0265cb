"""Electron transport through coupled spins in a tunnel junction (Muenks et al.; Ternes, New J. Phys. 17, 063016).

Electrons tunnel between tip and sample through one of the spins and excite or relax the whole system; a positive bias
drives them from tip to sample. With eV and all energies in meV, D = e_f - e_i, zeta(x) = x / (exp(x/kT) - 1):

    K21 = w21 zeta(D - eV)   (tip to sample),     K12 = w12 zeta(D + eV)   (sample to tip),
    I = G12 sum_i p_i sum_f (K21 - K12),          rate i -> f = [G12 (K21 + K12) + sum_baths G_b w_b zeta(D)] / e^2,

w from `scattering`, in third order with the mean of `third_order` added, p thermal or from the master equation.
Everything is differentiated exactly: no numerical derivative enters dI/dV or d2I/dV2.

Third order is a perturbation: W lacks the square of its own amplitude, so that very weak transitions may get a slightly
negative rate (1e-5 of the largest at J rho = -0.1). The steady state is solved with the rates as they are; a rate below
-5e-3 of the largest is refused, and so is a negative occupation.

What the paper leaves open is an option of the junction (`stmlab.physics.junction`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import real_array, refuse
from stmlab.physics.broadening import modulated
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, MEV_PER_V
from stmlab.physics.junction import Junction, Occupation
from stmlab.physics.occupation import RateEquation, drift, thermal_occupation
from stmlab.physics.tunnelling import Tunnelling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.arrays import FloatArray

_CHUNK = 4_000_000
"""Numbers in the largest array of one pass over the bias axis, for the memory's sake ..."""
_CACHED = 11_000
"""... and for the speed of second order: arrays of 90 kB are reused, larger ones are fetched anew from the system."""
_SHORTEST_PART = 64
_LARGEST_NEGATIVE_RATE = 5e-3
"""Third order lacks the square of its own amplitude; a rate below minus this part of the largest shows that it
counts."""
_LARGEST_NEGATIVE = 1e-6
"""A steady occupation below minus this shows that third order has left the range of perturbation theory."""


@dataclass(frozen=True)
class TunnelJunction(Junction):
    """A tip, a sample and coupled spins between them, with the currents and rates that follow; see `Junction`.

    Raises:
        PhysicsError: on evaluation with steady states, where these are not unique, or where third order makes an
            occupation negative.
    """

    def current(self, bias_V: FloatArray) -> FloatArray:
        """I in A at bias voltages of any shape."""
        return self._derivative(bias_V, 0)

    def conductance(self, bias_V: FloatArray, modulation_V: float = 0.0) -> FloatArray:
        """dI/dV in S; with a modulation amplitude, what a lock-in reads at the first harmonic (see `broadening`)."""
        return modulated(lambda bias: self._derivative(bias, 1), bias_V, modulation_V, self.temperature_K)

    def conductance_slope(self, bias_V: FloatArray, modulation_V: float = 0.0, *, harmonic: int = 1) -> FloatArray:
        """d2I/dV2 in S/V.

        With a modulation amplitude: the slope of the first-harmonic dI/dV (``harmonic`` = 1, as one gets by
        differentiating a measured dI/dV), or what a lock-in reads at the second harmonic (``harmonic`` = 2).
        """
        smooth = self.temperature_K
        return modulated(lambda bias: self._derivative(bias, 2), bias_V, modulation_V, smooth, harmonic=harmonic)

    def occupations(self, bias_V: FloatArray) -> FloatArray:
        """Occupation of each state, shape (V, n), at biases of shape (V,)."""
        bias = _bias_axis(bias_V)
        return np.concatenate([self._occupied(self._rates(part, 0)[0])[0].T for part in self._parts(bias)])

    def rates(self, bias_V: FloatArray) -> FloatArray:
        """Rates of all transitions in 1/s, tunnelling and baths, shape (V, n, n), [f, i] from i to f, zero diagonal."""
        bias = _bias_axis(bias_V)
        per_second = 1 / (MEV_PER_V * ELEMENTARY_CHARGE_C)
        rates = np.concatenate([np.moveaxis(self._rates(part, 0)[0][0], -1, 0) for part in self._parts(bias)])
        states = np.arange(self.system.dimension)
        rates[:, states, states] = 0.0
        return rates * per_second

    def state_currents(self, bias_V: FloatArray) -> FloatArray:
        """Current in A that flows while the system is in each state, elastic part included, shape (V, n)."""
        bias = _bias_axis(bias_V)
        return np.concatenate([self._rates(part, 0)[1][0].T for part in self._parts(bias)]) / MEV_PER_V

    @cached_property
    def _tunnelling(self) -> Tunnelling:
        return Tunnelling(self)

    @cached_property
    def _thermal(self) -> FloatArray:
        return thermal_occupation(self.system.eigensystem.energies_meV, self.temperature_K)

    def _parts(self, bias_V: FloatArray) -> Iterator[FloatArray]:
        """The bias axis in meV, in parts whose arrays fit into memory, or into the cache."""
        transitions = self.system.dimension**2
        points = max(1, _CHUNK // transitions)
        if self.order == 2:
            points = min(points, max(_SHORTEST_PART, _CACHED // transitions))
        for start in range(0, max(1, len(bias_V)), points):
            yield MEV_PER_V * bias_V[start : start + points]

    def _rates(self, bias_meV: FloatArray, highest: int) -> tuple[list[FloatArray], list[FloatArray]]:
        """Rates (n, n, V) and state currents (n, V) in S meV, with their derivatives by eV up to ``highest``."""
        rates, currents = [], []
        for there, back in self._tunnelling.channels(bias_meV, highest):
            currents.append(self.conductance_S * (there.sum(axis=0) - back.sum(axis=0)))
            there += back
            there *= self.conductance_S
            rates.append(there)
        if self.order == 3:
            self._check_rates(rates[0])
        rates[0] += self._tunnelling.bath_rates[..., None]
        return rates, currents

    def _occupied(self, rates: list[FloatArray]) -> list[FloatArray]:
        """Occupations (n, V) and their derivatives by eV."""
        if self.occupation is Occupation.THERMAL:
            steady = np.repeat(self._thermal[:, None], rates[0].shape[2], axis=1)
            return [steady, *(np.zeros_like(steady) for _ in rates[1:])]
        self._tunnelling.check_connected()
        equation = RateEquation(rates[0], overwrite=True)
        occupations = [equation.steady()]
        self._check_occupations(occupations[0])
        if len(rates) > 1:
            occupations.append(equation.response(-drift(rates[1], occupations[0]), occupations[0]))
        if len(rates) > 2:
            source = -2 * drift(rates[1], occupations[1]) - drift(rates[2], occupations[0])
            occupations.append(equation.response(source, occupations[0]))
        return occupations

    def _check_rates(self, rates: FloatArray) -> None:
        lowest = float(rates.min(initial=0.0))
        largest = max(float(rates.max(initial=0.0)), -lowest)
        if lowest < -_LARGEST_NEGATIVE_RATE * largest:
            allowed = (
                f"third order makes a rate negative, {-lowest / largest:.2g} of the largest: that is outside "
                "perturbation theory; a smaller |coupling| or a higher temperature is needed"
            )
            raise refuse("coupling", self.coupling, allowed)

    def _check_occupations(self, occupations: FloatArray) -> None:
        if not occupations.min(initial=0.0) > -_LARGEST_NEGATIVE:
            allowed = "third order makes an occupation negative: a smaller |coupling| or thermal occupation is needed"
            raise refuse("coupling", self.coupling, allowed)

    def _derivative(self, bias_V: FloatArray, order: int) -> FloatArray:
        """d^order I / dV^order, in A / V^order, of the shape of ``bias_V``."""
        bias = real_array("bias_V", bias_V, unit="V")
        parts = [self._part_derivative(part, order) for part in self._parts(bias.ravel())]
        return np.concatenate(parts).reshape(bias.shape) * MEV_PER_V ** (order - 1)

    def _part_derivative(self, bias_meV: FloatArray, order: int) -> FloatArray:
        rates, currents = self._rates(bias_meV, order)
        occupations = self._occupied(rates)
        binomial = ((1,), (1, 1), (1, 2, 1))[order]
        total = np.zeros(len(bias_meV))
        for number, factor in enumerate(binomial):
            total += factor * (occupations[number] * currents[order - number]).sum(axis=0)
        return total


def _bias_axis(bias_V: FloatArray) -> FloatArray:
    bias = np.atleast_1d(real_array("bias_V", bias_V, unit="V"))
    if bias.ndim != 1:
        raise refuse("bias_V", f"shape {bias.shape}", "one axis of voltages, shape (V,), is needed")
    return bias
