"""Runs one sequence on one station, and leaves the station safe whatever happens.

                 preflight (nothing moves, nothing is written; a refusal ends here)
                     |
                 PREPARING --> RUNNING <--> PAUSED (hold state: RF off, feedback on)
                     |            |            |
                     |   last point / stop()   |            abort(), Ctrl-C      an exception
                     v            v            v                  v                   v
                 [ safe state: RF off, bias stepped home, feedback on or tip withdrawn: on every way out ]
                                  |                               |                   |
                              ANALYSING                           |                   |
                                  v                               v                   v
                         FINISHED / STOPPED                    ABORTED             FAILED

Each point goes: move -> write the previous point while this one settles -> wait -> measure. The writer is called
directly: its failure ends the run. Listeners are viewers: what they raise is noted and never touches the run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.acquisition.sequence import Sequence, preflight, ramp_seconds
from stmlab.acquisition.stream import Stream
from stmlab.errors import SequenceError, StmlabError
from stmlab.events import Analysed, PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.provenance import git_revision, versions
from stmlab.storage import BATCH_SECONDS, Writer, check_new, open_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence as Many

    from stmlab.events import Event
    from stmlab.results import FitResult
    from stmlab.station import Station
    from stmlab.storage import Run

log = logging.getLogger(__name__)
_PATIENCE = 0.05  # s between looks at whether an analysis shall be given up


class Aborted(StmlabError):
    """The user asked for an end at once."""


@dataclass(frozen=True)
class Estimate:
    """What preflight expects.

    Attributes:
        points: their number.
        seconds: duration in all, s.
        size: of the file, bytes.
        ramps: what of the duration the ramps of the bias take, s.
    """

    points: int
    seconds: float
    size: int
    ramps: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        state: one of the final states.
        reason: "completed", "stopped", "aborted" or the class name of the error.
        message: one line for a person, "" when all went well.
        points: number of points in the file.
        path: the file, or None.
        fits: results of the analysis.
    """

    run_id: str
    state: RunState
    reason: str
    message: str
    points: int
    path: Path | None
    fits: tuple[FitResult, ...] = ()


@dataclass
class _Progress:
    """What the run has come to so far."""

    state: RunState = RunState.FINISHED
    reason: str = "completed"
    message: str = ""
    points: int = 0
    error: BaseException | None = None
    fits: list[FitResult] = field(default_factory=list)

    def end(self, state: RunState, reason: str, message: str = "", error: BaseException | None = None) -> None:
        self.state, self.reason, self.message, self.error = state, reason, message, error


