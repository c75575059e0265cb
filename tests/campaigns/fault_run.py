"""One run of the campaign: a sequence over sockets, a fault in one of its phases, and what became of it all."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from stmlab.acquisition.measurement import measurement
from stmlab.cli.common import refusing
from stmlab.events import PointsDisturbed, PointTaken, RunState, StateChanged
from tests.campaigns.fault_laboratory import SEQUENCES, laboratory
from tests.campaigns.fault_phases import Phases, Traffic

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.acquisition.runner import Runner
    from stmlab.events import Event
    from stmlab.simulation.faults import Fault

STAYS = 0.1  # s, after which it is looked once more whether the station stayed as it was left


@dataclass(frozen=True)
class Course:
    """How a run shall go.

    Attributes:
        sequence: name in SEQUENCES.
        lockin: "sr860" or "sr830".
        on_fault: as in the station file.
        fault: None: nothing happens.
        phase, readings: at the beginning of which phase the fault is armed; how many readings have been taken then.
        pause_after: readings after which the run is paused, None: never.
        timeout: of the drivers, s.
        noise, seed: of the microscope.
    """

    sequence: str
    lockin: str
    on_fault: str = "withdraw"
    fault: Fault | None = None
    phase: str = ""
    readings: int = 0
    pause_after: int | None = None
    timeout: float = 0.5
    noise: bool = False
    seed: int = 1


@dataclass
class Record:
    """What became of a run.

    Attributes:
        error: class of the error that ended it, "" for none.
        said: on standard error.
        status: exit status.
        state, reason: as the program returned them, or "" where it raised.
        paused: how often.
        mended: how often it was mended.
        acknowledged: what the viewers heard of: (visit, index, values) each.
        disturbed: (readings so far, indices) each.
        recorder, left, later: what the control port says: flight recorder, true state at the end, and a moment later.
        happened: faults, as the control port says.
        struck: phase and number of readings at the first of them.
        traffic: messages by phase, reading, instrument, answered.
        changed: instruments that were told to change something after the preflight.
        seconds: it took.
    """

    error: str = ""
    said: str = ""
    status: int = 0
    state: str = ""
    reason: str = ""
    paused: int = 0
    mended: int = 0
    acknowledged: list[tuple[int, int, tuple[Any, ...]]] = field(default_factory=list)
    disturbed: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    struck: tuple[str, int] | None = None
    recorder: dict[str, Any] = field(default_factory=dict)
    left: dict[str, Any] = field(default_factory=dict)
    later: dict[str, Any] = field(default_factory=dict)
    happened: list[dict[str, Any]] = field(default_factory=list)
    traffic: dict[tuple[str, int, str, bool], int] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    seconds: float = 0.0


def middle(sequence: str) -> int:
    """Readings after which the tip is stabilised again."""
    return 1 if sequence in ("didv_hardware", "time_trace") else 10


def take(course: Course, folder: Path) -> Record:
    """Let it run; the file is ``run.h5`` in ``folder``."""
    record = Record()
    began = monotonic()
    with laboratory(
        folder, course.lockin, course.on_fault, timeout=course.timeout, noise=course.noise, seed=course.seed
    ) as lab:
        arming = _Arming(course, lab.control)
        phases = Phases(arming.entered)
        traffic = Traffic(lab.microscope, (course.lockin, "m8195a", "nanonis"), phases)
        arming.entered("connect", 0)
        _run(course, lab.station, folder / "run.h5", phases, record)
        record.left = lab.control.state()
        sleep(STAYS)
        record.later = lab.control.state()
        record.recorder = lab.control.recorder()
        record.happened = lab.control.faults()["happened"]
        record.traffic, record.struck, record.changed = dict(traffic.counted), traffic.struck, traffic.changed
    record.seconds = monotonic() - began
    return record


class _Arming:
    """Arms the fault when its phase begins."""

    def __init__(self, course: Course, control: Any) -> None:
        self._course, self._control = course, control
        self._due = course.fault is not None

    def entered(self, phase: str, readings: int) -> None:
        if self._due and phase == self._course.phase and readings >= self._course.readings:
            self._due = False
            self._control.arm(self._course.fault)


def _run(course: Course, station: Path, path: Path, phases: Phases, record: Record) -> None:
    """As ``stmlab run`` does it, its exit status and its last words included."""
    name, settings = SEQUENCES[course.sequence]

    @refusing
    def command() -> None:
        try:
            with measurement(name, str(station), settings=settings, path=path) as (runner, _):
                runner.listen(_Viewer(course, runner, phases, record))
                phases.follow(runner, middle(course.sequence))
                runner.sequence.analyse = lambda run: None  # what is analysed is not what is judged here
                outcome = runner.run()
        except Exception as error:
            record.error = type(error).__name__
            raise
        record.state, record.reason = outcome.state.value, outcome.reason
        print(outcome.message, outcome.station)
        if outcome.reason == "aborted":
            raise typer.Exit(130)

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            command()
        except typer.Exit as end:
            record.status = end.exit_code
        except Exception as error:  # a raw error would be a traceback
            record.status, record.error = 1, f"raw {type(error).__name__}"
            said.write(f"{type(error).__name__}: {error}")
    record.said = said.getvalue()


class _Viewer:
    """Hears what the program acknowledges; pauses and resumes."""

    def __init__(self, course: Course, runner: Runner, phases: Phases, record: Record) -> None:
        self._course, self._runner, self._phases, self._record = course, runner, phases, record
        self._paused = False
        if course.pause_after is not None:
            self._pause_after(course.pause_after)

    def __call__(self, event: Event) -> None:
        record = self._record
        if isinstance(event, PointTaken):
            record.acknowledged.append((event.visit, event.index, tuple(map(np.asarray, event.values))))
        elif isinstance(event, PointsDisturbed):
            record.disturbed.append((len(record.acknowledged), event.indices))
        elif isinstance(event, StateChanged):
            record.mended += event.state is RunState.MENDING
            if event.state is RunState.PAUSED:
                record.paused += 1
                (self._runner.resume if record.paused == 1 else self._runner.stop)()
            elif event.state is RunState.RUNNING and record.paused:
                self._phases.resumed()

    def _pause_after(self, readings: int) -> None:
        measure = self._runner.sequence.measure

        def pausing() -> Any:
            if self._phases.now[1] == readings and not self._paused:
                self._paused = True
                self._runner.pause()
            return measure()

        self._runner.sequence.measure = pausing
