"""Recorded stochastic resonance spectra: the change of the current by a tone, against frequency, bias and amplitude."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stmlab.simulation.replay.change import RecordedChange, refuse_unlike
from stmlab.simulation.replay.points import interpolated, snapped
from stmlab.simulation.replay.recorded import Range

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
    """

    source: Source
    frequency: FloatArray
    offset: FloatArray | None
    drive: FloatArray | None
    current: FloatArray
    amplitude: FloatArray | None
    home: tuple[float, float]
    stabilised: bool

    sequences: ClassVar[tuple[str, ...]] = ("srs", "srs_map")

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
        tone = {"rf_frequency": axes["frequency"], "junction_amplitude": axes.get("drive"), "rf_amplitude": None}
        return {"bias": axes.get("offset"), **tone, **self.held}

    def change(self, drive: Drive) -> float:
        """See RecordedChange: at the strongest line of the drive."""
        lines = np.fft.rfft(drive.voltage) * (2 / drive.voltage.size)
        strongest = 1 + int(np.abs(lines[1:]).argmax())
        return self.at(strongest * drive.frequency, float(drive.voltage.mean()), float(np.abs(lines[strongest])))

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
