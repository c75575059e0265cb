"""Settings and commands of a SCPI instrument, and the tree in which a header finds its own (SCPI-99 volume 1).

A pattern such as ``[:SOURce]:VOLTage#[:LEVel]`` says how each is called: a node is understood in its short form (the
capitals) and its long form, in any case; nodes in brackets may be left out; ``#`` takes a channel number, 1 if it is
left out, and a 1 may stand behind every other node as well (SCPI-99 volume 1, 6.2.5.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from stmlab.simulation.scpi_grammar import ScpiError
from stmlab.simulation.scpi_values import short_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from stmlab.simulation.scpi_grammar import Argument
    from stmlab.simulation.scpi_values import ValueType

CHANNELS = range(1, 5)
_NODE = re.compile(r"(\[?):?([A-Za-z*]+)(#?)\]?")
_MNEMONIC = re.compile(r"(.*?)(\d*)")


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
    command: str | None = None
    query: str | None = None


class CommandTree:
    """Finds the pattern that a header means.

    Args:
        patterns: of commands and queries; of two that one header means, the later one is found.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._root = _Node()
        for pattern in patterns:
            for path in _paths(pattern):
                self._insert(path, pattern)

    def _insert(self, path: Sequence[tuple[str, str, bool]], pattern: str) -> None:
        place = self._root
        for name, short, numbered in path:
            child = place.children.get(name) or _Node()
            child.numbered = child.numbered or numbered
            place.children[name] = place.children[short] = child
            place = child
        if pattern.endswith("?"):
            place.query = pattern
        else:
            place.command = pattern

    def find(self, path: Sequence[str], *, query: bool) -> tuple[str, int]:
        """The pattern behind the mnemonics ``path``, upper case and from the root, and its channel.

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
        pattern = place.query if query else place.command
        if pattern is None:
            raise ScpiError(-113)
        return pattern, channel


command_tree = cache(CommandTree)
"""The tree of a tuple of patterns: every instrument of a kind has the same ones, and some branch widely."""


def _parted(mnemonic: str) -> tuple[str, str]:
    match = _MNEMONIC.fullmatch(mnemonic)
    return (match[1], match[2]) if match else (mnemonic, "")


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
