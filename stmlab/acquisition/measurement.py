"""One measurement from names to outcome: what ``stmlab run`` does, as a function."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.runner import Estimate, Outcome, Runner
from stmlab.config_files import find
from stmlab.errors import SequenceError, StationError
from stmlab.station import Station
from stmlab.station.guardian import guarded
from stmlab.storage import check_resumable, open_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from stmlab.acquisition.sequence import Sequence
    from stmlab.acquisition.wire_recording import WireRecordingOf
    from stmlab.events import Event
    from stmlab.storage import Run

_SHARED = ("setpoint_bias", "setpoint_current", "dc_bias", "start_bias", "stop_bias", "modulation", "amplitude")
"""Parameters that mean the same in every sequence."""


def measure(
    sequence: str,
    station: str | Path = "simulated",
    *,
    sample: str | Path | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    force: bool = False,
    replay: Mapping[str, Any] | None = None,
    record_wire: str | Path | None = None,
    listeners: tuple[Callable[[Event], None], ...] = (),
) -> Outcome:
    """Run ``sequence`` on ``station``, write the file, fit, and leave the station safe.

    Args:
        sequence: name of the experiment.
        station: name or file of the station.
        sample: name or file of the sample, None for the station's own.
        seed: of the simulation.
        settings: parameters of the sequence: numbers in SI, or text with a unit.
        path: file to write; None makes a name from date, sequence and sample in the current folder.
        force: take the station although its last owner died without leaving it safe.
        replay: a recording that is the sample: "file" and how it is replayed, see ``ReplayTable`` of
            `stmlab.simulation.replay`. What ``settings`` does not say is as it was recorded.
        record_wire: file that keeps every byte of every instrument; `stmlab.acquisition.wire_replay` runs it again.
        listeners: called with every event, after it has been written.

    Raises:
        StmlabError: refused (nothing moved), or whatever ended the run (the station is safe).
    """
    with measurement(
        sequence,
        station,
        sample=sample,
        seed=seed,
        settings=settings,
        path=path,
        force=force,
        replay=replay,
        record_wire=record_wire,
    ) as found:
        runner, _ = found
        runner.listen(*listeners)
        with guarded(runner.station):
            return runner.run()


@contextmanager
def measurement(
    sequence: str,
    station: str | Path = "simulated",
    *,
    sample: str | Path | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    force: bool = False,
    replay: Mapping[str, Any] | None = None,
    record_wire: str | Path | None = None,
    folder: str | Path = ".",
    stem: str = "",
    transfer: str | Path | None = None,
) -> Iterator[tuple[Runner, Estimate]]:
    """A runner that has passed its preflight, and what it will take; nothing has moved. Arguments as `measure`.

    Where ``path`` is not given the file lies in ``folder`` and is called ``stem``, or by date, sequence and sample; a
    number is added to a name that is taken. ``transfer``: table of the RF path, as a run of the sequence ``transfer``
    has written it, in place of what the station's file says.

    Raises:
        StmlabError: refused; nothing moved.
    """
    if record_wire is not None and replay is not None:
        raise SequenceError("the wire of a replayed recording is not recorded: keep the recording itself")
    experiment = sequence_class(sequence)(**dict(settings or {}))
    with (
        _wire(record_wire, experiment) as wire,
        Station.load(
            str(station),
            sample=None if sample is None else str(sample),
            seed=seed,
            force=force,
            replay=replay,
            wire=None if wire is None else wire.recorder,
            transfer=transfer,
        ) as found,
    ):
        if found.recording is not None:
            as_recorded(experiment, found.recording, settings or {})
        date = found.clock.date() if wire is None else wire.recorder.date()  # the name of a file is not the run's
        file = Path(path) if path else _free_name(Path(folder), stem or _stem(sequence, found, date))
        runner = Runner(experiment, found, file, requests=None if wire is None else wire.requests)
        if wire is not None:
            wire.run = runner.path
            runner.listen(wire)
        yield runner, runner.preflight()


def _wire(path: str | Path | None, experiment: Sequence) -> AbstractContextManager[WireRecordingOf | None]:
    """While the context lasts, the wire is recorded into ``path``; None: it is not."""
    if path is None:
        return nullcontext()
    from stmlab.acquisition.wire_recording import wire_recording  # only where it is asked for

    return wire_recording(Path(path), experiment)


@contextmanager
def resumption(
    path: str | Path, station: str | None = None, *, force: bool = False
) -> Iterator[tuple[Runner, Estimate]]:
    """A runner for what is left of a run that ended early, past its preflight; nothing has moved.

    Whether the tip is at the same place as before nobody but the person at the microscope can tell: ask first where
    ``runner.station.is_simulated`` is False.

    Args:
        path: of the run, which goes on in its own file.
        station: name or file of the station, None for that of the run.
        force: as `measure`.

    Raises:
        StmlabError: refused; nothing moved, and the file is as it was.
    """
    run = open_run(path)
    check_resumable(run)
    if "recording" in run.snapshot_before:
        raise SequenceError(f"{path}: a recording was replayed: run it again")
    experiment = sequence_class(run.sequence)(**{name: p.value for name, p in run.parameters.items()})
    seed = None if run.seed is None else _further_seed(run)
    with Station.load(
        station or _station_of(run), sample=run.sample or None, seed=seed, force=force, transfer=_transfer_of(run)
    ) as found:
        runner = Runner(experiment, found, resumed=run)
        yield runner, runner.preflight()


def _station_of(run: Run) -> str:
    """Its name, which leads to its file only if that lies among the stations that are known."""
    try:
        find(run.station)
    except StationError as error:
        raise StationError(f"{run.path}: {error}; --station names the file of the station it was taken on") from error
    return run.station


def _transfer_of(run: Run) -> str | None:
    """The measured table that it had in place of the station's own."""
    line = run.snapshot_before.get("rf_path", {})
    return str(line["section_1_file"]) if "in_place_of" in line else None


def _further_seed(run: Run) -> int:
    """Of a further session on the simulated microscope: its noise is not that of the session before."""
    assert run.seed is not None
    session = 1 + int(run.visits.session.max(initial=0))
    return int(np.random.SeedSequence([run.seed, session]).generate_state(1)[0])


def as_recorded(experiment: Sequence, recording: Any, given: Mapping[str, Any]) -> None:
    """Set every parameter that nobody has ``given`` to what it was when the recording was taken.

    Between two sequences only those are passed on that mean the same in both.
    """
    same = not recording.source.sequence or recording.source.sequence == experiment.name
    known = experiment.parameter_record()
    for name, value in recording.source.settings.items():
        if name in known and name not in given and (same or name in _SHARED):
            experiment.set(name, value)


def _stem(sequence: str, station: Station, date: datetime) -> str:
    return f"{date:%Y-%m-%d_%H%M%S}_{sequence}" + (f"_{Path(station.sample).stem}" if station.sample else "")


def _free_name(folder: Path, stem: str) -> Path:
    path, number = folder / f"{stem}.h5", 2
    while path.exists():
        path, number = folder / f"{stem}_{number}.h5", number + 1
    return path
