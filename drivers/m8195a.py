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

from drivers import answers, waveforms
from drivers.connection import connect, patience
from drivers.controls import control, measurement, one_of, switch, whole, within
from drivers.questions import Questions
from drivers.resolution import Resolution
from drivers.waveforms import CLOCK_RANGE, FEWEST_CODES, FREQUENCY_RANGE, FULL_SCALE, SOURCE, Segment
from stmlab.errors import InstrumentFault, OutOfBounds, SequenceError, StationError, ValueNotTaken
from stmlab.station.instruments import Look, PulsePair, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymeasure.adapters import Adapter

    from drivers.questions import Question
    from stmlab.arrays import FloatArray, SampleArray
    from stmlab.station.instruments import Value

LEVEL_RANGE = (0.075, 1.0)  # V peak to peak
_DECIMALS = 7  # of a level; what the instrument makes of it is read back
_INTERNAL_MEMORY = 262_144  # samples
_MODES = {1: "SING", 2: "FOUR", 3: "FOUR", 4: "DUAL"}  # channel -> DAC mode with the fewest others
_DIVIDERS = {"SING": (4, 2, 1), "DUAL": (4, 2, 1), "FOUR": (4, 1)}  # in four-channel mode extended memory needs DIV4
_FILTERS = {1: "FRAT", 2: "HRAT", 4: "QRAT"}
_LONGEST_ERROR_QUEUE = 30
_ALIGNING = 8.0  # s, for which it may not answer after a change of clock or memory
_CHANNELS = (1, 2, 3, 4)
_ERROR: Question = (":SYST:ERR?", answers.row(answers.integer(-32768, 32767), answers.text(r'"[\x20-\x7e]*"')))
_ON_OFF = answers.one_of({"0": False, "1": True})
_START = {
    True: ":INIT:CONT 0;:INIT:GATE 1;:ARM:TRIG:SOUR TRIG;:ARM:TRIG:SLOP POS;:ARM:TRIG:LEV 1.4",  # TTL
    False: ":INIT:GATE 0;:INIT:CONT 1",
}
_MODEL = "M8195A"


