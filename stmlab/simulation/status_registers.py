"""Status registers of IEEE 488.2 instruments: events that stay until they are read, their masks, the status byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SERVICE_REQUEST = 1 << 6
_STATUS_BYTE, _STATUS_MASK = "*STB", "*SRE"


class StatusRegisters:
    """Event registers, each summed up in one bit of the status byte.

    Args:
        layout: name of each event register -> (name of its mask, its bit in the status byte).
        conditions: bits of the status byte that say how it is now.
    """

    def __init__(self, layout: Mapping[str, tuple[str, int]], conditions: Callable[[], int] = lambda: 0) -> None:
        self._conditions = conditions
        self._layout = dict(layout)
        self._events = dict.fromkeys(layout, 0)
        self._masks = dict.fromkeys([mask for mask, _ in layout.values()] + [_STATUS_MASK], 0)

    def __contains__(self, name: str) -> bool:
        """Whether ``name`` is an event register, a mask or the status byte."""
        return name in self._events or name in self._masks or name == _STATUS_BYTE

    def settable(self, name: str) -> bool:
        """Whether ``name`` is a mask."""
        return name in self._masks

    def note(self, name: str, bits: int) -> None:
        """Let events happen."""
        self._events[name] |= bits

    def clear(self) -> None:
        """Forget all events; masks stay."""
        self._events = dict.fromkeys(self._events, 0)

    def read(self, name: str, bit: int | None = None) -> int:
        """A whole register, or one bit of it as 0 or 1; an event is forgotten once it is read."""
        if name == _STATUS_BYTE:
            value = self._status_byte()
        else:
            value = self._events.get(name, self._masks.get(name, 0))
        if name in self._events:
            self._events[name] = 0 if bit is None else value & ~(1 << bit)
        return value if bit is None else value >> bit & 1

    def mask(self, name: str, value: int, bit: int | None = None) -> None:
        """Set a whole mask, or one bit of it."""
        if bit is None:
            self._masks[name] = value
        elif value:
            self._masks[name] |= 1 << bit
        else:
            self._masks[name] &= ~(1 << bit)

    def _status_byte(self) -> int:
        byte = self._conditions()
        for name, (mask, bit) in self._layout.items():
            if self._events[name] & self._masks[mask]:
                byte |= 1 << bit
        return byte | _SERVICE_REQUEST if byte & self._masks[_STATUS_MASK] else byte
