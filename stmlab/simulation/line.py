"""The simulated radio-frequency path: a coaxial line and a bias tee, known exactly.

The true transfer of the simulated microscope. What a station reads is a *measured* table (``transfer_files.py`` writes
it), as in the lab; the two are kept apart so that a wrong or missing table has its consequences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stmlab.physics.arguments import not_negative, positive, refuse

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray


@dataclass(frozen=True)
class StandingWave:
    """A pair of mismatched connectors.

    Attributes:
        reflection: product of the two reflection coefficients; the ripple is (1 + r)/(1 - r) peak to peak.
        round_trip: time between them and back, s; the ripple repeats every ``1 / round_trip`` Hz.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    reflection: float
    round_trip: float

    def __post_init__(self) -> None:
        not_negative("round_trip", self.round_trip, "s")
        if not -1 < self.reflection < 1:
            raise refuse("reflection", self.reflection, "more than -1 and less than 1 is needed")


@dataclass(frozen=True)
class Line:
    """Attenuator and cable between the generator's connector and the bias tee.

    Attributes:
        attenuation_dB: of the fixed attenuators.
        cable_loss_dB: at 1 GHz; grows with the square root of the frequency (skin effect).
        delay: of the cable, s.
        standing_waves: of the connectors.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    attenuation_dB: float = 30.0
    cable_loss_dB: float = 1.6
    delay: float = 4.0e-9
    standing_waves: tuple[StandingWave, ...] = (StandingWave(0.06, 2.4e-9), StandingWave(0.04, 0.7e-9))

    def __post_init__(self) -> None:
        not_negative("attenuation_dB", self.attenuation_dB)
        not_negative("cable_loss_dB", self.cable_loss_dB)
        not_negative("delay", self.delay, "s")

    def transfer(self, frequency: FloatArray) -> ComplexArray:
        """Voltage at the end over voltage at the connector (matched); same shape as ``frequency`` (Hz).

        Skin loss is minimum phase: its phase lag in radians equals its loss in nepers.
        """
        loss = self.cable_loss_dB / _DECIBEL_PER_NEPER * np.sqrt(frequency * 1e-9)
        transfer: ComplexArray = np.exp(-(1 + 1j) * loss - 2j * np.pi * frequency * self.delay)
        transfer *= 10 ** (-self.attenuation_dB / 20)
        for wave in self.standing_waves:
            transfer = transfer / (1 - wave.reflection * np.exp(-2j * np.pi * frequency * wave.round_trip))
        return transfer


@dataclass(frozen=True)
class CouplingTee:
    """The radio-frequency arm of a bias tee: a coupling capacitor, contact loss and an upper corner.

    Attributes:
        lower_corner, upper_corner: -3 dB frequencies, Hz.
        insertion_loss_dB: in the middle of the band.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    lower_corner: float = 1.0e3
    upper_corner: float = 6.0e10
    insertion_loss_dB: float = 0.6

    def __post_init__(self) -> None:
        positive("lower_corner", self.lower_corner, "Hz")
        positive("upper_corner", self.upper_corner, "Hz")
        not_negative("insertion_loss_dB", self.insertion_loss_dB)

    def coupling(self, frequency: FloatArray) -> ComplexArray:
        """Transfer of the coupling capacitor alone: nothing passes at zero frequency."""
        return frequency / (frequency - 1j * self.lower_corner)

    def transfer(self, frequency: FloatArray) -> ComplexArray:
        """Voltage at the junction's port over voltage at the RF port; same shape as ``frequency`` (Hz)."""
        passed = 10 ** (-self.insertion_loss_dB / 20) / (1 + 1j * frequency / self.upper_corner)
        return self.coupling(frequency) * passed


@dataclass(frozen=True)
class RadioFrequencyWiring:
    """All between the generator's connector and the junction."""

    line: Line = Line()
    tee: CouplingTee = CouplingTee()

    def transfer(self, frequency: FloatArray) -> ComplexArray:
        """Complex amplitude at the junction over amplitude at the connector; same shape as ``frequency`` (Hz)."""
        return self.line.transfer(frequency) * self.tee.transfer(frequency)


_DECIBEL_PER_NEPER = 20 / np.log(10)
