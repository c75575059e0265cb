"""Types of SCPI arguments: how each is understood, and how its value is sent back."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stmlab.simulation.scpi_grammar import Block, ScpiError

if TYPE_CHECKING:
    from stmlab.simulation.scpi_grammar import Argument

_DECIMAL = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:\s*[eE]\s*[+-]?\d+)?)\s*([A-Za-z]*)")
_BASES = {"H": 16, "Q": 8, "B": 2}
_MULTIPLIERS = {
    **{"EX": 1e18, "PE": 1e15, "T": 1e12, "G": 1e9, "MA": 1e6, "K": 1e3, "": 1.0},
    **{"M": 1e-3, "U": 1e-6, "N": 1e-9, "P": 1e-12, "F": 1e-15, "A": 1e-18},
}


class ValueType(Protocol):
    """How a kind of value is written."""

    def parse(self, argument: Argument) -> Any:
        """The value of an argument; raises ScpiError if it is none."""

    def render(self, value: Any) -> str:
        """A value as it is sent back."""


@dataclass(frozen=True)
class Number:
    """A decimal number with an optional unit (``64 GHz``), or MINimum or MAXimum."""

    low: float
    high: float
    unit: str = ""

    def parse(self, argument: Argument) -> float:
        """The number; -222 outside the range."""
        text = plain(argument).upper()
        if text in ("MIN", "MINIMUM", "MAX", "MAXIMUM"):
            return self.low if text.startswith("MIN") else self.high
        match = _DECIMAL.fullmatch(text)
        if match is None:
            raise ScpiError(-104 if text[:1].isalpha() or text[:1] in "\"'" else -121)
        return self.checked(float(match[1].replace(" ", "")) * self._multiplier(match[2]))

    def holds(self, value: float) -> bool:
        """Whether a value is within the range."""
        return self.low <= value <= self.high

    def checked(self, value: float) -> float:
        """The value; -222 outside the range."""
        if not self.holds(value):
            raise ScpiError(-222, f"{value:g} is not within {self.low:g} to {self.high:g}")
        return value

    def render(self, value: float) -> str:
        """All the digits that a double holds."""
        return f"{value:.15g}"

    def _multiplier(self, suffix: str) -> float:
        multiplier = suffix.removesuffix(self.unit) if self.unit and suffix else suffix
        if suffix and (not self.unit or not suffix.endswith(self.unit)):
            raise ScpiError(-131)
        if multiplier == "M" and self.unit == "HZ":
            return 1e6  # MHZ is the one exception of IEEE 488.2: millihertz cannot be said
        if multiplier not in _MULTIPLIERS:
            raise ScpiError(-131)
        return _MULTIPLIERS[multiplier]


@dataclass(frozen=True)
class Integer:
    """A whole number, decimal or ``#H``, ``#Q``, ``#B``; never rounded into one."""

    low: int
    high: int

    def parse(self, argument: Argument) -> int:
        """The number; -222 outside the range."""
        text = plain(argument).upper()
        if text[:1] == "#":
            try:
                value = float(int(text[2:], _BASES[text[1:2]]))
            except (KeyError, ValueError) as error:
                raise ScpiError(-121) from error
        else:
            value = Number(-math.inf, math.inf).parse(text)
        if not self.low <= value <= self.high or value != int(value):
            raise ScpiError(-222, f"{text} is not a whole number within {self.low} to {self.high}")
        return int(value)

    def render(self, value: int) -> str:
        """Decimal."""
        return str(value)


@dataclass(frozen=True)
class Boolean:
    """ON, OFF, 1 or 0."""

    def parse(self, argument: Argument) -> bool:
        """Any number but 0 is on, as IEEE 488.2 has it."""
        text = plain(argument).upper()
        return text == "ON" if text in ("ON", "OFF") else round(Number(-1e9, 1e9).parse(text)) != 0

    def render(self, value: bool) -> str:
        """1 or 0."""
        return str(int(value))


@dataclass(frozen=True)
class Choice:
    """One of several words, in the short form (its capitals) or the long form; kept and sent back in the short."""

    words: tuple[str, ...]

    def parse(self, argument: Argument) -> str:
        """The short form; -224 for another word."""
        text = plain(argument).upper()
        for word in self.words:
            if text in (word.upper(), short_form(word)):
                return short_form(word)
        raise ScpiError(-224, f"one of {' '.join(self.words)} is allowed")

    def render(self, value: str) -> str:
        """The short form."""
        return value


@dataclass(frozen=True)
class Text:
    """A quoted string."""

    longest: int

    def parse(self, argument: Argument) -> str:
        """What stands between the quotes."""
        text = plain(argument)
        if len(text) < 2 or text[0] not in "\"'" or text[-1] != text[0]:
            raise ScpiError(-104)
        content = text[1:-1].replace(2 * text[0], text[0])
        if len(content) > self.longest:
            raise ScpiError(-223, f"at most {self.longest} characters")
        return content

    def render(self, value: str) -> str:
        """In double quotes."""
        return '"' + value.replace('"', '""') + '"'


def plain(argument: Argument) -> str:
    """The text of an argument that must not be a block."""
    if isinstance(argument, Block):
        raise ScpiError(-104)
    return argument


def short_form(word: str) -> str:
    """The capitals and digits of a mnemonic such as ``VOLTage`` or ``DIV2``."""
    return re.sub("[a-z]", "", word)
