"""The waveform memory of a Keysight M8195A: internal memory of each channel, extended memory shared by all.

Samples never change in place: a segment that is written to gets new ones, so that whoever plays the old ones can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.simulation.scpi_grammar import Block, ScpiError
from stmlab.simulation.scpi_values import Integer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stmlab.arrays import SampleArray
    from stmlab.simulation.scpi_grammar import Argument

TICKS_PER_VECTOR = 256
FEWEST_VECTORS = 5
INTERNAL_SAMPLES = 262_144
INTERNAL_GRANULARITY = 128
EXTENDED_SAMPLES = 16 << 30
CODE = Integer(-128, 127)  # of a sample


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
        readable: False: the samples may be written and played, not read back.
    """

    samples: SampleArray
    markers: SampleArray
    name: str = ""
    comment: str = ""
    readable: bool = True


class Segments:
    """The segments of one memory as one channel sees them."""

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

    def add(self, number: int, segment: Segment) -> None:
        """Take a new segment in."""
        self._segments[number] = segment

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
        if not segment.readable:
            raise ScpiError(-221, f"segment {number} is write-only")
        if offset + length > segment.samples.size:
            raise ScpiError(-222, f"segment {number} has {segment.samples.size} samples")
        piece = slice(offset, offset + length)
        if not interleaved:
            return segment.samples[piece]
        return np.stack((segment.samples[piece], segment.markers[piece]), axis=1).ravel()


class WaveformMemory:
    """Both memories of the generator.

    A channel with internal memory has segments of its own. The segments of extended memory are the same for all
    channels that it sources (User's Guide, 6.21): one channel's command defines and deletes them for all; in each,
    every channel has samples of its own.

    Args:
        channels: their numbers.
    """

    def __init__(self, channels: Iterable[int]) -> None:
        self._memories = {name: {channel: Segments() for channel in channels} for name in ("INT", "EXT")}

    def of(self, memory: str, channel: int) -> Segments:
        """The segments in memory ``INT`` or ``EXT``, as a channel sees them."""
        return self._memories[memory][channel]

    def define(
        self,
        memory: str,
        channel: int,
        number: int,
        length: int,
        lengths: Lengths,
        *,
        initial: int = 0,
        readable: bool = True,
    ) -> None:
        """Make a segment of ``length`` samples of value ``initial``, for a channel and all that share its memory."""
        lengths.check(length)
        segments = self.of(memory, channel)
        if number in segments:
            raise ScpiError(-221, f"segment {number} is already defined")
        if segments.used() + length > lengths.capacity:
            raise ScpiError(-225, f"{lengths.capacity - segments.used()} samples are free")
        fresh = _blank(length, initial, readable=readable)
        for sharer in self._sharing(memory, channel):
            sharer.add(number, fresh)

    def delete(self, memory: str, channel: int, number: int) -> None:
        """Forget a segment, for all that share it."""
        for segments in self._sharing(memory, channel):
            segments.delete(number)

    def clear(self, memory: str, channel: int) -> None:
        """Forget all segments, for all that share them."""
        for segments in self._sharing(memory, channel):
            segments.clear()

    def empty(self) -> None:
        """Forget everything."""
        for memory in self._memories.values():
            for segments in memory.values():
                segments.clear()

    def _sharing(self, memory: str, channel: int) -> list[Segments]:
        return [self.of(memory, channel)] if memory == "INT" else list(self._memories[memory].values())


def _blank(length: int, initial: int, *, readable: bool) -> Segment:
    try:
        samples, markers = np.zeros(length, np.int8), np.zeros(length, np.int8)
    except MemoryError:
        raise ScpiError(-225, "the simulating computer has not that much memory") from None
    if initial:
        samples[:] = initial
    return Segment(frozen(samples), frozen(markers), readable=readable)


def waveform(arguments: Sequence[Argument]) -> SampleArray:
    """Samples from a block of signed bytes, or from a list of numbers."""
    if isinstance(arguments[0], Block):
        if len(arguments) > 1:
            raise ScpiError(-108)
        return np.frombuffer(arguments[0].content, np.int8)
    return np.array([CODE.parse(argument) for argument in arguments], np.int8)


def _overwritten(old: SampleArray, offset: int, new: SampleArray) -> SampleArray:
    if new.size == old.size:
        return frozen(np.ascontiguousarray(new))
    samples = old.copy()
    samples[offset : offset + new.size] = new
    return frozen(samples)


def frozen(samples: SampleArray) -> SampleArray:
    """The same samples, which cannot change any more."""
    samples.flags.writeable = False
    return samples
