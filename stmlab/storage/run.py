"""A run read back: everything that was said of it, and its data as arrays in memory."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import FileError
from stmlab.events import PointTaken, RunState, StateChanged
from stmlab.storage.history import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas
    import xarray

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.axes import Axis, Channel
    from stmlab.events import Event, ParameterValue, PointsDisturbed, RunFinished, RunStarted
    from stmlab.results import FitResult
    from stmlab.storage.fits import StoredFit
    from stmlab.storage.visits import Visits


@dataclass(frozen=True, eq=False)
class Run:
    """One run, as far as its file goes.

    Attributes:
        path: the file.
        started: all that was known before the first output moved.
        history: the states the run went through and the points that were disturbed, each with the number of readings
            taken before.
        finished: how it ended, or None: still running, or killed.
        live: whether its writer is at work; None where that cannot be known.
        visits: every reading in the order in which it was taken; ``index``, ``time``, ``coordinates`` and ``data``
            are those of the last reading of each point.
    """

    path: Path
    started: RunStarted
    history: tuple[tuple[int, StateChanged | PointsDisturbed], ...]
    finished: RunFinished | None
    live: bool | None
    visits: Visits = field(repr=False)
    stored_fits: tuple[StoredFit, ...] = field(default=(), repr=False)

    # -- how it went -------------------------------------------------------------------------------------------------

    @property
    def points(self) -> int:
        """Number of points with an acknowledged reading."""
        return len(self.index)

    @property
    def state(self) -> RunState:
        """The last state that the file knows of; ``complete`` and ``live`` tell whether the run is still in it."""
        if self.finished is not None:
            return self.finished.state
        states = [event.state for _, event in self.history if isinstance(event, StateChanged)]
        return states[-1] if states else RunState.PREPARING

    @property
    def complete(self) -> bool:
        """Whether the run came to its end, by whichever way; a killed one did not."""
        return self.finished is not None

    @property
    def reason(self) -> str:
        """Machine-readable cause of the end; "running", "killed" or "unfinished" (not known which) if there is none."""
        if self.finished is not None:
            return self.finished.reason
        return {True: "running", False: "killed", None: "unfinished"}[self.live]

    @property
    def message(self) -> str:
        """One line for a person."""
        if self.finished is not None:
            return self.finished.message
        return {
            True: "still being written",
            False: f"killed: its writer is gone; all {self.points} acknowledged points are here",
            None: "has no end: still being written, or killed",
        }[self.live]

    @property
    def fits(self) -> tuple[FitResult, ...]:
        """Fits in the order in which they were made, those added later included."""
        return tuple(stored.fit for stored in self.stored_fits)

    @property
    def snapshot_after(self) -> Mapping[str, Mapping[str, Any]]:
        """The instruments after the run; empty if it did not finish."""
        return self.finished.snapshot if self.finished is not None else {}

    # -- what it was -------------------------------------------------------------------------------------------------

    @property
    def run_id(self) -> str:
        """Unique name of the run."""
        return self.started.run_id

    @property
    def sequence(self) -> str:
        """Name of the experiment."""
        return self.started.sequence

    @property
    def date(self) -> str:
        """ISO 8601, UTC."""
        return self.started.date

    @property
    def parameters(self) -> Mapping[str, ParameterValue]:
        """The sequence's parameters as they were used."""
        return self.started.parameters

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Outer to inner, hardware-swept ones last."""
        return self.started.axes

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.started.shape

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What was read at every point."""
        return self.started.channels

    @property
    def factors(self) -> Mapping[str, ParameterValue]:
        """Every factor between the raw readings and the physical quantities."""
        return self.started.factors

    @property
    def station(self) -> str:
        """Name of the station."""
        return self.started.station

    @property
    def configuration(self) -> str:
        """Text of the station's file."""
        return self.started.configuration

    @property
    def sample(self) -> str:
        """Name of the sample."""
        return self.started.sample

    @property
    def user(self) -> str:
        """Who measured, or ""."""
        return self.started.user

    @property
    def snapshot_before(self) -> Mapping[str, Mapping[str, Any]]:
        """The instruments before the run."""
        return self.started.snapshot

    @property
    def versions(self) -> Mapping[str, str]:
        """Package -> version."""
        return self.started.versions

    @property
    def git(self) -> str:
        """Revision of the checkout."""
        return self.started.git

    @property
    def seed(self) -> int | None:
        """Of the simulation."""
        return self.started.seed

    # -- the data by point -------------------------------------------------------------------------------------------

    @cached_property
    def _last(self) -> Visits:
        return self.visits.last()

    @property
    def index(self) -> IntArray:
        """Place of each point in C order over the axes that software moves; increasing, shape (points,)."""
        return self._last.index

    @property
    def time(self) -> FloatArray:
        """When each point was read, s since the start; shape (points,)."""
        return self._last.time

    @property
    def coordinates(self) -> Mapping[str, FloatArray]:
        """Axis -> where each point really was; shape (points,)."""
        return self._last.coordinates

    @property
    def data(self) -> Mapping[str, FloatArray]:
        """Channel -> shape (points, lengths of the hardware-swept axes)."""
        return self._last.data

    # -- the data on their axes --------------------------------------------------------------------------------------

    def grid(self, name: str) -> FloatArray:
        """A channel, a coordinate or "time" on the axes; nan where no point was taken.

        Returns:
            shape ``self.shape`` for a channel, the axes that software moves for a coordinate or the time. A point
            that was taken twice counts as it was taken last.

        Raises:
            FileError: nothing has this name, or the run went beyond its axes.
        """
        rows = self._rows(name)
        outer = tuple(len(axis) for axis in self.axes if not axis.hardware)
        places = int(np.prod(outer, dtype=np.int64))
        if self.points and (self.index[0] < 0 or self.index[-1] >= places):
            raise FileError(f"{self.path}: the run went beyond its axes {outer}: use data[{name!r}] point by point")
        grid = np.full((places, *rows.shape[1:]), np.nan)
        grid[self.index] = rows
        return grid.reshape((*outer, *rows.shape[1:]))

    def to_xarray(self) -> xarray.Dataset:
        """The run as an xarray Dataset, under the names that its file uses; nan where nothing was measured.

        Each axis is a dimension with its values; where the points really were stands beside it as ``<axis>_measured``,
        when as ``elapsed``. The error of ``<channel>`` is ``<channel>_errors``. Units are in ``units`` of each
        variable; ``attrs`` holds the parameters by name, with ``<parameter>_units``, and the run's own data as
        ``run_<name>``. For ``to_netcdf``, True and False are 1 and 0 there, a whole number of more than 32 bits is
        text, and what is unknown is left out: netCDF does not know them.

        Raises:
            FileError: the run went beyond its axes.
        """
        from stmlab.storage.labelled import dataset_of

        return dataset_of(self)

    def to_dataframe(self, *, visits: bool = False) -> pandas.DataFrame:
        """The run as a pandas DataFrame: one row for each point that was read, or for each value of its arrays.

        Columns: each axis as planned (nan beyond the plan), ``<axis>_measured``, ``elapsed``, the channels;
        ``attrs["units"]`` has their units.

        Args:
            visits: every reading in its order, with the columns ``visit``, ``attempt`` and ``session``; else the last
                one of each point, by increasing index.
        """
        from stmlab.storage.labelled import frame_of

        return frame_of(self, visits=visits)

    def replay(self) -> Iterator[Event]:
        """The events of the run, in the order in which they came; fits added later are no part of it."""
        yield self.started
        points = map(self._point, range(len(self.visits)))
        taken = 0
        for before, event in in_order(self.history, self.stored_fits):
            yield from itertools.islice(points, before - taken)
            taken = before
            yield event
        yield from points
        if self.finished is not None:
            yield self.finished

    def _point(self, row: int) -> PointTaken:
        visits = self.visits
        values = (visits.data[channel.name][row] for channel in self.channels)
        coordinates = (float(column[row]) for column in visits.coordinates.values())
        return PointTaken(
            int(visits.index[row]),
            float(visits.time[row]),
            tuple(coordinates),
            tuple(value if np.ndim(value) else float(value) for value in values),
            visit=row,
            attempt=int(visits.attempt[row]),
            session=int(visits.session[row]),
        )

    def _rows(self, name: str) -> FloatArray:
        known = {"time": self.time} | dict(self.coordinates) | dict(self.data)
        if name not in known:
            raise FileError(f"{self.path}: no channel or coordinate {name!r}; it has {', '.join(sorted(known))}")
        return known[name]
