"""Taking the points of a run: move, settle, measure; again after a transient fault; held during a pause.

    next target --> move --> write the previous point --> look at the station --> settle --> measure --> next target
         ^            |                                        |                                |
         |            +----------------- transient fault ------+--------------------------------+
         |                                      |
         |        connections anew, whole set-up again, compared with before: at most `watch.attempts` attempts
         |
         +-- pause asked for: the previous point is written, hold state, ... resume: set-up again, the same place?

Every visit of a point is kept. A point that was measured again has the same index and the next attempt; what was
disturbed is marked, never removed.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from stmlab.errors import StmlabError
from stmlab.events import PointsDisturbed, PointTaken, RunState
from stmlab.storage import BATCH_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stmlab.acquisition.choosing import Chooser
    from stmlab.acquisition.path import Target
    from stmlab.acquisition.requests import Requests
    from stmlab.acquisition.resuming import Rest
    from stmlab.acquisition.sequence import Sequence
    from stmlab.arrays import FloatArray
    from stmlab.events import Event
    from stmlab.station import Station
    from stmlab.station.watchers import Disturbance

T = TypeVar("T")

_LOOK = 0.2  # s between looks at the station during a pause
_REMEMBERED = 256  # readings, before those beyond doubt are forgotten


def _values_in_order(names: list[str]) -> Callable[[Mapping[str, float | FloatArray]], tuple[float | FloatArray, ...]]:
    """Takes the values of these channels as a tuple; of several, at the speed of C."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple([values[name] for name in names])


class Disturbed(StmlabError):
    """A watcher, or a pause that took too long, ended the run."""


