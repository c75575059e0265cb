"""A file as the data panels see it, whoever wrote it: a table or a grid of curves. Read in a work process; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError
from stmlab.storage.recorded import Grid, Recording, is_recorded, open_recording

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage import Run
    from stmlab.storage.recorded import Column


@dataclass(frozen=True, eq=False)
class Curve:
    """What is drawn as one line.

    Attributes:
        name: for the legend.
        x, y: shape (n,), in the units.
        x_label, x_unit, y_label, y_unit: of the axes.
        logarithmic: the decades of x count.
    """

    name: str
    x: FloatArray
    y: FloatArray
    x_label: str
    x_unit: str
    y_label: str
    y_unit: str
    logarithmic: bool = False


@dataclass(frozen=True, eq=False)
class Opened:
    """A file that was read.

    Attributes:
        path: of the file.
        title: one line for a person.
        table: its data.
        signal: channel that is shown first.
        label: of the swept axis.
        logarithmic: the decades of that axis count.
        sequence: of a run; "" of what another program recorded.
        fits: kept with a run.
        model: that belongs to a run; "" if none does.
    """

    path: Path
    title: str
    table: Recording | Grid
    signal: str
    label: str
    logarithmic: bool = False
    sequence: str = ""
    fits: tuple[FitResult, ...] = ()
    model: str = ""

    @property
    def is_run(self) -> bool:
        """Whether stmlab wrote it."""
        return bool(self.sequence)

    @property
    def swept(self) -> Column:
        """What the curves are drawn over."""
        return self.table.sweep if isinstance(self.table, Grid) else self.table.columns[0]

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of what can be drawn over it."""
        columns = self.table.channels if isinstance(self.table, Grid) else self.table.columns[1:]
        return tuple(column.name for column in columns)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the grid of places; () of a table."""
        return self.table.shape if isinstance(self.table, Grid) else ()

    def curve(self, channel: str = "", place: tuple[int, ...] = ()) -> Curve:
        """A channel over what was swept: of a grid at a place, or the mean of all places.

        Args:
            channel: its name; "" is the `signal`.
            place: in the grid.

        Raises:
            FileError: there is no such channel or place.
        """
        table = self.table
        if isinstance(table, Grid):
            table = table.spectrum(*place) if place else table.mean()
        name = channel or self.signal
        column, x = table[name], table.columns[0]
        where = f" at {', '.join(map(str, place))}" if place else ""
        label = name.replace("_", " ")
        return Curve(
            f"{self.path.stem}{where}",
            x.values,
            column.values,
            self.label,
            x.unit,
            label,
            column.unit,
            self.logarithmic,
        )

    def map(self, channel: str, at: int | None = None) -> FloatArray:
        """A channel of a grid at one place of the sweep, or its mean along it; of the grid's shape."""
        assert isinstance(self.table, Grid)
        values = self.table[channel].values
        if at is not None:
            return values[..., at]
        known = np.isfinite(values)
        if known.all():
            return np.asarray(values.mean(axis=-1))
        count = known.sum(axis=-1)
        mean: FloatArray = np.where(count, np.where(known, values, 0.0).sum(axis=-1) / np.maximum(count, 1), np.nan)
        return mean


def open_file(path: Path) -> Opened:
    """Read a run, or a file that another program recorded.

    Raises:
        FileError: it cannot be read.
    """
    if is_recorded(path):
        return _recorded(open_recording(path))
    from stmlab.storage import open_run

    return opened_run(open_run(path))


def opened_run(run: Run) -> Opened:
    """A run that was read."""
    from stmlab.analysis.models import default_model
    from stmlab.storage.exporters import recording_of

    axis = next((axis for axis in reversed(run.axes) if len(axis) > 1), run.axes[-1] if run.axes else None)
    about = [run.sequence, run.sample, run.date[:16].replace("T", " ")]
    return Opened(
        run.path,
        " · ".join(word for word in about if word),
        recording_of(run),
        run.channels[0].name if run.channels else "",
        (axis.label or axis.name) if axis is not None else "",
        axis is not None and axis.logarithmic and bool(np.all(axis.values > 0)),
        run.sequence,
        run.fits,
        default_model(run) or "",
    )


def _recorded(table: Recording | Grid) -> Opened:
    from stmlab.analysis.recorded.columns import signal

    mean = table.mean() if isinstance(table, Grid) else table
    try:
        name = signal(mean, None).name
    except FitError:
        name = mean.columns[min(1, len(mean.columns) - 1)].name
    return Opened(table.path, f"{table.path.name} · {table.format}", table, name, mean.columns[0].name.split(" [")[0])
