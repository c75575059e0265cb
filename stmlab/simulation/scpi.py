"""An instrument that speaks SCPI (SCPI-99 volume 1): a table of settings and commands.

A pattern such as ``[:SOURce]:VOLTage#[:LEVel]`` says how each is called: a node is understood in its short form (the
capitals) and its long form, in any case; nodes in brackets may be left out; ``#`` takes a channel number, 1 if it is
left out, and a 1 may stand behind every other node as well (SCPI-99 volume 1, 6.2.5.2). A message joins several with
``;``: what follows a ``;`` without a colon continues in the subsystem of what went before, and common commands
(``*CLS``) do not disturb that.

A message that breaks the grammar, or names what does not exist, ends there; a refused value ends only its own command.
Both go to the error queue, which keeps the first 30.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from stmlab.simulation.lines import LineSession
from stmlab.simulation.machine import Machine
from stmlab.simulation.scpi_grammar import ScpiError, units
from stmlab.simulation.scpi_state import restored, stored
from stmlab.simulation.scpi_values import Integer, short_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from stmlab.simulation.scpi_grammar import Argument, Unit
    from stmlab.simulation.scpi_values import ValueType

CHANNELS = range(1, 5)
_LONGEST_QUEUE = 30
_LONGEST_QUESTION = 512  # bytes of a message of queries that is remembered
_MOST_QUESTIONS = 256
_NODE = re.compile(r"(\[?):?([A-Za-z*]+)(#?)\]?")
_MNEMONIC = re.compile(r"(.*?)(\d*)")
_BYTE = Integer(0, 255)


@dataclass(frozen=True)
class Setting:
    """A value that is set and read back; the instrument keeps one for each channel if the pattern has a ``#``."""

    pattern: str
    type: ValueType
    default: Any


@dataclass(frozen=True)
class Command:
    """Something that an instrument does or, with a ``?`` at the end of the pattern, answers.

    Attributes:
        pattern: how it is called.
        action: called with the channel (1 where there is none) and the values; a query returns the answer.
        takes: types of the values.
        optional: how many of them, counted from the end, may be left out.
        rest: makes one more value of all further arguments, of which there must be at least one.
    """

    pattern: str
    action: Callable[..., str | None]
    takes: tuple[ValueType, ...] = ()
    optional: int = 0
    rest: Callable[[Sequence[Argument]], Any] | None = None

    @property
    def is_query(self) -> bool:
        """Whether it answers and changes nothing."""
        return self.pattern.endswith("?")

    def carry_out(self, channel: int, arguments: Sequence[Argument]) -> str | None:
        """Convert all arguments, then act."""
        if not arguments and not self.takes and self.rest is None:
            return self.action(channel)
        if len(arguments) < len(self.takes) - self.optional + (self.rest is not None):
            raise ScpiError(-109)
        if len(arguments) > len(self.takes) and self.rest is None:
            raise ScpiError(-108)
        values = [kind.parse(argument) for kind, argument in zip(self.takes, arguments, strict=False)]
        if self.rest is not None:
            values.append(self.rest(arguments[len(self.takes) :]))
        return self.action(channel, *values)


@dataclass(frozen=True)
class Call:
    """A command as a message calls it."""

    command: Command
    channel: int
    arguments: Sequence[Argument]


@dataclass
class _Node:
    """A place in the tree of headers."""

    numbered: bool = False
    children: dict[str, _Node] = field(default_factory=dict)
    command: Command | None = None
    query: Command | None = None


class CommandTree:
    """Finds the command that a header means."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._root = _Node()
        for command in commands:
            for path in _paths(command.pattern):
                self._insert(path, command)

    def _insert(self, path: Sequence[tuple[str, str, bool]], command: Command) -> None:
        place = self._root
        for name, short, numbered in path:
            child = place.children.get(name) or _Node()
            child.numbered = child.numbered or numbered
            place.children[name] = place.children[short] = child
            place = child
        if command.is_query:
            place.query = command
        else:
            place.command = command

    def find(self, path: Sequence[str], *, query: bool) -> tuple[Command, int]:
        """The command behind the mnemonics ``path``, upper case and from the root, and its channel.

        Raises:
            ScpiError: -113 there is no such header; -114 it has no such channel.
        """
        place, channel = self._root, 1
        for mnemonic in path:
            name, digits = _parted(mnemonic)
            if name not in place.children:
                raise ScpiError(-113)
            place = place.children[name]
            if digits:
                number = int(digits)
                if number not in (CHANNELS if place.numbered else (1,)):
                    raise ScpiError(-114)
                channel = number if place.numbered else channel
        command = place.query if query else place.command
        if command is None:
            raise ScpiError(-113)
        return command, channel


def _parted(mnemonic: str) -> tuple[str, str]:
    match = _MNEMONIC.fullmatch(mnemonic)
    return (match[1], match[2]) if match else (mnemonic, "")


@cache  # every instrument of a kind has the same patterns
def _paths(pattern: str) -> tuple[tuple[tuple[str, str, bool], ...], ...]:
    """The headers that ``pattern`` allows: for each node its long and its short form, and whether it has a number."""
    return tuple(
        tuple((name.upper(), short_form(name), numbered) for name, numbered in path)
        for path in _expansions(_NODE.findall(pattern))
    )


def _expansions(nodes: Sequence[tuple[str, str, str]]) -> Iterator[list[tuple[str, bool]]]:
    """A pattern with and without each of its optional nodes."""
    if not nodes:
        yield []
        return
    (bracket, name, number), *others = nodes
    for tail in _expansions(others):
        yield [(name, bool(number)), *tail]
        if bracket:
            yield tail


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
        self._all_commands = [*self._common(), *accessors, *self.commands()]
        self._tree = CommandTree(self._all_commands)
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
        command, channel = self._tree.find(full, query=header.endswith("?"))
        return Call(command, channel, unit.arguments), path if header.startswith("*") else full[:-1]

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
        return "\n".join(command.pattern.replace("#", "[1|2|3|4]") for command in self._all_commands)

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
