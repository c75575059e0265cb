"""Exporters: one module a format, each with its ending and ``write``. What is written is read back bit for bit.

CSV, Nanonis-style ``.dat`` and NumPy take a table; of a grid or a run over several axes every point is a row. netCDF
keeps the axes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stmlab.errors import FileError
from stmlab.storage.exporters import csv_table, nanonis_table, netcdf_arrays, numpy_table
from stmlab.storage.exporters.of_run import recording_of
from stmlab.storage.recorded import Grid, Recording, is_recorded, open_recording
from stmlab.storage.refusals import check_new
from stmlab.storage.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EXPORTERS", "export", "recording_of"]


class Exporter(Protocol):
    """A module that writes one format."""

    ENDING: str

    def write(self, source: Recording | Grid, path: Path) -> list[str]:
        """Write a new file; returns what could not be kept as it was, one sentence each."""


EXPORTERS: Mapping[str, Exporter] = {
    "csv": csv_table,
    "dat": nanonis_table,
    "netcdf": netcdf_arrays,
    "numpy": numpy_table,
}
"""By the names that ``stmlab export --to`` takes."""


def export(
    source: Run | Recording | Grid | str | Path, to: str, path: str | Path | None = None
) -> tuple[Path, list[str]]:
    """Write a run or a recorded file in another format.

    Args:
        source: as `open_run` or `open_recording` gives it, or its file.
        to: one of the `EXPORTERS`.
        path: of the new file; by default beside the source, with the format's ending.

    Returns:
        The new file, and what could not be kept as it was, one sentence each.

    Raises:
        FileError: the format is not known, the new file exists already, or a name cannot be written in the format.
    """
    if to not in EXPORTERS:
        raise FileError(f"--to {to}: {', '.join(EXPORTERS)} are known")
    found = _opened(source)
    target = Path(path) if path is not None else found.path.with_suffix(EXPORTERS[to].ENDING)
    check_new(target)
    recording = recording_of(found) if isinstance(found, Run) else found
    try:
        return target, EXPORTERS[to].write(recording, target)
    except OSError as error:
        raise FileError(f"{target}: cannot be written ({error.strerror or error})") from error


def _opened(source: Run | Recording | Grid | str | Path) -> Run | Recording | Grid:
    if isinstance(source, Run | Recording | Grid):
        return source
    from stmlab.storage.reader import open_run

    return open_recording(source) if is_recorded(source) else open_run(source)
