"""Keysight M8195A, arbitrary waveform generator: 65 GSa/s, 8 bits, one of its channels on the microwave line.

The driver plays one segment of the waveform memory over and over; it owns the channel's memory: playing something new
deletes what is there. What a segment holds, and how exactly it meets a frequency, is planned in ``drivers.waveforms``.

Level. Samples use the whole range of the converter wherever the level setting (0.075-1 V peak to peak) can make the
amplitude; below 37.5 mV peak they are scaled down, to no fewer than 8 codes, 2.4 mV. Smaller amplitudes are refused:
use an attenuator. The level makes good for the rounding of the samples and for the sample-and-hold, so that a tone at
the connector is as large as was asked for; the interpolation filters of a divided clock are set to hold (``ZOH``).

Gate. A gated output plays while the trigger input is high (TTL): as long as the lock-in's reference says.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pymeasure.instruments import Instrument, SCPIMixin

from drivers import waveforms
from drivers.connection import connect
from drivers.controls import checked, one_of, switch, whole, within
from drivers.waveforms import CLOCK_RANGE, FEWEST_CODES, FREQUENCY_RANGE, FULL_SCALE, SOURCE, Segment
from stmlab.errors import InstrumentFault, InstrumentLost, OutOfBounds, SequenceError, StationError
from stmlab.station.instruments import PulsePair, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymeasure.adapters import Adapter

    from stmlab.arrays import FloatArray, SampleArray

LEVEL_RANGE = (0.075, 1.0)  # V peak to peak
_DECIMALS = 7  # of a level; what the instrument makes of it is read back
_INTERNAL_MEMORY = 262_144  # samples
_MODES = {1: "SING", 2: "FOUR", 3: "FOUR", 4: "DUAL"}  # channel -> DAC mode with the fewest others
_DIVIDERS = {"SING": (4, 2, 1), "DUAL": (4, 2, 1), "FOUR": (4, 1)}  # in four-channel mode extended memory needs DIV4
_FILTERS = {1: "FRAT", 2: "HRAT", 4: "QRAT"}
_LONGEST_ERROR_QUEUE = 30
_START = {
    True: ":INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR TRIG;:ARM:TRIG:SLOP POS;:ARM:TRIG:LEV 1.4",  # TTL
    False: ":INIT:GATE 0;:INIT:CONT 1",
}
_MODEL = "M8195A"


class M8195A(SCPIMixin, Instrument):
    """A Generator on one channel of a Keysight M8195A.

    Args:
        adapter: an Adapter or a VISA address, ``TCPIP::host::5025::SOCKET`` for the soft front panel's raw port.
        name: in the station.
        timeout: seconds; after a change of the clock the instrument aligns itself before it answers.
        channel: 1 to 4, the one that is cabled to the microscope.

    A control whose command holds ``{ch}`` is that of the channel. Setting a control by hand is allowed; the driver then
    loads and starts everything anew when it next plays something.
    """

    SNAPSHOT: ClassVar[tuple[str, ...]] = (
        *("id", "channel", "sample_clock", "divider", "dac_mode", "memory", "function", "segment", "level", "offset"),
        *("output", "interpolation", "continuous", "gate", "trigger_source", "trigger_level", "trigger_slope"),
    )

    sample_clock = Instrument.control(
        ":FREQ:RAST?",
        ":FREQ:RAST %.12g",
        "Control the clock of the converter, Hz.",
        **checked(within("sample_clock", *CLOCK_RANGE, "Hz", _MODEL)),
    )
    divider = Instrument.control(
        ":INST:MEM:EXT:RDIV?",
        ":INST:MEM:EXT:RDIV DIV%d",
        "Control the divider of the clock at which extended memory is read.",
        preprocess_reply=lambda reply: reply.strip().removeprefix("DIV"),
        **checked(one_of("divider", (1, 2, 4), _MODEL, cast=int)),
    )
    dac_mode = Instrument.control(
        ":INST:DACM?",
        ":INST:DACM %s",
        "Control which channels play: SING, DUAL, FOUR, MARK, DCD or DCM.",
        **checked(one_of("dac_mode", ("SING", "DUAL", "FOUR", "MARK", "DCD", "DCM"), _MODEL)),
    )
    memory = Instrument.control(
        ":TRAC{ch}:MMOD?",
        ":TRAC{ch}:MMOD %s",
        "Control which memory the channel plays: INT or EXT.",
        **checked(one_of("memory", ("INT", "EXT"), _MODEL)),
    )
    function = Instrument.control(
        ":FUNC:MODE?",
        ":FUNC:MODE %s",
        "Control what is played: ARB a segment, STS a sequence, STSC a scenario.",
        **checked(one_of("function", ("ARB", "STS", "STSC"), _MODEL)),
    )
    segment = Instrument.control(
        ":TRAC{ch}:SEL?",
        ":TRAC{ch}:SEL %d",
        "Control the number of the segment that is played.",
        **checked(whole("segment", 1, 16 << 20, _MODEL)),
    )
    level = Instrument.control(
        ":VOLT{ch}?",
        ":VOLT{ch} %.9g",
        "Control the range of the converter, V peak to peak.",
        **checked(within("level", *LEVEL_RANGE, "V", _MODEL)),
    )
    offset = Instrument.control(
        ":VOLT{ch}:OFFS?",
        ":VOLT{ch}:OFFS %.9g",
        "Control the offset, V.",
        **checked(within("offset", -1.0, 1.0, "V", _MODEL)),
    )
    output = Instrument.control(
        ":OUTP{ch}?", ":OUTP{ch} %d", "Control whether the output is closed.", **checked(switch("output", _MODEL))
    )
    continuous = Instrument.control(
        ":INIT:CONT?",
        ":INIT:CONT %d",
        "Control whether it plays without trigger.",
        **checked(switch("continuous", _MODEL)),
    )
    gate = Instrument.control(
        ":INIT:GATE?",
        ":INIT:GATE %d",
        "Control whether the trigger opens a gate (or starts).",
        **checked(switch("gate", _MODEL)),
    )
    trigger_source = Instrument.control(
        ":ARM:TRIG:SOUR?",
        ":ARM:TRIG:SOUR %s",
        "Control where triggers come from: TRIG the trigger input, EVEN the event input, INT the internal generator.",
        **checked(one_of("trigger_source", ("TRIG", "EVEN", "INT"), _MODEL)),
    )
    trigger_level = Instrument.control(
        ":ARM:TRIG:LEV?",
        ":ARM:TRIG:LEV %.9g",
        "Control the threshold of the trigger input, V.",
        **checked(within("trigger_level", -4.0, 4.0, "V", _MODEL)),
    )
    trigger_slope = Instrument.control(
        ":ARM:TRIG:SLOP?",
        ":ARM:TRIG:SLOP %s",
        "Control the edge that triggers: POS, NEG or EITH.",
        **checked(one_of("trigger_slope", ("POS", "NEG", "EITH"), _MODEL)),
    )

    def __init__(
        self, adapter: str | Adapter, name: str = "M8195A", timeout: float = 10.0, channel: int = 1, **visa: Any
    ) -> None:
        if channel not in _MODES:
            raise StationError(f"channel = {channel}: {SOURCE} has channels 1 to 4")
        self.channel = channel
        self._loaded: tuple[str, int, SampleArray] | None = None  # memory, divider, samples
        self._playing: tuple[Segment, bool] | None = None  # segment, gated
        self._sine: tuple[Segment, int, SampleArray, float] | None = None  # the last that was built
        super().__init__(connect(adapter, timeout=timeout, **visa), name)

    @property
    def interpolation(self) -> str:
        """What comes between the samples of a divided clock: ZOH, NYQ, LIN, LOWP or USER."""
        return str(self.ask(f":OUTP{self.channel}:FILT:{_FILTERS[self.divider]}:TYPE?")).strip()

    # -- Device ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Mapping[str, Any]:
        """See Device."""
        return {name: getattr(self, name) for name in self.SNAPSHOT}

    def check_status(self) -> None:
        """Raise InstrumentFault if the error queue holds anything."""
        self.check_errors()

    def check_errors(self) -> list[Any]:
        """Empty the error queue; returns an empty list.

        Raises:
            InstrumentFault: the first error and its code; the text holds the others too.
        """
        errors: list[tuple[int, str]] = []
        while len(errors) <= _LONGEST_ERROR_QUEUE:
            code, _, text = (reply := self.ask(":SYST:ERR?")).partition(",")
            try:
                errors.append((int(code), text.strip().strip('"')))
            except ValueError as error:
                raise InstrumentLost(self.name, f"answered {reply!r} when asked for errors") from error
            if errors[-1][0] == 0:
                break
        (code_of_first, first), *others = errors
        if code_of_first:
            then = ", ".join(f"{number} {text}" for number, text in others if number)
            raise InstrumentFault(self.name, first + (then and f" [then {then}]"), code_of_first)
        return []

    def close(self) -> None:
        """See Device."""
        self.adapter.close()

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
        return self._amplitude(self._segment(frequency), FULL_SCALE, LEVEL_RANGE[1])

    def plan_tone(self, frequency: float) -> Tone:
        """See Generator."""
        return _tone(self._segment(frequency), 0.0)

    def play_tone(self, frequency: float, amplitude: float, *, gated: bool) -> Tone:
        """See Generator."""
        segment = self._segment(frequency)
        peak, level = self._range(segment, amplitude)
        self._play(segment, self._samples(segment, peak)[0], level, gated=gated)
        return _tone(self._as_played(segment), self._amplitude(segment, peak, self.level))

    def check_pulses(self, pulses: PulsePair) -> None:
        """See Generator."""
        self._planned_pulses(pulses)

    def play_pulses(self, pulses: PulsePair, *, gated: bool) -> PulsePair:
        """See Generator; shapes are those of ``waveforms.pulse_pair``, and no pulse has fewer than 8 codes."""
        segment, volts, level = self._planned_pulses(pulses)
        codes_per_volt = 2 * FULL_SCALE / level
        self._play(segment, np.rint(volts * codes_per_volt).astype(np.int8), level, gated=gated)
        played = self._as_played(segment)
        volts_per_code = self.level / (2 * FULL_SCALE)
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
        """See Generator."""
        self._playing = None
        self._send(f":ABOR;:OUTP{self.channel} 0")
        self.check_errors()

    # -- what is sent ----------------------------------------------------------------------------------------------

    def write(self, command: str, **kwargs: Any) -> None:
        """Send a command. One that is no query may have changed anything, so nothing counts as loaded any more."""
        if "?" not in command:
            self._loaded = self._playing = None
        self._send(command.replace("{ch}", str(self.channel)))

    def upload(self, samples: SampleArray) -> None:
        """Make ``samples`` segment 1 of the channel, the only one; it must not be playing.

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
        trace, size = f":TRAC{self.channel}", str(samples.size)
        head = f"{trace}:DEL:ALL;{trace}:DEF 1,{size}\n{trace}:DATA 1,0,#{len(size)}{size}"
        self._loaded = self._playing = None
        content = np.ascontiguousarray(samples).data
        self.adapter.write_bytes(b"".join((head.encode("ascii"), content, f"\n{trace}:SEL 1\n".encode("ascii"))))

    def _send(self, command: str) -> None:
        self.adapter.write(command)

    def _play(self, segment: Segment, samples: SampleArray, level: float, *, gated: bool) -> None:
        """Play samples; what is in memory is not sent again, and a level alone is changed without an interruption."""
        channel, memory = self.channel, _memory(segment)
        loaded = self._holds(memory, segment.divider, samples)
        running, self._playing = self._playing, None
        if not loaded or running != (segment, gated):
            self._send(
                f":ABOR;:FUNC:MODE ARB;:INST:DACM {_MODES[channel]};:TRAC{channel}:MMOD {memory};"
                f":INST:MEM:EXT:RDIV DIV{segment.divider};:OUTP{channel}:FILT:{_FILTERS[segment.divider]}:TYPE ZOH;"
                f":FREQ:RAST {segment.clock:.12g}"
            )
            if not loaded:
                self.upload(samples)
            self._send(f":VOLT{channel} {level:.7g};:VOLT{channel}:OFFS 0;{_START[gated]};:OUTP{channel} 1;:INIT:IMM")
        else:
            self._send(f":VOLT{channel} {level:.7g}")
        self.check_errors()
        self._loaded, self._playing = (memory, segment.divider, samples), (segment, gated)

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

    def _as_played(self, segment: Segment) -> Segment:
        """The segment with the clock that the instrument has really set."""
        return Segment(segment.cycles, segment.samples, segment.divider, self.sample_clock)

    def _samples(self, segment: Segment, peak: int) -> tuple[SampleArray, float]:
        """A sine of ``peak`` codes and the amplitude of its line in codes; the last one is kept."""
        if self._sine is None or self._sine[:2] != (segment, peak):
            self._sine = (segment, peak, *waveforms.sine(segment, peak))
        return self._sine[2], self._sine[3]

    def _amplitude(self, segment: Segment, peak: int, level: float) -> float:
        """Of a tone at the connector, V peak."""
        return level / 2 * self._samples(segment, peak)[1] / FULL_SCALE * segment.hold

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
