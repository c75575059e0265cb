"""Notes every byte between a run and its instruments, and every reading of a clock, while the run goes on.

A recording never stops a run or its safe state: if it cannot be written any more, that is said once, and the run's
messages pass as before. What a guardian does after the run's death is not on it: it has connections of its own.
"""

from __future__ import annotations

import base64
import logging
import threading
from typing import TYPE_CHECKING, Any

from stmlab.provenance import git_revision, versions
from stmlab.station.wire.file import Head, Kind, WireFile
from stmlab.station.wire.line import RecordedLine
from stmlab.station.wire.place import WirePlace
from stmlab.station.wire.readings import thread_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from pymeasure.adapters import Adapter

    from stmlab.clock import Clock
    from stmlab.station.station import Station

log = logging.getLogger(__name__)


class WireRecorder:
    """Records one run; implements `Wire`.

    Args:
        path: of the file, which must not be there yet; it is made when the station begins to connect.
        sequence, parameters: of the run.

    Attributes:
        problem: why the recording is incomplete, "" as long as it is not.
    """

    replays = False

    def __init__(self, path: Path, sequence: str, parameters: Mapping[str, Any]) -> None:
        self.path, self.problem = path, ""
        self._sequence, self._parameters = sequence, dict(parameters)
        self._file: WireFile | None = None
        self._clock: Clock
        self._writing = threading.Lock()
        self._run = threading.get_ident()

    def begin(self, station: Station) -> None:
        """See Wire; raises FileError if the file is there already or cannot be made."""
        mark = station.tip_mark.read()
        head = Head(
            sequence=self._sequence,
            parameters=self._parameters,
            station_path=str(station.path),
            station_text=station.text,
            files=_files(station),
            sample=station.sample,
            seed=station.seed,
            versions=versions(),
            git=git_revision(),
            date=self._clock.date().isoformat(),
            start=self._clock.now(),
            tip_mark=None if mark is None else (mark.why.value, mark.since, mark.said),
            audit="" if station.audit.path is None else str(station.audit.path),
        )
        self._file = WireFile(self.path, head)

    def clock(self, clock: Clock) -> Clock:
        """See Wire."""
        self._clock = clock
        return RecordedClock(clock, self)

    def place(self, name: str, address: Callable[[], str | Adapter]) -> WirePlace:
        """See Wire."""
        return WirePlace(lambda connect, termination: RecordedLine(name, lambda: connect(address()), termination, self))

    def note(self, who: str, kind: Kind, content: Any) -> None:
        """Append an entry."""
        with self._writing:
            if self._file is None:
                return
            try:
                self._file.add(self._clock.now(), who, kind, content)
            except OSError as error:
                self._file.close()
                self._file = None
                self.problem = f"{self.path}: {error}"
                log.warning("the wire recording is incomplete: %s", self.problem)

    def date(self) -> datetime:
        """Of the station's clock, not noted."""
        return self._clock.date()

    def thread(self) -> str:
        """Who reads the clock now, see `thread_of`."""
        return thread_of(self._run)

    def end(self, how: Mapping[str, Any]) -> None:
        """The run is over: note how, and close the file."""
        self.note("", Kind.ENDED, dict(how))
        self.close()

    def discard(self) -> None:
        """No run has begun: the file that was made is removed."""
        made = self._file is not None
        self.close()
        if made:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        with self._writing:
            if self._file is not None:
                self._file.close()
                self._file = None


class RecordedClock:
    """The station's clock, whose readings are noted.

    Args:
        clock: of the station.
        recorder: notes them.
    """

    def __init__(self, clock: Clock, recorder: WireRecorder) -> None:
        self._clock, self._recorder = clock, recorder
        self.speed = clock.speed
        self.sleep = clock.sleep

    def now(self) -> float:
        """See Clock."""
        now = self._clock.now()
        self._recorder.note(self._recorder.thread(), Kind.NOW, now)
        return now

    def date(self) -> datetime:
        """See Clock."""
        date = self._clock.date()
        self._recorder.note(self._recorder.thread(), Kind.DATE, date.isoformat())
        return date


def _files(station: Station) -> dict[str, str]:
    """Content of every file that the options of the radio-frequency path name."""
    table = station.config.rf_path
    found: dict[str, str] = {}
    for name in texts(table.options if table is not None else {}):
        path = station.path.parent / name
        if path.is_file():
            found[name] = base64.b64encode(path.read_bytes()).decode("ascii")
    return found


def texts(value: Any) -> list[str]:
    """Every text in tables and lists."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for part in value for text in texts(part)] if isinstance(value, list | tuple) else []
