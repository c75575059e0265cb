"""A junction that switches between two states, as the models of SRS and of pump and probe have it (Betz et al.)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.models.model import Number, number
from stmlab.physics.two_level import two_level_generators
from stmlab.simulation.junctions.two_level import TwoLevel

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Values, Where

_WHERE: Where = ("states", ("two-level",))
PARAMETERS = (
    Number("excitation_rate_per_s", "Γ₊", "1/s", "rate into the excited state at 0 V", 2.2e8, 1.0, 1e11, True, _WHERE),
    Number("relaxation_rate_per_s", "Γ₋", "1/s", "rate out of it at 0 V", 1.508e9, 1.0, 1e11, True, _WHERE),
    Number("excitation_slope_per_s_V", "Γ₊'", "1/s/V", "its growth with the voltage", 9.2e9, -1e12, 1e12, where=_WHERE),
    Number(
        "relaxation_slope_per_s_V", "Γ₋'", "1/s/V", "its growth with the voltage", -8.8e9, -1e12, 1e12, where=_WHERE
    ),
    Number("pumping_saturation_V", "V_sat", "V", "where both level off", 20e-3, 1e-4, 1.0, True, _WHERE),
    Number("ground_conductance_S", "σ", "S", "conductance in the ground state", 0.4258e-6, 1e-10, 1e-5, True, _WHERE),
    Number(
        "conductance_difference_S", "Δσ", "S", "in the excited state less that", -0.26e-6, -5e-6, 5e-6, where=_WHERE
    ),
    Number("rectification_A_per_V2", "κ", "A/V^2", "quadratic term of the current", 2e-6, -1e-3, 1e-3, where=_WHERE),
)
NAMES = tuple(parameter.name for parameter in PARAMETERS)


def junction(values: Values) -> TwoLevel:
    """The junction of these values.

    Raises:
        PhysicsError: it would conduct backwards.
    """
    return TwoLevel(**{name: number(values, name) for name in NAMES})


class States:
    """The junction as states with rates and currents; see `stmlab.physics.driven.DrivenStates`."""

    def __init__(self, junction: TwoLevel) -> None:
        self._junction = junction

    def rates(self, bias_V: FloatArray) -> FloatArray:
        """Rate matrices, shape (V, 2, 2), 1/s."""
        return two_level_generators(*self._junction.rates(np.asarray(bias_V)))

    def state_currents(self, bias_V: FloatArray) -> FloatArray:
        """Current in the ground and the excited state, shape (V, 2), A."""
        bias, junction = np.asarray(bias_V), self._junction
        ground = bias * junction.ground_conductance_S + junction.rectification_A_per_V2 * bias**2
        return np.stack([ground, ground + bias * junction.conductance_difference_S], axis=1)
