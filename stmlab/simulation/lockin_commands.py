"""The command language of the virtual lock-in amplifiers: kinds of arguments, tables of commands, status registers.

An instrument is two tables. ``SETTINGS`` holds what is set and read back (``FREQ 691``, ``FREQ?``), with its range, its
resolution and where it goes on the panel; ``COMMANDS`` holds everything else (``SNAP? 0,1``, ``APHS``). A command that
is not understood sets the command bit of the standard event register, a value that is refused the execution bit;
neither is answered, as at the real instrument.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from stmlab.simulation.bench import LockInPanel
from stmlab.simulation.lines import LineSession
from stmlab.simulation.machine import Machine
from stmlab.simulation.status_registers import StatusRegisters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.simulation.bench import Bench
    from stmlab.simulation.wire import Session

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?)\s*([A-Z]*)", re.IGNORECASE)
_OBSERVED = ("LIAS", "*STB")  # registers that hold what is observed
_INPUT_QUEUE, _EXECUTION, _COMMAND = 1 << 1, 1 << 4, 1 << 5  # bits of the standard event register

VOLTS = {"V": 1.0, "MV": 1e-3, "UV": 1e-6, "NV": 1e-9}
HERTZ = {"HZ": 1.0, "KHZ": 1e3, "MHZ": 1e6}


class CommandError(Exception):
    """The instrument does not understand a command."""


class ExecutionError(Exception):
    """The instrument understands a command and refuses it: out of range, or not now."""


class Kind(Protocol):
    """A kind of argument."""

    def parse(self, text: str) -> float:
        """The value that ``text`` stands for, rounded as the instrument does; raises CommandError, ExecutionError."""

    def show(self, value: float) -> str:
        """``value`` as the instrument answers it."""


@dataclass(frozen=True)
class Number:
    """A real number from ``low`` to ``high``.

    Attributes:
        digits, step: the instrument keeps so many digits, but nothing finer than ``step``.
        units: suffix -> factor.
        turn: values are kept within half of it on either side of zero (degrees); 0 for none.
    """

    low: float
    high: float
    digits: int = 11
    step: float = 0.0
    units: Mapping[str, float] = field(default_factory=dict)
    turn: float = 0.0

    def parse(self, text: str) -> float:
        """See Kind."""
        match = _NUMBER.fullmatch(text)
        if match is None or (match[2] and match[2].upper() not in self.units):
            raise CommandError(text)
        value = float(match[1]) * (self.units[match[2].upper()] if match[2] else 1.0)
        if not self.low <= value <= self.high:
            raise ExecutionError(text)
        if self.turn:
            value = (value + self.turn / 2) % self.turn - self.turn / 2
        return self._rounded(value)

    def _rounded(self, value: float) -> float:
        if value == 0.0:
            return 0.0
        step = max(self.step, 10.0 ** (math.floor(math.log10(abs(value))) - self.digits + 1))
        return float(f"{round(value / step) * step:.12g}")

    def show(self, value: float) -> str:
        """See Kind."""
        return f"{value:.11g}"


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``, in any notation (``3``, ``3.0``, ``.3E1``)."""

    low: int
    high: int

    def parse(self, text: str) -> float:
        """See Kind."""
        match = _NUMBER.fullmatch(text)
        if match is None or match[2] or not float(match[1]).is_integer():
            raise CommandError(text)
        if not self.low <= float(match[1]) <= self.high:
            raise ExecutionError(text)
        return float(match[1])

    def show(self, value: float) -> str:
        """See Kind."""
        return str(int(value))


