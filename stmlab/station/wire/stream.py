"""What was recorded of one instrument, taken step by step by its replay."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from stmlab.station.wire.difference import WireDifference, WireDiffers, first_difference
from stmlab.station.wire.file import Kind
from stmlab.station.wire.readings import Readings

if TYPE_CHECKING:
    from stmlab.station.wire.file import Entry
    from stmlab.station.wire.replay import WireReplay


class Stream:
    """What was recorded of one instrument, in order.

    Args:
        name: of the instrument.
        entries: its own.
        replay: is told of differences.

    Attributes:
        sent, connections: messages, and connections made, so far.
        readings: of the monotonic clock by its driver.
    """

    def __init__(self, name: str, entries: list[Entry], replay: WireReplay) -> None:
        self.name = name
        self._entries = [entry for entry in entries if entry.kind is not Kind.NOW]
        self.readings = Readings([entry for entry in entries if entry.kind is Kind.NOW])
        self._replay = replay
        self._at = 0
        self.sent = self.connections = 0

    @property
    def next(self) -> Entry | None:
        """What happened next; None at the end."""
        return self._entries[self._at] if self._at < len(self._entries) else None

    @property
    def line(self) -> float:
        """Of the next entry."""
        return math.inf if self.next is None else self.next.line

    def take(self, doing: str, *kinds: Kind) -> Entry:
        """The next entry, which must be of one of these kinds.

        Args:
            doing: what the run does, in words.
            kinds: that fit.

        Raises:
            WireDiffers: it is of another kind, or the recording has no more.
            RecordingEnded: it was cut off here.
        """
        self.check()
        entry = self.next
        if entry is None and self._replay.cut_off:
            self._replay.over()
        if entry is None or entry.kind not in kinds:
            self.differ(f"the run {doing}", doing)
        self._at += 1
        self.connections += entry.kind is Kind.OPENED
        self._replay.passed(entry.line)
        self.readings.skip(entry.line)
        return entry

    def send(self, content: bytes) -> None:
        """A message to the instrument; raises WireDiffers if it is another than was recorded."""
        self.check()
        entry = self.next
        if entry is not None and entry.kind is Kind.SENT and (byte := first_difference(entry.content, content)):
            why = f"byte {byte} differs"
            self._replay.differ(self._difference(entry, why, byte, entry.content, content))
        if (entry is None and not self._replay.cut_off) or (entry is not None and entry.kind is not Kind.SENT):
            self._replay.differ(
                self._difference(entry, f"the run sends it where {_said(entry)}", 0, _said(entry), content)
            )
        self.take("sends a message", Kind.SENT)
        self.sent += 1

    def check(self) -> None:
        """Raise the first difference again, if there was one: what failed is not repeated."""
        if self._replay.difference is not None:
            raise WireDiffers(self._replay.difference)

    def differ(self, why: str, instead: str) -> NoReturn:
        """Something else happens than the next entry; ends the replay."""
        entry = self.next
        recorded = entry.content if entry is not None and isinstance(entry.content, bytes) else _said(entry)
        self._replay.differ(self._difference(entry, f"{why} where {_said(entry)}", 0, recorded, instead))

    def _difference(
        self, entry: Entry | None, why: str, byte: int, recorded: bytes | str, sent: bytes | str
    ) -> WireDifference:
        at = entry or (self._entries[-1] if self._entries else None)
        head = self._replay.head
        seconds = at.time - head.start if at is not None else 0.0
        date = (datetime.fromisoformat(head.date) + timedelta(seconds=seconds)).isoformat()
        return WireDifference(self.name, self.sent + 1, self.connections, byte, recorded, sent, why, date, seconds)


def _said(entry: Entry | None) -> str:
    """What was recorded, in words."""
    if entry is None:
        return "the recording has no more of this instrument"
    if entry.kind is Kind.SENT:
        return f"the recording sends {entry.content[:60]!r}"
    words = {
        Kind.OPENED: "connects",
        Kind.RECEIVED: "goes on with an answer",
        Kind.FAILED: "has a failure of the connection",
        Kind.CLOSED: "closes the connection",
    }
    return f"the recording {words[entry.kind]}"
