"""Files that other programs wrote, as named columns with units: nothing is dropped, nothing is guessed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        columns: in the order of the file; the first is what was swept (or the time of a trace).
        sample_interval: s between rows, where the file says so.
    """

    path: Path
    format: str
    header: Mapping[str, str]
    columns: tuple[Column, ...]
    sample_interval: float | None = None

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

    @property
    def is_trace(self) -> bool:
        """Whether the first column stands still: current against time, not a sweep."""
        first = self.columns[0].values
        return first.size > 1 and bool((first == first[0]).all())


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


def read_row(path: Path, number: int, cells: list[str], width: int) -> list[float]:
    """The ``width`` numbers of line ``number`` (counted from one), or FileError in one line."""
    if len(cells) != width:
        raise FileError(f"{path}: line {number} holds {len(cells)} values instead of {width} (is the file cut off?)")
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise FileError(f"{path}: line {number} holds {wrong[:40]!r} where a number should be") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
