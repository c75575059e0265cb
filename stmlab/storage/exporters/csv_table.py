"""CSV: comment lines ``# key<TAB>value``, a quoted line of titles with units, rows."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from stmlab.storage.exporters.tables import header_of, rows, table_of, titles

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.storage.recorded import Grid, Recording

ENDING = ".csv"


def write(source: Recording | Grid, path: Path) -> list[str]:
    """Write a new file; returns what could not be kept as it was."""
    table, notes = table_of(source), list[str]()
    header, named = header_of(table, notes), titles(path, table.columns)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.writelines(f"# {key}\t{text}\n" for key, text in header.items())
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(named)
        file.writelines(",".join(cells) + "\n" for cells in rows(table.columns))
    return notes
