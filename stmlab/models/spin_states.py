"""All states of one spin under a polarised tip, as the models of SRS and of pump and probe have them (Betz et al., S3).

Field and polarisation lie along z. With the sign of the field H = D Sz^2 + E (Sx^2 - Sy^2) + g mu_B B Sz: Betz et al.
have the opposite one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.models.model import Choice, Number, number
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.coherent import are_too_close
from stmlab.physics.junction import Equation
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Value, Values, Where

SPIN = "spin"
TWO_LEVEL = "two-level"
STATES = Choice("states", "", "what switches: two levels with given rates, or all states of a spin", (TWO_LEVEL, SPIN))
_WHERE: Where = ("states", (SPIN,))
PARAMETERS = (
    Choice("spin", "S", "spin of the atom", ("2", "0.5", "1", "1.5", "2.5"), where=_WHERE),
    Number("axial_anisotropy_meV", "D", "meV", "axial anisotropy", -1.557, -20.0, 20.0, where=_WHERE),
    Number("transverse_anisotropy_meV", "E", "meV", "transverse anisotropy", 0.248, 0.0, 5.0, where=_WHERE),
    Number("g_factor", "g", "", "g factor", 2.15, 0.5, 4.0, where=_WHERE),
    Number("field", "B", "T", "magnetic field along z", -2.0, -15.0, 15.0, where=_WHERE),
    Number("temperature_K", "T", "K", "temperature of the electrons", 0.5, 0.05, 30.0, True, _WHERE),
    Number("tunnel_conductance_S", "C_ST", "S", "tip to sample", 0.05e-6, 1e-10, 1e-5, True, _WHERE),
    Number("sample_conductance_S", "C_SS", "S", "sample's electrons from the spin", 7.2e-6, 1e-9, 1e-4, True, _WHERE),
    Number("tip_polarisation", "η", "", "of the tip's electrons, along z", 0.86, -1.0, 1.0, where=_WHERE),
    Number("potential_scattering", "u", "", "electrons that pass without a flip", 0.76, -3.0, 3.0, where=_WHERE),
    Choice(
        "equation",
        "",
        "coherence of close levels: never, as in the paper, where it matters, always",
        (str(Equation.SECULAR), str(Equation.AUTOMATIC), str(Equation.COHERENT)),
        where=_WHERE,
    ),
)
SAMPLE = "rate_equation"
"""Kind of the sample that the simulated microscope has of it."""


def junction(values: Values) -> TunnelJunction:
    """The junction of these values; it is rates and currents of its states (see `stmlab.physics.driven.DrivenStates`).

    Raises:
        PhysicsError: a value outside what the model is defined for.
    """
    anisotropy = number(values, "axial_anisotropy_meV"), number(values, "transverse_anisotropy_meV")
    atom = Spin(float(values["spin"]), *anisotropy, number(values, "g_factor"))
    return TunnelJunction(
        SpinSystem((atom,), field_T=(0.0, 0.0, number(values, "field"))),
        number(values, "temperature_K"),
        number(values, "tunnel_conductance_S"),
        tip=Electrode((0.0, 0.0, number(values, "tip_polarisation"))),
        baths=(Bath(0, number(values, "sample_conductance_S")),),
        potential_scattering=number(values, "potential_scattering"),
        equation=Equation(str(values["equation"])),
    )


def doubts(values: Values, bias_V: FloatArray) -> tuple[str, ...]:
    """That rates alone are wrong, where they are within these biases."""
    return close_levels(junction(values), bias_V)


def close_levels(junction: TunnelJunction, bias_V: FloatArray) -> tuple[str, ...]:
    """The doubt about levels that lie closer than their width at some bias."""
    if not are_too_close(junction, bias_V):
        return ()
    return ("two levels lie closer than the width that the rates give them: without coherence the result is wrong",)


def sample_table(values: Values) -> dict[str, Value | list[float]]:
    """Parameters of that sample."""
    return {
        "spin": float(values["spin"]),
        **{name: number(values, name) for name in ("axial_anisotropy_meV", "transverse_anisotropy_meV", "g_factor")},
        "field_T": [0.0, 0.0, number(values, "field")],
        **{name: number(values, name) for name in ("temperature_K", "tunnel_conductance_S", "sample_conductance_S")},
        "tip_polarisation": [0.0, 0.0, number(values, "tip_polarisation")],
        "potential_scattering": number(values, "potential_scattering"),
        "equation": str(values["equation"]),
    }
