"""Recorded pump-probe scans: the change of the current by two pulses, against the delay between them.

The delay is read off the generator's waveform memory: pulses of known shape S with heights p and q have at the angular
frequency w the line S(w) exp(-i w t) (p + q exp(-i w delay)). The pump comes at a quarter of the period (t), as our
generator places it: pulses that overlap tell their centre of mass alone. Least squares then finds the delay to a small
part of a sample, as far as the memory's 8 bits go.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.simulation.replay.change import RecordedChange, refuse_unlike
from stmlab.simulation.replay.points import interpolated, snapped
from stmlab.simulation.replay.recorded import Range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import ComplexArray, FloatArray, SampleArray
    from stmlab.simulation.junctions import Drive
    from stmlab.simulation.replay.recorded import Source

_RESOLUTION = 0.1  # of a sample of the generator: delays that differ by less are the same within its 8 bits
_UNLIKE = 0.02  # of the power left over: other pulses
_EDGES = 2.0  # over the rise time: the highest line that the edges reach, Hz
_BELOW_NYQUIST = 0.45  # of the rate
_FIRST_LOOK = 0.25  # of the width, from delay to delay
_FINEST = 1e-4  # of a sample
_EDGE = 2 * math.asin(0.8) / math.pi  # 10-90 % rise over the whole length of a raised-cosine edge
_AT_LIMIT = 1e-9


@dataclass(frozen=True, eq=False)
class RecordedPulses(RecordedChange):
    """Change of the mean current by a pump and a probe.

    Attributes:
        source: of the recording.
        delay: from pump to probe, shape (D,), s, increasing.
        current: shape (D,), A.
        bias: between the pulses, V; None: not known, any will do.
        pair: heights (V, at the junction) and times of the pulses.
        period: from pump to pump, s; None: not known, any will do.
        home, stabilised: see RecordedChange.
    """

    source: Source
    delay: FloatArray
    current: FloatArray
    bias: float | None
    pair: PulseShape
    period: float | None
    home: tuple[float, float]
    stabilised: bool

    sequences: ClassVar[tuple[str, ...]] = ("pump_probe",)

    @property
    def fixed(self) -> Mapping[str, float]:
        """See RecordedJunction: heights and times of the pulses."""
        return asdict(self.pair) | ({} if self.period is None else {"period": self.period})

    @cached_property
    def axes(self) -> Mapping[str, Range]:
        """See RecordedJunction."""
        return {"delay": Range.of(self.delay, "s", f"{self.source.path}: its delay")}

    @cached_property
    def ranges(self) -> Mapping[str, Range | None]:
        """See RecordedJunction."""
        told = None if self.bias is None else Range.of([self.bias], "V", f"{self.source.path}: its DC bias")
        return {"bias": told, "junction_amplitude": None, "rf_frequency": None, "rf_amplitude": None, **self.held}

    def change(self, drive: Drive) -> float:
        """See RecordedChange."""
        if drive.played is None:
            raise PhysicsError(f"{self.source.path}: no pulses are played")
        samples, rate = drive.played.samples, drive.played.rate
        periods = max(1, round(samples.size / rate * (1 / self.period if self.period else drive.frequency)))
        first, last, room = float(self.delay[0]), float(self.delay[-1]), self.pair.width
        delay, left = delay_of(samples, periods, rate, self.pair, (first - room, last + room))
        path, resolution = self.source.path, _RESOLUTION / rate
        if left > _UNLIKE:
            raise PhysicsError(f"the generator does not play the pulses that were recorded in {path}")
        refuse_unlike("delay", delay, "s", self.delay, resolution, path)
        return float(self.curve(snapped(delay, self.delay, resolution)))

    @cached_property
    def curve(self) -> Callable[[float], FloatArray]:
        """Change of the current (A) at a delay (s)."""
        return interpolated(self.delay, self.current)


def delay_of(
    samples: SampleArray, periods: int, rate: float, pair: PulseShape, between: tuple[float, float]
) -> tuple[float, float]:
    """From pump to probe, s, by least squares of the memory's lines; and the share of their power that is left over.

    Args:
        samples: waveform memory with one or more whole periods, shape (N,).
        periods: how many.
        rate: Sa/s.
        pair: what is played, but for its delay.
        between: where the delay is looked for, s.
    """
    period = samples.size / periods / rate
    count = int(min(_EDGES / pair.rise_time, _BELOW_NYQUIST * rate) * period)
    lines = np.fft.rfft(samples.astype(float))[periods : periods * count + 1 : periods]
    fit = _Fit(lines, pair, period)
    reach = _FIRST_LOOK * pair.width
    near = np.linspace(*between, 2 + math.ceil((between[1] - between[0]) / reach))
    while True:
        best = float(near[int(np.argmin([fit.misfit(delay) for delay in near.tolist()]))])
        if reach < _FINEST / rate:
            return best, fit.misfit(best)
        near = best + reach * np.linspace(-1.0, 1.0, 11)
        reach *= 0.3


@dataclass(frozen=True)
class PulseShape:
    """Two pulses as the generator makes them: flat, with raised-cosine edges.

    Attributes:
        pump, probe: heights, in any unit.
        width: of both, at half maximum, s.
        rise_time: of both, 10-90 %, s.
    """

    pump: float
    probe: float
    width: float
    rise_time: float

    def line(self, frequency: FloatArray) -> FloatArray:
        """Fourier transform of one pulse of height 1: a rectangle, and the half wave that its edges are."""
        turns = 2 * frequency * self.rise_time / _EDGE
        away = np.where(np.abs(1 - turns**2) > _AT_LIMIT, 1 - turns**2, 1.0)
        edge = np.where(away == 1 - turns**2, np.cos(np.pi / 2 * turns) / away, np.pi / 4)
        line: FloatArray = self.width * np.sinc(frequency * self.width) * edge
        return line


@dataclass(frozen=True, eq=False)
class _Fit:
    """Lines of the memory, shape (L,), against those of a pair of pulses of any height and delay."""

    lines: ComplexArray
    pair: PulseShape
    period: float

    @cached_property
    def _turn(self) -> ComplexArray:
        """Of each line for a pulse that comes a second later."""
        return np.asarray(-2j * np.pi / self.period * np.arange(1, self.lines.size + 1), dtype=complex)

    @cached_property
    def _pump(self) -> ComplexArray:
        line = self.pair.line(np.arange(1, self.lines.size + 1) / self.period)
        return np.asarray(line * np.exp(self._turn * self.period / 4), dtype=complex)

    def misfit(self, delay: float) -> float:
        """Share of the lines' power that two pulses ``delay`` apart leave over."""
        model = self._pump * (self.pair.pump + self.pair.probe * np.exp(self._turn * delay))
        common = max(float(np.vdot(model, self.lines).real), 0.0)
        power = float(np.vdot(model, model).real) * float(np.vdot(self.lines, self.lines).real)
        return 1 - common**2 / power if power else 1.0
