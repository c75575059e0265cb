"""An instrument that speaks SCPI (SCPI-99 volume 1): a table of settings and commands.

A message joins several commands with ``;``: what follows a ``;`` without a colon continues in the subsystem of what
went before, and common commands (``*CLS``) do not disturb that.

A message that breaks the grammar, or names what does not exist, ends there; a refused value ends only its own command.
Both go to the error queue, which keeps the first 30.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from stmlab.simulation.lines import LineSession
from stmlab.simulation.machine import Machine
from stmlab.simulation.scpi_commands import CHANNELS, Call, Command, Setting, command_tree
from stmlab.simulation.scpi_grammar import ScpiError, units
from stmlab.simulation.scpi_state import restored, stored
from stmlab.simulation.scpi_values import Integer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stmlab.simulation.scpi_grammar import Unit
    from stmlab.simulation.scpi_values import ValueType

_LONGEST_QUEUE = 30
_LONGEST_QUESTION = 512  # bytes of a message of queries that is remembered
_MOST_QUESTIONS = 256
_BYTE = Integer(0, 255)


class ScpiInstrument(ABC):
    """An instrument made of settings and commands; every connection shares them and the error queue."""

    greeting = b""

    def __init__(self, machine: Machine | None = None) -> None:
        self.machine = machine if machine is not None else Machine()
        self._settings = {setting.pattern: setting for setting in self.settings()}
        self._values: dict[tuple[str, int], Any] = {}
        self._errors: deque[ScpiError] = deque()
        self._questions: dict[bytes, tuple[Call, ...]] = {}  # messages of queries alone, taken apart
        self._events = self._event_mask = self._service_mask = 0
        accessors = [command for setting in self._settings.values() for command in self._accessors(setting)]
        self._commands = {command.pattern: command for command in (*self._common(), *accessors, *self.commands())}
        self._tree = command_tree(tuple(self._commands))
        self.reset()

    @property
    @abstractmethod
    def identity(self) -> str:
        """Answer to ``*IDN?``."""

    @property
    def options(self) -> str:
        """Answer to ``*OPT?``."""
        return "0"

    @abstractmethod
    def settings(self) -> Iterable[Setting]:
        """What is set and read back; asked for once."""

    @abstractmethod
    def commands(self) -> Iterable[Command]:
        """What is done and answered besides; asked for once."""

    @abstractmethod
    def changed(self) -> None:
        """Called after every command that is no query and was carried out, at the moment at which it takes effect."""

    def reset(self) -> None:
        """Every setting to its default (``*RST``)."""
        for setting in self._settings.values():
            for channel in CHANNELS:
                self._values[setting.pattern, channel] = setting.default

    def value(self, pattern: str, channel: int = 1) -> Any:
        """What a setting is set to."""
        return self._values[pattern, channel]

    def shown(self, setting: Setting, channel: int) -> str:
        """What the query of a setting answers."""
        return setting.type.render(self.value(setting.pattern, channel))

    def put(self, pattern: str, channel: int, value: Any) -> None:
        """Change a setting; overridden where a value depends on others."""
        self._values[pattern, channel] = value

    def session(self, client: str = "") -> ScpiSession:
        """A new connection."""
        return ScpiSession(self, client)

    def find(self, unit: Unit, path: Sequence[str]) -> tuple[Call, Sequence[str]]:
        """What a unit asks for when it follows one with ``path``, and its own path.

        Raises:
            ScpiError: there is no such header.
        """
        header = unit.header.upper()
        mnemonics = header.removesuffix("?").removeprefix(":").split(":")
        follows = not header.startswith((":", "*"))
        full = [*path, *mnemonics] if follows else mnemonics
        pattern, channel = self._tree.find(full, query=header.endswith("?"))
        call = Call(self._commands[pattern], channel, unit.arguments)
        return call, path if header.startswith("*") else full[:-1]

    def calls(self, message: bytes) -> Iterable[Call]:
        """What a message asks for, one after the other; a message of queries alone is taken apart once.

        Raises:
            ScpiError: where the grammar is broken or a header is none; what stands before it has been handed out.
        """
        known = self._questions.get(message)
        return self._found(message) if known is None else known

    def _found(self, message: bytes) -> Iterator[Call]:
        path: Sequence[str] = ()
        found = []
        for unit in units(message):
            call, path = self.find(unit, path)
            found.append(call)
            yield call
        if len(message) <= _LONGEST_QUESTION and all(call.command.is_query for call in found):
            if len(self._questions) >= _MOST_QUESTIONS:
                self._questions.clear()
            self._questions[message] = tuple(found)

    def carry_out(self, call: Call) -> str | None:
        """Do it; returns the answer of a query.

        Raises:
            ScpiError: it is refused.
        """
        if call.command.is_query:
            return call.command.carry_out(call.channel, call.arguments)
        call.command.carry_out(call.channel, call.arguments)
        self.changed()
        return None

    def report(self, error: ScpiError) -> None:
        """Put an error into the queue and into the standard event register."""
        if len(self._errors) < _LONGEST_QUEUE:
            self._errors.append(error)
        else:
            self._errors[-1] = ScpiError(-350)
        self._events |= 1 << (6 - min(-error.code // 100, 4))  # -1xx bit 5, -2xx bit 4, -3xx bit 3, -4xx bit 2

    def headers(self) -> str:
        """All commands and queries, one a line."""
        return "\n".join(pattern.replace("#", "[1|2|3|4]") for pattern in self._commands)

    def stored(self) -> bytes:
        """All settings, as bytes that ``restore`` takes back."""
        return stored(self.types(), self._values)

    def restore(self, state: bytes) -> None:
        """Set everything as it was; -161 if the bytes are no such state."""
        self._values |= restored(self.types(), state)

    def types(self) -> Mapping[str, ValueType]:
        """Of everything that is kept as a value, by pattern."""
        return {pattern: setting.type for pattern, setting in self._settings.items()}

    def _accessors(self, setting: Setting) -> Iterator[Command]:
        def answer(channel: int) -> str:
            return self.shown(setting, channel)

        yield Command(setting.pattern, partial(self.put, setting.pattern), (setting.type,))
        yield Command(f"{setting.pattern}?", answer)

    def _common(self) -> Iterator[Command]:
        """The commands that IEEE 488.2 asks of every instrument, and the error queue of SCPI."""
        yield Command("*IDN?", lambda _: self.identity)
        yield Command("*OPT?", lambda _: self.options)
        yield Command("*TST?", lambda _: "0")
        yield Command("*RST", lambda _: self.reset())
        yield Command("*CLS", lambda _: self.clear_status())
        yield Command("*OPC", self._set_complete)
        yield Command("*OPC?", lambda _: "1")
        yield Command("*WAI", lambda _: None)
        yield Command("*ESR?", self._read_events)
        yield Command("*STB?", lambda _: str(self._status_byte()))
        yield Command("*ESE", lambda _, mask: setattr(self, "_event_mask", mask), (_BYTE,))
        yield Command("*ESE?", lambda _: str(self._event_mask))
        yield Command("*SRE", lambda _, mask: setattr(self, "_service_mask", mask & ~64), (_BYTE,))
        yield Command("*SRE?", lambda _: str(self._service_mask))
        yield Command(":SYSTem:ERRor[:NEXT]?", self._next_error)
        yield Command(":SYSTem:VERSion?", lambda _: "1999.0")

    def clear_status(self) -> None:
        """Forget errors and events (``*CLS``)."""
        self._errors.clear()
        self._events = 0

    def _set_complete(self, _: int) -> None:
        self._events |= 1

    def _read_events(self, _: int) -> str:
        events, self._events = self._events, 0
        return str(events)

    def summaries(self) -> int:
        """Bits of the status byte that sum up groups of status registers."""
        return 0

    def _status_byte(self) -> int:
        summary = self.summaries() | (4 if self._errors else 0) | (32 if self._events & self._event_mask else 0)
        return summary | (64 if summary & self._service_mask else 0)

    def _next_error(self, _: int) -> str:
        return str(self._errors.popleft() if self._errors else ScpiError(0))


class ScpiSession(LineSession):
    """One connection to a SCPI instrument."""

    LONGEST_LINE = 1 << 24
    LONGEST_BLOCK = 1 << 28

    def __init__(self, instrument: ScpiInstrument, client: str = "") -> None:
        super().__init__(instrument.machine, client)
        self._instrument = instrument

    def overrun(self) -> None:
        """See LineSession."""
        self._instrument.report(ScpiError(-363))

    def note_error(self) -> None:
        """See LineSession."""
        self._instrument.report(ScpiError(-310))

    def answer(self, message: bytes) -> bytes:
        """Carry out a message; the answers of its queries are joined by ``;`` and end with a line feed.

        An answer is text whose characters are bytes, so that it may be a block.
        """
        answers = []
        try:
            for call in self._instrument.calls(message):
                try:
                    answer = self._instrument.carry_out(call)
                except ScpiError as error:
                    if error.code > -200:
                        raise
                    self._instrument.report(error)
                else:
                    answers += [] if answer is None else [answer]
        except ScpiError as error:
            self._instrument.report(error)
        return ";".join(answers).encode("latin-1") + b"\n" if answers else b""
