"""NumPy's ``.npz``: an array for each column under its name, and names in order, units and header beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.exporters.tables import header_of, table_of
from stmlab.storage.importers.numpy_files import RESERVED

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.storage.recorded import Grid, Recording

ENDING = ".npz"


def write(source: Recording | Grid, path: Path) -> list[str]:
    """Write a new file; returns what could not be kept as it was.

    Raises:
        FileError: a column has the name of one of the arrays beside them.
    """
    table, notes = table_of(source), list[str]()
    header = header_of(table, notes)
    names, units = [c.name for c in table.columns], [c.unit for c in table.columns]
    if taken := set(names) & {*RESERVED, "file"}:
        raise FileError(f"{path}: no column may be called {', '.join(sorted(taken))} in this format")
    beside = (names, units, list(header), list(header.values()))
    arrays = {name: np.array(texts, dtype=str) for name, texts in zip(RESERVED, beside, strict=True)}
    arrays |= {column.name: column.values for column in table.columns}
    with path.open("xb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return notes
