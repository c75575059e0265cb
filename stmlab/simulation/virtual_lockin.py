"""What the virtual lock-in amplifiers have in common: settings, status registers, the carrying out of messages."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from stmlab.simulation.bench import LockInPanel
from stmlab.simulation.lines import LineSession
from stmlab.simulation.lockin_commands import Command, CommandError, ExecutionError, Setting, Whole
from stmlab.simulation.machine import Machine
from stmlab.simulation.status_registers import StatusRegisters

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from stmlab.simulation.bench import Bench
    from stmlab.simulation.wire import Session

_OBSERVED = ("LIAS", "*STB")  # registers that hold what is observed
_INPUT_QUEUE, _EXECUTION, _COMMAND = 1 << 1, 1 << 4, 1 << 5  # bits of the standard event register
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
