"""Groups of status registers of a SCPI instrument (SCPI-99 volume 1, chapter 20: the STATus subsystem).

A condition register says what is so now. Where one of its bits rises (positive transition filter) or falls (negative
transition filter), the bit of the event register is set, which stays until it is read. Events that are enabled make
the summary, which is a bit of the register above: of another group's condition, or of the status byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.simulation.scpi_commands import Command
from stmlab.simulation.scpi_values import Integer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ALL = 0xFFFF
_REGISTER = Integer(0, _ALL)


class StatusGroup:
    """Condition, event and enable register, and the two transition filters.

    Args:
        prefix: of its commands, such as ``:STATus:OPERation``.
        condition: says what is so now.
    """

    def __init__(self, prefix: str, condition: Callable[[], int] = lambda: 0) -> None:
        self._prefix = prefix
        self._condition = condition
        self._last = self._events = 0
        self.preset()

    @property
    def summary(self) -> bool:
        """Whether an enabled event has happened."""
        return bool(self._events & self._masks["ENABle"])

    def refresh(self) -> None:
        """Look at the condition; note what has changed."""
        now = self._condition()
        self._events |= now & ~self._last & self._masks["PTRansition"]
        self._events |= ~now & self._last & self._masks["NTRansition"]
        self._last = now

    def clear(self) -> None:
        """Forget all events (``*CLS``)."""
        self._events = 0

    def preset(self) -> None:
        """Report no event upwards; note what rises, not what falls (``:STATus:PRESet``)."""
        self._masks = {"ENABle": 0, "PTRansition": _ALL, "NTRansition": 0}

    def commands(self) -> Iterator[Command]:
        """Everything that asks for its registers or sets them."""

        def accessors(name: str) -> Iterator[Command]:
            yield Command(f"{self._prefix}:{name}", lambda _, value: self._masks.update({name: value}), (_REGISTER,))
            yield Command(f"{self._prefix}:{name}?", lambda _: str(self._masks[name]))

        yield Command(f"{self._prefix}[:EVENt]?", self._read_events)
        yield Command(f"{self._prefix}:CONDition?", lambda _: str(self._condition()))
        for name in self._masks:
            yield from accessors(name)

    def _read_events(self, _: int) -> str:
        events, self._events = self._events, 0
        return str(events)
