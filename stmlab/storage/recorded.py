"""Files that other programs wrote, as named columns with units: nothing is dropped, nothing is guessed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stmlab.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Column:
    """One column: ``name`` with its flags ("Current [AVG] [bwd]"), unit as written in the file, values shape (n,)."""

    name: str
    unit: str
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded file.

    Attributes:
        path: where it was read.
        format: "nanonis" or "createc".
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
        for column in self.columns:
            if column.name == name:
                return column
        named = [column for column in self.columns if column.name.split(" [")[0] == name]
        forward = [column for column in named if "[bwd]" not in column.name]
        if len(forward) == 1:
            return forward[0]
        several = f"{name!r} may be several columns: name one of" if named else f"no column {name!r}; there are"
        raise FileError(f"{self.path}: {several} {', '.join(c.name for c in named or self.columns)}")


READERS = {".dat": "stmlab.storage.nanonis_dat", ".vert": "stmlab.storage.createc_vert"}
"""Ending -> module with ``read(path) -> Recording``."""


def is_recorded(path: str | Path) -> bool:
    """Whether the file's ending is one of another program's."""
    return Path(path).suffix.lower() in READERS


def open_recording(path: str | Path) -> Recording:
    """Read a recorded file by its ending.

    Raises:
        FileError: unknown ending, no such file, or not what its ending says.
    """
    path = Path(path)
    if not is_recorded(path):
        raise FileError(f"{path}: {path.suffix or 'no ending'} is not known; {', '.join(READERS)} are")
    import importlib

    recording: Recording = importlib.import_module(READERS[path.suffix.lower()]).read(path)
    return recording


def read_text(path: Path, *encodings: str) -> str:
    """The file's text, by the first encoding that it has, or FileError in one line."""
    *tried, last = encodings
    for encoding in tried:
        with suppress(UnicodeDecodeError, OSError):
            return path.read_text(encoding=encoding)
    try:
        return path.read_text(encoding=last)
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError:
        raise FileError(f"{path}: not a text file, as {path.suffix} files are") from None


def read_rows(path: Path, rows: Iterable[tuple[int, list[str]]], width: int) -> tuple[FloatArray, bool]:
    """Numbers of a table, shape (rows, ``width``), and whether they are written with decimal commas.

    Args:
        path: for the message.
        rows: number of the line, counted from one, and its cells.
        width: how many each row must have.

    Raises:
        FileError: a row of another length, a cell that is no number, or commas in some numbers and points in others.
    """
    rows = list(rows)
    for number, cells in rows:
        if len(cells) != width:
            raise FileError(
                f"{path}: line {number} holds {len(cells)} values instead of {width} (is the file cut off?)"
            )
    commas = next((number for number, cells in rows if any("," in cell for cell in cells)), None)
    points = next((number for number, cells in rows if any("." in cell for cell in cells)), None)
    if commas is not None and points is not None:
        raise FileError(
            f"{path}: decimal commas (line {commas}) and decimal points (line {points}): which is which cannot be told"
        )
    values = np.array([[_read_number(path, number, cell) for cell in cells] for number, cells in rows])
    return values.reshape(len(rows), width), commas is not None


def read_number(text: str) -> float:
    """A number as programs write it, with a decimal point or comma; raises ValueError for anything else."""
    if "_" in text or text.count(",") > 1 or ("," in text and "." in text):
        raise ValueError(text)
    return float(text.replace(",", "."))


def unique(names: Iterable[str]) -> list[str]:
    """The names, with "#2" and so on behind those that were there before: nothing is lost where a name is repeated."""
    found: list[str] = []
    times: dict[str, int] = {}
    for name in names:
        times[name] = times.get(name, 0) + 1
        found.append(name if times[name] == 1 else f"{name} #{times[name]}")
    return found


def _read_number(path: Path, number: int, cell: str) -> float:
    try:
        return read_number(cell)
    except ValueError:
        raise FileError(f"{path}: line {number} holds {cell[:40]!r} where a number should be") from None
