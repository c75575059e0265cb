"""From the generator's memory and the bias to the current through the junction.

Fast and slow are kept apart: the junction answers with its average over the fast drive, once with the drive on and
once with it off, and follows a slow modulation of the bias as if that held still at each moment. Whatever was computed
is kept as long as its inputs do not change, because the instruments ask for it at every reading.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stmlab.simulation.junctions import AnswersModulation, Drive, Played
from stmlab.simulation.waveform import Spectrum, memory_spectrum

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray, SampleArray
    from stmlab.simulation.bench import GeneratorPanel
    from stmlab.simulation.junctions import Junction
    from stmlab.simulation.line import RadioFrequencyWiring

_SMOOTH = 32  # harmonics up to which a drive counts as smooth
_OVERSAMPLING = 8  # samples per period of the highest harmonic of a smooth drive
_FEWEST = 64  # samples of a smooth drive
_MODULATION_SAMPLES = 64  # per period of the bias modulation
_PHASE = 2 * np.pi * np.arange(_MODULATION_SAMPLES) / _MODULATION_SAMPLES
_SINE = np.sin(_PHASE)
_PHASE.flags.writeable = _SINE.flags.writeable = False
_KEPT = 128  # answers of the junction that are remembered


class Levels(NamedTuple):
    """Mean currents at one conductance, A: with the microwave on and off, and whether it is chopped between them."""

    on: float
    off: float
    chopped: bool

    @property
    def mean(self) -> float:
        """Over the chop, half the time each; what the feedback loop holds."""
        return 0.5 * (self.on + self.off) if self.chopped else self.on


class JunctionCurrents:
    """The junction behind the generator, the line and the bias tee."""

    def __init__(self, junction: Junction, wiring: RadioFrequencyWiring) -> None:
        self._junction = junction
        self._answers_modulation = junction if isinstance(junction, AnswersModulation) else None
        self._wiring = wiring
        self._memory: tuple[SampleArray, float] | None = None
        self._seen: SampleArray | None = None  # what was in the generator's memory last, if it cannot change any more
        self._spectrum = Spectrum(0.0, np.zeros(1, dtype=complex))
        self._full_scale: float | None = None  # of the waveform below; None: it is out of date
        self._waveform: Drive | None = None
        self._answers: dict[tuple[float, float], float] = {}
        self._static: dict[tuple[float, float], float] = {}
        self.amplitude = 0.0
        """Peak of the microwave at the junction as the generator last played it, V."""

    def levels(self, generator: GeneratorPanel, bias: float, scale: float) -> Levels:
        """Currents at ``bias`` (V) and conductance ``scale``, with the generator as its panel says."""
        off = self.static(bias, scale)
        if scale == 0.0 or not (generator.on and generator.running):
            return Levels(off, off, chopped=False)
        waveform = self._waveform_of(generator)
        if waveform is None:
            return Levels(off, off, chopped=False)
        return Levels(self._driven(waveform, bias, scale), off, generator.gated)

    def static(self, bias: float, scale: float) -> float:
        """Current without microwave, A."""
        if scale == 0.0:
            return 0.0
        known = self._static.get((bias, scale))
        if known is None:
            if len(self._static) >= _KEPT:
                self._static.clear()
            known = float(self._junction.static_current(np.array([bias]), scale)[0])
            self._static[bias, scale] = known
        return known

    def modulated(self, bias: float, amplitude: float, scale: float) -> FloatArray:
        """Current at 64 times of one period of the bias ``bias + amplitude sin``, slow and without microwave, A."""
        if scale == 0.0:
            return np.zeros(_MODULATION_SAMPLES)
        if self._answers_modulation is not None:
            return self._answers_modulation.modulated(bias, amplitude, _PHASE, scale)
        return self._junction.static_current(bias + amplitude * _SINE, scale)

    def _driven(self, waveform: Drive, bias: float, scale: float) -> float:
        known = self._answers.get((bias, scale))
        if known is None:
            if len(self._answers) >= _KEPT:
                self._answers.clear()
            known = self._junction.mean_current(replace(waveform, voltage=bias + waveform.voltage), scale)
            self._answers[bias, scale] = known
        return known

    def _waveform_of(self, generator: GeneratorPanel) -> Drive | None:
        """What arrives at the junction from the generator (None: nothing), without the bias."""
        samples, rate = generator.samples, generator.sample_rate
        if not self._is_as_seen(samples, rate):
            self._memory = (samples.copy(), rate)  # a copy: the instrument may write into its memory
            self._spectrum = memory_spectrum(samples, rate)
            self._full_scale = None
        self._seen = None if samples.flags.writeable else samples
        if self._full_scale != generator.full_scale:
            self._full_scale = generator.full_scale
            self._waveform = self._arriving(generator.full_scale)
            self.amplitude = 0.0 if self._waveform is None else float(np.abs(self._waveform.voltage).max())
            self._answers.clear()
        return self._waveform

    def _is_as_seen(self, samples: SampleArray, rate: float) -> bool:
        if self._memory is None or self._memory[1] != rate:
            return False
        return samples is self._seen or np.array_equal(self._memory[0], samples)

    def _arriving(self, full_scale: float) -> Drive | None:
        harmonics = self._spectrum.amplitudes.size - 1
        if harmonics == 0 or full_scale == 0.0:
            return None  # the generator's offset does not pass the bias tee
        smooth = harmonics <= _SMOOTH
        count = max(_FEWEST, _OVERSAMPLING * harmonics) if smooth else 2 * harmonics + 2
        arriving = self._spectrum.filtered(self._wiring.transfer, full_scale)
        voltage = arriving.samples(1 << (count - 1).bit_length())
        played = None if self._memory is None else Played(*self._memory, full_scale)
        return Drive(arriving.fundamental, voltage, smooth, played)


def two_sided(samples: FloatArray) -> tuple[FloatArray, ComplexArray]:
    """Harmonic numbers and coefficients of a periodic signal: sum_k c_k exp(i k phase), k from -T/2 to T/2 - 1."""
    order = np.rint(np.fft.fftfreq(samples.size) * samples.size).astype(float)
    coefficients: ComplexArray = np.fft.fft(samples) / samples.size
    return order, coefficients
