"""The sequence table of a Keysight M8195A, which strings segments of extended memory together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.simulation import m8195a_settings as at
from stmlab.simulation.scpi_commands import Command
from stmlab.simulation.scpi_grammar import ScpiError
from stmlab.simulation.scpi_values import Integer
from stmlab.simulation.waveform_memory import CODE, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stmlab.arrays import SampleArray
    from stmlab.simulation.scpi_grammar import Argument
    from stmlab.simulation.waveform_memory import Segments

WHOLE_SEGMENT = 0xFFFFFFFF  # end offset of a sequence entry that plays to the end
WAITING, RUNNING = 1, 2  # states of the sequencer
STATE_BIT = 25  # the state stands above the number of the line in the answer of ``:STABle:SEQuence:STATe?``

_START, _SCENARIO_END, _END, _IDLE = 28, 29, 30, 31  # bits of an entry's control word
_WORD = Integer(-128, 0xFFFFFFFF)  # of the sequence table; the sample of an idle entry may be negative
_LONGEST_SEQUENCE = 1 << 26  # samples that are strung together at most


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
            CODE.parse(str(line.words[1]))
        elif min(line.sequence_loops, *line.words[:2]) < 1:
            raise ScpiError(-222, "loops and segments are counted from 1")
    return lines


class SequenceTable:
    """The table, which is empty until it is written.

    All channels that extended memory sources play it; what it plays is strung together of one channel's segments.
    """

    def __init__(self) -> None:
        self._lines: dict[int, SequenceEntry] = {}

    def clear(self) -> None:
        """Forget all lines."""
        self._lines.clear()

    def commands(self) -> Iterator[Command]:
        """What writes and reads it."""
        yield Command(":STABle:DATA", self._write, (at.LINE,), rest=entries)
        yield Command(":STABle:DATA?", self._read, (at.LINE, Integer(6, 6 * 1024)))
        yield Command(":STABle:RESet", lambda _: self.clear())

    def _write(self, _: int, first: int, lines: Sequence[SequenceEntry]) -> None:
        self._lines.update(enumerate(lines, first))

    def _read(self, _: int, first: int, words: int) -> str:
        lines = [self._lines.get(line, UNUSED) for line in range(first, first + words // 6)]
        return ",".join(str(number) for line in lines for number in line.numbers())

    def strung_together(self, first: int, segments: Segments, *, scenario: bool) -> SampleArray:
        """What a sequence, or a scenario of several, plays from line ``first`` to its end.

        Sequence loops count only within a scenario: a sequence alone is repeated for ever.
        """
        played: list[SampleArray] = []
        sequence: list[SampleArray] = []
        loops, line = 1, first
        while True:
            if line not in self._lines:
                raise ScpiError(-221, f"line {line} of the sequence table is empty")
            entry = self._lines[line]
            if entry.has(_START):
                loops = entry.sequence_loops
            sequence.append(entry.samples(segments))
            if entry.has(_END) or entry.has(_SCENARIO_END):
                times = loops if scenario else 1
                _bounded(times * sum(piece.size for piece in sequence) + sum(piece.size for piece in played))
                played += sequence * times
                sequence = []
                if entry.has(_SCENARIO_END) or not scenario:
                    return frozen(np.concatenate(played))
            line += 1


def _bounded(samples: int) -> int:
    if samples > _LONGEST_SEQUENCE:
        raise ScpiError(-225, f"sequences are simulated up to {_LONGEST_SEQUENCE} samples")
    return samples
