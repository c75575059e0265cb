"""Readings of one clock by one thread, given out again as they were."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from stmlab.station.wire.file import Kind

if TYPE_CHECKING:
    from stmlab.station.wire.file import Entry


def thread_of(run: int) -> str:
    """Who reads the station's clock now: "" for the run's own thread, whose identity is ``run``."""
    return "" if threading.get_ident() == run else f"thread {threading.current_thread().name}"


class Readings:
    """Readings in the order in which they were taken.

    Args:
        entries: of the kinds NOW and DATE.
    """

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries
        self._at = 0
        self._last = self._waited = 0.0

    def now(self, before: float) -> float:
        """The next reading if it was taken before that line of the recording; else the last one, and what was waited.

        A clock never steps back.
        """
        if (entry := self._next(Kind.NOW, before)) is not None:
            self._last, self._waited = max(self._last, float(entry.content)), 0.0
        return self._last + self._waited

    def date(self, before: float) -> str | None:
        """The next date if it was read before that line; None if there is none."""
        entry = self._next(Kind.DATE, before)
        return None if entry is None else str(entry.content)

    def wait(self, seconds: float) -> None:
        """Let time pass that was not recorded; the next reading is as it was."""
        self._waited += max(seconds, 0.0)

    def skip(self, line: int) -> None:
        """Readings that were taken before that line are over."""
        while self._at < len(self._entries) and self._entries[self._at].line < line:
            self._at += 1

    def _next(self, kind: Kind, before: float) -> Entry | None:
        entry = self._entries[self._at] if self._at < len(self._entries) else None
        if entry is None or entry.kind is not kind or entry.line > before:
            return None
        self._at += 1
        return entry