class Choice(Whole):
    """One of ``names``, given by number or by name; small letters of a name may be left out (``THeta``)."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        super().__init__(0, len(names) - 1)
        object.__setattr__(self, "names", names)

    def parse(self, text: str) -> float:
        """See Kind."""
        for index, name in enumerate(self.names):
            needed = name.rstrip("abcdefghijklmnopqrstuvwxyz")
            if name.upper().startswith(text.upper()) and len(text) >= len(needed):
                return float(index)
        return super().parse(text)


@dataclass(frozen=True)
class Setting:
    """Something that is set with ``NAME [channel,] value`` and read with ``NAME? [channel]``.

    Attributes:
        kind: of the value.
        default: the value after ``*RST``.
        channel: kind of the number that selects one of several, or None.
        panel: attribute of the LockInPanel that it stands for, or none.
        physical: makes the panel's value of it.
    """

    kind: Kind
    default: float = 0.0
    channel: Whole | None = None
    panel: str = ""
    physical: Callable[[float], Any] = float

    @property
    def channels(self) -> range:
        """All channels; one for a setting without."""
        return range(self.channel.low, self.channel.high + 1) if self.channel else range(1)


@dataclass(frozen=True)
class Command:
    """A command that is no setting.

    Attributes:
        carry_out: gets the instrument and the arguments; returns the answer, or None.
        kinds: of the arguments.
        least: so many of them must be given; None: all.
    """

    carry_out: Callable[..., str | bytes | None]
    kinds: tuple[Kind, ...] = ()
    least: int | None = None

    def __call__(self, instrument: VirtualLockIn, arguments: list[str]) -> str | bytes | None:
        """Carry it out; raises CommandError for a wrong number of arguments, and what the kinds raise."""
        least = len(self.kinds) if self.least is None else self.least
        if not least <= len(arguments) <= len(self.kinds):
            raise CommandError(",".join(arguments))
        given = zip(self.kinds, arguments, strict=False)
        return self.carry_out(instrument, *(kind.parse(text) for kind, text in given))


_BIT = Whole(0, 15)
_MASK = Whole(0, 65535)


class VirtualLockIn:
    """Settings, status and the carrying out of messages; subclasses add their tables.

    Attributes:
        panel: what is set, as the physics sees it.

    Class attributes:
        IDENTITY: answer to ``*IDN?``.
        GRAMMAR: pattern of one command: mnemonic, ``?`` or nothing, arguments.
        SETTINGS, COMMANDS: the tables; a query is listed with its ``?``.
        ALIASES: mnemonic -> the one that means the same.
        REGISTERS: layout of the status registers.
    """

    IDENTITY: ClassVar[str]
    GRAMMAR: ClassVar[re.Pattern[str]]
    SETTINGS: ClassVar[Mapping[str, Setting]] = {}
    COMMANDS: ClassVar[Mapping[str, Command]] = {}
    ALIASES: ClassVar[Mapping[str, str]] = {}
    REGISTERS: ClassVar[Mapping[str, tuple[str, int]]] = {
        "ERRS": ("ERRE", 2),
        "LIAS": ("LIAE", 3),
        "*ESR": ("*ESE", 5),
    }

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.machine = Machine(bench.clock)
        self.panel = LockInPanel()
        self.status = StatusRegisters(self.REGISTERS, self.summary)
        self._values: dict[tuple[str, int], float] = {}
        self._connect()
        self.reset()

    def session(self, client: str = "") -> Session:
        """A new connection."""
        return LockInSession(self, client)

    @property
    def greeting(self) -> bytes:
        """What a telnet port sends on connect: nothing, unless the instrument has one."""
        return b""

    def execute(self, message: str) -> bytes:
        """Carry out one message, which may hold several commands, and return what is sent in answer."""
        self._connect()
        answers: list[str | bytes] = []
        for text in filter(None, map(str.strip, message.split(";"))):
            try:
                answer = self._carry_out(text)
            except CommandError:
                self.status.note("*ESR", _COMMAND)
            except ExecutionError:
                self.status.note("*ESR", _EXECUTION)
            else:
                answers += [] if answer is None else [answer]
        return self.reply(answers)

    def reply(self, answers: list[str | bytes]) -> bytes:
        """Bytes on the wire for the answers to one message."""
        raise NotImplementedError

    def summary(self) -> int:
        """Bits of the status byte that say how it is now."""
        return 0

    def observe(self) -> None:
        """Note in the status registers what has happened; asked before a register is read."""

    def check(self, name: str, value: float) -> float:
        """What the instrument makes of ``value`` beside its other settings; raises ExecutionError if it refuses."""
        return value

    def value(self, name: str, channel: int = 0) -> float:
        """What is set."""
        return self._values[name, channel]

    def put(self, name: str, value: float, channel: int = 0) -> None:
        """Change a setting; time up to now is lived through with the old one."""
        setting = self.SETTINGS[name]
        with self.bench.lock:
            self.bench.advance()
            self._values[name, channel] = value
            if setting.panel:
                setattr(self.panel, setting.panel, setting.physical(value))

    def reset(self) -> None:
        """Go back to the settings of the factory."""
        for name, setting in self.SETTINGS.items():
            for channel in setting.channels:
                self.put(name, setting.default, channel)

    def power_on(self) -> None:
        """Everything as after switching on."""
        self._connect()
        self.reset()
        self.status.clear()

    @property
    def reference_frequency(self) -> float:
        """Of the reference, Hz: the internal oscillator or the controller's modulation; 0 while there is none."""
        if self.panel.internal_reference:
            return self.panel.reference_frequency
        return self.bench.tip.modulation_frequency if self.bench.tip.modulation_on else 0.0

    def _connect(self) -> None:
        """Of several lock-ins on one bench, the cables are at the one that was spoken to last."""
        if self.bench.lockin is not self.panel:
            with self.bench.lock:
                self.bench.advance()
                self.bench.lockin = self.panel

    def _carry_out(self, text: str) -> str | bytes | None:
        taken_apart = _taken_apart(self.GRAMMAR, text)
        if taken_apart is None:
            raise CommandError(text)
        name, query, found = taken_apart
        name, arguments = self.ALIASES.get(name, name), list(found)
        if command := self.COMMANDS.get(name + query):
            return command(self, arguments)
        if name in self.status:
            return self._status(name, bool(query), arguments)
        if name in self.SETTINGS:
            return self._setting(name, bool(query), arguments)
        raise CommandError(text)

    def _setting(self, name: str, query: bool, arguments: list[str]) -> str | None:
        setting = self.SETTINGS[name]
        if len(arguments) != (setting.channel is not None) + (not query):
            raise CommandError(name)
        channel = int(setting.channel.parse(arguments[0])) if setting.channel else 0
        if query:
            return setting.kind.show(self.value(name, channel))
        self.put(name, self.check(name, setting.kind.parse(arguments[-1])), channel)
        return None

    def _status(self, name: str, query: bool, arguments: list[str]) -> str | None:
        if len(arguments) not in ((0, 1) if query else (1, 2)) or not (query or self.status.settable(name)):
            raise CommandError(name)
        bit = int(_BIT.parse(arguments[0])) if len(arguments) == 1 + (not query) else None
        if query:
            if name in _OBSERVED:
                self.observe()
            return str(self.status.read(name, bit))
        self.status.mask(name, int(_MASK.parse(arguments[-1])), bit)
        return None


