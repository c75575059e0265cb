"""A virtual Keysight M8195A arbitrary waveform generator, heard and seen only through its SCPI port.

One channel is cabled to the microscope; the bench hears what that channel plays. It plays while it has been initiated
and runs by itself (``:INIT:CONT 1``) or is gated: by the trigger input, which is the lock-in's TTL
(``:INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR TRIG``), or by ``:TRIG:BEG:GATE``. In triggered mode a trigger plays the
segment some times, which is over in microseconds; only the conditional advance, which repeats a segment until the
advancement event, lasts long enough for the microscope to notice. Sequences and scenarios come from extended memory;
a channel with internal memory plays its segment whatever ``:FUNC:MODE`` says (User's Guide, 6.17 and 6.18).

Not simulated: the event input (nothing is connected to it), the internal trigger generator, the slope of the gate,
delays between channels, the reference output, files imported into segments, up-conversion, filters of the user's own,
and interpolation between the samples of a divided clock (the real instrument holds them as here with
``:OUTP:FILT:QRAT:TYPE ZOH``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.simulation import m8195a_settings as at
from stmlab.simulation.m8195a_system import SystemCommands
from stmlab.simulation.m8195a_traces import Traces
from stmlab.simulation.machine import Machine
from stmlab.simulation.scpi import ScpiInstrument
from stmlab.simulation.scpi_commands import CHANNELS, Command
from stmlab.simulation.scpi_grammar import ScpiError
from stmlab.simulation.sequence_table import RUNNING, STATE_BIT, WAITING, SequenceTable
from stmlab.simulation.waveform_memory import Lengths, WaveformMemory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stmlab.arrays import SampleArray
    from stmlab.simulation.bench import Bench
    from stmlab.simulation.scpi_commands import Setting
    from stmlab.simulation.scpi_values import ValueType

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
_EXTENDED = 0  # stands for the channel where a setting is common to all that extended memory sources
_SHARED = frozenset(setting.pattern for setting in at.SHARED)


class VirtualM8195A(ScpiInstrument):
    """The generator on the bench.

    Args:
        bench: whose generator panel it keeps up to date.
        channel: the one that is cabled to the microscope.
    """

    def __init__(self, bench: Bench, channel: int = 1) -> None:
        self._bench, self._channel = bench, channel
        self._memory = WaveformMemory(CHANNELS)
        self._table = SequenceTable()
        self._system = SystemCommands(self)
        self._sequence = _NOTHING
        self._initiated = self._triggered = False
        super().__init__(Machine(bench.clock))
        self.changed()

    @property
    def identity(self) -> str:
        """Maker, model, serial number, firmware."""
        return "Keysight Technologies,M8195A,SIM0000001,3.8.0.0-2"

    @property
    def options(self) -> str:
        """Four channels, 16 GSa of extended memory, sequencer."""
        return "004,16G,SEQ"

    def settings(self) -> Iterable[Setting]:
        """See ScpiInstrument."""
        return at.SETTINGS

    def commands(self) -> Iterator[Command]:
        """See ScpiInstrument."""
        yield from Traces(self._memory, self).commands()
        yield from self._table.commands()
        yield Command(":STABle:SEQuence:STATe?", self._sequencer_state)
        yield from self._run_commands()
        yield from self._system.commands()

    def reset(self) -> None:
        """Every setting to its default; memory emptied, output stopped."""
        super().reset()
        self._values |= {(setting.pattern, _EXTENDED): setting.default for setting in at.SHARED}
        self._values |= {(at.REFERENCE_IN_RANGE, number): hz for number, hz in at.REFERENCE_DEFAULTS.items()}
        self._memory.empty()
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
        self._system.refresh()

    def power_on(self) -> None:
        """Everything as after switching on."""
        self.reset()
        self._system.power_on()
        self.changed()

    def clear_status(self) -> None:
        """See ScpiInstrument."""
        super().clear_status()
        self._system.clear_status()

    def summaries(self) -> int:
        """See ScpiInstrument."""
        return self._system.summaries()

    def types(self) -> Mapping[str, ValueType]:
        """See ScpiInstrument."""
        return {**super().types(), at.REFERENCE_IN_RANGE: at.ANY_REFERENCE}

    def restore(self, state: bytes) -> None:
        """See ScpiInstrument; the state holds no waveforms, and nothing runs."""
        super().restore(state)
        self.abort()

    def value(self, pattern: str, channel: int = 1) -> Any:
        """What a setting is set to."""
        return self._values[pattern, self._owner(pattern, channel)]

    def shown(self, setting: Setting, channel: int) -> str:
        """See ScpiInstrument; a channel that has no samples of its own uses no memory."""
        if setting.pattern == at.MEMORY and channel not in _ACTIVE[self._mode]:
            return "NONE"
        return super().shown(setting, channel)

    def put(self, pattern: str, channel: int, value: Any) -> None:
        """Change a setting; what rearranges the memory stops the output."""
        if pattern == at.SELECTED:
            self._memory.of(self.source(channel), channel)[value]
        super().put(pattern, self._owner(pattern, channel), value)
        if pattern in (at.DAC_MODE, at.DIVIDER, at.MEMORY, at.FUNCTION):
            self.abort()

    def _owner(self, pattern: str, channel: int) -> int:
        """The channel under which a setting is kept."""
        return _EXTENDED if pattern in _SHARED and self.source(channel) == "EXT" else channel

    @property
    def _mode(self) -> str:
        return str(self.value(at.DAC_MODE))

    def _divider(self, channel: int) -> int:
        return 1 if self.source(channel) == "INT" else int(self.value(at.DIVIDER)[-1])

    # -- what its subsystems ask -----------------------------------------------------------------------------------

    @property
    def initiated(self) -> bool:
        """See MemoryUser."""
        return self._initiated

    @property
    def dynamic(self) -> bool:
        """See MemoryUser."""
        return bool(self.value(at.DYNAMIC))

    def source(self, channel: int) -> str:
        """See MemoryUser."""
        return str(self._values[at.MEMORY, channel])

    def lengths(self, channel: int) -> Lengths:
        """See MemoryUser."""
        return Lengths.of(self.source(channel), self._divider(channel))

    def interleaved(self, channel: int) -> bool:
        """See MemoryUser."""
        return channel == 1 and self._mode in _WITH_MARKERS

    def running_channels(self) -> Iterable[int]:
        """Channels in run mode, whether they play or wait for a trigger or for their gate."""
        return _ACTIVE[self._mode] if self._initiated else ()

    def abort(self) -> None:
        """Stop signal generation on all channels."""
        self._initiated = self._triggered = False

    # -- what is played --------------------------------------------------------------------------------------------

    def _runs(self, channel: int) -> tuple[bool, bool]:
        """Whether it plays, and whether only while the trigger input is high."""
        if self.value(at.CONTINUOUS):
            return self._initiated, False
        if self.value(at.GATE):
            opened = self.value(at.SOFTWARE_GATE)
            listening = self.value(at.TRIGGER_SOURCE) == "TRIG" and not self.value(at.INPUT_DISABLED)
            gated = not opened and listening
            return self._initiated and (opened or gated), gated
        return self._triggered and self.value(at.SEGMENT_ADVANCE, channel) == "COND", False

    def _samples(self, channel: int) -> SampleArray:
        if channel not in _ACTIVE[self._mode]:
            return _NOTHING
        if self._in_sequence(channel):
            return self._sequence
        number, segments = self.value(at.SELECTED, channel), self._memory.of(self.source(channel), channel)
        return segments[number].samples if number in segments else _NOTHING

    def _in_sequence(self, channel: int) -> bool:
        return self.value(at.FUNCTION) != "ARB" and self.source(channel) == "EXT"

    def _run_commands(self) -> Iterator[Command]:
        yield Command(":ABORt#", lambda _: self.abort())
        yield Command(":INITiate[:IMMediate#]", self._initiate)
        for event, action in (("BEGin", self._trigger), ("ENABle", _ignored), ("ADVance", self._advance)):
            yield Command(f":TRIGger[:SEQuence][:STARt]:{event}[:IMMediate]", action)

    def _initiate(self, _: int) -> None:
        active = _ACTIVE[self._mode]
        for channel in active:
            self._check_lengths(channel)
        function = self.value(at.FUNCTION)
        if function != "ARB" and not any(map(self._in_sequence, active)):
            raise ScpiError(-221, "sequences are played from extended memory")
        source = _COPIES.get(self._mode, {}).get(self._channel, self._channel)
        if self._in_sequence(source):
            segments = self._memory.of("EXT", source)
            self._sequence = self._table.strung_together(self._first_line, segments, scenario=function == "STSC")
        self._initiated, self._triggered = True, False

    @property
    def _first_line(self) -> int:
        return int(self.value(at.SCENARIO_START if self.value(at.FUNCTION) == "STSC" else at.SEQUENCE_START))

    def _check_lengths(self, channel: int) -> None:
        for number, segment in self._memory.of(self.source(channel), channel):
            try:
                self.lengths(channel).check(segment.samples.size)
            except ScpiError as error:
                raise ScpiError(-221, f"segment {number} was defined for another divider") from error

    def _trigger(self, _: int) -> None:
        self._triggered = self._initiated

    def _advance(self, _: int) -> None:
        self._triggered = False

    def _sequencer_state(self, _: int) -> str:
        """State and line of the sequencer; the line is the first of what is played, as far as is simulated."""
        if not self._initiated or self.value(at.FUNCTION) == "ARB":
            return "0"
        by_itself = self.value(at.CONTINUOUS) or self._triggered
        return str((RUNNING if by_itself else WAITING) << STATE_BIT | self._first_line)


def _ignored(_: int) -> None:
    """An event that changes nothing here."""
