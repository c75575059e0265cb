"""Files that other programs wrote, as named columns with units: nothing is dropped, nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stmlab.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Column:
    """One quantity: ``name`` with its flags ("Current [AVG] [bwd]"), unit as written in the file, values.

    Values have shape (n,) in a `Recording`; in a `Grid` what is said there.
    """

    name: str
    unit: str
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded file: one table.

    Attributes:
        path: where it was read.
        format: "nanonis", "createc", "nexus", "csv", "numpy", "pymeasure" or "netcdf".
        header: key -> text, as it stands in the file.
        columns: in the order of the file, each with a name of its own.
        sample_interval: s between rows, where the header says so.
        notes: what was met that the format does not foresee, and what was made of it; one sentence each.
    """

    path: Path
    format: str
    header: Mapping[str, str]
    columns: tuple[Column, ...]
    sample_interval: float | None = None
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Column:
        """The column called ``name``, or the only forward one that is called so but for its flags.

        Raises:
            FileError: there is no such column, or several with other flags; it lists those that exist.
        """
        return _named(self.path, name, self.columns)


@dataclass(frozen=True, eq=False)
class Grid:
    """Many curves over one swept quantity, taken at places that stand in a grid.

    Attributes:
        path, format, header, notes: as of a `Recording`.
        axes: names of the outer axes: ("y", "x") of a map, rows first.
        sweep: what was swept; values of shape (n,), or (*shape, n) where the places differ in it.
        channels: what was read; values of shape (*shape, n), nan where nothing was measured.
        parameters: what is known of each place, such as "X", "Y", "Z"; values of shape ``shape``.
    """

    path: Path
    format: str
    header: Mapping[str, str]
    axes: tuple[str, ...]
    sweep: Column
    channels: tuple[Column, ...]
    parameters: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Column:
        """A channel or parameter, as `Recording` finds it; raises FileError likewise."""
        return _named(self.path, name, (*self.channels, *self.parameters))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the grid of places: (rows, columns)."""
        return self.channels[0].values.shape[:-1]

    @property
    def measured(self) -> BoolArray:
        """Places at which some channel holds a number, of shape ``shape``."""
        there = np.zeros(self.shape, dtype=bool)
        for channel in self.channels:
            there |= np.isfinite(channel.values).any(axis=-1)
        return there

    def sweeps(self) -> Iterator[tuple[FloatArray, IntArray]]:
        """Each different sweep (n,) with the places that have it, numbered in C order."""
        values = self.sweep.values
        if values.ndim == 1:
            yield values, np.arange(int(np.prod(self.shape)))
            return
        rows = values.reshape(-1, values.shape[-1])
        different, which = np.unique(rows, axis=0, return_inverse=True)
        for number, sweep in enumerate(different):
            yield sweep, np.flatnonzero(which.ravel() == number)

    def spectrum(self, *place: int) -> Recording:
        """What was read at one place: ``grid.spectrum(row, column)``; its parameters stand in the header.

        Raises:
            FileError: the grid has no such place.
        """
        if len(place) != len(self.shape) or not all(0 <= k < n for k, n in zip(place, self.shape, strict=True)):
            raise FileError(f"{self.path}: no place {place} in a grid of {' x '.join(map(str, self.shape))}")
        swept = self.sweep.values if self.sweep.values.ndim == 1 else self.sweep.values[place]
        known = {f"{p.name} ({p.unit})" if p.unit else p.name: f"{p.values[place]:g}" for p in self.parameters}
        columns = [Column(self.sweep.name, self.sweep.unit, swept)]
        columns += [Column(channel.name, channel.unit, channel.values[place]) for channel in self.channels]
        return Recording(self.path, self.format, {**self.header, **known}, tuple(columns), notes=self.notes)

    def mean(self) -> Recording:
        """The mean over the places that were measured; where they differ in the sweep, of those with its first."""
        sweep, places = next(self.sweeps())
        columns = [Column(self.sweep.name, self.sweep.unit, sweep)]
        for channel in self.channels:
            rows = channel.values.reshape(-1, sweep.size)[places]
            known = np.isfinite(rows)
            count = known.sum(axis=0)
            sums = np.where(known, rows, 0.0).sum(axis=0)
            columns.append(Column(channel.name, channel.unit, np.where(count, sums / np.maximum(count, 1), np.nan)))
        return Recording(self.path, self.format, self.header, tuple(columns), notes=self.notes)

    def table(self) -> Recording:
        """All of it as one table: place by place, its parameters repeated along the sweep."""
        shape = self.channels[0].values.shape
        outer = np.indices(self.shape, dtype=float)
        columns = [Column(f"{name} index", "", values) for name, values in zip(self.axes, outer, strict=True)]
        columns = [Column(c.name, c.unit, c.values[..., None]) for c in (*columns, *self.parameters)]
        columns += [self.sweep, *self.channels]
        flat = (Column(c.name, c.unit, np.broadcast_to(c.values, shape).ravel()) for c in columns)
        return Recording(self.path, self.format, self.header, tuple(flat), notes=self.notes)


def is_recorded(path: str | Path) -> bool:
    """Whether the file is one of another program, and not a run of stmlab: by what is in it, else by its ending."""
    from stmlab.storage.importers import importer_of

    return importer_of(Path(path)) is not None


def open_recording(path: str | Path) -> Recording | Grid:
    """Read a file of another program, told by what is in it: a table, or a grid of curves.

    Raises:
        FileError: no such file, of no known format, or damaged.
    """
    from stmlab.storage.importers import read

    return read(Path(path))


def _named(path: Path, name: str, columns: tuple[Column, ...]) -> Column:
    for column in columns:
        if column.name == name:
            return column
    named = [column for column in columns if column.name.split(" [")[0] == name]
    forward = [column for column in named if "[bwd]" not in column.name]
    if len(forward) == 1:
        return forward[0]
    several = f"{name!r} may be several columns: name one of" if named else f"no column {name!r}; there are"
    raise FileError(f"{path}: {several} {', '.join(c.name for c in named or columns)}")