@lru_cache(maxsize=1024)
def _taken_apart(grammar: re.Pattern[str], text: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Name, question mark and arguments of a command; None if it is none."""
    match = grammar.fullmatch(text)
    if match is None:
        return None
    arguments = tuple(argument.strip() for argument in match[3].split(",")) if match[3] else ()
    return match[1].upper(), match[2] or "", arguments


COMMON: Mapping[str, Command] = {
    "*IDN?": Command(lambda instrument: instrument.IDENTITY),
    "*RST": Command(lambda instrument: instrument.reset()),
    "*CLS": Command(lambda instrument: instrument.status.clear()),
    "*TST?": Command(lambda _: "0"),
}


class LockInSession(LineSession):
    """One connection to a virtual lock-in amplifier, on which a carriage return ends a message as a line feed does."""

    def __init__(self, instrument: VirtualLockIn, client: str = "") -> None:
        super().__init__(instrument.machine, client)
        self._instrument = instrument

    def feed(self, data: bytes) -> None:
        """See LineSession."""
        super().feed(data.replace(b"\r", b"\n"))

    def overrun(self) -> None:
        """See LineSession."""
        self._instrument.status.note("*ESR", _INPUT_QUEUE)

    def note_error(self) -> None:
        """See LineSession."""
        self._instrument.status.note("*ESR", _EXECUTION)

    def answer(self, message: bytes) -> bytes:
        """See LineSession."""
        return self._instrument.execute(message.decode("ascii", errors="replace"))
