"""A recorded run, run again with the code as it is now, against the bytes that passed then.

No instrument is reached: no lock is taken, no guardian started, no audit log and no mark of a tip touched. The file
that is written says of the program what the recorded one says, so that only what the run itself made can differ.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.runner import Runner
from stmlab.acquisition.wire_recording import file_checksum
from stmlab.acquisition.wire_requests import ReplayedRequests
from stmlab.provenance import Provenance, versions
from stmlab.station import Station
from stmlab.station.configuration import parsed_station
from stmlab.station.lock import StationLock
from stmlab.station.wire import (
    RecordingEnded,
    WireDifference,
    WireDiffers,
    WireReplay,
    read_wire_recording,
)
from stmlab.station.wire.replay import files_into
from stmlab.storage import check_new

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stmlab.station.configuration import StationConfig
    from stmlab.station.wire import Head


@dataclass
class WireReport:
    """What a replay has found.

    Attributes:
        path, sequence, station, date: of the recording.
        messages: instrument -> messages that were the same.
        difference: the first one; None: every byte was the same.
        cut_off: the recording ends before its run did (a killed process); the replay ends there.
        recorded_end, end: state and message of the run then and now, "" where it did not end.
        file: of the run: "the same", "another" or "not compared".
        notes: what else a person should know.
    """

    path: Path
    sequence: str
    station: str
    date: str
    messages: dict[str, int] = field(default_factory=dict)
    difference: WireDifference | None = None
    cut_off: bool = False
    recorded_end: str = ""
    end: str = ""
    file: str = "not compared"
    notes: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Nothing was found to be another than recorded."""
        return self.difference is None and self.file != "another" and (self.cut_off or self.end == self.recorded_end)


def replay_wire(
    path: str | Path, *, settings: Mapping[str, Any] | None = None, output: str | Path | None = None
) -> WireReport:
    """Run a recorded run again and compare every byte.

    Args:
        path: of the recording.
        settings: parameters that shall be others than recorded.
        output: the run's file; None: it is compared and not kept.

    Raises:
        FileError: the recording cannot be read, or is damaged.
        SequenceError: there is no such sequence, or it does not know a recorded parameter any more.
        StationError: the recorded station file is none for this version.
    """
    recording = read_wire_recording(Path(path))
    head, replay = recording.head, WireReplay(recording)
    experiment = sequence_class(head.sequence)(**{**head.parameters, **(settings or {})})
    ended = recording.end
    with tempfile.TemporaryDirectory(prefix="stmlab-wire-") as folder:
        file = Path(folder) / "run.h5" if output is None else Path(output)
        check_new(file)
        config = parsed_station(head.station_text, Path(head.station_path))
        files = files_into(head, Path(folder))
        report = WireReport(
            recording.path,
            head.sequence,
            config.name,
            head.date,
            cut_off=ended is None,
            recorded_end="" if ended is None else _end(ended["state"], ended["message"]),
            notes=_notes(head),
        )
        with _comparing(replay, report):
            with _StationAsRecorded(
                _with_files(config, files),
                head.station_text,
                Path(head.station_path),
                sample=head.sample or None,
                seed=head.seed,
                lock=StationLock(()),
                audit=replay.audit(),
                wire=replay,
                tip_mark=replay.tip_mark(),
            ) as station:
                station.files = {there: str(station.path.parent / name) for name, there in files.items()}
                ran = Provenance(head.versions, head.git)
                runner = Runner(experiment, station, file, ran=ran, requests=ReplayedRequests(recording))
                _run(runner, report)
            replay.finish()
        report.messages = replay.messages
        if ended is not None and report.difference is None and ended["file"]:
            report.file = "the same" if file_checksum(file) == ended["file"] else "another"
    return report


def _run(runner: Runner, report: WireReport) -> None:
    """To its end, as a recorded run comes to it: by itself or by an error."""
    try:
        runner.preflight()
        outcome = runner.run()
        report.end = _end(outcome.state, outcome.message)
    except (WireDiffers, RecordingEnded):
        raise
    except Exception as error:
        report.end = _end(runner.state or "refused", str(error))


@contextmanager
def _comparing(replay: WireReplay, report: WireReport) -> Iterator[None]:
    try:
        yield
    except WireDiffers as found:
        report.difference = found.difference
    except RecordingEnded:
        report.end = ""
    if replay.difference is not None:  # whatever was made of it on its way
        report.difference = replay.difference


class _StationAsRecorded(Station):
    """Names the files of its radio-frequency path as they were; ``files``: path now -> path then."""

    files: Mapping[str, str]

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """See Station."""
        return {name: _renamed(settings, self.files) for name, settings in super().snapshot().items()}


def _with_files(config: StationConfig, files: Mapping[str, str]) -> StationConfig:
    """The station with the files of its radio-frequency path from the recording."""
    table = config.rf_path
    if table is None:
        return config
    options = _renamed(table.options, files)
    return config.model_copy(update={"rf_path": table.model_copy(update={"options": options})})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(part, names) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(part, names) for part in value]
    return names.get(value, value) if isinstance(value, str) else value


def _notes(head: Head) -> list[str]:
    now = versions()
    other = [
        f"{name} {then or '?'} (now {now.get(name, '?')})"
        for name, then in head.versions.items()
        if now.get(name) != then
    ]
    return [f"recorded with {', '.join(other)}"] if other else []


def _end(state: object, message: str) -> str:
    return f"{state}: {message}" if message else str(state)
