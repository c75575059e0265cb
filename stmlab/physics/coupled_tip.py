"""A spin on the sample under a tip that carries a spin of its own, or none: the junction of Muenks et al.

Electrons tunnel through the spin on the sample (number 0). The tip's spin (number 1) couples to it with an exchange
that grows with the conductance, and the tip's electrons follow it with the correlation C.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from stmlab.physics.baths import DEFAULT_RELAXATION_S, DEFAULT_SCATTERING_S, Bath, Electrode
from stmlab.physics.spins import Exchange, SpinSystem
from stmlab.physics.transport import TunnelJunction

if TYPE_CHECKING:
    from stmlab.physics.arguments import Vector
    from stmlab.physics.spins import Spin


class ExchangeKind(StrEnum):
    """How the spin of the sample couples to the spin of the tip; NONE is a tip without a spin."""

    NONE = "none"
    HEISENBERG = "heisenberg"
    ISING = "ising"


def coupled_junction(
    spin: Spin,
    tip_spin: Spin,
    conductance_S: float,
    temperature_K: float,
    *,
    exchange: ExchangeKind,
    exchange_slope_meV_per_uS: float = 0.0,
    correlation: float = 0.0,
    field_T: Vector = (0.0, 0.0, 0.0),
    scattering_S: float = DEFAULT_SCATTERING_S,
    tip_relaxation_S: float = DEFAULT_RELAXATION_S,
    **options: Any,
) -> TunnelJunction:
    """The junction at one conductance.

    Args:
        spin: on the sample.
        tip_spin: on the tip; not there if ``exchange`` is NONE.
        conductance_S: G12.
        temperature_K: of electrons and spins.
        exchange: its kind.
        exchange_slope_meV_per_uS: J12 over the conductance.
        correlation: C of Muenks et al., eq. 2.
        field_T: magnetic field.
        scattering_S: G11, of the sample's electrons from their spin.
        tip_relaxation_S: G22, of the tip's electrons from theirs.
        options: further arguments of TunnelJunction (order, coupling, potential_scattering ...).

    Raises:
        PhysicsError: an argument lies outside what the model is defined for.
    """
    system = coupled_spins(spin, tip_spin, exchange, exchange_slope_meV_per_uS * 1e6 * conductance_S, field_T)
    if exchange is ExchangeKind.NONE:
        return TunnelJunction(system, temperature_K, conductance_S, baths=(Bath(0, scattering_S),), **options)
    return TunnelJunction(
        system,
        temperature_K,
        conductance_S,
        tip=Electrode(correlation=correlation, spin=1),
        baths=(Bath(0, scattering_S), Bath(1, tip_relaxation_S)),
        **options,
    )


@lru_cache(maxsize=1024)
def coupled_spins(
    spin: Spin, tip_spin: Spin, exchange: ExchangeKind, exchange_meV: float, field_T: Vector
) -> SpinSystem:
    """The spins of such a junction, the same object for the same numbers: junctions that share it are faster."""
    if exchange is ExchangeKind.NONE:
        return SpinSystem((spin,), (), field_T)
    couple = Exchange.ising if exchange is ExchangeKind.ISING else Exchange.heisenberg
    return SpinSystem((spin, tip_spin), (couple(0, 1, exchange_meV),), field_T)
