"""Maps of stochastic resonance spectra: amplitude and rate against DC offset and microwave amplitude (Betz et al.).

A spectrum (see srs.py) at every DC bias and every amplitude, each after stabilising the tip anew; figures 3 and 4 of
the paper are rows and columns of such a map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sequences.srs import StochasticResonance
from stmlab.acquisition.parameters import FloatParameter, IntegerParameter, ListParameter
from stmlab.axes import Axis
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray


class StochasticResonanceMap(StochasticResonance):
    """SRS spectra over DC bias (outer axis) and microwave amplitude; fits rate and step of each."""

    name = "srs_map"
    title = "map of SRS spectra over DC bias and microwave amplitude; fits rate and step of each"
    stabilised_at: ClassVar[tuple[str, ...]] = ("offset", "drive")
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sweep": (
            *("dc_bias", "stop_dc_bias", "dc_points"),
            *("amplitude", "stop_amplitude", "amplitude_points"),
            *("start_frequency", "stop_frequency", "points", "grid", "expected_rate", "target_error", "time_limit"),
        )
    }
    outputs: ClassVar[Mapping[str, str]] = {"stop_dc_bias": "bias", "stop_amplitude": "junction_amplitude"}

    dc_bias = FloatParameter(
        "First DC bias", units="V", default=-8e-3, minimum=-10, maximum=10, description="of the map"
    )
    stop_dc_bias = FloatParameter(
        "Last DC bias", units="V", default=8e-3, minimum=-10, maximum=10, description="of the map"
    )
    dc_points = IntegerParameter("DC points", default=16, minimum=1, maximum=10_000, description="evenly spaced biases")
    amplitude = FloatParameter(
        "First amplitude", units="V", default=1.3e-3, minimum=1e-6, maximum=1, description="peak, at the junction"
    )
    stop_amplitude = FloatParameter(
        "Last amplitude", units="V", default=1.3e-3, minimum=1e-6, maximum=1, description="peak, at the junction"
    )
    amplitude_points = IntegerParameter(
        "Amplitude points", default=1, minimum=1, maximum=10_000, description="evenly spaced amplitudes"
    )

    _offset: float | None = None  # of the spectrum that is being taken
    _amplitude: float | None = None
    _new_spectrum = False

    grid = ListParameter(
        "Grid",
        choices=("logarithmic", "linear", "optimal"),
        default="logarithmic",
        description="logarithmic where the rate is unknown; optimal: the points that determine best the expected rate",
    )

    def verify(self) -> None:
        """See StochasticResonance; a map is one sweep for each bias and amplitude."""
        if self.sweeps > 1:
            raise SequenceError(f"{self.name}: sweeps = {self.sweeps}: a map takes one; raise averages instead")
        super().verify()

    def axes(self) -> tuple[Axis, ...]:
        """DC bias, amplitude, frequency."""
        return (
            Axis("offset", "V", self.offsets(), "DC bias"),
            Axis("drive", "V", self.amplitudes(), "microwave amplitude"),
            self._frequency_axis(),
        )

    def offsets(self) -> FloatArray:
        """Every DC bias of the map, V."""
        return np.linspace(self.dc_bias, self.stop_dc_bias, self.dc_points)

    def amplitudes(self) -> FloatArray:
        """Every microwave amplitude of the map, V peak at the junction."""
        return np.linspace(self.amplitude, self.stop_amplitude, self.amplitude_points)

    def bias_during_sweep(self) -> float:
        """Of the spectrum that is being taken, V."""
        return float(self.offsets()[0]) if self._offset is None else self._offset

    def amplitude_now(self) -> float:
        """Of the spectrum that is being taken, V."""
        return float(self.amplitudes()[0]) if self._amplitude is None else self._amplitude

    def move_offset(self, offset: float) -> None:
        """Remember the bias; the next frequency stabilises the tip and goes there."""
        self._new_spectrum |= offset != self.bias_during_sweep()
        self._offset = offset

    def move_drive(self, amplitude: float) -> None:
        """Remember the amplitude; the next frequency stabilises the tip."""
        self._new_spectrum |= amplitude != self.amplitude_now()
        self._amplitude = amplitude

    def move_frequency(self, frequency: float) -> float:
        """Play the tone; before the first one of a spectrum, stabilise the tip and go to its bias."""
        if self._new_spectrum:
            self.station.generator.off()
            self.stabilise()
            self._new_spectrum = False
        return super().move_frequency(frequency)
