"""Results of pymeasure: comment lines with the procedure and its parameters, a line of titles, rows.

pymeasure writes whole numbers and 4-byte ones as nan where the column has a unit, and text without quotes, so that a
comma in a text moves what follows: such rows are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.importers.text import name_and_unit, read_table, read_text, unique
from stmlab.storage.recorded import Recording

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS: tuple[str, ...] = ()
_MARK = "#Procedure:"


def recognises(head: bytes) -> bool:
    """Whether the file's beginning is one of this format."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(_MARK.encode())


def read(path: Path) -> Recording:
    """Read a file.

    Raises:
        FileError: no line of titles, no rows, rows of another length, or text among numbers.
    """
    lines = read_text(path, "utf-8-sig", "cp1252").splitlines()
    comments = [line[1:] for line in lines if line.startswith("#")]
    rows = [(k, line) for k, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not rows:
        raise FileError(f"{path}: there is no line of titles")
    titles = [name_and_unit(title, k) for k, title in enumerate(rows[0][1].split(","), 1)]
    columns, notes = read_table(path, ((number, line.split(",")) for number, line in rows[1:]), titles)
    lost = [column.name for column in columns if column.unit and not np.isfinite(column.values).any()]
    notes += [
        f"{name} holds no number: pymeasure writes whole numbers and 4-byte ones as nan where a column has a unit"
        for name in lost
    ]
    return Recording(path, "pymeasure", _header(comments), columns, notes=tuple(notes))


def _header(comments: list[str]) -> dict[str, str]:
    pairs = [
        (key.strip(), value.strip())
        for key, colon, value in (line.partition(":") for line in comments)
        if colon and key.strip() not in ("Parameters", "Metadata", "Data")
    ]
    return dict(zip(unique(key for key, _ in pairs), (value for _, value in pairs), strict=True))