class Points:
    """The points of one run.

    Args:
        sequence: connected.
        station: of the run.
        requests: from outside.
        emit: hands an event on, to the file first.
        flush: acknowledges every point handed on so far.
        enter: goes to a state, with a reason.
        rest: of a run that is resumed: what is left to do.
    """

    def __init__(
        self,
        sequence: Sequence,
        station: Station,
        requests: Requests,
        emit: Callable[[Event], None],
        flush: Callable[[], None],
        enter: Callable[[RunState, str], None],
        rest: Rest | None = None,
    ) -> None:
        self._sequence, self._station, self._requests = sequence, station, requests
        self._emit, self._flush, self._enter = emit, flush, enter
        self._session, self._done = (0, frozenset()) if rest is None else (rest.session, rest.done)
        self._now, self._look = station.clock.now, station.watch.look
        self._path = sequence.path()
        self._expect, self._point_seconds = station.heartbeat.expect, sequence.point_seconds()
        self._names = [channel.name for channel in sequence.channels]
        self._in_order = _values_in_order(self._names)
        self._again: deque[int] = deque()
        self._attempts: dict[int, int] = {} if rest is None else dict(rest.attempts)
        self._pending: PointTaken | None = None
        self._recent: deque[tuple[int, float]] = deque()  # index and time of what may still turn out disturbed
        self._remembered = _REMEMBERED
        self._disturbance: Disturbance | None = None  # seen during a wait
        self._watching = False
        self.index = -1  # of the point that is being taken; before the first one -1
        self._chooser = sequence.chooser()
        if self._chooser is not None and rest is not None:
            self._remember(rest)
        self.visits = 0 if rest is None else len(rest.run.visits)
        self.points = 0 if rest is None else rest.run.points
        self._start = self._now()
        self._last: Target | None = None
        self._outer: Target = ()
        self._waits_for: Disturbance | None = None

    def take(self, start: float) -> bool:
        """Set up, go through all points, finish; False if a stop was asked for before the last one.

        Args:
            start: of the run, on the station's clock.

        Raises:
            Aborted: an end at once was asked for.
            StmlabError: a fault that is not transient, or one too often.
        """
        self._start = start
        try:
            self._mending(self._set_up, set_up=False)
            self._enter(RunState.RUNNING, "")
            requests, visit = self._requests, self._visit
            for index, target in self._targets():
                if requests.pending and not self._attend():
                    return False
                visit(index, target)
            self._deliver()
            self._mending(self._look_back, set_up=False)
            self._mending(self._finish, set_up=False)
        except StmlabError as fault:
            self._deliver()
            self._doubt(self._measured_since(getattr(fault, "since", None)), str(fault))
            raise
        finally:
            self._deliver()
        return True

    def checkpoint(self) -> None:
        """Between the slices of every wait: what has been measured goes to the file; an abort ends the wait."""
        if self._pending is not None:
            self._deliver()
            self._flush()
        self._requests.checkpoint()
        if self._watching and self._disturbance is None:
            watch = self._station.watch
            if self._now() - watch.looked >= watch.interval:
                self._disturbance = watch.look()

    # -- one point ---------------------------------------------------------------------------------------------------

    @property
    def ended(self) -> str:
        """Why a chooser ended the run without what was asked for; "" otherwise."""
        return "" if self._chooser is None else self._chooser.ended

    def _remember(self, rest: Rest) -> None:
        """Tell the chooser of the readings of the sessions before."""
        run = rest.run
        columns = {name: run.data[name] for name in self._names}
        for row, index in enumerate(run.index.tolist()):
            if index in rest.done:
                values = {name: column[row] for name, column in columns.items()}
                self._learn(index, tuple(float(place[row]) for place in run.coordinates.values()), values)

    def _learn(self, index: int, coordinates: Target, values: Mapping[str, float | FloatArray]) -> None:
        assert self._chooser is not None
        self._chooser.learn(index, coordinates[-1], values)

    def _targets(self) -> Iterator[tuple[int, Target]]:
        """Every point in its order, or as it is chosen; those to be measured again come first."""
        if self._chooser is not None:
            yield from self._chosen(self._chooser)
            return
        again, done = self._again, self._done
        for index, target in self._path.visits():
            if again:
                yield from self._repeats()
            if index not in done:
                yield index, target
        yield from self._repeats()

    def _chosen(self, chooser: Chooser) -> Iterator[tuple[int, Target]]:
        while (index := chooser.choose()) is not None:
            if self._again:
                yield from self._repeats()
            yield index, self._path.target(index)
        yield from self._repeats()

    def _repeats(self) -> Iterator[tuple[int, Target]]:
        while self._again:
            index = self._again.popleft()
            yield index, self._path.target(index)

    def _visit(self, index: int, target: Target) -> None:
        """Measure one point; what a watcher interrupts is measured after the pause."""
        self._last, self.index = target, index
        try:
            taken = self._measure(index, target)
        except StmlabError as fault:
            taken = self._mending(lambda: self._measure(index, target), set_up=True, fault=fault)
        if taken is None:
            self._again.append(index)
        else:
            self._pending = taken

    def _measure(self, index: int, target: Target) -> PointTaken | None:
        sequence, now, outer = self._sequence, self._now, target[:-1]
        self._expect(self._point_seconds)
        if outer != self._outer:
            if self._pending is not None:
                self.checkpoint()  # an outer axis may stabilise the tip or ramp the bias: the point waits for nothing
            self._outer = outer
        coordinates = self._path.move_to(target)
        settled = now() + settling if (settling := sequence.settling_time()) else 0.0
        if self._pending is not None:
            self._deliver()
        if self._interrupted():
            return None
        self._watching = True
        try:
            if settling:
                if settling > BATCH_SECONDS:
                    self._flush()
                if self._chooser is not None:
                    self._chooser.think()
                sequence.wait(settled - now())
            values = sequence.measure()
        finally:
            self._watching = False
        if self._chooser is not None:
            self._learn(index, coordinates, values)
        time, recent = now(), self._recent
        recent.append((index, time))
        if len(recent) > self._remembered:
            self._forget_what_is_beyond_doubt()
        visit = self.visits
        self.visits = visit + 1
        attempt = self._attempts.get(index, 0) if self._attempts else 0
        return PointTaken(index, time - self._start, coordinates, self._in_order(values), visit, attempt, self._session)

    def _deliver(self) -> None:
        """Hand the point that was measured last to the file."""
        point, self._pending = self._pending, None
        if point is not None:
            self._emit(point)
            self.points += point.attempt == 0

    # -- what disturbs ----------------------------------------------------------------------------------------------

    def _interrupted(self) -> bool:
        """Look at the station; whether the run shall pause or end before the next reading.

        Raises:
            InstrumentFault: something is not as it was set.
        """
        if self._requests.pending:
            return True
        disturbance = self._disturbance or self._look()
        if disturbance is None:
            return False
        self._disturbance = None
        why = str(disturbance)
        disturbed = self._measured_since(disturbance.since)
        if disturbance.action == "abort":
            raise Disturbed(why)
        for index in disturbed:
            self._attempts[index] = self._attempts.get(index, 0) + 1
            self._again.append(index)
        self._doubt(disturbed, why)
        if disturbance.action == "stop":
            self._requests.stop()
        else:
            self._requests.pause(why)
            self._waits_for = disturbance
        return True

    def _look_back(self) -> None:
        """Look at everything after the last reading, before it is changed on purpose.

        Raises:
            InstrumentFault: something is not as it was set.
        """
        self._expect(0.0)
        self._station.watch.look_at_everything()

    def _measured_since(self, since: float | None) -> list[int]:
        """Points measured since then, each once; None: since the look before the last one."""
        if since is None:
            since = self._station.watch.before
        return list(dict.fromkeys(index for index, time in self._recent if time > since))

    def _doubt(self, indices: list[int], why: str) -> None:
        """Mark points whose last reading is not to be trusted."""
        if indices:
            self._recent = deque((index, time) for index, time in self._recent if index not in indices)
            self._emit(PointsDisturbed(tuple(indices), self._now() - self._start, why))

    def _forget_what_is_beyond_doubt(self) -> None:
        oldest = min(self._station.watch.oldest, self._station.watch.before)
        while self._recent and self._recent[0][1] <= oldest:
            self._recent.popleft()
        self._remembered = 2 * len(self._recent) + _REMEMBERED

    def _mending(
        self, action: Callable[[], T], *, set_up: bool, paused: bool = False, fault: StmlabError | None = None
    ) -> T:
        """Do ``action``; after a transient fault connect anew, set up again if asked, and try again.

        An end at once is heard before each try of a connection: an instrument that is mute takes a minute of them.

        Args:
            action: what is done.
            set_up: the whole set-up again before the next try.
            paused: the run is, and stays so.
            fault: what it has met already, the first time.
        """
        failures = 0
        if fault is not None:
            if not fault.transient or self._station.attempts <= 1:
                raise fault
            failures = 1
        while True:
            try:
                if fault is not None:
                    self._mend(fault, set_up=set_up, paused=paused)
                return action()
            except StmlabError as error:
                failures += 1
                if not error.transient or failures >= self._station.attempts:
                    raise
                fault = error

    def _mend(self, fault: StmlabError, *, set_up: bool, paused: bool) -> None:
        self._deliver()
        self._enter(RunState.MENDING, f"{type(fault).__name__}: {fault}")
        self._station.reconnect(self._requests.checkpoint)
        if set_up:
            self._set_up()
            self._enter(RunState.RUNNING, "")
        elif paused:
            self._enter(RunState.PAUSED, self._requests.why_paused)

    def _set_up(self) -> None:
        """Every output as it must be before a sequence begins, then the sequence's own preparation.

        Raises:
            InstrumentFault: an instrument is not as it was just set.
        """
        self._expect(0.0)
        self._station.prepare_outputs(self._sequence.demands())
        self._sequence.prepare()
        self._path.forget()
        self._station.watch.begin()

    def _finish(self) -> None:
        self._expect(0.0)
        self._sequence.finish()
        self._station.check_status()

    # -- what is asked for ------------------------------------------------------------------------------------------

    def _attend(self) -> bool:
        """Do what was asked from outside; False: end after the point that has been taken."""
        requests = self._requests
        requests.checkpoint()
        self._deliver()
        self._flush()
        self._mending(self._look_back, set_up=False)
        if requests.pausing:
            self._pause()
        requests.attended_to()
        return not requests.stopping

    def _pause(self) -> None:
        """The hold state until the run is resumed at the same place, stopped or aborted."""
        requests, station = self._requests, self._station
        place = self._mending(station.place, set_up=False)
        while True:
            self._mending(station.hold, set_up=False)
            self._enter(RunState.PAUSED, requests.why_paused)
            self._wait_for_resume()
            if requests.stopping:
                return
            self._mending(self._set_up, set_up=False)
            if (last := self._last) is not None:
                self._mending(partial(self._path.move_to, last), set_up=True)
            moved = "" if requests.anyway else self._mending(partial(station.moved_from, place), set_up=False)
            if not moved:
                self._enter(RunState.RUNNING, "")
                return
            requests.pause(f"not the same place: {moved}; resume again to go on all the same")

    def _wait_for_resume(self) -> None:
        clock, requests = self._station.clock, self._requests
        allowed = self._station.longest_pause
        end = clock.now() + allowed
        while not requests.wait_for_resume(_LOOK):
            self._expect(0.0)
            requests.checkpoint()
            self._mending(self._station.watch.look, set_up=False, paused=True)
            if self._waits_for is not None and self._waits_for.cleared():
                self._waits_for = None
                requests.resume()
            if clock.now() > end:
                raise Disturbed(f"paused for longer than {allowed:g} s ({self._station.path}: safe.longest_pause)")
        requests.checkpoint()
