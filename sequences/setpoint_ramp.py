"""Conductance-setpoint ramp: a dI/dV spectrum at each of many conductances (Muenks et al., figures 1 and 2).

The exchange between tip and sample grows with the conductance, and with it the steps shift and lose their symmetry.
Each spectrum begins with the tip stabilised at its own setpoint; between spectra the feedback is on.

    for each Gs: feedback on at V, I = Gs V; wait --> feedback off --> a dI/dV spectrum --> feedback on
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sequences.conductance import ConductanceSequence
from stmlab.acquisition.parameters import FloatParameter, IntegerParameter, ListParameter
from stmlab.axes import Axis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult


class SetpointRamp(ConductanceSequence):
    """dI/dV spectra against the conductance at which the tip is stabilised."""

    name = "setpoint_ramp"
    title = "dI/dV spectra at a ramp of conductance setpoints; fits exchange and correlation"
    stabilised_at: ClassVar[tuple[str, ...]] = ("setpoint", "sweep")
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "setpoint": (
            *("start_conductance", "stop_conductance", "conductances", "spacing"),
            *("setpoint_bias", "stabilise_time"),
        )
    }

    start_conductance = FloatParameter(
        "First conductance", units="S", default=10e-9, minimum=1e-13, maximum=1e-4, description="setpoint I/V"
    )
    stop_conductance = FloatParameter(
        "Last conductance", units="S", default=700e-9, minimum=1e-13, maximum=1e-4, description="setpoint I/V"
    )
    conductances = IntegerParameter("Conductances", default=12, minimum=1, maximum=10_000, description="setpoints")
    spacing = ListParameter(
        "Spacing", choices=("linear", "logarithmic"), default="linear", description="of the conductances"
    )
    points = IntegerParameter(
        "Points", default=101, minimum=2, maximum=100_000, description="bias values in one direction, evenly spaced"
    )

    _conductance = 0.0  # the setpoint now, S; 0 before the first

    def axes(self) -> tuple[Axis, ...]:
        """Conductance setpoints, and the axes of a spectrum."""
        ends = self.start_conductance, self.stop_conductance
        logarithmic = self.spacing == "logarithmic"
        values = np.geomspace(*ends, self.conductances) if logarithmic else np.linspace(*ends, self.conductances)
        setpoint = Axis("setpoint", "S", values, "conductance setpoint", logarithmic=logarithmic)
        return (setpoint, *super().axes())

    @property
    def setpoint_current(self) -> float:
        """Of the conductance that is set now, A."""
        return (self._conductance or float(self.start_conductance)) * abs(float(self.setpoint_bias))

    def demands(self) -> Mapping[str, float | FloatArray]:
        """As a spectrum; every setpoint."""
        return {**super().demands(), "setpoint": self.axes()[0].values * abs(float(self.setpoint_bias))}

    def stabilising_seconds(self, points: int) -> float:
        """See LockInSequence; before the first setpoint as well."""
        return super().stabilising_seconds(points) + self.once_stabilised()

    def move_setpoint(self, conductance: float) -> None:
        """Stabilise the tip at another conductance, with the lock-in's range to match."""
        self.quiet()
        self._conductance = conductance
        self.station.lockin.prepare_input(self.full_scale())
        self.stabilise()

    def analyse(self, run: Any) -> FitResult:
        """Fit all spectra at once: the transport model, or a bound state where the current falls beyond peaks."""
        from stmlab.analysis import analyse, ramp_model

        return analyse(run, ramp_model(run))

    def expected_current(self) -> float:
        """Largest current of the ramp, A."""
        largest = max(float(self.start_conductance), float(self.stop_conductance))
        return largest * max(abs(float(self.start_bias)), abs(float(self.stop_bias)))
