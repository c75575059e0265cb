"""A recorded trace of the current, played in time: with its switching and its noise, sample by sample.

It plays while the controller samples the current by itself (its bias spectroscopy with both ends at one bias): from the
first reading of the first sample to the last one of the recording; what is read later is an error. The next time that
the controller samples, the next trace plays. Whoever else reads the current reads its mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stmlab.errors import OutOfBounds, PhysicsError, SequenceError
from stmlab.simulation.replay.recorded import Range, RecordedJunction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stmlab.arrays import FloatArray
    from stmlab.axes import Axis
    from stmlab.events import ParameterValue
    from stmlab.simulation.junctions import Drive
    from stmlab.simulation.replay.recorded import Source

_SAME = 1e-6  # of the bias, as an instrument was set to it; and of a sample interval, in which times add up
_NEAR = 0.1  # of the mean current: a setpoint at which the loop would have held the tip there


@dataclass(frozen=True, eq=False)
class RecordedTrace(RecordedJunction):
    """Current against time at one bias.

    Attributes:
        source: of the recording.
        bias: V, during the traces.
        interval: s, from sample to sample.
        current: shape (traces, samples), A.
        home: bias (V) and current (A) of the setpoint.
        stabilised: whether that was recorded; if not, it is the trace's own bias and mean current.
    """

    source: Source
    bias: float
    interval: float
    current: FloatArray
    home: tuple[float, float]
    stabilised: bool

    sequences: ClassVar[tuple[str, ...]] = ("time_trace",)

    def __post_init__(self) -> None:
        if self.mean == 0.0 or self.bias == 0.0:
            raise PhysicsError(f"{self.source.path}: a mean current of {self.mean:g} A at {self.bias:g} V: no junction")

    @cached_property
    def mean(self) -> float:
        """Of the current, A."""
        return float(self.current.mean())

    @property
    def seconds(self) -> float:
        """Of one trace."""
        return float(self.current.shape[1] * self.interval)

    # -- what is recorded ------------------------------------------------------------------------------------------

    @cached_property
    def ranges(self) -> Mapping[str, Range | None]:
        """See RecordedJunction."""
        path, (volts, amperes) = self.source.path, self.home
        near = [amperes] if self.stabilised else [(1 - _NEAR) * amperes, (1 + _NEAR) * amperes]
        return {
            "bias": Range.of([self.bias], "V", f"{path}: its bias"),
            "setpoint_bias": Range.of([volts], "V", f"{path}: its setpoint's bias"),
            "setpoint": Range.of(near, "A", f"{path}: its {'setpoint' if self.stabilised else 'mean current'}"),
        }

    @cached_property
    def axes(self) -> Mapping[str, Range]:
        """See RecordedJunction."""
        return {"time": Range.of([0.0, self.seconds], "s", f"{self.source.path}: its length")}

    def check_plan(self, axes: Sequence[Axis], parameters: Mapping[str, ParameterValue]) -> None:
        """See RecordedJunction; the last sample ends within the recording, and there are traces enough."""
        super().check_plan(axes, parameters)
        for axis in axes:
            if axis.name == "time" and len(axis) > 1:
                asked = float(axis.values[-1] + axis.values[1] - axis.values[0])
                if asked > self.seconds * (1 + _SAME):
                    raise OutOfBounds("time", asked, 0.0, self.seconds, "s", self.axes["time"].source)
            elif not axis.unit and len(axis) > len(self.current):
                raise SequenceError(
                    f"{len(axis)} times {axis.name}: {self.source.path} holds {len(self.current)}: ask for no more"
                )

    def largest_current(self, axes: Sequence[Axis], parameters: Mapping[str, ParameterValue]) -> float:
        """See RecordedJunction."""
        del axes, parameters
        return float(np.abs(self.current).max())

    # -- as a junction ---------------------------------------------------------------------------------------------

    @property
    def reference_conductance(self) -> float:
        """See Junction."""
        return abs(self.mean / self.bias)

    def scale_at(self, bias: float, current: float) -> float | None:
        """See RecordedJunction: a trace is recorded at one height."""
        del bias, current
        return 1.0

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """See Junction: the mean at the bias of the trace, the setpoint's current at its own; between, a parabola."""
        volts, amperes = self.home
        slope = self.mean / self.bias
        if math.isclose(volts, self.bias, rel_tol=_SAME):
            found: FloatArray = scale * slope * voltage
            return found
        held = math.copysign(amperes, volts * slope)
        bend = (held / volts - slope) / (volts - self.bias)
        return scale * voltage * (slope + bend * (voltage - self.bias))

    def mean_current(self, drive: Drive, scale: float) -> float:
        """See Junction."""
        return float(self.static_current(drive.voltage, scale).mean())


class PlayedTrace:
    """Where the traces stand: time since the one that plays began."""

    def __init__(self, trace: RecordedTrace) -> None:
        self._trace = trace
        self._number = 0
        self._time: float | None = None  # s; None: the next one has not begun

    def follow(self, *, sampling: bool) -> None:
        """Notice that the controller has stopped ``sampling``: the trace that played is over."""
        if self._time is not None and not sampling:
            self._time, self._number = None, self._number + 1

    def live(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        if self._time is not None:
            self._time += seconds

    def deviation(self, bias: float, scale: float) -> float:
        """Of the current now from the junction's static one, A; 0 at any other bias than the recorded one.

        Raises:
            PhysicsError: past the end of the trace, or of the last one.
        """
        trace = self._trace
        if not math.isclose(bias, trace.bias, rel_tol=_SAME):
            return 0.0
        if self._number >= len(trace.current):
            raise PhysicsError(f"{trace.source.path} holds {len(trace.current)} traces, and all have been played")
        if self._time is None:
            self._time = 0.0
        sample = math.floor(self._time / trace.interval + _SAME)
        if sample >= trace.current.shape[1]:
            raise PhysicsError(f"time = {self._time:.6g} s: {trace.source.path} ends after {trace.seconds:.6g} s")
        static = trace.static_current(np.array([bias]), 1.0)[0]
        return scale * float(trace.current[self._number, sample] - static)
