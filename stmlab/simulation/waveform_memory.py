"""The waveform memory of a Keysight M8195A: segments of every channel, and the table that strings them together.

Samples never change in place: a segment that is written to gets new ones, so that whoever plays the old ones can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.simulation.scpi_grammar import Block, ScpiError
from stmlab.simulation.scpi_values import Integer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stmlab.arrays import SampleArray
    from stmlab.simulation.scpi_grammar import Argument

TICKS_PER_VECTOR = 256
FEWEST_VECTORS = 5
INTERNAL_SAMPLES = 262_144
INTERNAL_GRANULARITY = 128
EXTENDED_SAMPLES = 16 << 30
WHOLE_SEGMENT = 0xFFFFFFFF  # end offset of a sequence entry that plays to the end

_START, _SCENARIO_END, _END, _IDLE = 28, 29, 30, 31  # bits of an entry's control word
_CODE = Integer(-128, 127)
_WORD = Integer(-128, 0xFFFFFFFF)  # of the sequence table; the sample of an idle entry may be negative
_LONGEST_SEQUENCE = 1 << 26  # samples that are strung together at most


@dataclass(frozen=True)
class Lengths:
    """What a segment may measure, in samples."""

    fewest: int
    granularity: int
    capacity: int

    @classmethod
    def of(cls, memory: str, divider: int) -> Lengths:
        """For the memory ``INT`` or ``EXT``, the latter read at 1/``divider`` of the clock."""
        if memory == "INT":
            return cls(FEWEST_VECTORS * TICKS_PER_VECTOR, INTERNAL_GRANULARITY, INTERNAL_SAMPLES)
        granularity = TICKS_PER_VECTOR // divider
        return cls(FEWEST_VECTORS * granularity, granularity, EXTENDED_SAMPLES)

    def check(self, length: int) -> None:
        """Refuse with -222 a segment of this length."""
        if length < self.fewest or length % self.granularity:
            raise ScpiError(
                -222, f"{length} samples are not a multiple of {self.granularity} of at least {self.fewest}"
            )


@dataclass(frozen=True)
class Segment:
    """One segment.

    Attributes:
        samples: shape (N,), read-only.
        markers: shape (N,), two bits a sample, read-only; zero unless the mode has markers.
        name, comment: as the client set them.
    """

    samples: SampleArray
    markers: SampleArray
    name: str = ""
    comment: str = ""


class Segments:
    """The segments of one channel."""

    def __init__(self) -> None:
        self._segments: dict[int, Segment] = {}

    def __iter__(self) -> Iterator[tuple[int, Segment]]:
        return iter(sorted(self._segments.items()))

    def __contains__(self, number: int) -> bool:
        return number in self._segments

    def __getitem__(self, number: int) -> Segment:
        """A segment; -222 if there is none of that number."""
        try:
            return self._segments[number]
        except KeyError:
            raise ScpiError(-222, f"there is no segment {number}") from None

    def used(self) -> int:
        """Samples of all segments."""
        return sum(segment.samples.size for segment in self._segments.values())

    def unused_number(self) -> int:
        """The smallest number that no segment has."""
        return next(number for number in range(1, len(self._segments) + 2) if number not in self._segments)

    def define(self, number: int, length: int, initial: int, lengths: Lengths) -> None:
        """Make a segment of ``length`` samples of value ``initial``."""
        lengths.check(length)
        if number in self._segments:
            raise ScpiError(-221, f"segment {number} is already defined")
        if self.used() + length > lengths.capacity:
            raise ScpiError(-225, f"{lengths.capacity - self.used()} samples are free")
        try:
            samples, markers = np.zeros(length, np.int8), np.zeros(length, np.int8)
        except MemoryError:
            raise ScpiError(-225, "the simulating computer has not that much memory") from None
        if initial:
            samples[:] = initial
        self._segments[number] = Segment(_frozen(samples), _frozen(markers))

    def delete(self, number: int) -> None:
        """Forget one segment."""
        self[number]
        del self._segments[number]

    def clear(self) -> None:
        """Forget all segments."""
        self._segments.clear()

    def relabel(self, number: int, *, name: str | None = None, comment: str | None = None) -> None:
        """Change what a segment is called, or what is said about it."""
        old = self[number]
        labels = (old.name if name is None else name, old.comment if comment is None else comment)
        self._segments[number] = replace(old, name=labels[0], comment=labels[1])

    def write(self, number: int, offset: int, data: SampleArray, *, interleaved: bool) -> None:
        """Overwrite from ``offset``; interleaved data are sample, marker, sample, marker."""
        old = self[number]
        if interleaved and data.size % 2:
            raise ScpiError(-222, "a marker is missing for the last sample")
        samples, markers = (data[::2], data[1::2]) if interleaved else (data, None)
        if offset + samples.size > old.samples.size:
            raise ScpiError(-223, f"segment {number} has {old.samples.size} samples")
        fresh = replace(old, samples=_overwritten(old.samples, offset, samples))
        if markers is not None:
            fresh = replace(fresh, markers=_overwritten(old.markers, offset, markers & 3))
        self._segments[number] = fresh

    def read(self, number: int, offset: int, length: int, *, interleaved: bool) -> SampleArray:
        """What ``write`` would take to make it so."""
        segment = self[number]
        if offset + length > segment.samples.size:
            raise ScpiError(-222, f"segment {number} has {segment.samples.size} samples")
        piece = slice(offset, offset + length)
        if not interleaved:
            return segment.samples[piece]
        return np.stack((segment.samples[piece], segment.markers[piece]), axis=1).ravel()


def waveform(arguments: Sequence[Argument]) -> SampleArray:
    """Samples from a block of signed bytes, or from a list of numbers."""
    if isinstance(arguments[0], Block):
        if len(arguments) > 1:
            raise ScpiError(-108)
        return np.frombuffer(arguments[0].content, np.int8)
    return np.array([_CODE.parse(argument) for argument in arguments], np.int8)


def _overwritten(old: SampleArray, offset: int, new: SampleArray) -> SampleArray:
    if new.size == old.size:
        return _frozen(np.ascontiguousarray(new))
    samples = old.copy()
    samples[offset : offset + new.size] = new
    return _frozen(samples)


def _frozen(samples: SampleArray) -> SampleArray:
    samples.flags.writeable = False
    return samples


@dataclass(frozen=True)
class SequenceEntry:
    """One line of the sequence table: plays a segment, or with the idle bit of ``control`` one value for a while.

    Attributes:
        control: 16-19 segment advance, 20-23 sequence advance, 24 marker, 28 start of a sequence, 29 end of the
            scenario, 30 end of the sequence, 31 idle.
        sequence_loops: of the sequence that starts here.
        words: loops, segment, start, end of a segment; or for idle entries 0, sample value, delay, 0.
    """

    control: int
    sequence_loops: int
    words: tuple[int, int, int, int]

    def has(self, bit: int) -> bool:
        """Whether a bit of ``control`` is set."""
        return bool(self.control >> bit & 1)

    def numbers(self) -> tuple[int, ...]:
        """As ``:STABle:DATA?`` answers."""
        return (self.control, self.sequence_loops, *self.words)

    def samples(self, segments: Segments) -> SampleArray:
        """What this line plays."""
        if self.has(_IDLE):
            _, value, delay, _ = self.words
            return np.full(_bounded(delay), np.int8(value))
        loops, number, start, end = self.words
        samples = segments[number].samples
        stop = samples.size if end == WHOLE_SEGMENT else end + 1
        if not start < stop <= samples.size:
            raise ScpiError(-222, f"segment {number} has {samples.size} samples")
        _bounded(loops * (stop - start))
        return np.tile(samples[start:stop], loops)


UNUSED = SequenceEntry(0, 1, (1, 1, 0, WHOLE_SEGMENT))
"""What the table holds where nothing has been written."""


def entries(arguments: Sequence[Argument]) -> list[SequenceEntry]:
    """Lines of the sequence table, from six numbers each."""
    words = [_WORD.parse(argument) for argument in arguments]
    if len(words) % 6:
        raise ScpiError(-109, "a line of the sequence table has six numbers after its index")
    lines = [
        SequenceEntry(words[k], words[k + 1], (words[k + 2], words[k + 3], words[k + 4], words[k + 5]))
        for k in range(0, len(words), 6)
    ]
    for line in lines:
        if line.has(_IDLE):
            _CODE.parse(str(line.words[1]))
        elif min(line.sequence_loops, *line.words[:2]) < 1:
            raise ScpiError(-222, "loops and segments are counted from 1")
    return lines


def strung_together(table: dict[int, SequenceEntry], first: int, segments: Segments, *, scenario: bool) -> SampleArray:
    """What a sequence, or a scenario of several, plays from line ``first`` to its end.

    Sequence loops count only within a scenario: a sequence alone is repeated for ever.
    """
    played: list[SampleArray] = []
    sequence: list[SampleArray] = []
    loops, line = 1, first
    while True:
        if line not in table:
            raise ScpiError(-221, f"line {line} of the sequence table is empty")
        entry = table[line]
        if entry.has(_START):
            loops = entry.sequence_loops
        sequence.append(entry.samples(segments))
        if entry.has(_END) or entry.has(_SCENARIO_END):
            times = loops if scenario else 1
            _bounded(times * sum(piece.size for piece in sequence) + sum(piece.size for piece in played))
            played += sequence * times
            sequence = []
            if entry.has(_SCENARIO_END) or not scenario:
                return _frozen(np.concatenate(played))
        line += 1


def _bounded(samples: int) -> int:
    if samples > _LONGEST_SEQUENCE:
        raise ScpiError(-225, f"sequences are simulated up to {_LONGEST_SEQUENCE} samples")
    return samples
