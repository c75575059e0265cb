"""Status registers that an instrument clears when they are read: one reader, and others who listen to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class StatusRegisters:
    """Keeps the bits of every reading until each listener has taken them.

    Args:
        listeners: who wants to know of every event.
    """

    def __init__(self, listeners: Iterable[str]) -> None:
        self._unread: dict[str, dict[str, int]] = {listener: {} for listener in listeners}

    def note(self, register: str, bits: int) -> None:
        """Keep what was read of a register, for everybody."""
        for unread in self._unread.values():
            unread[register] = unread.get(register, 0) | bits

    def take(self, listener: str, register: str) -> int:
        """The bits that were set since this listener took them last."""
        return self._unread[listener].pop(register, 0)

    def forget(self, listener: str, *registers: str) -> None:
        """What has happened so far does not matter to this listener (of these registers, or of all)."""
        for register in registers or tuple(self._unread[listener]):
            self._unread[listener].pop(register, None)
