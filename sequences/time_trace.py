"""Current against time at fixed height: does the junction switch, and how fast.

The controller itself samples the current at an even pace, by its bias spectroscopy with both ends at the same bias.

    setpoint, feedback off, bias --> for each trace: sample --> feedback on --> fit of the switching rates
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sequences.tip import FixedHeightSequence
from stmlab.acquisition.parameters import FloatParameter, IntegerParameter
from stmlab.axes import Axis, Channel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult


class TimeTrace(FixedHeightSequence):
    """Current, sampled by the controller with the feedback open."""

    name = "time_trace"
    title = "current against time at fixed height; fits the rates of telegraph switching"
    roles: ClassVar[tuple[str, ...]] = ("bias", "tip", "spectroscopy")
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {"trace": ("dc_bias", "samples", "interval", "traces")}
    outputs: ClassVar[Mapping[str, str]] = {"dc_bias": "bias"}
    channels: tuple[Channel, ...] = (Channel("current", "A", "tunnel current, mean over each sampling interval"),)

    dc_bias = FloatParameter(
        "DC bias", units="V", default=10e-3, minimum=-10, maximum=10, description="during the trace"
    )
    samples = IntegerParameter("Samples", default=5000, minimum=10, maximum=100_000, description="of one trace")
    interval = FloatParameter(
        "Interval", units="s", default=1e-3, minimum=1e-6, maximum=100, description="from sample to sample"
    )
    traces = IntegerParameter(
        "Traces",
        default=1,
        minimum=1,
        maximum=10_000,
        description="the tip is stabilised before each",
    )

    def axes(self) -> tuple[Axis, ...]:
        """Traces, and the time within one, which the controller keeps."""
        time = Axis("time", "s", np.arange(self.samples) * float(self.interval), "time", hardware=True)
        return (time,) if self.traces == 1 else (Axis("trace", "", np.arange(self.traces, dtype=float)), time)

    def demands(self) -> Mapping[str, float | FloatArray]:
        """Both biases, and the setpoint."""
        return {"setpoint_bias": self.setpoint_bias, "bias": self.dc_bias, "setpoint": self.setpoint_current}

    def point_seconds(self) -> float:
        """One trace, and the tip's stabilising before it."""
        return float(self.samples) * float(self.interval) + float(self.stabilise_time)

    def prepare(self) -> None:
        """The tip at the setpoint, then held."""
        self.stabilise()
        self.station.check_status()

    def move_trace(self, number: float) -> None:
        """A new trace begins with the tip stabilised again."""
        if number:
            self.stabilise()

    def measure(self) -> dict[str, float | FloatArray]:
        """One trace."""
        bias = self.bias_during_sweep()
        trace = self.station.spectroscopy.sweep_bias(
            bias,
            bias,
            int(self.samples),
            settling=0.0,
            integration=float(self.interval),
            slew=math.inf,
            backward=False,
            tell=lambda seen: self.tell_partial({"current": seen.current}),
        )
        return {"current": trace.current}

    def analyse(self, run: Any) -> FitResult:
        """Fit the switching."""
        from stmlab.analysis import analyse

        return analyse(run, "telegraph")

    def bias_during_sweep(self) -> float:
        """The DC bias, V."""
        return float(self.dc_bias)
