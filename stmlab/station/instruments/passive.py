"""Parts on no bus: the path of the radio frequency to the junction, the preamplifier of the current."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from stmlab.arrays import ComplexArray, FloatArray


@runtime_checkable
class RadioFrequencyPath(Protocol):
    """All between the generator's connector and the junction."""

    @property
    def band(self) -> tuple[float, float]:
        """Lowest and highest frequency for which the transfer is known, Hz."""

    def transfer(self, frequency: FloatArray) -> ComplexArray:
        """Complex amplitude at the junction over amplitude at the connector; same shape as ``frequency`` (Hz).

        Raises OutOfBounds outside the band: an extrapolated transfer function is a guess.
        """

    def as_measured(self, table: Path) -> RadioFrequencyPath:
        """The same path with a transfer function that was measured as a whole, from connector to junction.

        Args:
            table: file of it, as the sequence ``transfer`` writes it.
        """

    def check(self, *, voltage: float = 0.0, current: float = 0.0, rf_amplitude: float = 0.0) -> None:
        """Raise OutOfBounds if a DC voltage (V), DC current (A) or RF amplitude (V peak) is more than it stands."""

    def check_age(self, today: date) -> None:
        """Raise StationError if the transfer function is older than the station allows, or has no date then."""

    def describe(self) -> Mapping[str, Any]:
        """Where the transfer function comes from: file, date, band."""


@dataclass(frozen=True)
class Preamplifier:
    """The current preamplifier: not on any bus, so its settings are configuration.

    Attributes:
        gain: V/A.
        bandwidth: -3 dB of its single pole, Hz.
        saturation: largest output, V.
        model: what stands on its front.
    """

    gain: float
    bandwidth: float
    saturation: float
    model: str = ""

    def response(self, frequency: float) -> complex:
        """Output over input at ``frequency`` (Hz), V/A, with amplitude roll-off and phase."""
        return self.gain / complex(1.0, frequency / self.bandwidth)
