"""What to put into a waveform memory that is played over and over: planning of segments and their 8-bit samples.

A segment of ``samples`` samples holds ``cycles`` whole periods, so it repeats without a seam, and plays the frequency
``cycles * clock / (divider * samples)``. The memory of the M8195A is read 256 clock ticks at a time and at least five
times in a row, whatever the divider: 256, 128 or 64 samples, at least 1280, 640 or 320. So a plan is first a search
for (cycles, ticks, clock), and then a choice of divider.

Planning. The clock is set in whole hertz, so every pair (cycles, ticks) that keeps it within 53.76-65 GHz plays the
frequency to half a hertz of the clock, 9.3e-12. Of the segments searched, the one with the least error is taken; errors
up to 1e-12 count as equal, and of equal ones the shortest is taken. All segments up to 16384 ticks are searched, or,
for slow waveforms, from the shortest that holds one period to 4096 vectors more: 13.7 million samples at 1 kHz, within
``LARGEST_SEGMENT``. The clock's reference is good to about 1e-6, so this is far below what can be measured; it keeps
round frequencies round.

Divider. A slower memory is a shorter segment, but the samples become coarser: held for 1/sample_rate, a tone of
frequency f falls by sinc(f/sample_rate) and has an image of relative size f/(sample_rate - f). The largest divider
that leaves 64 samples in a period is taken (roll-off below 4e-4, image below 1.6 %), above 508 MHz none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import OutOfBounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.arrays import FloatArray, IntArray, SampleArray
    from stmlab.station.instruments import PulsePair

SOURCE = "the M8195A"
CLOCK_RANGE = (53.76e9, 65.0e9)  # Hz
FREQUENCY_RANGE = (1.0e3, 25.0e9)  # Hz, of tones; 25 GHz is the analogue bandwidth
DIVIDERS = (4, 2, 1)
VECTOR = 256  # clock ticks in which the memory is read
FEWEST_VECTORS = 5
LARGEST_SEGMENT = 1 << 24  # samples
FULL_SCALE = 127  # codes; -128 is not used, so that a waveform may be turned over
FEWEST_CODES = 8  # of a waveform's peak: below, rounding to whole codes is more than 5 % rms

_EQUAL = 1e-12  # relative frequency errors up to this are equal
_NOISE = 1e-15  # of their computation
_SEARCHED_VECTORS = 64  # at least: all segments up to 16384 ticks
_SEARCHED_FROM_SHORTEST = 4096  # for waveforms slower than that
_FIRST_LOOK = 8  # vectors
_EDGE_OF_RANGE = 1 + 1e-13  # so that a clock at the very end of its range is not lost to rounding
_PIECE = 1 << 15  # samples computed at once: they stay in the cache
_REMEMBERED = 1 << 15  # tones: a run asks for each of its frequencies when it is checked and when it begins
_SAMPLES_PER_CYCLE = 64
_SAMPLES_PER_EDGE = 4  # on the 10-90 % rise
_EDGE = 2 * math.asin(0.8) / math.pi  # 10-90 % rise over whole duration of a raised-cosine edge


@dataclass(frozen=True)
class Segment:
    """A stretch of waveform memory and how fast it is played.

    Attributes:
        cycles, samples: whole periods, and samples that hold them.
        divider: of the clock.
        clock: Hz.
    """

    cycles: int
    samples: int
    divider: int
    clock: float

    @property
    def sample_rate(self) -> float:
        """Samples that leave the memory in a second."""
        return self.clock / self.divider

    @property
    def frequency(self) -> float:
        """Of the waveform, Hz."""
        return self.cycles * self.clock / (self.divider * self.samples)

    @property
    def hold(self) -> float:
        """Amplitude of a tone behind the sample-and-hold over its amplitude in memory: sinc(f/sample_rate)."""
        return float(np.sinc(self.cycles / self.samples))


@lru_cache(_REMEMBERED)
def plan_tone(frequency: float, dividers: tuple[int, ...] = DIVIDERS) -> Segment:
    """The segment that plays a tone with the least frequency error (module docstring); the last ones are remembered.

    Raises:
        OutOfBounds: outside ``FREQUENCY_RANGE`` (Hz).
    """
    _within("tone frequency", frequency, FREQUENCY_RANGE, "Hz")
    return _plan(frequency, _SAMPLES_PER_CYCLE, dividers)


def least_hold(frequency: float, dividers: tuple[int, ...] = DIVIDERS) -> float:
    """The smallest `Segment.hold` of all tones up to ``frequency`` (Hz): that of the slowest clock."""
    slowest = CLOCK_RANGE[0] / min(dividers)  # a coarser divider is taken only where it leaves enough samples
    return float(np.sinc(max(1 / _SAMPLES_PER_CYCLE, frequency / slowest)))


def plan_pulses(pulses: PulsePair, dividers: tuple[int, ...] = DIVIDERS) -> Segment:
    """The segment that plays a pulse pair: the coarsest samples of which four fall on an edge's 10-90 % rise.

    Raises:
        OutOfBounds: a time that cannot be played; the text names it.
    """
    edge = pulses.rise_time / _EDGE
    _within("rise_time", pulses.rise_time, (2 / CLOCK_RANGE[0], 1.0), "s")
    _within("period", pulses.period, (1 / FREQUENCY_RANGE[1], 1 / FREQUENCY_RANGE[0]), "s")
    _within("width", pulses.width, (edge, pulses.period - edge), "s")
    _within("delay", pulses.delay, (-pulses.period / 2, pulses.period / 2), "s")
    segment = _plan(1 / pulses.period, _SAMPLES_PER_EDGE * pulses.period / pulses.rise_time, dividers)
    if segment.samples > LARGEST_SEGMENT:
        longest = LARGEST_SEGMENT / CLOCK_RANGE[1] * segment.divider
        source = f"the memory of {SOURCE}, at rise_time = {pulses.rise_time:g} s"
        raise OutOfBounds("period", pulses.period, 0.0, longest, "s", source)
    return segment


def _plan(frequency: float, samples_per_cycle: float, dividers: tuple[int, ...]) -> Segment:
    cycles, vectors, clock, least = 0, 0, 0.0, math.inf
    for lengths in _lengths(frequency):
        found = _best(frequency, lengths)
        if found[-1] < least - _NOISE:
            cycles, vectors, clock, least = found
        if least <= _EQUAL:
            break
    ticks = VECTOR * vectors
    coarse = (divider for divider in dividers if ticks / divider >= samples_per_cycle * cycles)
    divider = next(coarse, min(dividers))
    return Segment(cycles, ticks // divider, divider, clock)


def _lengths(frequency: float) -> Iterator[IntArray]:
    """Lengths to search, in vectors, ascending; in pieces that grow, because the first nearly always has the answer."""
    start = max(FEWEST_VECTORS, math.ceil(CLOCK_RANGE[0] / (VECTOR * frequency * _EDGE_OF_RANGE)))
    longest = min(start + _SEARCHED_FROM_SHORTEST, math.floor(CLOCK_RANGE[1] * _EDGE_OF_RANGE / (VECTOR * frequency)))
    end = max(_SEARCHED_VECTORS, longest) + 1
    piece = _FIRST_LOOK
    while start < end:
        yield np.arange(start, min(start + piece, end))
        start, piece = start + piece, 8 * piece


def _best(frequency: float, vectors: IntArray) -> tuple[int, int, float, float]:
    """Cycles, vectors, clock (Hz) and relative error of the best segment among these lengths."""
    cycles, vectors = _allowed(frequency, vectors)
    if not cycles.size:
        return 0, 0, 0.0, math.inf
    wanted = frequency * VECTOR * vectors / cycles
    clock = np.clip(np.rint(wanted), *CLOCK_RANGE)
    error = np.abs(clock - wanted) / wanted
    equal = np.flatnonzero(error <= max(_EQUAL, float(error.min()) + _NOISE))
    shortest = equal[vectors[equal] == vectors[equal[0]]]
    choice = shortest[error[shortest].argmin()]
    return int(cycles[choice]), int(vectors[choice]), float(clock[choice]), float(error[choice])


def _allowed(frequency: float, vectors: IntArray) -> tuple[IntArray, IntArray]:
    """All pairs of cycles and vectors that put the clock into its range, in order of vectors, then of cycles."""
    slow, fast = CLOCK_RANGE
    fewest = np.maximum(np.ceil(frequency * VECTOR / (fast * _EDGE_OF_RANGE) * vectors).astype(np.int64), 1)
    most = np.floor(frequency * VECTOR / slow * _EDGE_OF_RANGE * vectors).astype(np.int64)
    counts = np.maximum(most + 1 - fewest, 0)
    before = np.cumsum(counts) - counts
    cycles = np.arange(int(counts.sum())) + np.repeat(fewest - before, counts)
    return cycles, np.repeat(vectors, counts)


def sine(segment: Segment, peak: int) -> tuple[SampleArray, float]:
    """One segment of a sine of ``peak`` codes, rounded to whole codes.

    Returns:
        The samples, and the amplitude of their line at the tone's frequency in codes (rounding shifts it a little).
    """
    phases = segment.samples // math.gcd(segment.cycles, segment.samples)
    even = phases % 2 == 0  # then the second half of a period is the first, turned over
    points = phases // 2 if even else phases
    count = points // 2 + 1
    table = np.empty(phases, np.int8)
    index = np.arange(min(_PIECE, count), dtype=np.float32)
    step, product = np.float32(2 * math.pi / phases), 0.0
    height = np.float32(peak * (1 + 1e-6))  # half a code is rounded away from zero
    for start in range(0, count, _PIECE):
        wave = np.sin((index[: count - start] + np.float32(start)) * step)  # indices up to 2**24 are exact
        codes = np.rint(wave * height)
        product += 2 * float(np.dot(wave, codes))
        table[start : start + codes.size] = codes
    if points % 2 == 0:
        product -= float(wave[-1] * codes[-1])  # the crest has no image
    images = (points - 1) // 2  # by reflection, not computed: the two slopes are the same codes, with no quadrature
    reflected = table[images:0:-1]
    table[points - images : points] = reflected if even else -reflected
    if even:
        np.negative(table[:points], out=table[points:])
    return table[_visits(segment)], 2 * product / points


@lru_cache(_REMEMBERED)
def line_of_sine(segment: Segment, peak: int) -> float:
    """Amplitude in codes of the line of such a sine; the last ones are remembered."""
    return sine(segment, peak)[1]


def pulse_pair(segment: Segment, pulses: PulsePair) -> FloatArray:
    """One segment of a pulse pair in volts, before it is rounded to codes; shape (samples,).

    Each pulse is flat with raised-cosine edges: half its height at +-width/2, and zero outside
    +-(width/2 + 0.85 rise_time). The pump stands at a quarter of the period. The shape is sampled at the exact times,
    so pulses need not fall on samples; pulses that overlap add.
    """
    phases = segment.samples // math.gcd(segment.cycles, segment.samples)
    table = np.zeros(phases)
    period = 1 / segment.frequency
    _add_pulse(table, period, pulses.pump, period / 4, pulses)
    _add_pulse(table, period, pulses.probe, period / 4 + pulses.delay, pulses)
    return table[_visits(segment)]


def _add_pulse(table: FloatArray, period: float, height: float, middle: float, pulses: PulsePair) -> None:
    step = period / table.size
    edge = pulses.rise_time / _EDGE
    reach = (pulses.width + edge) / 2
    index = np.arange(math.ceil((middle - reach) / step), math.floor((middle + reach) / step) + 1)
    outward = (np.abs(index * step - middle) - pulses.width / 2) / edge  # -1/2 ... 1/2 along the edge
    table[index % table.size] += height * 0.5 * (1 - np.sin(np.pi * np.clip(outward, -0.5, 0.5)))


def _visits(segment: Segment) -> IntArray | slice:
    """Which phases of one period the samples of a segment visit, one after the other."""
    common = math.gcd(segment.cycles, segment.samples)
    phases, stride = segment.samples // common, segment.cycles // common
    if segment.cycles == 1:
        return slice(None)
    return np.arange(segment.samples) * stride % phases


def _within(name: str, value: float, bounds: tuple[float, float], unit: str) -> None:
    low, high = bounds
    if not low <= value <= high:
        raise OutOfBounds(name, value, low, high, unit, SOURCE)
