"""A run whose every byte on the wire is kept."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stmlab.acquisition.wire_requests import RecordedRequests
from stmlab.events import RunFinished, RunStarted
from stmlab.station.wire import WireRecorder
from stmlab.station.wire.file import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stmlab.acquisition.sequence import Sequence
    from stmlab.events import Event


class WireRecordingOf:
    """The recording of one run; a listener of its events.

    Args:
        path: of the recording, which must not be there yet.
        experiment: with its parameters set.

    Attributes:
        recorder: what the station is given.
        requests: what the runner is given.
        run: path of the run's file, once it is known.
    """

    def __init__(self, path: Path, experiment: Sequence) -> None:
        parameters = {name: parameter.value for name, parameter in experiment.parameter_record().items()}
        self.recorder = WireRecorder(path, experiment.name, parameters)
        self.requests = RecordedRequests(lambda asked: self.recorder.note("", Kind.ASKED, asked))
        self.run: Path | None = None
        self._started = False
        self._finished: RunFinished | None = None

    def __call__(self, event: Event) -> None:
        """Remember that the run began, and how it ended."""
        self._started = self._started or isinstance(event, RunStarted)
        if isinstance(event, RunFinished):
            self._finished = event

    def close(self) -> None:
        """Note how the run ended, if it did, and close the file; that of a refused run is removed."""
        if not self._started:
            self.recorder.discard()
        elif (end := self._finished) is None:
            self.recorder.close()
        else:
            how = {"state": str(end.state), "message": end.message, "points": end.points}
            self.recorder.end(how | {"file": file_checksum(self.run)})


@contextmanager
def wire_recording(path: Path, experiment: Sequence) -> Iterator[WireRecordingOf]:
    """While the context lasts, the wire is recorded into ``path``."""
    recording = WireRecordingOf(path, experiment)
    try:
        yield recording
    finally:
        recording.close()


def file_checksum(path: Path | None) -> str:
    """SHA-256 of a file, "" if there is none."""
    if path is None or not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
