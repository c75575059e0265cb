"""A file of another program as a recorded junction of its kind: what changed from row to row decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.analysis.recorded.swept import Swept, rows_of
from stmlab.errors import FileError
from stmlab.simulation.replay.spectra_files import spectrum_of
from stmlab.storage.recorded import open_recording

if TYPE_CHECKING:
    from stmlab.simulation.replay.recorded import RecordedJunction
    from stmlab.simulation.replay.table import ReplayTable


def junction_of_file(table: ReplayTable) -> RecordedJunction:
    """Read a file.

    Raises:
        FileError: it holds nothing that can be replayed, or no grid to choose a pixel of.
        FitError: what it holds cannot be told.
    """
    recording = open_recording(table.file)
    if table.pixel is not None:
        raise FileError(f"{table.file}: no grid: there is no pixel to choose")
    rows = rows_of(recording)
    if rows.what is Swept.BIAS:
        return spectrum_of(recording, rows, table)
    raise FileError(f"{table.file}: {rows.column.name} in {rows.column.unit or 'no unit'} was swept: not replayed")
