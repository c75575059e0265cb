"""Keysight M8195A, arbitrary waveform generator: 65 GSa/s, 8 bits, one of its channels on the microwave line.

The driver plays one segment of the waveform memory over and over. It owns the channel's internal memory: playing
something new deletes what is there. Extended memory is shared by all channels; there the driver has one segment, whose
number no other program reaches that counts from 1, and touches no other. What a segment holds, and how exactly it meets
a frequency, is planned in ``drivers.waveforms``.

Level. Samples use the whole range of the converter wherever the level setting (0.075-1 V peak to peak) can make the
amplitude; below 37.5 mV peak they are scaled down, to no fewer than 8 codes, 2.4 mV. Smaller amplitudes are refused:
use an attenuator. The level compensates the rounding of the samples and the sample-and-hold, so that a tone at
the connector is as large as was asked for; the interpolation filters of a divided clock are set to hold (``ZOH``).

Gate. A gated output plays while the trigger input is high (TTL): as long as the lock-in's reference says.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from drivers import answers, waveforms
from drivers.connection import connect, patience
from drivers.m8195a_controls import CHANNELS, ERROR, FILTERS, LEVEL_RANGE, M8195AControls
from drivers.waveforms import FEWEST_CODES, FREQUENCY_RANGE, FULL_SCALE, SOURCE, Segment
from stmlab.errors import OutOfBounds, SequenceError, StationError, ValueNotTaken
from stmlab.station.instruments import PulsePair, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymeasure.adapters import Adapter

    from stmlab.arrays import FloatArray, SampleArray
    from stmlab.station.instruments import Value

_DECIMALS = 7  # of a level; what the instrument makes of it is read back
_INTERNAL_MEMORY = 262_144  # samples
_OWN_SEGMENTS = 16_000_000  # and the number of the channel: the driver's segment
_CATALOGUE = answers.pairs(0, 1 << 40)  # number and length of each segment; 0, 0 if there is none
_MODES = {1: "SING", 2: "FOUR", 3: "FOUR", 4: "DUAL"}  # channel -> DAC mode with the fewest others
_DIVIDERS = {"SING": (4, 2, 1), "DUAL": (4, 2, 1), "FOUR": (4, 1)}  # in four-channel mode extended memory needs DIV4
_ALIGNING = 8.0  # s, for which it may not answer after a change of clock or memory
_START = {
    True: ":INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR TRIG;:ARM:TRIG:SLOP POS;:ARM:TRIG:LEV 1.4",  # TTL
    False: ":INIT:GATE 0;:INIT:CONT 1",
}


class M8195A(M8195AControls):
    """A Generator on one channel of a Keysight M8195A.

    Args:
        adapter: an Adapter or a VISA address, ``TCPIP::host::5025::SOCKET`` for the soft front panel's raw port.
        name: in the station.
        timeout: seconds; after a change of clock or memory, when the instrument aligns itself, it has 8 s more.
        channel: 1 to 4, the one that is cabled to the microscope.

    Setting a control by hand is allowed; the driver then loads and starts everything anew when it next plays something.
    """

    def __init__(
        self, adapter: str | Adapter, name: str = "M8195A", timeout: float = 2.0, channel: int = 1, **visa: Any
    ) -> None:
        if channel not in _MODES:
            raise StationError(f"channel = {channel}: {SOURCE} has channels 1 to 4")
        self.channel = channel
        self._loaded: tuple[str, int, SampleArray] | None = None  # memory, divider, samples
        self._source: str | None = None  # memory that the channel is known to have, INT or EXT
        self._in_extended: bool | None = None  # whether the driver's segment is there, if that is known
        self._playing: tuple[Segment, bool] | None = None  # segment, gated
        self._sine: tuple[Segment, int, SampleArray, float] | None = None  # the last that was built
        self._confirmed: dict[str, Value] = {}
        self._unread: list[tuple[int, str]] = []  # errors that a look has taken out of the queue
        super().__init__(connect(adapter, timeout=timeout, **visa), name)

    # -- Device ----------------------------------------------------------------------------------------------------

    def reconnect(self) -> None:
        """See Device; what is in the instrument's memory counts as unknown."""
        self._forget()
        super().reconnect()

    def shutdown(self) -> None:
        """Switch off, as pymeasure does at the end of a ``with`` block."""
        self.off()
        super().shutdown()

    # -- Generator -------------------------------------------------------------------------------------------------

    @property
    def frequency_range(self) -> tuple[float, float]:
        """See Generator."""
        return FREQUENCY_RANGE

    def largest_amplitude(self, frequency: float) -> float:
        """See Generator."""
        segment = self._segment(frequency)
        return _at_connector(segment, waveforms.line_of_sine(segment, FULL_SCALE), LEVEL_RANGE[1])

    def common_amplitude(self, frequency: float) -> float:
        """See Generator; rounding to whole codes takes less than one code of a tone's line."""
        return LEVEL_RANGE[1] / 2 * (1 - 1 / FULL_SCALE) * waveforms.least_hold(frequency, self._dividers)

    def plan_tone(self, frequency: float) -> Tone:
        """See Generator."""
        return _tone(self._segment(frequency), 0.0)

    def play_tone(self, frequency: float, amplitude: float, *, gated: bool) -> Tone:
        """See Generator."""
        segment = self._segment(frequency)
        peak, level = self._range(segment, amplitude)
        played, level = self._play(segment, self._samples(segment, peak)[0], level, gated=gated)
        return _tone(played, self._amplitude(segment, peak, level))

    def check_pulses(self, pulses: PulsePair) -> None:
        """See Generator."""
        self._planned_pulses(pulses)

    def play_pulses(self, pulses: PulsePair, *, gated: bool) -> PulsePair:
        """See Generator; shapes are those of ``waveforms.pulse_pair``, and no pulse has fewer than 8 codes."""
        segment, volts, level = self._planned_pulses(pulses)
        codes_per_volt = 2 * FULL_SCALE / level
        played, level = self._play(segment, np.rint(volts * codes_per_volt).astype(np.int8), level, gated=gated)
        volts_per_code = level / (2 * FULL_SCALE)
        slower = segment.clock / played.clock
        return PulsePair(
            pump=round(pulses.pump * codes_per_volt) * volts_per_code,
            probe=round(pulses.probe * codes_per_volt) * volts_per_code,
            width=pulses.width * slower,
            rise_time=pulses.rise_time * slower,
            delay=pulses.delay * slower,
            period=1 / played.frequency,
        )

    def off(self) -> None:
        """See Generator; raises ValueNotTaken if an output does not read as open."""
        self._playing, self._confirmed = None, {}
        self.adapter.write(":ABOR;" + ";".join(f":OUTP{channel} 0" for channel in CHANNELS))
        *outputs, running = self.questions(*self._outputs(), self._question("running"))
        for channel, closed in zip(CHANNELS, outputs, strict=True):
            if closed:
                raise ValueNotTaken(self.name, f"output of channel {channel}", False, True)
        self._confirmed = {"output": False, "running": running}

    def is_off(self) -> bool:
        """See Generator: an open output is off, whatever plays behind it."""
        return not any(self.outputs_closed())

    @property
    def confirmed(self) -> Mapping[str, Value]:
        """See Generator."""
        return dict(self._confirmed)

    # -- what is sent ----------------------------------------------------------------------------------------------

    def write(self, command: str, **kwargs: Any) -> None:
        """Send a command. One that is no query may have changed anything, so nothing counts as loaded any more."""
        if "?" not in command:
            self._forget()
        super().write(command, **kwargs)

    def _forget(self) -> None:
        self._loaded = self._playing = self._source = self._in_extended = None
        self._confirmed = {}

    def upload(self, samples: SampleArray) -> None:
        """Make ``samples`` the driver's segment of the channel and select it; it must not be playing.

        In extended memory the segment has zeros for the other channels, and their other segments stay.

        Args:
            samples: shape (N,), int8; N a multiple of the memory's granularity.

        Raises:
            SequenceError: the samples are no row of int8.
            InstrumentFault: the instrument refuses them.
        """
        if samples.ndim != 1 or samples.dtype != np.int8:
            raise SequenceError(f"samples are {samples.ndim}-dimensional {samples.dtype}: {SOURCE} takes a row of int8")
        self._send_segment(samples)
        self.check_errors()

    def _send_segment(self, samples: SampleArray) -> None:
        trace, number, size = f":TRAC{self.channel}", _OWN_SEGMENTS + self.channel, str(samples.size)
        head = f"{self._deletion(trace, number)}{trace}:DEF {number},{size},0\n"
        head += f"{trace}:DATA {number},0,#{len(size)}{size}"
        self._loaded = self._playing = None
        content = np.ascontiguousarray(samples).data
        self._confirmed = {}
        tail = f"\n{trace}:SEL {number}\n"
        self.adapter.write_bytes(b"".join((head.encode("ascii"), content, tail.encode("ascii"))))

    def _deletion(self, trace: str, number: int) -> str:
        """The command that deletes what the driver has in the channel's memory; asked once, then known."""
        if self._source is None:
            self._source = self.question(*self._question("memory"))
        if self._source == "INT":
            return f"{trace}:DEL:ALL;"
        if self._in_extended is None:
            self._in_extended = number in dict(self.question(f"{trace}:CAT?", _CATALOGUE))
        there, self._in_extended = self._in_extended, True
        return f"{trace}:DEL {number};" if there else ""

    def _play(self, segment: Segment, samples: SampleArray, level: float, *, gated: bool) -> tuple[Segment, float]:
        """Play samples; what is in memory is not sent again, and a level alone is changed without an interruption.

        Returns the segment with the clock, and the level, that the instrument has really set.
        """
        channel, memory = self.channel, _memory(segment)
        loaded = self._holds(memory, segment.divider, samples)
        running, self._playing = self._playing, None
        changed = not loaded or running != (segment, gated)
        self._confirmed = {}
        if changed:
            self.adapter.write(
                f":ABOR;:FUNC:MODE ARB;:INST:DACM {_MODES[channel]};:TRAC{channel}:MMOD {memory};"
                f":INST:MEM:EXT:RDIV DIV{segment.divider};:OUTP{channel}:FILT:{FILTERS[segment.divider]}:TYPE ZOH;"
                f":FREQ:RAST {segment.clock:.12g}"
            )
            self._source = memory
            if not loaded:
                with patience(self.adapter, _ALIGNING):
                    self.upload(samples)
            self.adapter.write(
                f":VOLT{channel} {level:.7g};:VOLT{channel}:OFFS 0;{_START[gated]};:OUTP{channel} 1;:INIT:IMM"
            )
        else:
            self.adapter.write(f":VOLT{channel} {level:.7g}")
        wanted = self._settings(segment, level, gated=gated)
        with patience(self.adapter, _ALIGNING if changed else 0.0):
            self._confirm(wanted)
        self._loaded, self._playing = (memory, segment.divider, samples), (segment, gated)
        played = Segment(segment.cycles, segment.samples, segment.divider, float(self._confirmed["sample_clock"]))
        return played, float(self._confirmed["level"])

    def _settings(self, segment: Segment, level: float, *, gated: bool) -> dict[str, Value]:
        """What must be set while ``segment`` plays."""
        settings: dict[str, Value] = {
            **{
                "output": True,
                "running": True,
                "level": level,
                "sample_clock": segment.clock,
                "offset": 0.0,
                "function": "ARB",
            },
            **{"continuous": not gated, "gate": gated, "dac_mode": _MODES[self.channel], "memory": _memory(segment)},
            **{"divider": segment.divider, "segment": _OWN_SEGMENTS + self.channel},
        }
        return settings | ({"trigger_source": "TRIG"} if gated else {})

    def _confirm(self, wanted: Mapping[str, Value]) -> None:
        """Read back everything that was set, and the oldest error, in one question."""
        *values, error = self.questions(*map(self._question, wanted), ERROR)
        if error[0]:
            self.note_error(error)
            self.check_errors()
        read = dict(zip(wanted, values, strict=True))
        for name, value in wanted.items():
            if not self.agrees(name, value, read[name]):
                raise ValueNotTaken(self.name, name, value, read[name])
        self._confirmed = read

    def _holds(self, memory: str, divider: int, samples: SampleArray) -> bool:
        if self._loaded is None or self._loaded[:2] != (memory, divider):
            return False
        return self._loaded[2] is samples or np.array_equal(self._loaded[2], samples)

    # -- what is planned -------------------------------------------------------------------------------------------

    @property
    def _dividers(self) -> tuple[int, ...]:
        return _DIVIDERS[_MODES[self.channel]]

    def _segment(self, frequency: float) -> Segment:
        return waveforms.plan_tone(frequency, self._dividers)

    def _samples(self, segment: Segment, peak: int) -> tuple[SampleArray, float]:
        """A sine of ``peak`` codes and the amplitude of its line in codes; the last one is kept."""
        if self._sine is None or self._sine[:2] != (segment, peak):
            self._sine = (segment, peak, *waveforms.sine(segment, peak))
        return self._sine[2], self._sine[3]

    def _amplitude(self, segment: Segment, peak: int, level: float) -> float:
        """Of a tone at the connector, V peak."""
        return _at_connector(segment, self._samples(segment, peak)[1], level)

    def _range(self, segment: Segment, amplitude: float) -> tuple[int, float]:
        """Codes of the peak, as many as possible, and level (V peak to peak) that make a tone of ``amplitude``."""
        share = amplitude / segment.hold / (LEVEL_RANGE[0] / 2)  # of the smallest level
        most = math.ceil(FULL_SCALE * share) if 0 < share < 1 else FULL_SCALE
        for peak in range(most, max(most - 3, FEWEST_CODES - 1), -1):  # rounding may make a tone of fewer codes larger
            level = round(amplitude / self._amplitude(segment, peak, 1.0), _DECIMALS)
            if LEVEL_RANGE[0] <= level <= LEVEL_RANGE[1]:
                return peak, level
        least = self._amplitude(segment, FEWEST_CODES, LEVEL_RANGE[0])
        largest = self._amplitude(segment, FULL_SCALE, LEVEL_RANGE[1])
        raise OutOfBounds(f"amplitude at {segment.frequency:.6g} Hz", amplitude, least, largest, "V", SOURCE)

    def _planned_pulses(self, pulses: PulsePair) -> tuple[Segment, FloatArray, float]:
        """Segment, its voltages and the level, V peak to peak."""
        segment = waveforms.plan_pulses(pulses, self._dividers)
        self._check_memory(segment)
        volts = waveforms.pulse_pair(segment, pulses)
        return segment, volts, _pulse_level(pulses, float(np.abs(volts).max()))

    def _check_memory(self, segment: Segment) -> None:
        """Only in single-channel mode is extended memory read at the full clock."""
        if segment.divider == 1 and segment.samples > _INTERNAL_MEMORY and self.channel != 1:
            raise SequenceError(
                f"period = {1 / segment.frequency:.6g} s at so short a rise_time takes {segment.samples} samples; "
                f"channel {self.channel} of {SOURCE} has {_INTERNAL_MEMORY} at the full clock, channel 1 has more"
            )


