"""Recorded bias spectra: current and dI/dV against bias, at one conductance or at several.

Current and dI/dV were recorded each by its own instrument, and each is replayed to its own: the controller reads the
recorded current, the lock-in the recorded dI/dV. That one is broadened already by the modulation it was recorded with,
A_r. A larger modulation A broadens it by the excess sqrt(A**2 - A_r**2): the kernel of a modulation,
(2 / pi A**2) sqrt(A**2 - v**2), has the variance A**2/4, and variances of broadenings add; its higher moments do not,
so far from A_r the shape of a sharp step is right to second order only. A smaller one is replayed as recorded.

Of the first harmonic in phase alone is a recording: quadrature and higher harmonics are not replayed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stmlab.simulation.replay.recorded import Range, RecordedJunction
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stmlab.arrays import FloatArray
    from stmlab.axes import Axis
    from stmlab.events import ParameterValue
    from stmlab.simulation.junctions import Drive
    from stmlab.simulation.replay.recorded import Source

_SAME = 1e-6  # of a modulation or a bias: what went through an instrument's digits
_NEAR = 1e-2  # of a modulation: one that was asked for and the one that an instrument made of it
_NODES = 32  # of the average over a modulation


@dataclass(frozen=True, eq=False)
class RecordedSpectra(RecordedJunction):
    """Current and dI/dV between recorded biases and conductances.

    Attributes:
        source: of the recording.
        bias: shape (B,), V, increasing.
        setpoints: conductance of the setpoint at which each spectrum was taken, shape (S,), S, increasing.
        current, conductance: shape (S, B), A and S.
        modulation: with which dI/dV was recorded, V peak; 0: it is a derivative; None: not known.
        home: bias (V) and current (A) of the first setpoint, or of a recorded point where that is not known.
        stabilised: whether it is the setpoint; if not, the recorded current at any bias says the conductance.
    """

    source: Source
    bias: FloatArray
    setpoints: FloatArray
    current: FloatArray
    conductance: FloatArray
    modulation: float | None
    home: tuple[float, float]
    stabilised: bool

    sequences: ClassVar[tuple[str, ...]] = ("didv", "setpoint_ramp")

    # -- what is recorded ------------------------------------------------------------------------------------------

    @cached_property
    def ranges(self) -> Mapping[str, Range | None]:
        """See RecordedJunction; a single spectrum is scaled to any setpoint, of several the conductance is bounded."""
        bias, told = self.axes["bias"], self.home[0]
        several = self.setpoints.size > 1
        if several or not bias.low <= told <= bias.high:
            at = Range.of([told], "V", f"{self.source.path}: its setpoint's bias")
        else:
            at = bias
        held = Range.of(self.setpoints * abs(told), "A", f"{self.source.path}: its setpoints at {told:g} V")
        return {"bias": bias, "setpoint_bias": at, "setpoint": held if several else None, "modulation": None}

    @cached_property
    def axes(self) -> Mapping[str, Range]:
        """See RecordedJunction."""
        setpoints = Range.of(self.setpoints, "S", f"{self.source.path}: its conductance setpoints")
        return {"bias": Range.of(self.bias, "V", f"{self.source.path}: its bias"), "setpoint": setpoints}

    def check_reading(self, bias: float) -> None:
        """See RecordedJunction."""
        recorded = self.axes["bias"]
        if not recorded.holds(bias):
            raise self._outside("bias", bias, recorded)

    def largest_current(self, axes: Sequence[Axis], parameters: Mapping[str, ParameterValue]) -> float:
        """See RecordedJunction: along the bias, at the largest setpoint."""
        swept = next((axis.values for axis in axes if axis.name == "bias"), np.zeros(1))
        conductance = next((float(np.max(axis.values)) for axis in axes if axis.name == "setpoint"), None)
        return float(np.abs(self.static_current(swept, self._asked_scale(parameters, conductance))).max())

    def warnings(self, parameters: Mapping[str, ParameterValue]) -> tuple[str, ...]:
        """See RecordedJunction: of another modulation than has broadened dI/dV, or another conductance."""
        said = []
        played = float(parameters["modulation"].value) if "modulation" in parameters else None
        if played is not None and (self.modulation is None or played < self.modulation * (1 - _NEAR)):
            own = "a modulation that the file does not say" if self.modulation is None else _volts(self.modulation)
            said.append(
                f"{self.source.name} is broadened by {own}, the fit takes it for the {_volts(played)} that were "
                "played: widths and temperature are not the sample's"
            )
        scale = self._asked_scale(parameters, None)
        if self.setpoints.size == 1 and abs(scale - 1) > _NEAR:
            said.append(
                f"the one spectrum of {self.source.name} is replayed at {scale:.3g} times the conductance that it was "
                "taken at: a shape that changes with it is not seen"
            )
        return tuple(said)

    def _asked_scale(self, parameters: Mapping[str, ParameterValue], conductance: float | None) -> float:
        """Conductance over the reference at the setpoint that a run asks for; 1 where it does not say one."""
        if not {"setpoint_bias", "setpoint_current"} <= set(parameters) and conductance is None:
            return 1.0
        volts = float(parameters["setpoint_bias"].value)
        amperes = abs(float(parameters["setpoint_current"].value) if conductance is None else conductance * volts)
        scale = self.scale_at(volts, amperes)
        if scale is not None:
            return scale
        held = abs(float(self.static_current(np.array([volts]), 1.0)[0]))
        return amperes / held if held else 1.0

    # -- as a junction ---------------------------------------------------------------------------------------------

    @property
    def reference_conductance(self) -> float:
        """See Junction: that of the first setpoint."""
        return float(self.setpoints[0])

    def scale_at(self, bias: float, current: float) -> float | None:
        """See RecordedJunction: at the recorded bias the conductance of the setpoint says it, without its noise."""
        if not self.stabilised or not math.isclose(bias, self.home[0], rel_tol=_SAME):
            return None
        return abs(current / bias) / self.reference_conductance

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """See Junction; beyond the recorded bias, where only ways lead and nothing is read, on a straight line."""
        current, _ = self._at(scale)
        inside = np.clip(voltage, self.bias[0], self.bias[-1])
        below, above = self._beyond(scale)
        slope = np.where(voltage < self.bias[0], below, above)
        found: FloatArray = scale * (current(inside) + slope * (voltage - inside))
        return found

    def _beyond(self, scale: float) -> tuple[float, float]:
        """Slopes over the scale, S, below and above the recorded bias: to the setpoint if it lies there, else dI/dV."""
        current, conductance = self._at(scale)
        ends = self.bias[[0, -1]]
        slopes = conductance(ends).tolist()
        for side, end in enumerate(ends.tolist()):
            away = self.home[0] - end
            if self.stabilised and away * (end - ends[1 - side]) > 0:
                slopes[side] = (self.reference_conductance * self.home[0] - float(current(np.array(end)))) / away
        return slopes[0], slopes[1]

    def mean_current(self, drive: Drive, scale: float) -> float:
        """See Junction: at a voltage that moves, the current follows it."""
        return float(self.static_current(drive.voltage, scale).mean())

    def modulated(self, bias: float, amplitude: float, phase: FloatArray, scale: float) -> FloatArray:
        """Current at each ``phase`` of the bias ``bias + amplitude sin(phase)`` (V), A; same shape as ``phase``."""
        held = self.static_current(np.array([bias]), scale)[0]
        wave: FloatArray = held + self.broadened(bias, amplitude, scale) * amplitude * np.sin(phase)
        return wave

    def broadened(self, bias: float, amplitude: float, scale: float) -> float:
        """dI/dV at ``bias`` (V), as a modulation of ``amplitude`` (V peak) reads it, S.

        The mean over the excess is a Gauss-Chebyshev sum (second kind); beyond the ends dI/dV stays as it is there.
        """
        angle = np.pi * np.arange(1, _NODES + 1) / (_NODES + 1)
        weight = 2 / (_NODES + 1) * np.sin(angle) ** 2
        at = np.clip(bias + self.excess(amplitude) * np.cos(angle), self.bias[0], self.bias[-1])
        return scale * float(weight @ self._at(scale)[1](at))

    def excess(self, amplitude: float) -> float:
        """Of a modulation over the recorded one, V peak; 0 where that is not known: dI/dV is as recorded then."""
        if self.modulation is None or amplitude <= self.modulation * (1 + _SAME):
            return 0.0
        return math.sqrt(amplitude**2 - self.modulation**2)

    # -- tables ----------------------------------------------------------------------------------------------------

    @cached_property
    def _recent(self) -> dict[float, tuple[Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray]]]:
        """The curves used last: many readings share one height."""
        return {}

    def _at(self, scale: float) -> tuple[Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray]]:
        """Current and dI/dV over the scale, against bias, at one conductance."""
        place = float(np.clip(scale * self.reference_conductance, self.setpoints[0], self.setpoints[-1]))
        if place not in self._recent:
            from scipy.interpolate import PchipInterpolator  # never beyond its neighbours: no step is made up

            self._recent.clear()
            relative = (self.setpoints / self.reference_conductance)[:, None]
            shapes = [values / relative for values in (self.current, self.conductance)]
            if self.setpoints.size > 1:
                here = [PchipInterpolator(self.setpoints, shape)(place) for shape in shapes]
            else:
                here = [shape[0] for shape in shapes]
            self._recent[place] = PchipInterpolator(self.bias, here[0]), PchipInterpolator(self.bias, here[1])
        return self._recent[place]


def about_modulation(modulation: float | None) -> str:
    """What the recorded modulation (V peak) means for a replay, in one sentence."""
    if modulation is None:
        return "the recorded modulation is not known: dI/dV is replayed as recorded, whatever modulation is played"
    if modulation == 0.0:
        return "dI/dV is the derivative of the recorded current: the modulation that is played broadens it"
    return f"dI/dV was recorded with a modulation of {_volts(modulation)} peak: a smaller one is replayed as that one"


def _volts(modulation: float) -> str:
    return format_quantity(float(f"{modulation:.4g}"), "V")