class M8195A(Questions, SCPIMixin, Instrument):
    """A Generator on one channel of a Keysight M8195A.

    Args:
        adapter: an Adapter or a VISA address, ``TCPIP::host::5025::SOCKET`` for the soft front panel's raw port.
        name: in the station.
        timeout: seconds; after a change of clock or memory, when the instrument aligns itself, it has 8 s more.
        channel: 1 to 4, the one that is cabled to the microscope.

    A control whose command holds ``{ch}`` is that of the channel. Setting a control by hand is allowed; the driver then
    loads and starts everything anew when it next plays something.
    """

    SNAPSHOT: ClassVar[tuple[str, ...]] = (
        *("id", "channel", "sample_clock", "divider", "dac_mode", "memory", "function", "segment", "level", "offset"),
        *("output", "interpolation", "continuous", "gate", "trigger_source", "trigger_level", "trigger_slope"),
    )

    RESOLUTION: ClassVar = {
        "level": Resolution(absolute=2e-4),  # data sheet: nominal resolution of the amplitude
        "offset": Resolution(absolute=2e-4),
        "sample_clock": Resolution(relative=1e-8),
        "trigger_level": Resolution(absolute=0.1),  # User's Guide: resolution of the threshold
    }
    _TURNS: ClassVar[tuple[str, ...]] = (
        *("offset", "continuous", "gate", "trigger_source", "divider", "dac_mode", "memory", "function"),
    )
    WATCHED: ClassVar = ("output", "level", "sample_clock", *_TURNS)
    ROUND: ClassVar = len(_TURNS)

    sample_clock = control(
        ":FREQ:RAST?",
        ":FREQ:RAST %.12g",
        "Control the clock of the converter, Hz.",
        within("sample_clock", *CLOCK_RANGE, "Hz", _MODEL),
        check_errors=True,
    )
    divider = control(
        ":INST:MEM:EXT:RDIV?",
        ":INST:MEM:EXT:RDIV DIV%d",
        "Control the divider of the clock at which extended memory is read.",
        one_of("divider", (1, 2, 4), _MODEL, "DIV"),
        check_errors=True,
    )
    dac_mode = control(
        ":INST:DACM?",
        ":INST:DACM %s",
        "Control which channels play: SING, DUAL, FOUR, MARK, DCD or DCM.",
        one_of("dac_mode", ("SING", "DUAL", "FOUR", "MARK", "DCD", "DCM"), _MODEL),
        check_errors=True,
    )
    memory = control(
        ":TRAC{ch}:MMOD?",
        ":TRAC{ch}:MMOD %s",
        "Control which memory the channel plays: INT or EXT.",
        one_of("memory", ("INT", "EXT"), _MODEL),
        check_errors=True,
    )
    function = control(
        ":FUNC:MODE?",
        ":FUNC:MODE %s",
        "Control what is played: ARB a segment, STS a sequence, STSC a scenario.",
        one_of("function", ("ARB", "STS", "STSC"), _MODEL),
        check_errors=True,
    )
    segment = control(
        ":TRAC{ch}:SEL?",
        ":TRAC{ch}:SEL %d",
        "Control the number of the segment that is played.",
        whole("segment", 1, 16 << 20, _MODEL),
        check_errors=True,
    )
    level = control(
        ":VOLT{ch}?",
        ":VOLT{ch} %.9g",
        "Control the range of the converter, V peak to peak.",
        within("level", *LEVEL_RANGE, "V", _MODEL),
        check_errors=True,
    )
    offset = control(
        ":VOLT{ch}:OFFS?",
        ":VOLT{ch}:OFFS %.9g",
        "Control the offset, V.",
        within("offset", -1.0, 1.0, "V", _MODEL),
        check_errors=True,
    )
    output = control(
        ":OUTP{ch}?",
        ":OUTP{ch} %d",
        "Control whether the output is closed.",
        switch("output", _MODEL),
        check_errors=True,
    )
    continuous = control(
        ":INIT:CONT?",
        ":INIT:CONT %d",
        "Control whether it plays without trigger.",
        switch("continuous", _MODEL),
        check_errors=True,
    )
    gate = control(
        ":INIT:GATE?",
        ":INIT:GATE %d",
        "Control whether the trigger opens a gate (or starts).",
        switch("gate", _MODEL),
        check_errors=True,
    )
    trigger_source = control(
        ":ARM:TRIG:SOUR?",
        ":ARM:TRIG:SOUR %s",
        "Control where triggers come from: TRIG the trigger input, EVEN the event input, INT the internal generator.",
        one_of("trigger_source", ("TRIG", "EVEN", "INT"), _MODEL),
        check_errors=True,
    )
    trigger_level = control(
        ":ARM:TRIG:LEV?",
        ":ARM:TRIG:LEV %.9g",
        "Control the threshold of the trigger input, V.",
        within("trigger_level", -4.0, 4.0, "V", _MODEL),
        check_errors=True,
    )
    trigger_slope = control(
        ":ARM:TRIG:SLOP?",
        ":ARM:TRIG:SLOP %s",
        "Control the edge that triggers: POS, NEG or EITH.",
        one_of("trigger_slope", ("POS", "NEG", "EITH"), _MODEL),
        check_errors=True,
    )

    def __init__(
        self, adapter: str | Adapter, name: str = "M8195A", timeout: float = 2.0, channel: int = 1, **visa: Any
    ) -> None:
        if channel not in _MODES:
            raise StationError(f"channel = {channel}: {SOURCE} has channels 1 to 4")
        self.channel = channel
        self._loaded: tuple[str, int, SampleArray] | None = None  # memory, divider, samples
        self._playing: tuple[Segment, bool] | None = None  # segment, gated
        self._sine: tuple[Segment, int, SampleArray, float] | None = None  # the last that was built
        self._confirmed: dict[str, Value] = {}
        self._unread: list[tuple[int, str]] = []  # errors that a look has taken out of the queue
        super().__init__(connect(adapter, timeout=timeout, **visa), name)

    id = measurement("*IDN?", "Get maker, model, serial number and firmware.", answers.text())
    options = measurement("*OPT?", "Get the installed options.", answers.text())
    status = measurement("*STB?", "Get the status byte.", answers.integer(0, 255))
    complete = measurement("*OPC?", "Wait until everything is carried out; 1.", answers.integer(1, 1))

    @property
    def next_error(self) -> tuple[int, str]:
        """The oldest error in the queue, which leaves it; (0, ...) if there is none."""
        if self._unread:
            return self._unread.pop(0)
        return _error(self.question(*_ERROR))

    @property
    def interpolation(self) -> str:
        """What comes between the samples of a divided clock: ZOH, NYQ, LIN, LOWP or USER."""
        offered = answers.one_of({name: name for name in ("ZOH", "NYQ", "LIN", "LOWP", "USER")})
        return str(self.question(f":OUTP{self.channel}:FILT:{_FILTERS[self.divider]}:TYPE?", offered))

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
        errors = [error for error in self._unread if error[0]]
        self._unread = []
        for _ in range(_LONGEST_ERROR_QUEUE + 1):
            error = _error(self.question(*_ERROR))
            if not error[0]:
                break
            errors.append(error)
        if errors:
            (code, first), *others = errors
            then = ", ".join(f"{number} {text}" for number, text in others)
            raise InstrumentFault(self.name, first + (then and f" [then {then}]"), code)
        return []

    def look(self, turn: int) -> Look:
        """See Device; one question. An error that it finds is told by ``check_status`` as well."""
        names = ("output", "level", "sample_clock", self._TURNS[turn % len(self._TURNS)])
        *values, error = self.questions(*map(self._question, names), _ERROR)
        code, text = _error(error)
        if code:
            self._unread.append((code, text))
        reports = (f"{text} (error {code})",) if code else ()
        return Look(dict(zip(names, values, strict=True)), reports)

    def reconnect(self) -> None:
        """See Device; what is in the instrument's memory counts as unknown."""
        self._loaded = self._playing = None
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
        return self._amplitude(self._segment(frequency), FULL_SCALE, LEVEL_RANGE[1])

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
        self._send(":ABOR;" + ";".join(f":OUTP{channel} 0" for channel in _CHANNELS))
        for channel, closed in zip(_CHANNELS, self._outputs(), strict=True):
            if closed:
                raise ValueNotTaken(self.name, f"output of channel {channel}", False, True)
        self._confirmed = {"output": False}
        self.check_errors()

    def is_off(self) -> bool:
        """See Generator: an open output is off, whatever plays behind it."""
        return not any(self._outputs())

    @property
    def confirmed(self) -> Mapping[str, Value]:
        """See Generator."""
        return dict(self._confirmed)

    def _outputs(self) -> list[bool]:
        return self.questions(*((f":OUTP{channel}?", _ON_OFF) for channel in _CHANNELS))

    # -- what is sent ----------------------------------------------------------------------------------------------

    def write(self, command: str, **kwargs: Any) -> None:
        """Send a command. One that is no query may have changed anything, so nothing counts as loaded any more."""
        if "?" not in command:
            self._loaded = self._playing = None
            self._confirmed = {}
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
        self._confirmed = {}
        self.adapter.write_bytes(b"".join((head.encode("ascii"), content, f"\n{trace}:SEL 1\n".encode("ascii"))))

    def _send(self, command: str) -> None:
        self.adapter.write(command)

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
            self._send(
                f":ABOR;:FUNC:MODE ARB;:INST:DACM {_MODES[channel]};:TRAC{channel}:MMOD {memory};"
                f":INST:MEM:EXT:RDIV DIV{segment.divider};:OUTP{channel}:FILT:{_FILTERS[segment.divider]}:TYPE ZOH;"
                f":FREQ:RAST {segment.clock:.12g}"
            )
            if not loaded:
                with patience(self.adapter, _ALIGNING):
                    self.upload(samples)
            self._send(f":VOLT{channel} {level:.7g};:VOLT{channel}:OFFS 0;{_START[gated]};:OUTP{channel} 1;:INIT:IMM")
        else:
            self._send(f":VOLT{channel} {level:.7g}")
        wanted = self._settings(segment, level, gated=gated)
        with patience(self.adapter, _ALIGNING if changed else 0.0):
            self._confirm(wanted)
        self._loaded, self._playing = (memory, segment.divider, samples), (segment, gated)
        played = Segment(segment.cycles, segment.samples, segment.divider, float(self._confirmed["sample_clock"]))
        return played, float(self._confirmed["level"])

    def _settings(self, segment: Segment, level: float, *, gated: bool) -> dict[str, Value]:
        """What must be set while ``segment`` plays."""
        settings: dict[str, Value] = {
            **{"output": True, "level": level, "sample_clock": segment.clock, "offset": 0.0, "function": "ARB"},
            **{"continuous": not gated, "gate": gated, "dac_mode": _MODES[self.channel], "memory": _memory(segment)},
            "divider": segment.divider,
        }
        return settings | ({"trigger_source": "TRIG"} if gated else {})

    def _confirm(self, wanted: Mapping[str, Value]) -> None:
        """Read back everything that was set, and the oldest error, in one question."""
        *values, error = self.questions(*map(self._question, wanted), _ERROR)
        if error[0]:
            self._unread.append(_error(error))
            self.check_errors()
        read = dict(zip(wanted, values, strict=True))
        for name, value in wanted.items():
            if not self.agrees(name, value, read[name]):
                raise ValueNotTaken(self.name, name, value, read[name])
        self._confirmed = read

    def _question(self, name: str) -> Question:
        setting = getattr(type(self), name)
        return setting.query.replace("{ch}", str(self.channel)), setting.reader

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


def _error(answer: tuple[int, str]) -> tuple[int, str]:
    code, text = answer
    return code, text.strip('"')


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