def _memory(segment: Segment) -> str:
    """Internal memory is always read at the full clock, whatever the other channels do."""
    return "INT" if segment.divider == 1 and segment.samples <= _INTERNAL_MEMORY else "EXT"


def _at_connector(segment: Segment, line: float, level: float) -> float:
    """Amplitude, V peak, of a tone whose line has ``line`` codes, at a level in V peak to peak."""
    return level / 2 * line / FULL_SCALE * segment.hold


def _tone(segment: Segment, amplitude: float) -> Tone:
    return Tone(
        frequency=segment.frequency,
        amplitude=amplitude,
        cycles=segment.cycles,
        samples=segment.samples,
        sample_rate=segment.sample_rate,
        divider=segment.divider,
    )


def _pulse_level(pulses: PulsePair, peak: float) -> float:
    """The level, V peak to peak, that plays pulses whose sum reaches ``peak`` V either way."""
    if not 0 < peak <= LEVEL_RANGE[1] / 2:
        raise OutOfBounds("pump and probe together", peak, 0.0, LEVEL_RANGE[1] / 2, "V", SOURCE)
    level = round(max(2 * peak, LEVEL_RANGE[0]), _DECIMALS)
    least = FEWEST_CODES * level / (2 * FULL_SCALE)
    for name, height in (("pump", pulses.pump), ("probe", pulses.probe)):
        if 0 < abs(height) < least:
            raise OutOfBounds(f"size of the {name}", abs(height), least, LEVEL_RANGE[1] / 2, "V", SOURCE)
    return level
