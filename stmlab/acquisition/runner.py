"""Runs one sequence on one station, and leaves the station safe whatever happens.

                 preflight (nothing moves, nothing is written; a refusal ends here)
                     |
                 the file is made
                     |
                 PREPARING --> RUNNING <--> PAUSED (hold state: RF and modulation off, loop closed at the setpoint)
                     |           |  ^          |
                     |           v  |          |
                     |         MENDING (after a transient fault: connections anew, whole set-up again)
                     |           |             |
                     |   last point / stop()   |            abort(), Ctrl-C      an exception
                     v            v            v                  v                   v
                 [ safe state, see stmlab.station.safe_state: after a normal end at the run's own setpoint, else as the
                   station file says; what could not be confirmed is said: NOT SAFE ]
                                  |                               |                   |
                              ANALYSING                           |                   |
                                  v                               v                   v
                         FINISHED / STOPPED                    ABORTED             FAILED

How points are taken stands in `points`. The writer is called directly: its failure ends the run. Listeners are viewers:
what they raise is noted and never touches the run.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.acquisition.analysing import analysed
from stmlab.acquisition.outcome import Aborted, Course, Estimate, Outcome
from stmlab.acquisition.planning import estimate
from stmlab.acquisition.points import Points
from stmlab.acquisition.preflight import preflight
from stmlab.acquisition.requests import Requests
from stmlab.acquisition.resuming import Rest, changes, check_same
from stmlab.acquisition.stream import Stream
from stmlab.errors import FitEnded, StationNotSafe, StmlabError
from stmlab.events import Analysed, RunFinished, RunStarted, RunState, StateChanged
from stmlab.provenance import provenance
from stmlab.station.safe_report import Ending
from stmlab.storage import Writer, check_new, check_resumable, open_run, reopen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Sequence as Many

    from stmlab.acquisition.sequence import Sequence
    from stmlab.arrays import FloatArray
    from stmlab.events import Event
    from stmlab.provenance import Provenance
    from stmlab.station import Station
    from stmlab.storage import Run

__all__ = ["Aborted", "Estimate", "Outcome", "Runner"]

log = logging.getLogger(__name__)


class Runner:
    """Runs one sequence once.

    Args:
        sequence: with its parameters set.
        station: its instruments.
        path: the file to write; None keeps nothing (tests, dry runs).
        listeners: called with every event after it has been written; what they raise is logged.
        resumed: a run that ended early: its points that are missing are taken, into its own file.
        ran: what the file says that ran; None: this process.
        requests: what is asked of it from outside; None: nothing yet.

    ``pause``, ``resume``, ``stop`` and ``abort`` may be called from any thread.
    """

    def __init__(
        self,
        sequence: Sequence,
        station: Station,
        path: str | Path | None = None,
        listeners: Many[Callable[[Event], None]] = (),
        *,
        resumed: Run | None = None,
        ran: Provenance | None = None,
        requests: Requests | None = None,
    ) -> None:
        self.sequence, self.station = sequence, station
        self._ran = ran or provenance()
        self._rest = None if resumed is None else Rest.of(resumed)
        path = path if resumed is None else resumed.path
        self.path = Path(path) if path is not None else None
        self._stream = Stream(Writer(self.path) if self.path is not None and resumed is None else None, *listeners)
        self._requests = requests or Requests()
        self._points: Points | None = None
        self.state: RunState | None = None

    def listen(self, *listeners: Callable[[Event], None]) -> None:
        """Add viewers of the events to come."""
        self._stream.listen(*listeners)

    def show_partial(self, listener: Callable[[int, Mapping[str, FloatArray]], None]) -> None:
        """Let a viewer see readings that an instrument is still taking.

        Args:
            listener: called from any thread with the index of the point, and channel -> array as far as it goes.
        """

        def tell(values: Mapping[str, FloatArray]) -> None:
            if self._points is not None:
                listener(self._points.index, values)

        self.sequence.show_partial(tell)

    @property
    def under_way(self) -> int | None:
        """Index of the point that is being taken, for any thread; None before the first."""
        points = self._points
        return None if points is None or (index := points.index) < 0 else index

    # -- from outside ------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Hold after the point that is being taken: RF and modulation off, loop closed at the setpoint, data safe."""
        self._requests.ask("pause")

    def resume(self, *, anyway: bool = False) -> None:
        """Go on after a pause; ``anyway``: although the tip may not be at the same place."""
        self._requests.ask("resume", anyway=anyway)

    def stop(self) -> None:
        """End after the point that is being taken; analyse what is there. While that is done: end the fit, as it is."""
        if self.state is RunState.ANALYSING:
            self._requests.end_fit()
        else:
            self._requests.ask("stop")

    def abort(self, why: str = "aborted by the user", *, attended: bool = True) -> None:
        """End at once; the point that is being taken is lost. An analysis is given up.

        Args:
            why: for people.
            attended: by a person who is there; otherwise the station ends as after a fault.
        """
        self._requests.ask("abort", why=why, attended=attended)

    # -- the run -----------------------------------------------------------------------------------------------------

    def preflight(self) -> Estimate:
        """Check parameters, axes and every value of every output; nothing moves and nothing is written.

        Raises:
            StmlabError: in one line, what is wrong.
        """
        if self._rest is not None:
            check_resumable(self._rest.run)
        elif self.path is not None:
            check_new(self.path)
        self.sequence.connect(self.station, self._requests.checkpoint)
        preflight(self.sequence)
        if self._rest is not None:
            check_same(self._rest, self.sequence)
        return estimate(self.sequence, done=len(self._rest.done) if self._rest else 0)

    def run(self) -> Outcome:
        """Run to the end, by whichever way, and leave the station safe.

        Returns:
            How it ended, for FINISHED, STOPPED and ABORTED.

        Raises:
            StmlabError: from preflight; nothing has moved and no file exists.
            StationNotSafe: an instrument could not be brought to its safe state.
            Exception: whatever ended the run, after the safe state and with everything acknowledged in the file.
        """
        self.preflight()
        started = self._introduce() if self._rest is None else self._rest.run.started
        self.station.audit.run = started.run_id
        self.station.when_called = partial(self.abort, "a person called for the safe state", attended=False)
        self._start = self.station.clock.now()
        self.station.heartbeat.expect(0.0)
        why = self._open_file(started)  # if that fails, nothing has moved
        course = Course()
        try:
            self._enter(RunState.PREPARING, why)
            self._points = self._new_points()
            if not self._points.take(self._start):
                course.end(RunState.STOPPED, "stopped", f"stopped by the user after {self._points.points} points")
            else:
                course.message = self._points.ended
        except (Aborted, KeyboardInterrupt) as end:
            course.end(RunState.ABORTED, "aborted", str(end) or "aborted by the user")
            course.attended = getattr(end, "attended", True)
        except Exception as error:
            course.end(RunState.FAILED, type(error).__name__, str(error) or repr(error), error)
            course.attended = False
        finally:
            self._close(course)
        if course.error is not None:
            raise course.error
        return Outcome(
            started.run_id,
            course.state,
            course.reason,
            course.message,
            course.points,
            self.path,
            tuple(course.fits),
            course.station,
            course.fit_ended,
        )

    def _open_file(self, started: RunStarted) -> str:
        """Make the file of the run, or go on in it; returns what is to be said of a further session."""
        if (rest := self._rest) is None:
            self._stream(started)
            return ""
        self._start -= rest.since_start(self.station)
        said = [f"session {rest.session}, {self.station.clock.date().isoformat(timespec='seconds')}"]
        said += changes(rest.run.snapshot_before, self.station.snapshot())
        self._stream.go_on(reopen(rest.run), started)
        return "; ".join(said)

    def _new_points(self) -> Points:
        stream, requests = self._stream, self._requests
        points = Points(self.sequence, self.station, requests, stream, stream.flush, self._enter, self._rest)
        self.sequence.connect(self.station, points.checkpoint)
        return points

    def _close(self, course: Course) -> None:
        """Safe state first, then the analysis, then the file; each whatever the others met."""
        self.station.heartbeat.expect(0.0)
        report = self.station.make_safe(Ending.NORMAL if course.attended else Ending.FAULT)
        self.station.heartbeat.rest()
        course.station = str(report)
        course.points = self._points.points if self._points is not None else 0
        if not report.safe:
            message = f"{course.message}; {report}" if course.message else str(report)
            unsafe = StationNotSafe(message)
            unsafe.__cause__ = course.error
            course.end(RunState.FAILED, course.reason if course.error else "StationNotSafe", message, unsafe)
        whole = course.state in (RunState.FINISHED, RunState.STOPPED) and course.points
        if whole and self.path is not None and self.sequence.is_analysed:
            try:
                self._analyse(course)
            except StmlabError as error:  # the file, not the fit: that one is told in the message
                course.end(RunState.FAILED, type(error).__name__, str(error), error)
        self._finish(course)

    def _analyse(self, course: Course) -> None:
        from stmlab.analysis.iterations import OUT_OF_TIME, STOPPED, ended_early  # with every fit: not at the start

        self._stream.flush()
        self._enter(RunState.ANALYSING)
        assert self.path is not None
        try:
            fit = analysed(self.sequence, open_run(self.path), self._requests, self._stream.tell)
        except FitEnded as error:
            course.message, course.fit_ended = f"no fit: {error}", STOPPED if error.stopped else OUT_OF_TIME
            return
        except Aborted as error:
            course.message, course.fit_ended = f"no fit: {error}", STOPPED
            return
        except StmlabError as error:  # data that cannot be fitted are data all the same
            course.message = "; ".join(filter(None, (course.message, f"no fit: {error}")))
            return
        except Exception as error:  # a fault in an analysis must not keep the file from its end
            log.exception("the analysis of %s failed", self.sequence.name)
            course.message = f"no fit: {type(error).__name__}: {error}"
            return
        if fit is not None:
            told = self.station.sample_warnings(self.sequence.parameter_record())
            fit = replace(fit, warnings=(*told, *fit.warnings))
            course.fit_ended = ended_early(fit)
            course.fits.append(fit)
            self._stream(Analysed(fit))

    def _finish(self, course: Course) -> None:
        try:
            snapshot = self.station.snapshot()
        except (StmlabError, OSError) as error:
            snapshot = {"station": {"snapshot failed": str(error)}}
        snapshot["station"] = {**snapshot.get("station", {}), "left": course.station}
        self.state = course.state
        now = self.station.clock.now() - self._start
        try:
            self._stream(RunFinished(course.state, course.reason, course.message, course.points, now, snapshot))
        except StmlabError as error:  # the file is gone or full: viewers hear of the end all the same
            course.end(RunState.FAILED, type(error).__name__, str(error), course.error or error)
            self._stream(RunFinished(course.state, course.reason, course.message, course.points, now, snapshot))

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
            versions=self._ran.versions,
            git=self._ran.git,
            seed=seed,
            user=station.config.user,
        )

    def _enter(self, state: RunState, reason: str = "") -> None:
        self.state = state
        self._stream(StateChanged(state, self.station.clock.now() - self._start, reason))
