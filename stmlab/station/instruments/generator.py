"""The waveform generator on the radio-frequency path, and what it plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from stmlab.station.instruments.device import Device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.station.instruments.device import Value


@dataclass(frozen=True)
class Tone:
    """A sine as the generator really plays it.

    Attributes:
        frequency: Hz, ``cycles * sample_rate / samples``.
        amplitude: V peak at the generator's connector, its sample-and-hold roll-off already compensated.
        cycles, samples: periods and samples in memory.
        sample_rate: samples per second that leave the memory, Sa/s.
        divider: of the sample clock: the clock runs at ``sample_rate * divider``.
    """

    frequency: float
    amplitude: float
    cycles: int
    samples: int
    sample_rate: float
    divider: int


@dataclass(frozen=True)
class PulsePair:
    """Pump and probe, as the generator really plays them.

    Attributes:
        pump, probe: V at the generator's connector (signed).
        width: full width at half maximum, s.
        rise_time: 10-90 % of the edges, s.
        delay: from the middle of the pump to the middle of the probe, s (negative: probe first).
        period: repetition time, s.
    """

    pump: float
    probe: float
    width: float
    rise_time: float
    delay: float
    period: float


@runtime_checkable
class Generator(Device, Protocol):
    """A waveform generator on the radio-frequency path."""

    @property
    def frequency_range(self) -> tuple[float, float]:
        """Lowest and highest tone, Hz."""

    def largest_amplitude(self, frequency: float) -> float:
        """Largest tone at the connector, V peak, at ``frequency`` (falls with the sample-and-hold roll-off)."""

    def common_amplitude(self, frequency: float) -> float:
        """V peak that every tone up to ``frequency`` can have, without a look at each: a lower bound of the largest."""

    def plan_tone(self, frequency: float) -> Tone:
        """The tone of least frequency error (amplitude 0), without sending anything.

        Raises OutOfBounds for a frequency that cannot be played.
        """

    def play_tone(self, frequency: float, amplitude: float, *, gated: bool) -> Tone:
        """Play a sine of ``amplitude`` V peak at the connector; gated: only while the trigger input is high.

        Returns what is really played. Raises OutOfBounds before anything is sent.
        """

    def check_pulses(self, pulses: PulsePair) -> None:
        """Raise OutOfBounds or SequenceError for pulses that cannot be played; nothing is sent."""

    def play_pulses(self, pulses: PulsePair, *, gated: bool) -> PulsePair:
        """Play pump and probe over and over; returns what is really played."""

    def off(self) -> None:
        """Stop playing and open the output of every channel."""

    def is_off(self) -> bool:
        """Whether the output of every channel is open and nothing runs, as read back now."""

    @property
    def confirmed(self) -> Mapping[str, Value]:
        """What ``play_tone``, ``play_pulses`` or ``off`` has set last, as it was read back: watched property -> value.

        Empty before the first of them.
        """
