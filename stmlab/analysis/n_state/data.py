"""The spectra that an n-state fit is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stmlab.systems import Conditions

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class SrsSpectrum:
    """One SRS spectrum, the conditions in which it was taken, and what eq. 1 of Betz et al. finds in it.

    Attributes:
        frequency: of the microwave, Hz, shape (n,), rising.
        current: change of the mean current by the microwave, A, shape (n,).
        bias: DC bias, V.
        amplitude: of the microwave at the junction, V peak.
        setpoint_bias, setpoint_current: with which the tip was stabilised, V and A; spectra of one setpoint have one
            conductance.
        field_T: along the system's direction of the field.
        temperature_K: of the sample.
        step, step_error: I_SR and its error, A; 0 and what would be significant where there is no step.
        rate, rate_error: Gamma and its error, 1/s; nan where there is no step.
        noise: of a point, A.
    """

    frequency: FloatArray
    current: FloatArray
    bias: float
    amplitude: float
    setpoint_bias: float
    setpoint_current: float
    field_T: float | None
    temperature_K: float | None
    step: float
    step_error: float
    rate: float
    rate_error: float
    noise: float

    @property
    def setpoint(self) -> tuple[float, float]:
        """Bias and current."""
        return self.setpoint_bias, self.setpoint_current

    def at(self, conductance_S: float) -> Conditions:
        """Its conditions, where the junction has this conductance."""
        return Conditions(conductance_S, self.field_T, self.temperature_K)


def setpoints(spectra: list[SrsSpectrum]) -> list[tuple[float, float]]:
    """Those that occur, each once, in their order."""
    return list(dict.fromkeys(one.setpoint for one in spectra))
