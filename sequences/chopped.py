"""Chopped detection: what the experiments with a gated generator share.

The lock-in's reference gates the generator, so that the lock-in reads how much the mean tunnel current changes when the
generator plays. An experiment of this kind gives its axes and what is played; the rest is here and in detection.py.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sequences.detection import LockInSequence
from stmlab.acquisition.parameters import FloatParameter
from stmlab.axes import Channel
from stmlab.events import ParameterValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray

CHOP_FACTOR = math.sqrt(2) / math.pi
"""rms first harmonic of a 50 % square chop of height 1."""


class ChoppedSequence(LockInSequence):
    """An experiment whose microwave or pulses are chopped by the lock-in's reference."""

    reference_parameter = "chop_frequency"
    range_parameter = "current_range"
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sweep": ("dc_bias",),
        "lock-in": ("chop_frequency", "current_range", "time_constant", "filter_slope", "averages"),
    }
    outputs: ClassVar[Mapping[str, str]] = {"dc_bias": "bias"}
    roles = (*LockInSequence.roles, "generator", "path_to_junction")
    channels: tuple[Channel, ...] = (
        Channel("current_error", "A", "standard error of the mean over the readings; nan for a single one"),
        Channel("x", "V", "lock-in X, rms"),
        Channel("y", "V", "lock-in Y, rms"),
    )

    dc_bias = FloatParameter(
        "DC bias", units="V", default=4e-3, minimum=-10, maximum=10, description="bias during the sweep"
    )
    chop_frequency = FloatParameter(
        "Chop frequency",
        units="Hz",
        default=691.0,
        minimum=1,
        maximum=1e5,
        description="of the lock-in's internal reference, which gates the generator",
    )
    current_range = FloatParameter(
        "Current range",
        units="A",
        default=200e-12,
        minimum=1e-15,
        maximum=1e-6,
        description="largest change of the current expected: sets the lock-in's input range and sensitivity",
    )

    def full_scale(self) -> float:
        """Of the largest change of the current that is expected, V rms."""
        return float(self.current_range) * self._volts_per_ampere()

    def bias_during_sweep(self) -> float:
        """The DC bias, V."""
        return float(self.dc_bias)

    def quiet(self) -> None:
        """Generator off."""
        self.station.generator.off()

    def factors(self) -> Mapping[str, ParameterValue]:
        """From the lock-in's volts to the change of the current: current = X / (chop factor * gain)."""
        chop = ParameterValue(CHOP_FACTOR, "", "rms first harmonic of a 50 % square chop of height 1")
        return {"chop_factor": chop, **self.detection_factors()}

    def measure(self) -> dict[str, float | FloatArray]:
        """Readings of X and Y, and the change of the current that they mean."""
        reading, volts_per_ampere = self.read(), self._volts_per_ampere()
        return {
            "current": reading.x / volts_per_ampere,
            "current_error": reading.error / volts_per_ampere,
            "x": reading.x,
            "y": reading.y,
        }

    def _volts_per_ampere(self) -> float:
        return CHOP_FACTOR * abs(self.response())


def whole_periods(frequency: FloatArray, chop_frequency: float) -> FloatArray:
    """The nearest frequencies with a whole number of periods in the half period that the gate is open, each once.

    With a fraction of a period left over, the microwave's mean over the open gate is not zero and a change of the
    DC bias is read as signal: up to 2 f_chop / (2 pi f) of the amplitude, times the conductance.
    """
    gate = 2 * chop_frequency
    once: FloatArray = np.unique(np.maximum(np.round(frequency / gate), 1.0)) * gate
    return once if frequency[0] <= frequency[-1] else once[::-1]
