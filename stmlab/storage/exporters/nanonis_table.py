"""Nanonis-style ``.dat``: ``key<TAB>value<TAB>`` lines, ``[DATA]``, titles with units, rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.storage.exporters.tables import header_of, rows, table_of, titles

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.storage.recorded import Grid, Recording

ENDING = ".dat"


def write(source: Recording | Grid, path: Path) -> list[str]:
    """Write a new file; returns what could not be kept as it was."""
    table, notes = table_of(source), list[str]()
    header, named = header_of(table, notes), titles(path, table.columns)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{key}\t{text}\t\n" for key, text in header.items())
        file.write("\n[DATA]\n" + "\t".join(named) + "\n")
        file.writelines("\t".join(cells).upper().replace("NAN", "NaN") + "\n" for cells in rows(table.columns))
    return notes
