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
from stmlab.physics.coherent import takes_coherences
from stmlab.physics.coherent_equation import coherent_derivative
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, MEV_PER_V
from stmlab.physics.currents import Currents
from stmlab.physics.junction import Junction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stmlab.arrays import FloatArray


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
        occupations: FloatArray = self._currents.occupations(MEV_PER_V * _bias_axis(bias_V))[0]
        return occupations

    def rates(self, bias_V: FloatArray) -> FloatArray:
        """Rates of all transitions in 1/s, tunnelling and baths, shape (V, n, n), [f, i] from i to f, zero diagonal."""
        rates: FloatArray = self._currents.rates(MEV_PER_V * _bias_axis(bias_V))[0]
        states = np.arange(self.system.dimension)
        rates[:, states, states] = 0.0
        return rates / (MEV_PER_V * ELEMENTARY_CHARGE_C)

    def state_currents(self, bias_V: FloatArray) -> FloatArray:
        """Current in A that flows while the system is in each state, elastic part included, shape (V, n)."""
        currents: FloatArray = self._currents.state_currents(MEV_PER_V * _bias_axis(bias_V))[0]
        return currents / MEV_PER_V

    @cached_property
    def _currents(self) -> Currents:
        return Currents((self,))

    def _derivative(self, bias_V: FloatArray, order: int) -> FloatArray:
        """d^order I / dV^order, in A / V^order, of the shape of ``bias_V``."""
        bias = real_array("bias_V", bias_V, unit="V")
        bias_meV = MEV_PER_V * bias.ravel()
        if takes_coherences((self,), bias_meV)[0]:
            found = coherent_derivative(self, bias_meV, order)
        else:
            found = self._currents.derivative(bias_meV, order)[0]
        return found.reshape(bias.shape) * MEV_PER_V ** (order - 1)


def conductances(junctions: Sequence[TunnelJunction], bias_V: FloatArray) -> FloatArray:
    """dI/dV in S of B junctions at biases of shape (V,): shape (B, V).

    Much faster than one after the other, above all where junctions share their ``system`` and temperature.

    Args:
        junctions: of the same spins (whose Hamiltonians may differ) and options, alike but for numbers.
        bias_V: shape (V,).

    Raises:
        PhysicsError: one of the junctions is outside what the model is defined for, or they are not alike.
    """
    return _with_coherences(junctions, MEV_PER_V * _bias_axis(bias_V), Currents.derivative)


def conductances_and_room(junctions: Sequence[TunnelJunction], bias_V: FloatArray) -> tuple[FloatArray, FloatArray]:
    """`conductances`, also somewhat beyond where third order makes a rate too negative, and how far each is from there.

    Returns:
        Shape (B, V) in S; and the room left, shape (B,): 1 where no rate is negative, 0 where one is as negative as is
        allowed, below 0 where `conductances` refuses.

    Raises:
        PhysicsError: as `conductances`, but for a negative rate.
    """
    room = np.ones(len(junctions))

    def derivative(secular: Currents, bias_meV: FloatArray, order: int) -> FloatArray:
        found, room[:] = secular.derivative_and_room(bias_meV, order)
        return found

    return _with_coherences(junctions, MEV_PER_V * _bias_axis(bias_V), derivative), room


def _with_coherences(
    junctions: Sequence[TunnelJunction],
    bias_meV: FloatArray,
    derivative: Callable[[Currents, FloatArray, int], FloatArray],
) -> FloatArray:
    """dI/dV of every junction by the rates, then by the density matrix of those whose levels are close."""
    coherent = takes_coherences(junctions, bias_meV)
    found = np.empty((len(junctions), len(bias_meV)))
    if not coherent.all():
        found[:] = derivative(Currents(junctions), bias_meV, 1)
    for number in np.flatnonzero(coherent).tolist():
        found[number] = coherent_derivative(junctions[number], bias_meV, 1)
    return found


def _bias_axis(bias_V: FloatArray) -> FloatArray:
    bias = np.atleast_1d(real_array("bias_V", bias_V, unit="V"))
    if bias.ndim != 1:
        raise refuse("bias_V", f"shape {bias.shape}", "one axis of voltages, shape (V,), is needed")
    return bias
