"""The command language of the virtual lock-in amplifiers: kinds of arguments, tables of settings and commands.

An instrument (`virtual_lockin`) is two tables. ``SETTINGS`` holds what is set and read back (``FREQ 691``, ``FREQ?``),
with its range, its resolution and where it goes on the panel; ``COMMANDS`` holds everything else (``SNAP? 0,1``,
``APHS``). A command that is not understood sets the command bit of the standard event register, a value that is refused
the execution bit; neither is answered, as at the real instrument.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.simulation.virtual_lockin import VirtualLockIn


_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?)\s*([A-Z]*)", re.IGNORECASE)

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
