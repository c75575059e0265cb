"""What a tunnel junction with spins is made of: the arguments of the transport model, checked (Muenks et al.).

What the paper leaves open is an option here: which state polarises the tip (`PolarisingState`), the third-order pole
(`Pole`), the relaxation of the spins that are not tunnelled through (`Bath`).

Third order is the first term of a series in |J rho| L, L being the logarithm at its pole: with H = J S.s the coupling
grows as J / (1 + J rho ln(w0/E)) when the band is cut down to E (Anderson, J. Phys. C 3, 2436 (1970)). For
antiferromagnetic coupling that diverges where |J rho| L = 1, at the Kondo temperature k T_K = w0 exp(-1/|J rho|), and
the series says nothing there (Hewson, The Kondo Problem to Heavy Fermions, 1993). A ferromagnetic coupling makes the
conductance at zero bias negative from |J rho| L = 1/2 on. Both are refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from stmlab.physics.arguments import finite, not_negative, positive, refuse, whole
from stmlab.physics.baths import UNPOLARISED, Bath, Electrode, default_baths
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.logarithm import peak
from stmlab.physics.third_order import Pole

if TYPE_CHECKING:
    from stmlab.physics.spins import SpinSystem


_LARGEST_SHARE, _LARGEST_SHARE_FERROMAGNETIC = 1.0, 0.5
"""Of third order, see `Junction.third_order_share`."""


class Occupation(StrEnum):
    """How the states are occupied."""

    STEADY = "steady"
    THERMAL = "thermal"


class Equation(StrEnum):
    """Which equation gives the state of the spins, see `stmlab.physics.coherent`.

    SECULAR: rates between eigenstates. COHERENT: the density matrix. AUTOMATIC: the density matrix where two levels are
    so close that it matters and there is an equation for it, else the rates.
    """

    AUTOMATIC = "automatic"
    SECULAR = "secular"
    COHERENT = "coherent"


class PolarisingState(StrEnum):
    """Which state of a transition i -> f polarises electrons that follow a spin (Muenks et al. do not say).

    INITIAL: i, whichever way the electron goes. DETAILED: the state that the spins are in while the electron is in the
    correlated electrode, i for an electron that comes from it, f for one that ends in it; this keeps detailed balance,
    so that I(0) = 0. AVERAGE: the mean over i and f, which keeps it as well.
    """

    INITIAL = "initial"
    DETAILED = "detailed"
    AVERAGE = "average"


@dataclass(frozen=True)
class Junction:
    """A tip, a sample and coupled spins between them.

    Attributes:
        system: the spins.
        temperature_K: of electrons and spins.
        conductance_S: G12; for S = 1 without potential scattering the conductance at high bias (second order).
        coupled_spin: number of the spin that electrons tunnel through.
        tip, sample: polarisation of the electrons.
        baths: scattering without tunnelling; None is `default_baths`: 2 uS on the coupled spin, 1 nS on the others.
        potential_scattering: U in sigma.S/2 + U.
        polarising_state: which of the two states of a transition the electrons' correlation follows.
        occupation: steady state of the master equation, or Boltzmann.
        order: 2, or 3 with Kondo-like logarithms.
        coupling: J rho of the sample (third order); negative is antiferromagnetic. Muenks et al.: -0.05 ... -0.1.
        tip_coupling: the same of the tip's electrons: the spin is scattered off in either electrode.
        bandwidth_meV: w0, cut-off of the logarithm.
        broadening_meV: G0, lifetime broadening of the logarithm.
        pole: where the exchanged third-order diagram has its logarithm.
        equation: of the current's spins; rates, occupations and state currents are always those of the rate equation.

    Raises:
        PhysicsError: an argument lies outside what the model is defined for; third order outside perturbation theory.
    """

    system: SpinSystem
    temperature_K: float
    conductance_S: float
    coupled_spin: int = 0
    tip: Electrode = UNPOLARISED
    sample: Electrode = UNPOLARISED
    baths: tuple[Bath, ...] | None = None
    potential_scattering: float = 0.0
    polarising_state: PolarisingState = PolarisingState.DETAILED
    occupation: Occupation = Occupation.STEADY
    order: int = 2
    coupling: float = 0.0
    tip_coupling: float = 0.0
    bandwidth_meV: float = 20.0
    broadening_meV: float = 0.005
    pole: Pole = Pole.EXACT
    equation: Equation = Equation.SECULAR

    def __post_init__(self) -> None:
        positive("temperature_K", self.temperature_K, "K")
        positive("conductance_S", self.conductance_S, "S")
        self.system.check_spin("coupled_spin", self.coupled_spin)
        finite("potential_scattering", self.potential_scattering)
        whole("order", self.order, 2, 3)
        for name in ("coupling", "tip_coupling"):
            if finite(name, getattr(self, name)) and self.order == 2:
                raise refuse(name, getattr(self, name), "it acts in third order only: give order = 3")
        positive("bandwidth_meV", self.bandwidth_meV, "meV")
        not_negative("broadening_meV", self.broadening_meV, "meV")
        if self.order == 3:
            for name, coupling in self._couplings.items():
                self._check_perturbation(name, coupling)
        kinds = {"polarising_state": PolarisingState, "occupation": Occupation, "pole": Pole, "equation": Equation}
        for name, kind in kinds.items():
            object.__setattr__(self, name, _choice(name, getattr(self, name), kind))
        baths = default_baths(self.system, self.coupled_spin) if self.baths is None else tuple(self.baths)
        for bath in baths:
            self.system.check_spin("baths: spin", bath.spin)
        object.__setattr__(self, "baths", baths)

    @property
    def third_order_share(self) -> float:
        """|J rho| L, with L the logarithm at its pole: at zero bias third order adds -2 J rho L times the second.

        Of both electrodes together: their electrons screen one spin.
        """
        return abs(self._couplings["coupling"]) * self._logarithm

    @property
    def _logarithm(self) -> float:
        return peak(K_B_MEV_PER_K * self.temperature_K, self.bandwidth_meV, self.broadening_meV)

    @property
    def _couplings(self) -> dict[str, float]:
        """Of the tip by itself, of the sample by itself, and of both together, under the name of what to change."""
        alone = {} if self.coupling * self.tip_coupling >= 0 else {"tip_coupling": self.tip_coupling}
        together = self.coupling + self.tip_coupling
        return {**alone, "coupling": max(together, self.coupling, key=abs)}

    def _check_perturbation(self, name: str, coupling: float) -> None:
        share = abs(coupling) * self._logarithm
        largest = _LARGEST_SHARE if coupling < 0 else _LARGEST_SHARE_FERROMAGNETIC
        if share < largest:
            return
        why = "conductance at zero bias would be negative"
        if coupling < 0:
            kondo_K = self.bandwidth_meV / K_B_MEV_PER_K * math.exp(-1.0 / abs(coupling))
            why = f"Kondo temperature, about {kondo_K:.2g} K, is reached"
        allowed = (
            f"third order is outside perturbation theory at {self.temperature_K:g} K: |coupling| times the logarithm "
            f"is {share:.3g}, less than {largest:g} is needed, or the {why}"
        )
        raise refuse(name, float(coupling), allowed)


def largest_couplings(
    temperature_K: float,
    bandwidth_meV: float = Junction.bandwidth_meV,
    broadening_meV: float = Junction.broadening_meV,
) -> tuple[float, float]:
    """The antiferromagnetic and the ferromagnetic J rho from which on third order is refused."""
    logarithm = peak(K_B_MEV_PER_K * temperature_K, bandwidth_meV, broadening_meV)
    if logarithm <= 0:  # the band is narrower than kT
        return -math.inf, math.inf
    return -_LARGEST_SHARE / logarithm, _LARGEST_SHARE_FERROMAGNETIC / logarithm


def _choice(name: str, value: str, kind: type[StrEnum]) -> StrEnum:
    if isinstance(value, kind):
        return value
    try:
        return kind(value)
    except ValueError:
        raise refuse(name, value, f"one of {', '.join(kind)} is needed") from None
