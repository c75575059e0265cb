"""What can be set and read of a Keysight M8195A: its controls, its error queue, looks at it.

A control whose command holds ``{ch}`` is that of the channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pymeasure.instruments import Instrument, SCPIMixin

from drivers import answers
from drivers.controls import control, measurement, one_of, switch, whole, within
from drivers.questions import Questions
from drivers.resolution import Resolution
from drivers.waveforms import CLOCK_RANGE
from stmlab.errors import InstrumentFault
from stmlab.station.instruments import Look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drivers.questions import Question

LEVEL_RANGE = (0.075, 1.0)  # V peak to peak
CHANNELS = (1, 2, 3, 4)
FILTERS = {1: "FRAT", 2: "HRAT", 4: "QRAT"}  # divider -> whose interpolation filter
ERROR: Question = (":SYST:ERR?", answers.row(answers.integer(-32768, 32767), answers.text(r'"[\x20-\x7e]*"')))
"""Asks for the oldest error: code and quoted text."""
_LONGEST_ERROR_QUEUE = 30
_LARGEST_REGISTER = 0xFFFF
_ON_OFF = answers.one_of({"0": False, "1": True})
_MODEL = "M8195A"


class M8195AControls(Questions, SCPIMixin, Instrument):
    """The generator without what it plays.

    Attributes:
        channel: 1 to 4, the one that is cabled to the microscope.
    """

    channel: int
    _unread: list[tuple[int, str]]  # errors that a look has taken out of the queue

    SNAPSHOT: ClassVar[tuple[str, ...]] = (
        *("id", "channel", "sample_clock", "divider", "dac_mode", "memory", "function", "segment", "level", "offset"),
        *(
            "output",
            "running",
            "interpolation",
            "continuous",
            "gate",
            "trigger_source",
            "trigger_level",
            "trigger_slope",
        ),
    )

    RESOLUTION: ClassVar = {
        "level": Resolution(absolute=2e-4),  # data sheet: nominal resolution of the amplitude
        "offset": Resolution(absolute=2e-4),
        "sample_clock": Resolution(relative=1e-8),
        "trigger_level": Resolution(absolute=0.1),  # User's Guide: resolution of the threshold
    }
    BY_TURNS: ClassVar[tuple[str, ...]] = (
        *("offset", "continuous", "gate", "trigger_source", "divider", "dac_mode", "memory", "function", "segment"),
    )
    _ALWAYS: ClassVar[tuple[str, ...]] = ("output", "running", "level", "sample_clock")
    WATCHED: ClassVar = (*_ALWAYS, *BY_TURNS)

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
        "Control which memory the channel plays: INT or EXT; it reads NONE while the mode gives the channel none.",
        one_of("memory", ("INT", "EXT"), _MODEL, also_read=("NONE",)),
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

    id = measurement("*IDN?", "Get maker, model, serial number and firmware.", answers.text())
    options = measurement("*OPT?", "Get the installed options.", answers.text())
    status = measurement("*STB?", "Get the status byte.", answers.integer(0, 255))
    complete = measurement("*OPC?", "Wait until everything is carried out; 1.", answers.integer(1, 1))

    @property
    def next_error(self) -> tuple[int, str]:
        """The oldest error in the queue, which leaves it; (0, ...) if there is none."""
        if self._unread:
            return self._unread.pop(0)
        return _error(self.question(*ERROR))

    @property
    def running(self) -> bool:
        """Whether the channel is in run mode: it plays, or waits for its trigger or its gate."""
        return bool(self.question(*self._question("running")))

    @property
    def interpolation(self) -> str:
        """What comes between the samples of a divided clock: ZOH, NYQ, LIN, LOWP or USER."""
        offered = answers.one_of({name: name for name in ("ZOH", "NYQ", "LIN", "LOWP", "USER")})
        return str(self.question(f":OUTP{self.channel}:FILT:{FILTERS[self.divider]}:TYPE?", offered))

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
            error = _error(self.question(*ERROR))
            if not error[0]:
                break
            errors.append(error)
        if errors:
            (code, first), *others = errors
            then = ", ".join(f"{number} {text}" for number, text in others)
            raise InstrumentFault(self.name, first + (then and f" [then {then}]"), code)
        return []

    def look(self, due: Sequence[str] = ()) -> Look:
        """See Device; one message. An error that it finds is told by ``check_status`` as well."""
        names = (*self._ALWAYS, *due)
        *values, error = self.questions(*map(self._question, names), ERROR)
        self.note_error(error)
        code, text = _error(error)
        reports = (f"{text} (error {code})",) if code else ()
        return Look(dict(zip(names, values, strict=True)), reports)

    def write(self, command: str, **kwargs: Any) -> None:
        """Send a command; ``{ch}`` stands for the channel."""
        self.adapter.write(command.replace("{ch}", str(self.channel)))

    def note_error(self, error: tuple[int, str]) -> None:
        """Keep an error that was taken out of the queue for ``check_errors``."""
        if error[0]:
            self._unread.append(_error(error))

    def outputs_closed(self) -> list[bool]:
        """Whether the output of each channel is closed, read now in one question."""
        return self.questions(*self._outputs())

    def _outputs(self) -> list[Question]:
        return [(f":OUTP{channel}?", _ON_OFF) for channel in CHANNELS]

    def _question(self, name: str) -> Question:
        if name == "running":
            return ":STAT:OPER:RUN:COND?", answers.bit(self.channel - 1, _LARGEST_REGISTER)
        setting = getattr(type(self), name)
        return setting.query.replace("{ch}", str(self.channel)), setting.reader


def _error(answer: tuple[int, str]) -> tuple[int, str]:
    code, text = answer
    return code, text.strip('"')