class Runner:
    """Runs one sequence once.

    Args:
        sequence: with its parameters set.
        station: its instruments.
        path: the file to write; None keeps nothing (tests, dry runs).
        listeners: called with every event after it has been written; what they raise is logged.

    ``pause``, ``resume``, ``stop`` and ``abort`` may be called from any thread.
    """

    def __init__(
        self,
        sequence: Sequence,
        station: Station,
        path: str | Path | None = None,
        listeners: Many[Callable[[Event], None]] = (),
    ) -> None:
        self.sequence, self.station = sequence, station
        self.path = Path(path) if path is not None else None
        self._stream = Stream(Writer(self.path) if self.path is not None else None, *listeners)
        self._stop, self._abort, self._resume = threading.Event(), threading.Event(), threading.Event()
        self._resume.set()
        self._interrupted = False
        self._why_aborted = "aborted by the user"
        self.state: RunState | None = None

    def listen(self, *listeners: Callable[[Event], None]) -> None:
        """Add viewers of the events to come."""
        self._stream.listen(*listeners)

    # -- from outside ------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Hold after the point that is being taken: RF off, feedback on, data safe."""
        self._resume.clear()
        self._interrupted = True

    def resume(self) -> None:
        """Go on after a pause."""
        self._resume.set()

    def stop(self) -> None:
        """End after the point that is being taken; analyse what is there."""
        self._stop.set()
        self._interrupted = True
        self._resume.set()

    def abort(self, why: str = "aborted by the user") -> None:
        """End at once; the point that is being taken is lost. An analysis is given up."""
        self._why_aborted = why
        self._abort.set()
        self._interrupted = True
        self._resume.set()

    # -- the run -----------------------------------------------------------------------------------------------------

    def preflight(self) -> Estimate:
        """Check parameters, axes and every value of every output; nothing moves and nothing is written.

        Raises:
            StmlabError: in one line, what is wrong.
        """
        if self.path is not None:
            check_new(self.path)
        self.sequence.connect(self.station, self._checkpoint)
        preflight(self.sequence)
        shape = [len(axis) for axis in self.sequence.axes()]
        moved = [len(axis) for axis, _ in self.sequence.movers()]
        points, cells = _product(moved), _product(shape)
        ramps = ramp_seconds(self.sequence)
        size = 8 * cells * (len(self.sequence.channels) + 3)
        return Estimate(points, points * self.sequence.point_seconds() + ramps, size, ramps)

    def run(self) -> Outcome:
        """Run to the end, by whichever way, and leave the station safe.

        Returns:
            How it ended, for FINISHED, STOPPED and ABORTED.

        Raises:
            StmlabError: from preflight; nothing has moved and no file exists.
            Exception: whatever ended the run, after the safe state and with everything acknowledged in the file.
        """
        self.preflight()
        started = self._introduce()
        self._start = self.station.clock.now()
        self.station.heartbeat.expect(0.0)
        self._stream(started)  # the file is made: if that fails, nothing has moved
        progress = _Progress()
        try:
            self._take_points(progress)
        except (Aborted, KeyboardInterrupt):
            progress.end(RunState.ABORTED, "aborted", self._why_aborted)
        except Exception as error:
            progress.end(RunState.FAILED, type(error).__name__, str(error) or repr(error), error)
        finally:
            self._close(progress, started.run_id)
        if progress.error is not None:
            raise progress.error
        return Outcome(
            started.run_id,
            progress.state,
            progress.reason,
            progress.message,
            progress.points,
            self.path,
            tuple(progress.fits),
        )

    def _take_points(self, progress: _Progress) -> None:
        self._enter(RunState.PREPARING)
        self.sequence.prepare()
        self._enter(RunState.RUNNING)
        sequence, clock, names = self.sequence, self.station.clock, [c.name for c in self.sequence.channels]
        expect, point_seconds = self.station.heartbeat.expect, sequence.point_seconds()
        settling_time, measure, emit = sequence.settling_time, sequence.measure, self._stream
        previous: PointTaken | None = None
        index = 0
        try:
            for coordinates in sequence.positions():
                moved = clock.now()
                expect(point_seconds)
                if previous is not None:
                    point, previous = previous, None
                    emit(point)
                    progress.points = index
                if self._interrupted:
                    if not self._attend():
                        progress.end(RunState.STOPPED, "stopped", f"stopped by the user after {index} points")
                        break
                    moved = clock.now()
                if settling := settling_time():
                    if settling > BATCH_SECONDS:
                        self._stream.flush()
                    sequence.wait(moved + settling - clock.now())
                values = measure()
                previous = PointTaken(index, clock.now() - self._start, coordinates, tuple([values[n] for n in names]))
                index += 1
        finally:
            if previous is not None:
                emit(previous)
                progress.points = index
        sequence.finish()
        self.station.check_status()

    def _attend(self) -> bool:
        """Do what was asked from outside; False: end after the point that has been taken."""
        self._checkpoint()
        if not self._resume.is_set():
            self._stream.flush()
            self.station.hold()
            self._enter(RunState.PAUSED)
            self.station.heartbeat.rest()
            self._resume.wait()
            self.station.heartbeat.expect(0.0)
            self._checkpoint()
            if not self._stop.is_set():
                self.sequence.prepare()
                self.sequence.return_to_position()
                self._enter(RunState.RUNNING)
        self._interrupted = self._stop.is_set()
        return not self._stop.is_set()

    def _checkpoint(self) -> None:
        if self._abort.is_set():
            raise Aborted(self._why_aborted)

    def _close(self, progress: _Progress, run_id: str) -> None:
        """Safe state first, then the analysis, then the file; each whatever the others met."""
        self.station.heartbeat.expect(0.0)
        problems = self.station.make_safe()
        self.station.heartbeat.rest()
        if problems:
            unsafe = "THE SAFE STATE WAS NOT REACHED: " + "; ".join(problems)
            progress.end(
                RunState.FAILED,
                progress.reason if progress.error else "unsafe",
                f"{progress.message}; {unsafe}" if progress.message else unsafe,
                progress.error or SequenceError(unsafe),
            )
        if progress.state in (RunState.FINISHED, RunState.STOPPED) and self.path is not None and progress.points:
            self._analyse(progress)
        self._finish(progress)

    def _analyse(self, progress: _Progress) -> None:
        self._stream.flush()
        self._enter(RunState.ANALYSING)
        assert self.path is not None
        try:
            fit = self._fit(open_run(self.path))
        except StmlabError as error:  # data that cannot be fitted are data all the same
            progress.message = f"no fit: {error}"
            return
        except Exception as error:  # a fault in an analysis must not keep the file from its end
            log.exception("the analysis of %s failed", self.sequence.name)
            progress.message = f"no fit: {type(error).__name__}: {error}"
            return
        if fit is not None:
            progress.fits.append(fit)
            self._stream(Analysed(fit))

    def _fit(self, run: Run) -> FitResult | None:
        """The sequence's analysis, in a thread of its own so that `abort` need not wait for it.

        Raises:
            Aborted: it was given up; the thread ends by itself, and nobody hears of its result.
            Exception: what the analysis raised.
        """
        found: list[FitResult | None] = []
        raised: list[Exception] = []
        done = threading.Event()

        def work() -> None:
            try:
                found.append(self.sequence.analyse(run))
            except Exception as error:  # raised again where it is waited for
                raised.append(error)
            finally:
                done.set()

        threading.Thread(target=work, name="analysis", daemon=True).start()
        while not done.wait(_PATIENCE):
            if self._abort.is_set():
                raise Aborted("given up by the user; the data are whole, `stmlab fit` fits them again")
        if raised:
            raise raised[0]
        return found[0]

    def _finish(self, progress: _Progress) -> None:
        try:
            snapshot = self.station.snapshot()
        except (StmlabError, OSError) as error:
            snapshot = {"station": {"snapshot failed": str(error)}}
        self.state = progress.state
        now = self.station.clock.now() - self._start
        self._stream(RunFinished(progress.state, progress.reason, progress.message, progress.points, now, snapshot))

    # -- events ------------------------------------------------------------------------------------------------------

    def _introduce(self) -> RunStarted:
        sequence, station = self.sequence, self.station
        parameters = sequence.parameter_record()
        seed = station.seed
        date = station.clock.date().isoformat()
        described = {name: [p.value, p.unit] for name, p in parameters.items()}
        identity = json.dumps([sequence.name, described, station.text, station.sample, seed, date], default=str)
        return RunStarted(
            run_id=hashlib.sha256(identity.encode()).hexdigest()[:16],
            sequence=sequence.name,
            date=date,
            parameters=parameters,
            axes=sequence.axes(),
            channels=sequence.channels,
            point_seconds=sequence.point_seconds(),
            station=station.config.name,
            configuration=station.text,
            factors=sequence.factors(),
            sample=station.sample,
            snapshot=station.snapshot(),
            versions=versions(),
            git=git_revision(),
            seed=seed,
        )

    def _enter(self, state: RunState) -> None:
        self.state = state
        self._stream(StateChanged(state, self.station.clock.now() - self._start))


def _product(lengths: list[int]) -> int:
    total = 1
    for length in lengths:
        total *= length
    return total
