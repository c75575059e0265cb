"""A file of another program as a recorded junction of its kind: what changed from row to row decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.analysis.recorded.swept import Swept, rows_of
from stmlab.errors import FileError
from stmlab.simulation.replay.change_files import pulses_of, response_of
from stmlab.simulation.replay.headers import completed
from stmlab.simulation.replay.spectra_files import spectrum_of
from stmlab.simulation.replay.trace_files import trace_of
from stmlab.storage.recorded import Grid, open_recording

if TYPE_CHECKING:
    from stmlab.simulation.replay.recorded import RecordedJunction
    from stmlab.simulation.replay.table import ReplayTable
    from stmlab.storage.recorded import Recording


def junction_of_file(table: ReplayTable) -> RecordedJunction:
    """Read a file.

    Raises:
        FileError: it holds nothing that can be replayed, or no grid to choose a pixel of.
        FitError: what it holds cannot be told.
    """
    found = open_recording(table.file)
    recording = _pixel(found, table) if isinstance(found, Grid) else found
    if table.pixel is not None and recording is found:
        raise FileError(f"{table.file}: no grid: there is no pixel to choose")
    rows, table = rows_of(recording), completed(table, recording)
    if rows.what is Swept.BIAS:
        return spectrum_of(recording, rows, table)
    if rows.what is Swept.TIME:
        return trace_of(recording, rows, table)
    if rows.what is Swept.FREQUENCY:
        return response_of(recording, rows, table)
    if rows.what is Swept.DELAY:
        return pulses_of(recording, rows, table)
    raise FileError(f"{table.file}: {rows.column.name} in {rows.column.unit or 'no unit'} was swept: not replayed")


def _pixel(grid: Grid, table: ReplayTable) -> Recording:
    """The curves at one place of a grid, which the user chooses by column and row."""
    rows, columns = grid.shape if len(grid.shape) == 2 else (1, *grid.shape)
    if len(grid.shape) > 2:
        raise FileError(f"{table.file}: a grid over {', '.join(grid.axes)}: two axes are replayed")
    where = f"a grid of {columns} x {rows} places"
    if table.pixel is None:
        raise FileError(f"{table.file}: {where}: choose one of them, as in --pixel {columns // 2},{rows // 2}")
    x, y = table.pixel
    if not (0 <= x < columns and 0 <= y < rows):
        raise FileError(
            f"{table.file}: pixel {x},{y} is not in {where}: 0,0 to {columns - 1},{rows - 1} are (column, row)"
        )
    place = (y, x) if len(grid.shape) == 2 else (x,)
    if not grid.measured[place]:
        raise FileError(f"{table.file}: pixel {x},{y} was not measured: choose another of {where}")
    return grid.spectrum(*place)
