"""Gives a run the answers, the failures and the time that were recorded, and ends it at the first difference.

Each instrument has a stream of its own: between instruments the order is free, because what is switched off is switched
off at the same time. The bytes must be the same. The clock gives its recorded readings; code that reads it more or less
often than it did is no difference: between two messages no reading from after them is given, and time that is waited
beyond those recorded passes at once.
"""

from __future__ import annotations

import base64
import math
import threading
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from stmlab.errors import FileError
from stmlab.station.audit import Audit
from stmlab.station.tip_mark import Mark, Retreat, TipMark
from stmlab.station.wire.difference import RecordingEnded, WireDifference, WireDiffers
from stmlab.station.wire.file import Kind
from stmlab.station.wire.place import WirePlace
from stmlab.station.wire.readings import Readings, thread_of
from stmlab.station.wire.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymeasure.adapters import Adapter

    from stmlab.clock import Clock
    from stmlab.station.station import Station
    from stmlab.station.wire.file import Entry, Head, WireRecording


class WireReplay:
    """Replays one recording, once; implements `Wire`.

    Args:
        recording: as read.

    Attributes:
        difference: the first one; None: everything was the same so far.
    """

    replays = True

    def __init__(self, recording: WireRecording) -> None:
        self._recording = recording
        self.difference: WireDifference | None = None
        self.lock = threading.RLock()  # instruments are switched off at the same time
        self._run = threading.get_ident()
        entries: defaultdict[str, list[Entry]] = defaultdict(list)
        clocks: defaultdict[str, list[Entry]] = defaultdict(list)
        instruments = {entry.who for entry in recording.entries if entry.kind not in _OF_THE_RUN}
        for entry in recording.entries:
            if entry.kind not in _OF_THE_RUN or (entry.kind is Kind.NOW and entry.who in instruments):
                entries[entry.who].append(entry)
            elif entry.kind in (Kind.NOW, Kind.DATE):
                clocks[entry.who].append(entry)
        self._streams = {name: Stream(name, entries[name], self) for name in entries}
        self._clocks = {name: Readings(found) for name, found in clocks.items()}

    @property
    def messages(self) -> dict[str, int]:
        """Instrument -> messages that were the same."""
        return {name: stream.sent for name, stream in self._streams.items()}

    def begin(self, station: Station) -> None:
        """See Wire; nothing to do."""

    def clock(self, clock: Clock) -> Clock:
        """See Wire."""
        return ReplayedClock(self)

    def place(self, name: str, address: Callable[[], str | Adapter]) -> WirePlace:
        """See Wire; nothing is connected to."""
        from stmlab.station.wire.replayed_line import ReplayedLine

        return WirePlace(lambda _, termination: ReplayedLine(self.stream(name), termination))

    def audit(self) -> Audit:
        """The audit log as a run's record names it; nothing is written."""
        return _SilentAudit(self._recording.head.audit)

    def tip_mark(self) -> TipMark:
        """The mark as it was, in memory."""
        found = self._recording.head.tip_mark
        return TipMark(None, None if found is None else Mark(Retreat(found[0]), found[1], found[2]))

    def stream(self, name: str) -> Stream:
        """What was recorded of an instrument."""
        return self._streams.setdefault(name, Stream(name, [], self))

    def readings(self) -> tuple[Readings, float]:
        """Those of the clock by the thread that asks, and the line before which they must have been taken."""
        readings = self._clocks.setdefault(who := thread_of(self._run), Readings([]))
        if who:
            return readings, math.inf
        return readings, min((s.line for s in self._streams.values()), default=math.inf)

    def passed(self, line: int) -> None:
        """What is on this line has happened: readings from before it are over."""
        if threading.get_ident() == self._run and "" in self._clocks:
            self._clocks[""].skip(line)

    def finish(self) -> None:
        """The run is over; raises WireDiffers if the recording goes on."""
        for stream in sorted(self._streams.values(), key=lambda s: s.line):
            if stream.next is not None:
                stream.differ("the run is over", "nothing: the run is over")

    def differ(self, difference: WireDifference) -> NoReturn:
        """Note the first difference and end the replay."""
        with self.lock:
            if self.difference is None:
                self.difference = difference
            raise WireDiffers(self.difference)

    def over(self) -> NoReturn:
        """The recording ends here: the run was killed, or what it did next is one more than was recorded."""
        raise RecordingEnded

    @property
    def cut_off(self) -> bool:
        """Whether the recording ends before its run does."""
        return self._recording.end is None

    @property
    def head(self) -> Head:
        """Of the recording."""
        return self._recording.head


class ReplayedClock:
    """The station's clock as it was; waiting takes no time.

    Args:
        replay: holds the readings.
    """

    speed: float | None = None

    def __init__(self, replay: WireReplay) -> None:
        self._replay = replay

    def now(self) -> float:
        """See Clock."""
        with self._replay.lock:
            readings, before = self._replay.readings()
            return readings.now(before)

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, at once."""
        with self._replay.lock:
            self._replay.readings()[0].wait(seconds)

    def date(self) -> datetime:
        """See Clock."""
        with self._replay.lock:
            readings, before = self._replay.readings()
            found = readings.date(before)
        if found is not None:
            return datetime.fromisoformat(found)
        head = self._replay.head
        return datetime.fromisoformat(head.date) + timedelta(seconds=self.now() - head.start)


class _SilentAudit(Audit):
    """Keeps the name of a log that is not written."""

    def __init__(self, path: str) -> None:
        super().__init__(None)
        self.path = Path(path) if path else None

    def _write(self, what: str, **details: object) -> None:
        """Nothing has been changed anywhere."""


_OF_THE_RUN = frozenset({Kind.NOW, Kind.DATE, Kind.ASKED, Kind.ENDED})


def files_into(head: Head, folder: Path) -> dict[str, str]:
    """Write the files of a recording into ``folder``; returns as the station file names them -> absolute path.

    Raises:
        FileError: a name is none of a file, or what should be its content is not.
    """
    found: dict[str, str] = {}
    for number, (name, content) in enumerate(head.files.items()):
        path = folder / str(number) / Path(name).name
        path.parent.mkdir()
        try:
            path.write_bytes(base64.b64decode(content, validate=True))
        except (OSError, ValueError) as error:
            raise FileError(f"the file {name!r} in the recording: {error}") from error
        found[name] = str(path)
    return found
