"""The lock-in amplifier."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from stmlab.station.instruments.device import Device


@runtime_checkable
class LockIn(Device, Protocol):
    """A lock-in amplifier that reads voltages."""

    frequency: float  # of the internal reference, Hz
    phase: float  # degrees
    harmonic: int
    time_constant: float  # s, one of the instrument's steps
    filter_slope: int  # dB per octave: 6, 12, 18 or 24
    sensitivity: float  # V rms, full scale of the outputs
    sine_voltage: float  # V rms at the sine output (an output: guarded by limits)
    sine_offset: float  # V, DC level of the sine output (0 where there is none)
    aux_out_1: float  # V, auxiliary outputs
    aux_out_2: float
    aux_out_3: float
    aux_out_4: float

    @property
    def least_sine_voltage(self) -> float:
        """The smallest sine, V rms; not 0 if it cannot be switched off."""

    def outputs_off(self) -> None:
        """Sine to its least, DC level to 0, both read back. The auxiliary outputs stay as they are."""

    def quiet(self) -> bool:
        """Whether the sine is at its least and the DC level 0, as read back now."""

    @property
    def xy(self) -> tuple[float, float]:
        """X and Y at one moment, V rms."""

    def clear(self) -> None:
        """Forget the errors and overloads of before: the registers keep them until they are read."""

    def settling_time(self, residual: float = 1e-3) -> float:
        """Seconds after a step until the output is within ``residual`` of it, for the filter that is set."""

    def noise_bandwidth(self) -> float:
        """Equivalent noise bandwidth of the filter that is set, Hz."""

    def use_internal_reference(self) -> None:
        """Run on the internal oscillator, whose TTL chops the generator."""

    def prepare_input(self, full_scale: float) -> None:
        """AC-couple the input and choose the smallest input range and sensitivity that hold ``full_scale`` V rms."""
