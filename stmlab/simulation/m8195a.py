"""A virtual Keysight M8195A arbitrary waveform generator, heard and seen only through its SCPI port.

One channel is cabled to the microscope; the bench hears what that channel plays. It plays while it has been initiated
and runs by itself (``:INIT:CONT 1``) or is gated: by the trigger input, which is the lock-in's TTL
(``:INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR TRIG``), or by ``:TRIG:BEG:GATE``. In triggered mode a trigger plays the
segment some times, which is over in microseconds; only the conditional advance, which repeats a segment until the
advancement event, lasts long enough for the microscope to notice.

Not simulated: the event input (nothing is connected to it), the internal trigger generator, the slope of the gate, and
interpolation between the samples of a divided clock (the real instrument holds them as here with
``:OUTP:FILT:QRAT:TYPE ZOH``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.simulation import m8195a_settings as at
from stmlab.simulation.machine import Machine
from stmlab.simulation.scpi import CHANNELS, Command, ScpiInstrument
from stmlab.simulation.scpi_grammar import ScpiError
from stmlab.simulation.scpi_values import Choice, Integer, Text
from stmlab.simulation.waveform_memory import (
    UNUSED,
    Lengths,
    Segments,
    SequenceEntry,
    entries,
    strung_together,
    waveform,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stmlab.arrays import SampleArray
    from stmlab.simulation.bench import Bench
    from stmlab.simulation.scpi import Setting

_ACTIVE = {  # DAC mode -> channels that have samples of their own
    "SING": (1,),
    "DUAL": (1, 4),
    "FOUR": (1, 2, 3, 4),
    "MARK": (1,),
    "DCD": (1, 2),
    "DCM": (1, 2),
}
_COPIES = {"DCD": {3: 1, 4: 2}}
_WITH_MARKERS = ("MARK", "DCM")
_NOTHING: SampleArray = np.zeros(0, np.int8)


class VirtualM8195A(ScpiInstrument):
    """The generator on the bench.

    Args:
        bench: whose generator panel it keeps up to date.
        channel: the one that is cabled to the microscope.
    """

    def __init__(self, bench: Bench, channel: int = 1) -> None:
        self._bench, self._channel = bench, channel
        self._segments = {number: Segments() for number in CHANNELS}
        self._table: dict[int, SequenceEntry] = {}
        self._sequence = _NOTHING
        self._initiated = self._triggered = False
        super().__init__(Machine(bench.clock))
        self.changed()

    @property
    def identity(self) -> str:
        """Maker, model, serial number, firmware."""
        return "Keysight Technologies,M8195A,SIM0000001,3.8.0.0-2"

    def settings(self) -> Iterable[Setting]:
        """See ScpiInstrument."""
        return at.SETTINGS

    def commands(self) -> Iterator[Command]:
        """See ScpiInstrument."""
        yield from self._segment_commands()
        yield from self._run_commands()
        yield from self._table_commands()
        yield Command(":INSTrument:SLOT?", lambda _: "1")
        yield Command(":INSTrument:HWRevision?", lambda _: "2")
        yield Command(":INSTrument:IDENtify", lambda _, seconds=10: None, (Integer(0, 3600),), optional=1)
        yield Command(
            "[:SOURce]:ROSCillator:SOURce:CHECk?",
            lambda _, source: str(int(source != "EXT")),
            (Choice(("EXTernal", "AXI", "INTernal")),),
        )

    def reset(self) -> None:
        """Every setting to its default; memory emptied, output stopped."""
        super().reset()
        for segments in self._segments.values():
            segments.clear()
        self._table.clear()
        self._initiated = self._triggered = False

    def changed(self) -> None:
        """Let the microscope live through the time that has passed, then show it what is played now."""
        panel = self._bench.generator
        source = _COPIES.get(self._mode, {}).get(self._channel, self._channel)
        samples, (running, gated) = self._samples(source), self._runs(source)
        with self._bench.lock:
            self._bench.advance()
            panel.samples, panel.gated = samples, gated
            panel.running = running and samples.size > 0
            panel.sample_rate = self.value(at.RASTER) / self._divider(source)
            panel.full_scale = self.value(at.LEVEL, self._channel) / 2
            panel.offset = self.value(at.VOLTAGE_OFFSET, self._channel)
            panel.on = self.value(at.OUTPUT, self._channel)

    def power_on(self) -> None:
        """Everything as after switching on."""
        self.reset()
        self.changed()

    def put(self, pattern: str, channel: int, value: Any) -> None:
        """Change a setting; what rearranges the memory stops the output."""
        if pattern == at.SELECTED:
            self._segments[channel][value]
        super().put(pattern, channel, value)
        if pattern in (at.DAC_MODE, at.DIVIDER, at.MEMORY, at.FUNCTION):
            self._abort(channel)

    @property
    def _mode(self) -> str:
        return str(self.value(at.DAC_MODE))

    def _divider(self, channel: int) -> int:
        return 1 if self.value(at.MEMORY, channel) == "INT" else int(self.value(at.DIVIDER)[-1])

    def _lengths(self, channel: int) -> Lengths:
        return Lengths.of(self.value(at.MEMORY, channel), self._divider(channel))

    # -- what is played --------------------------------------------------------------------------------------------

    def _runs(self, channel: int) -> tuple[bool, bool]:
        """Whether it plays, and whether only while the trigger input is high."""
        if self.value(at.CONTINUOUS):
            return self._initiated, False
        if self.value(at.GATE):
            opened = self.value(at.SOFTWARE_GATE)
            gated = not opened and self.value(at.TRIGGER_SOURCE) == "TRIG"
            return self._initiated and (opened or gated), gated
        return self._triggered and self.value(at.SEGMENT_ADVANCE, channel) == "COND", False

    def _samples(self, channel: int) -> SampleArray:
        if channel not in _ACTIVE[self._mode]:
            return _NOTHING
        if self.value(at.FUNCTION) != "ARB":
            return self._sequence
        number, segments = self.value(at.SELECTED, channel), self._segments[channel]
        return segments[number].samples if number in segments else _NOTHING

    def _run_commands(self) -> Iterator[Command]:
        yield Command(":ABORt#", self._abort)
        yield Command(":INITiate[:IMMediate#]", self._initiate)
        for event, action in (("BEGin", self._trigger), ("ENABle", _ignored), ("ADVance", self._advance)):
            yield Command(f":TRIGger[:SEQuence][:STARt]:{event}[:IMMediate]", action)

    def _abort(self, _: int) -> None:
        self._initiated = self._triggered = False

    def _initiate(self, _: int) -> None:
        for channel in _ACTIVE[self._mode]:
            self._lengths_fit(channel)
        function = self.value(at.FUNCTION)
        if function != "ARB":
            first = self.value(at.SCENARIO_START if function == "STSC" else at.SEQUENCE_START)
            segments = self._segments[_COPIES.get(self._mode, {}).get(self._channel, self._channel)]
            self._sequence = strung_together(self._table, first, segments, scenario=function == "STSC")
        self._initiated, self._triggered = True, False

    def _lengths_fit(self, channel: int) -> None:
        for number, segment in self._segments[channel]:
            try:
                self._lengths(channel).check(segment.samples.size)
            except ScpiError as error:
                raise ScpiError(-221, f"segment {number} was defined for another memory or divider") from error

    def _trigger(self, _: int) -> None:
        self._triggered = self._initiated

    def _advance(self, _: int) -> None:
        self._triggered = False

    # -- segments --------------------------------------------------------------------------------------------------

    def _segment_commands(self) -> Iterator[Command]:
        trace = ":TRACe#"
        yield Command(f"{trace}:DEFine", self._define, (at.SEGMENT_NUMBER, at.LENGTH, at.CODE), optional=1)
        yield Command(f"{trace}:DEFine:NEW?", self._define_new, (at.LENGTH, at.CODE), optional=1)
        yield Command(f"{trace}:DELete", self._delete, (at.SEGMENT_NUMBER,))
        yield Command(f"{trace}:DELete:ALL", self._delete_all)
        yield Command(f"{trace}:CATalog?", self._catalogue)
        yield Command(f"{trace}:FREE?", self._free)
        yield Command(f"{trace}[:DATA]", self._write_data, (at.SEGMENT_NUMBER, at.OFFSET), rest=waveform)
        yield Command(f"{trace}[:DATA]?", self._read_data, (at.SEGMENT_NUMBER, at.OFFSET, at.LENGTH))
        for node, limit in (("NAME", 32), ("COMMent", 256)):
            label = node.lower()
            yield Command(f"{trace}:{node}", partial(self._label, label), (at.SEGMENT_NUMBER, Text(limit)))
            yield Command(f"{trace}:{node}?", partial(self._read_label, label), (at.SEGMENT_NUMBER,))

    def _define(self, channel: int, number: int, length: int, initial: int = 0) -> None:
        self._refuse_while_running()
        self._segments[channel].define(number, length, initial, self._lengths(channel))

    def _define_new(self, channel: int, length: int, initial: int = 0) -> str:
        number = self._segments[channel].unused_number()
        self._define(channel, number, length, initial)
        return str(number)

    def _delete(self, channel: int, number: int) -> None:
        self._refuse_while_running()
        self._segments[channel].delete(number)

    def _delete_all(self, channel: int) -> None:
        self._refuse_while_running()
        self._segments[channel].clear()

    def _refuse_while_running(self) -> None:
        if self._initiated:
            raise ScpiError(-221, "stop with :ABORt first")

    def _catalogue(self, channel: int) -> str:
        lengths = [f"{number},{segment.samples.size}" for number, segment in self._segments[channel]]
        return ",".join(lengths or ["0,0"])

    def _free(self, channel: int) -> str:
        used = self._segments[channel].used()
        free = self._lengths(channel).capacity - used
        return f"{free},{used},{free}"

    def _write_data(self, channel: int, number: int, offset: int, data: SampleArray) -> None:
        self._segments[channel].write(number, offset, data, interleaved=self._interleaved(channel))

    def _read_data(self, channel: int, number: int, offset: int, length: int) -> str:
        data = self._segments[channel].read(number, offset, length, interleaved=self._interleaved(channel))
        return ",".join(map(str, data.tolist()))

    def _interleaved(self, channel: int) -> bool:
        return channel == 1 and self._mode in _WITH_MARKERS

    def _label(self, label: str, channel: int, number: int, text: str) -> None:
        self._segments[channel].relabel(number, **{label: text})

    def _read_label(self, label: str, channel: int, number: int) -> str:
        return Text(0).render(getattr(self._segments[channel][number], label))

    # -- sequence table --------------------------------------------------------------------------------------------

    def _table_commands(self) -> Iterator[Command]:
        yield Command(":STABle:DATA", self._write_table, (at.LINE,), rest=entries)
        yield Command(":STABle:DATA?", self._read_table, (at.LINE, Integer(6, 6 * 1024)))
        yield Command(":STABle:RESet", lambda _: self._table.clear())
        yield Command(":STABle:SEQuence:STATe?", lambda _: str(int(self._initiated)))

    def _write_table(self, _: int, first: int, lines: Sequence[SequenceEntry]) -> None:
        self._table.update(enumerate(lines, first))

    def _read_table(self, _: int, first: int, words: int) -> str:
        lines = [self._table.get(line, UNUSED) for line in range(first, first + words // 6)]
        return ",".join(str(number) for line in lines for number in line.numbers())


def _ignored(_: int) -> None:
    """An event that changes nothing here."""
