"""The TRACe subsystem of a Keysight M8195A: segments are defined, written, read, named and deleted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stmlab.simulation import m8195a_settings as at
from stmlab.simulation.scpi_commands import Command
from stmlab.simulation.scpi_grammar import ScpiError, block
from stmlab.simulation.scpi_values import Text
from stmlab.simulation.waveform_memory import waveform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.arrays import SampleArray
    from stmlab.simulation.waveform_memory import Lengths, Segments, WaveformMemory

_TRACE = ":TRACe#"


class MemoryUser(Protocol):
    """What the subsystem asks the generator."""

    @property
    def initiated(self) -> bool:
        """Whether signal generation has been started."""

    @property
    def dynamic(self) -> bool:
        """Whether segments may be written while it runs."""

    def source(self, channel: int) -> str:
        """Memory of a channel, ``INT`` or ``EXT``."""

    def lengths(self, channel: int) -> Lengths:
        """Of segments of a channel."""

    def interleaved(self, channel: int) -> bool:
        """Whether a channel's samples alternate with marker bits."""


class Traces:
    """Carries the commands out.

    Args:
        memory: of the generator.
        user: the generator.
    """

    def __init__(self, memory: WaveformMemory, user: MemoryUser) -> None:
        self._memory, self._user = memory, user

    def commands(self) -> Iterator[Command]:
        """All of them."""
        for node, readable in (("", True), (":WONLy", False)):
            define, new = partial(self._define, readable=readable), partial(self._define_new, readable=readable)
            yield Command(f"{_TRACE}:DEFine{node}", define, (at.SEGMENT_NUMBER, at.LENGTH, at.CODE), optional=1)
            yield Command(f"{_TRACE}:DEFine{node}:NEW?", new, (at.LENGTH, at.CODE), optional=1)
        yield Command(f"{_TRACE}:DELete", self._delete, (at.SEGMENT_NUMBER,))
        yield Command(f"{_TRACE}:DELete:ALL", self._delete_all)
        yield Command(f"{_TRACE}:CATalog?", self._catalogue)
        yield Command(f"{_TRACE}:FREE?", self._free)
        yield Command(f"{_TRACE}[:DATA]", self._write, (at.SEGMENT_NUMBER, at.OFFSET), rest=waveform)
        piece = (at.SEGMENT_NUMBER, at.OFFSET, at.LENGTH)
        yield Command(f"{_TRACE}[:DATA]?", self._read_list, piece)
        yield Command(f"{_TRACE}[:DATA]:BLOCk?", self._read_block, piece)
        for node, limit in (("NAME", 32), ("COMMent", 256)):
            label = node.lower()
            yield Command(f"{_TRACE}:{node}", partial(self._label, label), (at.SEGMENT_NUMBER, Text(limit)))
            yield Command(f"{_TRACE}:{node}?", partial(self._read_label, label), (at.SEGMENT_NUMBER,))

    def _segments(self, channel: int) -> Segments:
        return self._memory.of(self._user.source(channel), channel)

    def _define(self, channel: int, number: int, length: int, initial: int = 0, *, readable: bool) -> None:
        self._refuse_while_running()
        source, lengths = self._user.source(channel), self._user.lengths(channel)
        self._memory.define(source, channel, number, length, lengths, initial=initial, readable=readable)

    def _define_new(self, channel: int, length: int, initial: int = 0, *, readable: bool) -> str:
        number = self._segments(channel).unused_number()
        self._define(channel, number, length, initial, readable=readable)
        return str(number)

    def _delete(self, channel: int, number: int) -> None:
        self._refuse_while_running()
        self._memory.delete(self._user.source(channel), channel, number)

    def _delete_all(self, channel: int) -> None:
        self._refuse_while_running()
        self._memory.clear(self._user.source(channel), channel)

    def _refuse_while_running(self) -> None:
        if self._user.initiated:
            raise ScpiError(-221, "stop with :ABORt first")

    def _catalogue(self, channel: int) -> str:
        lengths = [f"{number},{segment.samples.size}" for number, segment in self._segments(channel)]
        return ",".join(lengths or ["0,0"])

    def _free(self, channel: int) -> str:
        used = self._segments(channel).used()
        free = self._user.lengths(channel).capacity - used
        return f"{free},{used},{free}"

    def _write(self, channel: int, number: int, offset: int, data: SampleArray) -> None:
        if not self._user.dynamic:
            self._refuse_while_running()
        self._segments(channel).write(number, offset, data, interleaved=self._user.interleaved(channel))

    def _read(self, channel: int, number: int, offset: int, length: int) -> SampleArray:
        self._refuse_while_running()
        interleaved = self._user.interleaved(channel)
        return self._segments(channel).read(number, offset, length, interleaved=interleaved)

    def _read_list(self, channel: int, number: int, offset: int, length: int) -> str:
        return ",".join(map(str, self._read(channel, number, offset, length).tolist()))

    def _read_block(self, channel: int, number: int, offset: int, length: int) -> str:
        return block(np.ascontiguousarray(self._read(channel, number, offset, length)).tobytes())

    def _label(self, label: str, channel: int, number: int, text: str) -> None:
        self._segments(channel).relabel(number, **{label: text})

    def _read_label(self, label: str, channel: int, number: int) -> str:
        return Text(0).render(getattr(self._segments(channel)[number], label))
