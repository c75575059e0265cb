"""A run as the window sees it: arrays on the axes of the run that fill as readings come; free of Qt.

Each channel is one array in C order over the axes, outer to inner, nan until read: a sweep along the innermost axis is
a stretch of it. What a view needs of a whole array (its envelope, the mean of its sweeps) follows the changes, so that
a redraw costs what is new and what the screen can show, not what has been read so far. Memory is bounded by the shape
of the run, not by the number of readings; and of a very large run only the last sweeps are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.acquisition.choosing import sought
from stmlab.display.fit_curves import curves_of
from stmlab.events import Analysed, PointsDisturbed, PointTaken, RunFinished, RunStarted, StateChanged
from stmlab.gui.live.cells import Cells, rises
from stmlab.gui.live.keeping import Keeping
from stmlab.gui.live.narrowing import Narrowing
from stmlab.storage.following import News
from stmlab.storage.history import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stmlab.arrays import BoolArray, FloatArray, IntArray
    from stmlab.display.fit_curves import FitCurve
    from stmlab.events import Event
    from stmlab.gui.live.pyramid import Pyramid
    from stmlab.results import FitResult
    from stmlab.storage import Run
    from stmlab.storage.visits import Visits


class RunData:
    """Takes in the events of a run, one by one or many readings at once; in any order, points read again too.

    Attributes:
        started: all that was known before the first point, or None: no run yet.
        keeping: whether all of the run is kept, or its last sweeps.
        layout: the axes of what is kept, and how they are cut into lines.
        state: where the run stands, in one word; ``message`` is one line for a person.
        fits: those made of the run so far.
        points: places with a reading; ``readings`` counts every reading.
        last: the place read last, or -1.
        beyond: readings outside the plan of the axes: they have no place in a plot.
        version: a number that grows with every change.
        rewritten: a number that grows when a place that had a value gets another.
        narrowing: of a run that chooses its points, how what is sought becomes known.
        next_place: the place that is being measured, where the run tells; else -1.
    """

    def __init__(self) -> None:
        self.version = 0
        self._clear(None)

    def _clear(self, started: RunStarted | None) -> None:
        self.started = started
        names = [channel.name for channel in started.channels] if started is not None else []
        self.keeping = Keeping(started.axes if started is not None else (), len(names))
        self.layout = self.keeping.layout
        self.state, self.message = ("preparing" if started is not None else "idle"), ""
        self.fits: tuple[FitResult, ...] = ()
        self._fitted: tuple[FitResult | None, tuple[FitCurve, ...]] = None, ()
        self.points = self.readings = self.beyond = self.rewritten = 0
        self.last = self.under_way = self.next_place = -1
        self.narrowing = Narrowing()
        self._sought = sought(started) if started is not None else None
        self._partial_known: dict[str, int] = {}
        self._cells = {name: Cells(self.layout) for name in names}
        self.known: BoolArray = np.zeros(self.layout.places, dtype=bool)
        self._disturbed: BoolArray = np.zeros(self.layout.places, dtype=bool)
        software = self.layout.sweep is not None and not self.layout.sweep.hardware
        repeats = self.layout.places // len(self.layout.values)
        self._x = np.tile(self.layout.values, repeats) if software else np.empty(0)

    @classmethod
    def of(cls, run: Run) -> RunData:
        """A run as far as its file goes."""
        data = cls()
        data.news(news_of(run))
        if run.finished is None and run.live is False:
            data.abandon()
        return data

    # -- what comes --------------------------------------------------------------------------------------------------

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        self.version += 1
        if isinstance(event, PointTaken):
            values = [np.asarray(value, dtype=float)[None] for value in event.values]
            self.take(np.array([event.index]), np.array([event.coordinates], dtype=float), values)
        elif isinstance(event, RunStarted):
            self._clear(event)
        elif isinstance(event, PointsDisturbed):
            self._disturb(np.array([i for i in event.indices if 0 <= i < self.keeping.places], dtype=np.int64))
        elif isinstance(event, StateChanged):
            self.state, self.message = str(event.state), event.reason
            self.next_place = -1
        elif isinstance(event, Analysed):
            self.fits = (*self.fits, event.fit)
        elif isinstance(event, RunFinished):
            self.state, self.message = str(event.state), event.message
            self.next_place = -1
            self._forget_partial()

    def news(self, news: News) -> None:
        """Take in what a file has told since the last look."""
        taken, end = news.first, news.first + len(news.readings)
        for before, event in (*news.said, (end, None)):
            self._take_visits(news.readings, taken - news.first, min(before, end) - news.first)
            taken = max(before, taken)
            if event is not None:
                self(event)

    def abandon(self) -> None:
        """Nobody writes this run any more, and it has no end."""
        self.version += 1
        self.state, self.message = "killed", f"its writer is gone; all {self.points} acknowledged points are here"
        self._forget_partial()

    def _take_visits(self, visits: Visits, first: int, stop: int) -> None:
        if stop > first:
            rows = slice(first, stop)
            coordinates = [column[rows] for column in visits.coordinates.values()]
            table = np.stack(coordinates, axis=1) if coordinates else np.empty((stop - first, 0))
            self.take(visits.index[rows], table, [visits.data[channel][rows] for channel in self.channels])

    def take(self, index: IntArray, coordinates: FloatArray, values: Sequence[FloatArray]) -> None:
        """Take in readings, in the order in which they were taken: the last one of a place counts.

        Args:
            index: as `PointTaken.index`, shape (n,).
            coordinates: shape (n, axes that software moves).
            values: for each channel shape (n,), or (n, lengths of the hardware-swept axes).
        """
        inside = (index >= 0) & (index < self.keeping.places)
        if not inside.all():
            self.beyond += int(np.count_nonzero(~inside))
            index, coordinates, values = index[inside], coordinates[inside], [value[inside] for value in values]
        if not len(index):
            return
        self._forget_partial()
        self.version += 1
        if self._sought is not None:
            self.narrowing.take(values[self._sought.value], values[self._sought.error])
        for rows, slots, stale in self.keeping.parts(index):
            self._empty(stale)
            self._take(slots, coordinates[rows], [value[rows] for value in values])

    def _take(self, slots: IntArray, coordinates: FloatArray, values: Sequence[FloatArray]) -> None:
        """Readings at their places."""
        fresh = ~self.known[slots]
        self.readings += len(slots)
        once = rises(slots) or len(np.unique(slots)) == len(slots)
        self.points += int(np.count_nonzero(fresh)) if once else len(np.unique(slots[fresh]))
        self.rewritten += not once or not fresh.all()
        self.known[slots] = True
        self._disturbed[slots] = False
        self.last = int(slots[-1])
        if self.layout.sweep is not None and not self.layout.sweep.hardware:
            self._x[slots] = coordinates[:, -1]
        for channel, value in zip(self.channels, values, strict=True):
            self._cells[channel].put(slots, value)

    def _empty(self, slots: IntArray) -> None:
        """Places that are taken by another sweep now."""
        if not len(slots) or not self.known[slots].any():
            return
        self.rewritten += 1
        self.known[slots] = self._disturbed[slots] = False
        for cells in self._cells.values():
            cells.empty(slots)

    def partial(self, index: int, values: Mapping[str, FloatArray]) -> None:
        """The beginning of what is being read along a hardware-swept axis; it is not in the file yet.

        Args:
            index: of the point that is being taken.
            values: channel -> as far as it goes; channels that are not there yet may be missing.
        """
        if not 0 <= index < self.keeping.places:
            return
        self.version += 1
        ((_, slots, stale),) = self.keeping.parts(np.array([index]))
        self._empty(stale)
        self.under_way = self.last = int(slots[0])
        first = self.under_way * self.layout.width
        for channel, value in values.items():
            if channel in self._cells:
                part = np.asarray(value, dtype=float).ravel()[: self.layout.width]
                known = self._partial_known.get(channel, 0)
                cells = slice(first + known, first + len(part))
                if len(part) > known and self.layout.ordered:
                    self._cells[channel].write(cells, part[known:])
                    self._partial_known[channel] = len(part)

    # -- what there is -----------------------------------------------------------------------------------------------

    @property
    def channels(self) -> tuple[str, ...]:
        """Names, in the order of the run."""
        return tuple(self._cells)

    @property
    def total(self) -> int:
        """Places in the plan."""
        return self.keeping.places if self.started is not None else 0

    def unit(self, channel: str) -> str:
        """Of a channel."""
        assert self.started is not None
        return next(one.unit for one in self.started.channels if one.name == channel)

    def cells(self, channel: str) -> FloatArray:
        """A channel in C order, nan where there is nothing; shape (cells,), not a copy."""
        return self._cells[channel].values

    def x(self, cells: slice | IntArray) -> FloatArray:
        """Where cells lie along the innermost axis: where the point really was, where that is known."""
        if self.layout.sweep is None or self.layout.sweep.hardware:
            values = self.layout.values
            places = np.arange(cells.start, cells.stop) if isinstance(cells, slice) else cells
            return values[places % len(values)]
        return self._x[cells]

    def disturbed(self, cells: slice) -> IntArray:
        """Those of the cells whose readings are not to be trusted."""
        width = self.layout.width
        places = np.flatnonzero(self._disturbed[cells.start // width : -(-cells.stop // width)])
        if width == 1:
            return np.asarray(places + cells.start)
        return np.arange(cells.start, cells.stop) if places.size else np.empty(0, dtype=np.int64)

    def has_values(self, start: int, stop: int) -> bool:
        """Whether anything was read in a stretch of cells; what is under way counts."""
        width = self.layout.width
        first, last = start // width, -(-stop // width)
        return bool(self.known[first:last].any()) or first <= self.under_way < last

    def pyramid(self, channel: str) -> Pyramid:
        """Minima and maxima of a channel; made when it is first asked for, and kept up to date from then on."""
        return self._cells[channel].pyramid()

    def fitted(self) -> tuple[FitCurve, ...]:
        """The curves of the last fit, each with its place; none where not all of the run is kept."""
        fit = self.fits[-1] if self.fits else None
        if fit is not self._fitted[0]:
            kept = fit is not None and self.keeping.whole
            self._fitted = fit, curves_of(fit, self.layout.axes) if fit is not None and kept else ()
        return self._fitted[1]

    def mean(self, channel: str) -> FloatArray:
        """Of a channel over its repetitions (see `Layout.repeated`); shape (cells of one repetition,).

        Readings that were disturbed do not count.
        """
        return self._cells[channel].mean(self._disturbed)

    # -- details -----------------------------------------------------------------------------------------------------

    def _disturb(self, index: IntArray) -> None:
        """The values of these points stay, and are not to be trusted."""
        slots = self.keeping.slots(index)
        self._disturbed[slots] = True
        self.rewritten += 1
        for cells in self._cells.values():
            cells.touched(slots)

    def _forget_partial(self) -> None:
        """What was under way has come whole, or never will."""
        if self.under_way < 0:
            return
        slot, self.under_way = self.under_way, -1
        if not self.known[slot]:
            for channel in self._partial_known:
                self._cells[channel].empty(np.array([slot]))
        self._partial_known = {}


def news_of(run: Run) -> News:
    """All of a run in memory, as if it had just been read: fits that were added later come last."""
    count = len(run.visits)
    said: list[tuple[int, Event]] = [(0, run.started), *in_order(run.history, run.stored_fits)]
    said += [(count, Analysed(stored.fit)) for stored in run.stored_fits if stored.place is None]
    if run.finished is not None:
        said.append((count, run.finished))
    return News(0, run.visits, tuple(said))
