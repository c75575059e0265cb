"""Recorded responses to a tone, as stochastic resonance spectra: against frequency, DC bias and amplitude."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stmlab.simulation.replay.change import RecordedChange, refuse_unlike
from stmlab.simulation.replay.points import interpolated, snapped
from stmlab.simulation.replay.recorded import Range
from stmlab.simulation.waveform import memory_spectrum

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import FloatArray
    from stmlab.simulation.junctions import Drive
    from stmlab.simulation.replay.recorded import Source

_RESOLUTION = 5e-3  # of an amplitude: half a code of 8 bits, and what a table of the line is off by
_DIGITS = 1e-6  # of a bias and a frequency, as instruments are set to them


@dataclass(frozen=True, eq=False)
class RecordedResponse(RecordedChange):
    """Change of the mean current by a tone at the junction.

    Attributes:
        source: of the recording.
        frequency: shape (F,), Hz, increasing.
        offset: DC biases, shape (O,), V, increasing; None: not known, any will do.
        drive: amplitudes that were asked for, shape (A,), V peak, increasing; None: not known, any will do.
        current: shape (O, A, F), A; O and A are 1 where not known.
        amplitude: as it was played, at the junction, shape (O, A, F), V peak.
        home, stabilised: see RecordedChange.
        at_connector: the amplitudes are those at the generator's connector, and not at the junction.
    """

    source: Source
    frequency: FloatArray
    offset: FloatArray | None
    drive: FloatArray | None
    current: FloatArray
    amplitude: FloatArray | None
    home: tuple[float, float]
    stabilised: bool
    at_connector: bool = False

    sequences: ClassVar[tuple[str, ...]] = ("srs", "srs_map", "transfer")

    @cached_property
    def axes(self) -> Mapping[str, Range]:
        """See RecordedJunction."""
        known = {"frequency": (self.frequency, "Hz"), "offset": (self.offset, "V"), "drive": (self.drive, "V")}
        words = {"frequency": "frequency", "offset": "DC bias", "drive": "microwave amplitude"}
        return {
            name: Range.of(values, unit, f"{self.source.path}: its {'only ' if values.size == 1 else ''}{words[name]}")
            for name, (values, unit) in known.items()
            if values is not None
        }

    @cached_property
    def ranges(self) -> Mapping[str, Range | None]:
        """See RecordedJunction."""
        axes = self.axes
        at_junction, at_connector = axes.get("drive"), None
        if self.at_connector:
            at_junction, at_connector = at_connector, at_junction
        tone = {"rf_frequency": axes["frequency"], "junction_amplitude": at_junction, "rf_amplitude": at_connector}
        return {"bias": axes.get("offset"), **tone, **self.held}

    def change(self, drive: Drive) -> float:
        """See RecordedChange: at the strongest line of the drive."""
        lines = np.fft.rfft(drive.voltage) * (2 / drive.voltage.size)
        strongest = 1 + int(np.abs(lines[1:]).argmax())
        amplitude = _connector_amplitude(drive) if self.at_connector else float(np.abs(lines[strongest]))
        return self.at(strongest * drive.frequency, float(drive.voltage.mean()), amplitude)

    def at(self, frequency: float, bias: float, amplitude: float) -> float:
        """Between the recorded frequencies (by their logarithm), amplitudes and biases, A.

        Raises:
            PhysicsError: outside of them.
        """
        path, last = self.source.path, float(self.frequency[-1])
        refuse_unlike("frequency", frequency, "Hz", self.frequency, _DIGITS * last, path)
        at = float(np.log(snapped(frequency, self.frequency, _DIGITS * frequency)))
        current = self._current(at)
        if self.amplitude is not None:
            current = np.array(
                [self._at_amplitude(amplitude, *row) for row in zip(self._amplitude(at), current, strict=True)]
            )
        else:
            current = current[:, 0]
        if self.offset is None:
            return float(current[0])
        digits = _DIGITS * float(np.abs(self.offset).max())
        refuse_unlike("bias", bias, "V", self.offset, digits, path)
        return float(interpolated(self.offset, current)(snapped(bias, self.offset, digits)))

    def _at_amplitude(self, amplitude: float, recorded: FloatArray, current: FloatArray) -> float:
        resolution = _RESOLUTION * float(recorded.max())
        refuse_unlike("microwave amplitude", amplitude, "V", recorded, resolution, self.source.path)
        return float(interpolated(recorded, current)(snapped(amplitude, recorded, resolution)))

    @cached_property
    def _current(self) -> Callable[[float], FloatArray]:
        """Change of the current at a frequency (its logarithm), shape (O, A), A."""
        return interpolated(np.log(self.frequency), np.moveaxis(self.current, -1, 0))

    @cached_property
    def _amplitude(self) -> Callable[[float], FloatArray]:
        """The amplitudes as they were played there, shape (O, A), V."""
        assert self.amplitude is not None
        return interpolated(np.log(self.frequency), np.moveaxis(self.amplitude, -1, 0))


def _connector_amplitude(drive: Drive) -> float:
    """Of the tone that the generator plays, V peak."""
    if drive.played is None:
        return 0.0
    lines = memory_spectrum(drive.played.samples, drive.played.rate).amplitudes
    return drive.played.full_scale * float(np.abs(lines[1:]).max())
