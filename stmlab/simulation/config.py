"""The settings of the simulated microscope, as a station file gives them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from stmlab.simulation.line import CouplingTee, Line
from stmlab.simulation.preamplifier import SimulatedPreamplifier


class SimulationConfig(BaseModel):
    """What the microscope is made of; SI units unless the name says otherwise.

    Attributes:
        sample: name of a file in ``config/samples``, or a path to one.
        seed: of all noise: same seed, same readings.
        noise: whether preamplifier, lock-in and converter make any.
        line: attenuator, cable and connectors between generator and bias tee.
        bias_tee: RF arm of the bias tee.
        preamplifier: gain, pole, saturation and noise.
        converter_bandwidth: -3 dB of the controller's current reading, Hz.
        lockin_input_noise: of the lock-in's input, V/sqrt(Hz).
        modulation_divider: volts of the lock-in's sine output per volt on the bias; None: not connected.
        drift: of the surface towards the tip, m/s.
        withdraw_distance: how far a withdrawn tip goes back, m.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sample: str = ""
    seed: int = Field(default=0, ge=0)
    noise: bool = True
    line: Line = Line()
    bias_tee: CouplingTee = CouplingTee()
    preamplifier: SimulatedPreamplifier = SimulatedPreamplifier()
    converter_bandwidth: float = Field(default=200.0, gt=0, allow_inf_nan=False)
    lockin_input_noise: float = Field(default=2.5e-9, ge=0, allow_inf_nan=False)
    modulation_divider: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    drift: float = Field(default=0.0, allow_inf_nan=False)
    withdraw_distance: float = Field(default=1.0e-7, gt=0, allow_inf_nan=False)
