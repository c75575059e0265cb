"""What the exporters of tables share: titles that are read back as they were, a header of single lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.storage.importers.text import INTERVAL, name_and_unit
from stmlab.storage.recorded import Grid, Recording

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.storage.recorded import Column


def table_of(source: Recording | Grid) -> Recording:
    """A grid as one table; a recording as it is."""
    return source.table() if isinstance(source, Grid) else source


def titles(path: Path, columns: tuple[Column, ...]) -> list[str]:
    """``name (unit)`` of each column.

    Raises:
        FileError: a title would be read back as another name or unit.
    """
    found = []
    for column in columns:
        written = (
            (f"{column.name} ({column.unit})", f"{column.name} ()")
            if column.unit
            else (column.name, f"{column.name} ()")
        )
        fitting = [t for t in written if name_and_unit(t, 0) == (column.name, column.unit) and t == _one_line(t)]
        if not fitting or "\t" in fitting[0]:
            raise FileError(f"{path}: the name {column.name!r} in {column.unit!r} cannot be a title of this format")
        found.append(fitting[0])
    return found


def header_of(source: Recording, notes: list[str]) -> dict[str, str]:
    """The header with one line a text; with the interval of the samples where there is one."""
    header = {_one_line(key).replace("\t", " "): _one_line(text) for key, text in source.header.items() if key.strip()}
    broken = [key for key, text in source.header.items() if text != _one_line(text)]
    notes += [f"{key}: line breaks are written as blanks" for key in broken]
    if source.sample_interval is not None and INTERVAL not in header:
        header[INTERVAL] = repr(float(source.sample_interval))
    return header


def rows(columns: tuple[Column, ...]) -> zip[tuple[str, ...]]:
    """Cells of each row: the shortest decimal numbers that are read back bit for bit."""
    return zip(*(map(repr, column.values.tolist()) for column in columns), strict=True)


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
